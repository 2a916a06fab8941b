import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// Archives that answer well, late, without an end, or with what was not asked. PS3.4 §C.4.1.
@Suite(.takingTurns) struct ArchiveSCUTests {
    private static let authorities = AssigningAuthorities(
        authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:a")

    private static func archive(_ port: Int) -> Peer {
        var peer = Peer(kind: .applicationEntity, name: "HILUM", host: "127.0.0.1", port: port, offers: [.find])
        peer.archive = ArchiveCapabilities()
        return peer
    }

    private static func query(
        _ level: StudyQueryLevel = .study, _ keys: [SearchKey: KeyMatch] = [.patientID: .exact("P1")],
        seconds: Int = 300
    ) -> ArchiveQuery {
        ArchiveQuery(level: level, keys: SearchKeys(keys), matchesMax: 10, seconds: seconds)
    }

    private static func ask(_ query: ArchiveQuery, _ port: Int, bytesMax: Int = 32 << 20) async -> ArchiveAnswer {
        let associations = OutgoingAssociations()
        let answer = await ArchiveSCU(
            calling: PeerCalling(), callingAETitle: title("CT1"), associations: associations, authorities: authorities,
            bytesOfQueryMax: bytesMax
        ).search(query, at: archive(port))
        #expect(associations.counts.used == 0)
        await associations.close()
        return answer
    }

    /// An archive that answers the one query as it likes.
    private static func asked(
        _ query: ArchiveQuery = query(), bytesMax: Int = 32 << 20,
        _ serve: @Sendable @escaping (CommandSet, UInt8, RawAcceptor.Writer) async throws -> Void
    ) async throws -> ArchiveAnswer {
        let answer = Mutex<ArchiveAnswer?>(nil)
        try await RawAcceptor.run { reader, writer in
            _ = try await reader.accept(writer)
            while let (context, command) = try await reader.command(writer) {
                guard command.uint16(.commandField) == CommandField.cFindRequest.rawValue else { continue }
                try await serve(command, context, writer)
            }
        } _: { port in
            let found = await Self.ask(query, port, bytesMax: bytesMax)
            answer.withLock { $0 = found }
        }
        return try #require(answer.withLock { $0 })
    }

    @Sendable private static func send(
        _ set: DataSet, _ command: CommandSet, _ context: UInt8, _ writer: RawAcceptor.Writer
    ) async throws {
        let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set)
        try await writer.write(data(response(to: command, .pending, hasDataSet: true), context: context))
        try await writer.write(data(bytes, context: context, isCommand: false))
    }

    @Sendable private static func study(_ uid: String, level: String = "STUDY") -> DataSet {
        var set = DataSet()
        set.set(.queryRetrieveLevel, string: level)
        set.set(.studyInstanceUID, string: uid)
        set.set(.patientID, string: "P1")
        return set
    }

    private static func uids(_ answer: ArchiveAnswer) -> [String] { answer.matches.map(\.study.studyInstanceUID) }

    @Test("This server as an archive of another: its studies are found, and a study's series with the study's patient")
    func loopback() async throws {
        var match = StudyIndex.match(1)
        var attributes = SeriesAttributes()
        attributes.modality = "CT"
        match.series = Series(
            studyInstanceUID: "1.2.1", seriesInstanceUID: "1.2.1.5", reconciliation: match.study.reconciliation,
            attributes: attributes, updatedAt: match.study.updatedAt)
        match.numberOfSeriesRelatedInstances = 3
        let index = StudyIndex(matches: [match])
        try await TestListener.run(services: [QuerySCP(index: index, audit: MemoryAudit())]) { test in
            let studies = await Self.ask(Self.query(), test.port)
            #expect(studies.end == .whole && Self.uids(studies) == ["1.2.1"])
            let study = try #require(studies.matches.first)
            #expect(study.archive == "HILUM" && study.study.attributes.patientName == "Doe^Jane")
            #expect(study.study.attributes.patientIDSystem == "urn:patients" && study.modalitiesInStudy == ["CT"])
            let series = await Self.ask(Self.query(.series, [.studyInstanceUID: .exact("1.2.1")]), test.port)
            #expect(series.end == .whole && series.matches.map { $0.series?.seriesInstanceUID } == ["1.2.1.5"])
            #expect(series.matches.first?.study.attributes.patientID == "P1")
            #expect(series.matches.first?.numberOfSeriesRelatedInstances == 3)
        }
    }

