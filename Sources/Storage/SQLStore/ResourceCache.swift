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
/// of this very version to somebody who may see the same part, where that is told by the version alone. Who sees by a
/// practice is given what the database has shown in the same right within the time for which it said so, as long as
/// nothing but rows of the audit trail was written since. Decision 0050.
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
    /// What a sight costs, in entries, about: rules with names of people and labels.
    private static let sightEntries = 8

    /// Parts of the type that a version was found in, the latest last: few ask for one resource by id.
    static let partsMax = 4

    /// That a version is seen in a right that practices are asked for.
    struct Sight: Sendable {
        /// Without the time of asking.
        let visibility: Visibility
        /// When, in microseconds since 1970 UTC.
        let span: ClosedRange<Int64>
        /// What ``ResourceCache/rights`` was before the database was asked.
        let rights: UInt64
    }

    private struct Entry {
        let remembered: RememberedResource
        var parts: [Visibility] = []
        var sights: [Sight] = []
    }

    private struct State {
        var resources = Generations<Name, Entry>(costMax: generationBytesMax) {
            $0.remembered.resource.bytes.count
                + ResourceCache.entryBytes * (1 + $0.parts.count + ResourceCache.sightEntries * $0.sights.count)
        }
        /// Rises with each removal.
        var epoch: UInt64 = 0
        /// Rises with each commit that may have changed what practices are asked.
        var rights: UInt64 = 0
        /// How often another process was found to have written.
        var strangers: UInt64 = 0
    }

    private let state = Mutex(State())

    /// - Parameter visibility: what may be read of the type.
    func find(_ name: Name, in visibility: Visibility = .whole) -> RememberedResource? {
        if let (asked, time) = visibility.timeless { return find(name, in: asked, at: time) }
        guard visibility.asksVersionsAlone, let entry = state.withLock({ $0.resources.find(name) }) else { return nil }
        return visibility.isWhole || entry.parts.contains(visibility) ? entry.remembered : nil
    }

    private func find(_ name: Name, in visibility: Visibility, at time: Int64) -> RememberedResource? {
        let (found, rights) = state.withLock { ($0.resources.find(name), $0.rights) }
        guard let found else { return nil }
        let isSeen = found.sights.contains {
            $0.rights == rights && $0.span.contains(time) && $0.visibility == visibility
        }
        return isSeen ? found.remembered : nil
    }

    /// To be asked before the database is read, for `keep`.
    var epoch: UInt64 { state.withLock { $0.epoch } }

    /// To be asked before the database is asked for rights, for a ``Sight``.
    var rights: UInt64 { state.withLock { $0.rights } }

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
            var entry = Self.entry(remembered, name, &state)
            if !visibility.isWhole, !entry.parts.contains(visibility) {
                entry.parts = entry.parts.suffix(Self.partsMax - 1) + [visibility]
            }
            state.resources.put(entry, name)
        }
    }

    /// Takes the current version that a read begun at `epoch` has found, for those who see it in the same right. No deletion
    /// is kept, as in ``keep(_:readAt:in:)``.
    func keep(_ resource: StoredResource, readAt epoch: UInt64, seen sight: Sight) {
        guard resource.bytes.count <= Self.bodyBytesMax, !resource.isDeleted else { return }
        let name = Name(type: resource.type, id: resource.id)
        let remembered = RememberedResource(resource, patientID: PatientOfRecord.id(resource))
        state.withLock { state in
            guard state.epoch == epoch, state.rights == sight.rights else { return }
            var entry = Self.entry(remembered, name, &state)
            // Those of rights before these are over for all.
            let others = entry.sights.filter {
                $0.rights == sight.rights && $0.visibility != sight.visibility
            }
            entry.sights = others.suffix(Self.partsMax - 1) + [sight]
            state.resources.put(entry, name)
        }
    }

    /// What is known of the same version stays known.
    private static func entry(_ remembered: RememberedResource, _ name: Name, _ state: inout State) -> Entry {
        var entry = Entry(remembered: remembered)
        if let known = state.resources.find(name), known.remembered.resource.version == remembered.resource.version {
            (entry.parts, entry.sights) = (known.parts, known.sights)
        }
        return entry
    }

    /// Ends what was seen by practices: a commit is about to write something, or has.
    func endSights() { state.withLock { $0.rights += 1 } }

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
            state.rights += 1
            state.strangers += 1
            state.resources.removeAll()
        }
    }
}
