import Basics
import FHIRModel

/// What each FHIR type gives to each parameter type. FHIR R4 search.html#table.
extension IndexWalk {
    private func elements(_ value: JSONNode?) -> some Sequence<JSONNode> {
        [value].lazy.compactMap { $0 }.flatMap(\.elements)
    }

    // MARK: Tokens

    /// FHIR R4 search.html#token.
    mutating func addTokens(_ action: IndexPlan.Action, _ value: JSONNode) {
        let parameter = action.parameter
        switch action.elementType {
        case "Coding":
            if !addCoding(parameter, value), value.members.contains(where: { _ in true }) {
                addToken(parameter.value, "", "")
            }
        case "CodeableConcept": addConcept(parameter, value)
        case "Identifier": addIdentifier(parameter, value)
        case "ContactPoint":
            if let text = value["value"]?.string { addToken(parameter.value, IndexEntry.anySystem, text) }
        case "boolean":
            if let truth = value.bool { addToken(parameter.value, IndexEntry.anySystem, truth ? "true" : "false") }
        case "code":
            if let code = value.string { addToken(parameter.value, action.codeSystem ?? IndexEntry.anySystem, code) }
        default:
            if let text = value.string ?? value.numberText { addToken(parameter.value, "", text) }
        }
    }

    private mutating func addToken(_ key: Int64, _ system: String, _ code: String) {
        add(key, .token(system: IndexEntry.key(system), code: IndexEntry.key(code)))
    }

    /// - Returns: whether it has a code or a system to be found by.
    private mutating func addCoding(_ parameter: IndexPlan.Parameter, _ value: JSONNode) -> Bool {
        let (system, code) = (value["system"]?.string, value["code"]?.string)
        // A system alone is found by `system|`.
        if system != nil || code != nil { addToken(parameter.value, system ?? "", code ?? "") }
        addText(parameter.text, value["display"])
        return system != nil || code != nil
    }

    private mutating func addConcept(_ parameter: IndexPlan.Parameter, _ value: JSONNode) {
        var isFound = false
        for coding in elements(value["coding"]) where addCoding(parameter, coding) { isFound = true }
        addText(parameter.text, value["text"])
        // The concept is there, so that `:missing` does not say otherwise.
        if !isFound, value.members.contains(where: { _ in true }) { addToken(parameter.value, "", "") }
    }

    private mutating func addIdentifier(_ parameter: IndexPlan.Parameter, _ value: JSONNode) {
        guard let number = value["value"]?.string else {
            if value.members.contains(where: { _ in true }) {
                addToken(parameter.value, value["system"]?.string ?? "", "")
            }
            return
        }
        addToken(parameter.value, value["system"]?.string ?? "", number)
        guard let type = value["type"] else { return }
        addText(parameter.text, type["text"])
        for coding in elements(type["coding"]) {
            addText(parameter.text, coding["display"])
            guard let code = coding["code"]?.string else { continue }
            addToken(parameter.ofType, "\(coding["system"]?.string ?? "")|\(code)", number)
        }
    }

    /// A display or text for `:text`.
    private mutating func addText(_ key: Int64, _ value: JSONNode?) {
        guard key >= 0, let text = value?.string else { return }
        addString(key, text)
    }

    // MARK: Strings

    private mutating func addString(_ key: Int64, _ text: String) {
        let folded = TextFolding.folded(text)
        guard !folded.isEmpty else { return }
        add(key, .string(folded: IndexEntry.cut(folded), exact: IndexEntry.key(text)))
    }

    /// Words of one text that it is found by, beside the first.
    private static let wordsMax = 16

    /// The text from its second, third and further word on, and without the gaps that its punctuation leaves: `Garcia Lopez`
    /// is found by `lopez`, `Smith-Jones` by `smithjones` too. FHIR R4 search.html#string.
    private mutating func addWords(_ key: Int64, _ text: String) {
        guard key >= 0 else { return }
        let folded = TextFolding.folded(text)
        var rest = folded[...]
        for _ in 0..<Self.wordsMax {
            guard let gap = rest.utf8.firstIndex(of: 0x20) else { break }
            rest = rest[rest.utf8.index(after: gap)...]
            add(key, .string(folded: IndexEntry.cut(String(rest)), exact: ""))
        }
        let joined = TextFolding.joined(text)
        if joined != folded { add(key, .string(folded: IndexEntry.cut(joined), exact: "")) }
    }

