import Access
import FHIRModel
import FHIRSearch
import Synchronization
import Workflow

/// Keeps what is poured.
final class CollectedResources: ResourceSink {
    private let found = Mutex<[[UInt8]]>([])
    private let gone = Mutex<[String]>([])
    func take(_ bytes: UnsafeRawBufferPointer) throws { found.withLock { $0.append(Array(bytes)) } }
    func takeDeletion(of id: String) throws { gone.withLock { $0.append(id) } }
    var all: [[UInt8]] { found.withLock { $0 } }
    /// Logical ids.
    var deleted: [String] { gone.withLock { $0 } }
}

/// Looks at what resources of an export refer to, as of its snapshot and with the rights of its kick-off: what the client may
/// not read is not there. Resources are named `Type/id`.
struct ExportLookup {
    let job: ExportJob
    let scope: ExportScope
    let store: any ResourceStore
    let access: AccessContext

    /// Resources in one condition.
    private static let idsMax = 500
    /// Versions that are looked at for what a deletion deleted.
    private static let versionsMax: Int64 = 20

    static func type(_ target: String) -> String { String(target.prefix { $0 != "/" }) }

    /// The name of what a reference to this server's refers to, without its version; nil for others.
    func target(_ reference: String) -> String? {
        guard case .relative(let type, let id, _) = Reference(reference).relative(to: scope.baseURL) else { return nil }
        return "\(type)/\(id)"
    }

    /// What a deletion deleted: the last content that there was at the snapshot; nil where that is not to be had any more.
    func deleted(_ type: String, _ id: String) async throws -> [UInt8]? {
        guard let current = try await store.read(type, id, access: access) else { return nil }
        for version in stride(from: current.version, to: max(0, current.version - Self.versionsMax), by: -1) {
            let found = try await store.read(type, id, version: version, access: access)
            if let found, !found.isDeleted, found.sequence <= job.snapshot { return found.bytes }
        }
        return nil
    }

    /// Which of these are of the patients whose data it is, whatever else is asked of their types.
    /// - Parameter each: told each of them with its content.
    func owned(
        among targets: Set<String>, each: (String, JSONDocument) -> Void = { _, _ in }
    ) async throws -> Set<String> {
        let types = Set(targets.map(Self.type)).filter { scope.ofPatients($0, among: []) != nil }
        return try await found(
            among: targets, of: types.sorted(),
            { type, ids in
                ResourceScan(type: type, snapshot: job.snapshot, filter: scope.ofPatients(type, among: ids))
            }, each: each)
    }

    /// Which of these a scan finds.
    /// - Parameters:
    ///   - types: that are looked for.
    ///   - scan: of a type and some logical ids.
    ///   - each: told each that is found with its content.
    func found(
        among targets: Set<String>, of types: [String], _ scan: (String, [String]) throws -> ResourceScan,
        each: (String, JSONDocument) -> Void = { _, _ in }
    ) async throws -> Set<String> {
        var found: Set<String> = []
        let byType = Dictionary(grouping: targets, by: Self.type)
        for type in types {
            let ids = (byType[type] ?? []).map { String($0.dropFirst(type.count + 1)) }.sorted()
            for start in stride(from: 0, to: ids.count, by: Self.idsMax) {
                let part = Array(ids[start..<min(start + Self.idsMax, ids.count)])
                try await self.each(try scan(type, part)) { bytes in
                    guard let document = try? JSONDocument(parsing: bytes, limits: .stored),
                        let id = document["id"]?.string
                    else { return }
                    found.insert("\(type)/\(id)")
                    each("\(type)/\(id)", document)
                }
            }
        }
        return found
    }

    /// All that a scan finds, as stored.
    func each(_ scan: ResourceScan, _ body: ([UInt8]) throws -> Void) async throws {
        var place: Int64? = 0
        while let from = place {
            let sink = CollectedResources()
            place = try await store.pour(scan, after: from, through: .max, access: access, into: sink)
            for bytes in sink.all { try body(bytes) }
        }
    }
}
