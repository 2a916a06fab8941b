import Access
import OutboundAdapter
import SQLStore
import Workflow

/// The feeds of the audit trail: whether each can be made, and how far it is.
extension DoctorCommand {
    /// A row that waits for longer is told of, whatever the feed's own alarm is.
    private static let lateSeconds: Int64 = 3_600

    func checkFeeds(
        _ configuration: ServerConfiguration, _ server: ServerFolder, _ database: SQLDatabase, _ doctor: inout Doctor
    ) async {
        let composition = AuditFeedComposition(configuration, server)
        let outbound = OutboundComposition.outbound(configuration, server)
        for feed in configuration.audit.feeds {
            do {
                let target = try composition.target(feed, clock: SystemClock(), entropy: SystemEntropy())
                await target.close()
                doctor.good("audit feed \(feed.name): \(AuditFeedReport.way(feed))")
            } catch {
                doctor.bad(
                    "audit feed \(feed.name): \(error)", fix: "correct `\(feed.place)` or the file that it names")
            }
            if case .fhir(let base, let token) = feed.way {
                for url in [base, token?.url].compactMap(\.self) {
                    do throws(OutboundRefusal) { try await outbound.check(url) } catch {
                        doctor.bad(
                            "audit feed \(feed.name): \(url): \(error.rawValue)",
                            fix: "correct the URL, or name its network in outbound.allow-networks")
                    }
                }
            }
            await checkProgress(feed, server, database, &doctor)
        }
    }

    private func checkProgress(
        _ feed: AuditConfiguration.Feed, _ server: ServerFolder, _ database: SQLDatabase, _ doctor: inout Doctor
    ) async {
        let name = feed.name
        do {
            let standing = try await database.read { try AuditFeedTable($0).standing(of: name) }
            guard let place = standing.place else {
                return doctor.good("audit feed \(name): begins when the server starts")
            }
            let waiting = standing.waiting
            let age = waiting.map { (SystemClock().now().microseconds - $0.oldest) / 1_000_000 } ?? 0
            if let waiting, age > max(Self.lateSeconds, feed.alarmMinutes * 60) {
                doctor.note(
                    "audit feed \(name): \(waiting.count) rows wait, the oldest for \(age / 60) minutes",
                    fix:
                        "start the server where it does not run, else see `hilum audit feed test \(server.path) \(name)`"
                )
            } else {
                doctor.good("audit feed \(name): fed up to row \(place.number), \(waiting?.count ?? 0) rows wait")
            }
            if standing.parked > 0 {
                doctor.note(
                    "audit feed \(name): \(standing.parked) rows are parked, for the repository refuses them",
                    fix: "see why with `hilum audit feed list \(server.path)`, then `feed retry` or `feed discard`")
            }
            if place.missed > 0 {
                doctor.note(
                    "audit feed \(name): \(place.missed) rows were cut before they were fed",
                    fix: "give the repository the files of `hilum audit export` that hold them, then "
                        + "`hilum audit feed accept \(server.path) \(name) --reason …`")
            }
        } catch { doctor.bad("audit feed \(name): \(error)", fix: "see the server's log") }
    }
}
