/// The plain bytes of a page token: big-endian 64-bit numbers, and values with a kind byte and for text a length.
struct PageTokenText {
    var bytes: [UInt8] = []
    private var at = 0

    init(bytes: [UInt8] = []) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    mutating func put(_ number: Int64) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> Int64(shift)))
        }
    }

    mutating func put(_ value: SQLValue) {
        switch value {
        case .int(let number):
            bytes.append(1)
            put(number)
        case .double(let number):
            bytes.append(2)
            put(Int64(bitPattern: number.bitPattern))
        case .text(let text):
            bytes.append(3)
            put(Int64(text.utf8.count))
            bytes += text.utf8
        default: bytes.append(0)
        }
    }

    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= bytes.count - at else { return nil }
        defer { at += count }
        return Array(bytes[at..<at + count])
    }

    mutating func takeInt() -> Int64? {
        take(8)?.reduce(0) { $0 << 8 | Int64($1) }
    }

    mutating func takeValue() -> SQLValue? {
        switch take(1)?.first {
        case 0: return .null
        case 1: return takeInt().map { .int($0) }
        case 2: return takeInt().map { .double(Double(bitPattern: UInt64(bitPattern: $0))) }
        case 3:
            guard let count = takeInt(), let text = take(Int(clamping: count)) else { return nil }
            return .text(String(decoding: text, as: UTF8.self))
        default: return nil
        }
    }
}
