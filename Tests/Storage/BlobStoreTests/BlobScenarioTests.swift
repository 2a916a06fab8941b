import Foundation
import Testing
import Workflow

@testable import BlobStore

/// R7, R8: every I/O error surfaces, one at a time.
@Suite("Whichever file operation fails, what was acknowledged is there")
struct BlobScenarioTests {
    @Test(
        "R7: the n-th call fails, for every n: no false success, no file of an acknowledged blob gone, and the next start works",
        arguments: [EIO, EMFILE, ENOSPC])
    func everyCall(_ code: Int32) async throws {
        let contents = [10, 300_000].map { BlobTestFolder.content($0, seed: UInt64($0)) }
        var number = 0
        var reached = true
        while reached {
            number += 1
            reached = try await BlobTestFolder.with { folder in
                let files = FaultyFiles()
                let database = CustodyTests.Database()
                let clock = CustodyTests.Hand()
                files.fail(call: number, code)
                var acknowledged: [(BlobID, [UInt8])] = []
                if let store = try? await folder.open(files: files, { $0.now = { clock.now } }) {
                    let custodian = BlobCustodian(store, database)
                    if (try? await custodian.begin()) != nil {
                        for content in contents {
                            guard let id = try? await store.write(content) else { continue }
                            database.name(id, tell: custodian)
                            acknowledged.append((id, content))
                        }
                        _ = try? await store.write([7])
                        clock.advance(7_200)
                        _ = try? await custodian.pass()
                        for (id, content) in acknowledged {
                            if let found = try? await store.readAll(id) { #expect(found == content, "call \(number)") }
                        }
                        try? await custodian.end()
                    }
                    await store.close()
                    custodian.close()
                }
                let wasReached = files.calls >= number
                // The next start, on a disk that works.
                try await CustodyTests.serve(folder, database, clock: clock) { store, custodian in
                    for (id, content) in acknowledged {
                        let found = try await store.readAll(id)
                        #expect(found == content, "call \(number)")
                    }
                    #expect(
                        custodian.custody?.isForeign == false,
                        "call \(number): \(String(describing: custodian.custody))")
                    _ = try await custodian.pass()
                    database.name(try await store.write([8]), tell: custodian)
                }
                return wasReached
            }
        }
        #expect(number > 60, "the scenario makes more calls than that")
    }
}
