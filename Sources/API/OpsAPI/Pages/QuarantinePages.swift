import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The quarantine: what is kept aside with what the images say, and a person's decisions about it, carried out by the same
/// desk as those of `/ops/quarantine`.
enum QuarantinePages {
    private static let path = OperationsRoutes.path + "/quarantine"
    /// Instances that are shown and may be chosen, of one series.
    private static let instancesMax = 200

    static func routes(_ desk: OperationsDesk) -> [Route] {
        [
            OperationsCall.route(.get, path, "getQuarantinePage", desk, list),
            OperationsCall.route(.get, path + "/{study}", "getQuarantinedStudyPage", desk) { try await show($0) },
            decision("accept", "acceptFromPage", desk) { _ in .accept },
            decision("reject", "rejectFromPage", desk) { _ in .reject },
            decision("undo", "undoFromPage", desk) { _ in .undo },
            decision("relink", "relinkFromPage", desk) { .relink(try QuarantineRoutes.Form(fields: $0).target()) },
        ]
    }

    @Sendable private static func list(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let state = try QuarantineRoutes.state(call.query) ?? .waiting
        let series = try await call.desk.quarantine.quarantine(state, limit: page.limit, access: call.access)
        try await call.record("quarantine")
        let states = QuarantineState.allCases.map { ($0.rawValue, $0.rawValue) }
        return call.answer(
            call.language[.quarantineTitle],
            [
                call.forms.filter(path, [call.forms.choice("state", .stateLabel, states, chosen: state.rawValue)]),
                call.section(
                    .seriesTitle,
                    call.table(
                        [
                            .patientNameLabel, .patientNumberLabel, .accessionLabel, .reasonLabel, .modalityLabel,
                            .studyDateLabel, .instancesLabel, .receivedLabel,
                        ],
                        page.items(series).map { item in
                            let study = item.study.attributes
                            let name = study.patientName ?? ""
                            return [
                                OperationsCall.link(
                                    path + "/" + PercentCoding.encoded(item.study.studyInstanceUID),
                                    name.isEmpty ? item.study.studyInstanceUID : name),
                                .text(item.series.attributes.patientID ?? study.patientID ?? ""),
                                .text(item.series.attributes.accessionNumber ?? study.accessionNumber ?? ""),
                                item.reason.map { call.text(Self.words($0)) } ?? .none,
                                .text(item.series.attributes.modality ?? ""), .text(study.studyDate ?? ""),
                                "\(item.instances)", call.time(item.series.updatedAt),
                            ]
                        }, orElse: .nothingQuarantined),
                    page.next(series, call), call.jsonBeside("/ops/quarantine?state=" + state.rawValue)),
            ])
    }

    // MARK: A study

    private static func show(
        _ call: OperationsCall, wrong: String? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let uid = call.request.parameters["study"]
        guard let series = try await call.desk.quarantine.quarantine(ofStudy: uid, access: call.access) else {
            throw HTTPFailure(.notFound, "There is no such study")
        }
        try await call.record("quarantine", entity: "study:" + uid)
        var content: [HTML] = [
            wrong.map { .element("p", [.init("class", "bad"), .init("role", "alert")], .text($0)) } ?? .none,
            series.first.map { study($0.study, call) } ?? .element("p", [], call.text(.nothingOfStudy)),
        ]
        content += series.map { evidence($0, call) }
        if !series.isEmpty { content += decisions(series, uid, call) }
        content.append(call.jsonBeside("/ops/quarantine/" + PercentCoding.encoded(uid)))
        return call.answer(call.language[.quarantineTitle], content, status: status)
    }

    private static func study(_ study: Study, _ call: OperationsCall) -> HTML {
        let said = study.attributes
        return call.section(
            .studyUIDLabel,
            call.list([
                (.studyUIDLabel, study.studyInstanceUID), (.patientNameLabel, said.patientName),
                (.patientNumberLabel, number(said.patientID, said.patientIDSystem ?? said.issuerOfPatientID)),
                (.birthDateLabel, said.patientBirthDate), (.sexLabel, said.patientSex),
                (.accessionLabel, number(said.accessionNumber, said.accessionSystem)),
                (.studyDateLabel, said.studyDate), (.descriptionLabel, said.studyDescription),
            ]))
    }

    /// A number with whose it is.
    private static func number(_ value: String?, _ system: String?) -> String? {
        guard let value, let system, !system.isEmpty else { return value }
        return "\(value) (\(system))"
    }

    private static func evidence(_ item: QuarantinedSeries, _ call: OperationsCall) -> HTML {
        let said = item.series.attributes
        let asides = item.series.asides.filter { $0.decision == nil && item.reason != .rejected }
        var content: [HTML] = [
            .element("h2", [], call.text(.seriesUIDLabel), " ", .text(item.series.seriesInstanceUID)),
            call.list([
                (.stateLabel, item.state.rawValue), (.reasonLabel, item.reason.map { call.language[words($0)] }),
                (.modalityLabel, said.modality), (.descriptionLabel, said.seriesDescription),
                (.stationLabel, said.stationName), (.instancesLabel, String(item.instances)),
                (.patientNumberLabel, number(said.patientID, said.patientIDSystem)),
                (.accessionLabel, number(said.accessionNumber, said.accessionSystem)),
                (.receivedLabel, PageTime.text(item.series.updatedAt.microseconds)),
                (.givenToLabel, link(item.series.reconciliation)),
            ]),
        ]
        let all =
            [("", item.decision)]
            + item.instanceDecisions.sorted { $0.key < $1.key }.prefix(instancesMax).map { ($0, $1) }
        for (instance, decision) in all {
            guard let decision else { continue }
            content.append(self.decision(decision, instance, call))
        }
        if !asides.isEmpty {
            content += [
                .element("h3", [], call.text(.asidesTitle)),
                call.forms.table(
                    [.instanceUIDLabel, .reasonLabel, .patientNumberLabel, .accessionLabel],
                    asides.prefix(instancesMax).map { aside in
                        [
                            .text(aside.sopInstanceUID), call.text(words(aside.reason)),
                            .text(number(aside.identity.patientID, aside.identity.patientIDSystem) ?? ""),
                            .text(number(aside.identity.accessionNumber, aside.identity.accessionSystem) ?? ""),
                        ]
                    }),
            ]
        }
        return .element("section", [], content)
    }

