import Access
import Basics
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The pages of passkeys: those of an account, and signing in with one.
struct PasskeyRoutes: Sendable {
    static let listPath = "/account/passkeys"
    static let removePath = listPath + "/remove"
    static let signInPath = "/account/passkey"
    let people: People

    var routes: [Route] {
        [
            PageCall.route(.get, Self.listPath, "listPasskeys", people) { call in
                guard let known = call.enrolling else { return call.redirect(to: PeopleSessions.signInPath) }
                return try await list(call, known, destination: try call.returnPath())
            },
            PageCall.route(.post, Self.listPath, "addPasskey", people, add),
            PageCall.route(.post, Self.removePath, "removePasskey", people, remove),
            PageCall.route(.get, Self.signInPath, "getPasskeySignIn", people) { call in
                try await signInPage(call, destination: try call.returnPath())
            },
            PageCall.route(.post, Self.signInPath, "postPasskeySignIn", people, signIn),
            PasskeyScript.route,
        ]
    }

    /// What is in a hidden field of bytes; nothing for what is not base64url.
    private static func bytes(_ form: QueryParameters, _ name: String) -> [UInt8] {
        Base64URL.decode((form[name] ?? "").utf8) ?? []
    }

    // MARK: The account's passkeys

    @Sendable private func add(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let destination = PageCall.destination(form["return"])
        guard let known = call.enrolling, let owner = call.formOwner else {
            return call.redirect(to: people.sessions.signInPath(returningTo: destination))
        }
        let new = People.NewPasskey(
            name: form["name"] ?? "", clientData: Self.bytes(form, "client-data"),
            attestation: Self.bytes(form, "attestation"))
        guard !new.attestation.isEmpty else {
            return try await list(call, known, destination: destination, wrong: .passkeyNeedsScript)
        }
        if let refusal = try await call.refusal(known, form) {
            return try await list(call, known, destination: destination, wrong: refusal)
        }
        switch try await people.addPasskey(known, new, owner: owner, call.request) {
        case .refused(let text): return try await list(call, known, destination: destination, wrong: text)
        case .added(let codes, let account):
            var cookies: [HTTPField] = []
            if known.session.stage != .whole {
                // One that is set up proves nothing yet.
                guard
                    case .begun(_, let begun) = try await people.begin(
                        account, .whole, call.request, signedInAt: known.session.signedInAt)
                else { return call.redirect(to: PeopleSessions.signInPath) }
                cookies = begun
            } else if codes.isEmpty {
                return try await list(call, known, destination: destination, good: .passkeyDone)
            }
            guard !codes.isEmpty else { return call.redirect(to: destination, cookies: cookies) }
            return call.answer(SignInRoutes.recovery(codes, destination: destination, call.language), cookies: cookies)
        }
    }

    @Sendable private func remove(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        guard let known = call.signedIn else { return call.redirect(to: PeopleSessions.signInPath) }
        if let refusal = try await call.refusal(known, form) {
            return try await list(call, known, destination: "/account", wrong: refusal)
        }
        switch try await people.removePasskey(form["passkey"] ?? "", known, call.request) {
        case .removed: return try await list(call, known, destination: "/account", good: .passkeyRemoved)
        case .isLastFactor: return try await list(call, known, destination: "/account", wrong: .passkeyLastFactor)
        case .unknown: throw HTTPFailure(.notFound, "There is no such passkey; it may have been removed")
        }
    }

    private func list(
        _ call: PageCall, _ known: PeopleSessions.Known, destination: String, wrong: PageText? = nil,
        good: PageText? = nil
    ) async throws -> Response {
        let (language, isWhole) = (call.language, known.session.stage == .whole)
        let forms = PageForms(language: language, token: call.formToken().token)
        let passkeys = try await people.ownPasskeys(known.account)
        let rows = passkeys.map { passkey -> [HTML] in
            [
                .text(passkey.name), .text(PageTime.text(passkey.createdAt)),
                passkey.usedAt.map { .text(PageTime.text($0)) } ?? language.html(.neverUsed),
                language.html(passkey.isBackedUp ? .yes : .no),
            ]
        }
        var page = Page(
            language[.passkeysTitle], language,
            [
                forms.good(good), forms.bad(wrong), .element("p", [], language.html(.passkeysLead)),
                !isWhole
                    ? .none
                    : .element(
                        "section", [],
                        rows.isEmpty
                            ? .element("p", [], language.html(.passkeysNone))
                            : forms.table([.passkeyName, .passkeyAdded, .passkeyLastUsed, .passkeyElsewhere], rows)),
                adding(call, known, passkeys, destination, forms),
                isWhole && !passkeys.isEmpty && !call.mustSignInAgain(known)
                    ? removing(call, known, passkeys, forms) : .none,
                isWhole ? forms.link("/account", .back) : forms.link("/account/enrolment", .enrolTitle),
            ])
        if people.relyingParty != nil { page.script = PasskeyScript.path }
        if isWhole { page.navigation = AccountRoutes.navigation(known, language) }
        return call.answer(page, status: wrong == nil ? .ok : .forbidden)
    }

