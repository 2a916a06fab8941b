/// The markup and text of an XML document, one piece after the other. What documents of the Native DICOM Model have no need of
/// is refused: a document type and with it every entity of one's own, and every encoding but UTF-8. XML 1.0 §2.
struct XMLPieces {
    enum Piece: Equatable {
        /// Local name, attributes by their local names, and whether it is an empty-element tag.
        case start(String, [String: String], isEmpty: Bool)
        case end(String)
        /// Character data with its references resolved, up to the next markup.
        case text([UInt8])
    }

    /// Attributes of one tag at most, and bytes of a name.
    private static let attributesMax = 32
    private static let nameBytesMax = 128

    private let bytes: [UInt8]
    /// The offset of what comes next.
    private(set) var place: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        place = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    private var invalid: DICOMDataError { DICOMDataError(.xmlInvalid, at: place) }
    private func peek(_ text: String) -> Bool { bytes[place...].starts(with: text.utf8) }

    /// The next piece; nil at the end of the document. Comments and processing instructions are passed over.
    mutating func next() throws(DICOMDataError) -> Piece? {
        while place < bytes.count {
            if bytes[place] != UInt8(ascii: "<") { return .text(try text()) }
            if peek("<!--") {
                try skip(to: "-->")
            } else if peek("<?") {
                try instruction()
            } else if peek("<![CDATA[") {
                let start = place + 9
                try skip(to: "]]>")
                return .text(Array(bytes[start..<place - 3]))
            } else if peek("<!") {
                throw invalid
            } else if peek("</") {
                place += 2
                let name = try self.name()
                skipSpace()
                guard take(UInt8(ascii: ">")) else { throw invalid }
                return .end(name)
            } else {
                place += 1
                return try start()
            }
        }
        return nil
    }

    /// The bytes before and with an end. Looks at each byte once.
    private mutating func skip(to end: String) throws(DICOMDataError) {
        let last = Array(end.utf8)
        while place + last.count <= bytes.count {
            if bytes[place] == last[0], bytes[place...].starts(with: last) {
                place += last.count
                return
            }
            place += 1
        }
        throw invalid
    }

    /// A declaration may name no encoding but UTF-8 and what is a part of it.
    private mutating func instruction() throws(DICOMDataError) {
        let (start, isDeclaration) = (place, peek("<?xml "))
        try skip(to: "?>")
        guard isDeclaration else { return }
        let declaration = String(decoding: bytes[start..<place], as: UTF8.self).lowercased()
        guard let named = declaration.firstRange(of: "encoding") else { return }
        let rest = declaration[named.upperBound...].filter { $0 != " " && $0 != "'" && $0 != "\"" }
        guard rest.hasPrefix("=utf-8") || rest.hasPrefix("=us-ascii") else { throw invalid }
    }

    private mutating func start() throws(DICOMDataError) -> Piece {
        let name = try self.name()
        var attributes: [String: String] = [:]
        while true {
            skipSpace()
            guard place < bytes.count else { throw invalid }
            if take(UInt8(ascii: ">")) { return .start(name, attributes, isEmpty: false) }
            if take(UInt8(ascii: "/")) {
                guard take(UInt8(ascii: ">")) else { throw invalid }
                return .start(name, attributes, isEmpty: true)
            }
            guard attributes.count < Self.attributesMax else { throw invalid }
            let key = try self.name()
            skipSpace()
            guard take(UInt8(ascii: "=")) else { throw invalid }
            skipSpace()
            guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "'") else {
                throw invalid
            }
            let quote = bytes[place]
            place += 1
            let value = try characters { $0 == quote }
            guard take(quote), attributes.updateValue(String(decoding: value, as: UTF8.self), forKey: key) == nil else {
                throw invalid
            }
        }
    }

    /// A name without its prefix.
    private mutating func name() throws(DICOMDataError) -> String {
        let start = place
        while place < bytes.count, Self.isNameByte(bytes[place]) { place += 1 }
        guard (1...Self.nameBytesMax).contains(place - start) else { throw invalid }
        let name = bytes[start..<place]
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        return String(decoding: local, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39, 0x80...0xFF,
            UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func text() throws(DICOMDataError) -> [UInt8] { try characters { _ in false } }

    /// Characters up to markup or what ends them, references resolved.
    private mutating func characters(until isEnd: (UInt8) -> Bool) throws(DICOMDataError) -> [UInt8] {
        var found: [UInt8] = []
        while place < bytes.count, bytes[place] != UInt8(ascii: "<"), !isEnd(bytes[place]) {
            if bytes[place] == UInt8(ascii: "&") {
                found += try reference()
            } else {
                found.append(bytes[place])
                place += 1
            }
        }
        return found
    }

    /// Bytes of a reference at most, with its ampersand and semicolon.
    private static let referenceBytesMax = 12

    private mutating func reference() throws(DICOMDataError) -> [UInt8] {
        let window = bytes[place..<min(bytes.count, place + Self.referenceBytesMax)]
        guard let end = window.firstIndex(of: UInt8(ascii: ";")) else { throw invalid }
        let name = String(decoding: bytes[(place + 1)..<end], as: UTF8.self)
        let scalar: UInt32?
        switch name {
        case "amp": scalar = 0x26
        case "lt": scalar = 0x3C
        case "gt": scalar = 0x3E
        case "quot": scalar = 0x22
        case "apos": scalar = 0x27
        default:
            if name.hasPrefix("#x") {
                scalar = UInt32(name.dropFirst(2), radix: 16)
            } else if name.hasPrefix("#") {
                scalar = UInt32(name.dropFirst(1))
            } else {
                scalar = nil
            }
        }
        guard let scalar, scalar != 0, let character = Unicode.Scalar(scalar) else { throw invalid }
        place = end + 1
        return Array(String(character).utf8)
    }
}
