import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The journal of HL7 messages: found by control id, numbers in it, sender, state and time, and what became of each.
enum MessagePages {
    private static let path = OperationsRoutes.path + "/messages"

    static func routes(_ desk: OperationsDesk) -> [Route] {
        [
            OperationsCall.route(.get, path, "getMessagesPage", desk, list),
            OperationsCall.route(.get, path + "/{id}", "getMessagePage", desk, show),
        ]
    }

    @Sendable private static func list(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let wanted = try MessageRoutes.wanted(call.query, limit: page.limit)
        let messages = try await call.desk.messages.messages(wanted, access: call.access)
        try await call.record("messages")
        return call.answer(
            call.language[.messagesTitle],
            [
                call.forms.filter(
                    path,
                    [
                        call.entry("control-id", .controlIDLabel), call.entry("patient", .patientNumberLabel),
                        call.entry("accession", .accessionLabel), call.entry("sender", .senderLabel),
                        call.choice("disposition", .stateLabel, ["applied", "ignored", "failed"]),
                        call.entry("since", .sinceLabel), call.entry("until", .untilLabel),
                    ]),
                call.section(
                    .messagesTitle,
                    call.table(
                        [.controlIDLabel, .receivedLabel, .senderLabel, .typeLabel, .stateLabel, .noteLabel],
                        page.items(messages).map { message in
                            let place = path + "/" + PercentCoding.encoded(message.id.value)
                            return [
                                OperationsCall.link(place, message.controlID.isEmpty ? "–" : message.controlID),
                                call.time(message.receivedAt), .text(message.sender), .text(message.type),
                                .text(message.disposition.rawValue), .text(message.note ?? ""),
                            ]
                        }, orElse: .noneFound),
                    page.next(messages, call), call.jsonBeside("/ops/messages")),
            ])
    }

    @Sendable private static func show(_ call: OperationsCall) async throws -> Response {
        let id = call.request.parameters["id"]
        guard let message = try await call.desk.messages.message(EntityID(id), access: call.access) else {
            throw HTTPFailure(.notFound, "There is no such message")
        }
        try await call.record("message", entity: "message:" + message.controlID, patients: message.patientIDs)
        let values = message.coverage?.entries.map { entry -> [HTML] in
            [
                .text(entry.place), .text(entry.disposition.rawValue),
                .text(entry.targets.joined(separator: ", ")), "\(entry.count)",
            ]
        }
        let omitted = message.coverage?.omitted ?? 0
        return call.answer(
            call.language[.messageTitle] + " " + message.controlID,
            [
                .element(
                    "section", [],
                    call.list([
                        (.controlIDLabel, message.controlID), (.typeLabel, message.type),
                        (.senderLabel, message.sender), (.peerLabel, message.peer),
                        (.receivedLabel, PageTime.text(message.receivedAt.microseconds)),
                        (.stateLabel, message.disposition.rawValue), (.noteLabel, message.note),
                        (.bytesLabel, String(message.raw.count)),
                    ]),
                    .element("p", [.init("class", "quiet")], call.text(.messageRaw))),
                call.section(
                    .valuesTitle,
                    call.table(
                        [.placeLabel, .outcomeLabel, .targetsLabel, .countLabel], values ?? [], orElse: .noCoverage),
                    omitted > 0 ? .element("p", [], call.text(.valuesOmitted), " \(omitted)") : .none,
                    call.jsonBeside("/ops/messages/" + PercentCoding.encoded(message.id.value))),
            ])
    }
}
