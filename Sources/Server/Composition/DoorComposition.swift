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
import SQLStore
import Workflow

/// The doors for hospital systems: DIMSE and MLLP.
enum DoorComposition {
    static func dimse(
        _ door: DoorConfiguration, limits: ServerLimits, guards: DoorGuards, store: RelationalStore,
        blobs: any BlobStoring, commitments: ReportAssociations, workitems: ReportAssociations,
        outgoing: OutgoingDIMSE, transcoding: PixelTranscoding, archives: ArchiveComposition,
        tokens: any TokenVerifying, ingest: InstanceIngest, authorities: AssigningAuthorities, entropy: any Entropy,
        tls: DoorTLS?, logger: Logger,
        isUp: @escaping @Sendable () -> Void
    ) throws -> DIMSEListener {
        var dimse = DIMSEConfiguration(aeTitles: [])
        for title in door.titles {
            guard let name = AETitle(title.title) else {
                throw ConfigurationError("\(door.place): \(title.title) is no AE title")
            }
            dimse.aeTitles.insert(name)
            dimse.rolesByTitle[name] = title.services
            dimse.archivesByTitle[name] = title.archives
        }
        dimse.host = door.host
        dimse.port = door.port
        dimse.networks = door.networks
        dimse.binding = door.binding
        dimse.tls = tls
        dimse.certificateFingerprint = Digests.hex
        dimse.servesUnknownCallers = door.acceptsUnknownPeers
        dimse.identities = AccessTokenIdentity(tokens: tokens)
        dimse.limits = limits.associations
        dimse.networkLimits = limits.network
        dimse.timers = limits.timers
        return DIMSEListener(
            configuration: dimse,
            services: [
                VerificationSCP(), StorageSCP(ingest: ingest, arrivals: archives.arrivals, logger: logger),
                WorklistSCP(index: store, authorities: authorities, audit: store),
                QuerySCP(index: store, audit: store, archives: archives.search),
                RetrieveSCP(
                    index: store, blobs: blobs, peers: store, audit: store, calling: outgoing.calling,
                    associations: outgoing.associations, transcoding: transcoding, fetch: archives.fetch,
                    memory: MemoryBudget(bytesMax: min(RetrieveSCP.memoryBytes, guards.memory.bytesMax)),
                    logger: logger),
                StorageCommitmentSCP(
                    store: store, associations: commitments, reports: CommitmentReports(store: store).atDoor),
                PerformedProcedureStepSCP(store: store, entropy: entropy),
                UnifiedProcedureStepSCP(store: store, entropy: entropy, associations: workitems),
            ],
            peers: store, audit: store, entropy: entropy, logger: logger, admission: guards.admission,
            strangers: guards.strangers(at: .dimse), memory: guards.memory, places: guards.associations
        ) { _ in isUp() }
    }

    static func mllp(
        _ door: DoorConfiguration, limits: ServerLimits, guards: DoorGuards, store: RelationalStore,
        inbox: HL7Inbox, profiles: PeerProfiles, tls: DoorTLS?,
        logger: Logger,
        isUp: @escaping @Sendable () -> Void
    ) throws -> MLLPListener {
        var mllp = MLLPConfiguration(host: door.host, port: door.port, tls: tls, limits: limits.mllp)
        mllp.networks = door.networks
        let gate = SenderGate(
            peers: store, audit: store, strangers: guards.strangers(at: .mllp),
            acceptsUnknown: door.acceptsUnknownPeers, binding: door.binding, profiles: profiles)
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
