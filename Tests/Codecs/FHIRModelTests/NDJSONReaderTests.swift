import Testing

@testable import FHIRModel

/// Lines as they come. Bulk Data 2.0 §File Requests.
@Suite("NDJSON as it comes")
struct NDJSONReaderTests {
    private static func lines(
        _ bytes: [UInt8], cutBy step: Int, max: Int = 100, from lines: Int64 = 0, _ offset: Int64 = 0
    ) -> [NDJSONReader.Line] {
        var reader = NDJSONReader(lines: lines, offset: offset, lineBytesMax: max)
        var found: [NDJSONReader.Line] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            reader.add(Array(bytes[start..<min(start + step, bytes.count)])) { found.append($0) }
        }
        reader.finish { found.append($0) }
        return found
    }

    private static func texts(_ lines: [NDJSONReader.Line]) -> [String?] {
        lines.map { $0.bytes.map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test("LF, CR LF, a byte order mark, blank lines and no last end: the lines, their numbers and where they end")
    func forms() {
        let bytes = [0xEF, 0xBB, 0xBF] + Array("{\"a\":1}\r\n\n \t\r\n{\"b\":2}\n{\"c\":3}".utf8)
        for step in 1...bytes.count {
            let found = Self.lines(bytes, cutBy: step)
            #expect(Self.texts(found) == ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"], "by \(step)")
            #expect(found.map(\.number) == [1, 4, 5], "by \(step)")
            #expect(found.map(\.end) == [12, 25, 32], "by \(step)")
        }
    }

    @Test("A line at the limit is taken, one past it is told of without its bytes, and the next is read")
    func tooLong() {
        for ending in ["\n", "\r\n"] {
            let bytes = Array(
                ("12345" + ending + "123456" + ending + String(repeating: "x", count: 500) + ending + "1").utf8)
            for step in [1, 3, 7, bytes.count] {
                let found = Self.lines(bytes, cutBy: step, max: 5)
                #expect(Self.texts(found) == ["12345", nil, nil, "1"], "by \(step)")
                #expect(found.map(\.number) == [1, 2, 3, 4])
                #expect(found.last?.end == Int64(bytes.count))
            }
        }
    }

    @Test("What is too long is not held")
    func bounded() {
        var reader = NDJSONReader(lineBytesMax: 1_000)
        for _ in 0..<1_000 {
            reader.add([UInt8](repeating: 0x20, count: 1_000)) { _ in Issue.record("no line ends here") }
            #expect(reader.heldBytes <= 1_004)
        }
    }

    @Test("From behind any of its lines a file gives the rest, numbered as in the whole")
    func resumed() {
        let bytes = Array("one\ntwo\r\n\nthree\nfour".utf8)
        let whole = Self.lines(bytes, cutBy: bytes.count)
        for (index, line) in whole.enumerated() {
            let rest = Self.lines(Array(bytes[Int(line.end)...]), cutBy: 2, from: line.number, line.end)
            #expect(rest == Array(whole[(index + 1)...]))
        }
    }

    @Test("NUL and bytes that are no UTF-8 are part of their line: whoever reads it refuses it")
    func bytes() {
        let found = Self.lines([0x00, 0x0A, 0xFF, 0xFE, 0x0A, 0xEF, 0xBB, 0xBF, 0x31], cutBy: 1)
        #expect(found.map(\.bytes) == [[0x00], [0xFF, 0xFE], [0xEF, 0xBB, 0xBF, 0x31]])
    }
}
