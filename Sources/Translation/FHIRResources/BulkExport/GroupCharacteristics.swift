import FHIRModel
import FHIRSearch
import Workflow

/// Whom a Group describes that lists nobody: all characteristics hold for each, and none of those that exclude.
/// FHIR R4 group-definitions.html#Group.characteristic.
///
/// The characteristics that are understood are those of ``Kind``; what is not understood is refused, since to pass over it
/// would make more patients members.
struct GroupCharacteristics {
    enum Kind: CaseIterable {
        case gender, age, diagnosis, modality

        /// System and code each.
        var codes: [(String, String)] {
            let (loinc, sct) = ("http://loinc.org", "http://snomed.info/sct")
            return switch self {
            case .gender: [(loinc, "76689-9"), (loinc, "46098-0"), (sct, "263495000"), (sct, "184100006")]
            case .age: [(loinc, "30525-0"), (sct, "424144002"), (sct, "397669002")]
            case .diagnosis: [(loinc, "29308-4"), (loinc, "75323-6"), (sct, "64572001"), (sct, "439401001")]
            case .modality: [("http://dicom.nema.org/resources/ontology/DCM", "121139"), (sct, "363679005")]
            }
        }
    }

    /// What a search for patients asks; all of it has to hold.
    struct Condition: Equatable {
        var parameters: [SearchQuery.Parameter]
        /// Of what is searched through beside Patient.
        var type: String?
    }

    private(set) var included: [Condition] = []
    private(set) var excluded: [Condition] = []

    private static let countMax = 20

    /// - Parameter time: as of which ages are.
    init(_ group: JSONValue, at time: UTCInstant) throws {
        let list = group["characteristic"]?.array ?? []
        guard !list.isEmpty, list.count <= Self.countMax else {
            throw InteractionError(
                .unsupported, "a Group that lists nobody has 1 to \(Self.countMax) characteristics to be exported")
        }
        guard group["type"]?.string == "person" else {
            throw InteractionError(.unsupported, "a Group that is described is exported where its type is person")
        }
        for characteristic in list {
            let condition = try Self.condition(characteristic, at: time)
            if characteristic["exclude"]?.bool == true {
                excluded.append(condition)
            } else {
                included.append(condition)
            }
        }
    }

    /// What has to be searched to know.
    var types: Set<String> { Set(["Patient"] + (included + excluded).compactMap(\.type)) }

    private static func condition(_ characteristic: JSONValue, at time: UTCInstant) throws -> Condition {
        let codings = characteristic["code"]?["coding"]?.array ?? []
        let kind = Kind.allCases.first { kind in
            codings.contains { coding in
                kind.codes.contains { $0 == coding["system"]?.string ?? "" && $1 == coding["code"]?.string ?? "" }
            }
        }
        guard let kind, characteristic["period"] == nil, characteristic["modifierExtension"] == nil else {
            throw InteractionError(
                .unsupported,
                "a Group is described by gender, age, diagnosis or modality (LOINC, SNOMED CT, DCM), without period")
        }
        switch kind {
        case .gender:
            let codes = ["male", "female", "other", "unknown"]
            let values = (characteristic["valueCodeableConcept"]?["coding"]?.array ?? []).compactMap {
                $0["code"]?.string
            }.filter(codes.contains)
            guard let value = values.first else { throw refusal("gender", "one of \(codes.joined(separator: ", "))") }
            return Condition(parameters: [.init(name: "gender", value: value)])
        case .age: return Condition(parameters: try ages(characteristic, at: time))
        case .diagnosis: return try coded(characteristic, "Condition", "code")
        case .modality: return try coded(characteristic, "ImagingStudy", "modality")
        }
    }

    private static func refusal(_ name: String, _ value: String) -> InteractionError {
        InteractionError(.unsupported, "the characteristic \(name) of a Group has a value that is \(value)")
    }

    /// Patients of whom there is a resource with one of the codes.
    private static func coded(_ characteristic: JSONValue, _ type: String, _ name: String) throws -> Condition {
        let codings = characteristic["valueCodeableConcept"]?["coding"]?.array ?? []
        let values = codings.compactMap { coding -> String? in
            guard let code = coding["code"]?.string, !code.isEmpty, let system = coding["system"]?.string else {
                return nil
            }
            return escaped(system) + "|" + escaped(code)
        }
        guard !values.isEmpty, values.count == codings.count else { throw refusal(name, "a code with its system") }
        return Condition(
            parameters: [.init(name: "_has:\(type):patient:\(name)", value: values.joined(separator: ","))], type: type)
    }

    /// FHIR R4 search.html#escaping.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if ["\\", "$", ",", "|"].contains(character) { result.append("\\") }
            result.append(character)
        }
    }

    // MARK: Ages

    /// Whole years, in a Range or a Quantity.
    private static func ages(_ characteristic: JSONValue, at time: UTCInstant) throws -> [SearchQuery.Parameter] {
        func years(_ quantity: JSONValue?) throws -> Int? {
            guard let quantity else { return nil }
            guard case .number(let text)? = quantity["value"], let years = Int(text), (0...200).contains(years),
                quantity["code"].map({ $0.string == "a" }) ?? true
            else { throw refusal("age", "whole years, 0 to 200") }
            return years
        }
        var low: Int?
        var high: Int?
        if let range = characteristic["valueRange"] {
            (low, high) = (try years(range["low"]), try years(range["high"]))
        } else if let quantity = characteristic["valueQuantity"], let value = try years(quantity) {
            switch quantity["comparator"]?.string {
            case nil: (low, high) = (value, value)
            case "<": high = value - 1
            case "<=": high = value
            case ">": low = value + 1
            case ">=": low = value
            default: throw refusal("age", "whole years, 0 to 200")
            }
        }
        guard low != nil || high != nil else { throw refusal("age", "a Range or a Quantity") }
        // Who is n years old was born n years ago at the latest, and less than n + 1 years ago.
        var parameters: [SearchQuery.Parameter] = []
        if let low { parameters.append(.init(name: "birthdate", value: "le" + day(low, before: time))) }
        if let high { parameters.append(.init(name: "birthdate", value: "gt" + day(high + 1, before: time))) }
        return parameters
    }

    /// The same day of an earlier year; the 28th of February for a 29th that is not there.
    private static func day(_ years: Int, before time: UTCInstant) -> String {
        let parts = time.instantText.prefix(10).split(separator: "-").map { Int($0) ?? 0 }
        guard parts.count == 3 else { return "1900-01-01" }
        let year = max(parts[0] - years, 1)
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let day = parts[1] == 2 && parts[2] == 29 && !isLeap ? 28 : parts[2]
        func padded(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(width - text.count, 0)) + text
        }
        return "\(padded(year, 4))-\(padded(parts[1], 2))-\(padded(day, 2))"
    }
}
