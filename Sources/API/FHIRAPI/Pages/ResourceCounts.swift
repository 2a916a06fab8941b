import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Synchronization
import Workflow

/// How many resources somebody sees, for pages: searches that ask for a number alone, one after another as far as a few seconds
/// allow, under one row of the audit trail.
///
/// They are searches as all others, with the turns, places and limits of the same caller. Beside that one page of a person
/// counts at a time, and ends with the first search that has to wait for too long.
struct ResourceCounts {
    /// One search and what it gave; nil where it was not asked or not answered in time.
    struct Count {
        let type: String
        /// The reference parameter; nil for all of the type.
        let parameter: String?
        let number: Int?
    }

    /// What is looked for first: what this server works on.
    static let firstTypes = [
        "Patient", "ServiceRequest", "ImagingStudy", "DiagnosticReport", "Observation", "Encounter", "Task",
        "Condition",
        "AllergyIntolerance", "Coverage", "RelatedPerson", "Procedure", "Appointment", "DocumentReference",
        "Practitioner",
        "PractitionerRole", "Organization", "Location", "Device", "Endpoint", "Group", "Media", "Specimen",
        "Provenance",
        "Subscription",
    ]

    /// - Parameters:
    ///   - wanted: in order; the audit trail's own rows are not counted.
    ///   - value: of the parameter, a reference.
    ///   - countedMax: searches at most.
    static func of(
        _ wanted: [(type: String, parameter: String?)], value: String = "", countedMax: Int, _ call: FHIRPageCall
    ) async -> [Count] {
        let numbers = Numbers()
        if call.counting.enter(call.access.principal.id) {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for (index, one) in wanted.prefix(countedMax).enumerated() {
                        guard !Task.isCancelled else { return }
                        do {
                            let found = try await total(one.type, one.parameter, value, call)
                            numbers.note(found, at: index)
                        } catch let error as StoreError
                            where ![.throttled, .unavailable, .closed].contains(error.code)
                        {
                            // One that is too dear is shown without its number.
                            continue
                        } catch { return }
                    }
                }
                group.addTask { try? await Task.sleep(for: .microseconds(call.countingTime)) }
                _ = await group.next()
                group.cancelAll()
            }
            call.counting.leave(call.access.principal.id)
        }
        let found = numbers.all
        return wanted.enumerated().map { Count(type: $1.type, parameter: $1.parameter, number: found[$0]) }
    }

    /// What came of the searches so far, by their places.
    private final class Numbers: Sendable {
        private let found = Mutex<[Int: Int]>([:])
        func note(_ number: Int?, at index: Int) { found.withLock { $0[index] = number } }
        var all: [Int: Int] { found.withLock { $0 } }
    }

    /// Nil for what is no search. Throws what a search throws.
    private static func total(
        _ type: String, _ parameter: String?, _ value: String, _ call: FHIRPageCall
    ) async throws -> Int? {
        let conditions = parameter.map { [SearchQuery.Parameter(name: $0, value: value)] } ?? []
        let parameters = conditions + [.init(name: "_summary", value: "count")]
        guard let query = try? call.service.searchParser.parse(type, parameters) else { return nil }
        return try await call.service.store.search(query, token: nil, access: call.access).total
    }

    /// The row of the audit trail that goes before what the searches gave is shown. Throws what keeps the trail from it.
    static func record(_ query: String, entity: String?, patientID: String?, _ call: FHIRPageCall) async throws {
        try await call.service.audit.require(
            AuditRecord(
                category: .query, interaction: "search-type", action: .execute, outcome: .success, access: call.access,
                entity: entity, patientID: patientID, query: query))
    }
}

/// For whom a page counts now: one page of each at a time, so that whoever opens many of them has one go on counting.
final class CountingPlaces: Sendable {
    private let taken = Mutex<Set<String>>([])

    /// - Parameter id: of the principal.
    /// - Returns: false where another page of theirs counts; ``leave(_:)`` is for who got true.
    func enter(_ id: String) -> Bool { taken.withLock { $0.insert(id).inserted } }

    func leave(_ id: String) { taken.withLock { _ = $0.remove(id) } }
}

/// What refers to a resource: a search by each reference parameter that may point at its type, counted as far as there is
/// time. FHIR R4 search.html#reference.
enum IncomingReferences {
    /// Searches for one page.
    static let countedMax = 48

    static func html(_ type: String, _ id: String, _ call: FHIRPageCall) async throws -> HTML {
        let wanted = parameters(to: type)
        let value = "\(type)/\(id)"
        let counts = await ResourceCounts.of(
            wanted.map { ($0.type, $0.code) }, value: value, countedMax: countedMax, call)
        try await ResourceCounts.record(
            "references to \(value)", entity: value, patientID: FedTypes.patientID(type, id), call)
        let found = counts.filter { ($0.number ?? 0) > 0 }
        let rows = found.map { count -> [HTML] in
            [.text(count.type), .text(count.parameter ?? ""), link(count, value, "\(count.number ?? 0)")]
        }
        let rest = counts.filter { $0.number == nil }
        return .all([
            rows.isEmpty && !rest.isEmpty
                ? .none
                : call.table([.resourceLabel, .referencesInLabel, .countLabel], rows, orElse: .referencesInNone),
            rest.isEmpty
                ? .none
                : .element(
                    "details", [], .element("summary", [], call.text(.referencesUncounted)),
                    .element(
                        "ul", [.init("class", "columns")],
                        rest.map { .element("li", [], link($0, value, "\($0.type) · \($0.parameter ?? "")")) })),
        ])
    }

    private static func link(_ count: ResourceCounts.Count, _ value: String, _ title: String) -> HTML {
        FHIRPageCall.link(FHIRPageCall.path("/fhir/\(count.type)", [(count.parameter ?? "", value)]), title)
    }

    /// The parameters that may point at a type: what belongs to it first, then by what this server works on.
    static func parameters(to type: String) -> [(type: String, code: String)] {
        let definitions = FHIRDefinitions.r4
        let ranks = Dictionary(
            ResourceCounts.firstTypes.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        var found: [(rank: Int, type: String, code: String)] = []
        for source in definitions.resourceTypes where source != "AuditEvent" {
            let own = definitions.searchParameters(for: source).filter {
                $0.type == .reference && ($0.targets.isEmpty || $0.targets.contains(type))
                    && SearchSupport.isSupported($0)
            }
            // Where `patient` may point at the type, it says the same of it as `subject`.
            let hasPatient = own.contains { $0.code == "patient" }
            for parameter in own where !(hasPatient && parameter.code == "subject") {
                let isOwner = ["patient", "subject", "encounter", "based-on"].contains(parameter.code)
                found.append(((isOwner ? 0 : 1000) + (ranks[source] ?? 500), source, parameter.code))
            }
        }
        return found.sorted { ($0.rank, $0.type, $0.code) < ($1.rank, $1.type, $1.code) }.map { ($0.type, $0.code) }
    }
}
