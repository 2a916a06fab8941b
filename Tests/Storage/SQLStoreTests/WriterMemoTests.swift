import FHIRModel
import FHIRResources
import Testing
import Workflow

@testable import SQLStore

/// What the writer remembers must never differ from what the database holds.
@Suite("The writer's memory")
struct WriterMemoTests {
    typealias Support = WorkflowSupport
    struct Stop: Error {}

    static func patient(_ family: String) -> Patient {
        Patient(id: EntityID("p1"), identifiers: [Support.mrn("100")], names: [HumanName(family: family)])
    }

    static func family(_ unit: any UnitOfWork) throws -> String? {
        try unit.patient(EntityID("p1"))?.names.first?.family
    }

    @Test("The newest are found, of the older a generation, and the rest is forgotten")
    func generations() {
        let memo = WriterMemo()
        let most = WriterMemo.generationMax
        for number in 0..<most { memo.remember(number, "\(number)") }
        #expect(memo.find(Int.self, "0") == 0)
        #expect(memo.find(String.self, "0") == nil)
        // Number 0 was asked for and is young again; 1 is not.
        for number in most..<2 * most - 1 { memo.remember(number, "\(number)") }
        #expect(memo.find(Int.self, "0") == 0)
        #expect(memo.find(Int.self, "1") == nil)
        memo.forget(Int.self, "0")
        #expect(memo.find(Int.self, "0") == nil)
        memo.reset()
        #expect(memo.find(Int.self, "\(2 * most - 2)") == nil)
    }

