import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import TestSupport
import Testing
import Workflow

@testable import DICOMwebAPI

/// The worklist service by its routes. PS3.18 §11.
@Suite("Workitems by UPS-RS")
struct WorkitemRoutesTests {
    private struct Answer {
        var status: Int
        var headers: HTTPFields
        var sets: [DataSet] = []
    }

    /// The routes over a store in memory that has one peer which takes reports.
    private struct Service {
        let store = MemoryStore()
        let routes: [Route]

        init() {
            routes = WorkitemRoutes(store: store, entropy: SeededEntropy(), baseURL: "https://h/dicomweb").routes
            store.change { $0.peers = [Peer(kind: .applicationEntity, name: "WATCHER", offers: [.ups])] }
        }

        /// The answer of a route, errors as the group words them.
        func ask(
            _ operation: String, _ uid: String = "", query: String = "", _ body: [UInt8]? = nil,
            type: String = "application/dicom+json", aeTitle: String = "WATCHER", scope: String = "system/Task.cruds",
            patient: String? = nil
        ) async throws -> Answer {
            let route = try #require(routes.first { $0.operationID == operation })
            let request = APIRequest(
                method: route.method, path: "/", rawQuery: query,
                headers: body == nil ? [:] : [.contentType: type],
                parameters: PathParameters([("workitem", uid), ("aetitle", aeTitle)]),
                body: RequestBody(buffer: ByteBuffer(bytes: body ?? [])),
                access: AccessContext(
                    principal: Principal(kind: .client, id: "client\\of the house with a long name"),
                    scopes: [try #require(Scope(scope))], patient: patient, requestID: "r"))
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

        func status(_ operation: String, _ uid: String = "", query: String = "", _ body: [UInt8]? = nil) async throws
            -> Int
        { try await ask(operation, uid, query: query, body).status }
    }

    private static func json(_ values: KeyValuePairs<DICOMData.Tag, String>) throws -> [UInt8] {
        var set = DataSet()
        for (tag, value) in values { set.set(tag, string: value) }
        return try DICOMJSON.encode([set])
    }

    private static func attributes(_ label: String = "CAD", start: String = "20260105101500") throws -> [UInt8] {
        try json([
            .procedureStepState: "SCHEDULED", .scheduledProcedureStepPriority: "HIGH", .procedureStepLabel: "Read",
            .worklistLabel: label, .scheduledProcedureStepStartDateTime: start, .inputReadinessState: "READY",
            .patientID: "P1",
        ])
    }

    private static func state(_ state: String, _ transactionUID: String?) throws -> [UInt8] {
        guard let transactionUID else { return try json([.procedureStepState: state]) }
        return try json([.procedureStepState: state, .transactionUID: transactionUID])
    }

    @Test("§11.4: created where the query, the body or the server names it, 201 with its place; twice is 409")
    func create() async throws {
        let service = Service()
        for (query, uid) in [("workitem=1.1", "1.1"), ("1.2", "1.2"), ("AffectedSOPInstanceUID=1.3", "1.3")] {
            let answer = try await service.ask("createWorkitem", query: query, try Self.attributes())
            #expect(answer.status == 201)
            #expect(answer.headers[.location] == "https://h/dicomweb/workitems/\(uid)")
            #expect(answer.headers[.warning] == nil)
        }
        let named = try await service.ask("createWorkitem", query: "", try Self.attributes())
        #expect(UID.isValid(named.headers[.location]?.split(separator: "/").last ?? ""))
        let twice = try await service.ask("createWorkitem", query: "1.1", try Self.attributes())
        #expect(twice.status == 409)
        let modified = try await service.ask("createWorkitem", query: "1.4", try Self.attributes(""))
        #expect(modified.status == 201)
        #expect(modified.headers[.warning]?.contains("created with modifications") == true)
        #expect(service.store.content.workitems["1.1"]?.state == .scheduled)
    }

    @Test("What is no workitem is refused by its fault, and nothing is kept")
    func faults() async throws {
        let service = Service()
        #expect(try await service.status("createWorkitem", query: "workitem=x", try Self.attributes()) == 400)
        #expect(
            try await service.status("createWorkitem", query: UID.worklistSubscription, try Self.attributes()) == 400)
        #expect(try await service.status("createWorkitem", query: "1.1", Array("[{}, {}]".utf8)) == 400)
        #expect(try await service.status("createWorkitem", query: "1.1", Array("{".utf8)) == 400)
        #expect(try await service.status("createWorkitem", query: "1.1", Array("[{}]".utf8)) == 400)
        #expect(try await service.status("createWorkitem", query: "1.1", try Self.state("COMPLETED", nil)) == 400)
        #expect(
            try await service.ask("createWorkitem", query: "1.1", Array("<a/>".utf8), type: "application/dicom+xml")
                .status == 400)
        #expect(
            try await service.ask("createWorkitem", query: "1.1", Array("<a/>".utf8), type: "text/xml").status == 415)
        #expect(try await service.status("createWorkitem", query: "1.1") == 415)
        let large = [UInt8](repeating: UInt8(ascii: " "), count: (4 << 20) + 1)
        #expect(try await service.status("createWorkitem", query: "1.1", large) == 413)
        for operation in ["retrieveWorkitem", "requestWorkitemCancellation"] {
            #expect(try await service.status(operation, "1.9") == 404)
            #expect(try await service.status(operation, "../1") == 400)
        }
        #expect(service.store.content.workitems.isEmpty && service.store.content.audits.isEmpty)
    }

