import Access
import HTTPTypes
import TestSupport
import Testing

@testable import HTTPSupport

/// RFC 7239, and the fields that proxies wrote before it: whose word counts.
@Suite(.takingTurns) struct TrustedProxiesTests {
    private static func proxies(_ field: TrustedProxies.Field = .xForwardedFor) throws -> TrustedProxies {
        TrustedProxies(networks: try ["10.0.0.0/24", "fd00::/64"].map { try #require(IPNetwork($0)) }, field: field)
    }

    private static func client(
        _ fields: [(HTTPField.Name, String)], from peer: String? = "10.0.0.1",
        by field: TrustedProxies.Field = .xForwardedFor
    ) throws -> TrustedProxies.Client? {
        var headers = HTTPFields()
        for (name, value) in fields { headers.append(HTTPField(name: name, value: value)) }
        return try proxies(field).client(behind: peer, headers)
    }

    @Test(
        "The rightmost address that is no trusted proxy's is the client's; what stands left of it counts for nothing",
        arguments: [
            ("203.0.113.7", "203.0.113.7"), ("1.1.1.1, 203.0.113.7", "203.0.113.7"),
            ("1.1.1.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"), ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db8::7]:443", "2001:db8:0:0:0:0:0:7"), ("2001:db8::7", "2001:db8:0:0:0:0:0:7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            // Nobody further off is known.
            ("1.1.1.1, unknown", "10.0.0.1"), ("1.1.1.1, _hidden, 10.0.0.9", "10.0.0.9"),
            ("1.1.1.1, 999.1.1.1", "10.0.0.1"),
            // The field has no quoted strings, so a client cannot hide behind a proxy with one that it opens.
            ("\", 203.0.113.7", "203.0.113.7"), ("\"1.1.1.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"),
            // Nor with a sign that makes one character with what comes behind it.
            ("1.1.1.1\u{600}, 203.0.113.7", "203.0.113.7"),
            // All are trusted: the furthest.
            ("10.0.0.7, 10.0.0.8", "10.0.0.7"), ("127.0.0.1", "127.0.0.1"), ("127.0.0.1, 203.0.113.7", "203.0.113.7"),
        ])
    func forwardedFor(_ field: String, _ client: String) throws {
        #expect(try Self.client([(.xForwardedFor, field)])?.address == client)
        // Also in several fields.
        let parts = field.split(separator: ",").map { (HTTPField.Name.xForwardedFor, String($0)) }
        #expect(try Self.client(parts)?.address == client)
    }

    @Test(
        "RFC 7239 §4: elements, quoted strings and parameters of Forwarded",
        arguments: [
            ("for=203.0.113.7", "203.0.113.7", false),
            ("For=\"[2001:db8::7]:47011\";proto=https", "2001:db8:0:0:0:0:0:7", false),
            ("for=1.1.1.1, for=203.0.113.7;proto=http;by=10.0.0.9", "203.0.113.7", true),
            ("for=203.0.113.7;proto=http, for=10.0.0.8;proto=https", "203.0.113.7", true),
            ("for=\"a,b;for=1.1.1.1\", for=203.0.113.7", "203.0.113.7", false),
            ("for=unknown;proto=http", "10.0.0.1", true), ("proto=https", "10.0.0.1", false),
            ("for=\"203.0.113.7\\\"", "10.0.0.1", false), (";;,,for=203.0.113.7", "203.0.113.7", false),
            // What the client left open does not swallow what the proxy wrote, quoted or not.
            ("for=\"1.1.1.1, for=203.0.113.7;proto=http", "203.0.113.7", true),
            ("for=\"a\\, for=\"[2001:db8::7]:47011\"", "2001:db8:0:0:0:0:0:7", false),
        ] as [(String, String, Bool)])
    func forwarded(_ field: String, _ client: String, _ isClearText: Bool) throws {
        let found = try #require(try Self.client([(.forwarded, field)], by: .forwarded))
        #expect(found == TrustedProxies.Client(address: client, isClearText: isClearText))
    }

    @Test("Nobody else's word is taken, and no other field than the one that the proxies write")
    func untrusted() throws {
        let fields: [(HTTPField.Name, String)] = [(.xForwardedFor, "203.0.113.7"), (.forwarded, "for=1.1.1.1")]
        for peer in ["10.0.1.1", "127.0.0.1", "::1", nil, ""] as [String?] {
            #expect(try Self.client(fields, from: peer) == nil)
        }
        #expect(TrustedProxies.none.client(behind: "10.0.0.1", [.xForwardedFor: "203.0.113.7"]) == nil)
        #expect(try Self.client([(.forwarded, "for=1.1.1.1")]) == nil)
        #expect(try Self.client([(.xForwardedFor, "203.0.113.7")], by: .forwarded) == nil)
        #expect(try Self.client(fields, from: "::ffff:10.0.0.2")?.address == "203.0.113.7")
        #expect(try Self.client(fields, by: .forwarded)?.address == "1.1.1.1")
    }

    @Test("A hundred thousand addresses are not all looked at")
    func bounded() throws {
        let many = Array(repeating: "10.0.0.5", count: 100_000).joined(separator: ",")
        #expect(try Self.client([(.xForwardedFor, "203.0.113.7," + many)])?.address == "10.0.0.5")
    }

    @Test(
        "The client behind a proxy is who is counted and put on record, is told of TLS by what it speaks, and is not local"
    )
    func responder() async throws {
        var responder = try APIResponderTests.responder(tls: true)
        responder.proxies = TrustedProxies(networks: [try #require(IPNetwork("127.0.0.1"))])
        let metrics = try await responder.answer(.get, "/metrics", sourceAddress: "127.0.0.1")
        #expect(metrics.status == 200)
        for address in ["203.0.113.7", "127.0.0.1"] {
            let headers: HTTPFields = [.xForwardedFor: address, .xForwardedProto: "https"]
            let answer = try await responder.answer(.get, "/metrics", headers: headers, sourceAddress: "127.0.0.1")
            #expect(answer.status == 401)
            #expect(answer[.strictTransportSecurity] != nil)
        }
        let clear: HTTPFields = [.xForwardedFor: "203.0.113.7", .xForwardedProto: "http"]
        let answer = try await responder.answer(.get, "/open", headers: clear, sourceAddress: "127.0.0.1")
        #expect(answer.status == 200)
        #expect(answer[.strictTransportSecurity] == nil)
        // A proxy that nobody named makes its clients no callers of this machine.
        responder.proxies = .none
        for headers: HTTPFields in [
            [.xForwardedFor: "203.0.113.7"], [.forwarded: "for=127.0.0.1"], [.xForwardedProto: "https"],
            [.xForwardedHost: "hilum.example"], [.xRealIP: "203.0.113.7"], [.via: "1.1 proxy"],
        ] {
            #expect(
                try await responder.answer(.get, "/metrics", headers: headers, sourceAddress: "127.0.0.1").status == 401
            )
        }
    }
}
