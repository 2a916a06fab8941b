import FHIRModel
import FHIRSearch
import Workflow

/// Which resource each entry of a change set means, and by what others refer to it.
struct ChangePlaces {
    /// `Type/id` to the entry that changes it.
    private var owners: [String: Int] = [:]
    /// Conditions under which something is made, by type and what is searched for.
    private var conditions: [Condition: (index: Int, change: ResolvedChange)] = [:]
    /// `fullUrl` to `Type/id`.
    private var links: [String: (name: String, version: String?)] = [:]
    private var fullURLs: [String: Int] = [:]

    private struct Condition: Hashable {
        var interaction: String
        var type: String
        /// As they were read: a value may hold what joins them in a text.
        var parameters: [SearchQuery.Parameter]
    }

    /// Finds what an entry that writes means. Throws `.malformed` naming both entries where two mean the same.
    mutating func resolve(_ entry: ChangeSet.Entry, in unit: any ResourceUnitOfWork) throws -> ResolvedChange {
        var resolved: ResolvedChange
        var condition: Condition?
        if case .matching(let query) = entry.change.target {
            condition = Condition(
                interaction: entry.change.interaction, type: entry.change.type, parameters: query.parameters)
        }
        if let condition, let first = conditions[condition] {
            guard case .create = entry.change.action, let name = first.change.names.first else {
                throw Self.clash(first.index, entry.index, "have the same condition")
            }
            // The first of the two makes what the second one finds. FHIR R4 http.html#ccreate.
            resolved = ResolvedChange(
                change: entry.change, target: .found(id: String(name.split(separator: "/").last ?? "")))
        } else {
            resolved = try entry.change.resolve(in: unit)
            if let condition { conditions[condition] = (entry.index, resolved) }
        }
        try take(resolved, by: entry)
        if let url = entry.fullURL, let name = resolved.names.first {
            links[url] = (name, try Self.version(of: resolved, in: unit))
        }
        return resolved
    }

    /// Notes what an entry means.
    mutating func take(_ resolved: ResolvedChange, by entry: ChangeSet.Entry) throws {
        if case .found = resolved.target {
        } else {
            for name in resolved.names {
                if let other = owners.updateValue(entry.index, forKey: name) {
                    throw Self.clash(other, entry.index, "change the same resource")
                }
            }
        }
        guard let url = entry.fullURL else { return }
        if let other = fullURLs.updateValue(entry.index, forKey: url) {
            throw Self.clash(other, entry.index, "have the same fullUrl")
        }
    }

    /// The version that a reference to a version of another server's copy means here; nil where it is this server's own
    /// number already.
    private static func version(of resolved: ResolvedChange, in unit: any ResourceUnitOfWork) throws -> String? {
        switch (resolved.target, resolved.change.action) {
        case (.found(let id), _):
            // One that an earlier entry is about to make is its first version.
            return String(try unit.currentResource(resolved.change.type, id)?.version ?? 1)
        case (.write, .create): return "1"
        default: return nil
        }
    }

    private static func clash(_ one: Int, _ other: Int, _ what: String) -> InteractionError {
        let (first, second) = (min(one, other), max(one, other))
        return InteractionError(
            .malformed, "Bundle.entry[\(first)] and Bundle.entry[\(second)] \(what)",
            issues: [first, second].map { ("Bundle.entry[\($0)]", "this entry and another one \(what)") })
    }

    /// The change with the links of its resource to other entries replaced. Conditional references are noted.
    func linked(
        _ resolved: ResolvedChange, of entry: ChangeSet.Entry, references: inout ConditionalReferences
    ) throws -> ResolvedChange {
        guard let document = resolved.document else { return resolved }
        var conditional: [String] = []
        let base = entry.fullURL.flatMap { url -> String? in
            if case .absolute(let base, _, _, _) = Reference(url) { base } else { nil }
        }
        let resource = try Resource(document)
        let changed = try resource.replacingLinks { text, kind in
            if kind == .reference, ConditionalReferences.isOne(text) {
                conditional.append(text)
                return nil
            }
            return target(of: text, kind, base: base)
        }
        references.note(conditional, of: entry.index)
        return resolved.with(changed.document)
    }

