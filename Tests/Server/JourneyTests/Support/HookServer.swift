import Foundation
import NIOHTTP1
import TestSupport

/// A rest-hook endpoint: HTTPS on loopback that notes what it is told and answers as a test wants.
struct HookServer: Sendable {
    typealias Call = HTTPSEndpoint.Call
    /// What a call is answered with; nil: nothing at all.
    typealias Answer = @Sendable (Call, _ number: Int) -> (status: Int, headers: [(String, String)])?

    private let endpoint: HTTPSEndpoint

    var port: Int { endpoint.port }
    var url: String { "https://127.0.0.1:\(port)/hook" }
    /// In the order in which they came.
    var calls: [Call] { endpoint.calls }
    /// The notifications that were taken.
    var taken: [Call] { calls.filter { !$0.isHandshake && $0.status / 100 == 2 } }

    func answer(_ answer: @escaping Answer) { endpoint.answer(Self.answering(answer)) }

    static func with<Value: Sendable>(
        _ answer: @escaping Answer = { _, _ in (200, []) }, _ body: (HookServer) async throws -> Value
    ) async throws -> Value {
        try await HTTPSEndpoint.with(answering(answer)) { try await body(HookServer(endpoint: $0)) }
    }

    private static func answering(_ answer: @escaping Answer) -> HTTPSEndpoint.Answering {
        { call, number in
            answer(call, number).map { HTTPSEndpoint.Answer(status: $0.status, headers: $0.headers) }
        }
    }

    /// Waits for a condition on the calls; throws after a while.
    func wait(
        _ what: String, patience: Duration = .seconds(180), _ condition: @Sendable ([Call]) -> Bool
    ) async throws {
        func seen() -> String {
            calls.map { "\($0.status) \($0.eventID) \($0.text.prefix(60))" }.joined(separator: "\n")
        }
        try await waitUntil("\(what); the hook was called:\n\(seen())", patience: patience) { condition(calls) }
    }
}

extension HTTPSEndpoint.Call {
    var eventID: String { headers.first(name: "Hilum-Event-Id") ?? "" }
    var isHandshake: Bool { headers.first(name: "Hilum-Event") == "handshake" }
}

extension ServerFolder {
    /// A folder whose server may tell hooks on loopback, and trusts their certificate.
    static func withHooks(_ more: String = "") async throws -> ServerFolder {
        let folder = try await make()
        try TestCertificates.certificate.write(
            toFile: folder.path + "/tls/hooks.pem", atomically: true, encoding: .utf8)
        let file = folder.path + "/hilum.yaml"
        try
            (String(contentsOfFile: file, encoding: .utf8)
            + "\noutbound: { allow-networks: [127.0.0.0/8], authorities: tls/hooks.pem }\n" + more).write(
                toFile: file, atomically: true, encoding: .utf8)
        return folder
    }
}