    private func adding(
        _ call: PageCall, _ known: PeopleSessions.Known, _ passkeys: [Passkey], _ destination: String,
        _ forms: PageForms
    ) -> HTML {
        guard let party = people.relyingParty, let owner = call.formOwner else {
            return .element("p", [], forms.language.html(.passkeysNotHere))
        }
        // A device would keep a passkey that is not taken.
        guard !call.mustSignInAgain(known) else { return call.confirmation(known, forms) }
        let options = PasskeyOptions.creation(
            party, known.account, known: passkeys, challenge: people.newChallenge(.registration, for: owner))
        return form(
            Self.listPath, "create", options, forms,
            [
                .element("h2", [], forms.language.html(.passkeyAddTitle)),
                forms.hidden("return", destination), forms.hidden("client-data", ""), forms.hidden("attestation", ""),
                forms.field(
                    "name", .passkeyName, autocomplete: "off", value: forms.language[.passkeyDefaultName],
                    hint: .passkeyNameHint),
                call.confirmation(known, forms), forms.button(.passkeyAddButton),
            ])
    }

    private func removing(
        _ call: PageCall, _ known: PeopleSessions.Known, _ passkeys: [Passkey], _ forms: PageForms
    ) -> HTML {
        let choices = passkeys.map { (value: $0.id, title: "\($0.name) (\(PageTime.text($0.createdAt)))") }
        return forms.form(
            Self.removePath,
            [
                .element("h2", [], forms.language.html(.passkeyRemoveTitle)),
                forms.choice("passkey", .passkeyName, choices),
                call.confirmation(known, forms, id: "remove-password"), forms.button(.removeButton),
            ])
    }

    /// A form that the script fills in before it is sent.
    private func form(
        _ path: String, _ kind: String, _ options: String, _ forms: PageForms, _ content: [HTML]
    ) -> HTML {
        let language = forms.language
        return .element(
            "form",
            [
                .init("method", "post"), .init("action", path), .init("class", "card"), .init("data-passkey", kind),
                .init("data-options", options),
            ],
            [forms.csrf] + content + [
                .element(
                    "p", [.init("class", "bad"), .init("role", "alert"), .flag("data-problem"), .flag("hidden")],
                    language.html(.passkeyProblem)),
                .element("noscript", [], .element("p", [.init("class", "bad")], language.html(.passkeyNeedsScript))),
            ])
    }

    // MARK: Signing in

    @Sendable private func signIn(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let destination = PageCall.destination(form["return"])
        guard let owner = call.formOwner else { return call.redirect(to: PeopleSessions.signInPath) }
        let answer = People.PasskeyAnswer(
            credentialID: Self.bytes(form, "credential"), userHandle: Self.bytes(form, "user-handle"),
            clientData: Self.bytes(form, "client-data"), authenticatorData: Self.bytes(form, "authenticator-data"),
            signature: Self.bytes(form, "signature"))
        switch try await people.signIn(answer, waiting: call.waiting, owner: owner, call.request) {
        case .throttled(let seconds): throw call.tooOften(seconds)
        case .wrong: return try await signInPage(call, destination: destination, wrong: .passkeyFailed)
        case .begun(_, let cookies): return SignInRoutes.goOn(call, to: destination, cookies)
        }
    }

    private func signInPage(
        _ call: PageCall, destination: String, wrong: PageText? = nil
    ) async throws -> Response {
        let language = call.language
        let waiting = call.waiting
        let (owner, cookies) = call.formOwnerAndCookies()
        let forms = PageForms(language: language, token: people.keys.formToken(owner))
        let query = "?return=" + PercentCoding.encoded(destination)
        let own = if let waiting { try await people.ownPasskeys(waiting.account) } else { [Passkey]() }
        var content = [forms.bad(wrong)]
        // Behind a password without a passkey there is nothing to ask a browser for.
        if let party = people.relyingParty, waiting == nil || !own.isEmpty {
            let challenge = people.newChallenge(waiting == nil ? .signIn : .secondFactor, for: owner)
            let names = ["credential", "client-data", "authenticator-data", "signature", "user-handle"]
            content.append(
                form(
                    Self.signInPath, "get", PasskeyOptions.request(party, known: own, challenge: challenge), forms,
                    [
                        .element("p", [], language.html(.passkeySignInLead)), forms.hidden("return", destination),
                        .all(names.map { forms.hidden($0, "") }), forms.button(.passkeyUseButton),
                    ]))
        } else {
            content.append(.element("p", [], language.html(.passkeysNotHere)))
        }
        content.append(
            waiting == nil
                ? forms.link(PeopleSessions.signInPath + query, .passkeyOtherWay)
                : forms.link("/account/second-factor" + query, .secondFactorTitle))
        var page = Page(language[waiting == nil ? .passkeySignIn : .secondFactorTitle], language, content)
        if people.relyingParty != nil { page.script = PasskeyScript.path }
        return call.answer(page, status: wrong == nil ? .ok : .forbidden, cookies: cookies)
    }
}
