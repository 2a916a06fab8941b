import Access
import HTTPSupport
import Hummingbird
import Workflow

/// The audit trail: who did what, and to whose data.
enum AuditPage {
    @Sendable static func show(_ call: OperationsCall) async throws -> Response {
        var wanted = AuditQuery(limit: ListPage.size)
        wanted.patientID = call.query["patient"]
        wanted.principal = call.query["who"]
        wanted.interaction = call.query["interaction"]
        wanted.since = try MessageRoutes.time(call.query, "since")?.microseconds
        wanted.until = try MessageRoutes.time(call.query, "until")?.microseconds
        if let text = call.query["before"] {
            guard let number = Int64(text), number > 0 else {
                throw HTTPFailure(.malformed, "before is the number of a row")
            }
            wanted.before = number
        }
        let found = try await call.desk.trail.auditRows(wanted, access: call.access)
        try await call.record("audit", entity: wanted.patientID.map { "Patient/" + $0 })
        let next = found.next.map {
            call.forms.link(call.path(with: [("before", String($0))]), .auditSearchOn)
        }
        return call.answer(
            call.language[.auditTitle],
            [
                call.forms.filter(
                    "/operations/audit",
                    [
                        call.entry("patient", .auditPatient), call.entry("who", .auditWho),
                        call.entry("interaction", .auditWhat), call.entry("since", .sinceLabel),
                        call.entry("until", .untilLabel),
                    ]),
                .element(
                    "section", [],
                    .element("p", [.init("class", "quiet")], call.text(.auditExplained)),
                    call.table(
                        [
                            .numberLabel, .timeLabel, .auditCaller, .auditWhat, .outcomeLabel, .auditAbout,
                            .auditPatient,
                            .auditFrom, .auditQuery, .noteLabel,
                        ], found.rows.map { row($0, call) }, orElse: .auditNothing), unopened(found.unopened, call),
                    next ?? .none),
            ])
    }

    /// Numbers that are told; more are counted alone.
    private static let unopenedTold = 20

    private static func unopened(_ numbers: [Int64], _ call: OperationsCall) -> HTML {
        if numbers.isEmpty { return .none }
        let told = numbers.prefix(unopenedTold).map { String($0) }.joined(separator: ", ")
        let more = numbers.count > unopenedTold ? " … (\(numbers.count))" : ""
        return .element("p", [.init("class", "bad")], call.text(.auditUnopened), .text(" " + told + more))
    }

    private static func row(_ row: AuditRow, _ call: OperationsCall) -> [HTML] {
        let record = row.record
        let principal = record.principal
        return [
            "\(row.number)", .text(PageTime.text(row.time)), .text("\(principal.kind.rawValue) \(principal.id)"),
            .text("\(record.category.rawValue) \(record.interaction)"), call.text(words(record.outcome)),
            .text(record.entity ?? ""), .text(record.patientIDs.joined(separator: " ")),
            .text(record.sourceAddress ?? ""),
            .text(record.query ?? ""), .text(record.detail ?? ""),
        ]
    }

    private static func words(_ outcome: AuditRecord.Outcome) -> PageText {
        switch outcome {
        case .success: .outcomeSuccess
        case .minorFailure: .outcomeRefused
        case .seriousFailure: .outcomeFailed
        case .majorFailure: .outcomeDown
        }
    }
}
