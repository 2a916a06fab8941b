import NIOCore

/// Runs a connection's tasks on its own event loop: reading a request and writing its answer then change no threads.
///
/// What runs there must be short between its waits, for the loop serves other connections too; ``APIResponder`` sends
/// the handlers of all other routes elsewhere (``Route/isBrief``).
final class ConnectionExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
