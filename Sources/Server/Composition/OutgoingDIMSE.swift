import Admission
import BlobStore
import DICOMNetwork
import DICOMTranslation
import DIMSEAdapter
import Logging
import SQLStore
import Workflow

/// What this server asks of application entities: how they are called, over which associations, and who carries to them
/// what is in the outbox.
struct OutgoingDIMSE {
    let calling: PeerCalling
    let associations: OutgoingAssociations
    /// The title as which peers are called.
    let callingAETitle: AETitle
    let caller: PeerCaller
    private let logger: Logger

    /// Throws ``ConfigurationError``.
    init(_ configuration: ServerConfiguration, tls: CallingTLS, identities: PeerIdentities, logger: Logger) throws {
        var calling = PeerCalling()
        calling.timers = configuration.limits.timers
        calling.currentTLS = { tls.verifying }
        calling.pinningTLS = { tls.pinning }
        calling.digest = Digests.hex
        calling.identity = { identities.identity(at: $0) }
        guard let title = AETitle(configuration.callingTitle) else {
            throw ConfigurationError("\(configuration.callingTitle) is no AE title")
        }
        self.calling = calling
        callingAETitle = title
        associations = OutgoingAssociations(logger: logger)
        caller = PeerCaller(calling: calling, associations: associations, callingAETitle: title)
        self.logger = logger
    }

    /// Who reports on workitems.
    func workitemCourier(peers: any PeerDirectory, asking: ReportAssociations) -> WorkitemReportCourier {
        WorkitemReportCourier(
            peers: peers, asking: asking, calling: calling, associations: associations,
            callingAETitle: callingAETitle)
    }

    /// Who reports on storage commitment.
    func commitmentCourier(
        store: RelationalStore, blobs: BlobStore, commitments: ReportAssociations
    ) -> CommitmentCourier {
        CommitmentCourier(
            store: store, peers: store, asking: commitments, calling: calling, associations: associations,
            logger: logger, readBack: Self.readBack(blobs))
    }

    /// Reads all bytes of an instance and compares them with their digests.
    static func readBack(_ blobs: BlobStore) -> @Sendable (Instance) async -> StoredBytes {
        { instance in
            switch await blobs.verify(instance.blobID, size: instance.size, pace: { _ in }) {
            case .intact: .intact
            case .unchecked, .missing, .setAside, .damaged: .lost
            case .unreadable: .unreadable
            }
        }
    }
}
