import Access
import FHIRModel
import FHIRResources
import Testing
import Workflow

@testable import SQLStore

/// An authority that the site configures after it was named. Case H1; HL7 v2.5.1 §2.A.14.
@Suite("Mapping of authorities on both databases")
struct AuthorityMappingTests {
    typealias Support = WorkflowSupport
    static let clinic = UnknownAuthority(namespace: "CLINIC", universalID: nil, universalIDType: nil)
    static let system = "urn:clinic"

    private static func number(_ value: String, _ kind: Identifier.Kind? = .medicalRecord) throws -> Identifier {
        Identifier(system: try #require(clinic).system, value: value, kind: kind)
    }

    /// Patients 1 and 2 of the clinic, an order, a visit, a result and an image of 1, all under its unknown system.
    private static func fill(_ store: RelationalStore) async throws {
        let (one, two) = (try number("1"), try number("2"))
        let (placer, filler) = (try number("P1", .placer), try number("F1", .filler))
        let (accession, visit) = (try number("A1", .accession), try number("V1", .visit))
        try await store.work { unit in
            try unit.note(try #require(clinic))
            for identifier in [one, two] {
                var update = PatientUpdate(identifiers: [identifier, Support.mrn("own-" + identifier.value)])
                update.names = .set([HumanName(family: "N" + identifier.value)])
                let id = try PatientService().apply(update, in: unit).patientID
                guard identifier == one, let id else { continue }
                _ = try VisitService().apply(
                    VisitUpdate(identifier: visit, status: .inProgress, eventTime: nil), to: id, in: unit)
            }
            var order = OrderUpdate(control: .new, patient: PatientUpdate(identifiers: [one]))
            (order.placer, order.filler, order.accession, order.visit) = (placer, filler, accession, visit)
            order.code = Support.concept("CT")
            _ = try OrderService().apply(order, in: unit)
            var report = ReportUpdate(
                patient: PatientUpdate(identifiers: [one]), status: .final, code: Support.concept("CT"))
            report.filler = filler
            _ = try ReportService().apply(report, in: unit)
            _ = try StudyService().register(
                Support.received("i", study: "1.2", series: "1.2.1") { study, series in
                    (study.patientID, series.patientID) = ("1", "1")
                    (study.patientIDSystem, series.patientIDSystem) = (one.system, one.system)
                    (study.accessionNumber, series.accessionNumber) = ("A1", "A1")
                    (study.accessionSystem, series.accessionSystem) = (one.system, one.system)
                }, in: unit)
        }
    }

    private static func map(_ store: RelationalStore, isDryRun: Bool = false) async throws
        -> RelationalStore.MappingResult
    {
        let site = AssigningAuthorities(
            authorities: [.init(system: system, namespace: "CLINIC")], defaultPatientSystem: "urn:mrn",
            defaultAccessionSystem: "urn:acc")
        let named = try #require(clinic)
        let mapping = try #require(site.mappings(of: [named]).first)
        return try await store.map(mapping, isDryRun: isDryRun, access: Support.server)
    }

    @Test(
        "Records, their history and images are found under the configured system, and the old one is gone",
        arguments: TestDatabases.all)
    func maps(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await Self.fill(store)
            let dry = try await Self.map(store, isDryRun: true)
            #expect(dry.patients == 2)
            #expect(dry.orders == 1)
            #expect(dry.contradictions.isEmpty)
            #expect(try await store.unknownAuthorities().count == 1)
            let old = try Self.number("1")
            #expect(try await store.look { try $0.patients(identifiedBy: old).count } == 1)

            let result = try await Self.map(store)
            #expect(result.patients == 2)
            #expect(result.visits == 1)
            #expect(result.orders == 1)
            #expect(result.reports == 1)
            #expect(result.series == 1)
            #expect(result.contradictions.isEmpty)
            #expect(try await store.unknownAuthorities().isEmpty)
            let found = try await store.look { unit -> [String] in
                #expect(try unit.patients(identifiedBy: old).isEmpty)
                func new(_ value: String) -> Identifier { Identifier(system: Self.system, value: value) }
                let patient = try #require(try unit.patients(identifiedBy: new("1")).first)
                let order = try #require(try unit.orders(identifiedBy: new("A1"), as: .accession).first)
                #expect(try unit.orders(identifiedBy: new("P1"), as: .placer).map(\.id) == [order.id])
                #expect(try unit.visits(identifiedBy: new("V1")).map(\.id) == [order.visitID])
                #expect(try unit.reports(identifiedBy: new("F1")).map(\.orderID) == [order.id])
                let link = try unit.study("1.2")?.reconciliation
                #expect(link == .matched(patientID: patient.id, orderID: order.id))
                return [patient.id.value, order.id.value]
            }
            // In FHIR too; and a later message of the order finds its history.
            let resource = try await store.readUnit(Support.server) { unit in
                try unit.currentResource("Patient", found[0]).map { String(decoding: $0.bytes, as: UTF8.self) }
            }
            #expect(resource?.contains("\"\(Self.system)\"") == true)
            #expect(resource?.contains("unknown-issuer") == false)
            let outcome = try await store.work { unit in
                var change = OrderUpdate(
                    control: .change,
                    patient: PatientUpdate(identifiers: [Identifier(system: Self.system, value: "1")]))
                change.placer = Identifier(system: Self.system, value: "P1", kind: .placer)
                return try OrderService().apply(change, in: unit)
            }
            #expect(outcome.orderIDs.map(\.value) == [found[1]])
            #expect(try await Self.map(store).patients == 0, "a second run finds nothing")
        }
    }

    @Test("What waits for a merge waits for the number under the configured system", arguments: TestDatabases.all)
    func awaited(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await Self.fill(store)
            let old = try Self.number("1")
            let new = Identifier(system: Self.system, value: "1", kind: .medicalRecord)
            try await store.work { unit in
                for id in ["m1", "m2"] {
                    try unit.journal(
                        JournaledMessage(
                            id: EntityID(id), sender: "A|B", controlID: id, type: "ADT^A08", digest: id, raw: [1],
                            disposition: .failed, note: nil, acknowledgement: [1], receivedAt: unit.time, peer: nil))
                    try unit.awaitMerge(EntityID(id), of: [old])
                }
                try unit.awaitMerge(EntityID("m1"), of: [new])
            }
            _ = try await Self.map(store, isDryRun: true)
            #expect(try await store.look { try $0.messages(awaitingMergeOf: [old]).count } == 2)
            _ = try await Self.map(store)
            #expect(try await store.look { try $0.messages(awaitingMergeOf: [old]).count } == 0)
            let waiting = try await store.look { try $0.messages(awaitingMergeOf: [new]).map(\.value) }
            #expect(waiting == ["m1", "m2"])
        }
    }

