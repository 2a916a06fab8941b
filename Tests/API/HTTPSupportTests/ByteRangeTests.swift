import Testing

@testable import HTTPSupport

/// RFC 9110 §14: one range of bytes.
@Suite("Byte ranges")
struct ByteRangeTests {
    private static func words(_ field: String?, of size: Int64 = 100) -> String {
        switch ByteRange.wanted(field, of: size) {
        case .whole: "whole"
        case .unsatisfiable: "416"
        case .part(let range): "\(range.offset)+\(range.count)"
        }
    }

    @Test(
        "RFC 9110 §14.1.2: first and last, from a place on, and the last so many; what is behind the end is passed over"
    )
    func ranges() {
        for (field, expected) in [
            ("bytes=0-9", "0+10"), ("bytes=90-", "90+10"), ("bytes=-5", "95+5"), ("bytes=50-500", "50+50"),
            ("bytes=-500", "0+100"), ("BYTES = 1 - 2", "1+2"), ("bytes=99-99", "99+1"),
            ("bytes=0-99999999999999999999", "0+100"),
        ] { #expect(Self.words(field) == expected, "\(field)") }
        guard case .part(let range) = ByteRange.wanted("bytes=10-19", of: 100) else {
            Issue.record("no part")
            return
        }
        #expect(range.contentRange(of: 100) == "bytes 10-19/100")
        #expect(ByteRange.contentRange(unsatisfiable: 100) == "bytes */100")
    }

    @Test("RFC 9110 §15.5.17: a range of which nothing is there is 416, also of what is empty")
    func unsatisfiable() {
        for field in ["bytes=100-", "bytes=-0", "bytes=99999999999999999999-"] {
            #expect(Self.words(field) == "416", "\(field)")
        }
        for field in ["bytes=0-", "bytes=-1"] { #expect(Self.words(field, of: 0) == "416", "\(field)") }
    }

    @Test("RFC 9110 §14.2: other units, several ranges and what is malformed ask for the whole")
    func ignored() {
        let long = "bytes=" + String(repeating: "0", count: 200) + "-1"
        for field in [
            nil, "", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-", "bytes=1-b", "bytes=--5", "bytes=1-2-3",
            "bytes=+1-2", "bytes=0-1,3-4", "items=0-1", "bytes=１-2", long,
        ] { #expect(Self.words(field) == "whole", "\(field ?? "nil")") }
    }
}
