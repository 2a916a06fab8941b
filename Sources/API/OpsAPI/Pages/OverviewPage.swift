import HTTPSupport
import Hummingbird
import Workflow

/// The first page: health, doors and certificates, and how much waits for a person.
enum OverviewPage {
    /// A certificate that ends within so many days is told of.
    private static let certificateDays: Int64 = 30
    /// Things of one kind that are counted; more are told as more.
    private static let countMax = 100

    @Sendable static func show(_ call: OperationsCall) async throws -> Response {
        let health = await call.desk.health.results()
        let attention = try await attention(call)
        try await call.record("operations")
        return call.answer(
            call.language[.operationsTitle],
            [
                call.desk.health.isOnItsWayDown
                    ? .element("p", [.init("class", "bad"), .init("role", "alert")], call.text(.isDraining)) : .none,
                call.section(
                    .attentionTitle, call.forms.table([.kindLabel, .countLabel, .oldestLabel], attention)),
                call.section(
                    .healthTitle,
                    call.table(
                        [.checkLabel, .stateLabel, .nextStepLabel], health.map { self.check($0.name, $0.state, call) },
                        orElse: .adviceNone),
                    call.jsonBeside("/health/ready", isOpen: true)),
                call.section(
                    .doorsTitle,
                    call.table(
                        [.doorLabel, .kindLabel, .addressLabel, .tlsLabel, .certificateLabel],
                        call.desk.doors().map { door($0, call) }, orElse: .none)),
            ])
    }

    private static func check(_ name: String, _ state: HealthChecks.State, _ call: OperationsCall) -> [HTML] {
        let said: PageText =
            switch state {
            case .works: .checkWorks
            case .failed: .checkFails
            case .degraded: .checkIsLimited
            }
        let advice: PageText =
            switch (state, name) {
            case (.works, _): .adviceNone
            case (_, "database"): .adviceDatabase
            case (_, "blobs"): .adviceBlobs
            case (_, "blobs-folder"): .adviceBlobsFolder
            case (_, "disk-space"): .adviceDiskSpace
            case (_, "outbox"): .adviceOutbox
            case (_, "audit-feeds"): .adviceFeeds
            case (_, "listeners"): .adviceListeners
            default: .adviceOther
            }
        return [.text(name), call.text(said), call.text(advice)]
    }

    private static func door(_ door: OperationsDoor, _ call: OperationsCall) -> [HTML] {
        var certificate = call.text(.none)
        if let days = door.daysLeft {
            certificate = days < 0 ? call.text(.certificateEnded) : "\(call.language[.certificateDays]) \(days)"
            if (0..<certificateDays).contains(days) {
                certificate = .all([certificate, ". ", call.text(.certificateSoon)])
            }
        }
        if door.isRefused { certificate = .all([certificate, " ", call.text(.certificateRefused)]) }
        return [.text(door.place), .text(door.kind), .text(door.address), .text(door.tls), certificate]
    }

    /// What a feed waits with, since when, and what it goes on without.
    private static func feed(_ feed: AuditFeedState, _ now: UTCInstant, _ call: OperationsCall) -> [HTML] {
        let oldest = feed.waiting > 0 ? now.advanced(bySeconds: -feed.oldestSeconds) : nil
        return [
            .all([call.text(.attentionFeeds), ": ", .text(feed.name)]), "\(feed.waiting + feed.parked + feed.missed)",
            call.time(oldest),
        ]
    }

    private static func attention(_ call: OperationsCall) async throws -> [[HTML]] {
        let (desk, access, limit) = (call.desk, call.access, countMax + 1)
        var failed = MessageQuery(disposition: .failed, limit: limit)
        failed.since = desk.now().advanced(bySeconds: -86_400)
        let depths = try await desk.outbox.outboxDepths(access: access)
        func queue(_ title: PageText, _ state: OutboxEntry.State) -> [HTML] {
            let these = depths.filter { $0.state == state }
            let link = "/operations/queues?state=" + state.rawValue
            return [
                OperationsCall.link(link, call.language[title]), "\(these.reduce(0) { $0 + $1.count })",
                call.time(these.map(\.oldest).min()),
            ]
        }
        func row(_ title: PageText, _ path: String, _ count: Int) -> [HTML] {
            [
                OperationsCall.link("/operations" + path, call.language[title]),
                .text(count > countMax ? "> \(countMax)" : "\(count)"), .none,
            ]
        }
        return [
            queue(.attentionParked, .parked), queue(.attentionOverdue, .waiting),
            row(
                .attentionQuarantine, "/quarantine",
                try await desk.quarantine.quarantine(.waiting, limit: limit, access: access).count),
            row(
                .attentionMessages, "/messages?disposition=failed",
                try await desk.messages.messages(failed, access: access).count),
            row(.attentionFetches, "/fetches?state=failed", try await desk.fetches([.failed], limit, access).count),
            row(.attentionSteps, "/steps", try await desk.waiting(limit, access).count),
            row(.attentionConflicts, "/conflicts", try await desk.conflicts(limit, access).count),
            row(.attentionAuthorities, "/authorities", try await desk.authorities(limit).count),
        ] + desk.feeds().map { feed($0, desk.now(), call) }
    }
}
