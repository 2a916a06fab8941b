import Access
import Testing
import Workflow

@testable import SQLStore

/// Other content under a SOP Instance UID in use. PS3.7 §C.5.7, case D16.
@Suite("Instance conflicts on both databases")
struct InstanceConflictTests {
    typealias Support = WorkflowSupport

    private static func received(_ blob: String, study: String = "A", series: String = "A1") -> ReceivedInstance {
        var received = Support.received("i", study: study, series: series)
        received.instance.blobID = BlobID(blob)
        received.instance.receivedFrom = "PEER"
        return received
    }

    private func resolve(
        _ store: RelationalStore, _ new: ReceivedInstance, against old: String, _ policy: ConflictPolicy
    ) async throws -> StudyService.Outcome {
        var stored = Self.received(old).instance
        stored.receivedFrom = nil
        let compared = stored
        return try await store.work {
            try StudyService().resolve(
                new, against: compared, difference: "differs in 00100020", policy: policy, in: $0)
        }
    }

    private func conflicts(_ store: RelationalStore) async throws -> [InstanceConflict] {
        try await store.conflicts(limit: 10, access: Support.server)
    }

    @Test("keep-first refuses, counts what comes again, and keeps the stored one", arguments: TestDatabases.all)
    func keepFirst(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            _ = try await store.work { try StudyService().register(Self.received("first"), in: $0) }
            for count in 1...3 {
                let outcome = try await resolve(store, Self.received("other"), against: "first", .keepFirst)
                #expect(outcome == .conflict)
                let list = try await conflicts(store)
                #expect(list.count == 1 && list.first?.count == count && list.first?.outcome == .refused)
                #expect(list.first?.difference == "differs in 00100020" && list.first?.superseded == nil)
            }
            #expect(try await store.look { try $0.instance("i")?.blobID } == BlobID("first"))
            #expect(try await store.referenced([BlobID("first"), BlobID("other")]) == [BlobID("first")])
            #expect(
                try await store.conflicts(limit: 9, access: ResourceStoreTests.access("system/Patient.rs")).isEmpty)
        }
    }

    @Test("replace puts the other in its place and keeps the old one with its file", arguments: TestDatabases.all)
    func replace(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            func served() async throws -> Instance? {
                try await store.instances(
                    studyInstanceUID: "A", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                    access: Support.server
                ).first
            }
            func remembered() -> Instance? {
                store.remembered(
                    studyInstanceUID: "A", seriesInstanceUID: "A1", sopInstanceUID: "i", access: Support.server)
            }
            _ = try await store.work { try StudyService().register(Self.received("first"), in: $0) }
            #expect(try await served()?.blobID == BlobID("first"))
            #expect(remembered()?.blobID == BlobID("first"))
            for (old, new) in [("first", "second"), ("second", "third")] {
                guard case .stored = try await resolve(store, Self.received(new), against: old, .replace) else {
                    Issue.record("not replaced")
                    return
                }
                #expect(remembered() == nil, "what was replaced is never served from memory")
                #expect(try await served()?.blobID == BlobID(new))
                #expect(remembered() == nil)
            }
            let list = try await conflicts(store)
            #expect(list.map(\.superseded?.blobID.value).compactMap { $0 }.sorted() == ["first", "second"])
            #expect(list.allSatisfy { $0.outcome == .replaced && $0.peer == "PEER" })
            let blobs = ["first", "second", "third", "fourth"].map { BlobID($0) }
            #expect(try await store.referenced(blobs) == Set(blobs.dropLast()))
            #expect(
                try await store.headers(
                    studyInstanceUID: "A", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                    access: Support.server
                ).count == 1)
        }
    }

    @Test("An object of another series is never replaced, and what has changed meanwhile is looked at again")
    func guarded() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { (store) async throws in
                _ = try await store.work { try StudyService().register(Self.received("first"), in: $0) }
                let elsewhere = try await resolve(
                    store, Self.received("other", study: "B", series: "B1"), against: "first", .replace)
                #expect(elsewhere == .conflict)
                #expect(try await conflicts(store).map(\.outcome) == [.refused])
                let late = try await resolve(store, Self.received("other"), against: "zeroth", .replace)
                #expect(late == .changed)
                #expect(try await conflicts(store).count == 1)
                #expect(try await store.look { try $0.instance("i")?.blobID } == BlobID("first"))
            }
        }
    }
}
