/// The algorithms in which a client may sign. Nothing else is ever tried. SMART 2.2 client-confidential-asymmetric §Signing.
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case rs384 = "RS384"
    case es384 = "ES384"
}
