import Access
import Basics
import Cryptography
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The pages on which people sign in: password, second factor, setting that up, choosing a password, signing out.
struct SignInRoutes: Sendable {
    let people: People

    var routes: [Route] {
        [
            route(.get, "/account/sign-in", "getSignIn") { call in
                Self.signIn(call, destination: try call.returnPath())
            },
            route(.post, "/account/sign-in", "postSignIn", signIn),
            route(.get, "/account/second-factor", "getSecondFactor") { call in
                guard let known = call.waiting else { return call.redirect(to: signInPath(call)) }
                return try await secondFactor(call, known, destination: try call.returnPath())
            },
            route(.post, "/account/second-factor", "postSecondFactor", secondFactor),
            route(.get, "/account/enrolment", "getEnrolment") { call in
                guard let known = call.enrolling else { return call.redirect(to: signInPath(call)) }
                return Self.enrolment(call, known, people, destination: try call.returnPath())
            },
            route(.post, "/account/enrolment", "postEnrolment", enrol),
            route(.get, "/account/reset", "getPasswordReset") { call in Self.reset(call) },
            route(.post, "/account/reset", "postPasswordReset", reset),
            route(.post, "/account/sign-out", "postSignOut", signOut),
        ]
    }

    private func route(
        _ method: HTTPRequest.Method, _ template: String, _ operationID: String,
        _ work: @escaping @Sendable (PageCall) async throws -> Response
    ) -> Route {
        PageCall.route(method, template, operationID, people, work)
    }

    /// Where to begin anew.
    private func signInPath(_ call: PageCall) -> String {
        let path = try? call.returnPath()
        return path.map { people.sessions.signInPath(returningTo: $0) } ?? PeopleSessions.signInPath
    }

    // MARK: Password

    @Sendable private func signIn(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let destination = PageCall.destination(form["return"])
        let attempt = try await people.signIn(
            name: form["name"] ?? "", password: form["password"] ?? "", call.request)
        switch attempt {
        case .throttled(let seconds): throw call.tooOften(seconds)
        case .wrong: return Self.signIn(call, destination: destination, name: form["name"] ?? "", wrong: .signInFailed)
        case .begun(let stage, let cookies): return Self.proceed(call, stage, to: destination, cookies)
        }
    }

    /// What follows the first factor.
    /// - Parameter byPage: whether a page goes on in any case: a site that a browser comes from may hold it to itself, too.
    static func proceed(
        _ call: PageCall, _ stage: BrowserSession.Stage, to destination: String, _ cookies: [HTTPField],
        byPage: Bool = false
    ) -> Response {
        let query = "?return=" + PercentCoding.encoded(destination)
        switch stage {
        case .whole: return goOn(call, to: destination, cookies, byPage: byPage)
        case .secondFactor: return call.redirect(to: "/account/second-factor" + query, cookies: cookies)
        case .enrolment: return call.redirect(to: "/account/enrolment" + query, cookies: cookies)
        }
    }

    /// The page to sign in on.
    /// - Parameter status: nil for the one that goes with `wrong`.
    static func signIn(
        _ call: PageCall, destination: String, name: String = "", wrong: PageText? = nil, good: PageText? = nil,
        status: HTTPResponse.Status? = nil
    ) -> Response {
        let (token, cookies) = call.formToken()
        let forms = PageForms(language: call.language, token: token)
        let page = Page(
            call.language[.signInTitle], call.language,
            [
                forms.good(good), forms.bad(wrong),
                forms.form(
                    "/account/sign-in",
                    [
                        forms.hidden("return", destination),
                        forms.field(
                            "name", .nameLabel, autocomplete: "username", value: String(name.prefix(64)),
                            isFirst: wrong == nil, isWrong: wrong != nil),
                        forms.field(
                            "password", .passwordLabel, type: "password", autocomplete: "current-password",
                            isFirst: wrong != nil, isWrong: wrong != nil),
                        forms.button(.signInButton),
                    ]),
                call.people.takesPasskeys
                    ? forms.link(
                        PasskeyRoutes.signInPath + "?return=" + PercentCoding.encoded(destination), .passkeySignIn)
                    : .none,
                outside(call, forms, destination),
                forms.link("/account/reset", .haveResetCode),
            ])
        return call.answer(page, status: status ?? (wrong == nil ? .ok : .forbidden), cookies: cookies)
    }

    /// A button for each provider.
    private static func outside(_ call: PageCall, _ forms: PageForms, _ destination: String) -> HTML {
        let providers = call.people.outside?.providers ?? []
        return .all(
            providers.map { provider in
                forms.form(
                    "/account/sign-in/outside/" + provider.name,
                    [
                        forms.hidden("return", destination),
                        .element(
                            "button", [.init("type", "submit"), .init("class", "plain")],
                            "\(call.language[.signInWith]) \(provider.title)"),
                    ], isCard: false)
            })
    }

