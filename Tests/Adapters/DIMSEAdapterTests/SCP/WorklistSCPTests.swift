import Access
import DICOMData
import DICOMNetwork
import DIMSEAdapter
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

/// PS3.4 Annex K.
@Suite(.takingTurns) struct WorklistSCPTests {
    /// As many entries as it is told, and the last query.
    private final class Index: ImagingIndex {
        let count: Int
        let fails: Bool
        let query = Mutex<WorklistQuery?>(nil)
        init(count: Int, fails: Bool = false) {
            self.count = count
            self.fails = fails
        }
        func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] {
            self.query.withLock { $0 = query }
            if fails { throw StoreError(.unavailable, "test") }
            return (0..<min(count, query.limit)).map { WorklistSCPTests.entry($0) }
        }
        func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
            StudyMatches(matches: [], remaining: 0)
        }
        func instances(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [Instance] { [] }
        func headers(
            studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
            limit: Int, access: AccessContext
        ) async throws -> [InstanceHeader] { [] }
    }

    private struct FailingAudit: AuditTrail {
        func record(_ record: AuditRecord) async throws { throw StoreError(.unavailable, "test") }
    }

    static func entry(_ number: Int) -> WorklistEntry {
        let patient = Patient(
            id: EntityID("p\(number)"), identifiers: [Identifier(system: "urn:patients", value: "P\(number)")],
            names: [HumanName(family: number == 0 ? "Müller" : number == 1 ? "山田" : "Smith", given: ["A"])])
        let step = ScheduledProcedureStep(
            id: EntityID("s\(number)"), stepID: "SPS\(number)", modality: "CT", stationAETitle: "CT1")
        let order = ImagingOrder(
            id: EntityID("o\(number)"), patientID: patient.id,
            accession: Identifier(system: "urn:accessions", value: "ACC\(number)"), studyInstanceUID: "1.2.\(number)",
            status: .active, code: CodedConcept(text: "CT chest"), steps: [step])
        return WorklistEntry(patient: patient, visit: nil, order: order, step: step)
    }

    private func scp(_ index: Index, audit: any AuditTrail = MemoryAudit(), matchesMax: Int = 1000) -> WorklistSCP {
        WorklistSCP(
            index: index,
            authorities: AssigningAuthorities(
                authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:accessions"),
            audit: audit, matchesMax: matchesMax)
    }

    private func identifier(characterSet: String? = nil) -> DataSet {
        var step = DataSet()
        step.set(.modality, string: "CT")
        step.set(.scheduledStationAETitle, string: "CT1")
        step.setEmpty(.scheduledProcedureStepID)
        var set = DataSet()
        if let characterSet { set.set(.specificCharacterSet, string: characterSet) }
        set.setEmpty(.patientName)
        set.setEmpty(.patientID)
        set.setEmpty(.accessionNumber)
        set.setEmpty(.requestingService)
        set.set(.scheduledProcedureStepSequence, items: [step])
        return set
    }

    private func open(
        _ test: TestListener, transferSyntax: TransferSyntax = .explicitVRLittleEndian
    ) async throws -> SCUAssociation {
        try await SCUAssociation.open(
            test.destination, contexts: [(UID.modalityWorklistFind, [transferSyntax.uid])])
    }

    @Test(
        "PS3.4 §K.4.1.1.4: FF00 for each match with the keys asked for, 0000 at the end, in each transfer syntax",
        arguments: [
            TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
            .deflatedExplicitVRLittleEndian,
        ])
    func find(syntax: TransferSyntax) async throws {
        let index = Index(count: 3)
        let audit = MemoryAudit()
        try await TestListener.run(services: [scp(index, audit: audit)]) { test in
            let association = try await open(test, transferSyntax: syntax)
            let (matches, status) = try await association.find(identifier: identifier())
            #expect(status == .success)
            #expect(matches.map { $0.string(.accessionNumber) } == ["ACC0", "ACC1", "ACC2"])
            let first = try #require(matches.first)
            // Asked for and unknown: there, and empty. Not asked for: not there.
            #expect(first[.requestingService]?.bytes?.isEmpty == true)
            #expect(first[.studyInstanceUID] == nil)
            #expect(first.item(.scheduledProcedureStepSequence)?.string(.scheduledProcedureStepID) == "SPS0")
            try await association.release()
        }
        index.query.withLock {
            #expect($0?.keys.exact(.modality) == "CT")
            #expect($0?.keys.exact(.scheduledStationAETitle) == "CT1")
        }
        #expect(audit.records.map(\.interaction) == ["C-FIND"])
        #expect(audit.records.first?.principal.id == "CT1")
    }

    @Test("D12, PS3.4 Table K.4-1: FF01 in each response where a key is not supported, else FF00; C000 for a bad value")
    func unsupportedKeys() async throws {
        var plain = DataSet()
        plain.setEmpty(.patientName)
        plain.set(.patientSex, string: "F")
        var unmatched = plain
        unmatched.set(.patientWeight, string: "70")
        var bad = DataSet()
        bad.set(.patientBirthDate, string: "1970-01-01")
        let inputs = [
            (plain, [DIMSEStatus.pending, .pending, .success]),
            (unmatched, [.pendingKeysUnsupported, .pendingKeysUnsupported, .success]), (bad, [.cannotUnderstand]),
        ]
        try await TestListener.run(services: [scp(Index(count: 2))]) { test in
            let association = try await open(test)
            let context = try #require(association.negotiated.contexts.first)
            for (identifier, expected) in inputs {
                let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(identifier)
                let responses = try await association.request(context, ByteBuffer(bytes: bytes)) {
                    .cFindRequest(messageID: $0, sopClassUID: UID.modalityWorklistFind)
                }
                #expect(responses.map(\.message.status) == expected)
            }
            try await association.release()
        }
    }

    @Test("PS3.4 §C.4.1.1.3.2: names come in the character set of the request where it can say them, else in UTF-8")
    func characterSets() async throws {
        try await TestListener.run(services: [scp(Index(count: 3))]) { test in
            let association = try await open(test)
            let (matches, _) = try await association.find(identifier: identifier(characterSet: "ISO_IR 100"))
            #expect(matches.map { $0.string(.specificCharacterSet) } == ["ISO_IR 100", "ISO_IR 192", "ISO_IR 100"])
            #expect(
                matches.compactMap { $0.string(.patientName)?.split(separator: "^").first } == [
                    "Müller", "山田", "Smith",
                ])
            try await association.release()
        }
    }

    @Test("PS3.7 §9.3.2.3: C-CANCEL ends the query with FE00, and the association goes on")
    func cancel() async throws {
        try await TestListener.run(services: [scp(Index(count: 20_000), matchesMax: 20_000), VerificationSCP()]) {
            test in
            let association = try await SCUAssociation.open(
                test.destination,
                contexts: [
                    (UID.modalityWorklistFind, [TransferSyntax.implicitVRLittleEndian.uid]),
                    (UID.verification, [TransferSyntax.implicitVRLittleEndian.uid]),
                ])
            let (matches, status) = try await association.find(identifier: identifier(), limit: 3)
            #expect(status == .cancelled)
            #expect(matches.count >= 3)
            #expect(matches.count < 20_000)
            #expect(try await association.echo() == .success)
            try await association.release()
        }
    }

    @Test("Matches at the limit end with 0000, one more with A700 after as many as the limit")
    func matchLimit() async throws {
        for (count, expected) in [(5, DIMSEStatus.success), (6, .outOfResources)] {
            try await TestListener.run(services: [scp(Index(count: count), matchesMax: 5)]) { test in
                let association = try await open(test)
                let (matches, status) = try await association.find(identifier: identifier())
                #expect(matches.count == 5)
                #expect(status == expected)
                try await association.release()
            }
        }
    }

    @Test("A700 without a store or audit trail, C000 for an identifier that cannot be read, A700 for one too long")
    func failures() async throws {
        for service in [scp(Index(count: 1, fails: true)), scp(Index(count: 1), audit: FailingAudit())] {
            try await TestListener.run(services: [service]) { test in
                let association = try await open(test)
                let (matches, status) = try await association.find(identifier: identifier())
                #expect(matches.isEmpty)
                #expect(status == .outOfResources)
                try await association.release()
            }
        }
        try await TestListener.run(services: [scp(Index(count: 1))]) { test in
            let association = try await open(test)
            let context = try #require(association.negotiated.contexts.first)
            for (bytes, status) in [
                (ByteBuffer(bytes: [8, 0, 5]), DIMSEStatus.cannotUnderstand),
                (ByteBuffer(repeating: 0, count: 1 << 20 + 2), .outOfResources),
            ] {
                let responses = try await association.request(context, bytes) {
                    .cFindRequest(messageID: $0, sopClassUID: UID.modalityWorklistFind)
                }
                #expect(responses.map(\.message.status) == [status])
            }
            try await association.release()
        }
    }

    @Test("Mutated identifiers always get a final status, and the association goes on")
    func fuzz() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("WorklistSCPTests.fuzz seed \(seed)")
        var state = seed
        var mutations: [[UInt8]] = []
        let whole = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(identifier())
        for _ in 0..<200 {
            var bytes = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int((state >> 33) % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: state >> 25)
            }
            mutations.append(bytes)
        }
        let inputs = mutations
        try await TestListener.run(services: [scp(Index(count: 1))]) { test in
            let association = try await open(test)
            let context = try #require(association.negotiated.contexts.first)
            for bytes in inputs {
                let responses = try await association.request(context, ByteBuffer(bytes: bytes)) {
                    .cFindRequest(messageID: $0, sopClassUID: UID.modalityWorklistFind)
                }
                #expect(responses.last?.message.status?.isFinal == true, "seed \(seed)")
            }
            try await association.release()
        }
    }
}
