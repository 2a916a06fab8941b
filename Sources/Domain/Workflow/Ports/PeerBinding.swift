/// How a caller shows at a door that it is the peer whose name it gives. What a peer itself is bound to counts at every
/// door.
package enum PeerBinding: String, Sendable, Hashable, CaseIterable {
    /// The name is enough, where the peer is bound to nothing else.
    case name
    /// The peer must be bound to addresses or to a certificate.
    case address
    /// The peer must be bound to a certificate.
    case certificate

    /// Whether a peer is bound to as much as a door asks for.
    package func isMet(by peer: Peer) -> Bool {
        switch self {
        case .name: true
        case .address: !peer.networks.isEmpty || peer.certificateFingerprint != nil
        case .certificate: peer.certificateFingerprint != nil
        }
    }
}
