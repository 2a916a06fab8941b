import Access
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPSupport

/// Codings of what is sent and answered. RFC 9110 §8.4, §12.5.3, §15.5.16; RFC 1952.
@Suite(.takingTurns) struct ContentCodingTests {
    /// `{"resourceType":"Patient"}` by another encoder (CPython's gzip).
    private static let patient: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 42, 74, 45, 206, 47, 45, 74, 78, 13, 169, 44, 72, 85, 178, 82, 10, 72,
        44, 201, 76, 205, 43, 81, 170, 5, 0, 190, 238, 3, 93, 26, 0, 0, 0,
    ]
    private static let json = String(repeating: #"{"resourceType":"Patient"},"#, count: 400)

    /// Two megabytes are the most that is read of a body.
    private static func responder() throws -> APIResponder {
        @Sendable func text(_ type: String, _ text: String, _ headers: HTTPFields = [:]) -> Route.Handler {
            { _ in .bytes(Array(text.utf8), contentType: type, headers: headers) }
        }
        var limits = HTTPLimits()
        limits.bodyBytesMax = 2 << 20
        let fhir = "application/fhir+json; charset=utf-8"
        let routes = [
            Route(
                .get, "/json", operationID: "json", access: .open, handler: text(fhir, json, [.eTag: "W/\"1\""])),
            Route(.get, "/small", operationID: "small", access: .open, handler: text(fhir, "{}")),
            Route(
                .get, "/cached", operationID: "cached", access: .open,
                handler: text(fhir, "{}", [.cacheControl: "no-cache"])),
            Route(
                .get, "/parts", operationID: "parts", access: .open,
                handler: text(#"multipart/related; type="application/dicom"; boundary=b"#, json)),
            Route(.get, "/xml", operationID: "xml", access: .open, handler: text("application/dicom+xml", json)),
            Route(
                .get, "/xml-parts", operationID: "xmlParts", access: .open,
                handler: text(#"multipart/related; type="application/dicom+xml"; boundary=b"#, json)),
            Route(
                .get, "/json-parts", operationID: "jsonParts", access: .open,
                handler: text(#"multipart/related; type="application/dicom+json"; boundary=b"#, json)),
            Route(.get, "/object", operationID: "object", access: .open, handler: text("application/dicom", json)),
            Route(.get, "/lines", operationID: "lines", access: .open) { _ in
                .stream(contentType: "application/fhir+ndjson") { writer in
                    for _ in 0..<300 { try await writer.write(ByteBuffer(string: json)) }
                }
            },
            Route(.get, "/breaks", operationID: "breaks", access: .open) { _ in
                .stream(contentType: "application/fhir+ndjson") { writer in
                    try await writer.write(ByteBuffer(string: json))
                    throw CancellationError()
                }
            },
            Route(.get, "/unchanged", operationID: "unchanged", access: .open) { _ in
                .empty(.notModified, headers: [.eTag: "W/\"1\""])
            },
            Route(.post, "/echo", operationID: "echo", access: .open) { request in
                .buffer(try await request.collectBody(), contentType: "application/octet-stream")
            },
            Route(.post, "/pieces", operationID: "pieces", access: .open) { request in
                var count = 0
                for try await piece in try request.plainBody() { count += piece.readableBytes }
                return .bytes(Array("\(count)".utf8), contentType: "text/plain")
            },
        ]
        return APIResponder(
            table: try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: routes)]),
            authenticator: BearerAuthenticator(
                tokens: MemoryAnswerSupport.Tokens(), audit: APIResponderTests.Trail(), realm: "h"),
            limits: limits, newRequestID: { "id" })
    }

    static func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        var decoder = try GzipDecoder()
        var all: [UInt8] = []
        try decoder.add(ByteBuffer(bytes: bytes)) { (piece) throws(HTTPFailure) in all += piece.readableBytesView }
        try decoder.finish()
        return all
    }

    static func deflated(_ bytes: [UInt8]) throws -> [UInt8] {
        Array(try GzipEncoder.whole(ByteBuffer(bytes: bytes)).readableBytesView)
    }

    @Test(
        "RFC 9110 §12.5.3: gzip is sent where it is listed with a weight, and liked no less than the content as it is")
    func acceptEncoding() {
        for header in [
            "gzip", "GZIP", "x-gzip", "*", "br, gzip", "deflate,gzip;q=0.001", "gzip;q=1.0, identity; q=0.5, *;q=0",
            ",, gzip ; q=0.3 ,", "identity;q=0, gzip", "identity, gzip", "br;level=1, gzip", "*;q=0.1, br",
        ] {
            #expect(ContentCoding.best(of: header) == .gzip, "\(header)")
        }
        for header in [
            "", "identity", "br", "deflate", "gzip;q=0", "gzip;q=0.000", "gzip;q=0, *", "*;q=0", "identity;q=0",
            "gzip;q=0.5, identity", "gzip;q=0.5, identity;q=0.6", "gzip;q=2", "gzip;q=", "gzip;q=0.1234", "gzip;q",
            "gzip q=1", "\"gzip\"", "gzip;level=9", "gzipped",
            String(repeating: "br,", count: 100) + "gzip",
        ] {
            #expect(ContentCoding.best(of: header) == .identity, "\(header)")
        }
    }

    @Test("RFC 9110 §8.4: text is compressed for whoever asks, caches are told, and the entity tag stays weak")
    func answers() async throws {
        let responder = try Self.responder()
        let plain = try await responder.answer(.get, "/json")
        #expect(plain[.contentEncoding] == nil)
        #expect(plain[.vary] == nil, "nobody may keep it, so nobody is told")
        let coded = try await responder.answer(.get, "/json", headers: [.acceptEncoding: "gzip"])
        #expect(coded[.contentEncoding] == "gzip")
        #expect(coded[.vary] == "Accept-Encoding")
        #expect(coded[.eTag] == "W/\"1\"")
        #expect(coded[.contentLength] == nil)
        #expect(coded.body.count < plain.body.count / 10)
        #expect(try Self.inflated(coded.body) == plain.body)
        let refused = try await responder.answer(.get, "/json", headers: [.acceptEncoding: "gzip;q=0"])
        #expect(refused[.contentEncoding] == nil)
        #expect(refused[.vary] == "Accept-Encoding")
        #expect(refused.body == plain.body)
        let lines = try await responder.answer(.get, "/lines", headers: [.acceptEncoding: "gzip"])
        #expect(lines[.contentEncoding] == "gzip")
        #expect(try Self.inflated(lines.body) == Array(String(repeating: Self.json, count: 300).utf8))
        let missing = try await responder.answer(.get, "/missing", headers: [.acceptEncoding: "gzip"])
        #expect(missing.status == 404)
        #expect(missing[.contentEncoding] == nil, "it is short")
    }

    @Test(
        "RFC 9110 §8.4: DICOM attributes are text, in XML and in parts of it too",
        arguments: ["/xml", "/xml-parts", "/json-parts"])
    func attributes(_ path: String) async throws {
        let responder = try Self.responder()
        let plain = try await responder.answer(.get, path)
        let coded = try await responder.answer(.get, path, headers: [.acceptEncoding: "gzip"])
        #expect(plain[.contentEncoding] == nil && coded[.contentEncoding] == "gzip")
        #expect(coded[.vary] == "Accept-Encoding" && coded[.contentType] == plain[.contentType])
        #expect(try Self.inflated(coded.body) == plain.body)
    }

    @Test("RFC 9110 §8.4: DICOM objects, parts and short answers leave as they are; 304 tells caches as 200 does")
    func uncoded() async throws {
        let responder = try Self.responder()
        for (path, vary) in [
            ("/parts", nil), ("/object", nil), ("/small", "Accept-Encoding"), ("/unchanged", "Accept-Encoding"),
        ] {
            let plain = try await responder.answer(.get, path)
            let answer = try await responder.answer(.get, path, headers: [.acceptEncoding: "gzip"])
            #expect(answer[.contentEncoding] == nil, "\(path)")
            #expect(answer[.vary] == vary, "\(path)")
            #expect(answer.body == plain.body, "\(path)")
        }
        #expect(try await responder.answer(.get, "/cached")[.vary] == "Accept-Encoding")
    }

    @Test("RFC 9110 §9.3.2: HEAD has the fields of GET, and no length where GET's is not known")
    func heads() async throws {
        let responder = try Self.responder()
        for path in ["/json", "/lines"] {
            let head = try await responder.answer(.head, path, headers: [.acceptEncoding: "gzip"])
            #expect(head.status == 200)
            #expect(head[.contentEncoding] == "gzip")
            #expect(head[.contentLength] == nil)
            #expect(head.body.isEmpty)
        }
        #expect(try await responder.answer(.head, "/json")[.contentLength] == String(Self.json.utf8.count))
        #expect(try await responder.answer(.head, "/lines")[.contentLength] == nil)
    }

    @Test("A compressed body that breaks off has no end that looks like one")
    func breaks() async throws {
        let responder = try Self.responder()
        await #expect(throws: CancellationError.self) {
            _ = try await responder.answer(.get, "/breaks", headers: [.acceptEncoding: "gzip"])
        }
    }

    @Test("RFC 9110 §15.5.16: a coding that is not read is 415 with the one that is; bodies in pieces take none")
    func refusedCodings() async throws {
        let responder = try Self.responder()
        for coding in ["deflate", "br", "zstd", "compress", "gzip, gzip", "identity, gzip", "gzip;q=1", "*"] {
            let answer = try await responder.answer(.post, "/echo", headers: [.contentEncoding: coding], body: [1])
            #expect(answer.status == 415, "\(coding)")
            #expect(answer[.acceptEncoding] == "gzip", "\(coding)")
        }
        let pieces = try await responder.answer(
            .post, "/pieces", headers: [.contentEncoding: "gzip"], body: Self.patient)
        #expect(pieces.status == 415)
        #expect(pieces[.acceptEncoding] == "identity")
        let type = #"multipart/related; boundary=b; type="application/dicom""#
        let call = APIRequest(
            method: .post, path: "/", headers: [.contentEncoding: "gzip", .contentType: type],
            access: AccessContext(principal: Principal(kind: .client, id: "a"), scopes: [], requestID: "r"))
        #expect(throws: HTTPFailure(.unsupportedMediaType, "")) { _ = try MultipartReader(call) }
    }

    @Test(
        "RFC 1952: a compressed body arrives inflated, also in single bytes and several members; cut or changed it is 400"
    )
    func requests() async throws {
        let responder = try Self.responder()
        func send(_ pieces: [[UInt8]], _ coding: String = "gzip") async throws -> CollectedResponse {
            let body = RequestBody(asyncSequence: Pieces(pieces: pieces.map { ByteBuffer(bytes: $0) }))
            return try await responder.answer(.post, "/echo", headers: [.contentEncoding: coding], body: body)
        }
        let text = #"{"resourceType":"Patient"}"#
        for coding in ["gzip", "GZIP", "x-gzip"] { #expect(try await send([Self.patient], coding).text == text) }
        #expect(try await send(Self.patient.map { [$0] }).text == text)
        #expect(try await send([Self.patient + Self.patient, Self.patient]).text == text + text + text)
        #expect(try await send([Array(text.utf8)], "identity").text == text)
        #expect(try await send([]).body.isEmpty, "no content at all")
        for count in 1..<Self.patient.count {
            #expect(try await send([Array(Self.patient.prefix(count))]).status == 400, "\(count) bytes")
        }
        #expect(try await send([Self.patient + [0]]).status == 400)
        #expect(try await send([Array(text.utf8)]).status == 400)
        for index in [0, 1, 2, 10, 20, Self.patient.count - 8, Self.patient.count - 4] {
            var changed = Self.patient
            changed[index] ^= 0x41
            #expect(try await send([changed]).status == 400, "byte \(index)")
        }
    }

    @Test("RFC 1952: what is compressed here and inflated is the same, whatever its size and its pieces")
    func roundTrips() throws {
        var state: UInt64 = 20_261_129
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
        for size in [0, 1, 1000, 65_535, 65_536, 65_537, 131_072, 300_000] {
            for kinds in [1, 3, 256] {
                let bytes = (0..<size).map { _ in UInt8(next() % kinds) }
                var encoder = try GzipEncoder()
                var coded = ByteBuffer()
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = min(rest.count, 1 + next() % 70_000)
                    encoder.add(ByteBuffer(bytes: rest.prefix(count)).readableBytesView, to: &coded)
                    rest = rest.dropFirst(count)
                }
                encoder.finish(&coded)
                var decoder = try GzipDecoder()
                var found: [UInt8] = []
                while let piece = coded.readSlice(length: min(coded.readableBytes, 1 + next() % 5_000)),
                    piece.readableBytes > 0
                {
                    try decoder.add(piece) { (piece) throws(HTTPFailure) in
                        #expect(piece.readableBytes <= 64 << 10)
                        found += piece.readableBytesView
                    }
                }
                try decoder.finish()
                #expect(found == bytes, "\(size) bytes of \(kinds) kinds")
            }
        }
    }

    @Test(
        "RFC 9110 §15.5.14: a body that inflates past the limit is 413 as soon as it does; so is one of empty members")
    func bombs() async throws {
        var encoder = try GzipEncoder()
        var bomb = ByteBuffer()
        let zeros = ByteBuffer(repeating: 0, count: 1 << 20)
        for _ in 0..<64 { encoder.add(zeros.readableBytesView, to: &bomb) }
        encoder.finish(&bomb)
        #expect(bomb.readableBytes < 2 << 20, "shorter than the limit as it is sent")
        let pieces = Array(bomb.readableBytesView).chunked(4096)
        let taken = Mutex(0)
        let responder = try Self.responder()
        let answer = try await responder.answer(
            .post, "/echo", headers: [.contentEncoding: "gzip"],
            body: RequestBody(asyncSequence: Pieces(pieces: pieces) { taken.withLock { $0 += 1 } }))
        #expect(answer.status == 413)
        #expect(taken.withLock { $0 } <= 3, "a piece of 4 KiB is nearly 1 MiB; the rest was not read")
        let nothing = ByteBuffer(bytes: Array(repeating: try Self.deflated([]), count: 1000).flatMap { $0 })
        let endless = try await responder.answer(
            .post, "/echo", headers: [.contentEncoding: "gzip"],
            body: RequestBody(asyncSequence: Pieces(pieces: Array(repeating: nothing, count: 1000))))
        #expect(endless.status == 413)
    }

    @Test("RFC 9110 §12.5.3: answers from memory are compressed too; long ones take the usual way")
    func memory() throws {
        func answer(_ type: String, _ count: Int, _ status: HTTPResponse.Status = .ok) -> MemoryAnswer {
            MemoryAnswer(
                status: status, headers: [.contentType: type, .eTag: "W/\"1\""],
                body: .bytes(ByteBuffer(repeating: UInt8(ascii: "a"), count: count)),
                record: AuditRecord(
                    category: .rest, interaction: "read", action: .read, outcome: .success,
                    access: AccessContext(principal: Principal(kind: .client, id: "a"), scopes: [], requestID: "r")))
        }
        let coded = try #require(answer("application/fhir+json", 4000).compressed(for: "gzip"))
        #expect(coded.headers[.contentEncoding] == "gzip")
        #expect(coded.headers[.vary] == "Accept-Encoding")
        #expect(coded.headers[.eTag] == "W/\"1\"")
        guard case .bytes(let bytes) = coded.body else {
            Issue.record("no bytes")
            return
        }
        #expect(try Self.inflated(Array(bytes.readableBytesView)).count == 4000)
        #expect(coded.length == bytes.readableBytes)
        for (type, count, accept) in [
            ("application/fhir+json", 1023, "gzip"), ("application/fhir+json", 4000, "br"),
            ("application/fhir+json", 400_000, "br"), ("application/dicom", 400_000, "gzip"),
        ] {
            let plain = try #require(answer(type, count).compressed(for: accept))
            #expect(plain.headers[.contentEncoding] == nil, "\(type) \(count)")
            #expect(plain.length == count, "\(type) \(count)")
        }
        #expect(answer("application/fhir+json", 20_000).compressed(for: "gzip") == nil)
        let unchanged = try #require(answer("application/fhir+json", 0, .notModified).compressed(for: "gzip"))
        #expect(unchanged.headers[.vary] == "Accept-Encoding")
    }

    @Test("RFC 9112 §6.3: compressed answers from memory have their length on the wire, beside those that are not")
    func wire() async throws {
        let known = MemoryAnswerSupport.Known { request in
            MemoryAnswer(
                status: .ok, headers: [.contentType: "text/plain"],
                body: .bytes(ByteBuffer(string: String(repeating: "a", count: 5000))),
                record: AuditRecord(
                    category: .rest, interaction: "read", action: .read, outcome: .success, access: request.access))
        }
        let route = Route(
            .get, "/x", operationID: "x", access: .bearer(.permission(.read, on: "Patient")), fromMemory: known
        ) { _ in .bytes(Array("usual".utf8), contentType: "text/plain") }
        let responder = APIResponder(
            table: try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: [route])]),
            authenticator: BearerAuthenticator(
                tokens: MemoryAnswerSupport.Tokens(), audit: MemoryAnswerSupport.GatedTrail(), realm: "h"),
            newRequestID: { "id" })
        try await ListenerHarness.serving(
            responder,
            {
                HTTPListener(
                    responder: $0, memory: MemoryAnswerSupport.memory(responder), limits: ListenerHarness.limits)
            }
        ) { port in
            func get(_ more: String) -> String {
                "GET /x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer good\r\n\(more)\r\n"
            }
            let all = try await ListenerHarness.exchange(
                port, get("Accept-Encoding: gzip\r\n") + get("Connection: close\r\n"))
            let end = try #require(all.indices.first { all[$0...].starts(with: Array("\r\n\r\n".utf8)) })
            let head = String(decoding: all[..<end], as: UTF8.self).lowercased()
            #expect(head.contains("content-encoding: gzip"))
            let line = try #require(head.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") })
            let count = try #require(Int(line.dropFirst("content-length: ".count)))
            let body = Array(all[(end + 4)..<(end + 4 + count)])
            #expect(try Self.inflated(body) == Array(repeating: UInt8(ascii: "a"), count: 5000))
            #expect(all[(end + 4 + count)...].starts(with: Array("HTTP/1.1 200".utf8)))
        }
    }
}

/// Buffers that arrive one by one.
private struct Pieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    let pieces: [ByteBuffer]
    var taken: @Sendable () -> Void = {}

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<ByteBuffer>
        let taken: @Sendable () -> Void
        mutating func next() async -> ByteBuffer? {
            guard let piece = rest.popFirst() else { return nil }
            taken()
            return piece
        }
    }
    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: pieces[...], taken: taken) }
}

extension [UInt8] {
    fileprivate func chunked(_ size: Int) -> [ByteBuffer] {
        stride(from: 0, to: count, by: size).map { ByteBuffer(bytes: self[$0..<Swift.min($0 + size, count)]) }
    }
}
