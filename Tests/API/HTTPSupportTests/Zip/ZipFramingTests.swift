import NIOCore
import Testing

@testable import HTTPSupport

/// Archives that are written from their first byte to their last. APPNOTE.TXT 6.3 §4.3, §4.5.3.
@Suite("ZIP archives")
struct ZipFramingTests {
    /// Numbers in little endian at a place.
    private static func number(_ bytes: [UInt8], _ at: Int, _ count: Int) -> UInt64 {
        bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func archive(
        _ files: [(name: String, content: [UInt8], count: Int64?)], behind position: Int64 = 0
    ) throws -> [UInt8] {
        var framing = ZipFraming(behind: position)
        var bytes: [UInt8] = []
        for file in files {
            bytes += Array(try framing.fileHead(name: file.name, count: file.count).readableBytesView)
            // In pieces, as it comes.
            for piece in [file.content.prefix(2), file.content.dropFirst(2)] {
                try framing.add(ByteBuffer(bytes: piece))
                bytes += piece
            }
            bytes += Array(framing.fileEnd().readableBytesView)
        }
        return bytes + Array(framing.end.readableBytesView)
    }

    @Test("§4.3.7, §4.3.9, §4.3.12: a file is stored, its descriptor and its line tell checksum and length")
    func plain() throws {
        let content = Array("123456789".utf8)
        let bytes = try Self.archive([("1.2/3.dcm", content, 9)])
        #expect(Self.number(bytes, 0, 4) == 0x0403_4B50)
        // Version 2.0, a descriptor follows, stored.
        #expect(Self.number(bytes, 4, 2) == 20 && Self.number(bytes, 6, 2) == 8 && Self.number(bytes, 8, 2) == 0)
        #expect(Self.number(bytes, 14, 4) == 0 && Self.number(bytes, 18, 4) == 0 && Self.number(bytes, 28, 2) == 0)
        #expect(Array(bytes[30..<39]) == Array("1.2/3.dcm".utf8) && Array(bytes[39..<48]) == content)
        #expect(Self.number(bytes, 48, 4) == 0x0807_4B50 && Self.number(bytes, 52, 4) == 0xCBF4_3926)
        #expect(Self.number(bytes, 56, 4) == 9 && Self.number(bytes, 60, 4) == 9)
        #expect(Self.number(bytes, 64, 4) == 0x0201_4B50 && Self.number(bytes, 64 + 16, 4) == 0xCBF4_3926)
        #expect(Self.number(bytes, 64 + 24, 4) == 9 && Self.number(bytes, 64 + 42, 4) == 0)
        let end = 64 + 46 + 9
        #expect(Self.number(bytes, end, 4) == 0x0605_4B50 && Self.number(bytes, end + 10, 2) == 1)
        #expect(Self.number(bytes, end + 12, 4) == 55 && Self.number(bytes, end + 16, 4) == 64)
        #expect(bytes.count == end + 22)
    }

    @Test("§4.5.3: a file that may be of 4 GiB, and one whose length is not known, has lengths of eight bytes")
    func large() throws {
        for count in [nil, ZipFraming.plainMax + 1] {
            let bytes = try Self.archive([("a", [1, 2, 3], count)])
            #expect(Self.number(bytes, 4, 2) == 45 && Self.number(bytes, 18, 4) == 0xFFFF_FFFF)
            // The extra field behind the name.
            #expect(
                Self.number(bytes, 28, 2) == 20 && Self.number(bytes, 31, 2) == 1 && Self.number(bytes, 33, 2) == 16)
            let descriptor = 31 + 20 + 3
            #expect(Self.number(bytes, descriptor, 4) == 0x0807_4B50)
            #expect(Self.number(bytes, descriptor + 8, 8) == 3 && Self.number(bytes, descriptor + 16, 8) == 3)
            let line = descriptor + 24
            #expect(Self.number(bytes, line, 4) == 0x0201_4B50 && Self.number(bytes, line + 24, 4) == 0xFFFF_FFFF)
            #expect(Self.number(bytes, line + 46 + 1 + 4, 8) == 3 && Self.number(bytes, line + 46 + 1 + 20, 8) == 0)
        }
        #expect(Self.number(try Self.archive([("a", [1, 2, 3], ZipFraming.plainMax)]), 4, 2) == 20)
    }

    @Test("§4.3.14: an archive beyond 4 GiB ends with the directory's place in eight bytes")
    func far() throws {
        let start: Int64 = 5 << 30
        let bytes = try Self.archive([("a", [1, 2, 3], 3)], behind: start)
        let line = 31 + 3 + 16
        #expect(Self.number(bytes, line, 4) == 0x0201_4B50 && Self.number(bytes, line + 42, 4) == 0xFFFF_FFFF)
        #expect(Self.number(bytes, line + 46 + 1 + 20, 8) == UInt64(start))
        let end = line + 46 + 1 + 28
        #expect(Self.number(bytes, end, 4) == 0x0606_4B50 && Self.number(bytes, end + 32, 8) == 1)
        #expect(Self.number(bytes, end + 48, 8) == UInt64(start) + UInt64(line))
        #expect(Self.number(bytes, end + 56, 4) == 0x0706_4B50)
        #expect(Self.number(bytes, end + 64, 8) == UInt64(start) + UInt64(end))
        #expect(Self.number(bytes, end + 76, 4) == 0x0605_4B50 && Self.number(bytes, end + 76 + 16, 4) == 0xFFFF_FFFF)
    }

    @Test("§4.4.21: 65,534 files are counted in two bytes, one more is counted in eight")
    func many() throws {
        for (count, isLarge) in [(65_534, false), (65_535, true)] {
            var framing = ZipFraming()
            for _ in 0..<count {
                _ = try framing.fileHead(name: "a", count: 0)
                _ = framing.fileEnd()
            }
            let end = Array(framing.end.readableBytesView.suffix(98))
            #expect((Self.number(end, 0, 4) == 0x0606_4B50) == isLarge)
            #expect(Self.number(end, 98 - 12, 2) == UInt64(count))
        }
    }

    @Test("An empty archive is one; names without a byte or beyond 65,535 are refused")
    func limits() throws {
        #expect(try Self.archive([]).count == 22)
        var framing = ZipFraming()
        #expect(throws: ZipFraming.Failure.name) { try framing.fileHead(name: "", count: 1) }
        #expect(throws: ZipFraming.Failure.name) {
            try framing.fileHead(name: String(repeating: "a", count: 65_536), count: 1)
        }
        _ = try framing.fileHead(name: String(repeating: "a", count: 65_535), count: 1)
    }
}
