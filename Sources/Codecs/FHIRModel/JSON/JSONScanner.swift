/// Why a token could not be scanned: the rule and the byte at which it broke.
struct JSONScanFailure: Error {
    let reason: JSONError.Reason
    let offset: Int
}

/// The lexical rules of strict JSON over bytes: strings, numbers, literals and white space.
///
/// Every load is bounds-checked by `RawSpan`; a caller keeps positions within 0...byteCount.
enum JSONScanner {
    /// The byte at `position`; 0 beyond the end, which is no legal start of any token.
    @inline(__always)
    static func byte(_ text: borrowing RawSpan, _ position: Int) -> UInt8 {
        position < text.byteCount ? text.unsafeLoad(fromByteOffset: position, as: UInt8.self) : 0
    }

    /// The first position at or after `position` that is not JSON white space. RFC 8259 §2.
    @inline(__always)
    static func skippingWhitespace(_ text: borrowing RawSpan, _ position: Int) -> Int {
        var at = position
        while at < text.byteCount {
            let b = text.unsafeLoad(fromByteOffset: at, as: UInt8.self)
            if b > 0x20 || !(b == 0x20 || b == 0x0A || b == 0x0D || b == 0x09) { return at }
            at += 1
        }
        return at
    }

    /// Scans a string's content. RFC 8259 §7, with NUL and lone surrogates refused.
    ///
    /// - Parameter start: position after the opening quote.
    /// - Returns: the position of the closing quote, and whether the content has escapes.
    @inline(__always)
    static func string(
        _ text: borrowing RawSpan, from start: Int
    ) throws(JSONScanFailure) -> (end: Int, hasEscapes: Bool) {
        var at = start
        var hasEscapes = false
        let count = text.byteCount
        while true {
            // Eight bytes at a time until one is a quote, a backslash, a control character or not ASCII.
            while at + 8 <= count {
                let word = UInt64(
                    littleEndian: text.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
                let quote = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
                let backslash = (word ^ 0x5C5C_5C5C_5C5C_5C5C) &- 0x0101_0101_0101_0101
                let control = word &- 0x2020_2020_2020_2020
                let special = ((quote | backslash | control) & ~word | word) & 0x8080_8080_8080_8080
                if special != 0 {
                    at += special.trailingZeroBitCount >> 3
                    break
                }
                at += 8
            }
            guard at < count else { throw JSONScanFailure(reason: .unexpectedEnd, offset: count) }
            let b = text.unsafeLoad(fromByteOffset: at, as: UInt8.self)
            if b == 0x22 { return (at, hasEscapes) }
            if b == 0x5C {
                hasEscapes = true
                at = try escape(text, at)
            } else if b >= 0x80 {
                at = try multibyte(text, at)
            } else if b < 0x20 {
                throw JSONScanFailure(reason: b == 0 ? .nulCharacter : .controlCharacter, offset: at)
            } else {
                at += 1
            }
        }
    }

    /// Checks the escape whose backslash is at `position` and returns the position after it.
    static func escape(_ text: borrowing RawSpan, _ position: Int) throws(JSONScanFailure) -> Int {
        guard position + 1 < text.byteCount else {
            throw JSONScanFailure(reason: .unexpectedEnd, offset: text.byteCount)
        }
        switch byte(text, position + 1) {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return position + 2
        case 0x75: break
        default: throw JSONScanFailure(reason: .invalidEscape, offset: position)
        }
        let unit = try hex4(text, position + 2, escapeAt: position)
        if unit == 0 { throw JSONScanFailure(reason: .nulCharacter, offset: position) }
        guard unit & 0xF800 == 0xD800 else { return position + 6 }
        guard unit < 0xDC00, byte(text, position + 6) == 0x5C, byte(text, position + 7) == 0x75 else {
            throw JSONScanFailure(reason: .loneSurrogate, offset: position)
        }
        let low = try hex4(text, position + 8, escapeAt: position + 6)
        guard low & 0xFC00 == 0xDC00 else { throw JSONScanFailure(reason: .loneSurrogate, offset: position) }
        return position + 12
    }

    private static func hex4(
        _ text: borrowing RawSpan, _ position: Int, escapeAt: Int
    ) throws(JSONScanFailure) -> UInt32 {
        guard position + 4 <= text.byteCount else {
            throw JSONScanFailure(reason: .unexpectedEnd, offset: text.byteCount)
        }
        var unit: UInt32 = 0
        for at in position..<position + 4 {
            guard let digit = hexDigit(byte(text, at)) else {
                throw JSONScanFailure(reason: .invalidEscape, offset: escapeAt)
            }
            unit = unit << 4 | digit
        }
        return unit
    }

    static func hexDigit(_ b: UInt8) -> UInt32? {
        switch b {
        case 0x30...0x39: UInt32(b) - 0x30
        case 0x41...0x46: UInt32(b) - 0x37
        case 0x61...0x66: UInt32(b) - 0x57
        default: nil
        }
    }

    /// Checks the UTF-8 sequence that starts at `position` (a byte of 0x80 or more) and returns the position after
    /// it. Overlong forms, surrogates and values above U+10FFFF are refused. RFC 3629 §4.
    static func multibyte(_ text: borrowing RawSpan, _ position: Int) throws(JSONScanFailure) -> Int {
        let lead = byte(text, position)
        let second = byte(text, position + 1)
        let length: Int
        let secondIsValid: Bool
        switch lead {
        case 0xC2...0xDF: (length, secondIsValid) = (2, second & 0xC0 == 0x80)
        case 0xE0: (length, secondIsValid) = (3, 0xA0...0xBF ~= second)
        case 0xED: (length, secondIsValid) = (3, 0x80...0x9F ~= second)
        case 0xE1...0xEF: (length, secondIsValid) = (3, second & 0xC0 == 0x80)
        case 0xF0: (length, secondIsValid) = (4, 0x90...0xBF ~= second)
        case 0xF1...0xF3: (length, secondIsValid) = (4, second & 0xC0 == 0x80)
        case 0xF4: (length, secondIsValid) = (4, 0x80...0x8F ~= second)
        default: (length, secondIsValid) = (1, false)
        }
        guard secondIsValid,
            length < 3 || byte(text, position + 2) & 0xC0 == 0x80,
            length < 4 || byte(text, position + 3) & 0xC0 == 0x80
        else { throw JSONScanFailure(reason: .invalidUTF8, offset: position) }
        return position + length
    }

    /// Scans a number and returns the position after it. RFC 8259 §6: no plus sign, no leading zero, a digit on both
    /// sides of the point, and in the exponent.
    @inline(__always)
    static func number(_ text: borrowing RawSpan, from start: Int) throws(JSONScanFailure) -> Int {
        var at = start
        if byte(text, at) == 0x2D { at += 1 }
        if byte(text, at) == 0x30 {
            at += 1
        } else {
            at = try digits(text, at)
        }
        if byte(text, at) == 0x2E { at = try digits(text, at + 1) }
        if byte(text, at) | 0x20 == 0x65 {
            at += 1
            let sign = byte(text, at)
            if sign == 0x2B || sign == 0x2D { at += 1 }
            at = try digits(text, at)
        }
        return at
    }

    @inline(__always)
    private static func digits(_ text: borrowing RawSpan, _ position: Int) throws(JSONScanFailure) -> Int {
        var at = position
        while at < text.byteCount, text.unsafeLoad(fromByteOffset: at, as: UInt8.self) &- 0x30 < 10 { at += 1 }
        guard at > position else { throw JSONScanFailure(reason: .invalidNumber, offset: position) }
        return at
    }

    /// Whether the four bytes at `position` are `word`, given in reading order.
    @inline(__always)
    static func matches(_ text: borrowing RawSpan, _ position: Int, _ word: StaticString) -> Bool {
        guard position + word.utf8CodeUnitCount <= text.byteCount else { return false }
        return word.withUTF8Buffer { expected in
            for i in 0..<expected.count where byte(text, position + i) != expected[i] { return false }
            return true
        }
    }
}
