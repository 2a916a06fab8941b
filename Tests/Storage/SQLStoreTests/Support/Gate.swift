import Dispatch
import Synchronization

@testable import SQLStore

/// Holds a blocking closure on the store's thread until the test opens it.
final class Gate: Sendable {
    private let entered = Mutex(false)
    private let opened = DispatchSemaphore(value: 0)

    func wait() {
        entered.withLock { $0 = true }
        opened.wait()
    }

    /// Yields rather than blocks: a blocked test would hold a thread that the closure's task may need.
    func waitUntilEntered() async { while !entered.withLock({ $0 }) { await Task.yield() } }
    func open() { opened.signal() }
}

/// What completions reported: their value, or their store error's code.
final class Results: Sendable {
    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }

    func add(_ result: Result<String, any Error>) {
        let text =
            switch result {
            case .success(let value): value
            case .failure(let error): (error as? SQLStoreError)?.code.rawValue ?? "\(error)"
            }
        list.withLock { $0.append(text) }
    }
}
