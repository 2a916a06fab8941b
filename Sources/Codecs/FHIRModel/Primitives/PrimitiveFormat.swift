/// The lexical rules of FHIR's primitive types, over UTF-8. FHIR R4 datatypes.html#primitive.
package enum PrimitiveFormat {
    /// `id`: 1 to 64 of A-Z a-z 0-9 - . FHIR R4 datatypes.html#id.
    package static func isID(_ text: some Collection<UInt8>) -> Bool {
        guard 1...64 ~= text.count else { return false }
        return text.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x2E }
    }

    package static func isID(_ text: String) -> Bool { isID(text.utf8) }

    /// `code`: no white space at the ends, single spaces inside, at least one character.
    /// FHIR R4 datatypes.html#code.
    package static func isCode(_ text: some Collection<UInt8>) -> Bool {
        var previous: UInt8 = 0x20
        for b in text {
            if b < 0x20 || (b == 0x20 && previous == 0x20) { return false }
            previous = b
        }
        return previous != 0x20
    }

    /// `uri`, `url`, `canonical`: not empty and without white space. FHIR R4 datatypes.html#uri.
    package static func isURI(_ text: some Collection<UInt8>) -> Bool {
        !text.isEmpty && text.allSatisfy { $0 > 0x20 }
    }

    /// `oid`: `urn:oid:` and a dotted number that starts with 0, 1 or 2. FHIR R4 datatypes.html#oid.
    package static func isOID(_ text: some Collection<UInt8>) -> Bool {
        guard text.starts(with: "urn:oid:".utf8) else { return false }
        let arcs = text.dropFirst(8).split(separator: 0x2E, omittingEmptySubsequences: false)
        guard arcs.count > 1, let first = arcs.first, first.count == 1, let root = first.first, 0x30...0x32 ~= root
        else { return false }
        return arcs.allSatisfy { arc in
            arc.allSatisfy(isDigit) && (arc.count == 1 || (arc.count > 1 && arc.first != 0x30))
        }
    }

    /// `uuid`: `urn:uuid:` and 8-4-4-4-12 hexadecimal digits, in either case as RFC 4122 §3 tells a reader to take
    /// them. FHIR R4 datatypes.html#uuid.
    package static func isUUID(_ text: some Collection<UInt8>) -> Bool {
        guard text.count == 45, text.starts(with: "urn:uuid:".utf8) else { return false }
        return text.dropFirst(9).enumerated().allSatisfy { position, b in
            switch position {
            case 8, 13, 18, 23: b == 0x2D
            default: JSONScanner.hexDigit(b) != nil
            }
        }
    }

    /// The text of an integer within `range`: no plus sign, no leading zero, no fraction.
    /// FHIR R4 datatypes.html#integer.
    package static func isInteger(_ text: some Collection<UInt8>, in range: ClosedRange<Int64>) -> Bool {
        let isNegative = text.first == 0x2D
        let digits = isNegative ? text.dropFirst() : text.dropFirst(0)
        guard 1...10 ~= digits.count, digits.allSatisfy(isDigit), digits.count == 1 || digits.first != 0x30 else {
            return false
        }
        let magnitude = digits.reduce(0 as Int64) { $0 * 10 + Int64($1 - 0x30) }
        return range.contains(isNegative ? -magnitude : magnitude)
    }

    /// A decimal's text: -? digits (. digits)? (e digits)?; any precision. FHIR R4 datatypes.html#decimal.
    package static func isDecimal(_ text: some Collection<UInt8>) -> Bool {
        let bytes = Array(text)
        do throws(JSONScanFailure) {
            let end = try JSONScanner.number(bytes.span.bytes, from: 0)
            return end == bytes.count
        } catch {
            return false
        }
    }

    /// `base64Binary`: groups of four with padding at the end only, white space between characters allowed.
    /// FHIR R4 datatypes.html#base64Binary.
    package static func isBase64(_ text: some Collection<UInt8>) -> Bool {
        var characters = 0
        var padding = 0
        for b in text {
            if b == 0x20 || b == 0x09 || b == 0x0A || b == 0x0D { continue }
            if b == 0x3D {
                padding += 1
            } else if padding > 0 || !(isAlphanumeric(b) || b == 0x2B || b == 0x2F) {
                return false
            }
            characters += 1
        }
        return characters > 0 && characters % 4 == 0 && padding <= 2
    }

    /// `string`, `markdown`: not empty, no control character but tab, CR and LF. FHIR R4 datatypes.html#string.
    package static func isString(_ text: some Collection<UInt8>) -> Bool {
        !text.isEmpty && text.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    static func isDigit(_ b: UInt8) -> Bool { 0x30...0x39 ~= b }
    static func isAlphanumeric(_ b: UInt8) -> Bool {
        0x30...0x39 ~= b || 0x41...0x5A ~= b || 0x61...0x7A ~= b
    }
}
