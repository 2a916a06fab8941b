import Access
import DICOMData
import Workflow

/// The matching keys of a search for workitems, or of a subscription to those that match. PS3.4 §CC.2.8, §CC.2.3.3.1.
///
/// Every attribute that a workitem has can be a key, also in items: all keys of an item must hold for one and the same.
package struct WorkitemKeys: Sendable {
    /// Keys at most: Table CC.2.5-3 has about sixty.
    package static let keysMax = 500

    private indirect enum Condition: Sendable {
        case value(Tag, KeyMatch)
        /// Microseconds since 1970.
        case dateTime(Tag, ClosedRange<Int>)
        case item(Tag, [Condition])
    }

    /// Among which workitems those that match are.
    package let selection: WorkitemSelection
    private let conditions: [Condition]
    private let identifier: DataSet

    /// Throws `.badValue` for a value that its VR does not allow, for a Transaction UID, which is nobody's to ask for, and
    /// for the key past the last.
    /// - Parameter isFuzzy: names are matched by their words, written as they are or as they sound.
    package init(_ identifier: DataSet, isFuzzy: Bool = false) throws(QueryKeys.Problem) {
        var reading = Reading(isFuzzy: isFuzzy)
        conditions = try reading.conditions(identifier, WorkitemDataSet.offsetMinutes(identifier))
        selection = Self.selection(conditions)
        self.identifier = identifier
    }

    /// Whether all keys hold for the attributes, which have the class and the UID too.
    package func matches(_ attributes: DataSet) -> Bool {
        Self.hold(conditions, attributes, WorkitemDataSet.offsetMinutes(attributes))
    }

    /// The attributes that were asked for, each present.
    package func response(for attributes: DataSet) -> DataSet {
        IdentifierSelection.select(attributes, by: identifier)
    }

    /// The keys that have a value, for the audit trail: `00100020=X&0040A370.00080050=Y`.
    package var auditText: String { AuditRecord.words(of: Self.texts(identifier, below: "")) }

    private static func texts(_ set: DataSet, below path: String) -> [(name: String, value: String)] {
        set.elements.flatMap { element -> [(name: String, value: String)] in
            let name = path + element.tag.hex
            if let items = element.items { return items.flatMap { texts($0, below: name + ".") } }
            let text = element.text(in: set)
            return IdentifierSelection.isUniversal(text) ? [] : [(name, text)]
        }
    }

    // MARK: Reading

    private struct Reading {
        let isFuzzy: Bool
        var count = 0

        mutating func conditions(_ set: DataSet, _ offset: Int) throws(QueryKeys.Problem) -> [Condition] {
            var conditions: [Condition] = []
            for element in set.elements where !IdentifierSelection.isAside(element.tag) {
                count += 1
                guard count <= keysMax, element.tag != .transactionUID else { throw .badValue(element.tag) }
                if element.tag == .timezoneOffsetFromUTC { continue }
                if let items = element.items {
                    guard items.count <= 1 else { throw .badValue(element.tag) }
                    guard let item = items.first else { continue }
                    let inner = try self.conditions(item, offset)
                    if !inner.isEmpty { conditions.append(.item(element.tag, inner)) }
                } else if let condition = try condition(element.tag, element.text(in: set), offset) {
                    conditions.append(condition)
                }
            }
            return conditions
        }

        private func condition(
            _ tag: Tag, _ text: String, _ offset: Int
        ) throws(QueryKeys.Problem) -> Condition? {
            guard DataDictionary.vr(tag) == .DT, text.trimmed != "\"\"" else {
                return try KeyReader.match(text, for: tag, isFuzzy: isFuzzy).map { .value(tag, $0) }
            }
            if IdentifierSelection.isUniversal(text.trimmed) { return nil }
            guard let range = DateTimeRange.dateTimes(text, localOffsetMinutes: offset) else { throw .badValue(tag) }
            return .dateTime(tag, range)
        }
    }

    private static func selection(_ conditions: [Condition]) -> WorkitemSelection {
        var selection = WorkitemSelection()
        for condition in conditions {
            switch condition {
            case .value(.sopInstanceUID, let match): selection.sopInstanceUIDs = match.exactTexts
            case .value(.procedureStepState, let match):
                selection.states = match.exactTexts?.compactMap(Workitem.State.init(rawValue:))
            case .value(.worklistLabel, .exact(let text)): selection.worklistLabel = text
            case .value(.patientID, .exact(let text)): selection.patientID = text
            case .dateTime(.scheduledProcedureStepStartDateTime, let range):
                // Begins at the latest with the end; a value of a year alone may have begun a year before.
                let year = 366 * 86_400_000_000
                let low = range.lowerBound < Int.min + year ? Int.min : range.lowerBound - year
                selection.scheduledStart = Int64(low)...Int64(range.upperBound)
            case .value, .dateTime, .item: continue
            }
        }
        return selection
    }

    // MARK: Matching

    /// - Parameter offset: of local time in all of the workitem, in minutes: that its items are in too. PS3.3 Table C.12-1.
    private static func hold(_ conditions: [Condition], _ set: DataSet, _ offset: Int) -> Bool {
        conditions.allSatisfy { condition in
            switch condition {
            case .value(let tag, let match):
                guard let element = set[tag] else { return match.admitsEmpty }
                // Read as the key was: what the dictionary lacks is text, also where its VR did not come with it.
                let vr = DataDictionary.vr(tag)
                let isUnknown = vr == nil && element.vr == .UN
                let texts = set.strings(isUnknown ? DataElement(tag, .LO, element.value) : element)
                    .compactMap { comparable($0, vr ?? .UN) }
                return texts.isEmpty ? match.admitsEmpty : texts.contains(where: match.matches)
            case .dateTime(let tag, let range):
                return WorkitemDataSet.dateTime(tag, in: set, offset)?.overlaps(range) ?? false
            case .item(let tag, let inner):
                let items = set.items(tag)
                // What is absent has no values in it either.
                return items.isEmpty ? hold(inner, DataSet(), offset) : items.contains { hold(inner, $0, offset) }
            }
        }
    }

    /// One value in the form of ``KeyMatch/matches(_:)``; nil for one that is empty, or is none of its VR.
    private static func comparable(_ text: String, _ vr: VR) -> String? {
        if text.isEmpty { return nil }
        return switch vr {
        case .DA: DICOMDate(text: text)?.description
        case .TM: DICOMTime(text: text)?.earliestText
        case .DS: KeyReader.decimal(text)
        case .IS, .US, .UL, .SS, .SL: Int(text.first == "+" ? String(text.dropFirst()) : text).map(String.init)
        default: text
        }
    }
}

extension KeyMatch {
    /// The texts of which one must be there; nil where others match too.
    fileprivate var exactTexts: [String]? {
        switch self {
        case .exact(let text): return [text]
        case .anyOf(let all):
            let texts = all.map { match -> String? in if case .exact(let text) = match { text } else { nil } }
            return texts.contains(nil) ? nil : texts.compactMap(\.self)
        default: return nil
        }
    }
}
