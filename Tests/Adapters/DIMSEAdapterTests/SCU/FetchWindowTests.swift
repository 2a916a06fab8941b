import Synchronization
import TestSupport
import Testing

@testable import DIMSEAdapter

/// What of a fetch is answered before it is durable: bounded, and done before the fetch is told to be.
@Suite("Windows of fetches", .timeLimit(.minutes(10)), .takingTurns)
struct FetchWindowTests {
    private static func limits(instances: Int = 2, bytes: Int64 = 100) -> FetchWindow.Limits {
        var limits = FetchWindow.Limits()
        limits.instances = instances
        limits.bytes = bytes
        return limits
    }

    /// Work that counts itself and waits for its gate.
    private final class Works: Sendable {
        let gate = Gate()
        let begun = Mutex(0)
        let done = Mutex(0)
        let submitted = Mutex<[Bool]>([])

        func submit(to window: FetchWindow, bytes: Int64 = 10, isKept: Bool = true) async {
            let isTaken = await window.submit(bytes: bytes) {
                self.begun.withLock { $0 += 1 }
                await self.gate.wait()
                self.done.withLock { $0 += 1 }
                return isKept
            }
            submitted.withLock { $0.append(isTaken) }
        }
        var taken: Int { submitted.withLock { $0.count { $0 } } }
    }

    @Test("So many are taken at once and no more; the end waits for all of them")
    func bounded() async throws {
        let (window, works) = (FetchWindow(limits: Self.limits()), Works())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await window.run()
                #expect(works.done.withLock { $0 } == 3)
            }
            for _ in 0..<3 { group.addTask { await works.submit(to: window) } }
            try await until { works.begun.withLock { $0 } == 2 }
            for _ in 0..<1_000 { await Task.yield() }
            #expect(works.taken == 2)
            works.gate.open()
            try await until { works.taken == 3 }
            window.close()
            try await group.waitForAll()
        }
    }

    @Test("Bytes are bounded too, and an instance larger than that is taken alone")
    func bytes() async throws {
        let (window, works) = (FetchWindow(limits: Self.limits(instances: 10)), Works())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await window.run() }
            await works.submit(to: window, bytes: 1_000)
            group.addTask { await works.submit(to: window, bytes: 1) }
            for _ in 0..<1_000 { await Task.yield() }
            #expect(works.taken == 1)
            works.gate.open()
            try await until { works.taken == 2 }
            window.close()
            try await group.waitForAll()
        }
    }

    @Test("Once one could not be kept nothing more is answered early, nor after the window is closed")
    func failed() async throws {
        let (window, works) = (FetchWindow(limits: Self.limits()), Works())
        works.gate.open()
        await withDiscardingTaskGroup { group in
            group.addTask { await window.run() }
            await works.submit(to: window, isKept: false)
            while works.submitted.withLock({ $0.last }) == true { await works.submit(to: window) }
            window.close()
        }
        let closed = FetchWindow()
        closed.close()
        await closed.run()
        await works.submit(to: closed)
        #expect(works.submitted.withLock { Array($0.suffix(2)) } == [false, false])
    }

    @Test("Those who wait for a place when it is closed are not taken, and do it themselves")
    func closedWhileWaiting() async throws {
        let (window, works) = (FetchWindow(limits: Self.limits(instances: 1)), Works())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await window.run() }
            await works.submit(to: window)
            group.addTask { await works.submit(to: window) }
            for _ in 0..<1_000 { await Task.yield() }
            window.close()
            try await until { works.submitted.withLock { $0.count } == 2 }
            #expect(works.taken == 1)
            works.gate.open()
            try await group.waitForAll()
        }
        #expect(works.done.withLock { $0 } == 1)
    }
}
