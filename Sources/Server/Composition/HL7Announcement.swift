import FHIRModel
import FHIRResources
import HL7Translation
import HL7v2
import Logging
import MLLPAdapter
import NIOCore
import NIOPosix
import NIOSSL
import SQLStore
import Workflow

/// Has the destinations of the site told of each change, in the unit that makes it.
struct HL7Announcement: CommitObserver {
    private let announcer: OutboundAnnouncer

    init(_ profile: SiteProfile, logger: Logger = Logger(label: "hl7.outbound")) {
        announcer = OutboundAnnouncer(profile: profile, digest: Digests.hex) { destination, losses in
            logger.warning(
                "a message is not as it was meant",
                metadata: [
                    "destination": "\(destination)",
                    "losses": "\(losses.prefix(10).map(\.description).joined(separator: "; "))",
                ])
        }
    }

    func conclude(_ changes: UnitChanges, in unit: any ResourceUnitOfWork) throws {
        try announcer.announce(changes.events, replaced: { Self.replaced($0, changes) }, in: unit)
    }

    /// What a client says in ServiceRequest.replaces, which refers to requests alone; the workflow knows nothing of it.
    private static func replaced(_ id: EntityID, _ changes: UnitChanges) -> EntityID? {
        let type = "ServiceRequest"
        for change in changes.resources where change.resource.id == id.value {
            guard let document = try? JSONDocument(parsing: change.resource.bytes),
                let reference = JSONValue(document)["replaces"]?[0]?["reference"]?.string
            else { continue }
            let parts = reference.split(separator: "/").suffix(2)
            if parts.count == 2, parts.first.map(String.init) == type, let old = parts.last {
                return EntityID(String(old))
            }
        }
        return nil
    }
}

/// Who carries the messages to each destination of the site.
struct HL7Outbound {
    /// By the kind they carry.
    let couriers: [String: any Courier]
    private let senders: [MLLPSender]

    /// Throws where a destination wants TLS and the folder has no certificate to show.
    init(
        _ profile: SiteProfile, folder: ServerFolder, store: RelationalStore, logger: Logger
    ) throws {
        var couriers: [String: any Courier] = [:]
        var senders: [MLLPSender] = []
        for destination in profile.destinations {
            var terms = MLLPSender.Terms(fingerprint: Digests.hex)
            if destination.isTLS { terms.tls = try TLSContexts.client(folder) }
            terms.serverName = destination.serverName
            terms.connect = .seconds(destination.connectSeconds)
            terms.answer = .seconds(destination.answerSeconds)
            let sender = MLLPSender(terms, group: MultiThreadedEventLoopGroup.singleton)
            senders.append(sender)
            couriers[destination.outboxName] = HL7Courier(
                destination, profile: profile, store: store, peers: store, sender: sender, logger: logger)
        }
        self.couriers = couriers
        self.senders = senders
    }

    /// Ends the connections.
    func close() async { for sender in senders { await sender.close() } }
}
