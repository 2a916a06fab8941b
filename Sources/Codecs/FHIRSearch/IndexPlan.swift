import FHIRModel

/// The search parameters of one resource type as a tree of JSON members, so that one walk over a resource serves all.
struct IndexPlan: Sendable {
    /// A member to follow.
    struct Edge: Sendable {
        let name: [UInt8]
        let filters: [SearchExpression.Filter]
        /// Only this element of an array.
        let position: Int?
        let node: Int
    }

    struct Node: Sendable {
        var edges: [Edge] = []
        var actions: [Action] = []
    }

    /// What to do with a value that was reached.
    struct Action: Sendable {
        let parameter: Parameter
        /// The value's FHIR type, such as `CodeableConcept`.
        let elementType: String
        /// The code system that a `code` implies by its binding; nil where that is not one. FHIR R4 search.html#token.
        let codeSystem: String?
    }

    /// A parameter, or a component of a composite, with its keys.
    struct Parameter: Sendable {
        let type: SearchParameterDefinition.ParameterType
        let value: Int64
        let text: Int64
        let identifier: Int64
        let ofType: Int64
        let word: Int64
        let day: Int64
        /// The name in a URL; of a component, of the composite.
        let code: String
        let components: [Component]
    }

    struct Component: Sendable {
        let plan: IndexPlan
        /// Reads from the root of the resource instead of the selected element.
        let isFromRoot: Bool
    }

    /// A boolean made of several paths; only `Patient.deceased` in R4.
    struct Truth: Sendable {
        struct Term: Sendable {
            let plan: IndexPlan
            let test: SearchExpression.Term.Test
        }
        let parameter: Parameter
        let terms: [Term]
    }

    /// The tree; the first node is the focus itself.
    var nodes: [Node] = [Node()]
    var truths: [Truth] = []
}

/// A parameter that the indexer makes no entries for.
package struct UnsupportedSearchParameter: Sendable, Hashable {
    package let resourceType: String
    package let code: String
    package let reason: String
}

/// Makes the plan of one resource type from the definitions.
struct IndexPlanBuilder {
    let definitions: FHIRDefinitions
    let resourceType: String
    private(set) var unsupported: [UnsupportedSearchParameter] = []

    init(_ definitions: FHIRDefinitions, _ resourceType: String) {
        self.definitions = definitions
        self.resourceType = resourceType
    }

    mutating func plan() -> IndexPlan {
        var plan = IndexPlan()
        for definition in definitions.searchParameters(for: resourceType) {
            // Columns of the stored resource hold these two.
            if definition.code == "_id" || definition.code == "_lastUpdated" { continue }
            do throws(PathProblem) {
                guard definition.isIndexed else {
                    throw PathProblem(definition.type == .special ? "special" : "no expression")
                }
                let parameter = try parameter(definition)
                try add(definition.expression, parameter, focus: resourceType, to: &plan)
            } catch {
                unsupported.append(
                    UnsupportedSearchParameter(resourceType: resourceType, code: definition.code, reason: error.text))
            }
        }
        return plan
    }

    private struct PathProblem: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    private func parsed(_ expression: String) throws(PathProblem) -> [SearchExpression.Alternative] {
        do throws(SearchExpressionError) {
            return try SearchExpression(parsing: expression).alternatives
        } catch {
            throw PathProblem("\(error.reason.rawValue) at \(error.offset)")
        }
    }

    // MARK: Parameters

    private func parameter(_ definition: SearchParameterDefinition) throws(PathProblem) -> IndexPlan.Parameter {
        var components: [IndexPlan.Component] = []
        if definition.type == .composite {
            var focuses: [String] = []
            for alternative in try parsed(definition.expression) {
                guard case .steps(let steps) = alternative else { throw PathProblem("boolean composite") }
                focuses += try ends(of: steps, focus: resourceType).map(\.type)
            }
            for (position, part) in definition.components.enumerated() {
                components.append(try component(part, position, of: definition, focuses: focuses))
            }
            guard !components.isEmpty else { throw PathProblem("composite without components") }
        }
        func key(_ aspect: SearchParameterKey.Aspect) -> Int64 {
            SearchParameterKey(resourceType, definition.code, aspect).number
        }
        return IndexPlan.Parameter(
            type: definition.type, value: key(.value), text: key(.text), identifier: key(.identifier),
            ofType: key(.ofType), word: key(.word), day: key(.day), code: definition.code, components: components)
    }

    private func component(
        _ part: SearchParameterDefinition.Component, _ position: Int, of definition: SearchParameterDefinition,
        focuses: [String]
    ) throws(PathProblem) -> IndexPlan.Component {
        guard let target = definitions.searchParameter(part.code, for: resourceType), target.type != .composite else {
            throw PathProblem("component \(part.code) is unknown")
        }
        let key = SearchParameterKey(resourceType, definition.code, .component(position)).number
        let parameter = IndexPlan.Parameter(
            type: target.type, value: key, text: -1, identifier: -1, ofType: -1, word: -1, day: -1,
            code: definition.code,
            components: [])
        let isFromRoot = part.expression.hasPrefix("%resource")
        var plan = IndexPlan()
        // A composite may select elements of several types; a component path need only exist on one of them.
        var problem: PathProblem?
        var isFound = false
        for focus in isFromRoot ? [resourceType] : focuses {
            do throws(PathProblem) {
                try add(part.expression, parameter, focus: focus, to: &plan)
                isFound = true
            } catch {
                problem = error
            }
        }
        if !isFound { throw problem ?? PathProblem("component \(part.code) has no path") }
        return IndexPlan.Component(plan: plan, isFromRoot: isFromRoot)
    }

