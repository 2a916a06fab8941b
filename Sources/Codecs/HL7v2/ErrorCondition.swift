/// The message error condition codes of table 0357, reported in ERR-3 (ERR-1.4 before 2.5). HL7 v2.5.1 §2.15.5.3.
package enum ErrorCondition: UInt16, Sendable, CaseIterable {
    case messageAccepted = 0
    case segmentSequenceError = 100
    case requiredFieldMissing = 101
    case dataTypeError = 102
    case tableValueNotFound = 103
    case unsupportedMessageType = 200
    case unsupportedEventCode = 201
    case unsupportedProcessingID = 202
    case unsupportedVersionID = 203
    case unknownKeyIdentifier = 204
    case duplicateKeyIdentifier = 205
    case applicationRecordLocked = 206
    case applicationInternalError = 207

    /// The text that table 0357 gives the code.
    package var text: String {
        switch self {
        case .messageAccepted: "Message accepted"
        case .segmentSequenceError: "Segment sequence error"
        case .requiredFieldMissing: "Required field missing"
        case .dataTypeError: "Data type error"
        case .tableValueNotFound: "Table value not found"
        case .unsupportedMessageType: "Unsupported message type"
        case .unsupportedEventCode: "Unsupported event code"
        case .unsupportedProcessingID: "Unsupported processing id"
        case .unsupportedVersionID: "Unsupported version id"
        case .unknownKeyIdentifier: "Unknown key identifier"
        case .duplicateKeyIdentifier: "Duplicate key identifier"
        case .applicationRecordLocked: "Application record locked"
        case .applicationInternalError: "Application internal error"
        }
    }
}

/// Where in a message an error is: the ERL data type of ERR-2. All numbers count from 1. HL7 v2.5.1 §2.A.28.
package struct ErrorLocation: Sendable, Hashable {
    package var segment: SegmentID
    /// Which segment of that name.
    package var occurrence: Int
    package var field: Int?
    package var repetition: Int?
    package var component: Int?
    package var subcomponent: Int?

    package init(
        segment: SegmentID, occurrence: Int = 1, field: Int? = nil, repetition: Int? = nil, component: Int? = nil,
        subcomponent: Int? = nil
    ) {
        self.segment = segment
        self.occurrence = occurrence
        self.field = field
        self.repetition = repetition
        self.component = component
        self.subcomponent = subcomponent
    }

    /// The place that a field path names.
    package init(_ path: FieldPath) {
        self.init(
            segment: path.segment, occurrence: path.occurrence, field: path.field,
            repetition: path.repetition == 1 ? nil : path.repetition, component: path.component,
            subcomponent: path.subcomponent)
    }
}

extension ErrorLocation: CustomStringConvertible {
    /// As a field path, or the segment alone: `OBX[2]-5`, `PV1`.
    package var description: String {
        guard let field else { return occurrence == 1 ? "\(segment)" : "\(segment)[\(occurrence)]" }
        return FieldPath(
            segment: segment, occurrence: occurrence, field: field, repetition: repetition ?? 1, component: component,
            subcomponent: subcomponent
        ).description
    }
}
