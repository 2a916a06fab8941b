import Access
import Foundation
import SQLStore
import Testing
import Workflow

@testable import hilum

/// Which stored instances `hilum route` is for.
struct RouteSelectionTests {
    /// A study of so many instances, which gives no more of them at a time than it is asked for.
    private struct Study: ImagingIndex {
        static let uid = "1.2.3"
        let count: Int

        func instances(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [Instance] {
            guard studyInstanceUID == Self.uid else { return [] }
            let first = (after?.number ?? 0) + 1
            return (first...max(first, count)).prefix(limit).filter { $0 <= count }.map { number in
                Instance(
                    studyInstanceUID: Self.uid, seriesInstanceUID: Self.uid + ".1",
                    sopInstanceUID: Self.uid + ".1.\(number)", sopClassUID: "1.2.840.10008.5.1.4.1.1.2",
                    instanceNumber: number, transferSyntaxUID: "1.2.840.10008.1.2.1", rows: 2, columns: 2,
                    bitsAllocated: 16, numberOfFrames: 1, blobID: BlobID("b\(number)"), size: 100, dataSetOffset: 10,
                    pixelDataOffset: 50, pixelDataLength: 8, receivedAt: UTCInstant(microseconds: 1),
                    receivedFrom: nil)
            }
        }
        func headers(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [InstanceHeader] { [] }
        func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] { [] }
        func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
            StudyMatches(matches: [], remaining: 0)
        }
    }

    private static let access = AccessContext.operatorOfThisMachine(requestID: "hilum test")

    private static func with(_ body: (RelationalStore) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hilum-route-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = RelationalStore(
            database: try await SQLDatabase(
                .unhurried(.sqlite(path: folder + "/hilum.sqlite")), migrations: Migrations.all),
            entropy: SystemEntropy(), observers: [])
        try await body(store)
        await store.close()
    }

    @Test("All instances of a study are taken, however many there are, each once and in order")
    func whole() async throws {
        try await Self.with { store in
            for count in [1, 499, 500, 501, 1_000, 10_001] {
                var found: [Int] = []
                let told = try await RouteSelection(index: Study(count: count), store: store)
                    .pages(of: Study.uid, Self.access) { page in found += page.compactMap(\.instanceNumber) }
                #expect(told == count)
                #expect(found == Array(1...count))
            }
        }
    }

    @Test("A UID under which nothing is stored is refused in words")
    func unknown() async throws {
        try await Self.with { store in
            await #expect {
                try await RouteSelection(index: Study(count: 3), store: store).pages(of: "1.2.4", Self.access) { _ in }
            } throws: { "\($0)" == "no such study or instance: 1.2.4" }
        }
    }
}
