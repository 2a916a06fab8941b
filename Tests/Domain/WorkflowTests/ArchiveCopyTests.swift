import TestSupport
import Testing

@testable import Workflow

/// Copies of archives' studies: how a fetch goes on, what is kept here for good, and what leaves.
@Suite("Copies of archives' studies")
struct ArchiveCopyTests {
    private static func at(_ seconds: Int64) -> UTCInstant { UTCInstant(microseconds: seconds * 1_000_000) }

    private static func copy(_ study: String = "1.2.3", used: Int64 = 0, bytes: Int64 = 0) -> ArchiveCopy {
        var copy = ArchiveCopy(of: study, at: "PACS", expected: 3, now: at(used))
        copy.state = .whole
        copy.bytes = bytes
        return copy
    }

    private static func received(_ sop: String, archive: String?, accession: String? = nil, blob: String? = nil)
        -> ReceivedInstance
    {
        var received = Make.received(sop, accession: accession, blob: blob)
        received.instance.archive = archive
        return received
    }

    // MARK: Fetches

    @Test("A failed attempt is repeated, each time later, until there were as many as there may be; then nobody tries")
    func attempts() {
        var rule = FetchRule()
        rule.attemptsMax = 3
        var copy = ArchiveCopy(of: "1.2", at: "PACS", expected: 0, now: Self.at(0))
        var pauses: [Int64] = []
        for number in 1...3 {
            copy.begin()
            #expect(copy.state == .running && copy.attempts == number)
            copy.end(.failed("no connection", mayBeRepeated: true), of: rule, now: Self.at(100))
            pauses.append((copy.nextAt.microseconds - Self.at(100).microseconds) / 1_000_000)
        }
        #expect(copy.state == .failed && copy.failure == "no connection")
        #expect(pauses == [5, 10, 10])
        copy.request(at: "PACS", expected: 9, now: Self.at(200))
        #expect(copy.state == .waiting && copy.attempts == 0 && copy.nextAt == Self.at(200) && copy.expected == 9)
        copy.begin()
        copy.end(.failed("no archive", mayBeRepeated: false), of: rule, now: Self.at(201))
        #expect(copy.state == .failed && copy.attempts == 1)
        #expect((1...60).map { rule.pause(after: $0) }.allSatisfy { (5...600).contains($0) })
    }

    @Test("Who asks for what is on its way shares it; an attempt that the server's end broke off does not count")
    func shared() {
        var copy = ArchiveCopy(of: "1.2", at: "PACS", expected: 0, now: Self.at(0))
        copy.begin()
        let running = copy
        copy.request(at: "OTHER", expected: 5, now: Self.at(10))
        #expect(copy.state == .running && copy.archive == "PACS" && copy.usedAt == Self.at(10))
        #expect(copy.requestedAt == running.requestedAt && copy.attempts == 1)
        copy.breakOff(now: Self.at(11))
        #expect(copy.state == .waiting && copy.attempts == 0 && copy.nextAt == Self.at(11))
        copy.begin()
        copy.end(.whole("2 instances were refused here"), of: FetchRule(), now: Self.at(12))
        #expect(copy.state == .whole && copy.checkedAt == Self.at(12) && copy.endedAt == Self.at(12))
        #expect(copy.failure == "2 instances were refused here")
    }

    // MARK: The cache

    @Test("The longest unused leave until the rest is within the bytes; the old leave anyway; what is pinned stays")
    func leaving() {
        let copies = [
            Self.copy("1.1", used: 0, bytes: 10), Self.copy("1.2", used: 100, bytes: 10),
            Self.copy("1.3", used: 200, bytes: 10), Self.copy("1.4", used: 300, bytes: 10),
        ]
        func leaving(_ bytes: Int64, _ days: Int64 = 0, _ pinned: Set<String> = [], now: Int64 = 400) -> [String] {
            var rule = ArchiveCacheRule()
            rule.bytesMax = bytes
            rule.days = days
            rule.pinned = pinned
            return rule.leaving(copies, bytes: 40, now: Self.at(now)).map(\.studyInstanceUID)
        }
        #expect(leaving(0) == [])
        #expect(leaving(40) == [])
        #expect(leaving(39) == ["1.1"])
        #expect(leaving(20) == ["1.1", "1.2"])
        #expect(leaving(20, 0, ["1.1"]) == ["1.2", "1.3"])
        #expect(leaving(0, 1, now: 86_400 + 150) == ["1.1", "1.2"])
        #expect(leaving(0, 1, ["1.2"], now: 86_400 + 150) == ["1.1"])
        var begun = Self.copy("1.9")
        begun.state = .leaving
        #expect(ArchiveCacheRule().leaving([begun], bytes: 0, now: Self.at(0)) == [begun])
        // Nothing else leaves for the room that it makes, though it was used last.
        begun.bytes = 10
        begun.usedAt = Self.at(400)
        var rule = ArchiveCacheRule()
        rule.bytesMax = 40
        #expect(rule.leaving(copies + [begun], bytes: 50, now: Self.at(400)) == [begun])
    }

