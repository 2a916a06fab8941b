import Testing

@testable import Basics

/// RFC 8949 Appendix A and §4.2.1, as far as authenticators write CBOR (CTAP 2.1 §8).
@Suite struct CBORTests {
    private static func bytes(_ hex: String) -> [UInt8] { Hexadecimal.decode(hex.utf8) ?? [] }

    @Test(
        "RFC 8949 Appendix A: integers, strings, arrays, maps, booleans and null",
        arguments: [
            ("00", CBOR.unsigned(0)), ("17", .unsigned(23)), ("1818", .unsigned(24)), ("1903e8", .unsigned(1000)),
            ("1a000f4240", .unsigned(1_000_000)), ("1bffffffffffffffff", .unsigned(.max)), ("20", .negative(0)),
            ("3903e7", .negative(999)), ("3bffffffffffffffff", .negative(.max)), ("4401020304", .bytes([1, 2, 3, 4])),
            ("40", .bytes([])), ("60", .text("")), ("6449455446", .text("IETF")), ("62c3bc", .text("ü")),
            ("80", .array([])),
            (
                "8301820203820405",
                .array([
                    .unsigned(1), .array([.unsigned(2), .unsigned(3)]), .array([.unsigned(4), .unsigned(5)]),
                ])
            ), ("a0", .map([])),
            ("a201020304", .map([(.unsigned(1), .unsigned(2)), (.unsigned(3), .unsigned(4))])),
            (
                "a26161016162820203",
                .map([
                    (.text("a"), .unsigned(1)), (.text("b"), .array([.unsigned(2), .unsigned(3)])),
                ])
            ), ("f4", .boolean(false)), ("f5", .boolean(true)), ("f6", .null),
        ])
    func values(_ hex: String, _ value: CBOR) throws {
        #expect(try CBOR(Self.bytes(hex)) == value)
    }

    @Test("Labels of keys are found by their number, members by their name; numbers that do not fit are none")
    func members() throws {
        let key = try CBOR(Self.bytes("a3010203262001"))
        #expect(key[1]?.integer == 2)
        #expect(key[3]?.integer == -7)
        #expect(key[-1]?.integer == 1)
        #expect(key[2] == nil)
        #expect(try CBOR(Self.bytes("a163666d74646e6f6e65"))["fmt"]?.string == "none")
        #expect(CBOR.unsigned(1)["fmt"] == nil)
        #expect(CBOR.unsigned(.max).integer == nil)
        #expect(CBOR.negative(.max).integer == nil)
        #expect(CBOR.negative(UInt64(Int64.max)).integer == Int64.min)
        #expect(CBOR(integer: .min) == .negative(UInt64(Int64.max)))
    }

    @Test(
        "What no authenticator writes is refused with its offset: tags, floats, indefinite and longer forms, a key twice",
        arguments: [
            "", "18", "1900", "1817", "190017", "1a0000ffff", "1b00000000ffffffff", "1c", "1f", "5f", "5f41ff", "7f",
            "9f01ff",
            "bf", "c074", "d74401020304", "f90000", "fa47c35000", "fb3ff199999999999a", "f7", "f0", "f820", "ff", "41",
            "61", "61ff", "62c328", "81", "a1", "a101", "a201020103", "a2616100616101", "0000", "a000",
            "5bffffffffffffffff", "9bffffffffffffffff", "bbffffffffffffffff", "9a00010000",
        ])
    func refused(_ hex: String) {
        #expect(throws: CBOR.Malformed.self) { try CBOR(Self.bytes(hex)) }
    }

    @Test("Nesting and the number of values are bounded, at the limit and one past it")
    func limits() throws {
        func nested(_ depth: Int) -> [UInt8] { [UInt8](repeating: 0x81, count: depth) + [0x00] }
        #expect(throws: Never.self) { try CBOR(nested(CBOR.depthMax)) }
        #expect(throws: CBOR.Malformed.self) { try CBOR(nested(CBOR.depthMax + 1)) }
        #expect(throws: CBOR.Malformed.self) { try CBOR(nested(1_000_000)) }
        func wide(_ count: Int) -> [UInt8] {
            [0x99, UInt8(count >> 8), UInt8(count & 0xFF)] + [UInt8](repeating: 0, count: count)
        }
        #expect(throws: Never.self) { try CBOR(wide(CBOR.valuesMax - 1)) }
        #expect(throws: CBOR.Malformed.self) { try CBOR(wide(CBOR.valuesMax)) }
    }

    @Test("The first of several values ends where the next begins; an offset beyond the end is refused")
    func first() throws {
        let bytes = Self.bytes("a10102f5")
        let (value, end) = try CBOR.first(of: bytes, from: 0)
        #expect(value[1]?.integer == 2)
        #expect(end == 3)
        #expect(try CBOR.first(of: bytes, from: 3).value == .boolean(true))
        #expect(throws: CBOR.Malformed.self) { try CBOR.first(of: bytes, from: 4) }
    }

    @Test("Random bytes are a value or are refused, and never more")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<40, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if let (_, end) = try? CBOR.first(of: bytes, from: 0) { #expect(end <= bytes.count, "\(bytes)") }
        }
    }
}
