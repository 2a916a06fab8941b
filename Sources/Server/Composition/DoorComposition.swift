import Access
import Admission
import BlobStore
import DICOMData
import DICOMNetwork
import DICOMTranslation
import DIMSEAdapter
import HL7Translation
import HL7v2
import Logging
import MLLPAdapter
import NIOPosix
import NIOSSL
import SQLStore
import Workflow

/// The doors for hospital systems: DIMSE and MLLP.
enum DoorComposition {
    static func dimse(
        _ configuration: ServerConfiguration.DIMSE, limits: ServerLimits, guards: DoorGuards, store: RelationalStore,
        blobs: any BlobStoring, commitments: CommitmentAssociations, ingest: InstanceIngest,
        authorities: AssigningAuthorities, entropy: any Entropy, tls: NIOSSLContext?, logger: Logger,
        isUp: @escaping @Sendable () -> Void
    ) throws -> DIMSEListener {
        guard let title = AETitle(configuration.aeTitle) else {
            throw ConfigurationError("dimse.ae-title: \(configuration.aeTitle) is no AE title")
        }
        var dimse = DIMSEConfiguration(aeTitles: [title])
        dimse.host = configuration.host
        dimse.port = configuration.port
        dimse.tls = tls
        dimse.certificateFingerprint = Digests.hex
        dimse.servesUnknownCallers = configuration.acceptsUnknownPeers
        dimse.limits = limits.associations
        dimse.networkLimits = limits.network
        dimse.timers = limits.timers
        return DIMSEListener(
            configuration: dimse,
            services: [
                VerificationSCP(), StorageSCP(ingest: ingest, logger: logger),
                WorklistSCP(index: store, authorities: authorities, audit: store), QuerySCP(index: store, audit: store),
                RetrieveSCP(
                    index: store, blobs: blobs, peers: store, audit: store, timers: limits.timers, logger: logger),
                StorageCommitmentSCP(store: store, associations: commitments),
                PerformedProcedureStepSCP(store: store, entropy: entropy),
            ],
            peers: store, audit: store, entropy: entropy, logger: logger, admission: guards.admission,
            strangers: guards.strangers(at: .dimse), memory: guards.memory
        ) { _ in isUp() }
    }

    /// Who reports on storage commitment.
    static func commitmentCourier(
        store: RelationalStore, blobs: BlobStore, commitments: CommitmentAssociations, limits: ServerLimits,
        logger: Logger
    ) -> CommitmentCourier {
        CommitmentCourier(
            store: store, peers: store, associations: commitments, timers: limits.timers, logger: logger
        ) { instance in
            switch await blobs.verify(instance.blobID, size: instance.size, pace: { _ in }) {
            case .intact: .intact
            case .unchecked, .missing, .setAside, .damaged: .lost
            case .unreadable: .unreadable
            }
        }
    }

    static func mllp(
        _ configuration: ServerConfiguration.MLLP, limits: ServerLimits, guards: DoorGuards, store: RelationalStore,
        inbox: HL7Inbox, tls: NIOSSLContext?,
        logger: Logger,
        isUp: @escaping @Sendable () -> Void
    ) throws -> MLLPListener {
        let mllp = MLLPConfiguration(
            host: configuration.host, port: configuration.port, tls: tls, limits: limits.mllp)
        let gate = SenderGate(
            peers: store, audit: store, strangers: guards.strangers(at: .mllp),
            acceptsUnknown: configuration.acceptsUnknownPeers)
        let limit = limits.mllp.messageBytesMax
        return MLLPListener(
            configuration: mllp, group: MultiThreadedEventLoopGroup.singleton, logger: logger,
            admission: guards.admission, memory: guards.memory, bound: { _ in isUp() },
            refuseOversized: { head in inbox.refuseOversized(head: head, limit: limit) },
            refuseForNow: { head in inbox.refuseForNow(head: head) }
        ) { message, peer, isLetIn in
            switch await gate.verdict(on: message, from: peer) {
            case .letIn: isLetIn()
            case .refused(let acknowledgement): return .answers([acknowledgement])
            case .heldBack: return .answers([inbox.refuseForNow(head: message)])
            }
            let receipt = await inbox.receive(message, peer: peer.address)
            if !receipt.notes.isEmpty {
                logger.info(
                    "message",
                    metadata: [
                        "type": "\(receipt.type)", "result": "\(receipt.result)",
                        "notes": "\(receipt.notes.joined(separator: "; "))",
                    ])
            }
            return .answers(receipt.answers)
        }
    }
}
