import Workflow

/// What `hilum doctor` says of the outbox: what is parked is an operator's to decide, what has waited for long is told by
/// its age and not by its number.
struct OutboxDoctor {
    var depths: [OutboxDepth]
    var now: UTCInstant
    /// The server's folder, as commands name it.
    var folder: String

    var findings: [DoctorFinding] {
        let waiting = depths.filter { $0.state == .waiting }
        let parked = depths.filter { $0.state == .parked }
        let counts = (waiting.reduce(0) { $0 + $1.count }, parked.reduce(0) { $0 + $1.count })
        var findings = [
            DoctorFinding(
                kind: .good, text: "outbox: \(counts.0) entries wait for delivery, \(counts.1) are parked")
        ]
        for depth in waiting where OutboxDepths.isLate(depth, at: now) {
            let minutes = (now.microseconds - depth.oldest.microseconds) / 60_000_000
            findings.append(
                DoctorFinding(
                    kind: .note,
                    text: "outbox: what is told to \(depth.destination) (\(depth.kind)) has waited for "
                        + Age.text(minutes: minutes),
                    fix: "see why with `hilum outbox list \(folder) --destination \(depth.destination)`, and whether "
                        + "it answers; until then everything is kept, in its order"))
        }
        for depth in parked {
            findings.append(
                DoctorFinding(
                    kind: .note, text: "outbox: \(depth.count) entries for \(depth.destination) are parked",
                    fix: "see why with `hilum outbox list \(folder) --state parked`, then `hilum outbox replay` or "
                        + "`discard` with --destination \(depth.destination)"))
        }
        return findings
    }
}
