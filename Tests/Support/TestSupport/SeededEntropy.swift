import Synchronization
import Workflow

/// Repeatable bytes, which do not repeat within a test.
package final class SeededEntropy: Entropy {
    private let generator: Mutex<SeededGenerator>

    package init(seed: UInt64 = 1) { generator = Mutex(SeededGenerator(seed: seed)) }

    package func bytes(_ count: Int) -> [UInt8] {
        generator.withLock { generator in (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 32) } }
    }
}