    @Test("Copies leave with their series and study, and the study has its id when it comes back")
    func letGo() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        try unit.save(Self.copy())
        for number in 1...3 { _ = try unit.store(Self.received("1.\(number)", archive: "PACS")) }
        let id = try #require(try unit.study("1.2.3")).id
        #expect(try unit.copiedInstances(of: "1.2.3").count == 3)
        #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .done)
        #expect(unit.state.instances.isEmpty && unit.state.series.isEmpty && unit.state.studies.isEmpty)
        #expect(unit.state.events.contains(.studyRemoved(id)))
        #expect(try unit.archiveCopy(of: "1.2.3")?.state == .left)
        #expect(unit.state.leftBlobs.count == 3)
        #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .stays)
        _ = try unit.store(Self.received("1.1", archive: "PACS"))
        #expect(try unit.study("1.2.3")?.id == id)
    }

    @Test("A study of which this server keeps a part does not leave: it would not be whole any more")
    func ownStays() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        try unit.save(Self.copy())
        _ = try unit.store(Self.received("1.1", archive: "PACS"))
        _ = try unit.store(Self.received("1.2", archive: nil))
        unit.state.time = unit.state.time.advanced(bySeconds: 5)
        #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .stays)
        #expect(unit.state.instances.map(\.sopInstanceUID) == ["1.1", "1.2"])
        #expect(try unit.archiveCopy(of: "1.2.3")?.state == .whole)
        #expect(try unit.archiveCopy(of: "1.2.3")?.usedAt == unit.time)
    }

    @Test("More than a step removes leaves in several, and a study on its way does not leave")
    func steps() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        var copy = Self.copy()
        copy.state = .running
        try unit.save(copy)
        let count = ArchiveCopyService.stepInstances + 1
        for number in 1...count { _ = try unit.store(Self.received("1.\(number)", archive: "PACS")) }
        #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .stays)
        try unit.save(Self.copy())
        #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .hasMore)
        #expect(try unit.archiveCopy(of: "1.2.3")?.state == .leaving && unit.state.instances.count == 1)
        #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .done)
        #expect(unit.state.instances.isEmpty)
    }

    // MARK: What is kept here

    @Test("An instance that somebody stores here is kept, although a copy of it was here: it leaves no more")
    func kept() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        try unit.save(Self.copy())
        _ = try unit.store(Self.received("1.1", archive: "PACS", blob: "same"))
        #expect(try unit.series("1.2.3.1", in: "1.2.3")?.archive == "PACS")
        #expect(try unit.store(Self.received("1.1", archive: nil, blob: "same")) == .duplicate)
        #expect(try unit.instance("1.1")?.archive == nil)
        #expect(try unit.series("1.2.3.1", in: "1.2.3")?.archive == nil)
        #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .stays)
        #expect(unit.state.instances.map(\.sopInstanceUID) == ["1.1"])
        // And what is kept here does not become a copy.
        #expect(try unit.store(Self.received("1.1", archive: "PACS", blob: "same")) == .duplicate)
        #expect(try unit.instance("1.1")?.archive == nil)
    }

    @Test(
        "A copy that comes to be kept is told of as what is sent here is, once, and not when the archive sends it again"
    )
    func announced() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        func awaitsPublication(after archive: String?) throws -> Bool {
            _ = try unit.store(Self.received("1.1", archive: archive, blob: "same"))
            let isAwaited = try unit.awaitedPublication(of: "1.2.3") != nil
            try StudyService().publish("1.2.3", in: unit)
            return isAwaited
        }
        #expect(try awaitsPublication(after: "PACS"))
        #expect(try !awaitsPublication(after: "PACS"))
        #expect(try awaitsPublication(after: nil))
        #expect(try !awaitsPublication(after: nil))
    }

    @Test(
        "Other content of the archive takes the place of its copy, and of nothing else, whatever the archive may replace"
    )
    func refreshed() throws {
        func outcome(_ stored: String?, _ sent: String?, _ policy: ConflictPolicy) throws -> String {
            let unit = MemoryUnit()
            _ = try unit.register(Make.patient("100"))
            _ = try unit.store(Self.received("1.1", archive: stored, blob: "old"))
            let old = try #require(try unit.instance("1.1"))
            let outcome = try StudyService().resolve(
                Self.received("1.1", archive: sent, blob: "new"), against: old, difference: nil, policy: policy,
                in: unit)
            let now = try #require(try unit.instance("1.1"))
            #expect((now.blobID.value == "new") == (outcome != .conflict))
            return "\(now.blobID.value) of \(now.archive ?? "here")"
        }
        #expect(try outcome("PACS", "PACS", .keepFirst) == "new of PACS")
        #expect(try outcome("PACS", "OTHER", .replace) == "old of PACS")
        #expect(try outcome(nil, "PACS", .replace) == "old of here")
        #expect(try outcome("PACS", nil, .keepFirst) == "old of PACS")
        #expect(try outcome("PACS", nil, .replace) == "new of here")
    }

    @Test("A copy with an accession number of no order here belongs to its patient; one sent here is kept aside")
    func foreignAccession() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        let copied = try unit.store(Self.received("1.1", archive: "PACS", accession: "OLD-7"))
        #expect(copied == .stored(.unscheduled(patientID: patient)))
        let other = MemoryUnit()
        _ = try other.register(Make.patient("100"))
        let sent = try other.store(Self.received("1.1", archive: nil, accession: "OLD-7"))
        #expect(sent == .stored(.quarantined(.unknownAccession)))
        // Nobody's patient is guessed.
        let third = MemoryUnit()
        let stranger = try third.store(Self.received("1.1", archive: "PACS"))
        #expect(stranger == .stored(.quarantined(.unknownPatient)))
    }
}
