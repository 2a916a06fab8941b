import Access
import Testing
import Workflow

@testable import SQLStore

/// Copies of archives' studies, on both databases.
@Suite("Copies of archives' studies on both databases")
struct ArchiveCopyTests {
    typealias Support = WorkflowSupport

    private static func copy(
        _ study: String, _ state: ArchiveCopy.State = .waiting, archive: String = "PACS", at time: Int64 = 10,
        bytes: Int64 = 0
    ) -> ArchiveCopy {
        var copy = ArchiveCopy(of: study, at: archive, expected: 7, now: Support.at(time))
        copy.state = state
        copy.bytes = bytes
        return copy
    }

    private static func received(_ sop: String, archive: String?, study: String = "1.2", series: String = "1.2.1")
        -> ReceivedInstance
    {
        var received = Support.received(sop, study: study, series: series)
        received.instance.archive = archive
        return received
    }

    private static func decide(
        _ ask: QuarantineRequest.Ask, series: String? = nil, _ store: RelationalStore
    ) async throws {
        try await store.work { unit in
            try QuarantineService().decide(
                QuarantineRequest(ask, studyInstanceUID: "1.2", seriesInstanceUID: series, reason: "test"), in: unit)
        }
    }

    @Test("A copy is read as it was kept, all of it, and its last use is the latest that was told")
    func kept() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                var copy = Self.copy("1.2", .failed)
                copy.attempts = 3
                copy.endedAt = Support.at(20)
                copy.checkedAt = Support.at(21)
                copy.instances = 5
                copy.bytes = 1 << 40
                copy.failure = "no connection"
                copy.studyID = EntityID("abc")
                try await store.work { [copy] in try $0.save(copy) }
                #expect(try await store.look { try $0.archiveCopy(of: "1.2") } == copy)
                #expect(try await store.look { try $0.archiveCopy(of: "1.3") } == nil)
                try await store.noteUse(of: ["1.2": Support.at(30), "1.3": Support.at(30)])
                try await store.work { [copy] in try $0.save(copy) }
                #expect(try await store.look { try $0.archiveCopy(of: "1.2") }?.usedAt == Support.at(30))
                try await store.noteUse(of: ["1.2": Support.at(29)])
                #expect(try await store.look { try $0.archiveCopy(of: "1.2") }?.usedAt == Support.at(30))
                await #expect(throws: StoreError.self) { try await store.look { [copy] in try $0.save(copy) } }
            }
        }
    }

    @Test(
        "What is due is found by time without the archives that are busy; what a broken end left running is due again")
    func due() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                let copies = [
                    Self.copy("1.1", at: 5), Self.copy("1.2", at: 3), Self.copy("1.3", archive: "OTHER", at: 4),
                    Self.copy("1.4", at: 50), Self.copy("1.5", .running, at: 1), Self.copy("1.6", .whole, at: 1),
                ]
                try await store.work { unit in for copy in copies { try unit.save(copy) } }
                func due(_ time: Int64, _ busy: Set<String> = [], limit: Int = 10) async throws -> [String] {
                    try await store.copiesDue(at: Support.at(time), notOf: busy, limit: limit)
                        .map(\.studyInstanceUID)
                }
                #expect(try await due(10) == ["1.2", "1.3", "1.1"])
                #expect(try await due(10, limit: 1) == ["1.2"])
                #expect(try await due(10, ["PACS"]) == ["1.3"])
                #expect(try await due(2) == [])
                #expect(try await store.waitingCopies() == 4)
                try await store.resumeCopies(at: Support.at(2))
                #expect(try await due(2) == ["1.5"])
            }
        }
    }

    @Test("Lists and sums: by state, the longest unused first, and nothing for who may not see all studies")
    func lists() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                let copies = [
                    Self.copy("1.1", .whole, at: 5, bytes: 100), Self.copy("1.2", .failed, at: 3, bytes: 10),
                    Self.copy("1.3", at: 4), Self.copy("1.4", .left, at: 1),
                ]
                try await store.work { unit in for copy in copies { try unit.save(copy) } }
                #expect(try await store.copiesByUse(limit: 10).map(\.studyInstanceUID) == ["1.2", "1.1"])
                let totals = try await store.copyTotals()
                #expect(
                    totals == ArchiveCopyTotals(counts: [.whole: 1, .failed: 1, .waiting: 1, .left: 1], bytes: 110))
                let listed = try await store.copies(in: [.whole, .waiting], limit: 10, access: Support.server)
                #expect(listed.map(\.studyInstanceUID) == ["1.1", "1.3"])
                let nobody = AccessContext(
                    principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r")
                #expect(try await store.copies(in: [.whole], limit: 10, access: nobody).isEmpty)
            }
        }
    }

    @Test("Which archive an instance is of is kept with its row, also when it is rejected and comes back")
    func rejected() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                _ = try await store.work { unit in
                    try StudyService().register(Self.received("1", archive: "PACS"), in: unit)
                }
                #expect(try await store.look { try $0.instance("1") }?.archive == "PACS")
                try await Self.decide(.reject, store)
                #expect(try await store.look { try $0.rejectedInstance("1") }?.archive == "PACS")
                try await Self.decide(.undo, store)
                #expect(try await store.look { try $0.instance("1") }?.archive == "PACS")
            }
        }
    }

    @Test("What is sent here while its copy is rejected is kept here when it comes back, and its series does not leave")
    func keptWhileRejected() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                try await store.work { unit in
                    try unit.save(Self.copy("1.2", .whole))
                    for sop in ["1", "2"] {
                        _ = try StudyService().register(Self.received(sop, archive: "PACS"), in: unit)
                    }
                }
                try await Self.decide(.reject, store)
                let again = try await store.work {
                    try StudyService().register(Self.received("1", archive: nil), in: $0)
                }
                #expect(again == .duplicate)
                try await Self.decide(.undo, store)
                let (archives, ofSeries) = try await store.look { unit in
                    (
                        try ["1", "2"].map { try unit.instance($0)?.archive },
                        try unit.series("1.2.1", in: "1.2")?.archive
                    )
                }
                #expect(archives == [nil, "PACS"] && ofSeries == nil)
                #expect(try await store.work { try ArchiveCopyService().letGo("1.2", in: $0) } == .stays)
                #expect(try await store.look { try $0.series("1.2.1", in: "1.2") } != nil)
            }
        }
    }

    @Test("A copy of which a part is rejected stays: what comes back alone would be taken for all of the study")
    func partlyRejected() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                try await store.work { unit in
                    try unit.save(Self.copy("1.2", .whole))
                    for series in ["1.2.1", "1.2.2"] {
                        _ = try StudyService().register(
                            Self.received("1." + series, archive: "PACS", series: series), in: unit)
                    }
                }
                func letGo() async throws -> ArchiveCopyService.Step {
                    try await store.work { try ArchiveCopyService().letGo("1.2", in: $0) }
                }
                try await Self.decide(.reject, series: "1.2.2", store)
                #expect(try await letGo() == .stays)
                try await Self.decide(.reject, store)
                #expect(try await letGo() == .stays)
                #expect(try await store.look { try $0.archiveCopy(of: "1.2") }?.state == .whole)
                try await Self.decide(.undo, store)
                #expect(try await store.look { try $0.copiedInstances(of: "1.2").count } == 2)
                #expect(try await letGo() == .done)
            }
        }
    }

    @Test("A copy leaves with its study and resource, and its blobs are named by no row; it comes back with its id")
    func letGo() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                let register: @Sendable (any UnitOfWork) throws -> Void = { unit in
                    for sop in ["1", "2", "3"] {
                        _ = try StudyService().register(
                            Self.received(sop, archive: "PACS", series: sop == "3" ? "1.2.2" : "1.2.1"), in: unit)
                    }
                }
                try await store.work { unit in
                    try unit.save(Self.copy("1.2", .whole))
                    try register(unit)
                    try StudyService().publish("1.2", in: unit)
                }
                let blobs = ["1", "2", "3"].map { BlobID("blob-\($0)") }
                #expect(try await store.referenced(blobs).count == 3)
                let sums = try await store.look { try $0.copiedInstances(of: "1.2") }
                #expect(sums.count == 3 && sums.bytes == 300)
                let id = try #require(try await store.look { try $0.study("1.2")?.id })
                #expect(try await store.work { try ArchiveCopyService().letGo("1.2", in: $0) } == .done)
                #expect(try await store.referenced(blobs).isEmpty)
                #expect(try await store.look { try $0.series(in: "1.2").isEmpty && $0.study("1.2") == nil })
                let copy = try #require(try await store.look { try $0.archiveCopy(of: "1.2") })
                #expect(copy.state == .left && copy.bytes == 0 && copy.studyID == id)
                // Their files are to go, as the same commit says.
                let left = try await store.leftBlobs(until: Support.at(1 << 40), limit: 10)
                #expect(left == LeftBlobPage(unnamed: blobs))
                #expect(try await store.leaving(blobs + [BlobID("x")]) == Set(blobs))
                #expect(try await store.leftBlobs(until: Support.at(1 << 40), limit: 2).unnamed == Array(blobs[..<2]))
                #expect(try await store.leftBlobs(until: .distantPast, limit: 10) == LeftBlobPage())
                try await store.forgetLeftBlobs([blobs[0]])
                try await store.work(register)
                #expect(try await store.look { try $0.study("1.2")?.id } == id)
                // What a row names again stays.
                let named = try await store.leftBlobs(until: Support.at(1 << 40), limit: 10)
                #expect(named == LeftBlobPage(named: Array(blobs[1...])))
                await #expect(throws: StoreError.self) { try await store.look { try $0.noteLeft(BlobID("x")) } }
            }
        }
    }

    @Test("A study of which a part is kept here stays whole")
    func partlyKept() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                try await store.work { unit in
                    try unit.save(Self.copy("1.2", .whole))
                    for (sop, archive) in [("1", "PACS"), ("2", nil)] as [(String, String?)] {
                        _ = try StudyService().register(Self.received(sop, archive: archive), in: unit)
                    }
                }
                #expect(try await store.work { try ArchiveCopyService().letGo("1.2", in: $0) } == .stays)
                let pages = try await store.instances(
                    studyInstanceUID: "1.2", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 10,
                    access: Support.server)
                #expect(pages.map(\.archive) == ["PACS", nil])
            }
        }
    }

    @Test("A row that comes to be kept here is told so to who read it before")
    func remembered() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                _ = try await store.work { try StudyService().register(Self.received("1", archive: "PACS"), in: $0) }
                func read() async throws -> [Instance] {
                    try await store.instances(
                        studyInstanceUID: "1.2", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 10,
                        access: Support.server)
                }
                func remembered() -> Instance? {
                    store.remembered(
                        studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: "1",
                        access: Support.server)
                }
                #expect(try await read().map(\.archive) == ["PACS"])
                let again = try await store.work {
                    try StudyService().register(Self.received("1", archive: nil), in: $0)
                }
                #expect(again == .duplicate && remembered() == nil)
                #expect(try await read().map(\.archive) == [nil])
                #expect(remembered().map { $0.archive == nil } == true)
            }
        }
    }

    @Test("A study of which all is a copy is not told to those who are told of images that can be had here")
    func notAnnounced() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                try await store.save(
                    Peer(kind: .applicationEntity, name: "VIEW", host: "h", port: 104, offers: [.ian]))
                func told() async throws -> Int {
                    try await store.work { try PeerNotices().note([.studyPublished(studyInstanceUID: "1.2")], in: $0) }
                    return try await store.outboxDepths(access: Support.server).reduce(0) { $0 + Int($1.count) }
                }
                _ = try await store.work { try StudyService().register(Self.received("1", archive: "PACS"), in: $0) }
                #expect(try await told() == 0)
                _ = try await store.work {
                    try StudyService().register(Self.received("2", archive: nil, series: "1.2.2"), in: $0)
                }
                #expect(try await told() == 1)
            }
        }
    }
}
