import Access
import DICOMData
import DICOMTranslation
import OutboundAdapter
import SQLStore
import Workflow

/// Where images are sent: whether each destination can be called at all.
extension DoctorCommand {
    func checkRouting(_ configuration: ServerConfiguration, _ server: ServerFolder, _ doctor: inout Doctor) async {
        let routing = configuration.routing
        guard !routing.destinations.isEmpty else { return }
        doctor.check("routing", fix: "as it says") {
            _ = try RoutingComposition(configuration, server, zone: nil, makesKey: false)
            return "\(routing.rules.count) rules to \(routing.destinations.count) destinations"
        }
        let used = Set(routing.rules.flatMap(\.destinations))
        for destination in routing.destinations where !used.contains(destination.name) {
            doctor.note(
                "routing: no rule sends anything to \(destination.name)",
                fix: "add a rule with `to: \(destination.name)`, or use `hilum route send`")
        }
        for destination in routing.destinations
        where !destination.transferSyntaxes.isEmpty && !destination.transferSyntaxes.contains(.explicitVRLittleEndian) {
            doctor.note(
                "routing: \(destination.name): reports and other objects that are not compressed, and images that cannot "
                    + "be, are parked, as its transfer-syntaxes are without Explicit VR Little Endian",
                fix: "add 1.2.840.10008.1.2.1 to its transfer-syntaxes, which every DICOMweb server takes")
        }
        let outbound = OutboundComposition.outbound(configuration, server)
        for destination in routing.destinations {
            guard case .stow(let url, let token) = destination.way else { continue }
            for url in [url, token?.url].compactMap(\.self) {
                do throws(OutboundRefusal) { try await outbound.check(url) } catch {
                    doctor.bad(
                        "routing: \(destination.name): \(url): \(error.rawValue)",
                        fix: "correct the URL, or name its network in outbound.allow-networks")
                }
            }
        }
    }

    /// The application entities among the destinations.
    func checkRouting(_ peers: [Peer], _ configuration: ServerConfiguration, _ folder: String, _ doctor: inout Doctor) {
        for destination in configuration.routing.destinations {
            guard case .peer(let title) = destination.way else { continue }
            let peer = peers.first { $0.kind == .applicationEntity && $0.name == title }
            if peer?.offers.contains(.store) != true || peer?.host == nil || peer?.port == nil {
                doctor.bad(
                    "routing: \(destination.name): \(title) is no peer with host, port and the service store",
                    fix:
                        "`hilum peer \(peer == nil ? "add" : "set") \(folder) --ae \(title)` with --host, --port and --offers store"
                )
            }
            guard destination.reportHours != nil else { continue }
            if peer?.offers.contains(.commit) != true {
                doctor.bad(
                    "routing: \(destination.name): \(title) is no peer that offers commit",
                    fix: "`hilum peer set \(folder) --ae \(title)` with commit among its --offers, or no `commitment`")
            } else if peer?.may.contains(.commit) != true {
                doctor.note(
                    "routing: \(destination.name): \(title) may not commit, so its reports come on our associations "
                        + "alone",
                    fix: "`hilum peer set \(folder) --ae \(title)` with commit among its --may, if it opens its own")
            }
        }
    }

    /// What destinations have not reported of.
    func checkCommitments(
        _ open: [OpenCommitments], _ configuration: ServerConfiguration, _ folder: String, _ doctor: inout Doctor
    ) {
        guard !open.isEmpty || configuration.routing.destinations.contains(where: { $0.reportHours != nil }) else {
            return
        }
        doctor.tell(CommitmentDoctor(open: open, now: SystemClock().now(), folder: folder).findings)
    }
}