    private static func decision(_ decision: QuarantineDecision, _ instance: String, _ call: OperationsCall) -> HTML {
        let when = PageTime.text(decision.decidedAt.microseconds)
        return call.list([
            (.instanceUIDLabel, instance),
            (.decisionLabel, "\(decision.action.rawValue), \(decision.decidedBy), \(when)"),
            (.noteLabel, decision.reason), (.contradictionLabel, decision.contradiction.flatMap(link)),
        ])
    }

    private static func link(_ link: Reconciliation) -> String? {
        guard let patient = link.patientID else { return nil }
        return (["Patient/" + patient.value] + (link.orderID.map { ["ServiceRequest/" + $0.value] } ?? []))
            .joined(separator: ", ")
    }

    static func words(_ reason: Reconciliation.Reason) -> PageText {
        switch reason {
        case .unknownPatient: .reasonUnknownPatient
        case .missingPatientID: .reasonMissingPatientID
        case .unknownAccession: .reasonUnknownAccession
        case .patientMismatch: .reasonPatientMismatch
        case .studyOrderMismatch: .reasonStudyOrderMismatch
        case .ambiguousAccession: .reasonAmbiguousAccession
        case .ambiguousPatient: .reasonAmbiguousPatient
        case .inconsistentSeries: .reasonInconsistentSeries
        case .rejected: .reasonRejected
        }
    }

    // MARK: Decisions

    /// The forms: one whose buttons say what becomes of it, and one that names another order or patient.
    private static func decisions(_ series: [QuarantinedSeries], _ uid: String, _ call: OperationsCall) -> [HTML] {
        let place = path + "/" + PercentCoding.encoded(uid) + "/"
        let forms = call.forms
        let subjects = subjects(series, call)
        func act(_ word: String, _ label: PageText) -> HTML {
            .element(
                "button",
                [.init("type", "submit"), .init("formaction", place + word)]
                    + (word == "accept" ? [] : [.init("class", "plain")]), call.text(label))
        }
        return [
            forms.form(
                place + "accept",
                [
                    .element("h2", [], call.text(.decideTitle)), .element("p", [], call.text(.decideExplained)),
                    forms.choice("of", .subjectLabel, subjects), forms.entry("reason", .reasonAsked, isRequired: true),
                    act("accept", .acceptButton), act("reject", .rejectButton), act("undo", .undoButton),
                ]),
            forms.form(
                place + "relink",
                [
                    .element("h2", [], call.text(.relinkTitle)),
                    forms.choice(
                        "of", .subjectLabel, subjects.filter { !$0.value.contains(" ") }, id: "relink-of"),
                    forms.entry("order", .orderTarget), forms.entry("patient", .patientTarget),
                    forms.entry("reason", .reasonAsked, id: "relink-reason", isRequired: true),
                    forms.button(.relinkButton),
                ]),
        ]
    }

    /// The study, each series, and each instance that is kept aside or decided about by itself: UIDs with a space between.
    private static func subjects(
        _ series: [QuarantinedSeries], _ call: OperationsCall
    ) -> [(value: String, title: String)] {
        var subjects: [(value: String, title: String)] = [("", call.language[.wholeStudy])]
        for item in series {
            let uid = item.series.seriesInstanceUID
            subjects.append((uid, "\(call.language[.seriesUIDLabel]) \(uid)"))
            let instances = Set(item.series.asides.map(\.sopInstanceUID)).union(item.instanceDecisions.keys)
            for instance in instances.sorted().prefix(instancesMax) {
                subjects.append((uid + " " + instance, "\(call.language[.instanceUIDLabel]) \(instance)"))
            }
        }
        return subjects
    }

    private static func decision(
        _ word: String, _ operationID: String, _ desk: OperationsDesk,
        _ ask: @escaping @Sendable (QueryParameters) throws -> QuarantineRequest.Ask
    ) -> Route {
        OperationsCall.route(.post, path + "/{study}/" + word, operationID, desk) { call in
            let form = try await call.form()
            let uid = call.request.parameters["study"]
            let subject = (form["of"] ?? "").split(separator: " ", maxSplits: 1).map(String.init)
            let wanted: QuarantineRequest
            do {
                wanted = QuarantineRequest(
                    try ask(form), studyInstanceUID: uid, seriesInstanceUID: subject.first,
                    sopInstanceUID: subject.dropFirst().first, reason: form["reason"] ?? "")
            } catch is HTTPFailure {
                return try await show(call, wrong: call.language[.relinkEither], status: .badRequest)
            }
            do {
                _ = try await call.desk.quarantine.decide(wanted, access: call.access)
            } catch let refusal as QuarantineService.Refusal {
                if refusal.isUnknown { throw HTTPFailure(.notFound, refusal.description) }
                return try await show(call, wrong: refusal.description, status: .conflict)
            }
            return .seeOther(path + "/" + PercentCoding.encoded(uid))
        }
    }
}
