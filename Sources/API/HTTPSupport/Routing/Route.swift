import Access
import HTTPTypes
import Hummingbird

/// One operation of an API: a method on a path template, who may call it, and what answers.
///
/// The list of all routes is compared with `openapi/*.yaml`, so the template and the operation id are written as there.
package struct Route: Sendable {
    /// Answers a request whose caller is known and allowed. Throws ``HTTPFailure`` or an error that the
    /// group's ``ErrorBody`` can translate; any other error becomes a bland 500.
    package typealias Handler = @Sendable (APIRequest) async throws -> Response

    /// The method that is answered; one route for each of a template's methods.
    package let method: HTTPRequest.Method
    /// Segments beginning with `/`; `{name}` stands for exactly one segment. Example: `/fhir/{type}/{id}`.
    package let template: String
    /// Unique over all APIs; `operationId` of the OpenAPI document.
    package let operationID: String
    /// Who may call.
    package let access: RouteAccess
    /// How long the handler may take until it has a response; the body may stream longer. Nil: the handler bounds
    /// its own waits, and the request is spared a timer.
    package let deadline: Duration?
    /// The handler does little between its waits (tens of microseconds), so it runs where the connection is served and
    /// is spared two changes of thread.
    package let isBrief: Bool
    /// A GET that changes nothing answers HEAD too, as RFC 9110 §9.3.2 asks; one that starts something does not.
    package let isSafe: Bool
    /// Its connection becomes a WebSocket: the token may come by a subprotocol, and the rights are looked at while it lasts.
    package let isSocket: Bool
    /// What may have the answer to a GET of an identified caller at hand; nil where every request takes the ``handler``.
    package let fromMemory: (any AnsweringFromMemory)?
    /// What answers a browser that asks without a token; nil where there is no page.
    package let page: RoutePage?
    /// Under what requests are kept that are refused because of their size; nil where they are not.
    package let oversizeAudit: OversizeAudit?
    /// The answer to whoever may call.
    package let handler: Handler

    /// - Parameters:
    ///   - method: GET answers HEAD too, where it is safe.
    ///   - template: begins with `/`; two templates may name the same place differently.
    ///   - page: of a GET.
    package init(
        _ method: HTTPRequest.Method, _ template: String, operationID: String, access: RouteAccess,
        deadline: Duration? = nil, isBrief: Bool = false, isSafe: Bool = true, isSocket: Bool = false,
        fromMemory: (any AnsweringFromMemory)? = nil, page: RoutePage? = nil, oversizeAudit: OversizeAudit? = nil,
        handler: @escaping Handler
    ) {
        self.method = method
        self.template = template
        self.operationID = operationID
        self.access = access
        self.deadline = deadline
        self.isBrief = isBrief
        self.isSafe = isSafe
        self.isSocket = isSocket
        self.fromMemory = fromMemory
        self.page = page
        self.oversizeAudit = oversizeAudit
        self.handler = handler
    }
}

/// A page that people read in place of what programs get at the same path.
///
/// It is for a request that holds no token and likes `text/html` best; whoever sends a token gets what the route answers.
/// The request's access is anonymous: the page itself looks who is signed in at the browser.
package struct RoutePage: Sendable {
    /// How errors of the page look.
    package let errorBody: any ErrorBody
    /// The page.
    package let handler: Route.Handler

    /// A page within a deadline of ``deadline``.
    package init(errorBody: any ErrorBody = PageErrorBody(), handler: @escaping Route.Handler) {
        self.errorBody = errorBody
        self.handler = handler
    }

    /// How long a page may take.
    static let deadline = Duration.seconds(60)

    /// The media types that programs ask for, and browsers at most by a wildcard.
    private static let others = ["fhir+json", "json", "dicom+json"].map { MediaType(type: "application", subtype: $0) }
    private static let html = MediaType(type: "text", subtype: "html")

    /// Whether a request asks for the page: without a token, by a `_format` of HTML or, where there is no `_format`, by an
    /// Accept header that likes `text/html` better than JSON. FHIR R4 http.html#mime-type; RFC 9110 §12.5.1.
    package static func isAsked(_ headers: HTTPFields, rawQuery: String) -> Bool {
        guard !headers.contains(.authorization) else { return false }
        if rawQuery.contains("_format"), let query = try? QueryParameters(rawQuery), let format = query["_format"] {
            return ["html", "text/html"].contains(format.lowercased())
        }
        guard let text = headers[.accept] else { return false }
        let accept = AcceptHeader(text)
        let quality = accept.quality(of: html, ignoring: ["charset"])
        return quality > 0
            && others.allSatisfy { accept.quality(of: $0, ignoring: ["charset", "fhirversion"]) < quality }
    }
}

