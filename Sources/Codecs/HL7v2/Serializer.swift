/// Writes a message back to bytes. HL7 v2.5.1 §2.6.
package enum Serializer {
    /// The message with every segment ended by CR, in a character set.
    ///
    /// With other delimiters than the message's own, structure is rewritten and data that would look like structure
    /// is escaped; values are the same. Throws `.unencodableText`.
    package static func bytes(
        of message: Message, delimiters: Delimiters? = nil, characterSet: CharacterSet = .utf8
    ) throws(HL7Error) -> [UInt8] {
        let target = delimiters ?? message.delimiters
        var output: [UInt8] = []
        output.reserveCapacity(message.bytes.count + 16)
        for segment in message.segments {
            if target == message.delimiters {
                append(lineOf: segment, to: &output, target)
            } else {
                translate(segment, to: &output, from: message.delimiters, target)
            }
            output.append(0x0D)
        }
        return try characterSet.encoded(output)
    }

    /// The bytes of a segment; line feeds inside its text become `\.br\`.
    private static func append(lineOf segment: Segment, to output: inout [UInt8], _ delimiters: Delimiters) {
        let bytes = segment.bytes
        guard bytes.contains(0x0A) else {
            output.append(contentsOf: bytes)
            return
        }
        for byte in bytes {
            if byte == 0x0A { output.append(contentsOf: lineBreak(delimiters)) } else { output.append(byte) }
        }
    }

    private static func lineBreak(_ delimiters: Delimiters) -> [UInt8] {
        [delimiters.escape, 0x2E, 0x62, 0x72, delimiters.escape]
    }

    private static func translate(
        _ segment: Segment, to output: inout [UInt8], from source: Delimiters, _ target: Delimiters
    ) {
        output.append(contentsOf: segment.id.bytes)
        guard segment.fieldCount > 0 else { return }
        for number in 1...segment.fieldCount {
            if segment.id.declaresDelimiters, number <= 2 {
                output.append(contentsOf: number == 1 ? [target.field] : target.encodingCharacters)
                continue
            }
            if !(segment.id.declaresDelimiters && number == 1) { output.append(target.field) }
            translate(value: segment[number].rawBytes, to: &output, from: source, target)
        }
    }

    private static func translate(
        value: ArraySlice<UInt8>, to output: inout [UInt8], from source: Delimiters, _ target: Delimiters
    ) {
        var at = value.startIndex
        while at < value.endIndex {
            let byte = value[at]
            switch byte {
            case source.component: output.append(target.component)
            case source.repetition: output.append(target.repetition)
            case source.subcomponent: output.append(target.subcomponent)
            case source.escape:
                if at + 2 < value.endIndex, value[at + 2] == source.escape,
                    let character = source.character(ofEscapeLetter: value[at + 1])
                {
                    output.append(contentsOf: Escape.added(to: [character], delimiters: target))
                    at += 2
                } else if let end = value[(at + 1)...].firstIndex(of: source.escape) {
                    output.append(target.escape)
                    for inner in value[(at + 1)..<end] { append(data: inner, to: &output, target) }
                    output.append(target.escape)
                    at = end
                } else {
                    append(data: byte, to: &output, target)
                }
            default: append(data: byte, to: &output, target)
            }
            at += 1
        }
    }

    private static func append(data byte: UInt8, to output: inout [UInt8], _ target: Delimiters) {
        if byte == 0x0A || target.isStructural(byte) {
            output.append(contentsOf: Escape.added(to: [byte], delimiters: target))
        } else {
            output.append(byte)
        }
    }
}

extension Delimiters {
    /// The character that `\F\`, `\S\`, `\T\`, `\R\` or `\E\` stands for.
    fileprivate func character(ofEscapeLetter letter: UInt8) -> UInt8? {
        switch letter {
        case 0x46: field
        case 0x53: component
        case 0x54: subcomponent
        case 0x52: repetition
        case 0x45: escape
        default: nil
        }
    }
}
