import Access
import FHIRModel
import FHIRResources
import Workflow

/// Who is in a Group now: its patients, and those of the groups in it. FHIR R4 group.html.
///
/// Members that are marked inactive, whose period is over or has not begun, or who are no patients of this server are left
/// out.
struct GroupMembers {
    /// Patients, and groups, that one export looks at.
    private static let patientsMax = 100_000
    private static let groupsMax = 100

    let store: any ResourceStore
    let access: AccessContext
    let now: UTCInstant
    let baseURL: String

    /// Logical ids, each once, in the order of the members. Throws ``InteractionError`` `.notFound` for a group that is
    /// not there or not visible, `.unsupported` for one that is described and not listed, or too large.
    func patients(of id: String) async throws -> [String] {
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
            if next == id, members.isEmpty, group["actual"]?.bool == false {
                throw InteractionError(
                    .unsupported, "the Group describes its members by characteristics; only listed ones are exported")
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

    private func isActive(_ member: JSONValue) -> Bool {
        if member["inactive"]?.bool == true { return false }
        func time(_ name: String) -> DateTimeRange? {
            (member["period"]?[name]?.string).flatMap { FHIRDateTime($0, as: .dateTime)?.range(zone: store.zone) }
        }
        if let start = time("start"), start.lower > now.microseconds { return false }
        if let end = time("end"), end.upper <= now.microseconds { return false }
        return true
    }
}