    @Test("A unit of work that is undone leaves nothing in memory", arguments: TestDatabases.all)
    func undone(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { try $0.save(Self.patient("kept")) }
            await #expect(throws: Stop.self) {
                try await store.work { (unit) throws in
                    try unit.save(Self.patient("undone"))
                    #expect(try Self.family(unit) == "undone")
                    throw Stop()
                }
            }
            #expect(try await store.work { try Self.family($0) } == "kept")
        }
    }

    @Test("A patient is found by the numbers that it has now, and by no other", arguments: TestDatabases.all)
    func identifiers(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            var patient = Self.patient("kept")
            for numbers in [["100"], ["100"], ["200", "300"], ["300"], ["300", "100"]] {
                patient.identifiers = numbers.map { Support.mrn($0) }
                try await store.work { [patient] in try $0.save(patient) }
                for number in ["100", "200", "300"] {
                    let found = try await store.look { try $0.patients(identifiedBy: Support.mrn(number)).map(\.id) }
                    #expect(found == (numbers.contains(number) ? [patient.id] : []), "\(number) of \(numbers)")
                }
            }
        }
    }

    @Test("Of a patient's visits the newest open one is found, however many are over", arguments: TestDatabases.all)
    func openVisits(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            func newest() async throws -> String? {
                try await store.work { try $0.newestOpenVisit(of: EntityID("p1"))?.id.value }
            }
            func save(_ id: String, _ status: Visit.Status) async throws {
                let visit = Visit(id: EntityID(id), patientID: EntityID("p1"), identifier: nil, status: status)
                try await store.work { try $0.save(visit) }
            }
            #expect(try await newest() == nil)
            for (id, status) in [("v3", Visit.Status.arrived), ("v2", .unknown), ("v1", .finished)] {
                try await save(id, status)
            }
            #expect(try await newest() == "v2")
            try await save("v2", .cancelled)
            #expect(try await newest() == "v3")
        }
    }

    @Test("Reports on an order are found in whatever place they name it, and no others", arguments: TestDatabases.all)
    func reports(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            func report(_ id: String, of patient: String = "p1", on orders: [String]) -> Report {
                var report = Report(
                    id: EntityID(id), patientID: EntityID(patient), orderID: orders.first.map { EntityID($0) },
                    status: .final, code: Support.concept("CT"))
                report.otherOrderIDs = orders.dropFirst().map { EntityID($0) }
                return report
            }
            let reports = [
                report("r1", on: ["o1"]), report("r2", on: ["o2", "o1"]), report("r3", on: ["o10"]),
                report("r4", on: []), report("r5", of: "p2", on: ["o1"]),
            ]
            for report in reports { try await store.work { try $0.save(report) } }
            let found = try await store.look { unit in
                try ["o1", "o2", "o3"].map { id -> [String] in
                    let order = ImagingOrder(
                        id: EntityID(id), patientID: EntityID("p1"), status: .active, code: Support.concept("CT"))
                    return try unit.reports(on: order).map(\.id.value)
                }
            }
            #expect(found == [["r1", "r2"], ["r2"], []])
        }
    }

    @Test(
        "Of 200 concurrent units of which every third fails, each sees only what is kept", arguments: TestDatabases.all)
    func concurrent(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { try $0.save(Self.patient("0")) }
            let seen = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 1...200 {
                    group.addTask {
                        do {
                            return try await store.work { (unit) throws in
                                let before = try Self.family(unit)
                                try unit.save(Self.patient("\(number)"))
                                if number % 3 == 0 { throw Stop() }
                                return before
                            }
                        } catch is Stop { return nil }
                    }
                }
                var seen: [String] = []
                for try await family in group { if let family { seen.append(family) } }
                return seen
            }
            // Those that were kept form one chain from 0: each saw another one's value, and none saw an undone one's.
            #expect(Set(seen).count == seen.count)
            #expect(seen.count == 134)
            #expect(seen.allSatisfy { $0 == "0" || Int($0).map { $0 % 3 != 0 } == true })
        }
    }

    @Test("What another process commits is seen by the next unit of work", arguments: TestDatabases.all)
    func otherProcess(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws in
            let ours = try await SQLDatabase(.unhurried(location), migrations: Migrations.all)
            var beside = SQLDatabaseConfiguration.unhurried(location)
            beside.isServer = false
            let theirs = try await SQLDatabase(beside, migrations: Migrations.all)
            @Sendable func save(_ family: String, _ transaction: SQLTransaction) throws {
                try PatientTable(connection: transaction.connection, memo: transaction.memo).save(Self.patient(family))
            }
            for (database, family) in [(ours, "ours"), (theirs, "theirs"), (ours, "ours again"), (theirs, "last")] {
                try await database.write { try save(family, $0) }
                for reader in [ours, theirs] {
                    let seen = try await reader.write { transaction in
                        try PatientTable(connection: transaction.connection, memo: transaction.memo)
                            .patient(EntityID("p1"))?.names.first?.family
                    }
                    #expect(seen == family)
                }
            }
            await ours.close()
            await theirs.close()
        }
    }

    @Test(
        "The only image of a series is rejected: the next one makes the rows that the study is found by",
        arguments: TestDatabases.all)
    func rejected(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            @Sendable func image(_ sop: String) -> ReceivedInstance {
                Support.received(sop, study: "1.2", series: "1.2.1") { study, series in
                    study.patientName = "NAME^ONE"
                    series.requestAttributes = [RequestAttributes(requestedProcedureID: "RP1")]
                }
            }
            func found(_ key: SearchKey, _ match: KeyMatch) async throws -> Int {
                let query = StudyQuery(level: .series, keys: SearchKeys([key: match]))
                return try await store.studies(query, access: Support.server).matches.count
            }
            for (rejected, next) in [("1.1", "1.2"), ("1.2", "1.3")] {
                _ = try await store.work { try StudyService().register(image(rejected), in: $0) }
                let request = QuarantineRequest(
                    .reject, studyInstanceUID: "1.2", sopInstanceUID: rejected, reason: "wrong")
                _ = try await store.decide(request, access: Support.server)
                #expect(try await found(.patientID, .exact("100")) == 0)
                _ = try await store.work { try StudyService().register(image(next), in: $0) }
                #expect(try await found(.patientID, .exact("100")) == 1)
                #expect(try await found(.patientName, .name("NAME^ONE")) == 1)
                #expect(try await found(.requestedProcedureID, .exact("RP1")) == 1)
            }
        }
    }
}
