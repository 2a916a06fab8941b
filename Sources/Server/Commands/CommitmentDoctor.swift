import Workflow

/// What `hilum doctor` says of destinations that are asked to keep what they were sent: reports that are overdue are told
/// by their age.
struct CommitmentDoctor {
    var open: [OpenCommitments]
    var now: UTCInstant
    /// The server's folder, as commands name it.
    var folder: String

    var findings: [DoctorFinding] {
        let asked = open.filter { $0.state == .asked }.reduce(0) { $0 + $1.count }
        let overdue = open.filter { $0.state == .overdue }
        return [
            DoctorFinding(
                kind: .good,
                text: "commitment: \(asked) transactions wait for a report, "
                    + "\(overdue.reduce(0) { $0 + $1.count }) are overdue")
        ]
            + overdue.map { each in
                // A clock that was set back makes nothing younger than now.
                let minutes = max(0, now.microseconds - each.oldest.microseconds) / 60_000_000
                return DoctorFinding(
                    kind: .note,
                    text: "commitment: \(each.destination) has not reported of \(each.count) transactions, the oldest "
                        + "of \(Age.text(minutes: minutes)) ago",
                    fix: "see whether it can open an association to this server (`hilum peer list \(folder)`: it must "
                        + "be among the peers that may commit); it is asked again by itself, and then parked")
            }
    }
}

/// Time that has passed, in words.
enum Age {
    /// In the largest unit of which there are two or more.
    static func text(minutes: Int64) -> String {
        switch minutes {
        case ..<120: "\(minutes) minutes"
        case ..<2_880: "\(minutes / 60) hours"
        default: "\(minutes / 1_440) days"
        }
    }
}