    @Test("§8.7.3: created, changed and claimed by bodies in XML as by JSON")
    func xml() async throws {
        let service = Service()
        func ask(_ operation: String, _ uid: String, query: String = "", _ json: [UInt8]) async throws -> Int {
            let set = try #require(try DICOMJSON.decode(json).first)
            return try await service.ask(
                operation, uid, query: query, try NativeDICOMModel.encode(set), type: "application/dicom+xml"
            ).status
        }
        #expect(try await ask("createWorkitem", "", query: "1.1", try Self.attributes()) == 201)
        #expect(try await ask("updateWorkitem", "1.1", try Self.json([.procedureStepLabel: "Zweimal für"])) == 200)
        #expect(try await ask("changeWorkitemState", "1.1", try Self.state("IN PROGRESS", "2.1")) == 200)
        #expect(try await ask("requestWorkitemCancellation", "1.1", try Self.json([:])) == 409)
        let kept = try #require(try await service.ask("retrieveWorkitem", "1.1").sets.first)
        #expect(kept.string(.procedureStepLabel) == "Zweimal für")
        #expect(kept.string(.procedureStepState) == "IN PROGRESS")
    }

    @Test("§11.5 to §11.8: claimed, changed with the Transaction UID, completed; each conflict is 409 and says why")
    func life() async throws {
        let service = Service()
        #expect(try await service.status("createWorkitem", query: "1.1", try Self.attributes()) == 201)
        let label = try Self.json([.procedureStepLabel: "Read twice"])
        #expect(try await service.status("updateWorkitem", "1.1", label) == 200)
        #expect(try await service.status("updateWorkitem", "1.1", query: "2.1", label) == 409)
        #expect(try await service.status("changeWorkitemState", "1.1", try Self.state("COMPLETED", "2.1")) == 409)
        #expect(try await service.status("changeWorkitemState", "1.1", try Self.state("IN PROGRESS", nil)) == 400)
        #expect(try await service.status("changeWorkitemState", "1.1", try Self.state("DONE", "2.1")) == 400)
        #expect(try await service.status("changeWorkitemState", "1.1", try Self.state("IN PROGRESS", "2.1")) == 200)
        let conflict = try await service.ask("changeWorkitemState", "1.1", try Self.state("IN PROGRESS", "2.2"))
        #expect(conflict.status == 409)
        #expect(conflict.headers[.warning]?.hasPrefix("299 ") == true)
        #expect(try await service.status("updateWorkitem", "1.1", label) == 409)
        #expect(try await service.status("updateWorkitem", "1.1", query: "transaction=2.1", label) == 200)
        #expect(
            try await service.status(
                "updateWorkitem", "1.1", query: "2.1", try Self.json([.procedureStepState: "COMPLETED"])) == 400)
        #expect(try await service.status("changeWorkitemState", "1.1", try Self.state("COMPLETED", "2.1")) == 409)
        #expect(try await service.status("changeWorkitemState", "1.1", try Self.state("CANCELED", "2.1")) == 200)
        let again = try await service.ask("changeWorkitemState", "1.1", try Self.state("CANCELED", "2.1"))
        #expect(again.status == 200 && again.headers[.warning]?.contains("CANCELED") == true)
        let found = try await service.ask("retrieveWorkitem", "1.1")
        #expect(found.status == 200)
        let set = try #require(found.sets.first)
        #expect(set.string(.procedureStepState) == "CANCELED")
        #expect(set.string(.procedureStepLabel) == "Read twice")
        #expect(set.string(.sopInstanceUID) == "1.1")
        #expect(set[.transactionUID] == nil)
        #expect(
            service.store.content.audits.map(\.interaction) == [
                "create", "update", "state", "update", "state", "state", "read",
            ])
        #expect(service.store.content.audits.allSatisfy { $0.entity == "workitem:1.1" })
    }

    @Test("§11.8, §11.10 to §11.12: subscribed AEs are told, also of a request to cancel, by a title of the client")
    func subscriptions() async throws {
        let service = Service()
        let all = UID.worklistSubscription
        #expect(try await service.status("subscribeToWorkitem", all, query: "deletionlock=true") == 201)
        #expect(try await service.ask("subscribeToWorkitem", all, aeTitle: "STRANGER").status == 404)
        #expect(try await service.status("subscribeToWorkitem", "1.1") == 404)
        #expect(try await service.status("createWorkitem", query: "1.1", try Self.attributes()) == 201)
        #expect(service.store.content.workitemSubscribers["1.1"] == ["WATCHER": .withLock])
        #expect(try await service.status("subscribeToWorkitem", "1.1", query: "deletionlock=false") == 201)
        #expect(service.store.content.workitemSubscribers["1.1"] == ["WATCHER": .withoutLock])
        service.store.change { $0.outbox = [] }
        let reason = try Self.json([.reasonForCancellation: "doubled"])
        #expect(try await service.status("requestWorkitemCancellation", "1.1", reason) == 202)
        #expect(service.store.content.workitems["1.1"]?.state == .canceled)
        let again = try await service.ask("requestWorkitemCancellation", "1.1")
        #expect(again.status == 202 && again.headers[.warning]?.contains("CANCELED") == true)
        let payload = String(decoding: service.store.content.outbox.first?.payload ?? [], as: UTF8.self)
        #expect(payload.contains("clientofthehouse") && payload.contains("doubled"))
        #expect(try await service.status("suspendWorklistSubscription", "1.1") == 400)
        #expect(try await service.status("suspendWorklistSubscription", all) == 200)
        #expect(service.store.content.worklistSubscriptions.isEmpty)
        let some = UID.filteredWorklistSubscription
        #expect(try await service.status("subscribeToWorkitem", some, query: "WorklistLabel=QC") == 201)
        #expect(try await service.status("subscribeToWorkitem", some, query: "Colour=red") == 400)
        for (uid, label) in [("1.2", "QC"), ("1.3", "CAD")] {
            #expect(try await service.status("createWorkitem", query: uid, try Self.attributes(label)) == 201)
        }
        #expect(service.store.content.workitemSubscribers["1.2"] == ["WATCHER": .withoutLock])
        #expect(service.store.content.workitemSubscribers["1.3"] == nil)
        #expect(try await service.status("unsubscribeFromWorkitem", all) == 200)
        #expect(service.store.content.workitemSubscribers.values.allSatisfy { $0.isEmpty })
        #expect(service.store.content.worklistSubscriptions.isEmpty)
    }

    @Test("§11.9: keys by keyword, tag and path, pages by limit and offset, 200 with none; what is no key is 400")
    func search() async throws {
        let service = Service()
        for number in 1...4 {
            let body = try Self.attributes(number == 4 ? "QC" : "CAD", start: "2026010510\(20 - number)00")
            #expect(try await service.status("createWorkitem", query: "1.\(number)", body) == 201)
        }
        func found(_ query: String) async throws -> [String] {
            let answer = try await service.ask("searchWorkitems", query: query)
            #expect(answer.status == 200)
            return answer.sets.compactMap { $0.string(.sopInstanceUID) }
        }
        #expect(try await found("") == ["1.4", "1.3", "1.2", "1.1"])
        #expect(try await found("WorklistLabel=C*") == ["1.3", "1.2", "1.1"])
        #expect(try await found("00741202=QC&PatientID=P1") == ["1.4"])
        #expect(try await found("ScheduledProcedureStepStartDateTime=202601051017-202601051018") == ["1.3", "1.2"])
        #expect(try await found("ScheduledStationNameCodeSequence.CodeValue=S1") == [])
        #expect(try await found("limit=2&offset=1") == ["1.3", "1.2"])
        let some = try await service.ask("searchWorkitems", query: "limit=2")
        #expect(some.headers[.warning]?.contains("additional results") == true)
        let whole = try await service.ask("searchWorkitems", query: "limit=4")
        #expect(whole.headers[.warning] == nil)
        for query in [
            "Colour=red", "limit=-1", "offset=x", "PatientID=1&00100020=2", "TransactionUID=2.1",
            "PatientID.CodeValue=1", "ScheduledStationNameCodeSequence=S1",
            "ScheduledProcedureStepStartDateTime=soon",
        ] { #expect(try await service.status("searchWorkitems", query: query) == 400, "\(query)") }
        #expect(service.store.content.audits.last?.query == "limit=4")
    }

    @Test("A token that reaches the tasks of one patient only, or lacks the letter, is refused: 403")
    func rights() async throws {
        let service = Service()
        #expect(try await service.status("createWorkitem", query: "1.1", try Self.attributes()) == 201)
        for (operation, scope) in [
            ("retrieveWorkitem", "patient/Task.rs"), ("searchWorkitems", "patient/Task.rs"),
            ("updateWorkitem", "system/Task.rs"), ("createWorkitem", "system/ImagingStudy.cruds"),
            ("requestWorkitemCancellation", "system/Task.r"), ("subscribeToWorkitem", "system/Task.s"),
        ] {
            let answer = try await service.ask(
                operation, "1.1", query: operation == "createWorkitem" ? "1.2" : "", try Self.attributes(),
                scope: scope,
                patient: "p")
            #expect(answer.status == 403, "\(operation)")
        }
    }

    @Test("Each refusal has a status of the client's own fault")
    func statuses() {
        for refusal in WorkitemRefusal.allCases {
            #expect((400..<500).contains(WorkitemRoutes.code(of: refusal).status.code), "\(refusal.rawValue)")
        }
    }
}
