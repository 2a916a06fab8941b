import Access
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import OutboundAdapter

/// A question to another system keeps the bounds of a fetch, and its answer is read. RFC 6749 §3.2.
@Suite(.takingTurns) struct FormOutboundTests {
    private static let loopback = OutboundPolicy(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })

    private static func submit(
        _ answer: HTTPSEndpoint.Answer, policy: OutboundPolicy = loopback, bytesMax: Int = 100
    ) async throws -> (answer: OutboundResponse, calls: [HTTPSEndpoint.Call]) {
        let authority = FileManager.default.temporaryDirectory.path + "/hilum-form-\(UUID().uuidString).pem"
        try TestCertificates.certificate.write(toFile: authority, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: authority) }
        return try await HTTPSEndpoint.with({ _, _ in answer }) { server in
            var limits = HTTPSOutbound.Limits()
            limits.bodyBytesMax = bytesMax
            // The event loops are shared with all other tests, which may keep them for long.
            (limits.connect, limits.idle) = (.minutes(10), .minutes(10))
            limits.total = .minutes(10)
            let outbound = HTTPSOutbound(policy: policy, limits: limits, authoritiesFile: authority)
            let response = try await outbound.submit(
                OutboundRequest(
                    url: "https://127.0.0.1:\(server.port)/token",
                    headers: [
                        OutboundHeader(trusted: "Content-Type", "application/x-www-form-urlencoded"),
                        OutboundHeader(trusted: "Authorization", "Basic eDp5"),
                    ], body: Array("a=b&c=d".utf8)))
            return (response, server.calls)
        }
    }

    @Test("A form is sent once with its headers, and the answer comes back with its status, whatever that is")
    func sent() async throws {
        for status in [200, 400, 307, 503] {
            let (answer, calls) = try await Self.submit(
                .init(status: status, headers: [("Location", "https://127.0.0.1:1/")], body: #"{"x":1}"#))
            #expect(answer.status == status)
            #expect(answer.body == Array(#"{"x":1}"#.utf8))
            #expect(calls.count == 1)
            #expect(calls.first?.method == "POST")
            #expect(calls.first?.text == "a=b&c=d")
            #expect(calls.first?.headers["Content-Type"] == ["application/x-www-form-urlencoded"])
            #expect(calls.first?.headers["Authorization"] == ["Basic eDp5"])
        }
    }

    @Test("Whoever cannot read the certificate that they are to show does not go without it")
    func noIdentity() async throws {
        try await HTTPSEndpoint.with({ _, _ in .init() }) { server in
            let url = "https://127.0.0.1:\(server.port)/token"
            let identity = HTTPSOutbound.Identity(certificateFile: "/nowhere/a.pem", keyFile: "/nowhere/a.key")
            let outbound = HTTPSOutbound(policy: Self.loopback, identity: identity)
            await #expect(throws: OutboundFailure.noIdentity) { _ = try await outbound.get(url) }
            let sender = HTTPSSender(outbound)
            await #expect(throws: OutboundFailure.noIdentity) {
                _ = try await sender.post(OutboundRequest(url: url, headers: [], body: []))
            }
            await sender.close()
            #expect(server.calls.isEmpty)
        }
    }

    @Test("An answer that is too long and an address that is not allowed are no answers")
    func refused() async throws {
        await #expect(throws: OutboundRefusal.tooLarge) {
            _ = try await Self.submit(.init(body: String(repeating: "a", count: 101)))
        }
        await #expect(throws: OutboundRefusal.addressNotAllowed) {
            _ = try await Self.submit(.init(), policy: OutboundPolicy())
        }
    }
}
