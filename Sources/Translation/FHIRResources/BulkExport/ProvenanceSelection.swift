import Access
import FHIRModel
import FHIRSearch
import Synchronization
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

    /// Resources in one condition.
    private static let idsMax = 500
    /// The same where what is about them is asked for: the store reads a short list of it, and walks all for a long one.
    private static let targetsMax = 100

    /// Versions that are looked at for what a deletion deleted.
    private static let versionsMax: Int64 = 20

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

    /// Keeps what is poured.
    private final class Collected: ResourceSink {
        private let found = Mutex<[[UInt8]]>([])
        private let gone = Mutex<[String]>([])
        func take(_ bytes: UnsafeRawBufferPointer) throws { found.withLock { $0.append(Array(bytes)) } }
        func takeDeletion(of id: String) throws { gone.withLock { $0.append(id) } }
        var all: [[UInt8]] { found.withLock { $0 } }
        /// Logical ids.
        var deleted: [String] { gone.withLock { $0 } }
    }

    /// Writes what one read of the store gives.
    /// - Returns: the key from which it goes on; nil at the end of the range.
    func write(after: Int64, through: Int64, into writer: ExportFileWriter) async throws -> Int64? {
        let sink = Collected()
        var scan = ResourceScan(type: "Provenance", snapshot: job.snapshot, filter: try scope.asked("Provenance"))
        if isByDefault { (scan.since, scan.until) = (job.since, job.until) }
        let next = try await store.pour(scan, after: after, through: through, access: access, into: sink)
        let records = sink.all.compactMap { Record($0, store.zone) }
        var deleted: [Record] = []
        for id in sink.deleted { if let record = try await self.deleted(id) { deleted.append(record) } }
        let targets = Set((records + deleted).flatMap { $0.targets.compactMap(target) })
        let owned = isByDefault || !scope.isOfEverybody ? try await owned(among: targets) : []
        let exported = isByDefault ? owned : try await exported(among: targets)
        let foreign = try await foreign(among: targets, besides: owned)
        let isLatest = !isByDefault && job.selection?.associated?.contains(.relevantProvenance) == false
        let latest = isLatest ? try await latest(of: exported) : [:]
        for record in records {
            let local = record.targets.compactMap(target)
            let own = local.filter(exported.contains)
            guard !local.contains(where: foreign.contains),
                isLatest ? own.contains(where: { latest[$0]?.id == record.id }) : !own.isEmpty
            else { continue }
            try record.bytes.withUnsafeBytes { try writer.take($0) }
        }
        for record in deleted {
            let local = record.targets.compactMap(target)
            guard local.contains(where: { owned.contains($0) || mayHaveBeenOwned($0) }),
                !local.contains(where: foreign.contains)
            else { continue }
            try writer.takeDeletion(of: record.id)
        }
        return next
    }

    /// What a deletion deleted: the last content that there was at the snapshot; nil where that is not to be had any more.
    private func deleted(_ id: String) async throws -> Record? {
        guard let current = try await store.read("Provenance", id, access: access) else { return nil }
        for version in stride(from: current.version, to: max(0, current.version - Self.versionsMax), by: -1) {
            let found = try await store.read("Provenance", id, version: version, access: access)
            if let found, !found.isDeleted, found.sequence <= job.snapshot { return Record(found.bytes, store.zone) }
        }
        return nil
    }

    /// Whether a resource that may be gone is told of: where every patient's is, one of a type that is a patient's.
    private func mayHaveBeenOwned(_ target: String) -> Bool {
        scope.isOfEverybody && scope.ofPatients(Self.type(target), among: []) != nil
    }

    /// `Type/id` of a reference to this server's; nil for others.
    private func target(_ reference: String) -> String? {
        guard case .relative(let type, let id, _) = Reference(reference).relative(to: scope.baseURL) else { return nil }
        return "\(type)/\(id)"
    }

    /// Which of these the export holds.
    private func exported(among targets: Set<String>) async throws -> Set<String> {
        let types = job.types.filter { $0 != "Provenance" && !scope.isOutside($0) }
        return try await found(among: targets, of: types) { type, ids in
            ResourceScan(
                type: type, snapshot: job.snapshot, since: job.since, until: job.until,
                filter: try scope.filter(type, narrowedTo: ids))
        }
    }

    /// Which of these are of the patients whose data it is, whatever else is asked of their types.
    private func owned(among targets: Set<String>) async throws -> Set<String> {
        let types = Set(targets.map(Self.type)).filter { scope.ofPatients($0, among: []) != nil }
        return try await found(among: targets, of: types.sorted()) { type, ids in
            ResourceScan(type: type, snapshot: job.snapshot, filter: scope.ofPatients(type, among: ids))
        }
    }

    /// Which of these are some patient's, but of none whose data it is.
    private func foreign(among targets: Set<String>, besides owned: Set<String>) async throws -> Set<String> {
        if scope.isOfEverybody { return [] }
        let others = targets.subtracting(owned)
        let types = Set(others.map(Self.type)).filter { scope.ofAnybody($0, among: []) != nil }
        return try await found(among: others, of: types.sorted()) { type, ids in
            ResourceScan(type: type, snapshot: job.snapshot, filter: scope.ofAnybody(type, among: ids))
        }
    }

    private static func type(_ target: String) -> String { String(target.prefix { $0 != "/" }) }

    private func found(
        among targets: Set<String>, of types: [String], _ scan: (String, [String]) throws -> ResourceScan
    ) async throws -> Set<String> {
        var found: Set<String> = []
        let byType = Dictionary(grouping: targets, by: Self.type)
        for type in types {
            let ids = (byType[type] ?? []).map { String($0.dropFirst(type.count + 1)) }.sorted()
            for start in stride(from: 0, to: ids.count, by: Self.idsMax) {
                let part = Array(ids[start..<min(start + Self.idsMax, ids.count)])
                try await each(try scan(type, part)) { bytes in
                    let id = (try? JSONDocument(parsing: bytes, limits: .stored))?["id"]?.string
                    if let id { found.insert("\(type)/\(id)") }
                }
            }
        }
        return found
    }

    /// Of each resource the Provenance that was recorded last; of several, the one whose id comes last.
    private func latest(of targets: Set<String>) async throws -> [String: (id: String, recorded: Int64)] {
        var latest: [String: (id: String, recorded: Int64)] = [:]
        let all = targets.sorted()
        for start in stride(from: 0, to: all.count, by: Self.targetsMax) {
            let part = Array(all[start..<min(start + Self.targetsMax, all.count)])
            var scan = ResourceScan(type: "Provenance", snapshot: job.snapshot)
            scan.filter = try scope.provenance(of: part)
            try await each(scan) { bytes in
                guard let record = Record(bytes, store.zone) else { return }
                for own in record.targets.compactMap(target) where targets.contains(own) {
                    if let known = latest[own], (known.recorded, known.id) > (record.recorded, record.id) { continue }
                    latest[own] = (record.id, record.recorded)
                }
            }
        }
        return latest
    }

    private func each(_ scan: ResourceScan, _ body: ([UInt8]) throws -> Void) async throws {
        var place: Int64? = 0
        while let from = place {
            let sink = Collected()
            place = try await store.pour(scan, after: from, through: .max, access: access, into: sink)
            for bytes in sink.all { try body(bytes) }
        }
    }
}
