import FHIRModel
import Testing

/// RFC 8259, RFC 3629, FHIR R4 json.html: what the reader refuses, and where it says the fault is.
@Suite struct MalformedJSONTests {
    /// The failure of reading `bytes`; nil when they are read.
    func failure(_ bytes: [UInt8], _ limits: JSONLimits = .resource) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONDocument(parsing: bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    func failure(_ text: String, _ limits: JSONLimits = .resource) -> JSONError? { failure(Array(text.utf8), limits) }

    @Test(
        "RFC 8259: text outside the grammar is refused at the byte where it leaves it",
        arguments: [
            ("", .empty, 0), (" \n\t\r", .empty, 0), ("{", .unexpectedEnd, 1), ("[1,", .unexpectedEnd, 3),
            ("{\"a\"", .unexpectedEnd, 4), ("{\"a\":", .unexpectedEnd, 5), ("{\"a\":1", .unexpectedEnd, 6),
            ("\"abc", .unexpectedEnd, 4), ("{} {}", .trailingText, 3), ("{}x", .trailingText, 2),
            ("1 2", .trailingText, 2), ("nul", .invalidLiteral, 0), ("True", .unexpectedByte, 0),
            ("NaN", .unexpectedByte, 0), ("[Infinity]", .unexpectedByte, 1), ("-Infinity", .invalidNumber, 1),
            ("[1,]", .unexpectedByte, 3), ("[,1]", .unexpectedByte, 1), ("[1 2]", .unexpectedByte, 3),
            ("{,}", .unexpectedByte, 1), ("{\"a\":1,}", .unexpectedByte, 7), ("{a:1}", .unexpectedByte, 1),
            ("{\"a\" 1}", .unexpectedByte, 5), ("{'a':1}", .unexpectedByte, 1), ("[1}", .unexpectedByte, 2),
            ("{\"a\":1]", .unexpectedByte, 6), ("]", .unexpectedByte, 0), ("// x\n1", .unexpectedByte, 0),
            ("[1/*x*/]", .unexpectedByte, 2), ("{\"a\":1 //x\n}", .unexpectedByte, 7), ("\u{c}1", .unexpectedByte, 0),
            ("{1:2}", .unexpectedByte, 1), ("{\"a\":1,2}", .unexpectedByte, 7), ("[\u{a0}1]", .unexpectedByte, 1),
        ] as [(String, JSONError.Reason, Int)])
    func grammar(_ text: String, _ reason: JSONError.Reason, _ offset: Int) {
        let error = failure(text)
        #expect(error?.reason == reason)
        #expect(error?.offset == offset)
    }

    @Test(
        "RFC 8259 §6: numbers outside the grammar are refused",
        arguments: ["01", "-", "+1", "1.", ".5", "1e", "1e+", "-01", "0x10", "1.e5", "--1", "1_000", "00", "1e1.5"])
    func numbers(_ text: String) {
        #expect(failure("[\(text)]") != nil)
    }

    @Test(
        "RFC 8259 §7: control characters, bad escapes, NUL and lone surrogates are refused",
        arguments: [
            ("\"a\nb\"", .controlCharacter, 2), ("\"\t\"", .controlCharacter, 1), ("\"\u{0}\"", .nulCharacter, 1),
            ("\"\\u0000\"", .nulCharacter, 1), ("\"\\x41\"", .invalidEscape, 1), ("\"\\u12G4\"", .invalidEscape, 1),
            ("\"\\u12\"  ", .invalidEscape, 1), ("\"\\uD800\"", .loneSurrogate, 1),
            ("\"\\uD800x\"", .loneSurrogate, 1), ("\"\\uDC00\"", .loneSurrogate, 1),
            ("\"\\uD800\\uD800\"", .loneSurrogate, 1), ("\"\\uD83D\\u0041\"", .loneSurrogate, 1),
            ("\"\\", .unexpectedEnd, 2), ("\"\\u00", .unexpectedEnd, 5), ("\"\\'\"", .invalidEscape, 1),
            ("{\"\\uDEAD\":1}", .loneSurrogate, 2),
        ] as [(String, JSONError.Reason, Int)])
    func strings(_ text: String, _ reason: JSONError.Reason, _ offset: Int) {
        let error = failure(text)
        #expect(error?.reason == reason)
        #expect(error?.offset == offset)
    }

    @Test(
        "RFC 3629 §3: overlong forms, surrogates, cut sequences and values above U+10FFFF are refused",
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0x80], [0xBF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xFF], [0xFE],
            [0xC3, 0x28], [0xE2, 0x28, 0xA1], [0xF0, 0x9F, 0x28, 0x80],
        ] as [[UInt8]])
    func utf8(_ sequence: [UInt8]) {
        for padding in 0..<9 {
            let text = [0x22] + [UInt8](repeating: 0x61, count: padding) + sequence + [0x22]
            #expect(failure(text)?.reason == .invalidUTF8)
            #expect(failure(text)?.offset == padding + 1)
        }
        #expect(failure([0x22] + sequence) != nil)
    }

    @Test("RFC 8259 §8.1: a byte order mark is refused")
    func byteOrderMark() {
        #expect(failure([0xEF, 0xBB, 0xBF] + Array("{}".utf8))?.reason == .byteOrderMark)
        #expect(failure([0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00]) != nil)
    }

    @Test("FHIR R4 json.html: a name twice in one object is refused, however it is escaped and however many there are")
    func duplicateNames() {
        let error = failure(#"{"a":[{"x":1,"b":2,"x":3}]}"#)
        #expect(error?.reason == .duplicateKey)
        #expect(error?.offset == 19)
        #expect(error?.pointer == "/a/0/x")
        #expect(failure(#"{"x":1,"x":2,"b":{}}"#)?.pointer == "/x")
        #expect(failure(#"{"a":1,"\u0061":2}"#)?.reason == .duplicateKey)
        #expect(failure(#"{"":1,"":2}"#)?.reason == .duplicateKey)
        #expect(failure(#"{"a":{"a":1},"b":{"a":1}}"#) == nil)
        // Canonically equivalent is not equal: U+00E9 and e + U+0301 are two names.
        #expect(failure("{\"\u{e9}\":1,\"e\u{301}\":2}") == nil)
        for count in [2, 23, 24, 25, 26, 400] {
            var names = (0..<count).map { "n\($0)" }
            #expect(failure("{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}") == nil)
            names[count - 1] = "n0"
            let error = failure("{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}")
            #expect(error?.reason == .duplicateKey, "\(count) names")
        }
    }

    @Test("Limit: 64 levels are read, 65 are refused at the bracket of the 65th")
    func depth() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func text(_ depth: Int) -> String {
                String(repeating: open, count: depth) + (open == "[" ? "" : "1")
                    + String(repeating: close, count: depth)
            }
            #expect(failure(text(64)) == nil)
            let error = failure(text(65))
            #expect(error?.reason == .tooDeep)
            #expect(error?.offset == open.utf8.count * 64)
        }
        #expect(failure(String(repeating: "[", count: 100_000))?.reason == .tooDeep)
    }

    @Test("Limit: a number of 64 bytes is read, of 65 refused")
    func numberLength() throws {
        let text = "0." + String(repeating: "1", count: 62)
        #expect(try JSONDocument(parsing: text).root.numberText == text)
        #expect(failure(text + "1")?.reason == .numberTooLong)
    }

    @Test("Limit: tokens, string bytes and text bytes are read at the limit and refused one past it")
    func limits() {
        var limits = JSONLimits.resource
        limits.tokensMax = 5
        #expect(failure("[1,2,3,4]", limits) == nil)
        #expect(failure("[1,2,3,4,5]", limits)?.reason == .tooManyTokens)
        #expect(failure("{\"a\":1,\"b\":2}", limits) == nil)
        #expect(failure("{\"a\":1,\"b\":2,\"c\":3}", limits)?.reason == .tooManyTokens)
        limits = .resource
        limits.stringBytesMax = 10
        #expect(failure("[\"0123456789\"]", limits) == nil)
        #expect(failure("[\"01234567890\"]", limits)?.reason == .stringTooLong)
        #expect(failure("{\"01234567890\":1}", limits)?.reason == .stringTooLong)
        limits.bytesMax = 14
        #expect(failure("[1,2,3,4,5,6] ", limits) == nil)
        #expect(failure("[1,2,3,4,5,6]  ", limits)?.reason == .textTooLong)
    }

    @Test("FHIR R4 binary.html: only the data of a Binary may pass the limit of a string")
    func binaryData() {
        var limits = JSONLimits.resource
        limits.stringBytesMax = 14
        let long = "\"QUJDREVGR0hJSktMTU5P\""
        #expect(failure("{\"resourceType\":\"Binary\",\"data\":\(long)}", limits) == nil)
        #expect(failure("{\"data\":\(long),\"resourceType\":\"Binary\"}", limits) == nil)
        #expect(failure("{\"resourceType\":\"Media\",\"data\":\(long)}", limits)?.reason == .stringTooLong)
        #expect(failure("{\"resourceType\":\"Binary\",\"daxa\":\(long)}", limits)?.reason == .stringTooLong)
        #expect(failure("{\"resourceType\":\"Binary\",\"x\":{\"data\":\(long)}}", limits)?.reason == .stringTooLong)
        #expect(failure("{\"data\":\(long)}", limits)?.reason == .stringTooLong)
        #expect(failure("\(long)", limits)?.reason == .stringTooLong)
        limits.exemptsBinaryData = false
        #expect(failure("{\"resourceType\":\"Binary\",\"data\":\(long)}", limits)?.reason == .stringTooLong)
    }

    @Test("RFC 6901: a failure names the place by member and position, never by value")
    func places() {
        let error = failure(#"{"contact":[{"name":"Muster"},{"a/b~":[1,2,!]}]}"#)
        #expect(error?.pointer == "/contact/1/a~1b~0/2")
        #expect(error?.sentence.contains("Muster") == false)
        let long = String(repeating: "k", count: 500)
        #expect(failure("{\"\(long)\":!}")?.pointer.utf8.count == 65)
    }

    @Test("Every prefix of a valid text is refused, and none traps")
    func truncated() {
        let text = Array(#"{"a":[1.5e-3,true,null,"x\u00e9\ud83d\ude00é"],"b":{"c":"d"}}"#.utf8)
        #expect(failure(text) == nil)
        for length in 0..<text.count { #expect(failure(Array(text[..<length])) != nil, "\(length) bytes") }
    }

    @Test("Sixty thousand names that share their fingerprint are compared in time that is not quadratic")
    func hostileNames() {
        // Same length, same first and last byte: every pair would have to be compared.
        let names = (100_000..<160_000).map { "\"a\($0)z\":0" }
        let clock = ContinuousClock()
        let duration = clock.measure { #expect(failure("{" + names.joined(separator: ",") + "}") == nil) }
        #expect(duration < .seconds(20))
    }
}
