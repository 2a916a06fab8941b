/// The status of a DIMSE response. PS3.7 Annex C, PS3.4 for the codes of service classes.
package struct DIMSEStatus: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// PS3.7 §C.1.
    package enum Kind: Sendable { case success, pending, warning, cancel, failure }

    package var kind: Kind {
        switch rawValue {
        case 0x0000: .success
        case 0xFF00, 0xFF01: .pending
        case 0xFE00: .cancel
        case 0x0001, 0x0107, 0x0116, 0xB000...0xBFFF: .warning
        default: .failure
        }
    }
    /// Whether no further response follows to the same request.
    package var isFinal: Bool { kind != .pending }

    /// Four upper-case hexadecimal digits.
    package var description: String {
        let digits = String(rawValue, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    package static let success = DIMSEStatus(rawValue: 0x0000)
    package static let pending = DIMSEStatus(rawValue: 0xFF00)
    /// A match was found, but an optional key of the request is not supported. PS3.4 §C.4.1.1.4.
    package static let pendingKeysUnsupported = DIMSEStatus(rawValue: 0xFF01)
    package static let cancelled = DIMSEStatus(rawValue: 0xFE00)

    // PS3.7 Annex C.
    package static let attributeListError = DIMSEStatus(rawValue: 0x0107)
    package static let processingFailure = DIMSEStatus(rawValue: 0x0110)
    package static let duplicateSOPInstance = DIMSEStatus(rawValue: 0x0111)
    package static let noSuchSOPInstance = DIMSEStatus(rawValue: 0x0112)
    package static let invalidAttributeValue = DIMSEStatus(rawValue: 0x0106)
    package static let noSuchEventType = DIMSEStatus(rawValue: 0x0113)
    package static let invalidArgumentValue = DIMSEStatus(rawValue: 0x0115)
    package static let invalidSOPInstance = DIMSEStatus(rawValue: 0x0117)
    package static let noSuchSOPClass = DIMSEStatus(rawValue: 0x0118)
    package static let classInstanceConflict = DIMSEStatus(rawValue: 0x0119)
    package static let missingAttribute = DIMSEStatus(rawValue: 0x0120)
    package static let missingAttributeValue = DIMSEStatus(rawValue: 0x0121)
    package static let sopClassNotSupported = DIMSEStatus(rawValue: 0x0122)
    package static let noSuchAction = DIMSEStatus(rawValue: 0x0123)
    package static let notAuthorized = DIMSEStatus(rawValue: 0x0124)
    package static let duplicateInvocation = DIMSEStatus(rawValue: 0x0210)
    package static let unrecognizedOperation = DIMSEStatus(rawValue: 0x0211)
    package static let mistypedArgument = DIMSEStatus(rawValue: 0x0212)
    package static let resourceLimitation = DIMSEStatus(rawValue: 0x0213)

    // PS3.4 §B.2.3 (storage), §C.4 (query/retrieve), §K.4.1.1.4 (worklist).
    package static let outOfResources = DIMSEStatus(rawValue: 0xA700)
    /// C-GET and C-MOVE: what matches cannot be counted. PS3.4 Table C.4-2.
    package static let matchesNotCounted = DIMSEStatus(rawValue: 0xA701)
    /// No sub-operation could be done.
    package static let subOperationsFailed = DIMSEStatus(rawValue: 0xA702)
    /// Some sub-operations failed or had a warning.
    package static let subOperationsWarning = DIMSEStatus(rawValue: 0xB000)
    package static let moveDestinationUnknown = DIMSEStatus(rawValue: 0xA801)
    /// Storage: the data set does not match the SOP class; query: the identifier does not.
    package static let dataSetDoesNotMatchSOPClass = DIMSEStatus(rawValue: 0xA900)
    package static let cannotUnderstand = DIMSEStatus(rawValue: 0xC000)
    package static let coercionOfDataElements = DIMSEStatus(rawValue: 0xB000)
    package static let elementsDiscarded = DIMSEStatus(rawValue: 0xB006)
    package static let dataSetDoesNotMatchSOPClassWarning = DIMSEStatus(rawValue: 0xB007)
}
