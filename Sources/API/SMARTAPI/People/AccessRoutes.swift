import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The page of the apps that may act in a person's name, and taking that back.
struct AccessRoutes: Sendable {
    static let path = "/account/access"
    let people: People

    var routes: [Route] {
        [
            PageCall.route(.get, Self.path, "listAccess", people) { call in
                guard let known = call.signedIn else { return call.redirect(to: PeopleSessions.signInPath) }
                return try await page(call, known)
            },
            PageCall.route(.post, Self.path + "/{id}/withdraw", "withdrawAccess", people, withdraw),
        ]
    }

    /// What the app was authorized to do ends with its tokens, and it has to ask again. *Spec:* SMART 2.2 app-launch; RFC
    /// 7009 §2.1.
    @Sendable private func withdraw(_ call: PageCall) async throws -> Response {
        _ = try await call.form()
        guard let known = call.signedIn else { return call.redirect(to: PeopleSessions.signInPath) }
        let id = call.request.parameters["id"]
        // An id that is none is in no row.
        guard let client = try await people.clients.client(id: id) else { throw Self.unknown }
        try await people.record(
            "access-withdraw", known.account, known.account, call.request, entity: "client:" + client.id)
        guard
            try await people.consents?.withdraw(clientID: client.id, of: known.account.id, at: people.sessions.now())
                == true
        else { throw Self.unknown }
        return try await page(call, known, good: .accessWithdrawn)
    }

    private static let unknown = HTTPFailure(.notFound, "No such app has access in your name")

    private func page(
        _ call: PageCall, _ known: PeopleSessions.Known, good: PageText? = nil
    ) async throws -> Response {
        let language = call.language
        let forms = PageForms(language: language, token: call.formToken().token)
        let apps = try await people.consents?.access(of: known.account.id, at: people.sessions.now()) ?? []
        var rows: [[HTML]] = []
        for app in apps {
            let name = try await people.clients.client(id: app.clientID)?.name ?? app.clientID
            let words =
                app.scopes.others.compactMap { ScopeWords.sentence($0) } + app.scopes.resources.map(ScopeWords.sentence)
            rows.append([
                .text(name), .element("ul", [], words.map { .element("li", [], .text($0)) }),
                .text(PageTime.text(app.since)),
                app.rememberedUntil.map { .text(PageTime.text($0)) } ?? language.html(.no),
                forms.act(
                    Self.path + "/\(PercentCoding.encoded(app.clientID))/withdraw", .accessWithdraw, about: name),
            ])
        }
        var page = Page(
            language[.accessTitle], language,
            [
                forms.good(good), .element("p", [], language.html(.accessLead)),
                .element(
                    "section", [],
                    rows.isEmpty
                        ? .element("p", [], language.html(.accessNone))
                        : forms.table([.appLabel, .accessMay, .accessSince, .accessRemembered, .actionLabel], rows)),
                forms.link("/account", .back),
            ])
        page.navigation = AccountRoutes.navigation(known, language)
        return call.answer(page)
    }
}
