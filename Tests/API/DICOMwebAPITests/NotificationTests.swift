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

/// Notification connections of UPS-RS, and what is told over them. PS3.18 §8.10, §11.10, §11.13.
@Suite("Notifications of workitems", .timeLimit(.minutes(10)))
struct NotificationTests {
    /// The routes over a store in memory without peers.
    private struct Service {
        let store = MemoryStore()
        let hub: NotificationHub
        let routes: [Route]

        init(_ hub: NotificationHub = NotificationHub()) {
            self.hub = hub
            routes =
                WorkitemRoutes(
                    store: store, entropy: SeededEntropy(), baseURL: "https://h/dicomweb",
                    notifications: .init(hub: hub, origins: ["https://h", "https://pages.example"])
                ).routes
        }

        func response(
            _ operation: String, _ receiver: String, uid: String = "1.1", headers: HTTPFields = [:],
            body: [UInt8] = [], socket: EventSocket? = nil, scope: String = "system/Task.cruds", patient: String? = nil,
            later: String? = nil, client: String = "watcher"
        ) async throws -> Response {
            let route = try #require(routes.first { $0.operationID == operation })
            func access(_ scope: String) throws -> AccessContext {
                AccessContext(
                    principal: Principal(kind: .client, id: client), scopes: [try #require(Scope(scope))],
                    patient: patient, requestID: "r")
            }
            let again = try access(later ?? scope)
            return try await route.handler(
                APIRequest(
                    method: route.method, path: "/", rawQuery: operation == "createWorkitem" ? uid : "",
                    headers: headers, parameters: PathParameters([("workitem", uid), ("aetitle", receiver)]),
                    body: RequestBody(buffer: ByteBuffer(bytes: body)),
                    access: try access(scope),
                    socket: socket.map { APIRequest.Socket($0) { again } }))
        }

        func status(
            _ operation: String, _ receiver: String, uid: String = "1.1", headers: HTTPFields = [:],
            socket: EventSocket? = nil, scope: String = "system/Task.cruds", patient: String? = nil,
            client: String = "watcher"
        ) async throws -> Int {
            do {
                return try await response(
                    operation, receiver, uid: uid, headers: headers, socket: socket, scope: scope, patient: patient,
                    client: client
                ).status.code
            } catch {
                let failure = try #require((error as? HTTPFailure) ?? StatusReport().failure(for: error))
                return failure.code.status.code
            }
        }

        func createWorkitem() async throws {
            var set = DataSet()
            set.set(.procedureStepState, string: "SCHEDULED")
            set.set(.scheduledProcedureStepPriority, string: "HIGH")
            set.set(.procedureStepLabel, string: "Read")
            set.set(.scheduledProcedureStepStartDateTime, string: "20260105101500")
            set.set(.inputReadinessState, string: "READY")
            _ = try await response(
                "createWorkitem", "", headers: [.contentType: "application/dicom+json"],
                body: try DICOMJSON.encode([set]))
        }
    }

    private static let open: HTTPFields = [
        .authorization: "Bearer t", .connection: "Upgrade", .upgrade: "websocket", .secWebSocketVersion: "13",
        .secWebSocketKey: "dGhlIHNhbXBsZSBub25jZQ==",
    ]

    private static func report(_ receiver: String, _ information: DataSet = DataSet()) throws -> WorkitemReport {
        WorkitemReport(
            receiver: receiver, sopInstanceUID: "1.1", kind: .state,
            information: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(information))
    }

    // MARK: Connections

