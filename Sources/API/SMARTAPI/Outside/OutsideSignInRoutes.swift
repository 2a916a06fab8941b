import Access
import Basics
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The way to an outside provider and back.
struct OutsideSignInRoutes: Sendable {
    /// Bytes of the browser's secret.
    private static let secretBytes = 32
    let people: People

    var routes: [Route] {
        [
            PageCall.route(.post, "/account/sign-in/outside/{provider}", "postOutsideSignIn", people, leave),
            PageCall.route(.get, "/account/sign-in/outside/{provider}/answer", "getOutsideAnswer", people, answer),
        ]
    }

    private func provider(_ call: PageCall) throws -> (OutsideSignIn, OutsideProvider) {
        guard let outside = people.outside, let provider = outside.provider(call.request.parameters["provider"]) else {
            throw HTTPFailure(.notFound, "There is no such provider")
        }
        return (outside, provider)
    }

    // MARK: Going there

    @Sendable private func leave(_ call: PageCall) async throws -> Response {
        let (outside, provider) = try provider(call)
        let form = try await call.form()
        var destination = PageCall.destination(form["return"])
        if destination.utf8.count > OutsideState.destinationBytesMax { destination = "/account" }
        let secret = secret(call) ?? people.sessions.randomBytes(Self.secretBytes)
        let state = OutsideState(
            flow: Base64URL.encode(people.sessions.randomBytes(16)), startedAt: people.sessions.now() / 1_000_000,
            isAnew: Self.asksAnew(destination), secret: secret, destination: destination)
        guard let url = await outside.authorizationURL(provider, state, secret: secret, people) else {
            try await people.record(
                "sign-in", nil, nil, call.request, detail: "outside:\(provider.name):no-metadata")
            return SignInRoutes.signIn(
                call, destination: destination, wrong: .outsideDown, status: .serviceUnavailable)
        }
        let cookie = Cookies.set(Cookies.outside, Base64URL.encode(secret), seconds: OutsideState.lifetime)
        // By a page: a browser holds what follows a form to where the form's page may lead. CSP Level 3 §6.5.1.
        var page = Page(
            "\(call.language[.outsideGoOn]) \(provider.title)", call.language,
            [.element("p", [], .element("a", [.init("href", url)], call.language.html(.goOn)))])
        page.leavesTo = url
        page.hasForms = false
        return call.answer(page, cookies: [cookie])
    }

    /// Whether an application has asked that the person signs in anew. OpenID Connect Core 1.0 §3.1.2.1.
    static func asksAnew(_ destination: String) -> Bool {
        guard let mark = destination.firstIndex(of: "?"),
            let query = try? QueryParameters(String(destination[destination.index(after: mark)...]))
        else { return false }
        let prompt = (query["prompt"] ?? "").split(separator: " ")
        return query["max_age"] != nil || prompt.contains("login") || prompt.contains("select_account")
    }

    private func secret(_ call: PageCall) -> [UInt8]? {
        guard let value = Cookies.value(Cookies.outside, in: call.request.headers[.cookie]),
            let secret = Base64URL.decode(value.utf8), secret.count == Self.secretBytes
        else { return nil }
        return secret
    }

    // MARK: Coming back

    @Sendable private func answer(_ call: PageCall) async throws -> Response {
        let (outside, provider) = try provider(call)
        let address = call.request.sourceAddress
        if let seconds = outside.wait(address) { throw call.tooOften(seconds) }
        let query = try call.request.query(plusIsSpace: true)
        var destination = "/account"
        do {
            let (state, secret) = try begun(call, query, provider)
            destination = state.destination
            let identity = try await outside.identity(query, provider, state, secret: secret, people)
            do {
                return try await signedIn(identity, provider, outside, call, destination)
            } catch let failure as OutsideSignIn.Failure {
                // Who it was is known: an operator may link them.
                return try await refused(
                    failure, provider, outside, call, destination,
                    entity: "identity:\(provider.issuer)|\(identity.subject)")
            }
        } catch let failure as OutsideSignIn.Failure {
            return try await refused(failure, provider, outside, call, destination, entity: nil)
        }
    }

    /// What this browser began here. Throws ``OutsideSignIn/Failure``.
    private func begun(
        _ call: PageCall, _ query: QueryParameters, _ provider: OutsideProvider
    ) throws -> (OutsideState, [UInt8]) {
        guard Set(query.map(\.name)).count == query.count else {
            throw OutsideSignIn.Failure(text: .outsideFailed, reason: "parameter-twice")
        }
        guard let text = query["state"], let state = OutsideState(text, of: provider.name, people.keys) else {
            throw OutsideSignIn.Failure(text: .outsideTooOld, reason: "unknown-state")
        }
        guard let secret = secret(call), state.isOf(secret, now: people.sessions.now() / 1_000_000) else {
            throw OutsideSignIn.Failure(text: .outsideTooOld, reason: "state-of-another-browser")
        }
        return (state, secret)
    }

    private func signedIn(
        _ identity: IdentityToken, _ provider: OutsideProvider, _ outside: OutsideSignIn, _ call: PageCall,
        _ destination: String
    ) async throws -> Response {
        let (stage, cookies) = try await people.begin(identity, provider, outside, call.request)
        let all = cookies + [Cookies.set(Cookies.outside, "", seconds: 0)]
        return SignInRoutes.proceed(call, stage, to: destination, all, byPage: true)
    }

    private func refused(
        _ failure: OutsideSignIn.Failure, _ provider: OutsideProvider, _ outside: OutsideSignIn, _ call: PageCall,
        _ destination: String, entity: String?
    ) async throws -> Response {
        if !failure.isDown { outside.failed(call.request.sourceAddress) }
        try await people.record(
            "sign-in", nil, nil, call.request, detail: "outside:\(provider.name):\(failure.reason)", entity: entity)
        return SignInRoutes.signIn(
            call, destination: destination, wrong: failure.text, status: failure.isDown ? .serviceUnavailable : nil)
    }
}