    @Test("So is what a single rejected image names", arguments: TestDatabases.all)
    func rejectedInstance(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await Self.fill(store)
            let request = QuarantineRequest(.reject, studyInstanceUID: "1.2", sopInstanceUID: "i", reason: "wrong")
            _ = try await store.decide(request, access: Support.server)
            #expect(try await Self.map(store).series == 1)
            let kept = try await store.look { unit in
                try unit.rejections(of: "1.2.1", in: "1.2", sopInstanceUIDs: nil)
            }
            #expect(kept.keys.sorted() == ["i"])
            #expect(kept["i"]?.identity.patientIDSystem == Self.system)
            #expect(try await store.look { try $0.rejectedInstance("i") } != nil)
        }
    }

    @Test("Rejected images are mapped, too", arguments: TestDatabases.all)
    func rejected(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await Self.fill(store)
            let request = QuarantineRequest(.reject, studyInstanceUID: "1.2", reason: "wrong")
            _ = try await store.decide(request, access: Support.server)
            #expect(try await Self.map(store).series == 1)
            let series = try await store.look { try $0.rejectedSeries("1.2.1", in: "1.2")?.series }
            #expect(series?.attributes.patientIDSystem == Self.system)
        }
    }

    @Test(
        "Nothing is merged by the way: what another record has is left and told, the rest is mapped",
        arguments: TestDatabases.all)
    func contradictions(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await Self.fill(store)
            let other = try await store.work { unit -> EntityID? in
                // Registered since the site has configured the clinic, as are the order and its number.
                let named = Identifier(system: Self.system, value: "2", kind: .medicalRecord)
                let id = try PatientService().apply(PatientUpdate(identifiers: [named]), in: unit).patientID
                var order = OrderUpdate(control: .new, patient: PatientUpdate(identifiers: [named]))
                order.filler = Identifier(system: Self.system, value: "F1", kind: .filler)
                order.code = Support.concept("MR")
                _ = try OrderService().apply(order, in: unit)
                return id
            }
            let result = try await Self.map(store)
            #expect(result.patients == 1)
            #expect(result.orders == 0)
            #expect(result.contradictions.count == 2)
            let name = "Patient/" + (other?.value ?? "none")
            #expect(result.contradictions.first?.contains(name) == true)
            #expect(try await store.unknownAuthorities().count == 1, "there is something left to map")
            let left = try Self.number("2")
            #expect(try await store.look { try $0.patients(identifiedBy: left).count } == 1)
            // A person decides, by an A40; then the rest is mapped.
            try await store.work { unit in
                _ = try PatientService().merge(
                    prior: [left],
                    into: PatientUpdate(
                        identifiers: [Identifier(system: Self.system, value: "2", kind: .medicalRecord)]), in: unit)
            }
            let again = try await Self.map(store)
            #expect(again.patients >= 1)
            #expect(again.contradictions.allSatisfy { $0.hasPrefix("ServiceRequest/") })
        }
    }
}
