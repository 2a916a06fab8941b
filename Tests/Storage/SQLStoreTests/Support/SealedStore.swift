import Access
import FHIRModel
import FHIRResources
import Foundation
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// Stores whose bodies may be sealed, one after the other on one database.
enum SealedStore {
    /// What is nowhere to be found in a database whose bodies are sealed: in a note, an address and a text that no search
    /// looks for.
    static let canary = "Kanarienvogel-7d1f"

    /// Opens a store as the configuration would have it, and closes it again.
    static func with<Value>(
        _ location: SQLDatabaseConfiguration.Location, isOn: Bool, _ secrets: [UInt8] = [1],
        _ body: (RelationalStore) async throws -> Value
    ) async throws -> Value {
        try await with(location, TestDatabases.sealing(isOn: isOn, secrets), body)
    }

    static func with<Value>(
        _ location: SQLDatabaseConfiguration.Location, _ bodies: BodySealing, isServer: Bool = true,
        _ body: (RelationalStore) async throws -> Value
    ) async throws -> Value {
        var configuration = SQLDatabaseConfiguration.unhurried(location)
        configuration.bodies = bodies
        configuration.isServer = isServer
        let database = try await SQLDatabase(configuration, migrations: Migrations.all)
        let store = RelationalStore(
            database: database, entropy: OwnEntropy(), observers: [FHIRProjector()],
            baseURL: ResourceStoreTests.base)
        do {
            let value = try await body(store)
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }

    /// Ids that no store before it on the same database has given.
    private struct OwnEntropy: Entropy {
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }
    }

    /// Puts something into nearly every table that is sealed, each with the canary. Gives the id of the patient.
    @discardableResult
    static func fill(_ store: RelationalStore, _ number: Int) async throws -> EntityID {
        let text = "\(canary) \(number)"
        let patient = try await store.work { unit -> EntityID in
            var update = WorkflowSupport.patient("P\(number)")
            update.attributes[Patient.Attribute.birthPlace] = .set(.text(text))
            let id = try #require(try PatientService().apply(update, in: unit).patientID)
            var order = OrderUpdate(control: .new, patient: WorkflowSupport.patient("P\(number)"))
            order.placer = Identifier(system: "urn:placer", value: "O\(number)", kind: .placer)
            order.accession = Identifier(system: "urn:acc", value: "A\(number)", kind: .accession)
            order.code = WorkflowSupport.concept("CT")
            order.notes = .set([text])
            _ = try OrderService().apply(order, in: unit)
            var received = WorkflowSupport.received(
                "1.1.\(number)", study: "1.2.\(number)", series: "1.2.\(number).1")
            received.header = Array(text.utf8)
            _ = try StudyService().register(received, in: unit)
            try unit.journal(message(number, text))
            try unit.enqueue(
                OutboxDraft(destination: "d", orderingKey: "k", kind: "test", payload: Array(text.utf8)))
            try unit.workitems.save(
                Workitem(
                    sopInstanceUID: "1.3.\(number)", state: .scheduled, worklistLabel: "L", patientID: id.value,
                    scheduledStart: WorkflowSupport.at(1), createdBy: "RIS", updatedAt: WorkflowSupport.at(1),
                    dataSet: Array(text.utf8)))
            try unit.workitems.save(
                WorklistSubscription(receiver: "AE\(number)", hasLock: false, filter: Array(text.utf8)))
            return id
        }
        for version in 1...2 {
            try await ResourceStoreTests.put(
                store,
                """
                {"resourceType":"Basic","id":"b\(number)","code":{"text":"v\(version)"},"extension":\
                [{"url":"urn:x","valueString":"\(text)"}]}
                """)
        }
        return patient
    }

    static func message(_ number: Int, _ text: String) -> JournaledMessage {
        JournaledMessage(
            id: EntityID("m\(number)"), sender: "A|B", controlID: "C\(number)", type: "ADT^A04", digest: "d\(number)",
            raw: Array("MSH|\(text)".utf8), disposition: .applied, note: nil,
            acknowledgement: Array("MSA|AA|\(text)".utf8), receivedAt: WorkflowSupport.at(Int64(number)), peer: nil)
    }

    /// What was filled in reads as it was put in.
    static func expectWhole(_ store: RelationalStore, _ number: Int, _ patient: EntityID) async throws {
        let text = "\(canary) \(number)"
        func holds(_ bytes: [UInt8]?) -> Bool { String(decoding: bytes ?? [], as: UTF8.self).contains(text) }
        let server = WorkflowSupport.server
        let uid = "1.2.\(number)"
        try await store.look { unit in
            #expect(try unit.patient(patient)?.attributes?[Patient.Attribute.birthPlace] == .text(text))
            #expect(try unit.orders(of: patient).map(\.notes) == [[text]])
            #expect(try unit.study(uid)?.studyInstanceUID == uid)
            #expect(try unit.series(in: uid).count == 1)
            let workitem = try unit.workitems.workitem("1.3.\(number)")
            #expect(workitem?.dataSet == Array(text.utf8))
            let filters = try unit.workitems.worklistSubscriptions().first { $0.receiver == "AE\(number)" }?.filter
            #expect(filters == Array(text.utf8))
        }
        let message = try #require(try await store.message(EntityID("m\(number)"), access: server))
        #expect(message.raw == Array("MSH|\(text)".utf8))
        #expect(message.acknowledgement == Array("MSA|AA|\(text)".utf8))
        let entries = try await store.outboxEntries(OutboxQuery(limit: 100), access: server)
        #expect(entries.contains { $0.kind == "test" && $0.payload == Array(text.utf8) })
        let headers = try await store.database.read { connection in
            try connection.all(
                "SELECT header FROM instance_headers WHERE sop_uid = ?", [.text("1.1.\(number)")]
            ) { try $0.opened(0, .header, "1.1.\(number)") }
        }
        #expect(headers == [Array(text.utf8)])
        #expect(holds(try await store.read("Basic", "b\(number)", access: server)?.bytes))
        #expect(holds(try await store.read("Basic", "b\(number)", version: 1, access: server)?.bytes))
        #expect(try await store.history("Basic", "b\(number)", before: nil, count: 9, access: server).count == 2)
        #expect(holds(try await store.read("Patient", patient.value, access: server)?.bytes))
        #expect(try await ResourceStoreTests.ids(store, "ServiceRequest", "patient=\(patient)").count == 1)
    }

    /// The bytes of a column as they lie there, by the row's identity.
    static func raw(_ location: SQLDatabaseConfiguration.Location, _ column: SealedColumn) throws -> [String: [UInt8]] {
        let connection = try TestDatabases.connect(location)
        var found: [String: [UInt8]] = [:]
        try connection.run("SELECT \(column.identity), \(column.column) FROM \(column.table)", []) {
            found[try $0.text(0)] = try $0.optionalBytes(1) ?? []
        }
        return found
    }

    /// Columns of the whole database in which some value is sealed, and those in which one is not.
    static func forms(
        _ location: SQLDatabaseConfiguration.Location
    ) throws -> (sealed: Set<SealedColumn>, open: Set<SealedColumn>) {
        var (sealed, open): (Set<SealedColumn>, Set<SealedColumn>) = ([], [])
        for column in SealedColumn.allCases {
            for bytes in try raw(location, column).values where !bytes.isEmpty {
                if bytes.first == BodySeal.sealed { sealed.insert(column) } else { open.insert(column) }
            }
        }
        return (sealed, open)
    }
}
