import Access
import DICOMData
import DICOMNetwork
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// PS3.4 Annex F, N-CREATE, N-SET and N-GET of performed procedure steps.
@Suite(.takingTurns) struct PerformedProcedureStepSCPTests {
    private static let syntax = TransferSyntax.explicitVRLittleEndian

    private func attributes(_ status: String) -> DataSet {
        var item = DataSet()
        item.set(.studyInstanceUID, string: "1.2.3")
        var set = DataSet()
        set.set(.scheduledStepAttributesSequence, items: [item])
        set.set(.performedProcedureStepID, string: "PPS1")
        set.set(.performedStationAETitle, string: "CT1")
        set.set(.performedProcedureStepStartDate, string: "20260105")
        set.set(.performedProcedureStepStartTime, string: "101500")
        set.set(.performedProcedureStepStatus, string: status)
        set.set(.modality, string: "CT")
        return set
    }

    private func end(_ status: String) -> DataSet {
        var series = DataSet()
        series.set(.seriesInstanceUID, string: "1.2.3.1")
        var set = DataSet()
        set.set(.performedProcedureStepStatus, string: status)
        set.set(.performedProcedureStepEndDate, string: "20260105")
        set.set(.performedProcedureStepEndTime, string: "103000")
        set.set(.performedSeriesSequence, items: [series])
        return set
    }

    /// The response to one request of the modality.
    private func ask(
        _ association: SCUAssociation, _ field: CommandField, _ uid: String?, _ set: DataSet?, asked: [UInt8]? = nil
    ) async throws -> (message: DIMSEMessage, dataSet: ByteBuffer?) {
        let isGet = field == .nGetRequest
        let classUID = isGet ? UID.modalityPerformedProcedureStepRetrieve : UID.modalityPerformedProcedureStep
        let context = try #require(association.negotiated.contexts.first { $0.abstractSyntax == classUID })
        let bytes = try set.map { ByteBuffer(bytes: try DataSetEncoder(transferSyntax: Self.syntax).encode($0)) }
        let responses = try await association.request(context, bytes) { messageID in
            var command = CommandSet.request(
                field, messageID: messageID, affectedSOPClassUID: nil, hasDataSet: bytes != nil)
            let isCreate = field == .nCreateRequest
            command.set(isCreate ? .affectedSOPClassUID : .requestedSOPClassUID, uid: classUID)
            command.set(isCreate ? .affectedSOPInstanceUID : .requestedSOPInstanceUID, uid: uid)
            command[.attributeIdentifierList] = asked
            return command
        }
        return try #require(responses.last)
    }

    private func run(_ store: MemoryStore, _ body: @Sendable @escaping (SCUAssociation) async throws -> Void)
        async throws
    {
        try await TestListener.run(
            services: [PerformedProcedureStepSCP(store: store, entropy: SeededEntropy())]
        ) { test in
            let association = try await SCUAssociation.open(
                test.destination,
                contexts: [UID.modalityPerformedProcedureStep, UID.modalityPerformedProcedureStepRetrieve].map {
                    ($0, [Self.syntax.uid])
                })
            try await body(association)
            try await association.release()
        }
    }