    @Test("§8.10.4: who may not subscribe, asks for no WebSocket or comes from a page of elsewhere gets no connection")
    func refused() async throws {
        let service = Service()
        let operation = "openNotificationConnection"
        func status(_ receiver: String = "AE", _ change: (inout HTTPFields) -> Void) async throws -> Int {
            var headers = Self.open
            change(&headers)
            return try await service.status(operation, receiver, headers: headers, socket: EventSocket())
        }
        for title in ["", String(repeating: "A", count: 17), "A\\B", " A", "A ", "Ä", "A\n"] {
            #expect(try await status(title) { _ in } == 400, "\(title)")
        }
        #expect(try await status { $0[.upgrade] = nil } == 426)
        #expect(try await status { $0[.secWebSocketKey] = "x" } == 400)
        let page = "dicomweb.events, bearer.t"
        for origin in [nil, "null", "https://other.example", "http://h", "https://h.other.example", "https://h:8443"] {
            let answer = try await status { headers in
                headers[.authorization] = nil
                headers[.secWebSocketProtocol] = page
                headers[.origin] = origin
            }
            #expect(answer == 403, "\(origin ?? "none")")
        }
        #expect(
            try await service.status(
                operation, "AE", headers: Self.open, socket: EventSocket(), scope: "system/Task.s") == 403)
        #expect(
            try await service.status(
                operation, "AE", headers: Self.open, socket: EventSocket(), scope: "patient/Task.r", patient: "p")
                == 403)
        // A connection that cannot become one.
        #expect(try await service.status(operation, "AE", headers: Self.open) == 501)
        #expect(service.hub.count == 0 && service.store.content.audits.isEmpty)
    }

    @Test(
        "§8.10.4: a connection is opened with 101 and a row, from a listed page too; what is told goes to its title alone"
    )
    func opened() async throws {
        let service = Service()
        let socket = EventSocket()
        var headers = Self.open
        headers[.authorization] = nil
        headers[.secWebSocketProtocol] = "dicomweb.events, bearer.t"
        headers[.origin] = "https://pages.example"
        let response = try await service.response(
            "openNotificationConnection", "AE 1", headers: headers, socket: socket)
        #expect(response.status == .switchingProtocols)
        #expect(response.headers[.secWebSocketProtocol] == "dicomweb.events")
        #expect(service.store.content.audits.map(\.entity) == ["subscriber:AE 1"])
        // An answer that is not sent keeps no place.
        #expect(service.hub.count == 0)
        let log = BodyLog()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await response.body.write(BodyLog.Writer(log: log)) }
            service.hub.expect("AE 1")
            #expect(await service.hub.tellExpected(try Self.report("AE 1")))
            #expect(service.hub.count == 1)
            #expect(!service.hub.tell(try Self.report("AE")))
            service.hub.stop()
            #expect(!service.hub.tell(try Self.report("AE 1")))
            try await group.waitForAll()
        }
        #expect(log.bytes.first == 0x81 && log.bytes.suffix(4) == [0x88, 2, 0x03, 0xE9])
        #expect(service.hub.count == 0)
        // The server stops: no others are opened.
        #expect(
            try await service.status("openNotificationConnection", "AE", headers: Self.open, socket: EventSocket())
                == 503)
    }

    @Test("Rights that have shrunk to a part of the tasks end a connection before the next report")
    func shrunk() async throws {
        let service = Service()
        let socket = EventSocket()
        #expect(socket.send([1]))
        let response = try await service.response(
            "openNotificationConnection", "AE", headers: Self.open, socket: socket,
            later: "system/Task.r?status=ready")
        let log = BodyLog()
        try await response.body.write(BodyLog.Writer(log: log))
        #expect(log.bytes == [0x88, 2, 0x03, 0xF0])
        #expect(service.hub.count == 0)
    }

    @Test("So many connections are open, of a client for a title, of a client and in all, at the limit and one past it")
    func limits() async throws {
        var limits = NotificationHub.Limits()
        limits.socketsMax = 4
        limits.perClientMax = 3
        limits.perReceiverMax = 2
        let figures = Mutex<[NotificationHub.Figure]>([])
        let hub = NotificationHub(limits: limits) { figure in figures.withLock { $0.append(figure) } }
        func open(_ receiver: String, by client: String = "one") -> NotificationHub.Place? {
            hub.open(EventSocket(), for: receiver, by: client)
        }
        let first = try #require(open("A"))
        #expect(open("A") != nil)
        #expect(open("A") == nil)
        #expect(open("B") != nil)
        // Nobody else is kept from the title, or from all.
        #expect(open("C") == nil)
        #expect(open("A", by: "other") != nil)
        #expect(open("C", by: "other") == nil)
        hub.close(first, .peer)
        hub.close(first, .peer)
        #expect(hub.count == 3)
        #expect(open("C") != nil)
        #expect(open("D", by: "other") == nil)
        #expect(figures.withLock { $0.first } == .open(1) && figures.withLock { $0.last } == .open(4))
    }

    // MARK: Subscriptions

    @Test(
        "§11.10.3.2: any AE is subscribed, told where to listen, and its reports are in the outbox; so many of one client, a thousand of all"
    )
    func subscribed() async throws {
        let service = Service()
        try await service.createWorkitem()
        let answer = try await service.response("subscribeToWorkitem", "PAGE 1")
        #expect(answer.status == .created)
        #expect(answer.headers[.contentLocation] == "wss://h/dicomweb/subscribers/PAGE%201")
        #expect(service.store.content.outbox.map(\.destination) == ["ups/PAGE 1"])
        for title in ["", "A\\B", String(repeating: "A", count: 17)] {
            #expect(try await service.status("subscribeToWorkitem", title) == 400, "\(title)")
        }
        let share = WorkitemService.receiversPerClientMax
        for number in 2...share { #expect(try await service.status("subscribeToWorkitem", "AE\(number)") == 201) }
        // The client's share is used up, and nobody else's; whom it has subscribed already takes none.
        #expect(try await service.status("subscribeToWorkitem", "ONE MORE") == 422)
        #expect(try await service.status("subscribeToWorkitem", "PAGE 1") == 201)
        for number in (share + 1)...WorkitemService.receiversMax {
            let client = "other \((number - 1) / share)"
            #expect(try await service.status("subscribeToWorkitem", "AE\(number)", client: client) == 201)
        }
        #expect(try await service.status("subscribeToWorkitem", "ONE MORE", client: "last") == 422)
        // One that is told of nothing any more takes no place.
        #expect(try await service.status("unsubscribeFromWorkitem", "AE2") == 200)
        #expect(try await service.status("subscribeToWorkitem", "ONE MORE") == 201)
    }

    @Test("What is told first waits a moment for the connection of who has just subscribed, and for nobody else")
    func expected() async throws {
        var limits = NotificationHub.Limits()
        (limits.expectedFor, limits.patience) = (.seconds(3_600), .seconds(3_600))
        let hub = NotificationHub(limits: limits)
        let report = try Self.report("AE")
        #expect(await hub.tellExpected(report) == false)
        hub.expect("AE")
        async let told = hub.tellExpected(report)
        let socket = EventSocket()
        #expect(hub.open(socket, for: "AE", by: "watcher") != nil)
        #expect(await told)
    }

    @Test("Nobody is waited for whose subscription is refused")
    func unexpected() async throws {
        var limits = NotificationHub.Limits()
        (limits.expectedFor, limits.patience) = (.seconds(3_600), .seconds(3_600))
        let service = Service(NotificationHub(limits: limits))
        #expect(
            try await service.status("subscribeToWorkitem", "AE", scope: "patient/Task.r", patient: "p") == 403)
        #expect(await service.hub.tellExpected(try Self.report("AE")) == false)
    }

    // MARK: Reports

    @Test("§11.13: an event report is one DICOM JSON object with what it is of, and its information")
    func text() throws {
        var information = DataSet()
        information.set(.specificCharacterSet, string: "ISO_IR 192")
        information.set(.inputReadinessState, string: "READY")
        information.set(.procedureStepState, string: "SCHEDULED")
        let text = try #require(NotificationHub.text(of: try Self.report("AE", information), messageID: 7))
        #expect(
            String(decoding: text, as: UTF8.self)
                == #"{"00000002":{"vr":"UI","Value":["1.2.840.10008.5.1.4.34.6.4"]},"#
                + #""00000110":{"vr":"US","Value":[7]},"00001000":{"vr":"UI","Value":["1.1"]},"#
                + #""00001002":{"vr":"US","Value":[1]},"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"#
                + #""00404041":{"vr":"CS","Value":["READY"]},"00741000":{"vr":"CS","Value":["SCHEDULED"]}}"#)
        let empty = try #require(NotificationHub.text(of: try Self.report("AE"), messageID: 1))
        #expect(String(decoding: empty, as: UTF8.self).hasSuffix(#""00001002":{"vr":"US","Value":[1]}}"#))
        let damaged = WorkitemReport(receiver: "AE", sopInstanceUID: "1.1", kind: .state, information: [1, 2, 3])
        #expect(NotificationHub.text(of: damaged, messageID: 1) == nil)
    }
}
