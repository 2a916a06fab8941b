import Access
import FHIRResources
import Synchronization
import TestSupport
import Workflow

@testable import SQLStore

/// Values and stores for the tests of the workflow's tables.
enum WorkflowSupport {
    static let server = AccessContext.server(requestID: "t")

    /// A store with the projection of the server, on a fresh database.
    static func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await TestDatabases.with(kind) { database in
            try await body(store(database))
        }
    }

    static func store(
        _ database: SQLDatabase, stations: WorklistStations = WorklistStations(),
        authorities: AssigningAuthorities? = nil
    ) -> RelationalStore {
        RelationalStore(
            database: database, entropy: SeededEntropy(), observers: [FHIRProjector()],
            baseURL: "https://hilum.example/fhir", stations: stations, authorities: authorities)
    }

    static func at(_ seconds: Int64) -> UTCInstant { UTCInstant(microseconds: seconds * 1_000_000) }
    static func mrn(_ value: String) -> Identifier { Identifier(system: "urn:mrn", value: value, kind: .medicalRecord) }
    static func concept(_ code: String) -> CodedConcept {
        CodedConcept(codings: [.init(system: "urn:c", code: code, display: "D \(code)")], text: "T")
    }

    static func received(
        _ sop: String, study: String, series: String, number: Int? = 1, seriesNumber: Int? = 1,
        modality: String? = "CT",
        _ fill: (inout StudyAttributes, inout SeriesAttributes) -> Void = { _, _ in }
    ) -> ReceivedInstance {
        var ofStudy = StudyAttributes()
        ofStudy.patientID = "100"
        ofStudy.patientIDSystem = "urn:mrn"
        var ofSeries = SeriesAttributes()
        ofSeries.modality = modality
        ofSeries.seriesNumber = seriesNumber
        ofSeries.patientID = "100"
        ofSeries.patientIDSystem = "urn:mrn"
        fill(&ofStudy, &ofSeries)
        let instance = Instance(
            studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: sop,
            sopClassUID: "1.2.840.10008.5.1.4.1.1.2",
            instanceNumber: number, transferSyntaxUID: "1.2.840.10008.1.2.1", rows: 2, columns: 3, bitsAllocated: 16,
            numberOfFrames: 1, blobID: BlobID("blob-\(sop)"), size: 100, dataSetOffset: 10, pixelDataOffset: 50,
            pixelDataLength: -1, receivedAt: at(1), receivedFrom: "MODALITY")
        return ReceivedInstance(
            instance: instance, study: ofStudy, series: ofSeries, header: Array(sop.utf8),
            bulk: [.init(path: "00280010/0/00280011", vr: "OB", offset: 1, length: 2)], frameIndex: [1, 2, 3])
    }

    static func patient(_ value: String, family: String = "Doe", given: String = "Jane") -> PatientUpdate {
        var update = PatientUpdate(identifiers: [mrn(value)])
        update.names = .set([HumanName(family: family, given: [given])])
        return update
    }
}

extension RelationalStore {
    /// One unit of work of the workflow.
    func work<Value: Sendable>(_ body: @escaping @Sendable (any UnitOfWork) throws -> Value) async throws -> Value {
        try await (self as any WorkflowStore).write(WorkflowSupport.server, body)
    }
    func look<Value: Sendable>(_ body: @escaping @Sendable (any UnitOfWork) throws -> Value) async throws -> Value {
        try await (self as any WorkflowStore).read(WorkflowSupport.server, body)
    }
}
