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
    private let snapshot: (sequence: Int64, time: UTCInstant)
    private let baseURL: String

    /// - Parameter baseURL: the server's own address, by which absolute references are known as its own.
    package init(
        store: any ResourceStore, access: AccessContext, snapshot: (sequence: Int64, time: UTCInstant), baseURL: String
    ) {
        self.store = store
        self.access = access
        self.snapshot = snapshot
        self.baseURL = baseURL
    }

    /// Logical ids, each once, in the order of the members. Throws ``InteractionError`` `.notFound` for a group that is
    /// not there or not visible, `.unsupported` for one that is too large, or described by what is not understood, and
    /// `.forbidden` where its description asks for what the caller may not see whole.
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
                let characteristics = try GroupCharacteristics(group, at: snapshot.time)
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

    /// Whom a Group's characteristics fit as of the snapshot.
    private func described(_ characteristics: GroupCharacteristics) async throws -> [String] {
        // What one may not see of a condition would make others members, or none.
        for type in characteristics.types {
            guard access.visibility(.search, of: type).isWhole else {
                throw InteractionError(.forbidden, "no scope to find whom the Group describes: it asks for \(type)")
            }
        }
        let parser = SearchQueryParser(baseURL: baseURL, now: snapshot.time.microseconds, zone: store.zone)
        let included = try await patients(characteristics.included, parser)
        var excluded: Set<String> = []
        for one in characteristics.excluded { excluded.formUnion(try await patients([one], parser)) }
        return included.filter { !excluded.contains($0) }
    }

    private func patients(
        _ conditions: [GroupCharacteristics.Condition], _ parser: SearchQueryParser
    ) async throws -> [String] {
        let query = try parser.parse("Patient", conditions.flatMap(\.parameters))
        var found: [String] = []
        var after: Int64?
        repeat {
            let page = try await store.scan(
                "Patient", snapshot: snapshot.sequence, since: nil, until: nil, matching: .allOf(query.filters),
                after: after, limit: 1_000, access: access)
            found += page.resources.filter { !$0.isDeleted }.map(\.id)
            guard found.count <= Self.patientsMax else {
                throw InteractionError(
                    .unsupported, "a Group of more than \(Self.patientsMax) patients is not exported")
            }
            after = page.next
        } while after != nil
        return found
    }

    private func isActive(_ member: JSONValue) -> Bool {
        if member["inactive"]?.bool == true { return false }
        func time(_ name: String) -> DateTimeRange? {
            (member["period"]?[name]?.string).flatMap { FHIRDateTime($0, as: .dateTime)?.range(zone: store.zone) }
        }
        if let start = time("start"), start.lower > snapshot.time.microseconds { return false }
        if let end = time("end"), end.upper <= snapshot.time.microseconds { return false }
        return true
    }
}
