import FHIRModel
import FoundationEssentials

/// Writes `R4Definitions+Generated.swift` from the unpacked package hl7.fhir.r4.core 4.0.1.
///
///     swift run GenerateFHIRDefinitions PACKAGE-FOLDER OUTPUT-FILE
///
/// PACKAGE-FOLDER is the folder that holds `StructureDefinition-Patient.json` and the rest. The output has facts only
/// (names, types, cardinalities, codes, expressions), in the form that `DefinitionText` in FHIRModel reads.
@main
struct GenerateFHIRDefinitions {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            print("usage: GenerateFHIRDefinitions PACKAGE-FOLDER OUTPUT-FILE")
            throw GeneratorError.usage
        }
        let package = try Package(folder: arguments[1])
        let types = TypeRows(package: package)
        let sections: [(String, [String])] = [
            ("types", types.rows),
            ("valueSets", types.valueSetRows),
            ("codeSystems", types.codeSystemRows),
            ("searchParameters", searchParameterRows(package)),
            ("compartments", compartmentRows(package)),
        ]
        var text = "// Made by GenerateFHIRDefinitions from hl7.fhir.r4.core 4.0.1 (CC0-1.0).\n"
        text += "// DefinitionText reads it and tells its form.\n"
        text += "// swift-format-ignore-file\n"
        text += "enum R4Definitions {\n"
        for (name, rows) in sections {
            text += "    static let \(name) = #\"\"\"\n" + rows.joined(separator: "\n") + "\n\"\"\"#\n"
            print("\(name): \(rows.count) rows")
        }
        text += "}\n"
        try Data(text.utf8).write(to: URL(filePath: arguments[2]))
    }
}

enum GeneratorError: Error {
    case usage
    case missing(String)
}

/// The definitional resources of a package, by type.
struct Package {
    private(set) var resources: [String: [JSONValue]] = [:]

    init(folder: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let wanted = ["StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter", "CompartmentDefinition"]
        for name in names where name.hasSuffix(".json") {
            guard let type = wanted.first(where: { name.hasPrefix($0 + "-") }) else { continue }
            let bytes = try Data(contentsOf: URL(filePath: folder + "/" + name))
            let document = try JSONDocument(parsing: Array(bytes), limits: .stored)
            resources[type, default: []].append(JSONValue(document))
        }
    }

    /// The resources of one type by canonical URL.
    func byURL(_ type: String) -> [String: JSONValue] {
        (resources[type] ?? []).reduce(into: [:]) { found, value in
            if let url = value["url"]?.string { found[url] = value }
        }
    }
}

extension JSONValue {
    /// The strings of an array member; none when it is absent.
    func strings(_ name: String) -> [String] { self[name]?.array?.compactMap(\.string) ?? [] }
    func elements(_ name: String) -> [JSONValue] { self[name]?.array ?? [] }
}

/// The part after the last slash of a canonical, without a version.
func lastPart(_ url: String) -> String {
    let path = url.split(separator: "|").first ?? ""
    return String(path.split(separator: "/").last ?? "")
}