    private static let nameMembers = ["family", "given", "text", "prefix", "suffix"]
    private static let addressMembers = ["text", "line", "city", "district", "state", "postalCode", "country"]

    /// FHIR R4 search.html#string: any part of a name or an address.
    mutating func addStrings(_ action: IndexPlan.Action, _ value: JSONNode) {
        let key = action.parameter.value
        switch action.elementType {
        case "HumanName": addParts(key, value, Self.nameMembers, words: action.parameter.word)
        case "Address": addParts(key, value, Self.addressMembers, words: action.parameter.word)
        case "CodeableConcept":
            addParts(key, value, ["text"])
            for coding in elements(value["coding"]) { addParts(key, coding, ["display"]) }
        case "Coding": addParts(key, value, ["display"])
        case "Annotation": addParts(key, value, ["text"])
        case "Identifier", "ContactPoint": addParts(key, value, ["value"])
        default:
            guard let text = value.string else { return }
            addString(key, text)
            addWords(action.parameter.word, text)
        }
    }

    /// - Parameter words: the key under which later words are kept; -1 for none.
    private mutating func addParts(_ key: Int64, _ value: JSONNode, _ names: [String], words: Int64 = -1) {
        for name in names {
            guard let part = value[name] else { continue }
            for text in part.string.map({ [$0] }) ?? part.elements.compactMap(\.string) {
                addString(key, text)
                addWords(words, text)
            }
        }
    }

    // MARK: Dates

    /// A Timing counts as the span of its outer limits. FHIR R4 search.html#date.
    mutating func addDates(_ action: IndexPlan.Action, _ value: JSONNode) {
        switch action.elementType {
        case "Period": addSpan(action.parameter, from: [value["start"]], to: [value["end"]])
        case "Timing":
            let events = elements(value["event"]).map { Optional($0) }
            let bounds = value["repeat"]?["boundsPeriod"]
            // A period without an end has none, whatever the events are.
            let starts = events + (bounds.map { [$0["start"]] } ?? [])
            let ends = events + (bounds.map { [$0["end"]] } ?? [])
            if !starts.isEmpty { addSpan(action.parameter, from: starts, to: ends) }
        default: addSpan(action.parameter, from: [value], to: [value])
        }
    }

    /// The time from the earliest start to the latest end. A nil among them leaves that side open; nothing is added when
    /// there is no readable time at all.
    private mutating func addSpan(_ parameter: IndexPlan.Parameter, from starts: [JSONNode?], to ends: [JSONNode?]) {
        let zone = zone
        addSpan(parameter.value, from: starts, to: ends) { $0.range(zone: zone) }
        // The text's own day, where its zone makes that another than the site's: dates have no zone.
        guard parameter.day >= 0, (starts + ends).contains(where: { isOnAnotherDay(dateTime($0)) }) else { return }
        addSpan(parameter.day, from: starts, to: ends) { $0.wallClockRange(zone: zone) }
    }

    private mutating func addSpan(
        _ key: Int64, from starts: [JSONNode?], to ends: [JSONNode?], range: (FHIRDateTime) -> DateTimeRange
    ) {
        let lows = starts.map { dateTime($0).map(range) }
        let highs = ends.map { dateTime($0).map(range) }
        guard (lows + highs).contains(where: { $0 != nil }) else { return }
        let low = lows.contains { $0 == nil } ? .min : lows.compactMap { $0?.lower }.min() ?? .min
        let high = highs.contains { $0 == nil } ? .max : highs.compactMap { $0?.upper }.max() ?? .max
        add(key, .date(low: low, high: max(high, low)))
    }

