import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The pages of people: signing in, their account, and for operators the accounts of others and the apps.
package struct AccountRoutes: Sendable {
    private let people: People

    package init(people: People) { self.people = people }

    /// The routes below `/account`, and the stylesheet of all pages. Errors are pages.
    package var group: RouteGroup {
        RouteGroup(
            name: "account", prefix: "/account", errorBody: PageErrorBody(),
            routes: SignInRoutes(people: people).routes + routes + OperatorRoutes(people: people).routes
                + PasskeyRoutes(people: people).routes + AccessRoutes(people: people).routes
                + OutsideSignInRoutes(people: people).routes + WaitingClientRoutes(people: people).routes
                + EmergencyRoutes(people: people).routes + [Stylesheet.route])
    }

    private var routes: [Route] {
        [
            route(.get, "/account", "getAccount") { call in
                guard let known = call.signedIn else { return call.redirect(to: PeopleSessions.signInPath) }
                return try await page(call, known)
            },
            route(.post, "/account/password", "postPassword", changePassword),
            route(.post, "/account/sessions/{id}/end", "endSession", endSession),
        ]
    }

    private func route(
        _ method: HTTPRequest.Method, _ template: String, _ operationID: String,
        _ work: @escaping @Sendable (PageCall) async throws -> Response
    ) -> Route {
        PageCall.route(method, template, operationID, people, work)
    }

    /// The links that a person has on every page.
    static func navigation(_ known: PeopleSessions.Known, _ language: PageLanguage) -> [Page.Link] {
        var own = [Page.Link("/account", language[.accountTitle])]
        // An operator sees no one's record.
        if known.account.role != .operator { own.append(.init("/fhir", language[.resourcesTitle])) }
        if EmergencyRoutes.mayOpen(known.account.role) {
            own.append(.init(EmergencyRoutes.path, language[.emergencyTitle]))
        }
        guard known.account.role == .operator else { return own }
        return own + [
            .init("/account/users", language[.usersTitle]), .init("/account/clients", language[.clientsTitle]),
            .init(EmergencyRoutes.listPath, language[.emergenciesTitle]),
            .init("/operations", language[.operationsTitle]),
        ]
    }

    // MARK: Changes

    @Sendable private func changePassword(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        guard let known = call.signedIn else { return call.redirect(to: PeopleSessions.signInPath) }
        guard known.hasPassword else { return try await page(call, known, wrong: .passwordNone) }
        let password = form["new-password"] ?? ""
        if let refusal = PasswordRule.refusal(password, name: known.account.name) {
            return try await page(call, known, wrong: refusal)
        }
        guard password == form["repeat"] else { return try await page(call, known, wrong: .passwordsDiffer) }
        if let refusal = try await call.refusal(known, form) { return try await page(call, known, wrong: refusal) }
        let verifier = try await people.verifier(of: password, call.request)
        try await people.record("password-change", known.account, known.account, call.request)
        _ = try await people.accounts.change(
            accountID: known.account.id, .password(verifier: verifier, keepingSession: known.session.id),
            at: people.sessions.now())
        return try await page(call, known, good: .passwordChanged)
    }

    @Sendable private func endSession(_ call: PageCall) async throws -> Response {
        _ = try await call.form()
        guard let known = call.signedIn else { return call.redirect(to: PeopleSessions.signInPath) }
        try await people.record("session-end", known.account, known.account, call.request)
        let id = call.request.parameters["id"]
        guard try await people.sessions.sessions.end(sessionID: id, of: known.account.id) else {
            throw HTTPFailure(.notFound, "There is no such session; it may have ended")
        }
        return call.redirect(to: "/account")
    }

    // MARK: The page

    private func page(
        _ call: PageCall, _ known: PeopleSessions.Known, wrong: PageText? = nil, good: PageText? = nil
    ) async throws -> Response {
        let (account, language) = (known.account, call.language)
        let forms = PageForms(language: language, token: call.formToken().token)
        let left = try await people.accounts.recoveryCodesLeft(of: account.id)
        let sessions = try await people.sessions.sessions.sessions(of: account.id)
        let record = ([account.fhirUser].compactMap { $0 } + account.patientIDs.map { "Patient/" + $0 })
            .joined(separator: ", ")
        let hasFactor = account.sealedSecret != nil
        let passkeys = try await people.ownPasskeys(account)
        var page = Page(
            language[.accountTitle], language,
            [
                forms.good(good), forms.bad(wrong),
                .element(
                    "section", [], .element("h2", [], .text(account.displayName)),
                    .element("p", [], "\(language[.nameLabel]): \(account.name)"),
                    .element("p", [], "\(language[.roleLabel]): \(language[account.role.label])"),
                    .element("p", [], "\(language[.recordLabel]): \(record.isEmpty ? language[.none] : record)")),
                .element(
                    "section", [], .element("h2", [], language.html(.secondFactorTitle)),
                    passkeys.isEmpty || hasFactor
                        ? .element("p", [], language.html(hasFactor ? .secondFactorOn : .secondFactorOff)) : .none,
                    passkeys.isEmpty
                        ? .none : .element("p", [], "\(language[.passkeysManage]): \(passkeys.count)"),
                    hasFactor || !passkeys.isEmpty
                        ? .element("p", [], "\(language[.recoveryLeft]) \(left)") : .none,
                    forms.link("/account/enrolment", hasFactor ? .enrolAgain : .enrolTitle),
                    forms.link(PasskeyRoutes.listPath, .passkeysTitle)),
                .element(
                    "section", [], .element("h2", [], language.html(.accessTitle)),
                    forms.link(AccessRoutes.path, .accessTitle)),
                known.hasPassword ? passwordForm(call, known, forms) : .none,
                sessionList(sessions, known, forms),
                forms.act("/account/sign-out", .signOutButton),
            ])
        page.navigation = Self.navigation(known, language)
        return call.answer(page, status: wrong == nil ? .ok : .forbidden)
    }

    private func passwordForm(_ call: PageCall, _ known: PeopleSessions.Known, _ forms: PageForms) -> HTML {
        forms.form(
            "/account/password",
            [
                .element("h2", [], forms.language.html(.changePasswordTitle)),
                call.confirmation(known, forms),
                forms.field(
                    "new-password", .newPasswordLabel, type: "password", autocomplete: "new-password",
                    hint: .passwordHint),
                forms.field("repeat", .repeatPasswordLabel, type: "password", autocomplete: "new-password"),
                forms.button(.changePasswordButton),
            ])
    }

    private func sessionList(
        _ sessions: [BrowserSession], _ known: PeopleSessions.Known, _ forms: PageForms
    ) -> HTML {
        let rows = sessions.map { session -> [HTML] in
            let began = PageTime.text(session.createdAt)
            let own = session.id == known.session.id
            return [
                .text(own ? "\(began) (\(forms.language[.sessionThis]))" : began), .text(PageTime.text(session.seenAt)),
                .text(session.address ?? ""), .text(session.agent ?? ""),
                own ? .none : forms.act("/account/sessions/\(session.id)/end", .endButton, about: began),
            ]
        }
        return .element(
            "section", [], .element("h2", [], forms.language.html(.sessionsTitle)),
            forms.table([.sessionBegan, .sessionSeen, .sessionFrom, .sessionBrowser, .actionLabel], rows))
    }
}

extension SignedInPerson.Role {
    var label: PageText {
        switch self {
        case .referrer: .roleReferrer
        case .reader: .roleReader
        case .administrator: .roleAdministrator
        case .patient: .rolePatient
        case .operator: .roleOperator
        }
    }
}
