import Synchronization
import Workflow

/// Rows of instances that were read lately: of those that a viewer was told of, and asks for next.
///
/// A committed row of `instances` is changed only where a copy of an archive's comes to be kept here, and removed only
/// to be replaced or rejected or where such a copy leaves: such an instance is told to the cache before that, and what
/// was read of it before is not kept. What another process removes it forgets with all the rest, as soon as the writer
/// has seen that somebody else has written. So what is here stays true.
final class InstanceCache: Sendable {
    /// Rows in a generation, each about 600 bytes; two are held.
    static let generationMax = 4_096

    /// Exclusions in a generation; two are held, which no read that began before them outlasts.
    static let excludedMax = 1 << 16

    private struct State {
        var rows = Generations<String, Instance>(costMax: generationMax)
        /// Those that were replaced or rejected lately, with their place among all exclusions.
        var excluded = Generations<String, UInt64>(costMax: excludedMax)
        var exclusions: UInt64 = 0
        var strangers: UInt64 = 0

        /// Whether a caller who knows of so many writes by others may use what is here. Forgets everything when there
        /// are more than were known.
        mutating func isCurrent(_ strangers: UInt64) -> Bool {
            if strangers > self.strangers {
                self.strangers = strangers
                rows = Generations<String, Instance>(costMax: generationMax)
            }
            return strangers == self.strangers
        }
    }
    private let state = Mutex(State())

    /// - Parameter strangers: how often another process was found to have written, now.
    func find(_ sopInstanceUID: String, strangers: UInt64) -> Instance? {
        state.withLock { state in
            state.isCurrent(strangers) ? state.rows.find(sopInstanceUID) : nil
        }
    }

    /// - Parameter strangers: as in ``find(_:strangers:)``, when the reading of these rows began.
    func keep(_ instances: some Sequence<Instance>, readAt strangers: UInt64) {
        state.withLock { state in
            guard state.isCurrent(strangers) else { return }
            for instance in instances where state.excluded.find(instance.sopInstanceUID) == nil {
                state.rows.put(instance, instance.sopInstanceUID)
            }
        }
    }

    /// Forgets an instance, and takes no row of it from reads that began before: its row is about to change.
    func exclude(_ sopInstanceUID: String) {
        state.withLock { state in
            state.exclusions += 1
            state.excluded.put(state.exclusions, sopInstanceUID)
            state.rows.remove(sopInstanceUID)
        }
    }

    /// Exclusions so far.
    var exclusions: UInt64 { state.withLock { $0.exclusions } }

    /// The rows of rejected instances are back as they were. To be told after the commit; another unit may have taken them
    /// away again by then, and such a row stays out.
    ///
    /// - Parameter exclusions: as many as there were at the end of the unit that brought them back.
    func readmit(_ sopInstanceUIDs: [String], after exclusions: UInt64) {
        state.withLock { state in
            for uid in sopInstanceUIDs {
                guard let place = state.excluded.find(uid), place <= exclusions else { continue }
                state.excluded.remove(uid)
            }
        }
    }
}
