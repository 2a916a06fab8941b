import Access
import FHIRModel
import FHIRSearch
import Workflow

/// The Provenance of what an export holds, whenever it was recorded: all of it, or of each resource the last. Where the client
/// asks for neither, that of all that is in the compartments of the patients whose data it is, between the dates of the
/// export as any other type, with what was deleted. FHIR Bulk Data Access 2.0 §includeAssociatedData.
///
/// What an export of patients holds because others refer to it has none; and of what tells of a resource of a patient whose
/// data it is not, nothing is told.
struct ProvenanceSelection {
    let job: ExportJob
    let scope: ExportScope
    let store: any ResourceStore
    let access: AccessContext

    /// Resources in one condition where what is about them is asked for: the store reads a short list of it, and walks all for a long one.
    private static let targetsMax = 100

    private var lookup: ExportLookup { ExportLookup(job: job, scope: scope, store: store, access: access) }

    /// Whether the client asked for neither: the rule of Bulk Data 2.0 for that.
    private var isByDefault: Bool { (job.selection?.associated ?? []).isEmpty }

    /// One Provenance as it is read.
    private struct Record {
        let id: String
        let bytes: [UInt8]
        /// `Type/id` each.
        let targets: [String]
        /// Microseconds since 1970; the least where it does not say.
        let recorded: Int64

        init?(_ bytes: [UInt8], _ zone: LocalZone) {
            guard let document = try? JSONDocument(parsing: bytes, limits: .stored) else { return nil }
            let value = JSONValue(document)
            id = value["id"]?.string ?? ""
            targets = (value["target"]?.array ?? []).compactMap { $0["reference"]?.string }
            recorded =
                (value["recorded"]?.string).flatMap { FHIRDateTime($0, as: .instant) }?.range(zone: zone).lower ?? .min
            self.bytes = bytes
        }
    }

    /// Writes what one read of the store gives.
    /// - Returns: the key from which it goes on; nil at the end of the range.
    func write(after: Int64, through: Int64, into writer: ExportFileWriter) async throws -> Int64? {
        let sink = CollectedResources()
        var scan = ResourceScan(type: "Provenance", snapshot: job.snapshot, filter: try scope.asked("Provenance"))
        if isByDefault { (scan.since, scan.until) = (job.since, job.until) }
        let next = try await store.pour(scan, after: after, through: through, access: access, into: sink)
        let records = sink.all.compactMap { Record($0, store.zone) }
        var deleted: [Record] = []
        for id in sink.deleted {
            if let record = try await lookup.deleted("Provenance", id).flatMap({ Record($0, store.zone) }) {
                deleted.append(record)
            }
        }
        let targets = Set((records + deleted).flatMap { $0.targets.compactMap(lookup.target) })
        let owned = isByDefault || !scope.isOfEverybody ? try await lookup.owned(among: targets) : []
        let exported = isByDefault ? owned : try await exported(among: targets)
        let foreign = try await foreign(among: targets, besides: owned)
        let isLatest = !isByDefault && job.selection?.associated?.contains(.relevantProvenance) == false
        let latest = isLatest ? try await latest(of: exported) : [:]
        for record in records {
            let local = record.targets.compactMap(lookup.target)
            let own = local.filter(exported.contains)
            guard !local.contains(where: foreign.contains),
                isLatest ? own.contains(where: { latest[$0]?.id == record.id }) : !own.isEmpty
            else { continue }
            try record.bytes.withUnsafeBytes { try writer.take($0) }
        }
        for record in deleted {
            let local = record.targets.compactMap(lookup.target)
            guard local.contains(where: { owned.contains($0) || mayHaveBeenOwned($0) }),
                !local.contains(where: foreign.contains)
            else { continue }
            try writer.takeDeletion(of: record.id)
        }
        return next
    }

    /// Whether a resource that may be gone is told of: where every patient's is, one of a type that is a patient's.
    private func mayHaveBeenOwned(_ target: String) -> Bool {
        scope.isOfEverybody && scope.ofPatients(ExportLookup.type(target), among: []) != nil
    }

    /// Which of these the export holds.
    private func exported(among targets: Set<String>) async throws -> Set<String> {
        let types = job.types.filter { $0 != "Provenance" && !scope.isOutside($0) }
        return try await lookup.found(among: targets, of: types) { type, ids in
            ResourceScan(
                type: type, snapshot: job.snapshot, since: job.since, until: job.until,
                filter: try scope.filter(type, narrowedTo: ids))
        }
    }

    /// Which of these are some patient's, but of none whose data it is.
    private func foreign(among targets: Set<String>, besides owned: Set<String>) async throws -> Set<String> {
        if scope.isOfEverybody { return [] }
        let others = targets.subtracting(owned)
        let types = Set(others.map(ExportLookup.type)).filter { scope.ofAnybody($0, among: []) != nil }
        return try await lookup.found(among: others, of: types.sorted()) { type, ids in
            ResourceScan(type: type, snapshot: job.snapshot, filter: scope.ofAnybody(type, among: ids))
        }
    }

    /// Of each resource the Provenance that was recorded last; of several, the one whose id comes last.
    private func latest(of targets: Set<String>) async throws -> [String: (id: String, recorded: Int64)] {
        var latest: [String: (id: String, recorded: Int64)] = [:]
        let all = targets.sorted()
        for start in stride(from: 0, to: all.count, by: Self.targetsMax) {
            let part = Array(all[start..<min(start + Self.targetsMax, all.count)])
            var scan = ResourceScan(type: "Provenance", snapshot: job.snapshot)
            scan.filter = try scope.provenance(of: part)
            try await lookup.each(scan) { bytes in
                guard let record = Record(bytes, store.zone) else { return }
                for own in record.targets.compactMap(lookup.target) where targets.contains(own) {
                    if let known = latest[own], (known.recorded, known.id) > (record.recorded, record.id) { continue }
                    latest[own] = (record.id, record.recorded)
                }
            }
        }
        return latest
    }
}
