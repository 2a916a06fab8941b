/// What to do when the bytes of a message and its MSH-18 do not agree.
package struct CharacterSetPolicy: Sendable, Hashable {
    /// What to do with bytes that are UTF-8 beyond doubt under a declared 8859 set: the most frequent lie of senders.
    package enum ContradictedDeclaration: String, Sendable, Hashable {
        /// Read them as UTF-8.
        case preferUTF8
        /// Believe the declaration.
        case asDeclared
        /// Throw `.characterSetContradicted`.
        case refuse
    }

    /// The set when MSH-18 is empty, or says ASCII, and the bytes are neither ASCII nor UTF-8.
    package var defaultSet: CharacterSet
    package var contradicted: ContradictedDeclaration

    package init(defaultSet: CharacterSet = .latin1, contradicted: ContradictedDeclaration = .preferUTF8) {
        self.defaultSet = defaultSet
        self.contradicted = contradicted
    }

    /// A decision: the set, whether it was assumed, and the text when it is not the bytes themselves.
    struct Reading {
        var characterSet: CharacterSet
        var isAssumed: Bool
        var utf8: [UInt8]?
    }

    /// Reads bytes that are not plain ASCII.
    ///
    /// Throws `.undecodableText` when the bytes are in no permitted set, `.characterSetContradicted` by policy.
    func read(_ bytes: [UInt8], declared: [CharacterSet]) throws(HL7Error) -> Reading {
        let isUTF8 = UTF8Check.firstFault(bytes.span) == nil
        let hasHighBytes = bytes.contains { $0 >= 0x80 }
        guard let first = declared.first, first != .ascii || declared.count > 1 else {
            if isUTF8 {
                return Reading(
                    characterSet: hasHighBytes ? .utf8 : (declared.first ?? .ascii), isAssumed: hasHighBytes)
            }
            return Reading(characterSet: defaultSet, isAssumed: true, utf8: try defaultSet.decoded(bytes))
        }
        switch first {
        case .utf8:
            return Reading(characterSet: .utf8, isAssumed: false, utf8: try CharacterSet.utf8.decoded(bytes))
        case .latin1, .latin2, .latin3, .latin4, .cyrillic, .arabic, .greek, .hebrew, .latin5, .latin9:
            if isUTF8, hasHighBytes {
                switch contradicted {
                case .preferUTF8: return Reading(characterSet: .utf8, isAssumed: true)
                case .asDeclared: break
                case .refuse:
                    throw .characterSetContradicted(offset: bytes.firstIndex(where: { $0 >= 0x80 }) ?? 0)
                }
            }
            return Reading(characterSet: first, isAssumed: false, utf8: try first.decoded(bytes))
        case .ascii:
            let other = declared[1]
            return Reading(characterSet: other, isAssumed: false, utf8: try other.decoded(bytes))
        default:
            return Reading(characterSet: first, isAssumed: false, utf8: try first.decoded(bytes))
        }
    }
}
