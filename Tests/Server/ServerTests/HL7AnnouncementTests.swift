import Access
import FHIRResources
import Foundation
import HL7Translation
import HL7v2
import Logging
import SQLStore
import Testing
import Workflow

@testable import hilum

/// What changes is put into the outbox for the destinations of the site, in the unit that changes it.
@Suite struct HL7AnnouncementTests {
    private static let yaml = """
        destinations:
          RIS:
            peer: RIS|SOUTH
            send: [{ event: patient }, { event: order, as: ORM^O01 }]
        """

    private static func with(
        _ observers: [any CommitObserver], _ body: (RelationalStore) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hilum-hl7-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = RelationalStore(
            database: try await SQLDatabase(
                SQLDatabaseConfiguration(.sqlite(path: folder + "/hilum.sqlite")), migrations: Migrations.all),
            entropy: SystemEntropy(), observers: observers)
        try await body(store)
        await store.close()
    }

    private static func entries(_ store: RelationalStore) async throws -> [OutboxEntry] {
        try await store.outboxEntries(OutboxQuery(limit: 100), access: .server(requestID: "t")).reversed()
    }

    private static func update() -> OrderUpdate {
        let number = Identifier(system: "urn:hilum:patient", value: "P-1", kind: .medicalRecord)
        var update = OrderUpdate(control: .new, patient: PatientUpdate(identifiers: [number]))
        update.placer = Identifier(system: "urn:hilum:placer", value: "PL-1", kind: .placer)
        update.accession = Identifier(system: "urn:hilum:accession", value: "ACC-1", kind: .accession)
        update.code = CodedConcept(text: "CT head")
        return update
    }

    @Test("An order is told with its patient before it, once; a unit that fails tells nothing")
    func announced() async throws {
        let profile = try SiteProfile(yaml: Self.yaml)
        try await Self.with([FHIRProjector(), HL7Announcement(profile)]) { store in
            await #expect(throws: StoreError.self) {
                try await (store as any WorkflowStore).write(.server(requestID: "t")) { unit in
                    _ = try OrderService().apply(Self.update(), in: unit)
                    throw StoreError(.conflict, "undone")
                }
            }
            #expect(try await Self.entries(store).isEmpty)
            for _ in 0..<2 {
                try await (store as any WorkflowStore).write(.server(requestID: "t")) { unit in
                    _ = try OrderService().apply(Self.update(), in: unit)
                }
            }
            let entries = try await Self.entries(store)
            let messages = try entries.map { try Parser().parse($0.payload) }
            #expect(messages.map { $0.header.messageCode + "^" + $0.header.triggerEvent } == ["ADT^A31", "ORM^O01"])
            #expect(entries.map(\.eventID.value) == messages.map(\.header.controlIDText))
            #expect(Set(entries.map(\.orderingKey)).count == 1)
            #expect(entries.allSatisfy { $0.kind == "hl7/RIS" && $0.destination == "hl7/RIS" })
            let found = try await store.outboxEntries(
                {
                    var query = OutboxQuery(limit: 10)
                    query.accession = "ACC-1"
                    return query
                }(), access: .server(requestID: "t"))
            #expect(found.map(\.number) == entries.suffix(1).map(\.number))
        }
    }

    @Test("Each destination has a courier of its own, with its places")
    func couriers() async throws {
        let profile = try SiteProfile(yaml: Self.yaml + "\n    connections: 3")
        try await Self.with([]) { store in
            let outbound = try HL7Outbound(
                profile, tls: CallingTLS(ServerConfiguration(), ServerFolder("unused")), store: store,
                logger: Logger(label: "test"))
            #expect(Array(outbound.couriers.keys) == ["hl7/RIS"])
            #expect(outbound.couriers["hl7/RIS"]?.policy.placesPerDestination == 3)
            await outbound.close()
        }
    }
}
