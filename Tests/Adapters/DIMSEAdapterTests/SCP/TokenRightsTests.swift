import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// What an association may do whose user is identified by a token. PS3.7 §D.3.3.7, Annex C (0124H).
@Suite(.takingTurns) struct TokenRightsTests {
    private static let syntax = TransferSyntax.explicitVRLittleEndian

    /// A token says its scopes; its person is an administrator, who sees most.
    private struct ScopeTokens: TokenVerifying {
        func accessContext(
            bearerToken: String, requestID: String, sourceAddress: String?
        ) async throws -> AccessContext? {
            AccessContext(
                principal: Principal(kind: .client, id: "app"),
                scopes: bearerToken.split(separator: " ").compactMap { Scope(String($0)) }, patient: "p",
                reach: [.patient("p")], practice: Practice(.administrator, accountID: "a", fhirUser: nil, time: 1),
                requestID: requestID, sourceAddress: sourceAddress)
        }
    }

    private static func encoded(_ set: DataSet) throws -> ByteBuffer {
        ByteBuffer(bytes: try DataSetEncoder(transferSyntax: syntax).encode(set))
    }

    private static func step() throws -> ByteBuffer {
        var item = DataSet()
        item.set(.studyInstanceUID, string: "1.2.3")
        var set = DataSet()
        set.set(.scheduledStepAttributesSequence, items: [item])
        set.set(.performedProcedureStepID, string: "PPS1")
        set.set(.performedStationAETitle, string: "CT1")
        set.set(.performedProcedureStepStartDate, string: "20260105")
        set.set(.performedProcedureStepStartTime, string: "101500")
        set.set(.performedProcedureStepStatus, string: "IN PROGRESS")
        set.set(.modality, string: "CT")
        return try encoded(set)
    }

    private static func change() throws -> ByteBuffer {
        var set = DataSet()
        set.set(.performedProcedureStepDescription, string: "CT head")
        return try encoded(set)
    }

    private static func object() throws -> ByteBuffer {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.3.4")
        set.set(.studyInstanceUID, string: "1.2.3")
        set.set(.seriesInstanceUID, string: "1.2.3.1")
        set.set(.patientID, string: "P1")
        return try encoded(set)
    }

    private static func commitment() throws -> ByteBuffer {
        var item = DataSet()
        item.set(.referencedSOPClassUID, string: UID.ctImageStorage)
        item.set(.referencedSOPInstanceUID, string: "1.2.3.4")
        var set = DataSet()
        set.set(.transactionUID, string: "1.2.9")
        set.set(.referencedSOPSequence, items: [item])
        return try encoded(set)
    }

    private static func ask(
        _ association: SCUAssociation, _ field: CommandField, _ classUID: String, _ instance: String,
        _ bytes: ByteBuffer?, action: UInt16? = nil
    ) async throws -> DIMSEStatus? {
        let context = try #require(association.negotiated.contexts.first { $0.abstractSyntax == classUID })
        return try await association.request(context, bytes) { messageID in
            var command = CommandSet.request(
                field, messageID: messageID, affectedSOPClassUID: nil, hasDataSet: bytes != nil)
            let isCreate = field == .nCreateRequest
            command.set(isCreate ? .affectedSOPClassUID : .requestedSOPClassUID, uid: classUID)
            command.set(isCreate ? .affectedSOPInstanceUID : .requestedSOPInstanceUID, uid: instance)
            if let action { command.set(.actionTypeID, uint16: action) }
            return command
        }.last?.message.status
    }

