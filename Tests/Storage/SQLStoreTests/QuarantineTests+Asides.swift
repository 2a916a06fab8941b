import Access
import Testing
import Workflow

@testable import SQLStore

/// Single instances of another identity than their series, through replacement, rejection and return.
extension QuarantineTests {
    @Test("A report on several orders follows the images of each", arguments: TestDatabases.all)
    func reportOnSeveral(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            let placer = Identifier(system: "urn:placer", value: "P5", kind: .placer)
            let report = try await store.work { unit -> EntityID in
                for accession in ["A5", "A6"] {
                    var order = OrderUpdate(control: .new, patient: Support.patient("100"))
                    order.placer = placer
                    order.accession = Identifier(system: "urn:acc", value: accession, kind: .accession)
                    order.code = Support.concept("CT")
                    _ = try OrderService().apply(order, in: unit)
                }
                _ = try StudyService().register(Self.image("1.1", accession: "A6"), in: unit)
                var update = ReportUpdate(
                    patient: Support.patient("100"), status: .final, code: Support.concept("CT"))
                update.placer = placer
                return try ReportService().apply(update, in: unit).reportID
            }
            #expect(try await store.look { try $0.report(report)?.orderIDs.count } == 2)
            #expect(try await store.look { try $0.report(report)?.studyInstanceUIDs } == [Self.study])
            try await Self.decide(store, .relink(.order(.number(system: "urn:acc", value: "A5"))))
            #expect(try await store.look { try $0.report(report)?.studyInstanceUIDs } == [Self.study])
            try await Self.decide(store, .relink(.order(.id(try #require(ids["A2"])))))
            #expect(try await store.look { try $0.report(report)?.studyInstanceUIDs } == [])
        }
    }
}