    @Test("This server as an archive of another: the instances of a study are found in each of its series")
    func instances() async throws {
        let objects = StoredObjects()
        for number in 1...2 { try objects.add(number) }
        var match = StudyIndex.match(1)
        match.series = Series(
            studyInstanceUID: "1.2.1", seriesInstanceUID: "1.2.1.1", reconciliation: match.study.reconciliation,
            attributes: SeriesAttributes(), updatedAt: match.study.updatedAt)
        let matches = objects.index.state.withLock { $0.instances }.map { instance in
            var found = match
            found.instance = instance
            return found
        }
        let index = StudyIndex(matches: matches)
        try await TestListener.run(services: [QuerySCP(index: index, audit: MemoryAudit())]) { test in
            let found = await Self.ask(
                Self.query(.instance, [.studyInstanceUID: .exact("1.2.1")]), test.port)
            #expect(found.end == .whole)
            #expect(found.matches.map { $0.instance?.sopInstanceUID } == (1...2).map { "1.2.1.1.\($0)" })
            #expect(found.matches.map { $0.instance?.instanceNumber } == matches.map { $0.instance?.instanceNumber })
            #expect(found.matches.allSatisfy { $0.instance?.sopClassUID == UID.ctImageStorage })
            #expect(found.matches.allSatisfy { $0.study.attributes.patientID == "P1" && $0.archive == "HILUM" })
            // From the top down, each level once: one study, its one series, and that series' instances.
            let levels = index.state.withLock { $0.queries }.map(\.level)
            #expect(levels == [.study, .series, .instance])
        }
    }

    @Test("Without a study UID the studies are asked for by what is theirs, and only those that match for their series")
    func relational() async throws {
        let asked = Mutex<[String]>([])
        let keys: [SearchKey: KeyMatch] = [.patientID: .exact("P1"), .modality: .exact("CT")]
        let answer = try await Self.asked(Self.query(.series, keys)) { command, context, writer in
            let count = asked.withLock { asked in
                asked.append("asked")
                return asked.count
            }
            if count == 1 {
                for number in 1...3 {
                    var study = Self.study("1.2.\(number)")
                    if number == 2 { study.set(.patientID, string: "P2") }
                    try await Self.send(study, command, context, writer)
                }
            } else {
                var series = Self.study(count == 2 ? "1.2.1" : "1.2.3", level: "SERIES")
                series.set(.seriesInstanceUID, string: "1.2.\(count).1")
                series.set(.modality, string: "CT")
                try await Self.send(series, command, context, writer)
                // Of another study than was asked for.
                series.set(.studyInstanceUID, string: "1.2.8")
                series.set(.seriesInstanceUID, string: "1.2.8.1")
                try await Self.send(series, command, context, writer)
            }
            try await writer.write(data(response(to: command, .success), context: context))
        }
        #expect(answer.end == .whole && asked.withLock { $0.count } == 3)
        #expect(answer.matches.map { $0.series?.seriesInstanceUID } == ["1.2.2.1", "1.2.3.1"])
        #expect(Self.uids(answer) == ["1.2.1", "1.2.3"])
    }

    @Test("Series beyond what is taken of a query are cut, and those that came are kept")
    func manySeries() async throws {
        let queries = Mutex(0)
        let answer = try await Self.asked(Self.query(.series, [.studyInstanceUID: .exact("1.2.1")])) {
            command, context, writer in
            let isSeries = queries.withLock { queries in
                queries += 1
                return queries > 1
            }
            for number in 0..<(isSeries ? 30 : 1) {
                var match = Self.study("1.2.1", level: isSeries ? "SERIES" : "STUDY")
                if isSeries { match.set(.seriesInstanceUID, string: "1.2.1.\(number)") }
                try await Self.send(match, command, context, writer)
            }
            try await writer.write(data(response(to: command, .success), context: context))
        }
        #expect(answer.end == .cut && answer.matches.count == 10)
    }

    @Test("The bytes of all answers to one query are bounded, however many questions it takes")
    func manyBytes() async throws {
        let questions = Mutex(0)
        let query = Self.query(.series)
        let answer = try await Self.asked(query, bytesMax: 3_000) { command, context, writer in
            let number = questions.withLock { questions in
                questions += 1
                return questions - 1
            }
            if number == 0 {
                for study in 1...3 { try await Self.send(Self.study("1.2.\(study)"), command, context, writer) }
            } else {
                var series = Self.study("1.2.\(number)", level: "SERIES")
                series.set(.seriesInstanceUID, string: "1.2.\(number).1")
                series.set(.seriesDescription, string: String(repeating: "x", count: 1_000))
                try await Self.send(series, command, context, writer)
            }
            try await writer.write(data(response(to: command, .success), context: context))
        }
        #expect(answer.end == .cut && Self.uids(answer) == ["1.2.1", "1.2.2"])
        #expect(questions.withLock { $0 } == 4)
    }

