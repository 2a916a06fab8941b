import Synchronization
import Testing
import Workflow

/// The files of copies that left: which of them go, and when.
@Suite("Files of copies that left")
struct LeftBlobTests {
    /// A record of blobs that left at seconds, and the files of a store.
    private final class House: LeftBlobs, BlobStoring, Clock {
        struct State {
            var left: [(id: String, at: Int64)] = []
            var named: Set<String> = []
            var files: Set<String> = []
            var seconds: Int64 = 0
            /// Files that are still removed before the disk fails.
            var removals = Int.max
            /// Files that cannot be removed.
            var stuck: Set<String> = []
            var attempts = 0
        }
        let state: Mutex<State>
        init(_ state: State) { self.state = Mutex(state) }

        func now() -> UTCInstant { UTCInstant(microseconds: state.withLock { $0.seconds } * 1_000_000) }

        func leftBlobs(until time: UTCInstant, limit: Int) async throws -> LeftBlobPage {
            state.withLock { state in
                let due = state.left.filter { $0.at * 1_000_000 <= time.microseconds }.prefix(limit).map(\.id)
                return LeftBlobPage(
                    unnamed: due.filter { !state.named.contains($0) }.map { BlobID($0) },
                    named: due.filter(state.named.contains).map { BlobID($0) })
            }
        }
        func forgetLeftBlobs(_ ids: [BlobID]) async throws {
            state.withLock { state in state.left.removeAll { left in ids.contains { $0.value == left.id } } }
        }
        func create() throws -> any BlobWriting { throw StoreError(.misuse, "test") }
        func open<Value: Sendable>(
            _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
        ) async throws -> Value { throw StoreError(.misuse, "test") }
        func remove(_ id: BlobID) async throws {
            try state.withLock { state in
                state.attempts += 1
                guard state.removals > 0, !state.stuck.contains(id.value) else { throw StoreError(.failed, "test") }
                state.removals -= 1
                state.files.remove(id.value)
            }
        }
        var files: [String] { state.withLock { $0.files.sorted() } }
        var left: [String] { state.withLock { $0.left.map(\.id) } }
    }

    @Test("Files go some minutes after their copy, but for those that a row names, and each is forgotten then")
    func removed() async throws {
        var state = House.State()
        state.left = [("a", 0), ("b", 0), ("c", 100)]
        state.files = ["a", "b", "c", "d"]
        state.named = ["b"]
        let house = House(state)
        let removal = LeftBlobRemoval(blobs: house, left: house, clock: house)
        house.state.withLock { $0.seconds = LeftBlobRemoval.graceSeconds - 1 }
        #expect(try await removal.run() == 0)
        #expect(house.files == ["a", "b", "c", "d"])
        house.state.withLock { $0.seconds = LeftBlobRemoval.graceSeconds }
        #expect(try await removal.run() == 1)
        #expect(house.files == ["b", "c", "d"] && house.left == ["c"])
        house.state.withLock { $0.seconds = LeftBlobRemoval.graceSeconds + 100 }
        #expect(try await removal.run() == 1)
        #expect(house.files == ["b", "d"] && house.left.isEmpty)
    }

    @Test("More than are looked at at once go all, and what a failure left is removed the next time")
    func goesOn() async throws {
        var state = House.State()
        state.left = (0..<1_201).map { ("f\($0)", 0) }
        state.files = Set(state.left.map(\.id))
        state.seconds = 1_000
        state.removals = 700
        let house = House(state)
        let removal = LeftBlobRemoval(blobs: house, left: house, clock: house)
        await #expect(throws: StoreError.self) { try await removal.run() }
        #expect(house.files.count == 501 && house.left.count == 501)
        house.state.withLock { $0.removals = .max }
        #expect(try await removal.run() == 501)
        #expect(house.files.isEmpty && house.left.isEmpty)
    }

    @Test("A file that cannot be removed stays on record, and holds up none of those behind it")
    func stuck() async throws {
        var state = House.State()
        state.left = (0..<1_201).map { ("f\($0)", 0) }
        state.files = Set(state.left.map(\.id))
        state.stuck = ["f0", "f700"]
        state.seconds = 1_000
        let house = House(state)
        let removal = LeftBlobRemoval(blobs: house, left: house, clock: house)
        for _ in 0..<2 {
            await #expect(throws: StoreError.self) { try await removal.run() }
            #expect(house.files == ["f0", "f700"] && house.left == ["f0", "f700"])
        }
        house.state.withLock { $0.stuck = [] }
        #expect(try await removal.run() == 2)
        #expect(house.files.isEmpty && house.left.isEmpty)
    }

    @Test("Where nothing can be removed at all that is not tried with every file")
    func allStuck() async throws {
        var state = House.State()
        state.left = (0..<1_201).map { ("f\($0)", 0) }
        state.files = Set(state.left.map(\.id))
        state.stuck = state.files
        state.seconds = 1_000
        let house = House(state)
        let removal = LeftBlobRemoval(blobs: house, left: house, clock: house)
        await #expect(throws: StoreError.self) { try await removal.run() }
        #expect(house.files.count == 1_201 && house.left.count == 1_201)
        #expect(house.state.withLock { $0.attempts } == 500)
    }
}