    /// Goes on behind the sign-in. Beyond these pages by a page of its own: a browser holds the whole chain of redirects
    /// behind a form to where forms may lead, and an app's redirect is elsewhere. CSP Level 3 §6.5.1.
    static func goOn(
        _ call: PageCall, to destination: String, _ cookies: [HTTPField], byPage: Bool = false
    ) -> Response {
        if destination == "/account", !byPage { return call.redirect(to: destination, cookies: cookies) }
        var page = Page(
            call.language[.signedIn], call.language,
            [.element("p", [], .element("a", [.init("href", destination)], call.language.html(.goOn)))])
        page.continuesTo = destination
        return call.answer(page, cookies: cookies)
    }

    // MARK: Second factor

    @Sendable private func secondFactor(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let destination = PageCall.destination(form["return"])
        guard let known = call.waiting else {
            return call.redirect(to: people.sessions.signInPath(returningTo: destination))
        }
        switch try await people.prove(known, code: form["code"] ?? "", call.request) {
        case .throttled(let seconds): throw call.tooOften(seconds)
        case .wrong: return try await secondFactor(call, known, destination: destination, wrong: .codeFailed)
        case .begun(_, let cookies): return Self.goOn(call, to: destination, cookies)
        }
    }

    private func secondFactor(
        _ call: PageCall, _ known: PeopleSessions.Known, destination: String, wrong: PageText? = nil
    ) async throws -> Response {
        let forms = PageForms(language: call.language, token: call.formToken().token)
        let passkeys = try await people.ownPasskeys(known.account)
        let page = Page(
            call.language[.secondFactorTitle], call.language,
            [
                forms.bad(wrong),
                forms.form(
                    "/account/second-factor",
                    [
                        forms.hidden("return", destination),
                        forms.field(
                            "code", .codeLabel, autocomplete: "one-time-code", hint: .codeHint, isFirst: true,
                            isWrong: wrong != nil),
                        forms.button(.checkButton),
                    ]),
                passkeys.isEmpty
                    ? .none
                    : forms.link(
                        PasskeyRoutes.signInPath + "?return=" + PercentCoding.encoded(destination),
                        .passkeySecondFactor),
                forms.act("/account/sign-out", .signOutButton),
            ])
        return call.answer(page, status: wrong == nil ? .ok : .forbidden)
    }

    // MARK: Setting up the second factor

    @Sendable private func enrol(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let destination = PageCall.destination(form["return"])
        guard let known = call.enrolling else {
            return call.redirect(to: people.sessions.signInPath(returningTo: destination))
        }
        let sealed = Base64URL.decode((form["setup"] ?? "").utf8) ?? []
        guard let secret = people.secret(sealed: sealed, for: known) else {
            return Self.enrolment(call, known, people, destination: destination, wrong: .formTooOld)
        }
        func again(_ wrong: PageText) -> Response {
            Self.enrolment(call, known, people, destination: destination, secret: (secret, sealed), wrong: wrong)
        }
        if let refusal = try await call.refusal(known, form) { return again(refusal) }
        let code = form["code"] ?? ""
        guard let (codes, account) = try await people.enrol(known, secret: secret, code: code, call.request) else {
            return again(.codeFailed)
        }
        var cookies: [HTTPField] = []
        // Who had no password to give has not signed in anew.
        if known.session.stage != .whole || known.hasPassword {
            // A factor that is set up proves nothing yet; whoever was signed in has given the password again.
            let signedInAt = known.session.stage == .whole ? nil : known.session.signedInAt
            guard
                case .begun(_, let begun) = try await people.begin(
                    account, .whole, call.request, signedInAt: signedInAt)
            else { return call.redirect(to: PeopleSessions.signInPath) }
            cookies = begun
        }
        return call.answer(Self.recovery(codes, destination: destination, call.language), cookies: cookies)
    }

    /// Shows new recovery codes, once.
    static func recovery(_ codes: [String], destination: String, _ language: PageLanguage) -> Page {
        Page(
            language[.recoveryTitle], language,
            [
                .element("p", [], language.html(.recoveryExplained)),
                .element("ul", [.init("class", "codes")], codes.map { .element("li", [], .text($0)) }),
                .element("p", [], .element("a", [.init("href", destination)], language.html(.recoveryKept))),
            ])
    }

