import Dispatch
import Foundation
import Synchronization

/// The children that run now, so that an interrupted benchmark leaves none behind.
enum LiveChildren {
    private static let pids = Mutex<Set<pid_t>>([])

    static func add(_ pid: pid_t) { pids.withLock { _ = $0.insert(pid) } }
    static func remove(_ pid: pid_t) { pids.withLock { _ = $0.remove(pid) } }

    /// From now on SIGINT and SIGTERM end the children and this process, and remove `folder`.
    /// The sources must be kept as long as that is wanted.
    static func endOnSignal(removing folder: String) -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                let live = pids.withLock { $0 }
                for pid in live { kill(pid, SIGTERM) }
                try? FileManager.default.removeItem(atPath: folder)
                _exit(128 + number)
            }
            source.resume()
            return source
        }
    }
}
