/// Why bytes are not a message that can be worked on, and where.
///
/// Offsets count bytes from the start of the text as it is read: the received bytes, or, for a message in a
/// character set other than ASCII and UTF-8, its UTF-8 form. No case carries a value from the message.
package enum HL7Error: Error, Sendable, Hashable {
    /// Nothing but line ends.
    case messageEmpty
    /// More bytes than `HL7Limits.messageBytesMax`.
    case messageTooLarge(limit: Int)
    /// The text does not begin with MSH.
    case headerMissing(offset: Int)
    /// The text ends inside MSH-1 and MSH-2.
    case headerTruncated(offset: Int)
    /// MSH-1 and MSH-2 repeat a character, use a letter, digit, quote or control byte, or have a wrong length.
    case delimitersIllegal(offset: Int)
    /// A zero byte: the mark of UTF-16, UTF-32 or damage; never part of a message.
    case nulByte(offset: Int)
    /// A line that does not begin with a segment name and a field separator.
    case segmentNameIllegal(offset: Int, position: Int)
    /// More segments than `HL7Limits.segmentsMax`.
    case tooManySegments(offset: Int, limit: Int)
    /// More fields in a segment than `HL7Limits.fieldsMax`.
    case tooManyFields(offset: Int, segment: SegmentID, occurrence: Int, limit: Int)
    /// More repetitions in a field than `HL7Limits.repetitionsMax`.
    case tooManyRepetitions(offset: Int, segment: SegmentID, occurrence: Int, field: Int, limit: Int)
    /// MSH-18 names a character set that is not supported, or one that MLLP can not carry (UTF-16, UTF-32).
    case characterSetUnsupported
    /// Bytes that the character set of the message does not have.
    case undecodableText(offset: Int)
    /// UTF-8 bytes under a declared single-byte character set, where the policy refuses them.
    case characterSetContradicted(offset: Int)
    /// A character that the target character set does not have, on output.
    case unencodableText(offset: Int)
    /// The same of a value of a message that is to be written, by its place.
    case valueUnencodable(at: ErrorLocation)
    /// A value of a message that is to be written has more characters than its field has room for.
    case valueTooLong(at: ErrorLocation, limit: Int)
    /// A field path that does not follow the grammar of `FieldPath`.
    case pathIllegal(offset: Int)
    /// A byte that frames can not carry (0x0B, 0x1C), on output.
    case unframeableByte(offset: Int)
    /// A batch or file trailer whose count is not the number of messages (batches) before it.
    case batchCountMismatch(declared: Int, found: Int)
    /// A batch file whose envelope segments are out of order.
    case batchSequence(offset: Int)

    /// The byte offset, where the case has one.
    package var offset: Int? {
        switch self {
        case .headerMissing(let offset), .headerTruncated(let offset), .delimitersIllegal(let offset),
            .nulByte(let offset), .segmentNameIllegal(let offset, _), .tooManySegments(let offset, _),
            .tooManyFields(let offset, _, _, _), .tooManyRepetitions(let offset, _, _, _, _),
            .undecodableText(let offset), .characterSetContradicted(let offset), .unencodableText(let offset),
            .pathIllegal(let offset), .unframeableByte(let offset), .batchSequence(let offset):
            offset
        case .messageEmpty, .messageTooLarge, .characterSetUnsupported, .batchCountMismatch, .valueUnencodable,
            .valueTooLong:
            nil
        }
    }

    /// The place in the message, for ERR-2 (ERR-1 before 2.5), where the case has one.
    package var location: ErrorLocation? {
        switch self {
        case .headerMissing, .messageEmpty: ErrorLocation(segment: "MSH")
        case .headerTruncated, .delimitersIllegal: ErrorLocation(segment: "MSH", field: 2)
        case .characterSetUnsupported, .characterSetContradicted: ErrorLocation(segment: "MSH", field: 18)
        case .tooManyFields(_, let segment, let occurrence, _):
            ErrorLocation(segment: segment, occurrence: occurrence)
        case .tooManyRepetitions(_, let segment, let occurrence, let field, _):
            ErrorLocation(segment: segment, occurrence: occurrence, field: field)
        case .valueUnencodable(let place), .valueTooLong(let place, _): place
        default: nil
        }
    }

    /// The code of table 0357 that tells the sender what is wrong.
    package var condition: ErrorCondition {
        switch self {
        case .messageEmpty, .headerMissing, .headerTruncated, .segmentNameIllegal, .batchSequence,
            .batchCountMismatch:
            .segmentSequenceError
        case .characterSetUnsupported: .tableValueNotFound
        case .messageTooLarge, .tooManySegments, .tooManyFields, .tooManyRepetitions, .pathIllegal:
            .applicationInternalError
        case .delimitersIllegal, .nulByte, .undecodableText, .characterSetContradicted, .unencodableText,
            .unframeableByte, .valueUnencodable, .valueTooLong:
            .dataTypeError
        }
    }

    /// One sentence for the person at the sending side, without any value of the message.
    package var message: String {
        switch self {
        case .messageEmpty: "The message is empty"
        case .messageTooLarge(let limit): "The message is longer than \(limit) bytes"
        case .headerMissing: "The message does not begin with MSH"
        case .headerTruncated: "The message ends inside MSH-2"
        case .delimitersIllegal: "MSH-1 and MSH-2 do not name five different delimiters"
        case .nulByte(let offset): "Zero byte at offset \(offset)"
        case .segmentNameIllegal(let offset, let position):
            "Segment \(position) at offset \(offset) does not begin with a segment name"
        case .tooManySegments(_, let limit): "More than \(limit) segments"
        case .tooManyFields(_, let segment, let occurrence, let limit):
            "More than \(limit) fields in \(segment) \(occurrence)"
        case .tooManyRepetitions(_, let segment, _, let field, let limit):
            "More than \(limit) repetitions in \(segment)-\(field)"
        case .characterSetUnsupported: "The character set in MSH-18 is not supported"
        case .undecodableText(let offset): "Bytes at offset \(offset) are not in the character set of the message"
        case .characterSetContradicted(let offset):
            "Bytes at offset \(offset) are UTF-8, which MSH-18 does not declare"
        case .unencodableText(let offset): "A character at offset \(offset) does not exist in the character set"
        case .valueUnencodable(let place): "\(place) has a character that does not exist in the character set"
        case .valueTooLong(let place, let limit): "\(place) has more than \(limit) characters"
        case .pathIllegal(let offset): "The field path is not legal at character \(offset)"
        case .unframeableByte(let offset): "The byte at offset \(offset) can not be framed"
        case .batchCountMismatch(let declared, let found):
            "The trailer declares \(declared) but \(found) were found"
        case .batchSequence(let offset): "A batch segment is out of order at offset \(offset)"
        }
    }
}