    private func dateTime(_ value: JSONNode?) -> FHIRDateTime? {
        value?.stringBytes.flatMap { FHIRDateTime(utf8: $0, as: .dateTime) }
    }

    private func isOnAnotherDay(_ time: FHIRDateTime?) -> Bool {
        guard let time, time.zoneMinutes != nil else { return false }
        return zone.local(time.range().lower).day != LocalZone.day(time.localMicroseconds)
    }

    // MARK: References

    /// FHIR R4 search.html#reference.
    mutating func addReferences(_ action: IndexPlan.Action, _ value: JSONNode) {
        let key = action.parameter.value
        switch action.elementType {
        case "Reference":
            let before = entries.count
            if let text = value["reference"]?.string {
                addReference(key, text)
                if case .fragment(let id) = Reference(text), !id.isEmpty, action.parameter.components.isEmpty {
                    noteContained(action.parameter.code, id)
                }
            }
            if let identifier = value["identifier"], let number = identifier["value"]?.string,
                action.parameter.identifier >= 0
            {
                addToken(action.parameter.identifier, identifier["system"]?.string ?? "", number)
            }
            // A contained target or a mere display cannot be found, but `:missing` must not say that it is not there.
            if entries.count == before { add(key, .reference(type: "", id: "")) }
        case "Resource":
            if let type = value["resourceType"]?.string, let id = value["id"]?.string {
                add(key, .reference(type: type, id: id))
            }
        default:
            guard let text = value.string else { return }
            addReference(key, text)
            // A canonical is found with and without its version. FHIR R4 references.html#canonical.
            if let bar = text.firstIndex(of: "|") { addReference(key, String(text[..<bar])) }
        }
    }

    private mutating func addReference(_ key: Int64, _ text: String) {
        switch Reference(text).relative(to: baseURL) {
        case .relative(let type, let id, _): add(key, .reference(type: type, id: id))
        case .fragment: break
        case .absolute, .urn, .uri, .invalid:
            if !text.isEmpty { add(key, .reference(type: "", id: IndexEntry.key(text))) }
        }
    }

    // MARK: Quantities and numbers

    private static let highest = Double.greatestFiniteMagnitude

    private func number(_ value: JSONNode?) -> Double? {
        guard let text = value?.numberText, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    /// FHIR R4 search.html#quantity, search.html#number.
    mutating func addQuantities(_ action: IndexPlan.Action, _ value: JSONNode) {
        let key = action.parameter.value
        switch action.elementType {
        case "Range":
            let unit = value["low"] ?? value["high"]
            let (low, high) = (number(value["low"]?["value"]), number(value["high"]?["value"]))
            guard low != nil || high != nil else { return }
            addQuantity(key, low ?? -Self.highest, high ?? Self.highest, unit)
        case "Money":
            guard let amount = number(value["value"]) else { return }
            let currency = value["currency"]?.string ?? ""
            add(
                key,
                .quantity(
                    low: amount, high: amount, system: "urn:iso:std:iso:4217", code: IndexEntry.key(currency), unit: "")
            )
        case "SampledData":
            // The limits are of the readings as sent, not of the quantity: FHIR R4 datatypes.html#sampleddata.
            break
        case "integer", "decimal", "positiveInt", "unsignedInt":
            if let number = number(value) { addQuantity(key, number, number, nil) }
        default:
            guard let number = number(value["value"]) else { return }
            let comparator = value["comparator"]?.string ?? ""
            addQuantity(
                key, comparator.hasPrefix("<") ? -Self.highest : number,
                comparator.hasPrefix(">") ? Self.highest : number, value)
        }
    }

    private mutating func addQuantity(_ key: Int64, _ low: Double, _ high: Double, _ unit: JSONNode?) {
        add(
            key,
            .quantity(
                low: low, high: max(low, high), system: IndexEntry.key(unit?["system"]?.string ?? ""),
                code: IndexEntry.key(unit?["code"]?.string ?? ""), unit: IndexEntry.key(unit?["unit"]?.string ?? "")))
    }
}
