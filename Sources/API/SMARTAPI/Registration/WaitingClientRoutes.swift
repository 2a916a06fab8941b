import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The operator's pages of applications that wait. To anybody else there is nothing at these paths.
struct WaitingClientRoutes: Sendable {
    /// Of what an operator gives as the reason.
    private static let reasonBytesMax = 500
    let people: People

    var routes: [Route] {
        [
            PageCall.route(.get, "/account/clients/waiting/{id}", "getWaitingApp", people) { call in
                let (known, waiting) = try await found(call)
                try await people.record(
                    "clients", known.account, nil, call.request, entity: "client:" + waiting.client.id)
                return try page(call, known, waiting)
            },
            PageCall.route(.post, "/account/clients/waiting/{id}/approve", "approveApp", people, approve),
            PageCall.route(.post, "/account/clients/waiting/{id}/refuse", "refuseApp", people, refuse),
        ]
    }

    /// One that waits, for an operator. Throws `.notFound`.
    private func found(_ call: PageCall) async throws -> (PeopleSessions.Known, ClientRegistration) {
        let known = try call.operatorSession()
        guard
            let waiting = try await people.registrations?.registration(
                clientID: call.request.parameters["id"], at: people.sessions.now())
        else {
            throw HTTPFailure(.notFound, "No app of that id waits; it may have been decided about, or waited too long")
        }
        return (known, waiting)
    }

    // MARK: Deciding

    @Sendable private func approve(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let (known, waiting) = try await found(call)
        let asked = Self.scopes(waiting.client)
        let kept = asked.enumerated().filter { form["keep-\($0.offset)"] == "yes" }.map(\.element.text)
        let scopes = GrantedScopes(kept.joined(separator: " "))
        guard !scopes.isEmpty else { return try page(call, known, waiting, wrong: .waitingNoScope) }
        try await people.record(
            "client-approve", known.account, nil, call.request, detail: scopes.text,
            entity: "client:" + waiting.client.id)
        guard
            try await people.registrations?.approve(
                clientID: waiting.client.id, scopes: scopes, at: people.sessions.now()) == true
        else { throw HTTPFailure(.notFound, "The app does not wait any more") }
        return call.redirect(to: "/account/clients")
    }

    @Sendable private func refuse(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let (known, waiting) = try await found(call)
        let reason = (form["reason"] ?? "").filter { !$0.isNewline }
        guard reason.contains(where: { !$0.isWhitespace }), reason.utf8.count <= Self.reasonBytesMax else {
            return try page(call, known, waiting, wrong: .waitingNoReason)
        }
        try await people.record(
            "client-refuse", known.account, nil, call.request, detail: reason, entity: "client:" + waiting.client.id)
        guard
            try await people.registrations?.refuse(
                clientID: waiting.client.id, reason: reason, at: people.sessions.now()) == true
        else { throw HTTPFailure(.notFound, "The app does not wait any more") }
        return call.redirect(to: "/account/clients")
    }

    // MARK: Pages

    /// Each scope with what it means.
    private static func scopes(_ client: Client) -> [(text: String, words: String)] {
        client.launchScopes.map { ($0.rawValue, ScopeWords.sentence($0) ?? "") }
            + client.scopes.map { ($0.text, ScopeWords.sentence($0)) }
    }

    /// Those that wait, for the list of apps.
    static func list(_ waiting: [ClientRegistration], _ forms: PageForms) -> HTML {
        guard !waiting.isEmpty else { return .none }
        let rows = waiting.map { waiting -> [HTML] in
            let client = waiting.client
            return [
                .element(
                    "a", [.init("href", "/account/clients/waiting/" + PercentCoding.encoded(client.id))],
                    .text(client.name)), .text(PageTime.text(client.registeredAt)), .text(waiting.address ?? ""),
                .text(PageTime.text(waiting.expiresAt)),
            ]
        }
        return .element(
            "section", [], .element("h2", [], forms.language.html(.waitingTitle)),
            forms.table([.nameLabel, .waitingSince, .sessionFrom, .waitingUntil], rows))
    }

    private func page(
        _ call: PageCall, _ known: PeopleSessions.Known, _ waiting: ClientRegistration, wrong: PageText? = nil
    ) throws -> Response {
        let (client, language) = (waiting.client, call.language)
        let forms = PageForms(language: language, token: call.formToken().token)
        let path = "/account/clients/waiting/" + PercentCoding.encoded(client.id)
        let proof =
            client.isPublic
            ? language[.waitingPublic] : client.secretDigest != nil ? language[.waitingSecret] : language[.waitingKeys]
        let signed = waiting.softwareStatement.map { _ in
            "\(language[.waitingStatement]) \(waiting.statementIssuer ?? language[.waitingUnverified])"
        }
        let facts = [client.id, proof + (client.jwksURL.map { ": " + $0 } ?? "")] + [signed].compactMap { $0 }
        let boxes = Self.scopes(client).enumerated().map { number, scope -> HTML in
            .element(
                "p", [],
                .element(
                    "input",
                    [
                        .init("type", "checkbox"), .init("id", "keep-\(number)"), .init("name", "keep-\(number)"),
                        .init("value", "yes"), .flag("checked"),
                    ]), " ",
                .element(
                    "label", [.init("for", "keep-\(number)")], .text(scope.words + " "),
                    .element("small", [], .text("(\(scope.text))"))))
        }
        var page = Page(
            "\(language[.waitingOne]): \(client.name)", language,
            [
                forms.bad(wrong),
                .element("section", [], facts.map { .element("p", [], .text($0)) }),
                .element(
                    "section", [],
                    [.element("h2", [], language.html(.waitingRedirects))]
                        + (client.redirectURIs.isEmpty
                            ? [.element("p", [], language.html(.none))]
                            : [.element("ul", [], client.redirectURIs.map { .element("li", [], .text($0)) })])),
                forms.form(
                    path + "/approve",
                    [
                        .element(
                            "fieldset", [], [.element("legend", [], language.html(.waitingScopes))] + boxes),
                        forms.button(.approveButton),
                    ]),
                forms.form(
                    path + "/refuse",
                    [
                        forms.entry("reason", .waitingReason, isRequired: true),
                        forms.button(.refuseButton, isPlain: true),
                    ]),
            ])
        page.navigation = AccountRoutes.navigation(known, language)
        return call.answer(page, status: wrong == nil ? .ok : .badRequest)
    }
}
