import Access
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Answers every HTTP request: limits of the head, route, token, deadline, handler, error form, security headers.
package struct APIResponder: HTTPResponder {
    package typealias Context = HTTPContext

    /// Where a request came from.
    struct Origin: Sendable {
        var sourceAddress: String?
        var isLoopback = false
        /// Whether the client spoke clear text to a proxy that is trusted to say so.
        var isClearText = false
        var logger: Logger
    }

    /// What may be asked for.
    package let table: RouteTable
    let authenticator: BearerAuthenticator
    let limits: HTTPLimits
    /// Fields that every answer of this door has.
    package var security: SecurityHeaders
    let cors: CrossOriginPolicy
    /// The proxies of this door, whose Forwarded and X-Forwarded fields say where a request came from. RFC 7239.
    package var proxies = TrustedProxies.none
    let memory: MemoryBudget?
    private let newRequestID: @Sendable () -> String
    let observe: (@Sendable (_ operationID: String, _ status: Int, _ duration: Duration) -> Void)?

    /// - Parameters:
    ///   - cors: which web pages of other origins may read answers.
    ///   - memory: what bodies in memory may take; nil leaves them unbounded in sum.
    ///   - newRequestID: an id for a request that brings none: 1 to 64 characters of `[A-Za-z0-9._-]`.
    ///   - observe: told of each answer, for metrics; never holds a path.
    package init(
        table: RouteTable, authenticator: BearerAuthenticator, limits: HTTPLimits = HTTPLimits(),
        security: SecurityHeaders = SecurityHeaders(isTLS: false), cors: CrossOriginPolicy = .none,
        memory: MemoryBudget? = nil,
        newRequestID: @escaping @Sendable () -> String,
        observe: (@Sendable (_ operationID: String, _ status: Int, _ duration: Duration) -> Void)? = nil
    ) {
        self.table = table
        self.authenticator = authenticator
        self.limits = limits
        self.security = security
        self.cors = cors
        self.memory = memory
        self.newRequestID = newRequestID
        self.observe = observe
    }

    /// Answers one request of a connection. Never throws.
    package func respond(to request: Request, context: HTTPContext) async throws -> Response {
        let origin = Origin(
            sourceAddress: context.sourceAddress, isLoopback: context.isLoopback, logger: context.logger)
        return await answer(head: request.head, body: context.body(of: request), origin: origin)
    }

    /// Answers one request. Never throws: whatever goes wrong is a response.
    func answer(head: HTTPRequest, body: RequestBody, origin peer: Origin) async -> Response {
        let origin = origin(of: head, from: peer)
        let started = observe == nil ? nil : ContinuousClock.now
        let requestID = requestID(head)
        let target = RequestTarget(head.path)
        var group = table.group(ofPath: target.path)
        var operationID = "unmatched"
        var page: RoutePage?
        var caller: AccessContext?
        var response: Response
        do {
            try limits.check(head)
            if let preflight = try cors.preflight(head, table: table, path: target.path) {
                return finished(preflight, head, origin, requestID: requestID)
            }
            switch table.match(method: head.method, path: target.path) {
            case .malformed: throw HTTPFailure(.malformed, "The path is not well formed")
            case .notFound:
                throw group?.errorBody.failure(unmatched: target.path)
                    ?? HTTPFailure(.notFound, "There is nothing at this path")
            case .wrongMethod(let allowed, let found):
                group = found
                if head.method == .options, let describe = found.describe {
                    response = try describe(target.path, head.headerFields[.accept])
                    response.headers[.allow] = (allowed + [.options]).map(\.rawValue).sorted().joined(separator: ", ")
                    break
                }
                // HEAD of what a GET would start is another method, not another operation.
                if head.method != .head, let failure = found.errorBody.failure(unmatched: target.path) { throw failure }
                let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
                throw HTTPFailure(
                    .methodNotAllowed, "This path does not take \(head.method.rawValue)", headers: [.allow: list])
            case .found(let route, let found, let parameters):
                group = found
                operationID = route.operationID
                let authorization =
                    route.isSocket
                    ? WebSocketHandshake.authorization(of: head.headerFields)
                    : head.headerFields[values: .authorization]
                if let own = route.page, RoutePage.isAsked(head.headerFields, rawQuery: target.rawQuery) { page = own }
                let access =
                    page == nil
                    ? try await authenticator.access(
                        for: route, parameters: parameters, authorization: authorization, requestID: requestID,
                        sourceAddress: origin.sourceAddress, isLoopback: origin.isLoopback)
                    : AccessContext(
                        principal: .anonymous, scopes: [], requestID: requestID, sourceAddress: origin.sourceAddress)
                caller = access
                let call = APIRequest(
                    method: head.method, path: target.path, rawQuery: target.rawQuery, headers: head.headerFields,
                    parameters: parameters, body: body, access: access, files: FileConnection.current,
                    socket: route.isSocket
                        ? socket(for: route, parameters, authorization, origin, requestID: requestID) : nil,
                    limits: limits, memory: memory?.reservation(), logger: origin.logger)
                let handler = page?.handler ?? route.handler
                let deadline = page == nil ? route.deadline : RoutePage.deadline
                response =
                    if route.isBrief, page == nil { try await handler(call) } else {
                        try await withTaskExecutorPreference(globalConcurrentExecutor) {
                            try await Deadline.run(deadline) { try await handler(call) }
                        }
                    }
            }
        } catch {
            var error = error
            if let failure = error as? HTTPFailure, failure.oversizeReason != nil {
                let anonymous = AccessContext(
                    principal: .anonymous, scopes: [], requestID: requestID, sourceAddress: origin.sourceAddress)
                if let kept = await kept(failure, path: target.path, access: caller ?? anonymous) {
                    (error, group) = (kept.failure, kept.group)
                }
            }
            let form = page?.errorBody ?? pageErrors(of: group, head, target) ?? group?.errorBody ?? ProblemJSON()
            response = failed(
                error, form: form, requestID: requestID, accept: head.headerFields[.accept], logger: origin.logger)
        }
        // Whoever made it: a caller who quotes the id of a 500 finds it in the log.
        if response.status == .internalServerError {
            origin.logger.error(
                "answered 500", metadata: ["request": .string(requestID), "operation": .string(operationID)])
        }
        response = finished(response, head, origin, requestID: requestID)
        if let observe, let started { observe(operationID, response.status.code, ContinuousClock.now - started) }
        return head.method == .head ? response.withoutContent() : response
    }

    /// How a group's errors look to who asks for a page where there is none; nil for as to everybody.
    private func pageErrors(of group: RouteGroup?, _ head: HTTPRequest, _ target: RequestTarget) -> (any ErrorBody)? {
        guard let body = group?.pageErrorBody, head.method == .get || head.method == .head,
            RoutePage.isAsked(head.headerFields, rawQuery: target.rawQuery)
        else { return nil }
        return body
    }

    /// What the connection of this task may become, and how its caller is looked at again; nil in the process.
    private func socket(
        for route: Route, _ parameters: PathParameters, _ authorization: [String], _ origin: Origin, requestID: String
    ) -> APIRequest.Socket? {
        guard let socket = SocketSlot.current?.socket() else { return nil }
        return APIRequest.Socket(socket) { [authenticator] () async throws(HTTPFailure) -> AccessContext in
            try await authenticator.access(
                for: route, parameters: parameters, authorization: authorization, requestID: requestID,
                sourceAddress: origin.sourceAddress, isLoopback: origin.isLoopback)
        }
    }

    /// Where a request came from, by the word of trusted proxies. What came through any proxy is not of this machine.
    func origin(of head: HTTPRequest, from peer: Origin) -> Origin {
        guard peer.isLoopback || !proxies.networks.isEmpty else { return peer }
        var origin = peer
        if let client = proxies.client(behind: peer.sourceAddress, head.headerFields) {
            origin.sourceAddress = client.address
            origin.isClearText = client.isClearText
            origin.isLoopback = false
        } else if peer.isLoopback, TrustedProxies.isForwarded(head.headerFields) {
            origin.isLoopback = false
        }
        return origin
    }

    /// An answer with the fields that every one has.
    private func finished(
        _ response: Response, _ head: HTTPRequest, _ origin: Origin, requestID: String
    ) -> Response {
        var response = response
        response.headers[.xRequestID] = requestID
        response.compress(for: head.headerFields[.acceptEncoding])
        security.apply(to: &response.headers, isClearText: origin.isClearText)
        cors.apply(to: &response.headers, origin: head.headerFields[.origin])
        return response
    }

    /// An answer that no handler made, ready to be sent.
    struct Refusal: Sendable {
        let status: HTTPResponse.Status
        var headers: HTTPFields
        let body: [UInt8]
    }

    /// The answer to what came on a connection and is no request, in the form of the API that its target, if any was
    /// read, belongs to.
    /// - Parameter sourceAddress: of the peer.
    func refusal(_ failure: HTTPFailure, target: String?, sourceAddress: String? = nil) -> Refusal {
        let requestID = newRequestID()
        let group = target.map { RequestTarget($0).path }.flatMap { path in
            keep(failure, path: path, requestID: requestID, sourceAddress: sourceAddress) ?? table.group(ofPath: path)
        }
        observe?("unmatched", failure.code.status.code, .zero)
        return Self.refusal(
            failure, form: group?.errorBody ?? ProblemJSON(), requestID: requestID, security: security)
    }

    /// The same for a listener without routes of its own.
    static func bareRefusal(_ failure: HTTPFailure) -> Refusal {
        refusal(failure, form: ProblemJSON(), requestID: "", security: SecurityHeaders(isTLS: false))
    }

    private static func refusal(
        _ failure: HTTPFailure, form: any ErrorBody, requestID: String, security: SecurityHeaders
    ) -> Refusal {
        let (contentType, bytes) = form.body(of: failure, requestID: requestID, accept: nil)
        var headers = failure.headers
        headers[.contentType] = contentType
        if !requestID.isEmpty { headers[.xRequestID] = requestID }
        security.apply(to: &headers)
        return Refusal(status: failure.code.status, headers: headers, body: bytes)
    }

    func requestID(_ head: HTTPRequest) -> String {
        RequestIdentifier.echoed(head.headerFields[.xRequestID]) ?? newRequestID()
    }

    private func failed(
        _ error: any Error, form: any ErrorBody, requestID: String, accept: String?, logger: Logger
    ) -> Response {
        let failure: HTTPFailure
        if let known = error as? HTTPFailure {
            failure = known
        } else if let known = form.failure(for: error) {
            failure = known
        } else if let multipart = error as? MultipartError {
            failure = multipart.failure
        } else if error is CancellationError {
            failure = HTTPFailure(.unavailable, "The request was cancelled", headers: [.retryAfter: "1"])
        } else {
            // The caller gets the id to quote; the kind of the error stays here, without its values.
            logger.error(
                "request failed",
                metadata: ["request": .string(requestID), "error": .string(String(reflecting: Swift.type(of: error)))])
            failure = HTTPFailure(.internal, "The server could not answer; quote request \(requestID)")
        }
        let (contentType, bytes) = form.body(of: failure, requestID: requestID, accept: accept)
        var headers = failure.headers
        if failure.closesConnection { headers[.connection] = "close" }
        return .bytes(bytes, contentType: contentType, status: failure.code.status, headers: headers)
    }
}