/// Who may call a route.
package enum RouteAccess: Sendable, Hashable {
    /// Anybody: discovery, metadata, token, keys, health. The request's access is anonymous and has no scopes.
    case open
    /// The holder of a valid access token that meets the requirement.
    case bearer(ScopeRequirement)
    /// As `.bearer`, but a caller on this machine needs no token.
    case loopbackOrBearer(ScopeRequirement)
}

/// What a token must grant before a handler is called. The store decides again, resource by resource.
package enum ScopeRequirement: Sendable, Hashable {
    /// Any valid token: the handler decides.
    case anyToken
    /// A token with at least one scope of the system level: a backend service's, and no person's.
    case systemToken
    /// A permission on one resource type.
    case permission(Permissions, on: String)
    /// A permission on the resource type that a path parameter names.
    case permissionOnParameter(Permissions, parameter: String)
    /// At least one of several.
    case anyOf([ScopeRequirement])

    /// Whether an access context meets the requirement.
    package func isMet(by access: AccessContext, parameters: PathParameters) -> Bool {
        switch self {
        case .anyToken: true
        case .systemToken: access.scopes.contains { $0.level == .system }
        case .permission(let permission, let type): access.allows(permission, on: type)
        case .permissionOnParameter(let permission, let name): access.allows(permission, on: parameters[name])
        case .anyOf(let requirements): requirements.contains { $0.isMet(by: access, parameters: parameters) }
        }
    }
}

/// The routes of one API with the form of its errors.
package struct RouteGroup: Sendable {
    /// `fhir`, `dicomweb`, `smart`, `ops`: the OpenAPI file of the same name holds these routes.
    package let name: String
    /// The path below which unknown paths are answered in this group's form: `/fhir`. The longest one wins.
    package let prefix: String
    /// How the group's errors look.
    package let errorBody: any ErrorBody
    /// How they look to a browser without a token, whatever was asked for by GET; nil for as to everybody.
    package let pageErrorBody: (any ErrorBody)?
    /// Answers OPTIONS of a path that routes end at, for anybody: what the API can do there is no secret. It is given
    /// the path and the Accept field; Allow is added. Nil: OPTIONS is a method like others. RFC 9110 §9.3.7.
    package let describe: (@Sendable (_ path: String, _ accept: String?) throws(HTTPFailure) -> Response)?
    /// In any order: a template's fixed segments go before its parameters.
    package let routes: [Route]

    /// A group whose paths and operation ids are checked when the table is made.
    package init(
        name: String, prefix: String, errorBody: any ErrorBody, pageErrorBody: (any ErrorBody)? = nil,
        routes: [Route],
        describe: (@Sendable (_ path: String, _ accept: String?) throws(HTTPFailure) -> Response)? = nil
    ) {
        self.describe = describe
        self.name = name
        self.prefix = prefix
        self.errorBody = errorBody
        self.pageErrorBody = pageErrorBody
        self.routes = routes
    }
}

/// The decoded values of a template's `{name}` segments.
package struct PathParameters: Sendable, Hashable {
    private var pairs: [(name: String, value: String)] = []
    /// In the order of the template.
    package init(_ pairs: [(name: String, value: String)] = []) { self.pairs = pairs }

    /// The value of a parameter; empty when the template has none of that name (a matched segment is never empty).
    package subscript(_ name: String) -> String {
        for pair in pairs where pair.name == name { return pair.value }
        return ""
    }

    /// Equal names and values in the same order.
    package static func == (a: PathParameters, b: PathParameters) -> Bool {
        a.pairs.elementsEqual(b.pairs) { $0.name == $1.name && $0.value == $1.value }
    }
    /// Of names and values.
    package func hash(into hasher: inout Hasher) {
        for pair in pairs {
            hasher.combine(pair.name)
            hasher.combine(pair.value)
        }
    }
}
