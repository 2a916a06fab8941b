/// Reads the bytes of one message into a `Message`. HL7 v2.5.1 §2.5 to §2.7 (ER7).
///
/// One pass finds segments and fields; nothing below is touched until it is asked for. Tolerated, because senders
/// do it and nothing is lost: LF or CR LF as segment end, a byte order mark and blank lines before MSH, a missing
/// last segment end, and a lone LF inside text of a message whose segments end with CR. Everything else that does
/// not fit is a typed error with its offset.
package struct Parser: Sendable {
    package var limits: HL7Limits
    package var characterSetPolicy: CharacterSetPolicy

    package init(limits: HL7Limits = HL7Limits(), characterSetPolicy: CharacterSetPolicy = CharacterSetPolicy()) {
        self.limits = limits
        self.characterSetPolicy = characterSetPolicy
    }

    /// Parses one message, without its frame. Throws any case of `HL7Error` up to `.characterSetContradicted`.
    package func parse(_ received: [UInt8]) throws(HL7Error) -> Message {
        guard received.count <= limits.messageBytesMax else {
            throw .messageTooLarge(limit: limits.messageBytesMax)
        }
        var bytes = received
        let survey = ByteSurvey(bytes.span)
        if let offset = survey.nulOffset { throw .nulByte(offset: offset) }
        var characterSet = CharacterSet.ascii
        var isAssumed = false
        if survey.needsDecoding {
            let declared = try declaredCharacterSets(bytes)
            let reading = try characterSetPolicy.read(bytes, declared: declared)
            characterSet = reading.characterSet
            isAssumed = reading.isAssumed
            if let utf8 = reading.utf8 { bytes = utf8 }
        }
        let start = try headerStart(bytes.span)
        let delimiters = try Delimiters.read(from: bytes.span, headerAt: start)
        if !survey.needsDecoding, let declared = try? declaredCharacterSets(bytes).first {
            // Pure ASCII reads alike in every set; the declared one still rules escapes and the acknowledgment.
            characterSet = declared
        }
        var index = SegmentIndex(capacity: bytes.count)
        try index.build(bytes.span, from: start, delimiters: delimiters, limits: limits)
        return Message(
            storage: MessageStorage(
                bytes: bytes, segments: index.segments, fieldStarts: index.fieldStarts, delimiters: delimiters,
                characterSet: characterSet, isCharacterSetAssumed: isAssumed))
    }

    /// The offset of `MSH` after an optional UTF-8 byte order mark and blank lines.
    private func headerStart(_ bytes: Span<UInt8>) throws(HL7Error) -> Int {
        var at = 0
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { at = 3 }
        while at < bytes.count, bytes[at] == 0x0D || bytes[at] == 0x0A || bytes[at] == 0x20 { at += 1 }
        guard at < bytes.count else { throw .messageEmpty }
        guard at + 3 <= bytes.count, bytes[at] == 0x4D, bytes[at + 1] == 0x53, bytes[at + 2] == 0x48 else {
            throw .headerMissing(offset: at)
        }
        return at
    }

    /// The repetitions of MSH-18, read from the bytes before they are decoded (the header's own syntax is ASCII).
    private func declaredCharacterSets(_ bytes: [UInt8]) throws(HL7Error) -> [CharacterSet] {
        let text = bytes.span
        let start = try headerStart(text)
        let delimiters = try Delimiters.read(from: text, headerAt: start)
        var field = 1
        var at = start + 3
        while at < text.count, text[at] != 0x0D, text[at] != 0x0A {
            if text[at] == delimiters.field {
                field += 1
                if field == 19 { break }
            }
            at += 1
            if field == 18 { break }
        }
        guard field == 18 else { return [] }
        var end = at
        while end < text.count, text[end] != 0x0D, text[end] != 0x0A, text[end] != delimiters.field { end += 1 }
        var sets: [CharacterSet] = []
        for name in bytes[at..<end].split(separator: delimiters.repetition) {
            let code = name.prefix { $0 != delimiters.component }
            guard !code.allSatisfy({ $0 == 0x20 || $0 == 0x22 }) else { continue }
            guard let set = CharacterSet(name: String(decoding: code, as: UTF8.self)) else {
                throw .characterSetUnsupported
            }
            sets.append(set)
        }
        return sets
    }
}

