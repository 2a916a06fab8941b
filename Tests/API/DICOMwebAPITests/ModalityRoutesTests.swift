import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DICOMwebAPI

/// The worklist of modalities and their performed steps by HTTP. PS3.18 §14, §15.
@Suite("Modality worklist and MPPS by HTTP")
struct ModalityRoutesTests {
    /// As many entries as it is told, and the last query.
    private final class Index: ImagingIndex {
        let count: Int
        let query = Mutex<WorklistQuery?>(nil)
        init(count: Int) { self.count = count }
        func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] {
            self.query.withLock { $0 = query }
            return (0..<min(count, query.limit)).map(ModalityRoutesTests.entry)
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

    private final class Trail: AuditTrail {
        let rows = Mutex<[String]>([])
        func record(_ record: AuditRecord) async throws { rows.withLock { $0.append(record.entity ?? "") } }
    }

    private struct Answer {
        var status: Int
        var headers: HTTPFields
        var sets: [DataSet] = []
    }

    private struct Service {
        let store = MemoryStore()
        let index: Index
        let trail = Trail()
        let routes: [Route]

        init(count: Int = 0) {
            index = Index(count: count)
            routes =
                ModalityRoutes(
                    store: store, index: index, audit: trail,
                    authorities: AssigningAuthorities(
                        authorities: [], defaultPatientSystem: "urn:patients",
                        defaultAccessionSystem: "urn:accessions"),
                    entropy: SeededEntropy(), baseURL: "https://h/dicomweb"
                ).routes
        }

        func ask(
            _ operation: String, _ body: [UInt8]? = nil, uid: String = "1.2.3", query: String = "",
            type: String = "application/dicom+json", scope: String = "system/*.cruds", patient: String? = nil
        ) async throws -> Answer {
            let route = try #require(routes.first { $0.operationID == operation })
            let request = APIRequest(
                method: route.method, path: "/", rawQuery: query, headers: body == nil ? [:] : [.contentType: type],
                parameters: PathParameters([("mpps", uid)]),
                body: RequestBody(buffer: ByteBuffer(bytes: body ?? [])),
                access: AccessContext(
                    principal: Principal(kind: .client, id: "modality"), scopes: [try #require(Scope(scope))],
                    patient: patient, requestID: "r"))
            do {
                let response = try await route.handler(request)
                let log = BodyLog()
                try await response.body.write(BodyLog.Writer(log: log))
                let sets = log.bytes.isEmpty ? [] : try DICOMJSON.decode(log.bytes)
                return Answer(status: response.status.code, headers: response.headers, sets: sets)
            } catch {
                let failure = try #require((error as? HTTPFailure) ?? StatusReport().failure(for: error))
                return Answer(status: failure.code.status.code, headers: failure.headers)
            }
        }

        func search(_ query: String) async throws -> Answer {
            try await ask("searchModalityScheduledProcedureSteps", query: query)
        }

        func record(_ body: DataSet, uid: String = "1.2.3", query: String = "") async throws -> Int {
            try await ask(
                "recordModalityPerformedProcedureStep", try DICOMJSON.encode([body]), uid: uid, query: query
            ).status
        }
    }

    static func entry(_ number: Int) -> WorklistEntry {
        let patient = Patient(
            id: EntityID("p\(number)"), identifiers: [Identifier(system: "urn:patients", value: "P\(number)")],
            names: [HumanName(family: "Müller", given: ["A"])])
        let step = ScheduledProcedureStep(
            id: EntityID("s\(number)"), stepID: "SPS\(number)", modality: "CT", stationAETitle: "CT1")
        let order = ImagingOrder(
            id: EntityID("o\(number)"), patientID: patient.id,
            accession: Identifier(system: "urn:accessions", value: "ACC\(number)"), studyInstanceUID: "1.2.\(number)",
            status: .active, code: CodedConcept(text: "CT chest"), steps: [step])
        return WorklistEntry(patient: patient, visit: nil, order: order, step: step)
    }

    private static func creation(_ changes: (inout DataSet) -> Void = { _ in }) -> DataSet {
        var scheduled = DataSet()
        scheduled.set(.studyInstanceUID, string: "1.2.840.1")
        scheduled.set(.accessionNumber, string: "ACC0")
        var set = DataSet()
        set.set(.scheduledStepAttributesSequence, items: [scheduled])
        set.set(.performedProcedureStepID, string: "PPS1")
        set.set(.performedStationAETitle, string: "CT1")
        set.set(.performedProcedureStepStartDate, string: "20260105")
        set.set(.performedProcedureStepStartTime, string: "101500")
        set.set(.performedProcedureStepStatus, string: "IN PROGRESS")
        set.set(.modality, string: "CT")
        changes(&set)
        return set
    }

    private static func completion(_ status: String = "COMPLETED") -> DataSet {
        var series = DataSet()
        series.set(.seriesInstanceUID, string: "1.2.840.1.1")
        var set = DataSet()
        set.set(.performedProcedureStepStatus, string: status)
        set.set(.performedProcedureStepEndDate, string: "20260105")
        set.set(.performedProcedureStepEndTime, string: "103000")
        set.set(.performedSeriesSequence, items: [series])
        return set
    }

    // MARK: Worklist

    @Test(
        "§14.4: a key that is none, is not matched or has no value of its VR is 400, and nothing is looked for",
        arguments: [
            "x=1", "PatientWeight=70", "ScheduledProcedureStepSequence.ScheduledStationName=A",
            "ScheduledProcedureStepSequence.ScheduledProcedureStepStartDate=x", "PatientID=1&PatientID=2", "limit=-1",
            "offset=x", "offset=99999999999999999999", "StudyInstanceUID=a", "Modality=CT",
        ])
    func badKeys(query: String) async throws {
        let service = Service(count: 1)
        #expect(try await service.search(query).status == 400)
        #expect(service.index.query.withLock { $0 } == nil)
        #expect(service.trail.rows.withLock { $0 } == [])
    }

    @Test("§14.4: keys at the root and in the step are asked of the worklist, and each match comes whole")
    func search() async throws {
        let service = Service(count: 2)
        let answer = try await service.search(
            "ScheduledProcedureStepSequence.Modality=CT&00400100.00400001=CT1&PatientID=P*&includefield=all&PatientSex="
        )
        #expect(answer.status == 200)
        #expect(answer.sets.map { $0.string(.accessionNumber) } == ["ACC0", "ACC1"])
        #expect(answer.sets.first?.item(.scheduledProcedureStepSequence)?.string(.modality) == "CT")
        #expect(answer.sets.first?.string(.patientName)?.hasPrefix("Müller^A") == true)
        let keys = try #require(service.index.query.withLock { $0 }?.keys)
        #expect(keys.exact(.modality) == "CT" && keys.exact(.scheduledStationAETitle) == "CT1")
        #expect(keys[.patientID] == .wildcard("P*"))
        #expect(service.trail.rows.withLock { $0 } == ["worklist"])
        #expect(try await Service().search("").sets.isEmpty)
    }

    @Test("§8.3.4.4: pages end at the limit of all entries, and a warning says that there are more")
    func pages() async throws {
        let service = Service(count: 3)
        let first = try await service.search("limit=2")
        #expect(first.sets.count == 2 && first.headers[.warning]?.hasPrefix("299 ") == true)
        let second = try await service.search("limit=2&offset=2")
        #expect(second.sets.map { $0.string(.accessionNumber) } == ["ACC2"] && second.headers[.warning] == nil)
        let none = try await service.search("offset=2147483647")
        #expect(none.status == 200 && none.sets.isEmpty)
        let many = Service(count: ModalityRoutes.entriesMax + 1)
        let last = try await many.search("limit=1000&offset=999")
        #expect(last.sets.count == 1 && last.headers[.warning] != nil)
        #expect(try await Service(count: ModalityRoutes.entriesMax).search("limit=1000").headers[.warning] == nil)
        #expect(try await service.search("fuzzymatching=true").headers[.warning]?.contains("fuzzymatching") == true)
    }

    // MARK: Performed steps

    @Test("§15.4, §15.5: created in progress, changed, completed; then nothing follows")
    func life() async throws {
        let service = Service()
        #expect(try await service.record(Self.completion(), query: "update") == 404)
        let created = try await service.ask(
            "recordModalityPerformedProcedureStep", try DICOMJSON.encode([Self.creation()]))
        #expect(created.status == 201)
        #expect(created.headers[.location] == "https://h/dicomweb/modality-performed-procedure-steps/1.2.3")
        #expect(try await service.record(Self.creation()) == 409)
        // What only the creation tells is left as it is, and said.
        var change = DataSet()
        change.set(.performedProcedureStepDescription, string: "CT")
        change.set(.performedStationAETitle, string: "CT2")
        let changed = try await service.ask(
            "recordModalityPerformedProcedureStep", try DICOMJSON.encode([change]), query: "update")
        #expect(changed.status == 200 && changed.headers[.warning]?.contains("(0040,0241)") == true)
        var unfinished = DataSet()
        unfinished.set(.performedProcedureStepStatus, string: "COMPLETED")
        #expect(try await service.record(unfinished, query: "update") == 400)
        #expect(try await service.record(Self.completion("DONE"), query: "update") == 400)
        #expect(try await service.record(Self.completion(), query: "update=") == 200)
        #expect(try await service.record(Self.completion("DISCONTINUED"), query: "update") == 409)
        let step = try #require(service.store.content.performed["1.2.3"])
        #expect(step.status == .completed && step.performedBy == "modality")
        #expect(
            service.store.content.audits.map(\.interaction) == ["create", "update", "update"])
    }

    @Test("§15.4: what is no performed step is refused by its fault, and nothing is kept")
    func faults() async throws {
        let service = Service()
        #expect(try await service.record(Self.creation { $0[.modality] = nil }) == 400)
        #expect(try await service.record(Self.creation { $0.setEmpty(.performedProcedureStepID) }) == 400)
        #expect(
            try await service.record(
                Self.creation { $0.set(.performedProcedureStepStatus, string: "COMPLETED") }) == 400)
        #expect(try await service.record(Self.creation(), uid: "../1") == 400)
        #expect(try await service.record(Self.creation(), query: "other=1") == 400)
        let operation = "recordModalityPerformedProcedureStep"
        #expect(try await service.ask(operation, Array("[{}, {}]".utf8)).status == 400)
        #expect(try await service.ask(operation, Array("[".utf8)).status == 400)
        #expect(try await service.ask(operation, Array("{}".utf8), type: "text/plain").status == 415)
        let large = [UInt8](repeating: UInt8(ascii: " "), count: PerformedStepDataSet.bytesMax + 1)
        #expect(try await service.ask(operation, large).status == 413)
        let body = try DICOMJSON.encode([Self.creation()])
        #expect(try await service.ask(operation, body, scope: "system/Procedure.u").status == 403)
        #expect(try await service.ask(operation, body, query: "update", scope: "system/Procedure.c").status == 403)
        #expect(try await service.ask(operation, body, scope: "patient/Procedure.c", patient: "p").status == 403)
        #expect(service.store.content.performed.isEmpty && service.store.content.audits.isEmpty)
    }

    @Test("§15.6: retrieved whole or by what is asked for; XML goes in as JSON does")
    func retrieve() async throws {
        let service = Service()
        let operation = "retrieveModalityPerformedProcedureStep"
        #expect(try await service.ask(operation).status == 404)
        let xml = try NativeDICOMModel.encode(Self.creation { $0.set(.patientName, string: "Doe^Jane") })
        #expect(
            try await service.ask("recordModalityPerformedProcedureStep", xml, type: "application/dicom+xml").status
                == 201)
        let all = try #require(try await service.ask(operation, query: "includefield=all").sets.first)
        #expect(all.string(.patientName) == "Doe^Jane" && all.string(.modality) == "CT")
        let some = try #require(
            try await service.ask(operation, query: "includefield=Modality,00400280").sets.first)
        #expect(some.string(.modality) == "CT" && some[.patientName] == nil)
        #expect(some[.commentsOnThePerformedProcedureStep]?.bytes?.isEmpty == true)
        for query in ["includefield=x", "includefield=all,Modality", "includefield=", "includefield=A.B"] {
            #expect(try await service.ask(operation, query: query).status == 400, "\(query)")
        }
        #expect(try await service.ask(operation, scope: "system/Procedure.s").status == 403)
    }
}
