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
        announcer = OutboundAnnouncer(profile: profile, digest: Digests.hex, reports: ClientReport.find) {
            destination, losses in
            logger.warning(
                "a message is not as it was meant",
                metadata: [
                    "destination": "\(destination)",
                    "losses": "\(losses.prefix(10).map(\.description).joined(separator: "; "))",
                ])
        }
    }

    func conclude(_ changes: UnitChanges, in unit: any ResourceUnitOfWork) throws {
        try announcer.announce(
            changes.events + ClientReport.events(of: changes), replaced: { ReplacedOrder.id(by: $0, among: changes) },
            in: unit)
    }
}

/// Who carries the messages to each destination of the site.
struct HL7Outbound {
    /// By the kind they carry.
    let couriers: [String: any Courier]
    private let senders: [MLLPSender]

    /// Throws where a destination wants TLS and the folder has no certificate to show.
    init(
        _ profile: SiteProfile, tls: CallingTLS, store: RelationalStore, logger: Logger
    ) throws {
        var couriers: [String: any Courier] = [:]
        var senders: [MLLPSender] = []
        for destination in profile.destinations {
            var terms = MLLPSender.Terms(fingerprint: Digests.hex)
            guard !destination.isTLS || tls.verifying != nil else {
                throw ConfigurationError("destination \(destination.name): there is no certificate to call by TLS with")
            }
            terms.verifying = { tls.verifying }
            terms.comparing = { tls.comparing }
            terms.serverName = destination.serverName
            terms.connect = .seconds(destination.connectSeconds)
            terms.answer = .seconds(destination.answerSeconds)
            let sender = MLLPSender(terms, group: MultiThreadedEventLoopGroup.singleton)
            senders.append(sender)
            couriers[destination.outboxName] = HL7Courier(
                destination, profile: profile, store: store, peers: store, sender: sender, reports: ClientReport.find,
                logger: logger)
        }
        self.couriers = couriers
        self.senders = senders
    }

    /// Ends the connections.
    func close() async { for sender in senders { await sender.close() } }
}
