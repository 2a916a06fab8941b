import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

extension JourneyTests {
    /// The doors as they are served by default: TLS on each.
    @Suite(.tlsServer, .serialized) struct TLSTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        @Test(
            "RFC 8446: every door serves a client that trusts the authority, and goes on after clear text and garbage")
        func doors() async throws {
            let server = context.server
            #expect(server.endpoints.http.hasPrefix("https://"))
            #expect(server.endpoints.dimse.tls)
            #expect(server.endpoints.mllp.tls)
            for port in [server.httpPort, server.endpoints.dimse.port, server.endpoints.mllp.port] {
                for bytes in [Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0xFF, count: 600)] {
                    let answer = try await Wire.connect(port: port) { wire in
                        try? await wire.send(bytes)
                        while await wire.more() {}
                        return Array(wire.received.readableBytesView)
                    }
                    // At most an alert (content type 21), never an answer of the protocol behind.
                    #expect(answer.isEmpty || answer.first == 21, "port \(port)")
                }
            }
            let tls = try Wire.tls(server.folder)
            #expect(try await context.fhir(.POST, "/Patient", Samples.patient("TLS")).status == 201)
            #expect(try await context.patients("urn:journey", "TLS") == 1)
            let file = try Samples.file(study: "1.2.30", instance: "1.2.30.1")
            #expect(try await context.stow([file]).status == 200)
            #expect(try await DIMSEPeer.isEchoed(server, tls: tls))
            #expect(try await MLLPPeer.send(Samples.message("TLS-1"), to: server, tls: tls)?.code == "AA")
        }

        @Test(
            "X15, RFC 9325 §4.2: every door agrees on suites with authenticated encryption only, in TLS 1.2 as in 1.3",
            arguments: [
                ("1.3", nil, true), ("1.2", nil, true),
                ("1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", true), ("1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", true),
                ("1.2", "ECDHE-ECDSA-CHACHA20-POLY1305", true),
                ("1.2", "ECDHE-ECDSA-AES128-SHA", false), ("1.2", "ECDHE-ECDSA-AES256-SHA", false),
                ("1.2", "ECDHE-RSA-AES128-SHA", false), ("1.2", "AES128-SHA", false),
                ("1.2", "AES128-GCM-SHA256", false),
                ("1.1", nil, false), ("1.0", nil, false),
            ] as [(String, String?, Bool)])
        func suites(version: String, suite: String?, isAgreed: Bool) async throws {
            let versions: [String: TLSVersion] = ["1.0": .tlsv1, "1.1": .tlsv11, "1.2": .tlsv12, "1.3": .tlsv13]
            var client = TLSConfiguration.makeClientConfiguration()
            client.trustRoots = .file(context.server.folder.path + "/tls/ca.pem")
            client.minimumTLSVersion = try #require(versions[version])
            client.maximumTLSVersion = versions[version]
            if let suite { client.cipherSuites = suite }
            let tls = try NIOSSLContext(configuration: client)
            let server = context.server
            for port in [server.httpPort, server.endpoints.dimse.port, server.endpoints.mllp.port] {
                #expect(try await Wire.shakesHands(port: port, tls) == isAgreed, "port \(port)")
            }
        }
    }
}
