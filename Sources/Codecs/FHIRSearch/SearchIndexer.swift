import FHIRModel
import Synchronization

/// Finds out by what a resource can be found. FHIR R4 search.html.
///
/// The plan of a resource type is made at its first use and kept. A contained resource makes entries that a chain through
/// the reference to it finds, and no others.
package final class SearchIndexer: Sendable {
    /// The rules by which entries are made, numbered.
    /// 2: texts longer than ``IndexEntry/textBytesMax`` are told apart; a leap second stays in its minute.
    /// 3: so do facts of who may see whom, whose exceptions within refusals are read.
    private static let rules: Int64 = 3

    /// What the entries depend on beside the resources, as one positive number: the rules, the site's clock and the
    /// server's address. A store whose entries were made by another form makes them anew.
    package let form: Int64

    private let definitions: FHIRDefinitions
    /// The server's own address; a reference below it is the same as a relative one.
    package let baseURL: String
    /// The site's clock, on which a day is a day.
    package let zone: LocalZone
    private let plans = Mutex<[String: IndexPlan]>([:])

    package init(definitions: FHIRDefinitions = .r4, baseURL: String, zone: LocalZone = .utc) {
        self.definitions = definitions
        self.baseURL = baseURL
        self.zone = zone
        let digest = TextDigest.hex(baseURL + "\n" + zone.rule)
        form = Self.rules << 48 | (Int64(digest.prefix(12), radix: 16) ?? 0)
    }

    /// The entries of a resource, each once. What is malformed makes no entry. `_id` and `_lastUpdated` are not among
    /// them: the store has columns for these. Linear in the size of the resource.
    package func entries(of resource: Resource) -> [IndexEntry] {
        entries(of: resource.document, resourceType: resource.resourceType)
    }

    /// The entries of a document that is known to be a resource of `resourceType`.
    package func entries(of document: JSONDocument, resourceType: String) -> [IndexEntry] {
        var walk = IndexWalk(root: document.root, resourceType: resourceType, baseURL: baseURL, zone: zone)
        walk.run(plan(resourceType))
        if !walk.containedReferences.isEmpty { addContained(to: &walk) }
        return walk.entries
    }

    /// The code under which a container says of what type the resource within it is.
    package static let typeCode = "resourceType"

    /// Entries for chains through references to contained resources.
    private func addContained(to walk: inout IndexWalk) {
        for reference in walk.containedReferences {
            guard let target = walk.contained(reference.id), let type = target["resourceType"]?.string,
                definitions.isResourceType(type)
            else { continue }
            var inner = IndexWalk(root: target, resourceType: type, baseURL: baseURL, zone: zone)
            inner.run(plan(type))
            inner.add(SearchParameterKey(type, Self.typeCode).number, .token(system: "", code: type))
            walk.add(inner.entries, by: reference.code)
        }
    }

    /// The parameters of a type that can be searched: those with entries, and `_id` and `_lastUpdated`.
    package static func unsupported(
        _ resourceType: String, definitions: FHIRDefinitions = .r4
    ) -> [UnsupportedSearchParameter] {
        var builder = IndexPlanBuilder(definitions, resourceType)
        _ = builder.plan()
        return builder.unsupported
    }

    private func plan(_ resourceType: String) -> IndexPlan {
        if let known = plans.withLock({ $0[resourceType] }) { return known }
        var builder = IndexPlanBuilder(definitions, resourceType)
        let plan = builder.plan()
        plans.withLock { $0[resourceType] = plan }
        return plan
    }
}

/// One walk over one resource.
struct IndexWalk {
    let root: JSONNode
    let resourceType: String
    let baseURL: String
    let zone: LocalZone
    /// References to contained resources, each once.
    private(set) var containedReferences: [(code: String, id: String)] = []
    private(set) var entries: [IndexEntry] = []
    private var seen: Set<IndexEntry> = []
    /// The composite element in hand; 0 outside of composites.
    private var part: Int64 = 0
    private var partsUsed: Int64 = 0
    /// Set while a boolean's terms are looked at: values reached by them, as text.
    private var reached: [String]?

    init(root: JSONNode, resourceType: String, baseURL: String, zone: LocalZone) {
        self.root = root
        self.resourceType = resourceType
        self.baseURL = baseURL
        self.zone = zone
    }

    mutating func run(_ plan: IndexPlan) {
        visit(root, 0, plan)
        for truth in plan.truths {
            let holds = truth.terms.allSatisfy { term in
                let values = self.values(term.plan)
                return switch term.test {
                case .exists: !values.isEmpty
                case .differs(let literal): !values.isEmpty && !values.contains(literal)
                case .equals(let literal): values.contains(literal)
                }
            }
            add(truth.parameter.value, .token(system: IndexEntry.anySystem, code: holds ? "true" : "false"))
        }
    }

