import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// Studies and encounters of a patient that a person may choose from: those they may see.
extension RelationalStore {
    package func choices(
        of type: ContextType, patient: String, until: String?, limit: Int, access: AccessContext
    ) async throws -> [ContextChoice] {
        try await latest(type, ofPatient: patient, until: until, limit: limit, access: access).matches.compactMap {
            ShownContext($0, type)?.choice
        }
    }

    /// What is fit to be opened of a patient's, that which began last first.
    /// - Parameters:
    ///   - until: as in ``choices(of:patient:until:limit:access:)``.
    ///   - isCounted: whether the total is told.
    func latest(
        _ type: ContextType, ofPatient patient: String, until: String? = nil, limit: Int, isCounted: Bool = false,
        access: AccessContext
    ) async throws -> SearchPage {
        let began = type == .encounter ? "date" : "started"
        var parameters = [
            SearchQuery.Parameter(name: "status:not", value: ShownContext.unfit.joined(separator: ",")),
            SearchQuery.Parameter(name: "_sort", value: "-" + began),
        ]
        if let until { parameters.append(SearchQuery.Parameter(name: began, value: "le" + until)) }
        return try await found(type, parameters, patient: patient, limit: limit, isCounted: isCounted, access)
    }

    package func isChoice(
        _ id: String, of type: ContextType, patient: String, access: AccessContext
    ) async throws -> Bool {
        let own = [SearchQuery.Parameter(name: "_id", value: id)]
        return try await found(type, own, patient: patient, limit: 1, access).matches.contains {
            ShownContext($0, type) != nil
        }
    }

    /// What is in the patient's compartment and in the caller's sight. FHIR R4 compartmentdefinition-patient.html.
    private func found(
        _ type: ContextType, _ parameters: [SearchQuery.Parameter], patient: String, limit: Int,
        isCounted: Bool = false, _ access: AccessContext
    ) async throws -> SearchPage {
        let parser = SearchQueryParser(baseURL: baseURL, zone: indexer.zone)
        guard access.allows(.search, on: type.rawValue),
            let own = parser.compartmentFilter("Patient", id: patient, type: type.rawValue)
        else { return SearchPage(matches: [], snapshot: 0) }
        var query = try parser.parse(type.rawValue, parameters)
        query.filters.append(own)
        query.count = limit
        if isCounted { query.total = .accurate }
        return try await search(query, token: nil, access: access)
    }
}

/// What is read of a study or an encounter to show it to who chooses.
private struct ShownContext {
    private let id: String
    private let type: ContextType
    private let root: JSONNode

    /// The states in which nobody opens one.
    static let unfit = ["entered-in-error", "cancelled"]

    /// Nil for one that is in such a state.
    init?(_ resource: StoredResource, _ type: ContextType) {
        guard let root = try? JSONDocument(parsing: resource.bytes, limits: .stored).root,
            !Self.unfit.contains(root["status"]?.string ?? "")
        else { return nil }
        id = resource.id
        self.type = type
        self.root = root
    }

    var choice: ContextChoice {
        let parts: [String?] =
            switch type {
            case .imagingStudy:
                [
                    Self.day(root["started"]),
                    Self.items(root["modality"]).compactMap { $0["code"]?.string }.joined(separator: " "),
                    root["description"]?.string,
                ]
            case .encounter:
                [
                    Self.day(root["period"]?["start"]),
                    Self.items(root["type"]).lazy.compactMap(Self.words).first
                        ?? root["class"]?["display"]?.string ?? root["class"]?["code"]?.string,
                    root["serviceProvider"]?["display"]?.string,
                ]
            }
        let label = parts.compactMap { $0 }.filter { !$0.isEmpty }.map { String($0.prefix(200)) }
        return ContextChoice(id: id, label: label.isEmpty ? id : label.joined(separator: ", "))
    }

    /// The day, and the time to the minute where there is one, as they were written. FHIR R4 datatypes.html#dateTime.
    private static func day(_ node: JSONNode?) -> String? {
        node?.string.map { String($0.prefix(16)).replacing("T", with: " ") }
    }

    /// A CodeableConcept in words.
    private static func words(_ concept: JSONNode) -> String? {
        concept["text"]?.string ?? items(concept["coding"]).lazy.compactMap { $0["display"]?.string }.first
    }

    private static func items(_ node: JSONNode?) -> [JSONNode] { node.map { Array($0.elements) } ?? [] }
}
