import NIOCore
import NIOPosix

/// A few threads of their own for work that keeps a processor busy, such as decoding the pixels of two objects to compare
/// them. On Swift's own threads, of which there is one a processor, such work would keep every request waiting.
///
/// Whoever runs on them gives its thread back at each `await`, so that the work of several senders takes turns.
final class WorkThreads: TaskExecutor {
    private let threads: NIOThreadPool

    /// Half of the processors, and at least two: a long frame does not keep a second one waiting.
    static var countOfMachine: Int { max(2, System.coreCount / 2) }

    init(count: Int = WorkThreads.countOfMachine) {
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // After the end it runs where it is: a task that is never run would never end.
        threads.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    func close() async { try? await threads.shutdownGracefully() }
}
