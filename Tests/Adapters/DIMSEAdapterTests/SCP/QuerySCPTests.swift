import Access
import DICOMData
import DICOMNetwork
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// PS3.4 §C.4.1, C-FIND of stored studies.
@Suite(.takingTurns) struct QuerySCPTests {
    private func identifier(_ level: String, _ values: [DICOMData.Tag: String] = [:], characterSet: String? = nil)
        -> DataSet
    {
        var set = DataSet()
        if let characterSet { set.set(.specificCharacterSet, string: characterSet) }
        set.set(.queryRetrieveLevel, string: level)
        for tag in [DICOMData.Tag.patientName, .patientID, .studyInstanceUID] { set.setEmpty(tag) }
        for (tag, value) in values { set.set(tag, string: value) }
        return set
    }

    /// One query, and all that was answered.
    private func find(
        _ index: StudyIndex, _ identifier: DataSet, sopClassUID: String = UID.studyRootFind,
        extended: [UInt8]? = nil, audit: any AuditTrail = MemoryAudit(), matchesMax: Int = 1000
    ) async throws -> [(message: DIMSEMessage, dataSet: DataSet?)] {
        let answers = Received()
        try await TestListener.run(services: [QuerySCP(index: index, audit: audit, matchesMax: matchesMax)]) { test in
            var terms = SCUAssociation.Terms()
            if let extended {
                terms.extendedNegotiations = [ExtendedNegotiation(sopClassUID: sopClassUID, information: extended)]
            }
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(sopClassUID, [TransferSyntax.explicitVRLittleEndian.uid])], terms: terms)
            let context = try #require(association.negotiated.contexts.first)
            if let extended {
                #expect(
                    association.negotiated.extendedNegotiations == [
                        ExtendedNegotiation(
                            sopClassUID: sopClassUID, information: zip(extended, [1, 1, 1, 0, 0]).map { $0 & $1 })
                    ])
            }
            let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(identifier)
            let responses = try await association.request(context, ByteBuffer(bytes: bytes)) {
                .cFindRequest(messageID: $0, sopClassUID: sopClassUID)
            }
            try await association.release()
            await answers.set(
                try responses.map {
                    (
                        $0.message,
                        try $0.dataSet.map {
                            try DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(
                                Array($0.readableBytesView))
                        }
                    )
                })
        }
        return await answers.all
    }

    private actor Received {
        var all: [(message: DIMSEMessage, dataSet: DataSet?)] = []
        func set(_ all: [(message: DIMSEMessage, dataSet: DataSet?)]) { self.all = all }
    }

    @Test("FF00 for each match of several pages, each with level, retrieve AE title and unique key, then 0000; audited")
    func matches() async throws {
        let index = StudyIndex(matches: (0..<1600).map { StudyIndex.match($0) })
        let audit = MemoryAudit()
        let answers = try await find(
            index, identifier("STUDY", [.patientName: "Doe*"]), audit: audit, matchesMax: 2000)
        #expect(answers.count == 1601)
        #expect(answers.dropLast().allSatisfy { $0.message.status == .pending })
        #expect(answers.last?.message.status == .success)
        #expect(answers.last?.dataSet == nil)
        let first = try #require(answers.first?.dataSet)
        #expect(first.string(.queryRetrieveLevel) == "STUDY")
        #expect(first.string(.retrieveAETitle) == "HILUM")
        #expect(first.string(.studyInstanceUID) == "1.2.0")
        #expect(first.string(.patientName) == "Doe^Jane")
        #expect(index.state.withLock { $0.queries.map(\.offset) } == [0, 500, 1500])
        #expect(index.state.withLock { $0.queries.map(\.limit) } == [500, 1000, 500])
        #expect(audit.records.map(\.query) == ["patientName=Doe*"])
    }

    @Test("A patient of many studies is answered once at PATIENT level; at most as many as allowed, then A700")
    func patients() async throws {
        let matches = (0..<30).map { StudyIndex.match($0, patient: "P\($0 % 3)") }
        let answers = try await find(
            StudyIndex(matches: matches), identifier("PATIENT"), sopClassUID: UID.patientRootFind)
        #expect(answers.compactMap { $0.dataSet?.string(.patientID) } == ["P0", "P1", "P2"])
        #expect(answers.last?.message.status == .success)
        let cut = try await find(
            StudyIndex(matches: matches), identifier("STUDY"), matchesMax: 10)
        #expect(cut.count == 11)
        #expect(cut.last?.message.status == .outOfResources)
    }

    @Test("§C.4.1.1.4: an identifier that does not fit is A900 with the offending key, and nothing is looked for")
    func problems() async throws {
        let index = StudyIndex(matches: [StudyIndex.match(1)])
        for (identifier, tag) in [
            (identifier("SERIES"), DICOMData.Tag.studyInstanceUID), (identifier("EXAM"), .queryRetrieveLevel),
            (identifier("STUDY", [.studyDate: "yesterday"]), .studyDate),
        ] {
            let answer = try #require(try await find(index, identifier).first?.message)
            #expect(answer.status == .dataSetDoesNotMatchSOPClass)
            let (group, element) = (tag.group, tag.element)
            #expect(
                answer.command[.offendingElement] == [
                    UInt8(group & 0xFF), UInt8(group >> 8), UInt8(element & 0xFF), UInt8(element >> 8),
                ])
            #expect(answer.command.text(.errorComment)?.isEmpty == false)
        }
        #expect(index.state.withLock { $0.queries.isEmpty })
    }

    @Test("§C.5.1.1: relational, combined and fuzzy matching are had when agreed on")
    func extendedNegotiation() async throws {
        let index = StudyIndex(matches: [StudyIndex.match(1)])
        let series = identifier("SERIES", [.studyDate: "20260101-20260131", .studyTime: "1000-1200"])
        #expect(try await find(index, series).last?.message.status == .dataSetDoesNotMatchSOPClass)
        #expect(try await find(index, series, extended: [0, 1]).last?.message.status == .dataSetDoesNotMatchSOPClass)
        _ = try await find(index, series, extended: [1, 0, 1])
        _ = try await find(index, series, extended: [1, 1, 1, 1, 1])
        let queries = index.state.withLock { $0.queries }
        #expect(queries.map(\.keys.periods.count) == [0, 1])
        let name = identifier("STUDY", [.patientName: "Smith^J"])
        for options: [UInt8] in [[0, 1, 0], [0, 0, 1], [0, 0]] {
            _ = try await find(index, name, extended: options)
        }
        let names = index.state.withLock { $0.queries.suffix(3).map { $0.keys[.patientName] } }
        #expect(names == [.name("Smith^J"), .similarName("Smith^J"), .name("Smith^J")])
    }

    @Test("§C.4.1.1.3.2: text in the character set of the request where it fits, else in UTF-8")
    func characterSets() async throws {
        let index = StudyIndex(matches: [
            StudyIndex.match(1, name: "Müller^Ä"), StudyIndex.match(2, name: "山田^太郎"),
        ])
        let answers = try await find(index, identifier("STUDY", characterSet: "ISO_IR 100")).compactMap(\.dataSet)
        #expect(answers.map { $0.string(.specificCharacterSet) } == ["ISO_IR 100", "ISO_IR 192"])
        #expect(answers.map { $0.string(.patientName) } == ["Müller^Ä", "山田^太郎"])
    }

    @Test("C-CANCEL ends a query with FE00 before its next match, and no answer follows")
    func cancel() async throws {
        let index = StudyIndex(matches: (0..<20_000).map { StudyIndex.match($0) })
        try await TestListener.run(
            services: [QuerySCP(index: index, audit: MemoryAudit()), VerificationSCP()]
        ) { test in
            let syntaxes = [TransferSyntax.explicitVRLittleEndian.uid]
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(UID.studyRootFind, syntaxes), (UID.verification, syntaxes)])
            let (matches, status) = try await association.find(
                sopClassUID: UID.studyRootFind, identifier: identifier("STUDY"), limit: 3)
            #expect(status == .cancelled)
            #expect(matches.count >= 3)
            #expect(matches.count < 20_000)
            #expect(try await association.echo() == .success)
            try await association.release()
        }
    }

    @Test("What cannot be audited or read is A700, a key that the store takes never is C000")
    func failures() async throws {
        struct FailingAudit: AuditTrail {
            func record(_ record: AuditRecord) async throws { throw StoreError(.unavailable, "test") }
        }
        let index = StudyIndex(matches: [StudyIndex.match(1)])
        #expect(
            try await find(index, identifier("STUDY"), audit: FailingAudit()).map(\.message.status)
                == [.outOfResources])
        index.state.withLock { $0.failure = StoreError(.unavailable, "test") }
        #expect(try await find(index, identifier("STUDY")).map(\.message.status) == [.outOfResources])
        index.state.withLock { $0.failure = StoreError(.unacceptable, "test") }
        #expect(try await find(index, identifier("STUDY")).map(\.message.status) == [.cannotUnderstand])
    }

    @Test("An identifier of a megabyte of keys, or one that is none, is refused and the association goes on")
    func hostile() async throws {
        try await TestListener.run(services: [QuerySCP(index: StudyIndex(), audit: MemoryAudit())]) { test in
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(UID.studyRootFind, [TransferSyntax.explicitVRLittleEndian.uid])])
            let context = try #require(association.negotiated.contexts.first)
            for bytes in [ByteBuffer(repeating: 0x20, count: 3 << 20), ByteBuffer(bytes: [8, 0, 0x52])] {
                let responses = try await association.request(context, bytes) {
                    .cFindRequest(messageID: $0, sopClassUID: UID.studyRootFind)
                }
                #expect(responses.count == 1)
                #expect(responses.first?.message.status?.kind == .failure)
            }
            let many = (0..<20_000).map { "1.2.\($0)" }.joined(separator: "\\")
            let set = identifier("STUDY", [.studyInstanceUID: many])
            let responses = try await association.request(
                context, ByteBuffer(bytes: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set))
            ) { .cFindRequest(messageID: $0, sopClassUID: UID.studyRootFind) }
            #expect(responses.map(\.message.status) == [.dataSetDoesNotMatchSOPClass])
            try await association.release()
        }
    }
}
