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

/// Storage commitment by HTTP. PS3.18 §13, Annex J.
@Suite("Storage commitment by HTTP")
struct CommitmentRoutesTests {
    private final class Trail: AuditTrail {
        let rows = Mutex<[String]>([])
        func record(_ record: AuditRecord) async throws { rows.withLock { $0.append(record.interaction) } }
    }

    private struct Answer {
        var status: Int
        var set: DataSet?
    }

    /// The routes over a store with two CT images, 1.5.1 and 1.5.2.
    private struct Service {
        let store: MemoryStore
        let desk: CommitmentDesk
        let trail = Trail()
        let routes: [Route]

        init(
            store: MemoryStore = MemoryStore(), limits: CommitmentDesk.Limits = .init(),
            patience: Duration = .seconds(300),
            readBack: @escaping @Sendable (Instance) async -> StoredBytes = { _ in .intact },
            now: @escaping @Sendable () -> Int64 = { 1_000_000 }
        ) {
            self.store = store
            store.change { state in
                state.instances = ["1.5.1", "1.5.2"].map { CommitmentRoutesTests.instance($0) }
            }
            desk = CommitmentDesk(
                store: store, check: CommitmentCheck(store: store, readBack: readBack, lost: { _ in }), limits: limits,
                now: now)
            routes = CommitmentRoutes(desk: desk, audit: trail, patience: patience).routes
        }

