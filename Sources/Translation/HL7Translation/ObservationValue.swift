import HL7v2
import Workflow

/// OBX-5 by the data type in OBX-2. HL7 v2.5.1 §7.4.2.2 and table 0125.
struct ObservationValue {
    let types: DataTypes

    /// The value of each repetition of OBX-5; text comes as one value of several lines. Empty when OBX-5 is not valued.
    func read(_ obx: Segment) -> [Observation.Value] {
        let field = obx[5]
        guard field.isValued else { return [] }
        let type = obx[2].text
        let unit = unit(obx)
        if let type, !CodeSystems.dataTypes.contains(type) {
            obx[2].report(.tableValueNotFound, "The data type is not in table 0125: the value is kept as text")
        }
        // Text is one value, however many lines it has.
        guard let type, Self.typed.contains(type) else { return text(field).map { [$0] } ?? [] }
        return field.repetitions.compactMap { repetition in
            guard repetition.isValued else { return nil }
            let value: Observation.Value? =
                switch type {
                case "NM": number(repetition, unit: unit)
                case "SN": structured(repetition, unit: unit)
                case "NR": range(repetition, unit: unit)
                case "DT", "DTM", "TS": types.dateTime(repetition.timestamp).map { .dateTime($0) }
                case "TM": time(repetition)
                default: types.cwe(repetition).map { .concept($0) }
                }
            return value ?? asText(repetition, type: type, unit: unit).map { .text($0) }
        }
    }

    /// The data types whose repetitions are values of their own.
    private static let typed: Set<String> = [
        "NM", "SN", "NR", "CE", "CWE", "CNE", "CF", "IS", "ID", "DT", "DTM", "TS", "TM",
    ]
    private typealias Unit = (name: String?, system: String?)

    /// NM: a decimal. A comparator before it is what many senders put there; all else stays text with a word to the
    /// sender.
    private func number(_ value: Repetition, unit: Unit) -> Observation.Value? {
        guard let text = types.trimmed(value.text) else { return nil }
        let written = ["<=", ">=", "≤", "≥", "<", ">"].first { text.hasPrefix($0) }
        let digits = types.trimmed(String(text.dropFirst(written?.count ?? 0)))
        let comparator = ["≤": "<=", "≥": ">="][written ?? ""] ?? written
        guard let canonical = digits.flatMap(ObservationValue.decimal) else {
            value.report(.dataTypeError, "The value is not a number: kept as text")
            return nil
        }
        return .quantity(value: canonical, comparator: comparator, unit: unit.name, unitSystem: unit.system)
    }

    /// SN: comparator, number, separator or suffix, number. HL7 v2.5.1 §2.A.69.
    private func structured(_ value: Repetition, unit: Unit) -> Observation.Value? {
        let comparator = types.trimmed(value[1].text)
        let first = types.trimmed(value[2].text).flatMap(ObservationValue.decimal)
        let separator = types.trimmed(value[3].text)
        let second = types.trimmed(value[4].text).flatMap(ObservationValue.decimal)
        switch (comparator, first, separator, second) {
        case (nil, let low?, "-", let high?):
            return .range(low: low, high: high, unit: unit.name, unitSystem: unit.system)
        case (nil, let numerator?, ":", let denominator?), (nil, let numerator?, "/", let denominator?):
            return .ratio(
                numerator: numerator, denominator: denominator, unit: unit.name, unitSystem: unit.system)
        case (_, let number?, nil, nil) where comparator == nil || ["<", "<=", ">", ">=", "="].contains(comparator):
            return .quantity(
                value: number, comparator: comparator == "=" ? nil : comparator, unit: unit.name,
                unitSystem: unit.system)
        default:
            value.report(.dataTypeError, "The value is no number, range or ratio: kept as text")
            return nil
        }
    }

    /// NR: low and high.
    private func range(_ value: Repetition, unit: Unit) -> Observation.Value? {
        let low = types.trimmed(value[1].text).flatMap(ObservationValue.decimal)
        let high = types.trimmed(value[2].text).flatMap(ObservationValue.decimal)
        guard low != nil || high != nil else { return nil }
        return .range(low: low, high: high, unit: unit.name, unitSystem: unit.system)
    }

    /// What no number could be made of, as a person reads it: with its unit, the parts of a structured one in a row.
    private func asText(_ value: Repetition, type: String, unit: Unit) -> String? {
        let isStructured = type == "SN" || type == "NR"
        let parts = isStructured ? (1...4).compactMap { types.trimmed(value[$0].text) } : []
        guard let text = isStructured ? parts.joined(separator: type == "NR" ? "-" : "") : value.wholeText,
            !text.isEmpty
        else { return nil }
        return [text, isStructured || type == "NM" ? unit.name : nil].compactMap { $0 }.joined(separator: " ")
    }

    private func text(_ field: Field) -> Observation.Value? {
        let lines = field.repetitions.compactMap { $0.wholeText }
        return lines.isEmpty ? nil : .text(lines.joined(separator: "\n"))
    }

    /// TM: `HH[MM[SS]]` as `HH:MM:SS`.
    private func time(_ value: Repetition) -> Observation.Value? {
        guard let digits = value.text?.utf8.prefix(while: { $0 >= 0x30 && $0 <= 0x39 }),
            [2, 4, 6].contains(digits.count),
            let stamp = Timestamp(Array("20000101".utf8) + Array(digits))
        else {
            value.report(.dataTypeError, "The value is not a time of day: kept as text")
            return nil
        }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return .time("\(two(stamp.hour)):\(two(stamp.minute)):\(two(stamp.second))")
    }

    /// OBX-6: the unit as sent; its system when one is named.
    private func unit(_ obx: Segment) -> Unit {
        let name = types.trimmed(obx[6][1][1].text)
        let system = types.trimmed(obx[6][1][3].text).flatMap(types.system(named:))
        return (name, name == nil ? nil : system)
    }

    /// A decimal number as JSON writes it: no plus sign, no leading zeros, a digit before the point; digits kept.
    /// Nil for anything else. At most 32 characters.
    static func decimal(_ text: String) -> String? {
        var digits = Array(text.utf8)[...]
        guard digits.count <= 32 else { return nil }
        let isNegative = digits.first == 0x2D
        if isNegative || digits.first == 0x2B { digits = digits.dropFirst() }
        let parts = digits.split(separator: 0x2E, maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, digits.contains(where: { $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        let fraction = parts.count == 2 ? parts[1] : []
        guard (whole + fraction).allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        let significant = whole.drop { $0 == 0x30 }
        let head = significant.isEmpty ? [0x30] : Array(significant)
        let number = (isNegative ? [0x2D] : []) + head + (fraction.isEmpty ? [] : [0x2E] + Array(fraction))
        return String(decoding: number, as: UTF8.self)
    }
}