    /// What takes the place of a link; nil for one that leads elsewhere.
    private func target(of text: String, _ kind: Resource.LinkKind, base: String?) -> String? {
        if links.isEmpty { return nil }
        if let found = links[text] { return found.name }
        // A part of the target, or one of its versions.
        if let mark = text.firstIndex(of: "#"), let found = links[String(text[..<mark])] {
            return found.name + text[mark...]
        }
        switch Reference(text) {
        case .absolute(let itsBase, let type, let id, let version?):
            return links["\(itsBase)/\(type)/\(id)"].map { "\($0.name)/_history/\($0.version ?? version)" }
        case .relative(let type, let id, let version) where kind == .reference:
            // Relative to the place of the entry itself. FHIR R4 bundle.html#references.
            guard let base, let found = links["\(base)/\(type)/\(id)"] else { return nil }
            return found.name + (version.map { "/_history/\(found.version ?? $0)" } ?? "")
        default: return nil
        }
    }
}

/// References by a search, such as `Patient?identifier=urn:mrn|7`: exactly one must match, once all is written.
/// FHIR R4 http.html#trules.
struct ConditionalReferences {
    private let parse: @Sendable (_ type: String, _ query: String) throws -> SearchQuery
    private var wanted: [Int: [String]] = [:]
    /// What was found, with the first entry that asked.
    private var found: [String: (name: String, index: Int)] = [:]
    /// What was not found in this round.
    private var missed: Set<String> = []

    init(parse: @escaping @Sendable (_ type: String, _ query: String) throws -> SearchQuery) { self.parse = parse }

    static func isOne(_ text: String) -> Bool {
        guard let mark = text.firstIndex(of: "?") else { return false }
        return FHIRDefinitions.r4.isResourceType(String(text[..<mark]))
    }

    mutating func note(_ texts: [String], of index: Int) {
        if !texts.isEmpty { wanted[index] = texts }
    }

    /// Whether an entry has to be written after others.
    func wait(for index: Int) -> Bool { wanted[index] != nil }

    /// Forgets what was not found: something was written since.
    mutating func startRound() { missed = [] }

    /// The change with its conditional references replaced; nil while something is not there yet.
    mutating func replaced(
        _ resolved: ResolvedChange, _ index: Int, in unit: any ResourceUnitOfWork
    ) throws -> ResolvedChange? {
        for text in wanted[index] ?? [] where found[text] == nil {
            guard !missed.contains(text), let name = try self.name(text, in: unit) else {
                missed.insert(text)
                return nil
            }
            found[text] = (name, index)
        }
        guard let document = resolved.document else { return resolved }
        let changed = try Resource(document).replacingLinks { text, kind in
            kind == .reference ? found[text]?.name : nil
        }
        return resolved.with(changed.document)
    }

    /// What is said of an entry whose references nothing matches.
    func unfound(_ index: Int) -> InteractionError {
        InteractionError(.preconditionFailed, "a conditional reference of this entry matches no resource")
    }

    /// What was written later may match as well: then it is not known which is meant.
    func check(in unit: any ResourceUnitOfWork) throws {
        for (text, one) in found.sorted(by: { $0.value.index < $1.value.index }) {
            do { _ = try name(text, in: unit) } catch { throw ChangeSet.Refusal(index: one.index, cause: error) }
        }
    }

    private func name(_ text: String, in unit: any ResourceUnitOfWork) throws -> String? {
        let mark = text.firstIndex(of: "?") ?? text.endIndex
        let type = String(text[..<mark])
        let query = try parse(type, String(text[mark...].dropFirst()))
        let ids = try unit.resourceIDs(matching: query, access: unit.access, limit: 2)
        guard ids.count < 2 else {
            throw InteractionError(
                .preconditionFailed, "a conditional reference of this entry matches more than one resource")
        }
        return ids.first.map { "\(type)/\($0)" }
    }
}
