import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// One request for a page, or of a form of one.
struct PageCall: Sendable {
    let request: APIRequest
    let people: People
    let language: PageLanguage
    /// Whose session the browser has, at whatever stage.
    let known: PeopleSessions.Known?

    init(_ request: APIRequest, _ people: People) async throws {
        self.request = request
        self.people = people
        language = .best(of: request.headers[.acceptLanguage])
        known = try await people.sessions.known(cookies: request.headers[.cookie])
    }

    /// A route whose errors below are told as a store that is away.
    static func route(
        _ method: HTTPRequest.Method, _ template: String, _ operationID: String, _ people: People,
        _ work: @escaping @Sendable (PageCall) async throws -> Response
    ) -> Route {
        Route(method, template, operationID: operationID, access: .open, deadline: .seconds(60)) { request in
            do { return try await work(try await PageCall(request, people)) } catch let failure as HTTPFailure {
                throw failure
            } catch let error as CancellationError {
                throw error
            } catch {
                throw HTTPFailure(.unavailable, "This cannot be done now; try again", headers: [.retryAfter: "5"])
            }
        }
    }

    // MARK: Who

    /// The session of a person who is signed in; nil for none.
    var signedIn: PeopleSessions.Known? { known.flatMap { $0.session.stage == .whole ? $0 : nil } }

    /// The session of who may set up a second factor: who has to, and who is signed in.
    var enrolling: PeopleSessions.Known? { known.flatMap { $0.session.stage == .secondFactor ? nil : $0 } }

    /// The session that waits for a second factor.
    var waiting: PeopleSessions.Known? { known.flatMap { $0.session.stage == .secondFactor ? $0 : nil } }

    /// The session of an operator. Throws `.notFound` for anybody else: who may not see a page is not told of it.
    func operatorSession() throws -> PeopleSessions.Known {
        guard let known = signedIn, known.account.role == .operator else {
            throw HTTPFailure(.notFound, "There is nothing at this path")
        }
        return known
    }

    // MARK: Forms

    /// The fields of a form that this server made for this session, or before the sign-in for this browser. Throws
    /// `.insufficientScope`, with an audit row, for one of another site or without its token; nothing is done then.
    func form() async throws -> QueryParameters {
        guard request.isOfThisSite(people.origin) else { throw try await foreignForm("cross-site") }
        let form = try await request.pageForm()
        guard let token = form["csrf"], let owner = formOwner, people.keys.isFormToken(token, of: owner) else {
            throw try await foreignForm("csrf")
        }
        return form
    }

    private func foreignForm(_ detail: String) async throws -> HTTPFailure {
        try await people.record("form", known?.account, known?.account, request, .minorFailure, detail: detail)
        return HTTPFailure(.insufficientScope, language[.formTooOld])
    }

    /// Whom tokens of forms are made for; nil for a browser that has neither a session nor a form of ours.
    var formOwner: String? {
        if let known { return "session:" + known.session.id }
        return Cookies.value(Cookies.form, in: request.headers[.cookie]).flatMap { $0.isEmpty ? nil : "browser:" + $0 }
    }

    /// The token of forms on a page, and the cookie that goes with it where the browser has neither a session nor one.
    func formToken() -> (token: String, cookies: [HTTPField]) {
        let (owner, cookies) = formOwnerAndCookies()
        return (people.keys.formToken(owner), cookies)
    }

    /// Whom a page's forms are made for, and the cookie by which the browser is known from then on where it has neither a
    /// session nor one.
    func formOwnerAndCookies() -> (owner: String, cookies: [HTTPField]) {
        if let formOwner { return (formOwner, []) }
        let secret = PeopleKeys.newCode(people.sessions.randomBytes)
        return ("browser:" + secret, [Cookies.set(Cookies.form, secret, seconds: 3600)])
    }

    // MARK: Changing how somebody signs in

    /// Why who is signed in may not change how they sign in; nil where they may. They give the password once more, or
    /// have signed in a moment ago where the account has none. Who has to set up a factor has just done that. Throws
    /// `.tooManyRequests`.
    /// - Parameter form: with the field of ``confirmation(_:_:id:)``.
    func refusal(_ known: PeopleSessions.Known, _ form: QueryParameters) async throws -> PageText? {
        guard known.session.stage == .whole else { return nil }
        switch try await people.confirm(known, password: form["password"] ?? "", request) {
        case .throttled(let seconds): throw tooOften(seconds)
        case .wrong: return known.hasPassword ? .passwordWrong : .signInTooOld
        case .begun: return nil
        }
    }

    /// What a form asks for before it changes that: the password, or a new sign-in where there is none and the last one
    /// is too long ago.
    func confirmation(_ known: PeopleSessions.Known, _ forms: PageForms, id: String = "password") -> HTML {
        guard known.session.stage == .whole else { return .none }
        if known.hasPassword {
            return forms.field(
                "password", .oldPasswordLabel, type: "password", autocomplete: "current-password", id: id)
        }
        // An outside provider asks anew then, too; see ``OutsideSignInRoutes/asksAnew(_:)``.
        return mustSignInAgain(known)
            ? forms.link(people.sessions.signInPath(returningTo: "/account?prompt=login"), .signInAgain) : .none
    }

    /// Whether nothing that a form asks for would do.
    func mustSignInAgain(_ known: PeopleSessions.Known) -> Bool {
        known.session.stage == .whole && !known.hasPassword && !people.sessions.isFresh(known)
    }

    // MARK: Answers

    /// Sends the browser to a path of this server, by GET. RFC 9110 §15.4.4.
    func redirect(to path: String, cookies: [HTTPField] = []) -> Response { .seeOther(path, cookies: cookies) }

    /// A page with its cookies.
    func answer(_ page: Page, status: HTTPResponse.Status = .ok, cookies: [HTTPField] = []) -> Response {
        var headers = HTTPFields()
        for cookie in cookies { headers.append(cookie) }
        return page.response(status: status, headers: headers)
    }

    /// 429 with the time to wait.
    func tooOften(_ seconds: Int) -> HTTPFailure {
        HTTPFailure(.tooManyRequests, language[.tooOften], headers: [.retryAfter: String(seconds)])
    }

    /// Where the query says to go on to.
    func returnPath() throws -> String { Self.destination(try request.query()["return"]) }

    /// Where a browser goes on to: a path of this server, or else the account. Never a path that signs in.
    static func destination(_ path: String?) -> String {
        guard let path, LocalPath.isLocal(path), !path.hasPrefix("/account/") else { return "/account" }
        return path
    }
}