    private static func enrolment(
        _ call: PageCall, _ known: PeopleSessions.Known, _ people: People, destination: String,
        secret shown: (secret: [UInt8], sealed: [UInt8])? = nil, wrong: PageText? = nil
    ) -> Response {
        let (secret, sealed) = shown ?? people.newSecret(for: known)
        let uri = Self.uri(of: secret, known.account, people)
        let language = call.language
        let forms = PageForms(language: language, token: call.formToken().token)
        let symbol = QRCode(uri)?.html(label: language[.enrolSymbol]) ?? .none
        let page = Page(
            language[.enrolTitle], language,
            [
                forms.bad(wrong),
                known.session.stage == .whole ? .none : .element("p", [], language.html(.enrolRequired)),
                .element("p", [], language.html(.enrolSteps)),
                .element(
                    "section", [], symbol, .element("h2", [], language.html(.enrolSecretLabel)),
                    .element("p", [], .element("code", [.init("id", "secret")], .text(Base32.encode(secret)))),
                    .element("h2", [], language.html(.enrolURILabel)),
                    .element("p", [], .element("code", [.init("id", "uri")], .text(uri)))),
                forms.form(
                    "/account/enrolment",
                    [
                        forms.hidden("return", destination), forms.hidden("setup", Base64URL.encode(sealed)),
                        call.confirmation(known, forms),
                        forms.field("code", .codeLabel, autocomplete: "one-time-code", isWrong: wrong == .codeFailed),
                        forms.button(.enrolButton),
                    ]),
                people.takesPasskeys
                    ? forms.link(
                        PasskeyRoutes.listPath + "?return=" + PercentCoding.encoded(destination), .passkeyInstead)
                    : .none,
            ])
        return call.answer(page, status: wrong == nil ? .ok : .forbidden)
    }

    /// As authenticator apps read it: the Key URI format, in which SHA-1, six digits and 30 s are what is not said.
    private static func uri(of secret: [UInt8], _ account: Account, _ people: People) -> String {
        let host = people.origin.split(separator: "/").last.map(String.init) ?? "hilum"
        let label = PercentCoding.encoded("Hilum") + ":" + PercentCoding.encoded(account.name + " " + host)
        return "otpauth://totp/\(label)?secret=\(Base32.encode(secret))&issuer=Hilum"
    }

    // MARK: Choosing a password

    @Sendable private func reset(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let (name, password) = (form["name"] ?? "", form["password"] ?? "")
        if let refusal = PasswordRule.refusal(password, name: name.lowercased()) {
            return Self.reset(call, name: name, wrong: refusal)
        }
        guard password == form["repeat"] else { return Self.reset(call, name: name, wrong: .passwordsDiffer) }
        let attempt = try await people.redeem(
            name: name, code: form["code"] ?? "", password: password, call.request)
        switch attempt {
        case .throttled(let seconds): throw call.tooOften(seconds)
        case .wrong: return Self.reset(call, name: name, wrong: .resetFailed)
        case .begun: return Self.signIn(call, destination: "/account", name: name, good: .passwordChosen)
        }
    }

    private static func reset(_ call: PageCall, name: String = "", wrong: PageText? = nil) -> Response {
        let (token, cookies) = call.formToken()
        let forms = PageForms(language: call.language, token: token)
        let page = Page(
            call.language[.resetTitle], call.language,
            [
                forms.bad(wrong),
                forms.form(
                    "/account/reset",
                    [
                        forms.field(
                            "name", .nameLabel, autocomplete: "username", value: String(name.prefix(64)), isFirst: true),
                        forms.field("code", .resetCodeLabel, autocomplete: "off"),
                        forms.field(
                            "password", .newPasswordLabel, type: "password", autocomplete: "new-password",
                            hint: .passwordHint),
                        forms.field(
                            "repeat", .repeatPasswordLabel, type: "password", autocomplete: "new-password"),
                        forms.button(.choosePasswordButton),
                    ]),
            ])
        return call.answer(page, status: wrong == nil ? .ok : .forbidden, cookies: cookies)
    }

    // MARK: Signing out

    @Sendable private func signOut(_ call: PageCall) async throws -> Response {
        _ = try await call.form()
        if let known = call.known {
            try await people.record("sign-out", known.account, known.account, call.request)
            _ = try await people.sessions.sessions.end(sessionID: known.session.id, of: known.account.id)
        }
        let page = Page(
            call.language[.signedOutTitle], call.language,
            [
                .element("p", [], call.language.html(.signedOut)),
                .element(
                    "p", [],
                    .element("a", [.init("href", PeopleSessions.signInPath)], call.language.html(.signInTitle))),
            ])
        return call.answer(page, cookies: [Cookies.set(Cookies.session, "", seconds: 0)])
    }
}
