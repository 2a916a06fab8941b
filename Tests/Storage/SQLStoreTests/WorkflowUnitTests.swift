import Access
import FHIRModel
import FHIRResources
import Testing
import Workflow

@testable import SQLStore

/// The unit of work over the tables of both databases.
@Suite("Workflow: units of work on both databases")
struct WorkflowUnitTests {
    typealias Support = WorkflowSupport

    static let patient = Patient(
        id: EntityID("p1"),
        identifiers: [
            Support.mrn("100"), Identifier(system: "urn:ss", value: "1", kind: .socialSecurity, isCurrent: false),
        ],
        names: [HumanName(family: "Müller", given: ["Ana", "B"], prefix: ["Dr"], suffix: ["Jr"], use: .official)],
        birthDate: PartialDateTime("1970-05"), sex: .female,
        addresses: [
            PostalAddress(
                lines: ["a", "b"], city: "c", district: "d", state: "s", postalCode: "1", country: "CH", use: .home)
        ], telecoms: [ContactPoint(system: .phone, value: "1", use: .mobile)], maritalStatus: Support.concept("M"),
        language: Support.concept("de"), isDeceased: true, deceasedAt: PartialDateTime("2026-01-01T00:00:00Z"),
        isActive: false,
        mergedInto: EntityID("p0"), eventTime: Support.at(3))

    static let party = PartyReference(
        identifier: Identifier(system: "urn:npi", value: "7", kind: .nationalProvider), name: HumanName(family: "X"),
        displayName: "Dr X")

    static let order = ImagingOrder(
        id: EntityID("o1"), patientID: EntityID("p1"), visitID: EntityID("v1"),
        placer: Identifier(system: "urn:pl", value: "P1", kind: .placer),
        filler: Identifier(system: "urn:fi", value: "F1", kind: .filler),
        accession: Identifier(system: "urn:ac", value: "A1", kind: .accession),
        requisition: Identifier(system: "urn:rq", value: "R1"), requestedProcedureID: "RP", studyInstanceUID: "1.2.3",
        status: .onHold, statusReason: Support.concept("why"), priority: .stat, code: Support.concept("CT"),
        modality: "CT",
        reasons: [Support.concept("r")], requester: party, orderedAt: PartialDateTime("2026-11-21T10:00:00+01:00"),
        scheduledAt: PartialDateTime("2026-11-22"), clinicalInformation: "info", notes: ["n"],
        steps: [
            ScheduledProcedureStep(
                id: EntityID("s1"), stepID: "SPS1", modality: "CT", stationAETitle: "CT1", stationName: "n",
                location: "l",
                scheduledStart: PartialDateTime("2026-11-22T08:00:00"), description: "d",
                protocolCode: .init(system: nil, code: "c"), performingPhysician: HumanName(family: "Y"), status: .held)
        ], eventTime: Support.at(4))

    static let report = Report(
        id: EntityID("r1"), patientID: EntityID("p1"), visitID: EntityID("v1"), orderID: EntityID("o1"),
        studyInstanceUIDs: ["1.2.3"], placer: order.placer, filler: order.filler, status: .final,
        code: Support.concept("CT"),
        category: Support.concept("RAD"), effective: PartialDateTime("2026-11-21"), issued: Support.at(9),
        interpreters: [party], conclusion: "c",
        presentedForms: [PresentedForm(contentType: "application/pdf", data: [0, 255, 1], title: "t")],
        observations: [
            .quantity(value: "1.10", comparator: "<", unit: "mm", unitSystem: "urn:ucum"), .text("t"),
            .concept(Support.concept("k")),
            .dateTime(PartialDateTime("2026")), .time("10:00:00"), .range(low: "1", high: nil, unit: "mm"),
            .ratio(numerator: "1", denominator: "2"), .absent(reason: "unknown"),
        ].enumerated().map { index, value in
            Observation(
                id: EntityID("ob\(index)"), key: "k|\(index)", code: Support.concept("k"), status: .final, value: value,
                referenceRange: "r", interpretation: [Support.concept("H")], effective: PartialDateTime("2026"),
                notes: ["n"])
        })

