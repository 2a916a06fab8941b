/// One XML document in UTF-8, read piece by piece and strictly. XML 1.0 (5th edition).
///
/// There are no document types, and so no entities but the five that XML has itself: nothing is ever expanded or fetched.
/// Comments and processing instructions are passed over. Names lose their namespace prefix.
struct XMLReader {
    /// Elements within each other.
    static let depthMax = 64
    /// Attributes of one element.
    static let attributesMax = 16
    /// Bytes of a name, and of the name in a reference.
    static let nameBytesMax = 128

    struct Element {
        let name: String
        let attributes: [(name: String, value: String)]
        /// Of its `<`, in the input.
        let offset: Int

        subscript(name: String) -> String? { attributes.first { $0.name == name }?.value }
    }

    enum Piece {
        case start(Element)
        /// Character data, in one or more pieces.
        case text(String)
        case end
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let bytes: [UInt8]
    private(set) var position: Int
    /// The names of the open elements as they stand, with their prefixes.
    private var open: [ArraySlice<UInt8>] = []
    private var hasRoot = false
    /// The element that was read last closes itself.
    private var isEmptyElement = false

    /// Throws `.xmlInvalid` for what is not UTF-8.
    init(_ bytes: [UInt8]) throws(DICOMDataError) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw DICOMDataError(.xmlInvalid, at: 0) }
        self.bytes = bytes
        position = bytes.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        if starts(with: "<?xml"), position + 5 < bytes.count, Self.isSpace(bytes[position + 5]) { try declaration() }
    }

    /// The next piece; nil at the end of the document. Throws `.xmlInvalid` and `.tooDeep`.
    mutating func next() throws(DICOMDataError) -> Piece? {
        if isEmptyElement {
            isEmptyElement = false
            open.removeLast()
            return .end
        }
        while position < bytes.count {
            if bytes[position] != UInt8(ascii: "<") {
                if !open.isEmpty { return .text(try characters()) }
                guard Self.isSpace(bytes[position]) else { throw invalid }
                position += 1
            } else if starts(with: "<!--") {
                position += 4
                try pass("-->")
            } else if starts(with: "<?") {
                position += 2
                try pass("?>")
            } else if starts(with: "<![CDATA["), !open.isEmpty {
                position += 9
                let begin = position
                try pass("]]>")
                return .text(try Self.checked(bytes[begin..<(position - 3)], at: begin))
            } else if starts(with: "</") {
                try endTag()
                return .end
            } else {
                return .start(try startTag())
            }
        }
        guard hasRoot, open.isEmpty else { throw invalid }
        return nil
    }

    // MARK: Tags

    private mutating func startTag() throws(DICOMDataError) -> Element {
        let begin = position
        guard !open.isEmpty || !hasRoot else { throw invalid }
        guard open.count < Self.depthMax else { throw DICOMDataError(.tooDeep, at: position) }
        position += 1
        let name = try self.name()
        var attributes: [(name: String, value: String)] = []
        while true {
            let hadSpace = skipSpace()
            guard let byte = current else { throw invalid }
            if byte == UInt8(ascii: ">") {
                position += 1
                break
            }
            if byte == UInt8(ascii: "/") {
                guard starts(with: "/>") else { throw invalid }
                position += 2
                isEmptyElement = true
                break
            }
            guard hadSpace, attributes.count < Self.attributesMax else { throw invalid }
            let attribute = String(decoding: try self.name(), as: UTF8.self)
            skipSpace()
            guard current == UInt8(ascii: "=") else { throw invalid }
            position += 1
            skipSpace()
            let value = try attributeValue()
            guard !attributes.contains(where: { $0.name == attribute }) else { throw invalid }
            attributes.append((attribute, value))
        }
        hasRoot = true
        open.append(name)
        return Element(name: Self.local(name), attributes: attributes, offset: begin)
    }

    private mutating func endTag() throws(DICOMDataError) {
        position += 2
        let name = try self.name()
        skipSpace()
        guard current == UInt8(ascii: ">"), open.last == name else { throw invalid }
        position += 1
        open.removeLast()
    }

    /// Behind the byte order mark: its encoding is UTF-8, or not said.
    private mutating func declaration() throws(DICOMDataError) {
        let begin = position
        try pass("?>")
        let text = String(decoding: bytes[begin..<position], as: UTF8.self).lowercased()
        guard let place = text.firstRange(of: "encoding") else { return }
        let rest = text[place.upperBound...].filter { !$0.isWhitespace }
        guard ["=\"utf-8\"", "='utf-8'", "=\"us-ascii\"", "='us-ascii'"].contains(where: rest.hasPrefix) else {
            throw DICOMDataError(.xmlInvalid, at: begin)
        }
    }

    private mutating func name() throws(DICOMDataError) -> ArraySlice<UInt8> {
        let begin = position
        while let byte = current, Self.isNameByte(byte, isFirst: position == begin) { position += 1 }
        guard position > begin, position - begin <= Self.nameBytesMax else { throw invalid }
        return bytes[begin..<position]
    }

    /// Without the prefix of its namespace.
    private static func local(_ name: ArraySlice<UInt8>) -> String {
        let rest = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        return String(decoding: rest, as: UTF8.self)
    }

    // MARK: Text

    private mutating func attributeValue() throws(DICOMDataError) -> String {
        guard let quote = current, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { throw invalid }
        position += 1
        var value: [UInt8] = []
        while let byte = current, byte != quote {
            switch byte {
            case UInt8(ascii: "<"): throw invalid
            case UInt8(ascii: "&"): value += try reference()
            case 0x09, 0x0A, 0x0D:
                value.append(0x20)
                position += 1
            case 0..<0x20: throw invalid
            default:
                value.append(byte)
                position += 1
            }
        }
        guard current == quote else { throw invalid }
        position += 1
        return String(decoding: value, as: UTF8.self)
    }

    /// Character data up to the next `<`.
    private mutating func characters() throws(DICOMDataError) -> String {
        var text = ""
        while let byte = current, byte != UInt8(ascii: "<") {
            if byte == UInt8(ascii: "&") {
                text += String(decoding: try reference(), as: UTF8.self)
                continue
            }
            let begin = position
            while let byte = current, byte != UInt8(ascii: "<"), byte != UInt8(ascii: "&") { position += 1 }
            text += try Self.checked(bytes[begin..<position], at: begin)
        }
        return text
    }

    /// Text with its line ends as XML has them, §2.11; no other controls, §2.2.
    private static func checked(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(DICOMDataError) -> String {
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var wasReturn = false
        for byte in bytes {
            guard byte >= 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D else {
                throw DICOMDataError(.xmlInvalid, at: offset)
            }
            if byte == 0x0D { kept.append(0x0A) } else if byte != 0x0A || !wasReturn { kept.append(byte) }
            wasReturn = byte == 0x0D
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// What `&…;` stands for, in UTF-8. §4.1, §4.6.
    private mutating func reference() throws(DICOMDataError) -> [UInt8] {
        let begin = position + 1
        position = begin
        while let byte = current, byte != UInt8(ascii: ";") {
            guard position - begin < Self.nameBytesMax else { throw invalid }
            position += 1
        }
        guard current == UInt8(ascii: ";") else { throw invalid }
        let name = String(decoding: bytes[begin..<position], as: UTF8.self)
        position += 1
        switch name {
        case "amp": return [UInt8(ascii: "&")]
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        default: break
        }
        guard name.first == "#" else { throw invalid }
        let isHex = name.dropFirst().first == "x"
        let digits = name.dropFirst(isHex ? 2 : 1)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || isHex && Self.isLetter($0) }),
            let number = UInt32(digits, radix: isHex ? 16 : 10), let scalar = Unicode.Scalar(number),
            number >= 0x20 || [0x09, 0x0A, 0x0D].contains(number), number != 0xFFFE, number != 0xFFFF
        else { throw invalid }
        return Array(String(scalar).utf8)
    }

    // MARK: Bytes

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var invalid: DICOMDataError { DICOMDataError(.xmlInvalid, at: position) }

    private func starts(with text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        return text.withUTF8Buffer { mark in (0..<count).allSatisfy { bytes[position + $0] == mark[$0] } }
    }

    /// Goes on behind the next of such a text. Throws where there is none.
    private mutating func pass(_ text: StaticString) throws(DICOMDataError) {
        while position < bytes.count {
            if starts(with: text) {
                position += text.utf8CodeUnitCount
                return
            }
            position += 1
        }
        throw invalid
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let begin = position
        while let byte = current, Self.isSpace(byte) { position += 1 }
        return position > begin
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }

    private static func isNameByte(_ byte: UInt8, isFirst: Bool) -> Bool {
        if isLetter(byte) || byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":") { return true }
        let isDigit = (0x30...0x39).contains(byte)
        return !isFirst && (isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "."))
    }
}
