import DICOMData

/// Changes objects on their way as a site's rules say, and writes down in each what it said before.
package struct Coercion: Sendable, Equatable {
    package let rules: [CoercionRule]

    /// Throws for a step that is no coercion.
    package init(rules: [CoercionRule]) throws(CoercionError) {
        for rule in rules { for step in rule.steps { try step.check() } }
        self.rules = rules
    }

    /// Who changed an object, when, and where it came from. PS3.3 §C.12.1.1.9.
    package struct Origin: Sendable, Equatable {
        /// The system that changes it, as people know it. LO: at most 64 characters.
        package let system: String
        /// Where its values came from, such as the sender's AE title; empty where that is not known.
        package let source: String
        package let secondsSince1970: Int

        package init(system: String, source: String, secondsSince1970: Int) {
            self.system = system
            self.source = source
            self.secondsSince1970 = secondsSince1970
        }

        /// In UTC, to the second; nil outside the years 1...9999.
        var dateTime: String? {
            let (days, second) = secondsSince1970.quotientAndRemainder(dividingBy: 86_400)
            let ofDay = second < 0 ? second + 86_400 : second
            guard let date = DICOMDate(daysSince1970: second < 0 ? days - 1 : days),
                let time = DICOMTime(hour: ofDay / 3600, minute: ofDay / 60 % 60, second: ofDay % 60)
            else { return nil }
            return "\(date)\(time)+0000"
        }
    }

    /// The data set as the rules that fit it make it, each judged by the object as it came. What an attribute said
    /// before is in Original Attributes Sequence (0400,0561) in an item more; an attribute that was not there before is
    /// not. A data set in which nothing changes is the same.
    package func coerced(_ dataSet: DataSet, by origin: Origin) -> DataSet {
        var result = dataSet
        var touched: Set<Tag> = []
        for rule in rules where dataSet.says(rule.attributes) {
            for step in rule.steps {
                Self.perform(step, on: &result)
                touched.insert(step.tag)
            }
        }
        // One that goes to another character set is written otherwise, and says the same.
        let changed = touched.filter { !Self.isSame($0, dataSet, result) }
        guard !changed.isEmpty else { return dataSet }
        let previous = changed.sorted().compactMap { dataSet[$0] }
        if !previous.isEmpty {
            result.set(
                .originalAttributesSequence, .SQ,
                items: result.items(.originalAttributesSequence) + [
                    Self.record(previous, of: dataSet, origin)
                ])
        }
        return result
    }

    private static func perform(_ step: CoercionRule.Step, on dataSet: inout DataSet) {
        switch step {
        case .remove(let tag):
            dataSet.remove(tag)
        case .set(let tag, let text):
            dataSet.set(tag, DataDictionary.vr(tag), string: text)
        case .map(let tag, let values):
            let old = dataSet.strings(tag)
            let new = old.map { values[$0] ?? $0 }
            if new != old { dataSet.set(tag, DataDictionary.vr(tag), strings: new) }
        case .copy(let source, let tag):
            guard let element = dataSet[source] else { return }
            let vr = DataDictionary.vr(tag)
            if let items = element.items {
                dataSet.set(tag, vr, items: items)
            } else if vr != .SQ {
                dataSet.set(tag, vr, strings: dataSet.strings(element))
            }
        }
    }

    static func isSame(_ tag: Tag, _ before: DataSet, _ after: DataSet) -> Bool {
        guard let old = before[tag], let new = after[tag] else { return before[tag] == nil && after[tag] == nil }
        if old.items != nil || new.items != nil { return old == new }
        if case .bytes = old.value, case .bytes = new.value, old.vr == new.vr, old.vr.isString {
            return before.strings(old) == after.strings(new)
        }
        return old == new
    }

    /// One item of Original Attributes Sequence. PS3.3 §C.12.1.1.9.
    ///
    /// - Parameter reason: CS: `COERCE` for values that were brought in line with others, `CORRECT` for wrong ones.
    static func record(
        _ previous: [DataElement], of dataSet: DataSet, _ origin: Origin, reason: String = "COERCE"
    ) -> DataSet {
        var values = DataSet(inheriting: dataSet.characterSet)
        for element in previous { values[element.tag] = element }
        var record = DataSet(inheriting: dataSet.characterSet)
        record.set(.modifiedAttributesSequence, .SQ, items: [values])
        record.set(.attributeModificationDateTime, .DT, string: origin.dateTime ?? "")
        record.set(.modifyingSystem, .LO, string: origin.system)
        record.set(.sourceOfPreviousValues, .LO, string: origin.source)
        record.set(.reasonForTheAttributeModification, .CS, string: reason)
        return record
    }
}