    @Test("Each value comes back as it was saved, twice over, found by each of its keys", arguments: TestDatabases.all)
    func roundTrips(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let visit = Visit(
                id: EntityID("v1"), patientID: EntityID("p1"),
                identifier: Identifier(system: "urn:v", value: "V1", kind: .visit),
                status: .inProgress, classCode: .init(system: "urn:act", code: "IMP"), location: "W1",
                attending: Self.party,
                referring: Self.party, start: PartialDateTime("2026-11-21"), end: nil, eventTime: Support.at(1))
            let received = Support.received("1.1", study: "1.2.3", series: "1.2.3.1")
            let study = Study(
                id: EntityID("st1"), studyInstanceUID: "1.2.3",
                reconciliation: .matched(patientID: EntityID("p1"), orderID: EntityID("o1")),
                attributes: received.study,
                updatedAt: Support.at(1))
            let series = Series(
                studyInstanceUID: "1.2.3", seriesInstanceUID: "1.2.3.1", reconciliation: study.reconciliation,
                attributes: received.series, updatedAt: Support.at(1))
            for _ in 0..<2 {
                try await store.work { (unit) throws in
                    try unit.save(Self.patient)
                    try unit.save(visit)
                    try unit.save(Self.order)
                    try unit.save(study)
                    try unit.save(series)
                    try unit.save(Self.report)
                    if try unit.instance("1.1") == nil { try unit.insert(received) }
                }
            }
            try await store.look { (unit) throws in
                #expect(try unit.patient(EntityID("p1")) == Self.patient)
                for identifier in Self.patient.identifiers {
                    #expect(try unit.patients(identifiedBy: identifier) == [Self.patient])
                }
                #expect(try unit.patients(identifiedBy: Identifier(system: "urn:ss", value: "100")).isEmpty)
                #expect(try unit.patients(mergedInto: EntityID("p0")) == [Self.patient])
                #expect(try unit.visit(EntityID("v1")) == visit)
                #expect(try unit.visits(identifiedBy: Identifier(system: "urn:v", value: "V1")) == [visit])
                #expect(try unit.visits(of: EntityID("p1")) == [visit])
                #expect(try unit.newestOpenVisit(of: EntityID("p1")) == (visit.status.isOpen ? visit : nil))
                #expect(try unit.order(EntityID("o1")) == Self.order)
                for (identifier, role) in [
                    (Self.order.placer, OrderIdentifierRole.placer), (Self.order.filler, .filler),
                    (Self.order.accession, .accession),
                ] {
                    #expect(try unit.orders(identifiedBy: try #require(identifier), as: role) == [Self.order])
                    #expect(
                        try unit.orders(identifiedBy: Identifier(system: "x", value: identifier?.value ?? ""), as: role)
                            .isEmpty)
                }
                #expect(try unit.orders(studyInstanceUID: "1.2.3") == [Self.order])
                #expect(try unit.orders(of: EntityID("p1")) == [Self.order])
                #expect(try unit.study("1.2.3") == study)
                #expect(try unit.study(id: EntityID("st1")) == study)
                #expect(try unit.studies(of: EntityID("p1")) == [study])
                #expect(try unit.studies(ofOrder: EntityID("o1")) == [study])
                #expect(try unit.series("1.2.3.1", in: "1.2.3") == series)
                #expect(try unit.series(in: "1.2.3") == [series])
                #expect(try unit.instance("1.1") == received.instance)
                #expect(try unit.instances(in: "1.2.3.1", of: "1.2.3") == [received.instance])
                #expect(try unit.report(EntityID("r1")) == Self.report)
                #expect(try unit.reports(identifiedBy: try #require(Self.report.filler)).contains(Self.report))
                #expect(try unit.reports(of: EntityID("p1")) == [Self.report])
                #expect(try unit.reports(ofOrder: EntityID("o1")) == [Self.report])
            }
            let headers = try await store.headers(
                studyInstanceUID: "1.2.3", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                access: Support.server)
            #expect(headers.map(\.header) == [received.header])
            #expect(headers.map(\.bulk) == [received.bulk])
            #expect(headers.map(\.frameIndex) == [received.frameIndex])
            #expect(headers.map(\.instance) == [received.instance])
            // An instance that was listed is remembered, for those who may read all images, under its own UIDs only.
            func remembered(_ uid: String, study: String = "1.2.3", access: AccessContext = Support.server) -> Instance?
            {
                store.remembered(
                    studyInstanceUID: study, seriesInstanceUID: "1.2.3.1", sopInstanceUID: uid, access: access)
            }
            #expect(remembered("1.1") == received.instance)
            #expect(remembered("1.2") == nil)
            #expect(remembered("1.1", study: "1.2.4") == nil)
            for scope in ["system/Patient.rs", "system/ImagingStudy.s", "system/ImagingStudy.rs?status=available"] {
                let access = AccessContext(
                    principal: Principal(kind: .client, id: "c"), scopes: [try #require(Scope(scope))], requestID: "r")
                #expect(remembered("1.1", access: access) == nil, "\(scope)")
            }
            #expect(try await store.referenced([BlobID("blob-1.1"), BlobID("other")]) == [BlobID("blob-1.1")])
        }
    }

