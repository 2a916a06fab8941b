import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The outbox: what waits at each destination, what is parked and why, and the orders to deliver it or to give it up.
enum QueuePages {
    private static let path = OperationsRoutes.path + "/queues"

    static func routes(_ desk: OperationsDesk) -> [Route] {
        [
            OperationsCall.route(.get, path, "getQueuesPage", desk, show),
            entry("replay", "replayFromPage", .replay, desk), entry("discard", "discardFromPage", .discard, desk),
            destination("replay", "replayDestinationFromPage", .replay, desk),
            destination("discard", "discardDestinationFromPage", .discard, desk),
        ]
    }

    private static func entry(
        _ word: String, _ operationID: String, _ order: OutboxOrder, _ desk: OperationsDesk
    ) -> Route {
        OperationsCall.route(.post, path + "/{number}/" + word, operationID, desk) { call in
            let form = try await call.form()
            _ = try await OutboxRoutes.carryOut(
                order, try OutboxRoutes.entry(call.request), call.desk.outbox, call.access)
            return .seeOther(back(form))
        }
    }

    private static func destination(
        _ word: String, _ operationID: String, _ order: OutboxOrder, _ desk: OperationsDesk
    ) -> Route {
        OperationsCall.route(.post, path + "/" + word, operationID, desk) { call in
            let form = try await call.form()
            guard let destination = form["destination"] else {
                throw HTTPFailure(.malformed, "destination names whose parked entries are meant")
            }
            guard order == .replay || form["sure"] == "yes" else {
                throw HTTPFailure(.malformed, "To give all of them up, tick the box beside the button")
            }
            _ = try await OutboxRoutes.carryOut(
                order, .parked(destination: destination), call.desk.outbox, call.access)
            return .seeOther(back(form))
        }
    }

    /// The list that the form was on.
    private static func back(_ form: QueryParameters) -> String {
        let fields = ["state", "of"].compactMap { name in form[name].map { (name == "of" ? "destination" : name, $0) } }
        return OperationsCall.path(path, fields)
    }

    @Sendable private static func show(_ call: OperationsCall) async throws -> Response {
        let wanted = try OutboxRoutes.wanted(call.query, limit: ListPage.size + 1)
        let entries = try await call.desk.outbox.outboxEntries(wanted, access: call.access)
        let depths = try await call.desk.outbox.outboxDepths(access: call.access)
        try await call.record("outbox")
        let shown = entries.prefix(ListPage.size)
        let next =
            entries.count > ListPage.size
            ? shown.last.map { call.forms.link(call.path(with: [("before", String($0.number))]), .olderPage) } : nil
        return call.answer(
            call.language[.queuesTitle],
            [
                call.section(
                    .destinationsTitle,
                    call.table(
                        [.destinationLabel, .kindLabel, .stateLabel, .countLabel, .oldestLabel, .actionLabel],
                        depths.enumerated().map { depth($1, $0, call) }, orElse: .nothingQueued)),
                call.forms.filter(
                    path,
                    [
                        call.choice("state", .stateLabel, OutboxEntry.State.allCases.map(\.rawValue)),
                        call.entry("destination", .destinationLabel), call.entry("kind", .kindLabel),
                        call.entry("event", .eventLabel), call.entry("patient", .patientNumberLabel),
                        call.entry("accession", .accessionLabel), call.entry("since", .sinceLabel),
                        call.entry("until", .untilLabel),
                    ]),
                call.section(
                    .deliveriesTitle,
                    call.table(
                        [
                            .numberLabel, .destinationLabel, .kindLabel, .stateLabel, .attemptsLabel, .putInLabel,
                            .nextAttemptLabel, .endedLabel, .whyLabel, .eventLabel, .actionLabel,
                        ], shown.map { entry($0, call) }, orElse: .noneFound),
                    next ?? .none, call.jsonBeside("/ops/outbox")),
            ])
    }

    private static func depth(_ depth: OutboxDepth, _ index: Int, _ call: OperationsCall) -> [HTML] {
        let link = OperationsCall.path(path, [("destination", depth.destination), ("state", depth.state.rawValue)])
        return [
            OperationsCall.link(link, depth.destination), .text(depth.kind), .text(depth.state.rawValue),
            "\(depth.count)", call.time(depth.oldest),
            depth.state == .parked ? orders(depth.destination, index, call) : .none,
        ]
    }

    private static func orders(_ destination: String, _ index: Int, _ call: OperationsCall) -> HTML {
        let forms = call.forms
        let carried = [forms.hidden("destination", destination)] + kept(call)
        return .all([
            forms.form(
                path + "/replay", carried + [forms.button(.replayAllButton, about: destination)], isCard: false),
            forms.form(
                path + "/discard",
                carried + [
                    forms.confirmation("sure", .discardAllSure, id: "sure-\(index)"),
                    forms.button(.discardAllButton, isPlain: true, about: destination),
                ], isCard: false),
        ])
    }

    /// Which list is shown, so that the browser comes back to it.
    private static func kept(_ call: OperationsCall) -> [HTML] {
        [("state", "state"), ("destination", "of")].compactMap { name, field in
            call.query[name].map { call.forms.hidden(field, $0) }
        }
    }

    private static func entry(_ entry: OutboxEntry, _ call: OperationsCall) -> [HTML] {
        func act(_ word: String, _ label: PageText, isPlain: Bool) -> HTML {
            call.forms.form(
                "\(path)/\(entry.number)/\(word)",
                kept(call) + [call.forms.button(label, isPlain: isPlain, about: "\(entry.number)")], isCard: false)
        }
        var actions: [HTML] = []
        if [.parked, .discarded, .done].contains(entry.state) {
            actions.append(act("replay", .replayButton, isPlain: entry.state != .parked))
        }
        if [.parked, .waiting].contains(entry.state) { actions.append(act("discard", .discardButton, isPlain: true)) }
        return [
            "\(entry.number)", .text(entry.destination), .text(entry.kind), .text(entry.state.rawValue),
            "\(entry.attempts)", call.time(entry.createdAt),
            entry.state == .waiting ? call.time(entry.nextAttemptAt) : .none, call.time(entry.endedAt),
            .text(entry.failure ?? ""), .text(entry.eventID.value), .all(actions),
        ]
    }
}
