/// Generated facts: lines of fields parted by `|` in one string literal, read in place.
///
/// A literal costs no start-up time, no heap and no compile time, which a table of initialisers all would.
struct FactLines: Sendable {
    private let text: StaticString

    init(_ text: StaticString) { self.text = text }

    /// Calls with the offset and the bytes of each line, without its newline.
    func forEachLine(_ body: (UInt32, Slice<UnsafeBufferPointer<UInt8>>) -> Void) {
        text.withUTF8Buffer { bytes in
            var start = 0
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
                if end > start { body(UInt32(start), bytes[start..<end]) }
                start = end + 1
            }
        }
    }

    /// The line that starts at an offset given by `forEachLine`.
    func line(_ start: UInt32) -> Substring {
        text.withUTF8Buffer { bytes in
            let line = bytes[Int(start)...].prefix { $0 != 0x0A }
            return Substring(String(decoding: line, as: UTF8.self))
        }
    }

    /// Orders the field at `start` against `wanted`, bytewise: negative, zero or positive.
    func compare(keywordAt start: UInt32, with wanted: UnsafeBufferPointer<UInt8>) -> Int {
        text.withUTF8Buffer { bytes in
            var position = Int(start)
            for byte in wanted {
                let own = position < bytes.count ? Self.fieldByte(bytes[position]) : 0
                if own != byte { return Int(own) - Int(byte) }
                position += 1
            }
            return position < bytes.count && Self.fieldByte(bytes[position]) != 0 ? 1 : 0
        }
    }

    /// Orders two fields, bytewise.
    func compare(_ a: UInt32, _ b: UInt32) -> Int {
        text.withUTF8Buffer { bytes in
            var (a, b) = (Int(a), Int(b))
            while a < bytes.count, b < bytes.count {
                let (left, right) = (Self.fieldByte(bytes[a]), Self.fieldByte(bytes[b]))
                if left != right { return Int(left) - Int(right) }
                if left == 0 { return 0 }
                a += 1
                b += 1
            }
            return 0
        }
    }

    /// A field ends at `|` or at the end of its line: both count as zero.
    private static func fieldByte(_ byte: UInt8) -> UInt8 { byte == 0x7C || byte == 0x0A ? 0 : byte }
}
