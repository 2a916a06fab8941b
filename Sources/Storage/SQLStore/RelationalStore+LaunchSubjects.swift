import Access
import Basics
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// The patients that a person may choose from: those they may see.
extension RelationalStore: LaunchSubjects {
    private static let patient = "Patient"

    package func patients(named text: String?, limit: Int, access: AccessContext) async throws -> [PatientChoice] {
        let name = text.map(TextFolding.folded) ?? ""
        let narrowed = name.isEmpty ? [] : [SearchQuery.Parameter(name: "name", value: Self.escaped(name))]
        return try await find(Self.patient, narrowed, limit: limit, access).compactMap { ShownPatient($0)?.choice }
    }

    package func patients(ids: [String], access: AccessContext) async throws -> [PatientChoice] {
        var choices: [PatientChoice] = []
        for id in ids {
            guard let found = try await read(Self.patient, id, access: access), !found.isDeleted,
                let patient = ShownPatient(found)
            else { continue }
            choices.append(patient.choice)
        }
        return choices
    }

    package func exists(_ type: String, _ id: String, access: AccessContext) async throws -> Bool {
        try await read(type, id, access: access)?.isDeleted == false
    }

    package func canBelongToPatient(_ type: String) -> Bool {
        SearchQueryParser(baseURL: baseURL, zone: indexer.zone).compartmentFilter(Self.patient, id: "x", type: type)
            != nil
    }

    /// Matches; none where the caller may see none.
    private func find(
        _ type: String, _ parameters: [SearchQuery.Parameter], limit: Int, _ access: AccessContext
    ) async throws -> [StoredResource] {
        guard access.allows(.search, on: type) else { return [] }
        var query: SearchQuery
        do {
            query = try SearchQueryParser(baseURL: baseURL, zone: indexer.zone).parse(type, parameters)
        } catch {
            // A name that no search takes is nobody's.
            return []
        }
        query.count = limit
        return try await search(query, token: nil, access: access).matches
    }

    /// Text as one search value. FHIR R4 search.html#escaping.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if "\\$,|".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}

extension RelationalStore: PatientIdentifiers {
    package func patientID(system: String, value: String) async throws -> String? {
        let token = Self.escaped(system) + "|" + Self.escaped(value)
        let found = try await find(
            Self.patient, [SearchQuery.Parameter(name: "identifier", value: token)], limit: 2,
            .server(requestID: "patient of a token"))
        guard found.count == 1, ShownPatient(found[0]) != nil else { return nil }
        return found[0].id
    }
}

/// What is read of a patient to show them by name.
private struct ShownPatient {
    private let id: String
    private let root: JSONNode
    private let names: [JSONNode]

    /// Nil for one that was merged into another, who is chosen by the other. FHIR R4 patient.html#links.
    init?(_ patient: StoredResource) {
        guard let root = try? JSONDocument(parsing: patient.bytes, limits: .stored).root,
            !Self.items(root["link"]).contains(where: { $0["type"]?.string == "replaced-by" })
        else { return nil }
        id = patient.id
        self.root = root
        names = Self.items(root["name"])
    }

    var choice: PatientChoice {
        let name = names.first.map { name in
            let parts = Self.parts(name)
            return parts.isEmpty ? name["text"]?.string ?? "" : parts.joined(separator: " ")
        }
        let number = Self.items(root["identifier"]).first?["value"]?.string
        let label = [name, root["birthDate"]?.string, number].compactMap { $0 }.filter { !$0.isEmpty }
        return PatientChoice(id: id, label: label.isEmpty ? id : label.joined(separator: ", "))
    }

    /// Given names, then the family's.
    private static func parts(_ name: JSONNode) -> [String] {
        items(name["given"]).compactMap(\.string) + [name["family"]?.string].compactMap { $0 }
    }

    private static func items(_ node: JSONNode?) -> [JSONNode] { node.map { Array($0.elements) } ?? [] }
}
