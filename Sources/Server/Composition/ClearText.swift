import Admission
import Logging
import OpsAPI

/// Doors at which patient data can be read on the network.
enum ClearText {
    /// Says so in the log and in a metric, for each.
    static func tell(of doors: [DoorConfiguration], _ metrics: MetricRegistry, _ logger: Logger) {
        let open = doors.filter(\.isClearTextBeyondThisMachine)
        for door in open {
            logger.warning(
                "a door takes clear text beyond this machine: patient data can be read on the network",
                metadata: [
                    "door": "\(door.place)", "address": "\(door.host):\(door.port)", "tls": "\(door.tls.rawValue)",
                ])
        }
        metrics.observe {
            open.map { door in
                .init(
                    "hilum_door_clear_text", .gauge, 1, [("door", door.place), ("protocol", door.kind.rawValue)])
            }
        }
    }
}