    @Test("A C-FIND here is answered with what lies here, then with what lies in the archive and where that is")
    func throughTheDoor() async throws {
        let behind = StudyIndex(matches: (1...3).map { StudyIndex.match($0) })
        try await TestListener.run(services: [QuerySCP(index: behind, audit: MemoryAudit())]) { archive in
            let associations = OutgoingAssociations()
            let peers = MemoryPeers(all: [Self.archive(archive.port)])
            let search = ArchiveSearch(
                peers: peers,
                directory: ArchiveSCU(
                    calling: PeerCalling(), callingAETitle: title("CT1"), associations: associations,
                    authorities: Self.authorities),
                store: MemoryStore(), audit: MemoryAudit(), clock: ArchiveSearchTests.HandClock())
            let local = StudyIndex(matches: [StudyIndex.match(9)])
            let door = QuerySCP(index: local, audit: MemoryAudit(), archives: search)
            try await TestListener.run(services: [door]) { test in
                let association = try await SCUAssociation.open(
                    test.destination, contexts: FindSCU.contexts(UID.studyRootFind))
                var keys = Self.study("")
                keys.set(.queryRetrieveLevel, string: "STUDY")
                keys.setEmpty(.studyInstanceUID)
                keys.setEmpty(.instanceAvailability)
                let (matches, status) = try await association.find(sopClassUID: UID.studyRootFind, identifier: keys)
                try await association.release()
                #expect(status == .success)
                #expect(matches.map { $0.string(.studyInstanceUID) } == ["1.2.9", "1.2.1", "1.2.2", "1.2.3"])
                #expect(
                    matches.map { $0.string(.instanceAvailability) } == ["ONLINE"]
                        + Array(repeating: "NEARLINE", count: 3))
                #expect(matches.allSatisfy { $0.string(.retrieveAETitle) == "HILUM" })
            }
            await associations.close()
        }
    }

    @Test("One that never answers costs no more than its time, and what it sent before is kept")
    func silent() async throws {
        let answer = try await Self.asked(Self.query(seconds: 10)) { command, context, writer in
            try await Self.send(Self.study("1.2.1"), command, context, writer)
        }
        #expect(answer.end == .failed("\(SCUError.timedOut)"))
        #expect(Self.uids(answer) == ["1.2.1"])
    }

    @Test("One that is not there has failed")
    func absent() async throws {
        let answer = await Self.ask(Self.query(), 1)
        guard case .failed = answer.end else { return #expect(Bool(false), "\(answer.end)") }
    }

    @Test("Matches without an end are cut")
    func endless() async throws {
        let answer = try await Self.asked { command, context, writer in
            for number in 0..<1_000 {
                try await Self.send(Self.study("1.2.\(number)"), command, context, writer)
            }
            try await writer.write(data(response(to: command, .cancelled), context: context))
        }
        #expect(answer.end == .cut && answer.matches.count == 10)
    }

    @Test("Answers of another level, without a UID or sent twice are left out")
    func rubbish() async throws {
        let answer = try await Self.asked { command, context, writer in
            try await Self.send(DataSet(), command, context, writer)
            try await Self.send(Self.study("1.2.1", level: "SERIES"), command, context, writer)
            try await Self.send(Self.study("../../etc"), command, context, writer)
            for _ in 0..<2 { try await Self.send(Self.study("1.2.2"), command, context, writer) }
            try await writer.write(data(response(to: command, .success), context: context))
        }
        #expect(answer.end == .whole && Self.uids(answer) == ["1.2.2"])
    }

    @Test("The series of a study that the archive does not name as asked are not asked for")
    func foreignStudy() async throws {
        let queries = Mutex(0)
        let answer = try await Self.asked(Self.query(.series, [.studyInstanceUID: .exact("1.2.1")])) {
            command, context, writer in
            queries.withLock { $0 += 1 }
            try await Self.send(Self.study("1.2.2"), command, context, writer)
            try await writer.write(data(response(to: command, .success), context: context))
        }
        #expect(answer.end == .whole && answer.matches.isEmpty && queries.withLock { $0 } == 1)
    }

    @Test("A data set that cannot be read is a failure; a refusal of the query is none of the archive")
    func unreadable() async throws {
        let broken = try await Self.asked { command, context, writer in
            try await writer.write(data(response(to: command, .pending, hasDataSet: true), context: context))
            try await writer.write(data([8, 0, 5, 0, 0xFF, 0xFF], context: context, isCommand: false))
        }
        #expect(broken.end == .failed("\(SCUError.responseNotUnderstood)") && broken.matches.isEmpty)
        let refused = try await Self.asked { command, context, writer in
            try await writer.write(data(response(to: command, .dataSetDoesNotMatchSOPClass), context: context))
        }
        guard case .refused = refused.end else { return #expect(Bool(false), "\(refused.end)") }
    }
}
