import Access
import Admission
import DICOMNetwork
import NIOCore
import Workflow

/// How long the adapter waits for what. All tests of time-outs shorten them.
package struct DIMSETimers: Sendable {
    /// For the association request of a new connection, and for the peer to close after the end. PS3.8 §9.1.4.
    package var artim: TimeAmount = .seconds(30)
    /// Without progress while it is the peer's turn: a whole message, what the least rate asks for of one that is under
    /// way, or a PDU taken by the peer.
    package var idle: TimeAmount = .seconds(60)
    /// What a message that is under way must bring at least, in bytes a second over each idle time.
    package var messageBytesPerSecondMin = 256
    /// For the answer to an association or release request of ours.
    package var associate: TimeAmount = .seconds(30)
    /// For the response to a request of ours; begins anew with each pending response.
    package var response: TimeAmount = .seconds(60)
    /// For a TCP connection of ours to open.
    package var connect: TimeAmount = .seconds(10)
    /// For associations to end by themselves once the server stops; then they are aborted.
    package var drain: TimeAmount = .seconds(30)
    /// While draining, for an association without a message under way.
    package var drainIdle: TimeAmount = .seconds(1)
    /// The defaults above.
    package init() {}
}

/// How many associations are served at once. reliability-security: 200 in all, 20 of one peer.
package struct AssociationLimits: Sendable {
    /// In all; one more is rejected for now (PS3.8 §9.3.4, local limit exceeded).
    package var associationsMax = 200
    /// Of one peer, by its AE title.
    package var associationsPerPeerMax = 20
    /// The defaults above.
    package init() {}
}

/// What a listener is told.
package struct DIMSEConfiguration: Sendable {
    /// Loopback unless told otherwise.
    package var host = "127.0.0.1"
    /// 0 takes a free port.
    package var port = 11112
    /// The titles we answer to; empty answers to any called title.
    package var aeTitles: Set<AETitle>
    /// What may be asked of a title, of those that a caller may; titles that are not named here take all.
    package var rolesByTitle: [AETitle: Set<Peer.Role>] = [:]
    /// Names of the archives behind a title, which alone are asked and fetched from for whoever calls it; titles that are
    /// not named here have all.
    package var archivesByTitle: [AETitle: Set<String>] = [:]
    /// From which there may be connections; empty for everywhere.
    package var networks: [IPNetwork] = []
    /// How a caller shows that it is the peer it says it is.
    package var binding = PeerBinding.name
    /// TLS of the listener; nil is clear text. With client certificates required, a peer can be bound to its own.
    package var tls: DoorTLS?
    /// SHA-256 of a certificate's DER as hexadecimal, as the peer directory keeps it.
    /// Needed when peers are bound to certificates; without it such peers are refused.
    package var certificateFingerprint: (@Sendable ([UInt8]) -> String)?
    /// Serves callers that the peer directory does not know: echo, store and worklist. For closed test networks; off by
    /// default.
    package var servesUnknownCallers = false
    /// Who verifies the user identities that callers propose; nil passes them over, as who does not know of them.
    package var identities: (any UserIdentityVerifying)?
    /// Whether there must be a user that was verified.
    package var requiresIdentity = false
    package var timers = DIMSETimers()
    package var limits = AssociationLimits()
    package var networkLimits = NetworkLimits()

    /// - Parameter aeTitles: everything else is the default until it is set.
    package init(aeTitles: Set<AETitle>) { self.aeTitles = aeTitles }
}
