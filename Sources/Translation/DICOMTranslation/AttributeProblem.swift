import DICOMData

/// What is wrong with the attributes that a peer or a client gives of a step or a workitem. PS3.7 Annex C.
package enum AttributeProblem: Error, Sendable, Hashable {
    /// An attribute that must be there is not. 0120H.
    case missing(Tag)
    /// It is there, without the value that it must have. 0121H.
    case empty(Tag)
    /// A value that it may not have. 0106H.
    case value(Tag)
    /// More than is kept of it. 0213H.
    case tooMuch(Tag)

    package var tag: Tag {
        switch self {
        case .missing(let tag), .empty(let tag), .value(let tag), .tooMuch(let tag): tag
        }
    }
}

extension DataSet {
    /// Throws where an attribute is not there or has no value.
    func need(_ tag: Tag) throws(AttributeProblem) {
        guard let element = self[tag] else { throw .missing(tag) }
        let isEmpty = element.items.map(\.isEmpty) ?? (string(tag) == nil)
        if isEmpty { throw .empty(tag) }
    }

    /// Brings what changes this one into its character set, or both into UTF-8 where that cannot say all of it.
    mutating func shareCharacterSet(with changes: inout DataSet) {
        guard changes.characterSet != characterSet else { return }
        // What does not fit is lost in the conversion, so that a copy is tried.
        var converted = changes
        if converted.convert(to: characterSet) {
            changes = converted
        } else {
            _ = convert(to: .utf8)
            _ = changes.convert(to: .utf8)
        }
    }
}
