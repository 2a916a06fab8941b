/// A parsed message: its text in UTF-8, and where its segments and fields begin.
///
/// A value. Segments, fields and their parts are views into the one byte buffer; nothing is copied or decoded
/// until text is asked for. Made by `Parser`. HL7 v2.5.1 §2.5.
package struct Message: Sendable {
    let storage: MessageStorage

    /// The delimiters of MSH-1 and MSH-2.
    package var delimiters: Delimiters { storage.delimiters }
    /// The character set the received bytes were read in.
    package var characterSet: CharacterSet { storage.characterSet }
    /// True when the bytes were not in the character set that MSH-18 declares (or nothing was declared) and another
    /// was taken by policy; worth a counter and a word to the sender's administrator.
    package var isCharacterSetAssumed: Bool { storage.isCharacterSetAssumed }
    /// The text of the message in UTF-8, with the segment ends as sent.
    package var bytes: [UInt8] { storage.bytes }

    /// All segments in order, MSH first.
    package var segments: Segments { Segments(storage: storage) }
    /// The first segment of that name, nil when there is none.
    package subscript(_ id: SegmentID) -> Segment? { segment(id, occurrence: 1) }

    /// The n-th segment of that name, counted from 1. Nil when there are fewer.
    package func segment(_ id: SegmentID, occurrence: Int) -> Segment? {
        guard occurrence > 0 else { return nil }
        var seen = 0
        for index in storage.segments.indices where storage.segments[index].id == id {
            seen += 1
            if seen == occurrence { return Segment(storage: storage, index: index) }
        }
        return nil
    }

    /// The part at a path; absent when the message does not reach there.
    package func value(at path: FieldPath) -> Subcomponent {
        let field = segment(path.segment, occurrence: path.occurrence)?[path.field]
        return field?[path.repetition][path.component ?? 1][path.subcomponent ?? 1] ?? Subcomponent.absent(storage)
    }

    /// The text at a path, nil unless it is valued. See `Element.text`.
    package func text(at path: FieldPath) -> String? { value(at: path).text }

    /// The header fields that routing and acknowledging need.
    package var header: MessageHeader { MessageHeader(self) }
}

/// The shared, immutable body of a message.
package final class MessageStorage: Sendable {
    /// UTF-8.
    let bytes: [UInt8]
    let segments: [SegmentEntry]
    /// The offset of each field of each segment, in order. For MSH, BHS and FHS the first two entries are the
    /// separator itself and MSH-2.
    let fieldStarts: [UInt32]
    let delimiters: Delimiters
    let characterSet: CharacterSet
    let isCharacterSetAssumed: Bool
    /// Where reads are noted; nil when nobody asked.
    let trace: ReadTrace?

    init(
        bytes: [UInt8], segments: [SegmentEntry], fieldStarts: [UInt32], delimiters: Delimiters,
        characterSet: CharacterSet, isCharacterSetAssumed: Bool
    ) {
        self.bytes = bytes
        self.segments = segments
        self.fieldStarts = fieldStarts
        self.delimiters = delimiters
        self.characterSet = characterSet
        self.isCharacterSetAssumed = isCharacterSetAssumed
        trace = nil
    }

    init(_ other: MessageStorage, trace: ReadTrace) {
        bytes = other.bytes
        segments = other.segments
        fieldStarts = other.fieldStarts
        delimiters = other.delimiters
        characterSet = other.characterSet
        isCharacterSetAssumed = other.isCharacterSetAssumed
        self.trace = trace
    }

    /// The bytes of field `number` (from 1) of a segment, nil when the segment is shorter.
    func fieldRange(segment index: Int, field number: Int) -> Range<Int>? {
        let entry = segments[index]
        guard number >= 1, number <= Int(entry.fieldCount) else { return nil }
        let slot = Int(entry.firstField) + number - 1
        let start = Int(fieldStarts[slot])
        if number == 1, entry.id.declaresDelimiters { return start..<start + 1 }
        let end = number == Int(entry.fieldCount) ? Int(entry.end) : Int(fieldStarts[slot + 1]) - 1
        return start..<end
    }
}

/// Where a segment lies, and where its fields are in the index.
struct SegmentEntry: Sendable {
    let id: SegmentID
    /// The offset of the segment name.
    let start: UInt32
    /// The offset after the last byte, the segment end not counted.
    let end: UInt32
    /// The place of field 1 in `MessageStorage.fieldStarts`.
    let firstField: UInt32
    let fieldCount: UInt32
}
