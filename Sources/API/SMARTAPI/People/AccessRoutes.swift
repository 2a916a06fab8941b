import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The page of the apps that may act in a person's name, and taking that back.
struct AccessRoutes: Sendable {
    static let path = "/account/access"
    private static let withdrawPath = path + "/withdraw"
    let people: People

    var routes: [Route] {
        [
            PageCall.route(.get, Self.path, "listAccess", people) { call in
                guard let known = call.signedIn else { return call.redirect(to: PeopleSessions.signInPath) }
                return try await page(call, known)
            },
            PageCall.route(.post, Self.withdrawPath, "withdrawAccess", people, withdraw),
        ]
    }

    /// What the app was authorized to do ends with its tokens, and it has to ask again. *Spec:* SMART 2.2 app-launch; RFC
    /// 7009 §2.1.
    @Sendable private func withdraw(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        guard let known = call.signedIn else { return call.redirect(to: PeopleSessions.signInPath) }
        // An id that is none is in no row.
        guard let id = form["app"], try await access(of: known).contains(where: { $0.clientID == id }) else {
            throw Self.unknown
        }
        try await people.record("access-withdraw", known.account, known.account, call.request, entity: "client:" + id)
        guard
            try await people.consents?.withdraw(clientID: id, of: known.account.id, at: people.sessions.now()) == true
        else { throw Self.unknown }
        return try await page(call, known, good: .accessWithdrawn)
    }

    private static let unknown = HTTPFailure(.notFound, "No such app has access in your name")

    private func access(of known: PeopleSessions.Known) async throws -> [AppAccess] {
        try await people.consents?.access(of: known.account.id, at: people.sessions.now()) ?? []
    }

    private func page(
        _ call: PageCall, _ known: PeopleSessions.Known, good: PageText? = nil
    ) async throws -> Response {
        let language = call.language
        let forms = PageForms(language: language, token: call.formToken().token)
        let rows = try await access(of: known).map { app -> [HTML] in
            let words =
                app.scopes.others.compactMap { ScopeWords.sentence($0) } + app.scopes.resources.map(ScopeWords.sentence)
            return [
                .text(app.name), .element("ul", [], words.map { .element("li", [], .text($0)) }),
                .text(PageTime.text(app.since)),
                app.rememberedUntil.map { .text(PageTime.text($0)) } ?? language.html(.no),
                forms.act(
                    Self.withdrawPath, .accessWithdraw, about: app.name, hidden: [forms.hidden("app", app.clientID)]),
            ]
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
