import DICOMTranslation
import HTTPSupport
import Synchronization
import Testing
import Workflow

@testable import DICOMwebAPI

/// Instances that are sent as they come from an archive. PS3.18 §10.4.1.1.
@Suite("Instances as they come", .timeLimit(.minutes(10)))
struct ArrivingInstancesTests {
    /// Rows in the order of their names, those that a caller may see.
    private final class Rows: Sendable {
        let uids = Mutex<[String]>([])
        init(_ uids: [String] = []) { self.uids.withLock { $0 = uids } }

        func read(_ uid: String?, _ after: Instance.Place?, limit: Int) -> [Instance] {
            let all = uids.withLock { $0.sorted() }
            let found = all.filter { (uid ?? $0) == $0 && $0 > (after?.sopInstanceUID ?? "") }
            return found.prefix(limit).map(Self.instance)
        }

        private static func instance(_ uid: String) -> Instance {
            Instance(
                studyInstanceUID: "1", seriesInstanceUID: "1.1", sopInstanceUID: uid, sopClassUID: "1.2",
                instanceNumber: nil, transferSyntaxUID: "1.2.840.10008.1.2.1", rows: nil, columns: nil,
                bitsAllocated: nil, numberOfFrames: 0, blobID: BlobID(uid), size: 1, dataSetOffset: 0,
                pixelDataOffset: nil, pixelDataLength: nil, receivedAt: .distantPast, receivedFrom: nil,
                archive: "PACS")
        }
    }

    private static func arriving(_ progress: FetchProgress, _ rows: Rows) -> ArrivingInstances {
        ArrivingInstances(progress, pageCount: 2) { rows.read($0, $1, limit: 2) }
    }

    private static func come(_ uids: [String], _ rows: Rows, _ progress: FetchProgress) {
        for uid in uids {
            rows.uids.withLock { $0.append(uid) }
            progress.note(uid)
        }
    }

    private static func all(_ arriving: ArrivingInstances) async throws -> [String] {
        var uids: [String] = []
        while true {
            let next = try await arriving.next()
            if next.isEmpty { return uids }
            uids += next.map(\.sopInstanceUID)
        }
    }

    @Test("They are given in the order in which they come, then those that were here before, each once")
    func order() async throws {
        let rows = Rows(["a", "b", "c", "z"])
        let progress = FetchProgress(expected: 5)
        let arriving = Self.arriving(progress, rows)
        Self.come(["m", "k"], rows, progress)
        #expect(try await arriving.next().map(\.sopInstanceUID) == ["m", "k"])
        Self.come(["d"], rows, progress)
        // Sent again by the archive, and here before.
        progress.note("c")
        progress.note("c")
        progress.end(isWhole: true)
        #expect(try await Self.all(arriving) == ["d", "c", "a", "b", "z"])
        #expect(try await arriving.next().isEmpty)
    }

    @Test("Who waits is given the first as soon as it is here")
    func waits() async throws {
        let (rows, progress) = (Rows(), FetchProgress(expected: 0))
        let arriving = Self.arriving(progress, rows)
        async let first = arriving.next()
        await Task.yield()
        Self.come(["a"], rows, progress)
        #expect(try await first.map(\.sopInstanceUID) == ["a"])
    }

    @Test("A fetch that ends before all has come is no good end, and before the answer has begun it is 503")
    func incomplete() async throws {
        let (rows, progress) = (Rows(), FetchProgress(expected: 2))
        let arriving = Self.arriving(progress, rows)
        Self.come(["a"], rows, progress)
        #expect(try await arriving.next().count == 1)
        progress.end(isWhole: false)
        await #expect(throws: ArrivingInstances.Incomplete.self) { try await arriving.next() }
        await #expect(throws: HTTPFailure.self) { try await arriving.first(within: .seconds(300)) }
        let late = Self.arriving(FetchProgress(expected: 1), Rows())
        await #expect(throws: HTTPFailure.self) { try await late.first(within: .milliseconds(20)) }
    }

    @Test("What the caller may not see of what comes is passed over, and an end without any is an end")
    func unseen() async throws {
        let (rows, progress) = (Rows(), FetchProgress(expected: 3))
        let arriving = Self.arriving(progress, rows)
        for uid in ["x", "y", "z"] { progress.note(uid) }
        progress.end(isWhole: true)
        #expect(try await arriving.next().isEmpty)
    }

    @Test("Of what has come no more is told at a time than is asked for, and the end only with the last")
    func pages() {
        let progress = FetchProgress(expected: 3)
        for uid in ["a", "b", "c"] { progress.note(uid) }
        progress.end(isWhole: true)
        progress.end(isWhole: false)
        let first = progress.arrived(behind: 0, limit: 2)
        #expect(first.sopInstanceUIDs == ["a", "b"] && first.isWhole == nil)
        let last = progress.arrived(behind: 2, limit: 2)
        #expect(last.sopInstanceUIDs == ["c"] && last.isWhole == true)
        #expect(progress.has("b") && !progress.has("d"))
    }

    @Test("Who waits for what does not come is told so after the time, with others' waiting unharmed")
    func patience() async throws {
        let progress = FetchProgress(expected: 1)
        async let long = progress.wait(within: .seconds(300)) { $0.has("b") }
        #expect(await !progress.wait(within: .milliseconds(20)) { $0.has("b") })
        progress.note("a")
        progress.note("b")
        #expect(await long)
        #expect(await progress.wait(within: .seconds(300)) { $0.has("b") })
    }
}
