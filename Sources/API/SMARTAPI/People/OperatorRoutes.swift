import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The operator's pages of accounts and apps. To anybody else there is nothing at these paths.
struct OperatorRoutes: Sendable {
    /// Accounts on one page.
    private static let pageSize = 100
    private static let revokePath = "/account/clients/revoke"
    let people: People

    var routes: [Route] {
        [
            PageCall.route(.get, "/account/users", "listUsers", people, users),
            act("lock", "lockUser") { call, account in
                try await change(call, account, .state(.locked), "account-lock")
            },
            act("unlock", "unlockUser") { call, account in
                try await change(call, account, .state(.active), "account-unlock")
            },
            act("end-sessions", "endUserSessions") { call, account in
                try await record("account-end-sessions", call, account)
                _ = try await people.sessions.sessions.endAll(of: account.id, but: nil)
                return call.redirect(to: "/account/users")
            },
            act("reset", "resetUser", reset),
            PageCall.route(.get, "/account/clients", "listApps", people, clients),
            PageCall.route(.post, Self.revokePath, "revokeApp", people, revoke),
        ]
    }

    /// A change of another's account.
    private func act(
        _ word: String, _ operationID: String,
        _ work: @escaping @Sendable (PageCall, Account) async throws -> Response
    ) -> Route {
        PageCall.route(.post, "/account/users/{id}/" + word, operationID, people) { call in
            let own = try call.operatorSession().account
            _ = try await call.form()
            guard let account = try await people.accounts.account(id: call.request.parameters["id"]) else {
                throw HTTPFailure(.notFound, "There is no such account")
            }
            guard account.id != own.id else {
                throw HTTPFailure(.insufficientScope, "Your own account is looked after by another operator")
            }
            return try await work(call, account)
        }
    }

    private func record(_ interaction: String, _ call: PageCall, _ account: Account) async throws {
        try await people.record(interaction, call.signedIn?.account, account, call.request)
    }

    private func change(
        _ call: PageCall, _ account: Account, _ change: AccountChange, _ interaction: String
    ) async throws -> Response {
        try await record(interaction, call, account)
        _ = try await people.accounts.change(accountID: account.id, change, at: people.sessions.now())
        return call.redirect(to: "/account/users")
    }

    @Sendable private func reset(_ call: PageCall, _ account: Account) async throws -> Response {
        try await record("account-reset", call, account)
        let code = try await people.sessions.newResetCode(for: account)
        let language = call.language
        var page = Page(
            language[.resetCodeTitle], language,
            [
                .element("p", [], .text(account.name), ": ", .element("code", [.init("id", "code")], .text(code))),
                .element("p", [], language.html(.resetCodeExplained)),
                .element("p", [], .element("a", [.init("href", "/account/users")], language.html(.back))),
            ])
        page.navigation = AccountRoutes.navigation(try call.operatorSession(), language)
        return call.answer(page)
    }

    // MARK: Lists

    @Sendable private func users(_ call: PageCall) async throws -> Response {
        let known = try call.operatorSession()
        let language = call.language
        let forms = PageForms(language: language, token: call.formToken().token)
        let after = try call.request.query()["after"]
        let accounts = try await people.accounts.accounts(after: after, limit: Self.pageSize + 1)
        try await people.record("accounts", known.account, nil, call.request)
        let withPasskeys = try await people.passkeys?.havePasskeys(accounts.map(\.id)) ?? []
        let rows = accounts.prefix(Self.pageSize).map { account -> [HTML] in
            let path = "/account/users/\(account.id)/"
            let isLocked = account.state == .locked
            let actions: [HTML] =
                account.id == known.account.id
                ? [language.html(.ownAccount)]
                : [
                    isLocked
                        ? forms.act(path + "unlock", .unlockButton, about: account.name)
                        : forms.act(path + "lock", .lockButton, about: account.name),
                    forms.act(path + "reset", .resetButton, about: account.name),
                    forms.act(path + "end-sessions", .endSessionsButton, about: account.name),
                ]
            return [
                .all([
                    .text(account.name), .element("br"), .text(account.displayName),
                    // Of OpsAPI: what the account's person did.
                    forms.link("/operations/audit?who=" + PercentCoding.encoded(account.id), .auditRowsLabel),
                ]), language.html(account.role.label), language.html(isLocked ? .stateLocked : .stateActive),
                language.html(account.sealedSecret != nil || withPasskeys.contains(account.id) ? .yes : .no),
                .all(actions),
            ]
        }
        var content: [HTML] = [
            rows.isEmpty
                ? .element("p", [], language.html(.nobodyListed))
                : .element(
                    "section", [],
                    forms.table([.nameLabel, .roleLabel, .stateLabel, .secondFactorLabel, .actionLabel], rows))
        ]
        if accounts.count > Self.pageSize {
            let last = accounts[Self.pageSize - 1].name
            content.append(forms.link("/account/users?after=" + PercentCoding.encoded(last), .nextPage))
        }
        var page = Page(language[.usersTitle], language, content)
        page.navigation = AccountRoutes.navigation(known, language)
        return call.answer(page)
    }

    @Sendable private func clients(_ call: PageCall) async throws -> Response {
        let known = try call.operatorSession()
        let language = call.language
        let forms = PageForms(language: language, token: call.formToken().token)
        let waiting = try await people.registrations?.waiting(at: people.sessions.now()) ?? []
        let asking = Set(waiting.map(\.client.id))
        let clients = try await people.clients.clients().filter { !asking.contains($0.id) }
        try await people.record("clients", known.account, nil, call.request)
        let rows = clients.map { client -> [HTML] in
            let isRevoked = client.revokedAt != nil
            return [
                .all([.text(client.name), .element("br"), .text(client.id)]),
                .text(client.scopes.map(\.text).joined(separator: " ")),
                language.html(isRevoked ? .stateRevoked : .stateActive),
                isRevoked
                    ? .none
                    : forms.act(
                        Self.revokePath, .revokeButton, about: client.name, hidden: [forms.hidden("app", client.id)]),
            ]
        }
        var page = Page(
            language[.clientsTitle], language,
            [
                WaitingClientRoutes.list(waiting, forms),
                rows.isEmpty
                    ? .element("p", [], language.html(.nobodyListed))
                    : .element(
                        "section", [], forms.table([.nameLabel, .scopesLabel, .stateLabel, .actionLabel], rows)),
            ])
        page.navigation = AccountRoutes.navigation(known, language)
        return call.answer(page)
    }

    @Sendable private func revoke(_ call: PageCall) async throws -> Response {
        let known = try call.operatorSession()
        guard let id = try await call.form()["app"], try await people.clients.client(id: id) != nil else {
            throw HTTPFailure(.notFound, "There is no such app")
        }
        try await people.record("client-revoke", known.account, nil, call.request, entity: "client:" + id)
        _ = try await people.clients.revoke(clientID: id, at: people.sessions.now())
        return call.redirect(to: "/account/clients")
    }
}
