import Access
import Testing
import Workflow

@testable import SQLStore

/// Single instances of another identity than their series, through replacement, rejection and return.
extension QuarantineTests {
    /// The instances kept aside of a series, each with the patient that it names, and what was decided of it.
    private static func asides(_ store: RelationalStore) async throws -> [String] {
        let series = try await store.look { try $0.series("1.2.3.1", in: study) }
        return (series?.asides ?? []).map {
            "\($0.sopInstanceUID) \($0.identity.patientID ?? "-")\($0.decision == nil ? "" : " decided")"
        }.sorted()
    }

    private static func replace(_ store: RelationalStore, _ image: ReceivedInstance) async throws
        -> StudyService.Outcome
    {
        let outcome = try await store.work { unit in
            let stored = try #require(try unit.instance(image.instance.sopInstanceUID))
            return try StudyService().resolve(image, against: stored, difference: nil, policy: .replace, in: unit)
        }
        try await store.publish(study, access: Support.server)
        return outcome
    }

    @Test(
        "An instance sent again with its series' identity is kept aside no longer; with its old one it stays as decided",
        arguments: TestDatabases.all)
    func replaced(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            let (patient, order) = try (#require(ids["100"]), #require(ids["A1"]))
            let matched = StudyService.Outcome.stored(.matched(patientID: patient, orderID: order))
            try await Self.send(
                store, Self.image("1.1", accession: "A1"), Self.image("1.2", patient: "200"),
                Self.image("1.3", patient: "200"))
            #expect(try await Self.asides(store) == ["1.2 200", "1.3 200"])
            #expect(try await Self.replace(store, Self.image("1.2", accession: "A1", blob: "1.2e")) == matched)
            #expect(try await Self.asides(store) == ["1.3 200"])
            #expect(try await Self.shown(store) == "3 Patient/\(patient.value) 2")

            let again = try await Self.replace(store, Self.image("1.3", patient: "200", blob: "1.3e"))
            #expect(again == .stored(.quarantined(.patientMismatch)))
            #expect(try await Self.asides(store) == ["1.3 200"])
            try await Self.decide(store, .accept, instance: "1.3")
            #expect(try await Self.replace(store, Self.image("1.3", patient: "200", blob: "1.3f")) == matched)
            #expect(try await Self.asides(store) == ["1.3 200 decided"])
            #expect(try await Self.shown(store) == "3 Patient/\(patient.value) 3")
            // Nobody has decided about what names a third patient.
            let third = try await Self.replace(store, Self.image("1.3", patient: "300", blob: "1.3g"))
            #expect(third == .stored(.quarantined(.unknownPatient)))
            #expect(try await Self.asides(store) == ["1.3 300"])
        }
    }

    @Test(
        "What comes of a rejected series for another patient is not shown as its patient's after undo",
        arguments: TestDatabases.all)
    func arrivedRejected(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            let patient = try #require(ids["100"])
            try await Self.send(store, Self.image("1.1", accession: "A1"))
            try await Self.decide(store, .reject)
            var other = Self.image("1.2", patient: "200")
            other.unknownAuthorities = [
                try #require(UnknownAuthority(namespace: "NEW", universalID: nil, universalIDType: nil))
            ]
            let received = other
            let outcomes = try await Self.send(store, received, Self.image("1.3", accession: "A1"))
            #expect(outcomes == Array(repeating: .stored(.quarantined(.rejected)), count: 2))
            #expect(try await store.unknownAuthorities().count == 1)
            try await Self.decide(store, .undo)
            #expect(try await Self.asides(store) == ["1.2 200"])
            #expect(try await Self.shown(store) == "3 Patient/\(patient.value) 2")
        }
    }

    @Test(
        "Several single instances that come back stay apart, also where the series takes the identity of one",
        arguments: TestDatabases.all)
    func restored(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, _) async throws in
            try await Self.send(
                store, Self.image("1.1", patient: "400"), Self.image("1.2", patient: "500"),
                Self.image("1.3", patient: "300"))
            for instance in ["1.2", "1.3"] { try await Self.decide(store, .reject, instance: instance) }
            let five = try #require(
                try await store.work { try PatientService().apply(Support.patient("500"), in: $0).patientID })
            try await Self.decide(store, .undo)
            #expect(try await Self.link(store) == .unscheduled(patientID: five))
            #expect(try await Self.asides(store) == ["1.1 400", "1.3 300"])
            #expect(try await Self.shown(store) == "3 Patient/\(five.value) 1")
        }
    }

    @Test("A rejected instance is not healed by what is sent again: a conflict", arguments: TestDatabases.all)
    func healed(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, _) async throws in
            let image = Self.image("1.1", accession: "A1")
            try await Self.send(store, image)
            try await Self.decide(store, .reject)
            let outcome = try await store.work { unit in
                let stored = try #require(try unit.rejectedInstance("1.1"))
                return try StudyService().heal(image, insteadOf: stored, in: unit)
            }
            #expect(outcome == .conflict)
        }
    }

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
