import Access
import FHIRResources
import Synchronization

/// Current versions of resources that were read lately, so that a read by id need not ask the database.
///
/// Never older than the last acknowledged commit: the writer removes what a commit changes before and after it, and a
/// version read from the database is taken only if no commit has changed anything since the reading began. Bounded by
/// bytes: at most `2 * generationBytesMax`.
///
/// Who may read the whole type is given all that is here. Who may see a part of it is given what the database has shown
/// of this very version to somebody who may see the same part, where that is told by the version alone.
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

    /// Parts of the type that a version was found in, the latest last: few ask for one resource by id.
    static let partsMax = 4

    private struct Entry {
        let remembered: RememberedResource
        var parts: [Visibility] = []
    }

    private struct State {
        var resources = Generations<Name, Entry>(costMax: generationBytesMax) {
            $0.remembered.resource.bytes.count + ResourceCache.entryBytes * (1 + $0.parts.count)
        }
        /// Rises with each removal.
        var epoch: UInt64 = 0
        /// How often another process was found to have written.
        var strangers: UInt64 = 0
    }

    private let state = Mutex(State())

    /// - Parameter visibility: what may be read of the type.
    func find(_ name: Name, in visibility: Visibility = .whole) -> RememberedResource? {
        guard visibility.asksVersionsAlone, let entry = state.withLock({ $0.resources.find(name) }) else { return nil }
        return visibility.isWhole || entry.parts.contains(visibility) ? entry.remembered : nil
    }

    /// To be asked before the database is read, for `keep`.
    var epoch: UInt64 { state.withLock { $0.epoch } }

    /// How often another process was found to have written: what else is remembered of the database is old then.
    var strangers: UInt64 { state.withLock { $0.strangers } }

    /// Takes the current version that a read begun at `epoch` has found.
    ///
    /// A deletion that a part of the type shows is not kept: what it deleted may be forgotten, and then it is not seen.
    func keep(_ resource: StoredResource, readAt epoch: UInt64, in visibility: Visibility = .whole) {
        guard resource.bytes.count <= Self.bodyBytesMax, visibility.asksVersionsAlone,
            visibility.isWhole || !resource.isDeleted
        else { return }
        let name = Name(type: resource.type, id: resource.id)
        // Each read from memory tells the audit trail whom it was of: that is looked for once.
        let remembered = RememberedResource(resource, patientID: PatientOfRecord.id(resource))
        state.withLock { state in
            guard state.epoch == epoch else { return }
            var entry = Entry(remembered: remembered)
            if let known = state.resources.find(name), known.remembered.resource.version == resource.version {
                entry.parts = known.parts
            }
            if !visibility.isWhole, !entry.parts.contains(visibility) {
                entry.parts = entry.parts.suffix(Self.partsMax - 1) + [visibility]
            }
            state.resources.put(entry, name)
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
