import DICOMData
import Workflow

/// The matching keys of a worklist C-FIND, and what its response returns. PS3.4 §K.2.2, §C.2.2.2.
package struct WorklistKeys: Sendable {
    /// What the worklist index is asked.
    package let keys: SearchKeys
    /// Whether the identifier has keys that are not matched, or asks for attributes that no entry has: each response
    /// then says so by FF01. PS3.4 Table K.4-1.
    package let hasUnsupportedKeys: Bool
    private let identifier: DataSet

    /// Matched at the root of an identifier.
    private static let matchedAtRoot: [Tag: SearchKey] = [
        .patientName: .patientName, .patientID: .patientID, .patientBirthDate: .patientBirthDate,
        .patientSex: .patientSex, .accessionNumber: .accessionNumber, .requestedProcedureID: .requestedProcedureID,
        .studyInstanceUID: .studyInstanceUID,
    ]
    /// Matched in the item of Scheduled Procedure Step Sequence.
    private static let matchedInStep: [Tag: SearchKey] = [
        .scheduledStationAETitle: .scheduledStationAETitle, .modality: .modality,
        .scheduledProcedureStepStartDate: .scheduledStartDate, .scheduledProcedureStepStartTime: .scheduledStartTime,
        .scheduledPerformingPhysicianName: .scheduledPerformingPhysicianName,
        .scheduledProcedureStepID: .scheduledProcedureStepID,
    ]

    /// - Parameter authorities: say which issuer a name of the query is. An issuer that the site does not know matches
    ///   nobody; one with wildcards matches all.
    /// Throws `.badValue` for a value that its VR does not allow.
    package init(identifier: DataSet, authorities: AssigningAuthorities) throws(QueryKeys.Problem) {
        self.identifier = identifier
        var reader = KeyReader()
        var isSupported = true
        for element in identifier.elements where !IdentifierSelection.isAside(element.tag) {
            if let key = Self.matchedAtRoot[element.tag] {
                try reader.add(element.text(in: identifier), for: element.tag, as: key)
            } else if element.tag == .issuerOfPatientID {
                let issuer = element.text(in: identifier)
                if !issuer.isEmpty, !Self.isPattern(issuer) {
                    reader.set(
                        .patientIDSystem,
                        .exact(AttributeReader(authorities: authorities).patientIDSystem(identifier)))
                }
            } else if element.tag == .scheduledProcedureStepSequence {
                let items = element.items ?? []
                if items.count > 1 { isSupported = false }
                for inner in items.first?.elements ?? [] where !IdentifierSelection.isAside(inner.tag) {
                    if let key = Self.matchedInStep[inner.tag], let item = items.first {
                        try reader.add(inner.text(in: item), for: inner.tag, as: key)
                    } else if !Self.isReturnKey(inner, of: items.first, WorklistItem.stepTags) {
                        isSupported = false
                    }
                }
            } else if !Self.isReturnKey(element, of: identifier, WorklistItem.rootTags) {
                isSupported = false
            }
        }
        keys = reader.result()
        hasUnsupportedKeys = !isSupported
    }

    /// Whether an element only asks for an attribute to be returned, and entries have it.
    private static func isReturnKey(_ element: DataElement, of dataSet: DataSet?, _ returned: Set<Tag>) -> Bool {
        guard returned.contains(element.tag) else { return false }
        if let items = element.items { return items.allSatisfy(IdentifierSelection.isUniversal) }
        return IdentifierSelection.isUniversal(dataSet.map { element.text(in: $0) } ?? "")
    }

    /// The response for one entry: the keys that were asked for, each present, and the character set when needed.
    /// A sequence asked for without an item, or with an empty one, is returned whole.
    package func response(for item: DataSet) -> DataSet {
        IdentifierSelection.select(item, by: identifier)
    }

    /// Whether a key has wildcards. PS3.4 §C.2.2.2.4.
    static func isPattern(_ key: String) -> Bool { key.contains { $0 == "*" || $0 == "?" } }
}

extension String {
    /// Without the spaces at both ends.
    var trimmed: String {
        var view = self[...]
        while view.first == " " { view.removeFirst() }
        while view.last == " " { view.removeLast() }
        return String(view)
    }
}
