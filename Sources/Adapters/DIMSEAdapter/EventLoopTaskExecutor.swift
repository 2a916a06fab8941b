import NIOCore

/// Runs the async side of a connection on the connection's own event loop.
///
/// What a request waits for (the blob threads, the writer of the database) then wakes one thread and not two: without
/// it every step of a C-STORE goes to a thread of Swift's pool first and from there to the event loop. Nothing in it
/// blocks; work in proportion to a large header goes elsewhere (`InstanceIngest`).
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
