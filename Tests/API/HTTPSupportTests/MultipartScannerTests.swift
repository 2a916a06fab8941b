import Hummingbird
import NIOCore
import TestSupport
import Testing

@testable import HTTPSupport

/// RFC 2046 §5.1.1, RFC 2387.
@Suite(.takingTurns) struct MultipartScannerTests {
    struct Part: Equatable {
        var headers: [String]
        var content: [UInt8]
    }

    static func parts(
        _ body: [UInt8], boundary: String = "b", pieces: [Int] = [], limits: MultipartLimits = MultipartLimits()
    )
        throws -> [Part]
    {
        let type = MediaType(type: "multipart", subtype: "related", parameters: [("boundary", boundary)])
        var scanner = try MultipartScanner(contentType: type, limits: limits)
        var parts: [Part] = []
        var open = false
        func drain() throws {
            while let event = try scanner.next() {
                switch event {
                case .partBegan(let headers):
                    parts.append(Part(headers: headers.fields.map { "\($0.name)=\($0.value)" }, content: []))
                    open = true
                case .content(let piece):
                    #expect(open)
                    #expect(piece.readableBytes > 0)
                    parts[parts.count - 1].content += Array(piece.readableBytesView)
                case .partEnded: open = false
                case .closed: #expect(!open)
                }
            }
        }
        var start = 0
        for end in pieces.filter({ $0 <= body.count }) + [body.count] where end > start {
            scanner.feed(ByteBuffer(bytes: body[start..<end]))
            try drain()
            start = end
        }
        try scanner.finish()
        return parts
    }
    static func parts(_ text: String, limits: MultipartLimits = MultipartLimits()) throws -> [Part] {
        try parts(Array(text.utf8), limits: limits)
    }

    @Test("A missing boundary, one of 71 bytes, an empty one and one ending in a space are refused; one of 70 is taken")
    func boundaries() throws {
        func scanner(_ type: String) throws -> MultipartScanner {
            try MultipartScanner(contentType: try #require(MediaType(type)))
        }
        #expect(throws: MultipartError.noBoundary) { _ = try scanner("multipart/related") }
        #expect(throws: MultipartError.noBoundary) { _ = try scanner("application/dicom; boundary=x") }
        #expect(throws: MultipartError.malformedBoundary) { _ = try scanner("multipart/related; boundary=\"\"") }
        #expect(throws: MultipartError.malformedBoundary) { _ = try scanner("multipart/related; boundary=\"a \"") }
        #expect(throws: MultipartError.malformedBoundary) { _ = try scanner("multipart/related; boundary=\"a\\\"b\"") }
        let long = String(repeating: "x", count: 70)
        #expect(throws: MultipartError.malformedBoundary) { _ = try scanner("multipart/related; boundary=\(long)x") }
        _ = try scanner("multipart/related; boundary=\(long)")
    }

    @Test("A body that ends before its closing delimiter names the place; one without a delimiter never opened")
    func truncated() {
        #expect(throws: MultipartError.neverOpened) { _ = try Self.parts("") }
        #expect(throws: MultipartError.neverOpened) { _ = try Self.parts("no delimiter here\r\n-") }
        let whole = "--b\r\nA: 1\r\n\r\ncontent\r\n--b--"
        for length in 5..<(whole.utf8.count - 1) {
            let cut = String(decoding: Array(whole.utf8)[..<length], as: UTF8.self)
            #expect(throws: MultipartError.neverClosed(offset: Int64(length)), "cut at \(length)") {
                _ = try Self.parts(cut)
            }
        }
    }