        func ask(
            _ operation: String, _ uid: String = "1.2.3", _ body: [UInt8]? = nil,
            type: String = "application/dicom+json", scope: String = "system/ImagingStudy.c", client: String = "ct",
            memory: MemoryBudget = .unlimited
        ) async throws -> Answer {
            let route = try #require(routes.first { $0.operationID == operation })
            let request = APIRequest(
                method: route.method, path: "/", headers: body == nil ? [:] : [.contentType: type],
                parameters: PathParameters([("transaction", uid)]),
                body: RequestBody(buffer: ByteBuffer(bytes: body ?? [])),
                access: AccessContext(
                    principal: Principal(kind: .client, id: client), scopes: [try #require(Scope(scope))],
                    requestID: "r"), memory: memory.reservation())
            do {
                let response = try await route.handler(request)
                let log = BodyLog()
                try await response.body.write(BodyLog.Writer(log: log))
                return Answer(
                    status: response.status.code, set: log.bytes.isEmpty ? nil : try DICOMJSON.decode(log.bytes).first)
            } catch {
                let failure = try #require((error as? HTTPFailure) ?? StatusReport().failure(for: error))
                return Answer(status: failure.code.status.code)
            }
        }

        func request(_ uids: [String], _ transaction: String = "1.2.3", client: String = "ct") async throws -> Answer {
            try await ask(
                "requestStorageCommitment", transaction, try CommitmentRoutesTests.body(uids), client: client)
        }

        func check(_ transaction: String = "1.2.3", client: String = "ct") async throws -> Answer {
            try await ask("checkStorageCommitment", transaction, client: client)
        }

        /// Runs the desk meanwhile.
        func running(_ body: @Sendable @escaping () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await desk.run() }
                defer { group.cancelAll() }
                try await body()
            }
        }
    }

    static func instance(_ uid: String) -> Instance {
        Instance(
            studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: uid, sopClassUID: UID.ctImageStorage,
            instanceNumber: 1, transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid, rows: nil, columns: nil,
            bitsAllocated: nil, numberOfFrames: 1, blobID: BlobID(uid), size: 8, dataSetOffset: 0,
            pixelDataOffset: nil, pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 1), receivedFrom: "CT")
    }

    static func body(_ uids: [String], classUID: String = UID.ctImageStorage) throws -> [UInt8] {
        var set = DataSet()
        set.set(
            .referencedSOPSequence,
            items: uids.map { uid in
                var item = DataSet()
                item.set(.referencedSOPClassUID, string: classUID)
                item.set(.referencedSOPInstanceUID, string: uid)
                return item
            })
        return try DICOMJSON.encode(set)
    }

    private static func key(_ uid: String) -> CommitmentRequest.Key {
        CommitmentDesk.key(of: Principal(kind: .client, id: "ct"), uid)
    }

    private static func hasFailed(_ standing: CommitmentDesk.Standing?) -> Bool {
        if case .failed? = standing { return true }
        return false
    }

    private static func uids(_ set: DataSet?, _ tag: DICOMData.Tag) -> [String] {
        set?[tag]?.items?.compactMap { $0.string(.referencedSOPInstanceUID) } ?? []
    }

    @Test("§13.4: what is no request is refused, a million instances too; nothing is kept and nothing read")
    func refused() async throws {
        let read = Mutex(0)
        let service = Service(patience: .zero) { _ in
            read.withLock { $0 += 1 }
            return .intact
        }
        let operation = "requestStorageCommitment"
        for body in ["", "[", "{}", "[]", "[{},{}]", #"{"00081199":{"vr":"SQ"}}"#] {
            #expect(try await service.ask(operation, "1.2.3", Array(body.utf8)).status == 400, "\(body)")
        }
        #expect(try await service.ask(operation, "1.2.3", try Self.body(["a"])).status == 400)
        #expect(try await service.ask(operation, "..", try Self.body(["1.5.1"])).status == 400)
        #expect(try await service.ask(operation, "1.2.3", Array("x".utf8), type: "text/plain").status == 415)
        let studies = #"{"00081110":{"vr":"SQ","Value":[{"0020000D":{"vr":"UI","Value":["1.2"]}}]}}"#
        #expect(try await service.ask(operation, "1.2.3", Array(studies.utf8)).status == 400)
        let many = (0...StorageCommitment.referencesMax).map { "1.5.\($0)" }
        #expect(try await service.request(many).status == 413)
        // Past the bytes of a body it is not even read.
        let million = [UInt8](repeating: UInt8(ascii: " "), count: (8 << 20) + 1)
        #expect(try await service.ask(operation, "1.2.3", million).status == 413)
        for scope in ["system/ImagingStudy.rs", "system/ImagingStudy.c?patient=Patient/1", "patient/ImagingStudy.c"]
        where Scope(scope) != nil {
            #expect(try await service.ask(operation, "1.2.3", try Self.body(["1.5.1"]), scope: scope).status == 403)
        }
        #expect(try await service.check().status == 404)
        #expect(read.withLock { $0 } == 0)
    }

    @Test("§J.2: committed is what was read back whole; what is lost, unknown or of another class says why")
    func outcome() async throws {
        let service = Service { $0.sopInstanceUID == "1.5.2" ? .lost : .intact }
        try await service.running {
            let answer = try await service.request(["1.5.1", "1.5.2", "1.5.3"])
            #expect(answer.status == 200)
            let set = try #require(answer.set)
            #expect(Self.uids(set, .referencedSOPSequence) == ["1.5.1"])
            #expect(Self.uids(set, .failedSOPSequence) == ["1.5.2", "1.5.3"])
            #expect(set[.failedSOPSequence]?.items?.map { $0.int(.failureReason) } == [0x0110, 0x0112])
            #expect(set[.transactionUID] == nil && set[.retrieveAETitle] == nil)
            // The same again by the check, and the transaction is in use.
            #expect(try await service.check().set == set)
            #expect(try await service.request(["1.5.1"]).status == 409)
            let conflict = try await service.ask(
                "requestStorageCommitment", "1.2.4", try Self.body(["1.5.1"], classUID: UID.mrImageStorage))
            #expect(conflict.set?[.failedSOPSequence]?.items?.first?.int(.failureReason) == 0x0119)
            #expect(conflict.set?[.referencedSOPSequence] == nil)
            // Nobody else knows of it, or is kept from the UID.
            #expect(try await service.check(client: "other").status == 404)
            #expect(try await service.request(["1.5.1"], client: "other").status == 200)
        }
        #expect(service.trail.rows.withLock { $0 }.count == 6)
    }

    @Test("§13.5: 202 while it is read back; what cannot be read now is 503 and can be asked for again")
    func later() async throws {
        let service = Service(patience: .zero) { _ in .unreadable }
        #expect(try await service.request(["1.5.1"]).status == 202)
        #expect(try await service.check().status == 202)
        #expect(try await service.request(["1.5.1"]).status == 409)
        try await service.running {
            let key = Self.key("1.2.3")
            let standing = try await service.desk.standing(of: key, within: .seconds(300))
            #expect(Self.hasFailed(standing))
            for _ in 0..<2 {
                let answer = try await service.check()
                #expect(answer.status == 503)
            }
        }
        #expect(try await service.request(["1.5.1"]).status == 202)
    }

    @Test("What is made of a body takes memory, too: 503 where there is none")
    func memory() async throws {
        let body = try Self.body((1...1_000).map { "1.5.\($0)" })
        func request(_ bytesMax: Int) -> APIRequest {
            APIRequest(
                method: .post, path: "/", headers: [.contentType: "application/dicom+json"],
                body: RequestBody(buffer: ByteBuffer(bytes: body)),
                access: AccessContext(principal: .anonymous, scopes: [], requestID: "r"),
                memory: MemoryBudget(bytesMax: bytesMax).reservation())
        }
        let set = try await request(64 << 20).dataSet(limit: 8 << 20)
        #expect(set[.referencedSOPSequence]?.items?.count == 1_000)
        await #expect(throws: HTTPFailure(.unavailable, "")) {
            _ = try await request(2 * body.count).dataSet(limit: 8 << 20)
        }
    }

    @Test("An outcome takes memory as it is told: 503 where there is none, and it is there the next time")
    func outcomeInMemory() async throws {
        let service = Service(patience: .zero)
        let uids = (1...1_000).map { "1.5.\($0)" }
        #expect(try await service.request(uids).status == 202)
        try await service.running {
            _ = try await service.desk.standing(of: Self.key("1.2.3"), within: .seconds(60))
        }
        let little = MemoryBudget(bytesMax: 1 << 20)
        #expect(try await service.ask("checkStorageCommitment", memory: little).status == 503)
        #expect(little.used == 0)
        let answer = try await service.ask("checkStorageCommitment", memory: MemoryBudget(bytesMax: 4 << 20))
        #expect(answer.status == 200 && answer.set?[.failedSOPSequence]?.items?.count == 998)
    }

    @Test("A process that takes over tells the same outcomes, and reads back what the one before it did not")
    func restarted() async throws {
        let first = Service(patience: .zero) { $0.sopInstanceUID == "1.5.2" ? .lost : .intact }
        #expect(try await first.request(["1.5.1", "1.5.2"], "1.1").status == 202)
        try await first.running {
            _ = try await first.desk.standing(of: Self.key("1.1"), within: .seconds(300))
        }
        let outcome = try #require(try await first.check("1.1").set)
        #expect(try await first.request(["1.5.1"], "1.2").status == 202)
        let second = Service(store: first.store, patience: .zero)
        #expect(try await second.check("1.1").set == outcome)
        #expect(try await second.request(["1.5.1"], "1.1").status == 409)
        #expect(try await second.check("1.2").status == 202)
        try await second.running {
            _ = try await second.desk.standing(of: Self.key("1.2"), within: .seconds(300))
            let answer = try await second.check("1.2")
            #expect(answer.status == 200)
        }
        #expect(try await second.check("1.2", client: "other").status == 404)
    }

    @Test("What the end of the process breaks off is not said to have failed")
    func brokenOff() async throws {
        let begun = DeliverySignal()
        let never = DeliverySignal()
        let service = Service(patience: .zero) { _ in
            begun.raise()
            await never.wait()
            return .unreadable
        }
        #expect(try await service.request(["1.5.1"]).status == 202)
        try await service.running { await begun.wait() }
        #expect(try await service.check().status == 202)
        let next = Service(store: service.store, patience: .zero)
        try await next.running {
            let standing = try await next.desk.standing(of: Self.key("1.2.3"), within: .seconds(300))
            guard case .done? = standing else {
                Issue.record("not read back")
                return
            }
        }
    }

    @Test("The desk takes so many transactions and instances, at the limit and one past it, and forgets in time")
    func limits() async throws {
        var limits = CommitmentDesk.Limits()
        limits.transactionsMax = 2
        limits.referencesMax = 3
        limits.keepSeconds = 10
        let clock = Clock()
        let service = Service(limits: limits, patience: .zero, now: { clock.time.withLock { $0 } })
        #expect(try await service.request(["1.5.1", "1.5.2"], "1.1").status == 202)
        #expect(try await service.request(["1.5.1", "1.5.2"], "1.2").status == 503)
        #expect(try await service.request(["1.5.1"], "1.2").status == 202)
        #expect(try await service.request(["1.5.1"], "1.3").status == 503)
        try await service.running {
            for uid in ["1.1", "1.2"] {
                let key = Self.key(uid)
                _ = try await service.desk.standing(of: key, within: .seconds(300))
            }
        }
        clock.time.withLock { $0 += 10_000_000 }
        #expect(try await service.check("1.1").status == 200)
        clock.time.withLock { $0 += 1 }
        #expect(try await service.check("1.1").status == 404)
        #expect(try await service.request(["1.5.1"], "1.3").status == 202)
    }

    @Test("One client has a share of the desk, of transactions and of instances, and keeps nobody out")
    func shares() async throws {
        var limits = CommitmentDesk.Limits()
        limits.transactionsMax = 4
        limits.transactionsPerClientMax = 2
        limits.referencesPerClientMax = 3
        let service = Service(limits: limits, patience: .zero)
        #expect(try await service.request(["1.5.1", "1.5.2"], "1.1").status == 202)
        #expect(try await service.request(["1.5.1", "1.5.2"], "1.2").status == 503)
        #expect(try await service.request(["1.5.1"], "1.2").status == 202)
        #expect(try await service.request(["1.5.1"], "1.3", client: "other").status == 202)
        #expect(try await service.request(["1.5.1"], "1.4", client: "other").status == 202)
        #expect(try await service.request(["1.5.1"], "1.5", client: "other").status == 503)
        #expect(try await service.request(["1.5.1"], "1.6", client: "third").status == 503)
    }

    private final class Clock: Sendable { let time = Mutex<Int64>(1_000_000) }
}
