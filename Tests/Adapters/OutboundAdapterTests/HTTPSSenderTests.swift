import Access
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import OutboundAdapter

/// A request that tells another system something keeps the bounds of a fetch. RFC 9110.
@Suite(.takingTurns) struct HTTPSSenderTests {
    private static let loopback = OutboundPolicy(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })

    private static func post(
        _ answer: String, delay: TimeAmount = .zero, limits: HTTPSOutbound.Limits = HTTPSOutbound.Limits(),
        policy: OutboundPolicy = loopback, url: (Int) -> String = { "https://127.0.0.1:\($0)/hook" }
    ) async throws -> OutboundAnswer {
        // The event loops are shared with all other tests, which may keep them for long.
        var limits = limits
        (limits.connect, limits.idle) = (.minutes(10), .minutes(10))
        if delay == .zero { limits.total = .minutes(10) }
        return try await HTTPSOutboundTests.serving(answer, delay: delay) { [limits] port, authority in
            let sender = HTTPSSender(
                HTTPSOutbound(policy: policy, limits: limits, authoritiesFile: authority))
            let result: Result<OutboundAnswer, any Error>
            do {
                result = .success(
                    try await sender.post(
                        OutboundRequest(
                            url: url(port), headers: [OutboundHeader(trusted: "A", "b")], body: Array("{}".utf8))))
            } catch { result = .failure(error) }
            await sender.close()
            return try result.get()
        }
    }

    @Test("An answer is its status and, in seconds, when to try again")
    func answers() async throws {
        #expect(
            try await Self.post("HTTP/1.1 204 No Content\r\n\r\n") == OutboundAnswer(status: 204))
        #expect(
            try await Self.post("HTTP/1.1 429 Wait\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n")
                == OutboundAnswer(status: 429, retryAfterSeconds: 17))
        for text in ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "x", "99999999999999999999"] {
            #expect(
                try await Self.post("HTTP/1.1 503 No\r\nRetry-After: \(text)\r\nContent-Length: 0\r\n\r\n")
                    == OutboundAnswer(status: 503))
        }
    }

    @Test("A redirect is an answer and is not followed")
    func redirect() async throws {
        let answer = try await Self.post(
            "HTTP/1.1 307 Elsewhere\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        #expect(answer.status == 307)
    }

    @Test("Of an answer of 10 MB the status counts and the rest is not read; nor does it matter where one breaks off")
    func largeAnswer() async throws {
        let body = String(repeating: "a", count: 10 << 20)
        #expect(try await Self.post("HTTP/1.1 200 OK\r\nContent-Length: \(10 << 20)\r\n\r\n" + body).status == 200)
        #expect(try await Self.post("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc").status == 200)
    }

    @Test("A host that accepts and never answers is given up in time")
    func hang() async throws {
        var limits = HTTPSOutbound.Limits()
        limits.total = .milliseconds(300)
        await #expect(throws: OutboundFailure.noAnswer) {
            _ = try await Self.post("HTTP/1.1 200 OK\r\n\r\n", delay: .hours(1), limits: limits)
        }
    }

    @Test("Of an answer whose bytes come one by one the status counts once the time is over")
    func drip() async throws {
        var limits = HTTPSOutbound.Limits()
        (limits.connect, limits.idle) = (.minutes(10), .minutes(10))
        // The head comes within it, however loaded the machine is.
        limits.total = .seconds(3)
        let (clock, begin) = (ContinuousClock(), ContinuousClock.now)
        let answer = try await HTTPSOutboundTests.serving(
            "HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n", drips: true
        ) { [limits] port, authority in
            let sender = HTTPSSender(
                HTTPSOutbound(policy: Self.loopback, limits: limits, authoritiesFile: authority))
            let answer = try await sender.post(OutboundRequest(url: "https://127.0.0.1:\(port)/"))
            await sender.close()
            return answer
        }
        #expect(answer == OutboundAnswer(status: 202))
        // The 16 KiB that are read at most would take 80 seconds.
        #expect(clock.now - begin < .seconds(60))
    }

    @Test("Where nobody listens, the certificate is not trusted or the answer is no HTTP, it is said so")
    func failures() async throws {
        await #expect(throws: OutboundFailure.noConnection) {
            _ = try await Self.post("") { _ in "https://127.0.0.1:1/" }
        }
        await #expect(throws: OutboundFailure.notTrusted) {
            try await HTTPSOutboundTests.serving("HTTP/1.1 200 OK\r\n\r\n") { port, _ in
                var limits = HTTPSOutbound.Limits()
                (limits.connect, limits.idle) = (.minutes(10), .minutes(10))
                limits.total = .minutes(10)
                let sender = HTTPSSender(HTTPSOutbound(policy: Self.loopback, limits: limits))
                do {
                    _ = try await sender.post(OutboundRequest(url: "https://127.0.0.1:\(port)/"))
                } catch {
                    await sender.close()
                    throw error
                }
                await sender.close()
            }
        }
        await #expect(throws: OutboundFailure.broken) { _ = try await Self.post("garbage\r\n\r\n") }
    }

    @Test(
        "What is not allowed is not dialled",
        arguments: ["http://127.0.0.1:PORT/", "https://127.0.0.1:PORT/#x", "https://2130706433:PORT/"])
    func refused(_ url: String) async throws {
        await #expect(throws: OutboundRefusal.self) {
            _ = try await Self.post("") { url.replacingOccurrences(of: "PORT", with: "\($0)") }
        }
    }

    @Test("This machine and names that lead to it are not dialled unless the site says so")
    func loopbackRefused() async throws {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            await #expect(throws: OutboundRefusal.addressNotAllowed) {
                _ = try await Self.post("", policy: OutboundPolicy()) { "https://\(host):\($0)/" }
            }
        }
    }
}

/// Header fields that a stranger wants to be sent. RFC 9110 §5.
@Suite(.takingTurns) struct OutboundHeaderTests {
    @Test("A name that is a token and a value in printable ASCII are taken, blanks around the value left out")
    func taken() throws {
        let header = try #require(OutboundHeader(line: "Authorization:  Bearer a:b=  "))
        #expect(header.name == "Authorization")
        #expect(header.value == "Bearer a:b=")
    }

    @Test(
        "What could begin another line, is no token, says nothing or is the connection's own is refused",
        arguments: [
            "X-A: b\r\nX-C: d", "X-A: b\nX", "X-A: b\r", "X\r\n-A: b", "X A: b", "X-A : b", ": b", "X-A", "X-A:",
            "X-A:  ",
            "X-A: ü", "X-Ä: b", "X-A: \u{0}", "X-A: \u{7F}", "X-A: a\tb", "Host: elsewhere", "content-LENGTH: 0",
            "Transfer-Encoding: chunked", "Connection: close", "Content-Type: text/plain", "Expect: 100-continue",
        ])
    func refused(_ line: String) { #expect(OutboundHeader(line: line) == nil) }
}
