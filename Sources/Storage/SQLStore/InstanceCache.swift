import Synchronization
import Workflow

/// Rows of instances that were read lately: of those that a viewer was told of, and asks for next.
///
/// A committed row of `instances` is never changed, and removed only to be replaced or rejected: such an instance is told
/// to the cache before that, and never kept again. What another process removes it forgets with all the rest, as soon as
/// the writer has seen that somebody else has written. So what is here stays true.
final class InstanceCache: Sendable {
    /// Rows in a generation, each about 600 bytes; two are held.
    static let generationMax = 4_096

    private struct State {
        var rows = Generations<String, Instance>(costMax: generationMax)
        /// Those that were replaced: few, each the decision of a sender whom the site lets replace.
        var excluded: Set<String> = []
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
            for instance in instances where !state.excluded.contains(instance.sopInstanceUID) {
                state.rows.put(instance, instance.sopInstanceUID)
            }
        }
    }

    /// Forgets an instance for good: its row is about to change.
    func exclude(_ sopInstanceUID: String) {
        state.withLock { state in
            state.excluded.insert(sopInstanceUID)
            state.rows.remove(sopInstanceUID)
        }
    }
}
