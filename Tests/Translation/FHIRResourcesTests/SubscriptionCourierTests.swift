import Access
import FHIRModel
import FHIRSearch
import Synchronization
import Testing
import Workflow

@testable import FHIRResources

/// What a Subscription is told and what its endpoint's answers mean. FHIR R4 subscription.html.
@Suite struct SubscriptionCourierTests {
    /// Everything a courier asks, as a test wants it.
    private final class World: SubscriptionDirectory, ClientDirectory, OutboundSender {
        let record = Mutex<SubscriptionRecord?>(nil)
        let client = Mutex<Client?>(nil)
        let answer = Mutex<Result<OutboundAnswer, any Error>>(.success(OutboundAnswer(status: 200)))
        let sent = Mutex<[OutboundRequest]>([])

        func subscription(_ id: EntityID) async throws -> (record: SubscriptionRecord, headers: [String])? {
            record.withLock { $0 }.map { ($0, ["X-Key: s3cret", "broken\r\nline"]) }
        }
        func client(id: String) async throws -> Client? { client.withLock { $0 } }
        func clients() async throws -> [Client] { [] }
        func save(_ client: Client) async throws {}
        func revoke(clientID: String, at microseconds: Int64) async throws -> Bool { false }
        func post(_ request: OutboundRequest) async throws -> OutboundAnswer {
            sent.withLock { $0.append(request) }
            return try answer.withLock { $0 }.get()
        }
    }

    private static let id = EntityID("s1")

    private static func record(_ fill: (inout SubscriptionRecord) -> Void = { _ in }) -> SubscriptionRecord {
        var record = SubscriptionRecord(
            id: id, epoch: 7, sinceKey: 1, type: "Patient", criteria: "Patient", endpoint: "https://hook.example/x",
            sendsResource: true, headerNames: ["X-Key"], end: nil, ownerID: "c", ownerName: "c", scopes: [],
            patientID: nil, state: .active, error: nil)
        fill(&record)
        return record
    }

    private static func world(_ fill: (inout SubscriptionRecord) -> Void = { _ in }) -> World {
        let world = World()
        world.record.withLock { $0 = record(fill) }
        world.client.withLock {
            $0 = Client(id: "c", name: "c", jwks: nil, jwksURL: nil, scopes: [], registeredAt: 0)
        }
        return world
    }

    /// Delivers the first call, which reads no resource.
    private static func deliver(
        _ world: World, payload: [UInt8]? = nil, rules: SubscriptionRules = SubscriptionRules()
    ) async -> DeliveryOutcome {
        let courier = SubscriptionCourier(
            subscriptions: world, resources: NoResources(), clients: world, sender: world, rules: rules
        ) { UTCInstant(microseconds: 1_000) }
        return await courier.deliver(
            OutboxEntry(
                number: 1, eventID: EntityID("e1"), destination: "subscription/s1", orderingKey: "", kind: "rest-hook",
                payload: payload ?? SubscriptionNotice(record()).draft.payload, state: .leased, attempts: 0,
                createdAt: UTCInstant(microseconds: 0), waitingSince: UTCInstant(microseconds: 0),
                nextAttemptAt: UTCInstant(microseconds: 0)))
    }