    // MARK: Paths

    private func add(
        _ expression: String, _ parameter: IndexPlan.Parameter, focus: String, to plan: inout IndexPlan
    ) throws(PathProblem) {
        for alternative in try parsed(expression) {
            switch alternative {
            case .steps(let steps): try add(steps, parameter, focus: focus, to: &plan)
            case .truth(let terms):
                var compiled: [IndexPlan.Truth.Term] = []
                for term in terms {
                    var termPlan = IndexPlan()
                    try add(term.steps, parameter, focus: focus, to: &termPlan)
                    compiled.append(IndexPlan.Truth.Term(plan: termPlan, test: term.test))
                }
                plan.truths.append(IndexPlan.Truth(parameter: parameter, terms: compiled))
            }
        }
    }

    private func add(
        _ steps: [SearchExpression.Step], _ parameter: IndexPlan.Parameter, focus: String, to plan: inout IndexPlan
    ) throws(PathProblem) {
        for end in try ends(of: steps, focus: focus) {
            var node = 0
            for link in end.links { node = follow(link, from: node, in: &plan) }
            plan.nodes[node].actions.append(
                IndexPlan.Action(parameter: parameter, elementType: end.type, codeSystem: end.codeSystem))
        }
    }

    /// One JSON member on the way.
    private struct Link {
        var name: String
        var filters: [SearchExpression.Filter] = []
        var position: Int?
    }

    /// One way from the focus to values of one type.
    private struct End {
        var links: [Link] = []
        var type: String
        var codeSystem: String?
    }

    private func follow(_ link: Link, from node: Int, in plan: inout IndexPlan) -> Int {
        let name = Array(link.name.utf8)
        for edge in plan.nodes[node].edges
        where edge.name == name && edge.filters == link.filters && edge.position == link.position {
            return edge.node
        }
        plan.nodes.append(IndexPlan.Node())
        let next = plan.nodes.count - 1
        plan.nodes[node].edges.append(
            IndexPlan.Edge(name: name, filters: link.filters, position: link.position, node: next))
        return next
    }

    /// Resolves names to JSON members and types; a choice gives one way for each of its types.
    private func ends(of steps: [SearchExpression.Step], focus: String) throws(PathProblem) -> [End] {
        var ends = [End(type: focus)]
        for (number, step) in steps.enumerated() {
            switch step {
            case .element(let name):
                if number == 0, name == focus || name == "Resource" || name == "DomainResource" { continue }
                ends = ends.flatMap { children(name, of: $0) }
                guard !ends.isEmpty else { throw PathProblem("no element \(name)") }
            case .resource:
                guard number == 0 else { throw PathProblem("%resource inside a path") }
                ends = [End(type: resourceType)]
            case .ofType(let type):
                // One official expression writes DateTime for dateTime.
                ends = ends.filter { $0.type.lowercased() == type.lowercased() }
                guard !ends.isEmpty else { throw PathProblem("no \(type) here") }
            case .index(let position):
                for i in ends.indices where !ends[i].links.isEmpty {
                    ends[i].links[ends[i].links.count - 1].position = position
                }
            case .filter(let filter):
                for i in ends.indices where !ends[i].links.isEmpty {
                    ends[i].links[ends[i].links.count - 1].filters.append(filter)
                }
            }
        }
        // An extension stands for its value.
        if ends.contains(where: { $0.type == "Extension" }) {
            ends = ends.flatMap { $0.type == "Extension" ? children("value", of: $0) : [$0] }
        }
        return ends
    }

    private func children(_ name: String, of end: End) -> [End] {
        guard let element = definitions.type(named: end.type)?.element(name) else { return [] }
        let names = element.types.first?.name == "*" ? Self.openChoiceTypes : element.types.map(\.name)
        guard element.isChoice else {
            guard let type = names.first else { return [] }
            return [
                End(
                    links: end.links + [Link(name: name)], type: type,
                    codeSystem: element.boundValueSet.flatMap { definitions.codeSystem(ofValueSet: $0) })
            ]
        }
        return names.map { type in
            End(links: end.links + [Link(name: name + type.prefix(1).uppercased() + type.dropFirst())], type: type)
        }
    }

    /// The types of an open choice that any parameter type reads. FHIR R4 datatypes.html#open.
    private static let openChoiceTypes = [
        "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer", "markdown", "oid",
        "positiveInt", "string", "unsignedInt", "uri", "url", "uuid", "Address", "Age", "CodeableConcept", "Coding",
        "ContactPoint", "Duration", "HumanName", "Identifier", "Money", "Period", "Quantity", "Range", "Reference",
        "Timing",
    ]
}