    @Test("§F.7.2: created in progress, changed, completed; then nothing more: 0110 with error id A710")
    func life() async throws {
        let store = MemoryStore()
        try await run(store) { association in
            let created = try await ask(association, .nCreateRequest, "1.9.1", attributes("IN PROGRESS"))
            #expect(created.message.status == .success)
            #expect(created.message.sopInstanceUID == "1.9.1")
            #expect(
                try await ask(association, .nCreateRequest, "1.9.1", attributes("IN PROGRESS")).message.status
                    == .duplicateSOPInstance)
            var change = DataSet()
            change.set(.performedProcedureStepDescription, string: "CT head")
            #expect(try await ask(association, .nSetRequest, "1.9.1", change).message.status == .success)
            change.set(.performedStationAETitle, string: "CT2")
            #expect(try await ask(association, .nSetRequest, "1.9.1", change).message.status == .attributeListError)
            #expect(try await ask(association, .nSetRequest, "1.9.1", end("COMPLETED")).message.status == .success)
            let late = try await ask(association, .nSetRequest, "1.9.1", end("DISCONTINUED")).message
            #expect(late.status == .processingFailure)
            #expect(late.command.uint16(.errorID) == 0xA710)
            let got = try await ask(
                association, .nGetRequest, "1.9.1", nil, asked: [0x40, 0, 0x52, 2, 0x40, 0, 0x41, 2])
            let set = try DataSetDecoder(transferSyntax: Self.syntax).decode(
                Array(try #require(got.dataSet).readableBytesView))
            #expect(set.string(.performedProcedureStepStatus) == "COMPLETED")
            #expect(set.string(.performedStationAETitle) == "CT1")
            #expect(set[.modality] == nil)
        }
        #expect(store.content.performed["1.9.1"]?.status == .completed)
        #expect(store.content.audits.map(\.interaction) == ["N-CREATE", "N-SET", "N-SET", "N-SET", "N-GET"])
    }

    @Test("PS3.7 §10.1.5.1.3: a step without a UID is given one, which the answer tells")
    func named() async throws {
        let store = MemoryStore()
        try await run(store) { association in
            let created = try await ask(association, .nCreateRequest, nil, attributes("IN PROGRESS")).message
            let uid = try #require(created.sopInstanceUID)
            #expect(created.status == .success)
            #expect(UID.isValid(uid))
            #expect(try await ask(association, .nSetRequest, uid, end("DISCONTINUED")).message.status == .success)
        }
    }

    @Test("0106, 0112, 0117, 0120, 0121, 0211, 0213 and 0110 each for its fault, with the attribute, and nothing kept")
    func faults() async throws {
        let store = MemoryStore()
        try await run(store) { association in
            #expect(
                try await ask(association, .nCreateRequest, "1.9", attributes("COMPLETED")).message.status
                    == .invalidAttributeValue)
            var set = attributes("IN PROGRESS")
            set.remove(.modality)
            let missing = try await ask(association, .nCreateRequest, "1.9", set).message
            #expect(missing.status == .missingAttribute)
            #expect(missing.command[.offendingElement] == [8, 0, 0x60, 0])
            set.setEmpty(.modality)
            #expect(
                try await ask(association, .nCreateRequest, "1.9", set).message.status == .missingAttributeValue)
            var many = attributes("IN PROGRESS")
            let item = try #require(many.item(.scheduledStepAttributesSequence))
            many.set(.scheduledStepAttributesSequence, items: [DataSet](repeating: item, count: 101))
            #expect(try await ask(association, .nCreateRequest, "1.9", many).message.status == .resourceLimitation)
            #expect(
                try await ask(association, .nCreateRequest, "no uid", attributes("IN PROGRESS")).message.status
                    == .invalidSOPInstance)
            #expect(try await ask(association, .nCreateRequest, "1.9", nil).message.status == .missingAttribute)
            #expect(
                try await ask(association, .nSetRequest, "1.8", end("COMPLETED")).message.status == .noSuchSOPInstance)
            #expect(try await ask(association, .nGetRequest, "1.8", nil).message.status == .noSuchSOPInstance)
            #expect(
                try await ask(association, .nDeleteRequest, "1.8", nil).message.status == .unrecognizedOperation)
            store.state.withLock { $0.failure = StoreError(.unavailable, "test") }
            #expect(
                try await ask(association, .nCreateRequest, "1.9", attributes("IN PROGRESS")).message.status
                    == .processingFailure)
        }
        #expect(store.content.performed.isEmpty)
        #expect(store.content.audits.isEmpty)
    }

    @Test("As SCU: N-CREATE and N-SET with their statuses, and the error ID of a step that has ended at the peer")
    func asSCU() async throws {
        try await run(MemoryStore()) { association in
            let scu = try NormalizedSCU(association, sopClassUID: UID.modalityPerformedProcedureStep)
            #expect(try await scu.create("1.2.9", attributes("COMPLETED")) == .invalidAttributeValue)
            #expect(try await scu.create("1.2.9", attributes("IN PROGRESS")) == .success)
            #expect(try await scu.create("1.2.9", attributes("IN PROGRESS")) == .duplicateSOPInstance)
            #expect(try await scu.set("1.2.8", end("COMPLETED")).status == .noSuchSOPInstance)
            let ended = try await scu.set("1.2.9", end("COMPLETED"))
            #expect(ended.status == .success)
            #expect(ended.errorID == nil)
            let again = try await scu.set("1.2.9", end("COMPLETED"))
            #expect(again.status == .processingFailure)
            #expect(again.errorID == 0xA710)
        }
    }
}
