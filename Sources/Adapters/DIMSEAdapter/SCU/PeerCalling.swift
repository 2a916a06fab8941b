import Access
import DICOMNetwork
import NIOSSL
import Workflow

/// How the peers of the site are called: by what is kept of each, never by what comes from the wire.
package struct PeerCalling: Sendable {
    /// Why a peer cannot be called.
    package struct Problem: Error, CustomStringConvertible {
        /// A sentence with what to do, without values of patients.
        package let description: String
    }

    /// Of every association.
    package var timers = DIMSETimers()
    /// TLS with our certificate and the authorities that this server trusts, verifying certificate and name; nil where
    /// this server has none, and then peers that are called by TLS are not called.
    package var tls: NIOSSLContext? {
        get { currentTLS() }
        set { currentTLS = { newValue } }
    }
    /// The same, asked at each call: certificates are replaced while a server runs.
    package var currentTLS: @Sendable () -> NIOSSLContext? = { nil }
    /// The same without the check of the name (`.noHostnameVerification`), for peers whose certificate is pinned.
    package var pinningTLS: @Sendable () -> NIOSSLContext? = { nil }
    /// SHA-256 in hexadecimal, for peers whose certificate is pinned.
    package var digest: (@Sendable ([UInt8]) -> String)?
    /// Who the user is at a peer; nil for none.
    package var identity: @Sendable (Peer) -> ProposedIdentity? = { _ in nil }

    package init() {}

    /// Where, how and as whom a peer is called. Throws ``Problem``.
    package func destination(
        _ peer: Peer, as callingAETitle: AETitle
    ) throws(Problem) -> SCUAssociation.Destination {
        guard let title = AETitle(peer.name) else { throw Problem(description: "\(peer.name) is no AE title") }
        guard let host = peer.host, let port = peer.port else {
            throw Problem(description: "\(title) has no host and port")
        }
        var destination = SCUAssociation.Destination(
            host: host, port: port, calledAETitle: title, callingAETitle: callingAETitle)
        switch peer.tls {
        case .off: break
        case .on:
            guard let tls else { throw Problem(description: "this server has no TLS to call \(title) by") }
            destination.tls = tls
            // An address is no name that could be told to the peer; it is verified all the same.
            destination.serverName = IPAddress(host) == nil ? host : nil
        case .pinned(let fingerprint):
            guard let tls = pinningTLS(), let digest else {
                throw Problem(description: "this server has no TLS to call \(title) by")
            }
            destination.tls = tls
            destination.pinned = PinnedCertificate(fingerprint: fingerprint, digest: digest)
        }
        destination.identity = identity(peer)
        destination.associationsMax = peer.connectionsMax
        destination.sendLengthMax = peer.pduLengthMax.map { UInt32(clamping: $0) }
        destination.timers = timers
        return destination
    }
}
