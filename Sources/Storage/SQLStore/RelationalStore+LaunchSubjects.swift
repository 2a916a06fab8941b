import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// The patients that a person may choose from: those they may see, and those of the orders and encounters that they may
/// see, who are a referring physician's patients before anybody has said so on the patient.
extension RelationalStore: LaunchSubjects {
    private static let patient = "Patient"
    /// Types that say of whom a practitioner takes care.
    private static let care = ["ServiceRequest", "Encounter"]
    /// Orders, and encounters, that are looked through for patients: the newest.
    private static let careMax = 200

    package func patients(named text: String?, limit: Int, access: AccessContext) async throws -> [PatientChoice] {
        let name = text.map(TextFolding.folded) ?? ""
        let narrowed = name.isEmpty ? [] : [SearchQuery.Parameter(name: "name", value: Self.escaped(name))]
        let found = try await find(Self.patient, narrowed, limit: limit, access)
        var choices = found.compactMap { ShownPatient($0)?.choice }
        let newest = [SearchQuery.Parameter(name: "_sort", value: "-_lastUpdated")]
        var seen = Set(choices.map(\.id))
        for type in Self.care {
            for resource in try await find(type, newest, limit: Self.careMax, access) {
                guard choices.count < limit else { return choices }
                guard let id = Self.subject(of: resource), seen.insert(id).inserted,
                    let patient = try await current(id), name.isEmpty || patient.isNamed(name)
                else { continue }
                choices.append(patient.choice)
            }
        }
        return choices
    }

    package func patients(ids: [String], access: AccessContext) async throws -> [PatientChoice] {
        var choices: [PatientChoice] = []
        for id in ids {
            guard let patient = try await current(id), try await mayBeChosen(id, access) else { continue }
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

    private func mayBeChosen(_ id: String, _ access: AccessContext) async throws -> Bool {
        if try await exists(Self.patient, id, access: access) { return true }
        let subject = SearchQuery.Parameter(name: "subject", value: Self.patient + "/" + id)
        for type in Self.care where try await !find(type, [subject], limit: 1, access).isEmpty { return true }
        return false
    }

    /// A patient that others refer to, whoever may see it by itself.
    private func current(_ id: String) async throws -> ShownPatient? {
        guard let found = try await read(Self.patient, id, access: .server(requestID: "launch")), !found.isDeleted
        else { return nil }
        return ShownPatient(found)
    }

    private static func subject(of resource: StoredResource) -> String? {
        let root = try? JSONDocument(parsing: resource.bytes, limits: .stored).root
        guard let text = root?["subject"]?["reference"]?.string, let named = Compartment(reference: text),
            named == .patient(named.id)
        else { return nil }
        return named.id
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

    /// Whether a part of a name begins with folded text. FHIR R4 search.html#string.
    func isNamed(_ folded: String) -> Bool {
        names.contains { name in
            (Self.parts(name) + [name["text"]?.string].compactMap { $0 }).contains {
                TextFolding.folded($0).hasPrefix(folded)
            }
        }
    }

    /// Given names, then the family's.
    private static func parts(_ name: JSONNode) -> [String] {
        items(name["given"]).compactMap(\.string) + [name["family"]?.string].compactMap { $0 }
    }

    private static func items(_ node: JSONNode?) -> [JSONNode] { node.map { Array($0.elements) } ?? [] }
}
