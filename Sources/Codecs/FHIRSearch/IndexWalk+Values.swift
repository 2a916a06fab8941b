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
        case "Coding": addCoding(parameter, value)
        case "CodeableConcept": addConcept(parameter, value)
        case "Identifier": addIdentifier(parameter, value)
        case "ContactPoint":
            if let text = value["value"]?.string { addToken(parameter.value, IndexEntry.anySystem, text) }
        case "boolean":
            if let truth = value.bool { addToken(parameter.value, IndexEntry.anySystem, truth ? "true" : "false") }
        case "code":
            if let code = value.string { addToken(parameter.value, IndexEntry.anySystem, code) }
        default:
            if let text = value.string ?? value.numberText { addToken(parameter.value, "", text) }
        }
    }

    private mutating func addToken(_ key: Int64, _ system: String, _ code: String) {
        add(key, .token(system: IndexEntry.cut(system), code: IndexEntry.cut(code)))
    }

    private mutating func addCoding(_ parameter: IndexPlan.Parameter, _ value: JSONNode) {
        if let code = value["code"]?.string { addToken(parameter.value, value["system"]?.string ?? "", code) }
        addText(parameter.text, value["display"])
    }

    private mutating func addConcept(_ parameter: IndexPlan.Parameter, _ value: JSONNode) {
        var hasCode = false
        for coding in elements(value["coding"]) {
            hasCode = hasCode || coding["code"] != nil
            addCoding(parameter, coding)
        }
        if let text = value["text"] {
            addText(parameter.text, text)
            // The concept is there, so that `:missing` does not say otherwise.
            if !hasCode { addToken(parameter.value, "", "") }
        }
    }

    private mutating func addIdentifier(_ parameter: IndexPlan.Parameter, _ value: JSONNode) {
        guard let number = value["value"]?.string else { return }
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
        add(key, .string(folded: IndexEntry.cut(folded), exact: IndexEntry.cut(text)))
    }

    private static let nameMembers = ["family", "given", "text", "prefix", "suffix"]
    private static let addressMembers = ["text", "line", "city", "district", "state", "postalCode", "country"]

    /// FHIR R4 search.html#string: any part of a name or an address.
    mutating func addStrings(_ action: IndexPlan.Action, _ value: JSONNode) {
        let key = action.parameter.value
        switch action.elementType {
        case "HumanName": addParts(key, value, Self.nameMembers)
        case "Address": addParts(key, value, Self.addressMembers)
        case "CodeableConcept":
            addParts(key, value, ["text"])
            for coding in elements(value["coding"]) { addParts(key, coding, ["display"]) }
        case "Coding": addParts(key, value, ["display"])
        case "Annotation": addParts(key, value, ["text"])
        case "Identifier", "ContactPoint": addParts(key, value, ["value"])
        default: if let text = value.string { addString(key, text) }
        }
    }

    private mutating func addParts(_ key: Int64, _ value: JSONNode, _ names: [String]) {
        for name in names {
            guard let part = value[name] else { continue }
            if let text = part.string { addString(key, text) }
            for element in part.elements { if let text = element.string { addString(key, text) } }
        }
    }

    // MARK: Dates

    /// FHIR R4 search.html#date.
    mutating func addDates(_ action: IndexPlan.Action, _ value: JSONNode) {
        let key = action.parameter.value
        switch action.elementType {
        case "Period": addPeriod(key, value)
        case "Timing":
            for event in elements(value["event"]) { addDate(key, event) }
            if let bounds = value["repeat"]?["boundsPeriod"] { addPeriod(key, bounds) }
        default: addDate(key, value)
        }
    }

    private func range(_ value: JSONNode?) -> DateTimeRange? {
        value?.stringBytes.flatMap { FHIRDateTime(utf8: $0, as: .dateTime) }?.range()
    }

    private mutating func addDate(_ key: Int64, _ value: JSONNode) {
        if let range = range(value) { add(key, .date(low: range.lower, high: range.upper)) }
    }

    private mutating func addPeriod(_ key: Int64, _ value: JSONNode) {
        let (start, end) = (range(value["start"]), range(value["end"]))
        guard start != nil || end != nil else { return }
        let low = start?.lower ?? .min
        add(key, .date(low: low, high: max(end?.upper ?? .max, low)))
    }

    // MARK: References

    /// FHIR R4 search.html#reference.
    mutating func addReferences(_ action: IndexPlan.Action, _ value: JSONNode) {
        let key = action.parameter.value
        switch action.elementType {
        case "Reference":
            let before = entries.count
            if let text = value["reference"]?.string { addReference(key, text) }
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
            if !text.isEmpty { add(key, .reference(type: "", id: IndexEntry.cut(text))) }
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
                    low: amount, high: amount, system: "urn:iso:std:iso:4217", code: IndexEntry.cut(currency), unit: "")
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
                low: low, high: max(low, high), system: IndexEntry.cut(unit?["system"]?.string ?? ""),
                code: IndexEntry.cut(unit?["code"]?.string ?? ""), unit: IndexEntry.cut(unit?["unit"]?.string ?? "")))
    }
}