    @Test("An identifier taken off a patient does not find it any more", arguments: TestDatabases.all)
    func identifiersFollow(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { (unit) throws in
                try unit.save(Patient(id: EntityID("p"), identifiers: [Support.mrn("1"), Support.mrn("2")]))
                try unit.save(Patient(id: EntityID("p"), identifiers: [Support.mrn("2"), Support.mrn("3")]))
            }
            let found = try await store.look { (unit) throws in
                try ["1", "2", "3"].map { try unit.patients(identifiedBy: Support.mrn($0)).count }
            }
            #expect(found == [0, 1, 1])
        }
    }

    @Test("An error anywhere in a unit undoes all of it: domain, resources, audit", arguments: TestDatabases.all)
    func undone(_ kind: SQLDialect) async throws {
        struct Stop: Error {}
        try await Support.with(kind) { (store) async throws in
            await #expect(throws: Stop.self) {
                try await store.work { (unit) throws in
                    _ = try PatientService().apply(Support.patient("100"), in: unit)
                    _ = try OrderService().apply(
                        OrderUpdate(control: .new, patient: Support.patient("100")).with(filler: "F1"), in: unit)
                    try unit.audit(
                        AuditRecord(
                            category: .message, interaction: "ADT^A04", action: .execute, outcome: .success,
                            access: unit.access))
                    throw Stop()
                }
            }
            #expect(try await store.look { try $0.patients(identifiedBy: Support.mrn("100")) }.isEmpty)
            #expect(try await store.database.read { try AuditChain.verify($0) } == 0)
            let query = try ResourceStoreTests.query("Patient", "")
            #expect(try await store.search(query, token: nil, access: Support.server).matches.isEmpty)
        }
    }

    @Test("A unit that fails among others in one batch takes nobody with it", arguments: TestDatabases.all)
    func batches(_ kind: SQLDialect) async throws {
        struct Stop: Error {}
        try await Support.with(kind) { (store) async throws in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        _ = try? await store.work { (unit) throws in
                            _ = try PatientService().apply(Support.patient("\(number)"), in: unit)
                            if number.isMultiple(of: 3) { throw Stop() }
                        }
                    }
                }
            }
            let kept = try await store.look { (unit) throws in
                try (0..<40).filter { try !unit.patients(identifiedBy: Support.mrn("\($0)")).isEmpty }
            }
            #expect(kept == (0..<40).filter { !$0.isMultiple(of: 3) })
        }
    }

    @Test("A reading unit refuses to write", arguments: TestDatabases.all)
    func readOnly(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            do {
                try await store.look { try $0.save(Self.patient) }
                Issue.record("a read wrote")
            } catch let error as StoreError { #expect(error.code == .misuse) }
        }
    }

    @Test("The same instance twice in one store is a conflict of the table too", arguments: TestDatabases.all)
    func uniqueInstance(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let received = Support.received("1.1", study: "1.2", series: "1.2.1")
            try await store.work { try $0.insert(received) }
            do {
                try await store.work { try $0.insert(received) }
                Issue.record("inserted twice")
            } catch let error as StoreError { #expect(error.code == .conflict) }
        }
    }

    @Test(
        "Stored resources are what the projection of the domain gives again: projecting twice adds no version",
        arguments: TestDatabases.all)
    func projectionIsStable(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let order = OrderUpdate(control: .new, patient: Support.patient("100")).with(filler: "F1", accession: "A1")
            try await store.work { (unit) throws in
                _ = try PatientService().apply(Support.patient("100"), in: unit)
                _ = try OrderService().apply(order, in: unit)
                _ = try StudyService().register(
                    Support.received("1.1", study: "1.2.3", series: "1.2.3.1") { study, series in
                        study.accessionNumber = "A1"
                        study.accessionSystem = "urn:ac"
                        series.accessionNumber = "A1"
                        series.accessionSystem = "urn:ac"
                    }, in: unit)
                try StudyService().publish("1.2.3", in: unit)
                var report = ReportUpdate(patient: Support.patient("100"), status: .final, code: Support.concept("CT"))
                report.filler = order.filler
                report.observations = [.init(key: "k", code: Support.concept("K"), status: .final, value: .text("v"))]
                _ = try ReportService().apply(report, in: unit)
            }
            let types = ["Patient", "ServiceRequest", "Task", "ImagingStudy", "DiagnosticReport", "Observation"]
            func all() async throws -> [StoredResource] {
                var found: [StoredResource] = []
                for type in types {
                    let page = try await store.search(
                        try ResourceStoreTests.query(type, ""), token: nil, access: Support.server)
                    #expect(page.matches.count == 1, "\(type)")
                    found += page.matches
                }
                return found
            }
            let before = try await all()
            #expect(before.allSatisfy { $0.version == 1 })
            try await store.work { (unit) throws in
                let patient = try #require(try unit.patients(identifiedBy: Support.mrn("100")).first)
                unit.emit(.patientChanged(patient.id))
                for order in try unit.orders(of: patient.id) { unit.emit(.orderChanged(order.id)) }
                for study in try unit.studies(of: patient.id) {
                    unit.emit(.studyChanged(studyInstanceUID: study.studyInstanceUID))
                }
                for report in try unit.reports(of: patient.id) { unit.emit(.reportChanged(report.id)) }
            }
            #expect(try await all() == before)
        }
    }
}

extension OrderUpdate {
    func with(filler: String, accession: String? = nil) -> OrderUpdate {
        var update = self
        update.filler = Identifier(system: "urn:fi", value: filler, kind: .filler)
        update.accession = accession.map { Identifier(system: "urn:ac", value: $0, kind: .accession) }
        update.code = WorkflowSupport.concept("CT")
        return update
    }
}