/// What one quick look at the bytes tells: whether there is a zero byte, and whether all is plain ASCII.
private struct ByteSurvey {
    var nulOffset: Int?
    /// True when a byte above 0x7F or ESC occurs.
    var needsDecoding = false

    init(_ bytes: Span<UInt8>) {
        var high: UInt8 = 0
        var hasEscape = false
        for at in bytes.indices {
            let byte = bytes[at]
            high |= byte
            hasEscape = hasEscape || byte == 0x1B
            if byte == 0 {
                nulOffset = at
                break
            }
        }
        needsDecoding = high >= 0x80 || hasEscape
    }
}

/// The offsets of segments and fields while they are being found.
private struct SegmentIndex {
    var segments: [SegmentEntry] = []
    var fieldStarts: [UInt32] = []

    init(capacity bytes: Int) {
        segments.reserveCapacity(min(16, bytes / 16 + 1))
        fieldStarts.reserveCapacity(min(bytes / 4 + 8, 4096))
    }

    mutating func build(
        _ text: Span<UInt8>, from start: Int, delimiters: Delimiters, limits: HL7Limits
    ) throws(HL7Error) {
        let usesLineFeedOnly = !SegmentIndex.contains(0x0D, in: text)
        var at = start
        while at < text.count {
            if text[at] == 0x0D || text[at] == 0x0A {
                at += 1
                continue
            }
            guard segments.count < limits.segmentsMax else {
                throw .tooManySegments(offset: at, limit: limits.segmentsMax)
            }
            at = try segment(
                text, at: at, delimiters: delimiters, limits: limits, usesLineFeedOnly: usesLineFeedOnly)
        }
    }

    /// Indexes the segment at `start` and gives the offset of its end.
    private mutating func segment(
        _ text: Span<UInt8>, at start: Int, delimiters: Delimiters, limits: HL7Limits, usesLineFeedOnly: Bool
    ) throws(HL7Error) -> Int {
        guard start + 3 <= text.count, let id = SegmentID(bytes: text[start], text[start + 1], text[start + 2]),
            start + 3 == text.count || text[start + 3] == delimiters.field || isLineEnd(text[start + 3])
        else { throw .segmentNameIllegal(offset: start, position: segments.count + 1) }
        let first = fieldStarts.count
        var count = 0
        var repetitions = 0
        let countsRepetitions = !id.declaresDelimiters
        var at = start + 3
        if id.declaresDelimiters, at < text.count, text[at] == delimiters.field {
            fieldStarts.append(UInt32(truncatingIfNeeded: at))
            count = 1
        }
        while at < text.count {
            let byte = text[at]
            if byte == delimiters.field {
                guard count < limits.fieldsMax else {
                    throw .tooManyFields(
                        offset: at, segment: id, occurrence: occurrence(of: id), limit: limits.fieldsMax)
                }
                fieldStarts.append(UInt32(truncatingIfNeeded: at + 1))
                count += 1
                repetitions = 0
            } else if byte == delimiters.repetition, countsRepetitions {
                repetitions += 1
                guard repetitions < limits.repetitionsMax else {
                    throw .tooManyRepetitions(
                        offset: at, segment: id, occurrence: occurrence(of: id), field: count,
                        limit: limits.repetitionsMax)
                }
            } else if byte == 0x0D {
                break
            } else if byte == 0x0A, usesLineFeedOnly || beginsSegment(text, at: at + 1, delimiters: delimiters) {
                break
            }
            at += 1
        }
        var end = at
        while end > start + 3, text[end - 1] == 0x0A { end -= 1 }
        segments.append(
            SegmentEntry(
                id: id, start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
                firstField: UInt32(truncatingIfNeeded: first), fieldCount: UInt32(truncatingIfNeeded: count)))
        return at
    }

    /// After a lone LF in a message of CR-ended segments: a name and a separator begin a segment, all else is text.
    private func beginsSegment(_ text: Span<UInt8>, at start: Int, delimiters: Delimiters) -> Bool {
        start + 3 < text.count && text[start + 3] == delimiters.field
            && SegmentID(bytes: text[start], text[start + 1], text[start + 2]) != nil
    }

    private func occurrence(of id: SegmentID) -> Int { segments.count(where: { $0.id == id }) + 1 }
    private func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0D || byte == 0x0A }

    private static func contains(_ wanted: UInt8, in text: Span<UInt8>) -> Bool {
        for at in text.indices where text[at] == wanted { return true }
        return false
    }
}
