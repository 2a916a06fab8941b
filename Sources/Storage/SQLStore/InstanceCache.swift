import Synchronization
import Workflow

/// Rows of instances that were read lately: of those that a viewer was told of, and asks for next.
///
/// A committed row of `instances` is never changed nor removed, so what is here stays true.
final class InstanceCache: Sendable {
    /// Rows in a generation, each about 600 bytes; two are held.
    static let generationMax = 4_096

    private let state = Mutex(Generations<String, Instance>(costMax: generationMax))

    func find(_ sopInstanceUID: String) -> Instance? { state.withLock { $0.find(sopInstanceUID) } }

    func keep(_ instances: some Sequence<Instance>) {
        state.withLock { state in
            for instance in instances { state.put(instance, instance.sopInstanceUID) }
        }
    }
}