    /// The statuses of C-STORE, N-CREATE, N-SET, N-GET and the N-ACTION of a storage commitment, and the rows that were
    /// refused.
    private func statuses(_ token: String?) async throws -> (
        all: [DIMSEStatus?], refused: [String], content: MemoryStore
    ) {
        let store = MemoryStore()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let ingest = InstanceIngest(
            store: store, blobs: MemoryBlobs(),
            authorities: AssigningAuthorities(
                authorities: [], defaultPatientSystem: "urn:patients", defaultAccessionSystem: "urn:accessions"),
            workers: globalConcurrentExecutor)
        let all = Mutex<[DIMSEStatus?]>([])
        let note = { @Sendable (status: DIMSEStatus?) in all.withLock { $0.append(status) } }
        try await TestListener.run(
            services: [
                StorageSCP(ingest: ingest, logger: logger),
                PerformedProcedureStepSCP(store: store, entropy: SeededEntropy()),
                StorageCommitmentSCP(store: store, associations: ReportAssociations()),
            ], configure: { $0.identities = AccessTokenIdentity(tokens: ScopeTokens()) }
        ) { test in
            // A step that is there whoever asks.
            let peer = try await SCUAssociation.open(
                test.destination, contexts: [(UID.modalityPerformedProcedureStep, [Self.syntax.uid])])
            let made = try await Self.ask(
                peer, .nCreateRequest, UID.modalityPerformedProcedureStep, "1.9.1", try Self.step())
            #expect(made == .success)
            try await peer.release()
            var destination = test.destination
            destination.identity = token.map { token in
                ProposedIdentity(.jsonWebToken { token }, mustBeConfirmed: true)
            }
            let association = try await SCUAssociation.open(
                destination,
                contexts: [
                    UID.ctImageStorage, UID.modalityPerformedProcedureStep, UID.modalityPerformedProcedureStepRetrieve,
                    UID.storageCommitmentPush,
                ].map { ($0, [Self.syntax.uid]) })
            note(
                try await association.store(
                    sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3.4", transferSyntax: Self.syntax.uid,
                    dataSet: try Self.object()))
            note(
                try await Self.ask(
                    association, .nCreateRequest, UID.modalityPerformedProcedureStep, "1.9.2", try Self.step()))
            note(
                try await Self.ask(
                    association, .nSetRequest, UID.modalityPerformedProcedureStep, "1.9.1", try Self.change()))
            note(
                try await Self.ask(
                    association, .nGetRequest, UID.modalityPerformedProcedureStepRetrieve, "1.9.1", nil))
            note(
                try await Self.ask(
                    association, .nActionRequest, UID.storageCommitmentPush, UID.storageCommitmentPushInstance,
                    try Self.commitment(), action: 1))
            try await association.release()
        }
        let refused = store.content.audits.filter { $0.detail == "notAuthorized" }
        #expect(refused.allSatisfy { $0.outcome == .minorFailure })
        return (all.withLock { $0 }, refused.map(\.interaction), store)
    }

    @Test(
        "A token bounds C-STORE, MPPS and storage commitment: 0124 and a row for what it does not allow, nothing kept")
    func bounded() async throws {
        let names = ["store", "N-CREATE", "N-SET", "N-GET", "N-ACTION"]
        // Of the user and the patient level nobody stores, and whose a step is it does not say.
        for (token, allowed) in [
            (nil, [true, true, true, true, true]),
            ("system/ImagingStudy.cruds system/Procedure.cruds", [true, true, true, true, true]),
            ("system/ImagingStudy.c", [true, false, false, false, true]),
            ("system/Procedure.cr", [false, true, false, true, false]),
            ("system/Procedure.u", [false, false, true, false, false]),
            ("system/ImagingStudy.rs system/Procedure.rs?status=completed", [false, false, false, false, false]),
            ("system/Patient.cruds", [false, false, false, false, false]),
            ("user/*.cruds", [false, false, false, false, false]),
            ("patient/*.cruds", [false, false, false, false, false]),
        ] as [(String?, [Bool])] {
            let (all, refused, store) = try await statuses(token)
            #expect(all.count == 5)
            for (status, (name, isAllowed)) in zip(all, zip(names, allowed)) {
                #expect((status == .success) == isAllowed, "\(token ?? "-") \(name): \(status as Any)")
                if !isAllowed { #expect(status == .notAuthorized, "\(token ?? "-") \(name)") }
            }
            #expect(refused == zip(names, allowed).filter { !$0.1 }.map(\.0), "\(token ?? "-")")
            #expect((store.content.performed["1.9.2"] != nil) == allowed[1])
        }
    }
}
