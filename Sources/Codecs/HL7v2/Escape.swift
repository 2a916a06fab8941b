/// Escape sequences in values: removing them after splitting, and adding them before joining.
/// HL7 v2.5.1 §2.7, HL7 v2.7 §2.7.
///
/// Removed: the delimiters `\F\ \S\ \T\ \R\ \E\ \P\`, highlighting `\H\ \N\` (dropped), the formatting commands
/// `\.br\ \.sp\ \.fi\ \.nf\ \.in\ \.ti\ \.sk\ \.ce\`, bytes `\Xdd…\`, and the character set switches `\Cxxyy\` and
/// `\Mxxyyzz\`. Locally defined `\Z…\` and everything unknown is kept as it stands, so that nothing is lost.
package enum Escape {
    /// The bytes of one value with its escapes removed, in UTF-8.
    ///
    /// `\X` bytes are read in the character set of the message. A sequence whose result would pass
    /// `HL7Limits.unescapedBytesMax` is kept as text.
    package static func removed(
        from value: ArraySlice<UInt8>, delimiters: Delimiters, characterSet: CharacterSet
    ) -> [UInt8] {
        var remover = Remover(delimiters: delimiters, characterSet: characterSet)
        remover.output.reserveCapacity(value.count)
        var at = value.startIndex
        while at < value.endIndex {
            let byte = value[at]
            guard byte == delimiters.escape else {
                remover.add(byte)
                at += 1
                continue
            }
            guard let end = value[(at + 1)...].firstIndex(of: delimiters.escape) else {
                // No second escape character: the rest is text.
                for rest in value[at...] { remover.add(rest) }
                break
            }
            if remover.command(value[(at + 1)..<end]) {
                at = end + 1
            } else {
                // Not a sequence we know. Its closing character may open the next one, so only this part is text.
                for rest in value[at..<end] { remover.add(rest) }
                if remover.isWhole(value[(at + 1)..<end]) {
                    remover.add(delimiters.escape)
                    at = end + 1
                } else {
                    at = end
                }
            }
        }
        remover.endSwitch()
        return remover.output
    }

    /// The bytes of one value, ready to stand between delimiters: UTF-8 in, escapes added.
    ///
    /// Delimiters become their escapes, CR, LF and CR LF become `\.br\`, other bytes below 0x20 (TAB excepted) and
    /// 0x7F become `\X`: none of them can stand in a segment or a frame.
    package static func added(to text: some Sequence<UInt8>, delimiters: Delimiters) -> [UInt8] {
        var output: [UInt8] = []
        var lastWasCarriageReturn = false
        for byte in text {
            defer { lastWasCarriageReturn = byte == 0x0D }
            switch byte {
            case 0x0A where lastWasCarriageReturn: continue
            case 0x0A, 0x0D: output += lineBreak(delimiters)
            default: append(byte, to: &output, delimiters)
            }
        }
        return output
    }

    /// A byte that is no line break.
    private static func append(_ byte: UInt8, to output: inout [UInt8], _ delimiters: Delimiters) {
        switch byte {
        case delimiters.field: output.append(letter: 0x46, delimiters)
        case delimiters.component: output.append(letter: 0x53, delimiters)
        case delimiters.subcomponent: output.append(letter: 0x54, delimiters)
        case delimiters.repetition: output.append(letter: 0x52, delimiters)
        case delimiters.escape: output.append(letter: 0x45, delimiters)
        case 0x00..<0x20 where byte != 0x09, 0x7F: output += hexadecimal(byte, delimiters)
        default:
            if let truncation = delimiters.truncation, byte == truncation {
                output.append(letter: 0x50, delimiters)
            } else {
                output.append(byte)
            }
        }
    }

    /// The bytes of one value ready to stand between delimiters, so that reading them gives the same text again: line
    /// breaks too stay what they are.
    ///
    /// - Parameter isFormatted: a line feed is the formatting command `\.br\` (data type FT) and not `\X0A\`.
    static func written(_ text: some Collection<UInt8>, delimiters: Delimiters, isFormatted: Bool) -> [UInt8] {
        // Two quotes alone would be the null value.
        if text.elementsEqual([0x22, 0x22]) { return hexadecimal(0x22, delimiters) + [0x22] }
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        for byte in text {
            switch byte {
            case 0x0A where isFormatted: output += lineBreak(delimiters)
            case 0x0A, 0x0D: output += hexadecimal(byte, delimiters)
            default: append(byte, to: &output, delimiters)
            }
        }
        return output
    }

    /// `\.br\`, or `\X0A\` where the point is a delimiter.
    private static func lineBreak(_ delimiters: Delimiters) -> [UInt8] {
        if delimiters.isStructural(0x2E) { return hexadecimal(0x0A, delimiters) }
        return [delimiters.escape, 0x2E, 0x62, 0x72, delimiters.escape]
    }

    private static func hexadecimal(_ byte: UInt8, _ delimiters: Delimiters) -> [UInt8] {
        [delimiters.escape, 0x58, hexDigit(byte >> 4), hexDigit(byte & 0x0F), delimiters.escape]
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}

extension [UInt8] {
    fileprivate mutating func append(letter: UInt8, _ delimiters: Delimiters) {
        append(delimiters.escape)
        append(letter)
        append(delimiters.escape)
    }
}

/// The state of removing escapes from one value.
private struct Remover {
    let delimiters: Delimiters
    let characterSet: CharacterSet
    var output: [UInt8] = []
    /// Bytes since a switch to another character set, its ISO 2022 escape sequence included; nil when none is on.
    var switched: [UInt8]?

    init(delimiters: Delimiters, characterSet: CharacterSet) {
        self.delimiters = delimiters
        self.characterSet = characterSet
    }

    mutating func add(_ byte: UInt8) {
        if switched == nil { output.append(byte) } else { switched?.append(byte) }
    }

    /// Carries out the sequence between two escape characters. False when it is not one to be removed.
    mutating func command(_ body: ArraySlice<UInt8>) -> Bool {
        guard let first = body.first, output.count < HL7Limits.unescapedBytesMax else { return false }
        if body.count == 1 {
            switch first {
            case 0x46: add(delimiters.field)
            case 0x53: add(delimiters.component)
            case 0x54: add(delimiters.subcomponent)
            case 0x52: add(delimiters.repetition)
            case 0x45: add(delimiters.escape)
            case 0x50: add(delimiters.truncation ?? 0x23)
            case 0x48, 0x4E: break
            default: return false
            }
            return true
        }
        switch first {
        case 0x2E: return formatting(body.dropFirst())
        case 0x58: return hexadecimal(body.dropFirst())
        case 0x43 where body.count == 5, 0x4D where body.count == 5 || body.count == 7:
            return characterSetSwitch(isMultibyte: first == 0x4D, body.dropFirst())
        default: return false
        }
    }

    /// True when an unknown sequence is closed by its second escape character (as `\Zxx\` is) rather than text that
    /// happens to hold an escape character.
    func isWhole(_ body: ArraySlice<UInt8>) -> Bool {
        guard let first = body.first, body.count <= 64 else { return false }
        let isCommandLetter = first == 0x2E || (first >= 0x41 && first <= 0x5A)
        return isCommandLetter && !body.contains { $0 <= 0x20 || $0 == 0x7F }
    }

    private mutating func formatting(_ command: ArraySlice<UInt8>) -> Bool {
        let letters = Array(command.prefix(2)).map { $0 | 0x20 }
        guard letters.count == 2, let count = repeatCount(command.dropFirst(2)) else { return false }
        switch (letters[0], letters[1]) {
        case (0x62, 0x72), (0x63, 0x65): add(0x0A)  // .br, .ce
        case (0x73, 0x70): for _ in 0..<(count ?? 1) { add(0x0A) }  // .sp
        case (0x73, 0x6B), (0x69, 0x6E), (0x74, 0x69): for _ in 0..<(count ?? 0) { add(0x20) }  // .sk .in .ti
        case (0x66, 0x69), (0x6E, 0x66): break  // .fi .nf
        default: return false
        }
        return true
    }

    /// The number after a formatting command: `.some(nil)` when there is none, nil when it is no number or too large.
    private func repeatCount(_ text: ArraySlice<UInt8>) -> Int?? {
        var digits = text.drop { $0 == 0x20 || $0 == 0x2B }
        guard !digits.isEmpty else { return .some(nil) }
        let isNegative = digits.first == 0x2D
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty, digits.count <= 4 else { return nil }
        var value = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        guard value <= HL7Limits.formattingRepeatMax else { return nil }
        return .some(isNegative ? 0 : value)
    }

    private mutating func hexadecimal(_ digits: ArraySlice<UInt8>) -> Bool {
        guard let bytes = Remover.bytes(ofHexadecimal: digits), !bytes.isEmpty else { return false }
        if switched != nil {
            for byte in bytes { add(byte) }
            return true
        }
        let set = characterSet == .ascii ? CharacterSet.latin1 : characterSet
        guard let text = try? set.decoded(bytes), !text.contains(0) else { return false }
        output.append(contentsOf: text)
        return true
    }

    /// `\C2842\`: one-byte set by ISO 2022 escape `ESC ( B`; `\M2442\`: multi-byte set `ESC $ B`.
    private mutating func characterSetSwitch(isMultibyte: Bool, _ digits: ArraySlice<UInt8>) -> Bool {
        guard let sequence = Remover.bytes(ofHexadecimal: digits), sequence.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        else { return false }
        if !isMultibyte, sequence == [0x28, 0x42] {
            endSwitch()
            return true
        }
        if switched == nil { switched = [] }
        switched?.append(0x1B)
        switched?.append(contentsOf: sequence)
        return true
    }

    /// Decodes what followed a switch. Bytes that do not decode are kept as `\X` text.
    mutating func endSwitch() {
        guard let bytes = switched else { return }
        switched = nil
        if let text = try? Iconv.convert(bytes, from: "ISO-2022-JP-2", to: "UTF-8") {
            output.append(contentsOf: text)
        } else {
            for byte in bytes where byte >= 0x20 { output.append(byte) }
        }
    }

    private static func bytes(ofHexadecimal digits: ArraySlice<UInt8>) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case 0x30...0x39: value = digit - 0x30
            case 0x41...0x46: value = digit - 0x37
            case 0x61...0x66: value = digit - 0x57
            default: return nil
            }
            if let upper = high {
                bytes.append(upper << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}
