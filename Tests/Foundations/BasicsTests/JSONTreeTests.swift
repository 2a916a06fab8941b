import Testing

@testable import Basics

/// RFC 8259.
struct JSONTreeTests {
    private func read(_ text: String, depthMax: Int = 8) throws -> JSONTree {
        try JSONTree.read(Array(text.utf8), depthMax: depthMax)
    }

    @Test("RFC 8259 §3 to §7: every kind of value, numbers as their text, members in order, offsets of first bytes")
    func values() throws {
        let tree = try read(#" {"a":"x\u00e9\ud83d\uDE00\n\/","b":[-0.50e+3,true,false,null,{}],"":[]} "#)
        guard case .object(let members) = tree.value else { throw Unexpected() }
        #expect(members.map(\.key) == ["a", "b", ""])
        guard case .string(let text) = tree["a"]?.value else { throw Unexpected() }
        #expect(text == "xé😀\n/")
        guard case .array(let elements) = tree["b"]?.value, case .number(let number) = elements[0].value else {
            throw Unexpected()
        }
        #expect(number == "-0.50e+3")
        #expect(elements.count == 5)
        #expect(tree.offset == 1)
        #expect(tree["c"] == nil)
    }
    private struct Unexpected: Error {}

    @Test(
        "RFC 8259: text that is not strictly one value is refused",
        arguments: [
            "", " ", "{", "[", "[1", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "{} {}", "01", "1.", ".5", "+1",
            "-",
            "1e", "1e+", "NaN", "tru", "nulll", "\"", "\"\u{1}\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
            "\"\\ud800\\u0041\"", "\"\\udc00\"", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "\u{FEFF}1", "//\n1",
            "'a'",
        ])
    func refused(text: String) { #expect(throws: JSONTree.Failure.self) { try read(text) } }

    @Test("Bytes that are not UTF-8 are refused within strings and outside")
    func notUTF8() {
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0xFF]] {
            #expect(throws: JSONTree.Failure.self) { try JSONTree.read(bytes, depthMax: 8) }
        }
    }

    @Test("Nesting is allowed as deep as the caller says, and a failure says where")
    func depth() throws {
        _ = try read("[[[1]]]", depthMax: 3)
        do {
            _ = try read("[[[[1]]]]", depthMax: 3)
            Issue.record("too deep, and read")
        } catch let failure as JSONTree.Failure {
            #expect(failure.reason == .tooDeep)
            #expect(failure.offset == 3)
        }
        #expect(throws: JSONTree.Failure.self) { try read(String(repeating: "[", count: 1_000_000), depthMax: 64) }
    }

    @Test("RFC 8259 §6: a number and nothing else")
    func numbers() {
        for text in ["0", "-0", "12.50", "1e9", "-1E-2"] { #expect(JSONTree.isNumber(Array(text.utf8)), "\(text)") }
        for text in ["", "-", "01", "1.", "1 ", " 1", "1e", "0x1", "1,2"] {
            #expect(!JSONTree.isNumber(Array(text.utf8)), "\(text)")
        }
    }

    @Test("RFC 8259 §7: what is quoted reads back, with no more escapes than must be")
    func quoting() throws {
        var bytes: [UInt8] = []
        JSONQuoting.append("a\"\\\n\r\t\u{1}\u{1F}/é😀", to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == #""a\"\\\n\r\t\u0001\u001f/é😀""#)
        guard case .string(let text) = try JSONTree.read(bytes, depthMax: 0).value else { throw Unexpected() }
        #expect(text == "a\"\\\n\r\t\u{1}\u{1F}/é😀")
    }
}