    @Test("The first call is an empty POST with the id of the event and the headers that can be sent")
    func handshake() async {
        let world = Self.world()
        #expect(await Self.deliver(world) == .delivered)
        let request = world.sent.withLock { $0 }.first
        #expect(request?.url == "https://hook.example/x")
        #expect(request?.body == [])
        #expect(
            request?.headers.map { "\($0.name): \($0.value)" } == [
                "Hilum-Event-Id: e1", "Hilum-Subscription: Subscription/s1", "Hilum-Event: handshake", "X-Key: s3cret",
            ])
    }

    @Test("Who is deleted, off, changed, over or revoked is told nothing")
    func withdrawn() async {
        let worlds = [
            Self.world { $0.state = .off }, Self.world { $0.epoch = 8 },
            Self.world { $0.end = UTCInstant(microseconds: 1_000) }, Self.world(), Self.world(), Self.world(),
        ]
        worlds[3].record.withLock { $0 = nil }
        worlds[4].client.withLock { $0 = nil }
        worlds[5].client.withLock { $0?.revokedAt = 1 }
        for world in worlds {
            guard case .withdrawn = await Self.deliver(world) else {
                Issue.record("not withdrawn")
                continue
            }
            #expect(world.sent.withLock { $0.isEmpty })
        }
        let later = Self.world { $0.end = UTCInstant(microseconds: 1_001) }
        #expect(await Self.deliver(later) == .delivered)
    }

    @Test("Answers and failures by their class, and a host that the site no longer lists")
    func outcomes() async {
        func outcome(_ result: Result<OutboundAnswer, any Error>) async -> String {
            let world = Self.world()
            world.answer.withLock { $0 = result }
            return switch await Self.deliver(world) {
            case .delivered: "delivered"
            case .unreachable: "unreachable"
            case .blocked: "blocked"
            case .overloaded(_, let seconds): "overloaded \(seconds.map(String.init) ?? "-")"
            case .notYet(_, let seconds): "not yet \(seconds)"
            case .transient: "transient"
            case .permanent: "permanent"
            case .withdrawn: "withdrawn"
            }
        }
        func answer(_ status: Int, _ seconds: Int64? = nil) async -> String {
            await outcome(.success(OutboundAnswer(status: status, retryAfterSeconds: seconds)))
        }
        for status in [200, 201, 202, 204, 299] { #expect(await answer(status) == "delivered") }
        for status in [301, 302, 307, 308, 400, 410, 413, 415, 422, 501] {
            #expect(await answer(status) == "permanent")
        }
        for status in [401, 403, 404, 408, 500, 502, 503, 504] { #expect(await answer(status) == "transient") }
        #expect(await answer(429) == "overloaded -")
        #expect(await answer(429, 5) == "overloaded 5")
        #expect(await answer(503, 9) == "overloaded 9")
        for failure in [OutboundFailure.noConnection, .notTrusted, .noAnswer, .broken] {
            #expect(await outcome(.failure(failure)) == "unreachable")
        }
        #expect(await outcome(.failure(OutboundRefusal.unresolvable)) == "unreachable")
        #expect(await outcome(.failure(OutboundRefusal.addressNotAllowed)) == "permanent")
        #expect(await outcome(.failure(StoreError(.unavailable, "x"))) == "transient")
        var rules = SubscriptionRules()
        rules.hosts = ["other.example"]
        let world = Self.world()
        #expect(await Self.deliver(world, rules: rules) == .permanent("the site does not let this host be told"))
        #expect(world.sent.withLock { $0.isEmpty })
    }

    @Test("A notice is read as it was written, and nothing else is")
    func notices() async {
        let version = SubscriptionNotice.Version(type: "Patient", id: "p-1.x", number: 12)
        for notice in [SubscriptionNotice(Self.record()), SubscriptionNotice(Self.record(), version)] {
            #expect(SubscriptionNotice(payload: notice.draft.payload) == notice)
            #expect(notice.draft.destination == "subscription/s1")
        }
        for text in ["", "1", "1 s1", "2 s1 7", "1 s1 x", "1 s1 7 Patient p", "1 s1 7 Patient p x", "1 s1 7 P p 1 2"] {
            #expect(SubscriptionNotice(payload: Array(text.utf8)) == nil)
            guard case .permanent = await Self.deliver(Self.world(), payload: Array(text.utf8)) else {
                Issue.record("\(text) was delivered")
                continue
            }
        }
    }
}

/// A store that nothing is read from.
private struct NoResources: SubscribedResources {
    func read(_ type: String, _ id: String, version: Int64, access: AccessContext) async throws -> StoredResource? {
        nil
    }
}