    @Test(
        "Content that begins like the delimiter is content: a longer boundary, a lone CR, a delimiter not on its own line"
    )
    func lookalikes() throws {
        let contents = [
            "\r\n--", "\r\n--c", "\r\n--bX\r\n", "\r--b\r\n", "\n--b\r\n", "x--b\r\n", "\r\r\n--\r\n-", "\r\n--b-x",
            "\r\n--b \t;\r\n",
        ]
        for content in contents {
            let body = "--b\r\n\r\n\(content)\r\n--b--\r\n"
            #expect(
                try Self.parts(body) == [Part(headers: [], content: Array(content.utf8))], "\(content.debugDescription)"
            )
        }
    }

    @Test("RFC 2046 §5.1.1: preamble, epilogue and padding after a delimiter are passed over; empty parts are parts")
    func shapes() throws {
        #expect(try Self.parts("--b--").isEmpty)
        #expect(
            try Self.parts(
                "preamble\r\n--b \t\r\nA: 1\r\nb:2 \r\n\r\nx\r\n--b\r\n\r\n\r\n--b\r\nC: 3\r\n\r\n--b--epilogue\r\n--b\r\n"
            )
                == [
                    Part(headers: ["a=1", "b=2"], content: [UInt8(ascii: "x")]), Part(headers: [], content: []),
                    Part(headers: ["c=3"], content: []),
                ])
    }

    @Test(
        "A part header that is folded, has no colon, or ends in a bare LF is refused with its place",
        arguments: ["A: 1\r\n folded", "no colon", "A: 1\nB: 2", ": empty name", "A b: 1", "A: \u{0}", "A: 1\rB: 2"])
    func malformedHeaders(block: String) {
        #expect(throws: MultipartError.malformedPartHeader(offset: 5)) {
            _ = try Self.parts("--b\r\n\(block)\r\n\r\nx\r\n--b--")
        }
    }

    @Test("Part header bytes, header fields, part bytes and parts are taken at their limit and refused one past it")
    func limits() throws {
        var limits = MultipartLimits()
        limits.partHeaderBytesMax = 40
        limits.partHeaderFieldsMax = 3
        limits.partBytesMax = 10
        limits.partsMax = 2
        // "A: " + value + CRLF CRLF
        func header(_ count: Int) -> String { "--b\r\nA: \(String(repeating: "v", count: count - 7))\r\n\r\n\r\n--b--" }
        #expect(try Self.parts(header(40), limits: limits).count == 1)
        #expect(throws: MultipartError.partHeadersTooLarge(offset: 5)) {
            _ = try Self.parts(header(41), limits: limits)
        }
        func fields(_ count: Int) -> String { "--b\r\n\(String(repeating: "A: 1\r\n", count: count))\r\n\r\n--b--" }
        #expect(try Self.parts(fields(3), limits: limits).count == 1)
        #expect(throws: MultipartError.partHeadersTooLarge(offset: 5)) { _ = try Self.parts(fields(4), limits: limits) }
        func content(_ count: Int) -> String { "--b\r\n\r\n\(String(repeating: "v", count: count))\r\n--b--" }
        #expect(try Self.parts(content(10), limits: limits).first?.content.count == 10)
        #expect(throws: MultipartError.partTooLarge(offset: 7)) { _ = try Self.parts(content(11), limits: limits) }
        func parts(_ count: Int) -> String { String(repeating: "--b\r\n\r\n\r\n", count: count) + "--b--" }
        #expect(try Self.parts(parts(2), limits: limits).count == 2)
        #expect(throws: MultipartError.tooManyParts(offset: 23)) { _ = try Self.parts(parts(3), limits: limits) }
    }

    @Test("An endless header block is refused before it is held")
    func endlessHeader() throws {
        let type = MediaType(type: "multipart", subtype: "related", parameters: [("boundary", "b")])
        var scanner = try MultipartScanner(contentType: type)
        scanner.feed(ByteBuffer(string: "--b\r\nA: "))
        _ = try scanner.next()
        #expect(throws: MultipartError.partHeadersTooLarge(offset: 5)) {
            for _ in 0..<100 {
                scanner.feed(ByteBuffer(repeating: UInt8(ascii: "v"), count: 1024))
                while try scanner.next() != nil {}
            }
        }
    }

    @Test("Property: any split of a body into pieces gives the same parts, also with CR, LF and dashes all through it")
    func anySplit() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let alphabet: [UInt8] = [0x0D, 0x0A, UInt8(ascii: "-"), UInt8(ascii: "b"), UInt8(ascii: "o"), 0x20, 0]
        for _ in 0..<300 {
            var expected: [Part] = []
            var body: [UInt8] = []
            var framing = MultipartFraming(boundary: "bob-\(random.next() % 10)")
            for number in 0..<Int(random.next() % 4 + 1) {
                let content = (0..<Int(random.next() % 60)).map { _ in alphabet[Int(random.next() % 7)] }
                expected.append(Part(headers: ["n=\(number)"], content: content))
                body += Array(framing.partHead([("N", "\(number)")]).readableBytesView) + content
            }
            body += Array(framing.end.readableBytesView)
            // Random content could hold the delimiter itself; the boundary's digit makes that impossible here.
            let pieces = (0..<Int(random.next() % 12)).map { _ in Int(random.next() % UInt64(body.count)) }.sorted()
            #expect(try Self.parts(body, boundary: framing.boundary, pieces: pieces) == expected, "seed \(seed)")
            let single = Array(1..<body.count)
            #expect(try Self.parts(body, boundary: framing.boundary, pieces: single) == expected, "seed \(seed)")
        }
    }
}