    /// The primitive values a plan reaches, as text; a complex value counts as `{}`.
    private func values(_ plan: IndexPlan) -> [String] {
        var other = IndexWalk(root: root, resourceType: resourceType, baseURL: baseURL, zone: zone)
        other.reached = []
        other.visit(root, 0, plan)
        return other.reached ?? []
    }

    private mutating func visit(_ value: JSONNode, _ number: Int, _ plan: IndexPlan) {
        for action in plan.nodes[number].actions { perform(action, value) }
        let edges = plan.nodes[number].edges
        guard !edges.isEmpty else { return }
        for member in value.members {
            guard let name = member.key.stringBytes else { continue }
            for edge in edges where edge.name.count == name.count && edge.name.elementsEqual(name) {
                follow(edge, member.value, plan)
            }
        }
    }

    private mutating func follow(_ edge: IndexPlan.Edge, _ value: JSONNode, _ plan: IndexPlan) {
        if value.kind == .array {
            for (position, element) in value.elements.enumerated() where edge.position ?? position == position {
                if passes(element, edge.filters) { visit(element, edge.node, plan) }
            }
        } else if edge.position ?? 0 == 0, passes(value, edge.filters) {
            visit(value, edge.node, plan)
        }
    }

    private func passes(_ value: JSONNode, _ filters: [SearchExpression.Filter]) -> Bool {
        filters.allSatisfy { filter in
            switch filter {
            case .equals(let name, let text): value[name]?.isString(text) ?? false
            case .resolvesTo(let type): targetType(value) == type
            case .hasExtension(let url):
                value["url"]?.isString(url) ?? false
                    || value["extension"]?.elements.contains { $0["url"]?.isString(url) ?? false } ?? false
            }
        }
    }

    /// The type of a reference's target, as far as the reference itself tells.
    private func targetType(_ value: JSONNode) -> String? {
        if let text = value["reference"]?.string {
            let reference = Reference(text)
            if let type = reference.type { return type }
            if case .fragment(let id) = reference { return containedType(id) }
        }
        return value["type"]?.string
    }

    private func containedType(_ id: String) -> String? { contained(id)?["resourceType"]?.string }

    /// The contained resource of an id.
    func contained(_ id: String) -> JSONNode? {
        root["contained"]?.elements.first { $0["id"]?.isString(id) ?? false }
    }

    /// References to contained resources of which the entries are made.
    private static let containedReferencesMax = 256

    mutating func noteContained(_ code: String, _ id: String) {
        guard containedReferences.count < Self.containedReferencesMax,
            !containedReferences.contains(where: { $0.code == code && $0.id == id })
        else { return }
        containedReferences.append((code, id))
    }

    /// Adds the entries of the contained resource that a reference leads to.
    mutating func add(_ inner: [IndexEntry], by reference: String) {
        let base = partsUsed
        for entry in inner {
            let key = SearchParameterKey(
                resourceType, reference: reference, contained: SearchParameterKey(number: entry.parameter))
            let moved = IndexEntry(
                parameter: key.number, part: entry.part == 0 ? 0 : base + entry.part, value: entry.value)
            partsUsed = max(partsUsed, moved.part)
            if seen.insert(moved).inserted { entries.append(moved) }
        }
    }

    private mutating func perform(_ action: IndexPlan.Action, _ value: JSONNode) {
        if reached != nil {
            reached?.append(value.string ?? value.numberText ?? value.bool.map { String($0) } ?? "{}")
            return
        }
        switch action.parameter.type {
        case .composite: composite(action.parameter, value)
        case .token: addTokens(action, value)
        case .string: addStrings(action, value)
        case .date: addDates(action, value)
        case .reference: addReferences(action, value)
        case .quantity, .number: addQuantities(action, value)
        case .uri:
            guard let text = value.string else { return }
            add(action.parameter.value, .uri(IndexEntry.key(text)))
            // A canonical is found with and without its version. FHIR R4 references.html#canonical.
            if action.elementType == "canonical", let bar = text.firstIndex(of: "|") {
                add(action.parameter.value, .uri(IndexEntry.key(String(text[..<bar]))))
            }
        case .special: break
        }
    }

    /// Entries of all components under one part number, or none when a component has no value.
    private mutating func composite(_ parameter: IndexPlan.Parameter, _ value: JSONNode) {
        let before = entries.count
        let outer = part
        partsUsed += 1
        part = partsUsed
        defer { part = outer }
        for component in parameter.components {
            let count = entries.count
            visit(component.isFromRoot ? root : value, 0, component.plan)
            guard entries.count > count else {
                for entry in entries[before...] { seen.remove(entry) }
                entries.removeSubrange(before...)
                return
            }
        }
    }

    /// Adds an entry unless it is there already. A negative key stands for an aspect that is not kept.
    mutating func add(_ parameter: Int64, _ value: IndexEntry.Value) {
        guard parameter >= 0 else { return }
        let entry = IndexEntry(parameter: parameter, part: part, value: value)
        if seen.insert(entry).inserted { entries.append(entry) }
    }
}
