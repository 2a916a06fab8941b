import FHIRResources
import Synchronization

/// Current versions of resources that were read lately, so that a read by id need not ask the database.
///
/// Never older than the last acknowledged commit: the writer removes what a commit changes before and after it, and a
/// version read from the database is taken only if no commit has changed anything since the reading began. Bounded by
/// bytes: at most `2 * generationBytesMax`.
final class ResourceCache: Sendable {
    /// A resource by type and logical id.
    struct Name: Hashable, Sendable {
        let type: String
        let id: String
    }

    /// Bytes of the newest generation before the older one is forgotten.
    static let generationBytesMax = 8 << 20
    /// Larger bodies are not kept.
    static let bodyBytesMax = 64 << 10
    /// What an entry costs beside its body, about.
    private static let entryBytes = 256

    private struct State {
        var resources = Generations<Name, RememberedResource>(costMax: generationBytesMax) {
            $0.resource.bytes.count + ResourceCache.entryBytes
        }
        /// Rises with each removal.
        var epoch: UInt64 = 0
        /// How often another process was found to have written.
        var strangers: UInt64 = 0
    }

    private let state = Mutex(State())

    func find(_ name: Name) -> RememberedResource? { state.withLock { $0.resources.find(name) } }

    /// To be asked before the database is read, for `keep`.
    var epoch: UInt64 { state.withLock { $0.epoch } }

    /// How often another process was found to have written: what else is remembered of the database is old then.
    var strangers: UInt64 { state.withLock { $0.strangers } }

    /// Takes the current version that a read begun at `epoch` has found.
    func keep(_ resource: StoredResource, readAt epoch: UInt64) {
        guard resource.bytes.count <= Self.bodyBytesMax else { return }
        // Each read from memory tells the audit trail whom it was of: that is looked for once.
        let remembered = RememberedResource(resource, patientID: PatientOfRecord.id(resource))
        state.withLock { state in
            if state.epoch == epoch { state.resources.put(remembered, Name(type: resource.type, id: resource.id)) }
        }
    }

    /// Removes what a commit is about to change, or has changed.
    func remove(_ names: Set<Name>) {
        state.withLock { state in
            state.epoch += 1
            for name in names { state.resources.remove(name) }
        }
    }

    /// Removes everything: somebody else has written.
    func removeAll() {
        state.withLock { state in
            state.epoch += 1
            state.strangers += 1
            state.resources.removeAll()
        }
    }
}
