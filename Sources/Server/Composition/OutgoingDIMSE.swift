import BlobStore
import DICOMNetwork
import DIMSEAdapter
import Foundation
import Logging
import NIOSSL
import SQLStore
import Workflow

/// What this server asks of application entities: how they are called, over which associations, and who carries to them
/// what is in the outbox.
struct OutgoingDIMSE {
    let calling: PeerCalling
    let associations: OutgoingAssociations
    let caller: PeerCaller
    private let logger: Logger

    init(_ configuration: ServerConfiguration, _ folder: ServerFolder, logger: Logger) throws {
        var calling = PeerCalling()
        calling.timers = configuration.limits.timers
        calling.tls = try Self.tls(folder)
        calling.digest = Digests.hex
        guard let title = AETitle(configuration.dimse.aeTitle) else {
            throw ConfigurationError("dimse.ae-title: \(configuration.dimse.aeTitle) is no AE title")
        }
        self.calling = calling
        associations = OutgoingAssociations(logger: logger)
        caller = PeerCaller(calling: calling, associations: associations, callingAETitle: title)
        self.logger = logger
    }

    /// With the server's certificate, which a peer may want to see, and the peer's checked against the authority and its
    /// name. Nil for a folder without certificates.
    private static func tls(_ folder: ServerFolder) throws -> NIOSSLContext? {
        guard FileManager.default.fileExists(atPath: folder.serverCertificateFile) else { return nil }
        _ = try ServerFolder.readSecret(folder.serverKeyFile)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(folder.serverCertificateFile).map {
            .certificate($0)
        }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: folder.serverKeyFile, format: .pem))
        configuration.trustRoots = .file(folder.authorityCertificateFile)
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = TLSContexts.suitesOfTLS12
        return try NIOSSLContext(configuration: configuration)
    }

    /// Who reports on storage commitment.
    func commitmentCourier(
        store: RelationalStore, blobs: BlobStore, commitments: CommitmentAssociations
    ) -> CommitmentCourier {
        CommitmentCourier(
            store: store, peers: store, asking: commitments, calling: calling, associations: associations,
            logger: logger
        ) { instance in
            switch await blobs.verify(instance.blobID, size: instance.size, pace: { _ in }) {
            case .intact: .intact
            case .unchecked, .missing, .setAside, .damaged: .lost
            case .unreadable: .unreadable
            }
        }
    }
}
