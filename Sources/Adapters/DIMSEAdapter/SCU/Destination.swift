import DICOMNetwork
import NIOCore
import NIOSSL

extension SCUAssociation {
    /// Where, how and as whom to call.
    package struct Destination: Sendable {
        package var host: String
        package var port: Int
        package var calledAETitle: AETitle
        package var callingAETitle: AETitle
        /// nil is clear text.
        package var tls: NIOSSLContext?
        /// The name that is told to the peer, and that its certificate must have where the context checks names, if it does
        /// not have the address that is called; nil for the address alone.
        package var serverName: String?
        /// The one certificate that counts, in place of any by an authority of the context, which must not check names.
        package var pinned: PinnedCertificate?
        /// Who the user is. PS3.7 §D.3.3.7.
        package var identity: ProposedIdentity?
        /// Associations with this peer at a time; nil for those of the pool.
        package var associationsMax: Int?
        /// Bytes of a P-DATA-TF that is sent at most, however many the peer takes.
        package var sendLengthMax: UInt32?
        package var timers = DIMSETimers()
        package init(host: String, port: Int, calledAETitle: AETitle, callingAETitle: AETitle) {
            self.host = host
            self.port = port
            self.calledAETitle = calledAETitle
            self.callingAETitle = callingAETitle
        }
    }
}

/// The one certificate that a peer must show.
package struct PinnedCertificate: Sendable {
    /// SHA-256 of its DER in hexadecimal.
    package let fingerprint: String
    private let digest: @Sendable ([UInt8]) -> String

    /// - Parameter digest: SHA-256 in hexadecimal.
    package init(fingerprint: String, digest: @escaping @Sendable ([UInt8]) -> String) {
        self.fingerprint = fingerprint.lowercased()
        self.digest = digest
    }

    /// The handler of a connection on which only this certificate counts: neither its issuer, its names nor its dates do,
    /// where the context verifies all but names: one that verifies nothing asks nobody.
    func handler(_ context: NIOSSLContext, serverName: String?) throws -> NIOSSLClientHandler {
        let (fingerprint, digest) = (fingerprint, digest)
        return try NIOSSLClientHandler(
            context: context, serverHostname: serverName,
            customVerificationCallback: { certificates, promise in
                let shown = (try? certificates.first?.toDERBytes()).map { digest($0).lowercased() }
                promise.succeed(shown == fingerprint ? .certificateVerified : .failed)
            })
    }
}
