/// Why the bytes of a peer are no PDU. Offsets count from the first byte of the PDU, its type being byte 0.
package enum PDUError: Error, Sendable, Equatable {
    /// The first byte names no PDU of PS3.8 §9.3.1.
    case unrecognizedType(UInt8)
    /// The length is beyond the limit for the type; nothing of that length was allocated.
    case lengthOverLimit(type: UInt8, length: UInt32, limit: UInt32)
    /// The length cannot be that of this type: a fixed PDU not of 4 bytes, or too short for its fixed fields.
    case lengthInvalid(type: UInt8, length: UInt32)
    /// An item or field is longer than what surrounds it.
    case itemOverrun(offset: Int)
    /// A PDV item shorter than its context identifier and control header. PS3.8 §9.3.5.1.
    case valueLengthTooSmall(offset: Int)
    /// A P-DATA-TF without a value, or with more than the limit.
    case valueCount(Int)
    /// An even or zero presentation context identifier, or one used twice. PS3.8 §9.3.2.2.
    case contextIDInvalid(UInt8, offset: Int)
    /// More contexts than the limit.
    case tooManyContexts(limit: Int)
    /// An item that must stand once is absent or repeated, by its type code.
    case itemCount(type: UInt8, offset: Int)
    /// An item whose length does not fit its fixed form, by its type code.
    case itemInvalid(type: UInt8, offset: Int)

    /// The A-ABORT that names this error to the peer. PS3.8 Table 9-26.
    package var abort: Abort {
        switch self {
        case .unrecognizedType: .unrecognizedPDU
        case .itemCount: .unexpectedPDUParameter
        case .lengthOverLimit, .lengthInvalid, .itemOverrun, .valueLengthTooSmall, .valueCount, .contextIDInvalid,
            .tooManyContexts, .itemInvalid:
            .invalidPDUParameterValue
        }
    }
}
