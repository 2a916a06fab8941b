import Synchronization
import Workflow

/// Rows of instances that were read lately: of those that a viewer was told of, and asks for next.
///
/// A committed row of `instances` is never changed, and removed only to be replaced: such an instance is told to the cache
/// before that, and never kept again. So what is here stays true.
final class InstanceCache: Sendable {
    /// Rows in a generation, each about 600 bytes; two are held.
    static let generationMax = 4_096

    private struct State {
        var rows = Generations<String, Instance>(costMax: generationMax)
        /// Those that were replaced: few, each the decision of a sender whom the site lets replace.
        var excluded: Set<String> = []
    }
    private let state = Mutex(State())

    func find(_ sopInstanceUID: String) -> Instance? { state.withLock { $0.rows.find(sopInstanceUID) } }

    func keep(_ instances: some Sequence<Instance>) {
        state.withLock { state in
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
