import Access
import FHIRModel
import FHIRSearch
import Workflow

/// Who is in a Group now: its patients, and those of the groups in it. FHIR R4 group.html.
///
/// Members that are marked inactive, whose period is over or has not begun, or who are no patients of this server are left
/// out.
package struct GroupMembers {
    /// Patients, and groups, that one export looks at.
    private static let patientsMax = 100_000
    private static let groupsMax = 100

    private let store: any ResourceStore
    private let access: AccessContext
    /// As of which they are members.
    private let time: UTCInstant
    private let baseURL: String

    /// - Parameter baseURL: the server's own address, by which absolute references are known as its own.
    package init(store: any ResourceStore, access: AccessContext, at time: UTCInstant, baseURL: String) {
        self.store = store
        self.access = access
        self.time = time
        self.baseURL = baseURL
    }

    /// Logical ids, each once, in the order of the members. Throws ``InteractionError`` `.notFound` for a group that is
    /// not there or not visible, `.unsupported` for one that is too large, or described by what is not understood, and
    /// `.forbidden` where its description asks for what the caller may not see whole; `StoreError(.costly)` where whom it
    /// describes takes more to find than a search may.
    package func patients(of id: String) async throws -> [String] {
        var patients: [String] = []
        var (known, seen): (Set<String>, Set<String>) = ([], [id])
        var groups = [id]
        while let next = groups.popLast() {
            guard let stored = try await store.read("Group", next, access: access), !stored.isDeleted else {
                if next != id { continue }
                throw InteractionError(.notFound, "there is no such Group")
            }
            let group = JSONValue(try JSONDocument(parsing: stored.bytes, limits: .stored))
            let members = group["member"]?.array ?? []
            // One that lists nobody describes its members.
            if members.isEmpty, group["actual"]?.bool == false {
                let characteristics = try GroupCharacteristics(group, at: time)
                for patient in try await described(characteristics) where known.insert(patient).inserted {
                    patients.append(patient)
                }
            }
            for member in members where isActive(member) {
                switch Reference(member["entity"]?["reference"]?.string ?? "").relative(to: baseURL) {
                case .relative("Patient", let patient, _) where known.insert(patient).inserted:
                    patients.append(patient)
                case .relative("Group", let inner, _) where seen.insert(inner).inserted: groups.append(inner)
                default: break
                }
            }
            guard patients.count <= Self.patientsMax, seen.count <= Self.groupsMax else {
                throw InteractionError(
                    .unsupported,
                    "a Group of more than \(Self.patientsMax) patients or \(Self.groupsMax) groups is not exported")
            }
        }
        return patients
    }

    /// Whom a Group's characteristics fit.
    private func described(_ characteristics: GroupCharacteristics) async throws -> [String] {
        // What one may not see of a condition would make others members, or none.
        for type in characteristics.types {
            guard access.visibility(.search, of: type).isWhole else {
                throw InteractionError(.forbidden, "no scope to find whom the Group describes: it asks for \(type)")
            }
        }
        let parser = SearchQueryParser(baseURL: baseURL, now: time.microseconds, zone: store.zone)
        let included = try await patients(characteristics.included, parser)
        var excluded: Set<String> = []
        for one in characteristics.excluded { excluded.formUnion(try await patients([one], parser)) }
        return included.filter { !excluded.contains($0) }
    }

    private func patients(
        _ conditions: [GroupCharacteristics.Condition], _ parser: SearchQueryParser
    ) async throws -> [String] {
        var query = try parser.parse("Patient", conditions.flatMap(\.parameters))
        (query.count, query.total) = (1_000, TotalMode.none)
        var found: [String] = []
        var token: String?
        repeat {
            // A search, as the client waits for it: with its turn and its limits.
            let page = try await store.search(query, token: token, access: access)
            found += page.matches.map(\.id)
            guard found.count <= Self.patientsMax else {
                throw InteractionError(
                    .unsupported, "a Group of more than \(Self.patientsMax) patients is not exported")
            }
            token = page.nextToken
        } while token != nil
        return found
    }

    private func isActive(_ member: JSONValue) -> Bool {
        if member["inactive"]?.bool == true { return false }
        func range(_ name: String) -> DateTimeRange? {
            (member["period"]?[name]?.string).flatMap { FHIRDateTime($0, as: .dateTime)?.range(zone: store.zone) }
        }
        if let start = range("start"), start.lower > time.microseconds { return false }
        if let end = range("end"), end.upper <= time.microseconds { return false }
        return true
    }
}