/// The path and the query of a request's target, as sent.
struct RequestTarget: Sendable {
    let path: String
    /// The text after `?`; empty when there is none.
    let rawQuery: String

    init(_ target: String?) {
        let target = target ?? "/"
        if let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = String(target[..<mark])
            rawQuery = String(target[target.utf8.index(after: mark)...])
        } else {
            path = target
            rawQuery = ""
        }
    }
}

/// Bounds how long a handler may take.
enum Deadline {
    /// Runs the work; past the limit it is cancelled and `.unavailable` is thrown.
    static func run(_ limit: Duration?, _ work: @escaping @Sendable () async throws -> Response) async throws
        -> Response
    {
        guard let limit else { return try await work() }
        return try await withThrowingTaskGroup(of: Response?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let response = first else {
                throw HTTPFailure(.unavailable, "The request took too long", headers: [.retryAfter: "5"])
            }
            return response
        }
    }
}

/// The X-Request-Id of a request.
package enum RequestIdentifier {
    /// The caller's id when it is 1 to 64 characters of `[A-Za-z0-9._-]`, so that it can stand in a log line.
    static func echoed(_ value: String?) -> String? {
        guard let value, (1...64).contains(value.utf8.count) else { return nil }
        let isLegal = value.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isLegal ? value : nil
    }
}
