import Access
import HTTPTypes
import NIOCore

/// An answer that was at hand without waiting, and the audit row that must be durable before it leaves.
package struct MemoryAnswer: Sendable {
    /// What follows the head.
    package enum Body: Sendable {
        /// At hand; empty for an answer without a body.
        case bytes(ByteBuffer)
        /// So many bytes, at most some MiB, made ready on other threads while the audit row is being written.
        case prepared(count: Int, Preparation)
    }
    /// Begins to make a body ready, and returns soon. The closure is called once, on any thread, with all of it, or
    /// with what went wrong: the request then takes the usual way.
    package typealias Preparation =
        @Sendable (@escaping @Sendable (Result<[FileConnection.Piece], any Error>) -> Void) -> Void

    /// The HTTP status, a final one.
    package let status: HTTPResponse.Status
    /// Without the fields that every answer has, `Content-Length`, `Date` and `Server` among them.
    package var headers: HTTPFields
    /// What follows the head.
    package let body: Body
    /// What is to be durable before the answer leaves, or what the trail has as the same event: see ``SittingLedger``.
    package let record: AuditRecord
    /// Released when the answer has left or is given up: room among bulk responses.
    package let permit: BulkResponseGate.Permit?
    /// Asked once the record is durable: whether it may still be given. False sends the request the usual way.
    ///
    /// The commit of the record has seen what another process wrote before it, or the trail has looked for that, so that
    /// nothing is given that somebody beside the server has taken away.
    package let holds: (@Sendable () -> Bool)?

    /// - Parameters:
    ///   - permit: nil for an answer that needs no room of its own.
    ///   - holds: nil for an answer that stays true.
    package init(
        status: HTTPResponse.Status, headers: HTTPFields, body: Body, record: AuditRecord,
        permit: BulkResponseGate.Permit? = nil, holds: (@Sendable () -> Bool)? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.record = record
        self.permit = permit
        self.holds = holds
    }

    /// Bytes of the body.
    var length: Int {
        switch body {
        case .bytes(let bytes): bytes.readableBytes
        case .prepared(let count, _): count
        }
    }
}

extension APIResponder {
    /// An answer from memory with what has to happen before and after it has left.
    struct PreparedAnswer: Sendable {
        let answer: MemoryAnswer
        let operationID: String
        /// When the request was read; nil where nobody counts.
        let started: ContinuousClock.Instant?
        /// Whether the caller is known by the same right as when the answer was prepared.
        let isPermitted: @Sendable () -> Bool
    }

    /// The answer to a request without a body when its route has it in memory and its caller is known; nil for every
    /// other request, and for each that would be refused: those take the usual way, ``answer(head:body:origin:)``.
    func answerFromMemory(_ head: HTTPRequest, origin peer: Origin, files: FileConnection?) -> PreparedAnswer? {
        guard head.method == .get, (try? limits.check(head)) != nil else { return nil }
        let started = observe == nil ? nil : ContinuousClock.now
        let target = RequestTarget(head.path)
        guard case .found(let route, _, let parameters) = table.match(method: .get, path: target.path),
            let known = route.fromMemory
        else { return nil }
        let requestID = requestID(head)
        let origin = origin(of: head, from: peer)
        guard
            let caller = authenticator.rememberedAccess(
                for: route, parameters: parameters, authorization: head.headerFields[values: .authorization],
                requestID: requestID, sourceAddress: origin.sourceAddress),
            let access = caller()
        else { return nil }
        let call = APIRequest(
            method: .get, path: target.path, rawQuery: target.rawQuery, headers: head.headerFields,
            parameters: parameters, access: access, files: files, limits: limits, logger: origin.logger)
        guard var answer = known.permittedAnswer(to: call) else { return nil }
        if let accept = head.headerFields[.acceptEncoding] {
            guard let coded = answer.compressed(for: accept) else { return nil }
            answer = coded
        }
        answer.headers[.xRequestID] = requestID
        security.apply(to: &answer.headers, isClearText: origin.isClearText)
        cors.apply(to: &answer.headers, origin: head.headerFields[.origin])
        let type = known.resourceType(of: call)
        return PreparedAnswer(answer: answer, operationID: route.operationID, started: started) {
            guard let now = caller() else { return false }
            return Self.sight(of: type, now) == Self.sight(of: type, access)
        }
    }

    /// What a caller may read of a type, without the time of asking where it is told without it.
    private static func sight(of type: String, _ access: AccessContext) -> Visibility {
        let visibility = access.visibility(.read, of: type)
        return visibility.timeless?.visibility ?? visibility
    }

    /// Makes the audit row of a prepared answer durable, then calls with whether that is done, the caller still has the
    /// right and the answer still holds, on any thread.
    func keepRecord(of prepared: PreparedAnswer, _ completion: @escaping @Sendable (Bool) -> Void) {
        let answer = prepared.answer
        authenticator.audit.record(answer.record) { isKept in
            completion(isKept && prepared.isPermitted() && (answer.holds?() ?? true))
        }
    }

    /// Counts an answer that is being sent.
    func observe(_ prepared: PreparedAnswer) {
        guard let started = prepared.started else { return }
        observe?(prepared.operationID, prepared.answer.status.code, ContinuousClock.now - started)
    }
}
