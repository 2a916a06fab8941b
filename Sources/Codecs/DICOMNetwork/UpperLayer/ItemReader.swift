import NIOCore

/// The type codes of items and sub-items. PS3.8 §9.3.2, §9.3.3, PS3.7 §D.3.3.
enum ItemType {
    static let applicationContext: UInt8 = 0x10
    static let proposedContext: UInt8 = 0x20
    static let contextResult: UInt8 = 0x21
    static let abstractSyntax: UInt8 = 0x30
    static let transferSyntax: UInt8 = 0x40
    static let userInformation: UInt8 = 0x50
    static let maximumLength: UInt8 = 0x51
    static let implementationClassUID: UInt8 = 0x52
    static let asynchronousOperationsWindow: UInt8 = 0x53
    static let roleSelection: UInt8 = 0x54
    static let implementationVersionName: UInt8 = 0x55
    static let extendedNegotiation: UInt8 = 0x56
    static let commonExtendedNegotiation: UInt8 = 0x57
    static let userIdentity: UInt8 = 0x58
    static let userIdentityResponse: UInt8 = 0x59
}

/// Reads the type-length-value items of an A-ASSOCIATE PDU in one bounded stretch of bytes.
///
/// Each item is type (1), reserved (1), length (2, big endian), value. Nothing is read beyond the stretch.
struct ItemReader {
    private var bytes: ByteBuffer
    /// Where index 0 of `bytes` lies in the PDU, for the offsets in errors.
    private let base: Int

    init(_ bytes: ByteBuffer, base: Int) {
        self.bytes = bytes.slice()
        self.base = base
    }

    var isAtEnd: Bool { bytes.readableBytes == 0 }
    /// Of the next byte, from the first byte of the PDU.
    var offset: Int { base + bytes.readerIndex }

    /// The next item, as its type and a reader of its value. Throws `.itemOverrun`.
    mutating func item() throws(PDUError) -> (type: UInt8, value: ItemReader) {
        let start = offset
        guard let (type, _, length) = bytes.readMultipleIntegers(as: (UInt8, UInt8, UInt16).self) else {
            throw .itemOverrun(offset: start)
        }
        let valueStart = offset
        guard let value = bytes.readSlice(length: Int(length)) else { throw .itemOverrun(offset: start) }
        return (type, ItemReader(value, base: valueStart))
    }

    mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(PDUError) -> T {
        guard let value = bytes.readInteger(as: T.self) else { throw .itemOverrun(offset: offset) }
        return value
    }

    mutating func bytes(_ count: Int) throws(PDUError) -> [UInt8] {
        guard let value = bytes.readBytes(length: count) else { throw .itemOverrun(offset: offset) }
        return value
    }

    mutating func rest() -> [UInt8] { bytes.readBytes(length: bytes.readableBytes) ?? [] }

    /// A value with its length (2 bytes) before it.
    mutating func counted() throws(PDUError) -> [UInt8] {
        let count: UInt16 = try integer()
        return try bytes(Int(count))
    }

    mutating func countedUID() throws(PDUError) -> String { uidText(try counted()) }
    mutating func restAsUID() -> String { uidText(rest()) }

    /// Throws `.itemInvalid` when a fixed form left bytes over.
    func expectEnd(of type: UInt8) throws(PDUError) {
        guard isAtEnd else { throw .itemInvalid(type: type, offset: offset) }
    }
}

/// A UID of an item. The upper layer does not pad UIDs; the NUL or space that some devices add is taken off.
/// Bytes that no UID has stay in, so that such a UID equals none that is known. PS3.8 §F.
func uidText(_ bytes: [UInt8]) -> String {
    var end = bytes.endIndex
    while end > 0, bytes[end - 1] == 0 || bytes[end - 1] == 0x20 { end -= 1 }
    return String(decoding: bytes[..<end], as: UTF8.self)
}
