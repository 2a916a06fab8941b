import Access
import Foundation
import Logging
import SQLStore
import Synchronization
import Testing
import Workflow

@testable import hilum

/// What a start changes.
struct StartChangeTests {
    @Test("PS3.4 §CC.2.4.3: a change that the disk has no room for is left to the next start, which goes on")
    func full() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hilum-start-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let isShort = Mutex(true)
        let store = RelationalStore(
            database: try await SQLDatabase(
                .unhurried(.sqlite(path: folder + "/hilum.sqlite")), migrations: Migrations.all),
            entropy: SystemEntropy(), observers: [],
            refusal: { isShort.withLock { $0 } ? StoreError(.full, "short") : nil })
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let tell: @Sendable (any UnitOfWork) throws -> Void = { unit in
            try unit.enqueue(OutboxDraft(destination: "d", kind: "test", payload: [1]))
        }
        func told() async throws -> Int {
            try await store.outboxEntries(OutboxQuery(limit: 10), access: .server(requestID: "t")).count
        }
        try await ServerComposition.change(store, "test", logger, tell)
        #expect(try await told() == 0)
        isShort.withLock { $0 = false }
        try await ServerComposition.change(store, "test", logger, tell)
        #expect(try await told() == 1)
        // Whatever else fails ends the start.
        await #expect(throws: StoreError.self) {
            try await ServerComposition.change(store, "test", logger) { _ in throw StoreError(.failed, "broken") }
        }
        await store.close()
    }
}
