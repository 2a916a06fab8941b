import Access
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

@testable import HTTPSupport

/// What the tests of ``MemoryAnswerHandler`` serve, and to whom.
enum MemoryAnswerSupport {
    /// Writes audit rows when told to.
    final class GatedTrail: AuditTrail {
        struct Refused: Error {}
        private struct State {
            var isOpen = true
            var fails = false
            var waiting: [@Sendable (Bool) -> Void] = []
            var records: [AuditRecord] = []
        }
        private let state = Mutex(State())
        private let (waits, waiting) = AsyncStream.makeStream(of: Void.self)

        func record(_ record: AuditRecord) async throws {
            let fails = state.withLock { state in
                if !state.fails { state.records.append(record) }
                return state.fails
            }
            if fails { throw Refused() }
        }
        func record(_ record: AuditRecord, completion: @escaping @Sendable (Bool) -> Void) {
            let now: Bool? = state.withLock { state in
                if state.fails { return false }
                state.records.append(record)
                if state.isOpen { return true }
                state.waiting.append(completion)
                return nil
            }
            if let now { completion(now) } else { waiting.yield() }
        }
        func close() { state.withLock { $0.isOpen = false } }
        func fail() { state.withLock { $0.fails = true } }
        /// Returns when a row waits.
        func untilWaiting() async { for await _ in waits { return } }
        func open() {
            let all = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for completion in all { completion(true) }
        }
        var entities: [String?] { state.withLock { $0.records.map(\.entity) } }
    }

    /// Whether every token has been revoked.
    final class Revocation: Sendable {
        let isDone = Atomic(false)
    }

    struct Tokens: TokenVerifying {
        var revocation = Revocation()
        func accessContext(bearerToken: String, requestID: String, sourceAddress: String?) async -> AccessContext? {
            rememberedContext(bearerToken: bearerToken, requestID: requestID, sourceAddress: sourceAddress)
        }
        func rememberedContext(bearerToken: String, requestID: String, sourceAddress: String?) -> AccessContext? {
            let scopes = [
                "good": "system/*.rs", "narrow": "system/Group.rs", "part": "system/Patient.rs?gender=female",
            ]
            guard !revocation.isDone.load(ordering: .acquiring), let text = scopes[bearerToken], let scope = Scope(text)
            else { return nil }
            return AccessContext(
                principal: Principal(kind: .client, id: bearerToken),
                scopes: [scope], requestID: requestID, sourceAddress: sourceAddress)
        }
    }

    struct Broken: Error {}

    /// Has what a closure gives in memory, of Patients.
    struct Known: AnsweringFromMemory {
        let find: @Sendable (APIRequest) -> MemoryAnswer?
        init(_ find: @escaping @Sendable (APIRequest) -> MemoryAnswer?) { self.find = find }
        func resourceType(of request: APIRequest) -> String { "Patient" }
        func answer(to request: APIRequest) -> MemoryAnswer? { find(request) }
    }

    final class OpenFile: Sendable {
        let descriptor: CInt
        init(_ other: CInt) { descriptor = dup(other) }
        deinit { close(descriptor) }
    }

    /// `/large/{bytes}` has so many bytes made ready elsewhere, in a file where that can be sent, behind a mark; none of
    /// them when it is `broken`.
    static func large(_ gate: BulkResponseGate) -> Route {
        Route(
            .get, "/large/{bytes}", operationID: "large", access: .bearer(.permission(.read, on: "Patient")),
            fromMemory: Known { request in
                let count = Int(request.parameters["bytes"]) ?? 0
                guard let permit = gate.permitNow() else { return nil }
                let files = request.files
                return MemoryAnswer(
                    status: .ok, headers: [.contentType: "text/plain"],
                    body: .prepared(count: 6 + count) { completion in
                        Task {
                            if count == 0 { return completion(.failure(Broken())) }
                            var pieces: [FileConnection.Piece] = [.bytes(ByteBuffer(string: "<large"))]
                            if files != nil, let file = tmpfile() {
                                ftruncate(fileno(file), off_t(count))
                                let owner = OpenFile(fileno(file))
                                pieces.append(
                                    .file(SentFile(descriptor: owner.descriptor, owner: owner), 0..<Int64(count)))
                                fclose(file)
                            } else {
                                pieces.append(.bytes(ByteBuffer(repeating: 0, count: count)))
                            }
                            completion(.success(pieces))
                        }
                    },
                    record: AuditRecord(
                        category: .rest, interaction: "read", action: .read, outcome: .success, access: request.access),
                    permit: permit)
            }
        ) { _ in .bytes(Array("<usual>".utf8), contentType: "text/plain") }
    }

    /// `/x/{id}` is in memory unless the id begins with `cold`; the usual way says so. With `gone` it does not hold by the
    /// time its row is kept.
    static let route = Route(
        .get, "/x/{id}", operationID: "x", access: .bearer(.permission(.read, on: "Patient")),
        fromMemory: Known { request in
            let id = request.parameters["id"]
            if id.hasPrefix("cold") { return nil }
            return MemoryAnswer(
                status: .ok, headers: [.contentType: "text/plain"], body: .bytes(ByteBuffer(string: "<memory \(id)>")),
                record: AuditRecord(
                    category: .rest, interaction: "read", action: .read, outcome: .success, access: request.access,
                    entity: id), holds: { !id.hasPrefix("gone") })
        }
    ) { request in
        let body = try await request.collectBody()
        return .bytes(
            Array("<usual \(request.parameters["id"]) \(body.readableBytes)>".utf8), contentType: "text/plain")
    }

    /// Both routes, and the audit trail that the answers wait for.
    static func responder(
        _ trail: GatedTrail, gate: BulkResponseGate = BulkResponseGate(limit: 4),
        revocation: Revocation = Revocation(), observe: (@Sendable (String, Int, Duration) -> Void)? = nil
    ) throws -> APIResponder {
        let table = try RouteTable([
            RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: [route, large(gate)])
        ])
        return APIResponder(
            table: table,
            authenticator: BearerAuthenticator(
                tokens: Tokens(revocation: revocation), audit: trail, realm: "h"),
            newRequestID: { "id" }, observe: observe)
    }

    static func memory(_ responder: APIResponder) -> HTTPListener.Memory {
        HTTPListener.Memory(responder, serverName: "test", now: { 784_111_777_000_000 })
    }
}
