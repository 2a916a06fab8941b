import Access
import Cryptography
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import OutboundAdapter

/// Large contents by the way out. RFC 9110 §15.4.
@Suite("Downloads keep to the policy", .takingTurns)
struct HTTPSDownloadsTests {
    private static let loopback = OutboundPolicy(allowedNetworks: ["127.0.0.0/8"].compactMap { IPNetwork($0) })

    private final class Taken: Sendable {
        struct Answer {
            var status = 0
            var tag: String?
            var bytes: [UInt8] = []
        }
        let answer = Mutex(Answer())
    }

    /// What a server of one answer is seen to send.
    private static func download(
        _ answer: String, policy: OutboundPolicy = loopback, path: String = "/file"
    ) async throws -> Taken.Answer {
        try await HTTPSOutboundTests.serving(answer) { port, authority in
            var limits = HTTPSOutbound.Limits()
            (limits.connect, limits.idle) = (.minutes(10), .minutes(10))
            let downloads = HTTPSDownloads(
                HTTPSOutbound(policy: policy, limits: limits, authoritiesFile: authority))
            let taken = Taken()
            do {
                try await downloads.download("https://127.0.0.1:\(port)\(path)", headers: []) { head, content in
                    taken.answer.withLock {
                        $0.status = head.status
                        $0.tag = head["etag"]
                    }
                    while let piece = try await content.next() { taken.answer.withLock { $0.bytes += piece } }
                }
            } catch {
                await downloads.close()
                throw error
            }
            await downloads.close()
            return taken.answer.withLock { $0 }
        }
    }

    @Test("A content is read to its end with the head that came before it")
    func whole() async throws {
        let body = String(repeating: "x", count: 100_000)
        let answer = try await Self.download(
            "HTTP/1.1 200 OK\r\nETag: \"7\"\r\nContent-Length: 100000\r\n\r\n" + body)
        #expect(answer.status == 200)
        #expect(answer.tag == "\"7\"")
        #expect(answer.bytes == Array(body.utf8))
    }

    @Test("RFC 9110 §15.4: a redirect is an answer, wherever it leads")
    func redirect() async throws {
        let answer = try await Self.download(
            "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/secret\r\nContent-Length: 0\r\n\r\n")
        #expect(answer.status == 302)
        #expect(answer.bytes.isEmpty)
    }

    @Test("A content that is shorter than its length is no whole one")
    func short() async throws {
        await #expect(throws: OutboundFailure.self) {
            try await Self.download("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
        }
    }

    @Test("An address that the policy does not allow is not dialled")
    func policy() async throws {
        await #expect(throws: OutboundRefusal.addressNotAllowed) {
            try await Self.download("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", policy: OutboundPolicy())
        }
    }

    @Test("A token is for what lies below its base, and for nothing that leads elsewhere")
    func sources() throws {
        let tokens = AccessTokenSource(
            .init(
                tokenURL: "https://ehr.example/token", clientID: "c", scope: "system/*.rs", key: try PrivateKey(.p384)),
            sender: HTTPSSender(HTTPSOutbound(policy: Self.loopback)), now: { UTCInstant(microseconds: 0) },
            newID: { "1" })
        let source = try HTTPSDownloads.Source(base: "https://EHR.example/fhir", tokens: tokens)
        for url in [
            "https://ehr.example/fhir/", "https://ehr.example:443/fhir/_export/1/0",
            "https://ehr.example/fhir/a?b=/../c",
        ] {
            #expect(source.holds(try OutboundURL(url)), "\(url)")
        }
        for url in [
            "https://ehr.example/fhir", "https://ehr.example/fhirs/1", "https://ehr.example:444/fhir/1",
            "https://ehr.example.evil.example/fhir/1", "https://other.example/fhir/1",
            "https://ehr.example/fhir/../other", "https://ehr.example/fhir/%2e%2e/other",
            "https://ehr.example/fhir/%2E%2E/other", "https://ehr.example/fhir/a%2f..%2fb",
            "https://ehr.example/fhir/./x",
            "https://evil.example/?https://ehr.example/fhir/",
        ] {
            #expect(!source.holds(try OutboundURL(url)), "\(url)")
        }
    }

    @Test("Content-Range and Content-Length are read, and what is none is not")
    func heads() {
        func head(_ name: String, _ value: String) -> DownloadHead {
            DownloadHead(status: 206, fields: [(name, value)])
        }
        let range = head("Content-Range", "bytes 5-9/10").contentRange
        #expect(range?.first == 5 && range?.whole == 10)
        let open = head("content-range", "bytes 5-9/*").contentRange
        #expect(open?.first == 5 && open?.whole == nil)
        for bad in ["", "bytes", "bytes */10", "items 1-2/3", "bytes -5-9/10", "bytes x-9/10"] {
            #expect(head("Content-Range", bad).contentRange == nil, "\(bad)")
        }
        #expect(head("CONTENT-LENGTH", "7").length == 7)
        #expect(head("Content-Length", "-7").length == nil)
        #expect(head("Content-Length", "7, 8").length == nil)
    }
}
