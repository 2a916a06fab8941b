/// One value or member name of a JSON text: 16 bytes that point into the source.
///
/// The tape is the nodes in source order. A container's node is followed by its content: for an array the element
/// values, for an object name, value, name, value and so on.
struct JSONTapeNode {
    enum Kind: UInt32 {
        case null = 0
        case bool = 1
        case number = 2
        case string = 3
        case array = 4
        case object = 5
        case key = 6
    }

    /// Bits 0-3 kind, bit 4 "the string has escapes", bits 8-31 count of elements or members (at most 2^24 - 1,
    /// which no text within `JSONLimits.tokensMax` reaches).
    private var packed: UInt32
    /// Offset of the first byte: of a string, its opening quote; of a container, its bracket.
    var start: UInt32
    /// Bytes of the whole token or container, quotes and brackets included.
    var length: UInt32
    /// Index of the node after this value and all it contains; of a name, of the next name in the same object.
    var next: UInt32

    init(kind: Kind, start: Int, length: Int, next: Int, hasEscapes: Bool = false) {
        packed = kind.rawValue | (hasEscapes ? 16 : 0)
        self.start = UInt32(truncatingIfNeeded: start)
        self.length = UInt32(truncatingIfNeeded: length)
        self.next = UInt32(truncatingIfNeeded: next)
    }

    var kind: Kind { Kind(rawValue: packed & 15) ?? .null }
    var hasEscapes: Bool { packed & 16 != 0 }
    var count: Int {
        get { Int(packed >> 8) }
        set { packed = packed & 0xFF | UInt32(truncatingIfNeeded: newValue) << 8 }
    }
    var end: Int { Int(start) + Int(length) }
}
