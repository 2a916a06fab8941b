/// Why the fragments of a peer make no message. Each ends the association.
package enum DIMSEError: Error, Sendable, Equatable {
    /// A PDV on a context that was not accepted.
    case contextUnknown(UInt8)
    /// A fragment of another context while a message is not complete. PS3.7 §6.3, PS3.8 §E.1.
    case interleaved(expected: UInt8, received: UInt8)
    /// A command fragment where the data set of the last command has to come, or the other way round.
    case fragmentUnexpected(isCommand: Bool)
    /// A command set that cannot be read, at this offset in it.
    case commandInvalid(offset: Int)
    /// A command without an element that its kind must have.
    case elementMissing(CommandSet.Element)
    /// The command set is longer than the limit.
    case commandTooLong(limit: Int)
    /// The data set is longer than the limit.
    case dataSetTooLong(limit: UInt64)
    /// More empty fragments in one message than the limit.
    case tooManyEmptyFragments(limit: Int)

    /// The A-ABORT that ends the association. What lies above the PDU layer is a fault between service users, except
    /// for a context that the provider knows nothing of. PS3.8 Table 9-26.
    package var abort: Abort {
        switch self {
        case .contextUnknown: .invalidPDUParameterValue
        case .interleaved, .fragmentUnexpected, .commandInvalid, .elementMissing, .commandTooLong, .dataSetTooLong,
            .tooManyEmptyFragments:
            .byUser
        }
    }
}
