import DICOMData
import Workflow

/// The matching keys of a worklist C-FIND, and what its response returns. PS3.4 §K.2.2, §C.2.2.2.
package struct WorklistKeys: Sendable {
    /// The query for the worklist index.
    package let query: WorklistQuery
    private let identifier: DataSet

    /// - Parameter authorities: say which issuer a name of the query is. An issuer that the site does not know matches
    ///   nobody; one with wildcards matches all.
    package init(identifier: DataSet, authorities: AssigningAuthorities) {
        self.identifier = identifier
        var query = WorklistQuery()
        let step = identifier.item(.scheduledProcedureStepSequence) ?? DataSet()
        query.stationAETitle = Self.key(step, .scheduledStationAETitle)
        query.modality = Self.key(step, .modality)
        (query.startDateLow, query.startDateHigh) = Self.range(Self.key(step, .scheduledProcedureStepStartDate))
        (query.startTimeLow, query.startTimeHigh) = Self.range(Self.key(step, .scheduledProcedureStepStartTime))
        query.performingPhysicianName = Self.key(step, .scheduledPerformingPhysicianName)
        query.scheduledProcedureStepID = Self.key(step, .scheduledProcedureStepID)
        query.patientName = Self.key(identifier, .patientName)
        query.patientID = Self.key(identifier, .patientID)
        if let issuer = Self.key(identifier, .issuerOfPatientID), !Self.isPattern(issuer) {
            query.patientIDSystem = AttributeReader(authorities: authorities).patientIDSystem(identifier)
        }
        query.accessionNumber = Self.key(identifier, .accessionNumber)
        query.requestedProcedureID = Self.key(identifier, .requestedProcedureID)
        query.studyInstanceUID = Self.key(identifier, .studyInstanceUID)
        self.query = query
    }

    /// The response for one entry: the keys that were asked for, each present, and the character set when needed.
    /// A sequence asked for without an item, or with an empty one, is returned whole.
    package func response(for item: DataSet) -> DataSet {
        Self.select(item, by: identifier, isRoot: true)
    }

    private static func select(_ full: DataSet, by asked: DataSet, isRoot: Bool) -> DataSet {
        var out = DataSet()
        if isRoot, let charset = full[.specificCharacterSet] { out[.specificCharacterSet] = charset }
        for element in asked.elements where element.tag != .specificCharacterSet && element.tag.element != 0 {
            guard let found = full[element.tag] else {
                out.setEmpty(element.tag, element.vr)
                continue
            }
            if let items = found.items, let askedItem = element.items?.first, !askedItem.isEmpty {
                out.set(element.tag, items: items.map { select($0, by: askedItem, isRoot: false) })
            } else {
                out[element.tag] = found
            }
        }
        return out
    }

    /// The value of a key; nil for universal matching.
    private static func key(_ dataSet: DataSet, _ tag: Tag) -> String? {
        guard let text = dataSet.string(tag), !text.isEmpty, text != "*" else { return nil }
        return text
    }

    /// Whether a key has wildcards. PS3.4 §C.2.2.2.4.
    static func isPattern(_ key: String) -> Bool { key.contains { $0 == "*" || $0 == "?" } }

    /// Bounds of a date or time key: a single value, `a-b`, `a-` or `-b`. PS3.4 §C.2.2.2.5.
    static func range(_ text: String?) -> (low: String?, high: String?) {
        guard let text else { return (nil, nil) }
        guard let dash = text.firstIndex(of: "-") else { return (text, text) }
        let low = String(text[..<dash]).trimmed
        let high = String(text[text.index(after: dash)...]).trimmed
        return (low.isEmpty ? nil : low, high.isEmpty ? nil : high)
    }
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
