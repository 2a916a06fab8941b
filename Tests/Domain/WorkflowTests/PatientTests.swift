import Testing
import Workflow

/// Registration, update and merge. HL7 v2.5.1 §3.3, IHE RAD-1, RAD-12.
@Suite("Patients: one record a person")
struct PatientTests {
    @Test("An update without a usable identifier registers nobody")
    func unidentified() throws {
        let unit = MemoryUnit()
        #expect(try PatientService().apply(PatientUpdate(identifiers: []), in: unit) == .unidentified)
        let empty = PatientUpdate(identifiers: [
            Identifier(system: "", value: "1"), Identifier(system: "urn:mrn", value: ""),
        ])
        #expect(try PatientService().apply(empty, in: unit) == .unidentified)
        #expect(unit.patients.isEmpty && unit.takeEvents().isEmpty)
    }

    @Test("Registration, the same again, and a newer update are created, unchanged, updated")
    func registration() throws {
        let unit = MemoryUnit()
        let service = PatientService()
        guard case .created(let id) = try service.apply(Make.patient("100", family: "Doe", at: 1), in: unit) else {
            Issue.record("not created")
            return
        }
        #expect(unit.takeEvents() == [.patientChanged(id)])
        #expect(try service.apply(Make.patient("100", family: "Doe", at: 1), in: unit) == .unchanged(id))
        #expect(try service.apply(Make.patient("100", family: "Doe", at: 2), in: unit) == .unchanged(id))
        #expect(unit.takeEvents().isEmpty)
        #expect(try service.apply(Make.patient("100", family: "Roe", at: 3), in: unit) == .updated(id))
        #expect(try unit.patient(id)?.names.first?.family == "Roe")
        #expect(unit.patients.count == 1)
    }

    @Test("An older update changes no demographics but adds its identifiers")
    func stale() throws {
        let unit = MemoryUnit()
        let id = try #require(try unit.register(Make.patient("100", family: "Roe", at: 5)))
        #expect(try PatientService().apply(Make.patient("100", "200", family: "Doe", at: 4), in: unit) == .stale(id))
        let patient = try #require(try unit.patient(id))
        #expect(patient.names.first?.family == "Roe")
        #expect(patient.identifiers.map(\.value) == ["100", "200"])
        #expect(patient.eventTime == Make.at(5))
    }

    @Test("A field that is empty stays, one that is deleted goes (HL7 v2.5.1 §2.7.1 empty and null)")
    func keepAndClear() throws {
        let unit = MemoryUnit()
        var update = Make.patient("100", family: "Doe", at: 1)
        update.sex = .set(.female)
        update.birthDate = .set(PartialDateTime("1970-01-01"))
        let id = try #require(try unit.register(update))
        var second = Make.patient("100", at: 2)
        second.birthDate = .clear
        _ = try unit.register(second)
        let patient = try #require(try unit.patient(id))
        #expect(patient.sex == .female && patient.birthDate == nil && patient.names.first?.family == "Doe")
    }

    @Test("H3: two record numbers that lead to two living patients are refused, never joined (§3.4.2.3)")
    func sharedNumber() throws {
        let unit = MemoryUnit()
        let first = try #require(try unit.register(Make.patient("100")))
        let second = try #require(try unit.register(Make.patient("200")))
        let before = unit.patients
        let both = try PatientService().apply(Make.patient("100", "200", family: "X"), in: unit)
        #expect(both == .ambiguous([first, second].sorted { $0.value < $1.value }))
        #expect(unit.patients == before)
    }

    @Test("H3: mother and child share an insurance number and are two; each keeps it (table 0203)")
    func sharedInsurance() throws {
        let unit = MemoryUnit()
        let insurance = Identifier(system: "urn:insurance", value: "7", kind: .socialSecurity)
        func update(_ number: Identifier, _ family: String) -> PatientUpdate {
            var update = PatientUpdate(identifiers: [number, insurance], eventTime: Make.at(1))
            update.names = .set([HumanName(family: family)])
            return update
        }
        let clinic = Identifier(system: "urn:clinic", value: "5", kind: .patientInternal)
        let ids = try [(Make.mrn("100"), "Mother"), (Make.mrn("200"), "Child"), (clinic, "Other")].map {
            try #require(try unit.register(update($0.0, $0.1)))
        }
        #expect(Set(ids).count == 3)
        for (id, name) in zip(ids, ["Mother", "Child", "Other"]) {
            let patient = try #require(try unit.patient(id))
            #expect(patient.names.first?.family == name && patient.identifiers.contains { $0.matches(insurance) })
        }
        // Alone it identifies nobody.
        #expect(try PatientService().apply(PatientUpdate(identifiers: [insurance]), in: unit) == .unidentified)
        // A merge of the one says nothing of the other who has the same insurance.
        let merged = try PatientService().merge(
            prior: [Make.mrn("200"), insurance], into: update(Make.mrn("300"), "Child"), in: unit)
        guard case .merged(_, ids[1]) = merged else {
            Issue.record("\(merged)")
            return
        }
        #expect(try unit.patient(ids[0])?.isActive == true)
    }

    @Test("H3: another record number of the same authority contradicts, whatever else agrees")
    func contradiction() throws {
        let unit = MemoryUnit()
        let clinic = Identifier(system: "urn:clinic", value: "5", kind: .medicalRecord)
        let id = try #require(
            try unit.register(PatientUpdate(identifiers: [Make.mrn("100"), clinic], eventTime: Make.at(1))))
        let before = unit.patients
        let other = PatientUpdate(identifiers: [Make.mrn("200"), clinic], eventTime: Make.at(2))
        #expect(try PatientService().apply(other, in: unit) == .contradicted(by: id))
        #expect(unit.patients == before)
        #expect(throws: OrderService.Refusal.contradictoryPatient) {
            try unit.place(Make.order(patient: other, filler: "F1"))
        }
        #expect(throws: ReportService.Refusal.contradictoryPatient) {
            try unit.result(Make.report(.final, patient: other, filler: "F1"))
        }
        // A further number beside the known one is the same person's.
        #expect(try unit.register(Make.patient("100", "101", at: 3)) == id)
        #expect(try unit.register(Make.patient("101", at: 4)) == id)
    }

    @Test("Without a record number, what only one person has identifies; the site may list more record number types")
    func otherKinds() throws {
        let unit = MemoryUnit()
        let national = Identifier(system: "urn:national", value: "9", kind: .other)
        let id = try #require(try unit.register(PatientUpdate(identifiers: [national])))
        #expect(try unit.register(PatientUpdate(identifiers: [national])) == id)
        // With a record number beside it, that decides: nothing says that it is the same person.
        #expect(try unit.register(PatientUpdate(identifiers: [Make.mrn("100"), national])) != id)
        let site = MemoryUnit()
        site.rules.recordNumberTypes = ["MR", "XX"]
        let known = try site.register(PatientUpdate(identifiers: [Make.mrn("100"), national]))
        #expect(try site.register(PatientUpdate(identifiers: [national])) == known)
        let other = Identifier(system: "urn:clinic", value: "5", kind: .medicalRecord)
        #expect(try site.register(PatientUpdate(identifiers: [other, national])) == known)
    }

    @Test("An order's patient is registered once, and the later registration wins whatever its time")
    func identify() throws {
        let unit = MemoryUnit()
        let created = try PatientService().identify(Make.patient("100", family: "D", at: 9), in: unit)
        let id = try #require(created.patientID)
        #expect(try PatientService().identify(Make.patient("100", family: "B", at: 8), in: unit) == .unchanged(id))
        #expect(try PatientService().identify(Make.patient("100", family: "X", at: 10), in: unit) == .updated(id))
        #expect(try PatientService().apply(Make.patient("100", family: "Doe", at: 3), in: unit) == .updated(id))
        #expect(try PatientService().identify(Make.patient("100", family: "X", at: 11), in: unit) == .unchanged(id))
        #expect(try unit.patient(id)?.names.first?.family == "Doe")
    }

    // MARK: Merge

    @Test("A merge retires the prior record and moves everything it owned")
    func merge() throws {
        let unit = MemoryUnit()
        let survivor = try #require(try unit.register(Make.patient("100")))
        let prior = try #require(try unit.register(Make.patient("200", "201")))
        let visit = VisitUpdate(
            identifier: Identifier(system: "urn:visit", value: "V1"), status: .inProgress, eventTime: nil)
        _ = try VisitService().apply(visit, to: prior, in: unit)
        let order = try unit.place(Make.order(patient: Make.patient("200"), filler: "F1", accession: "A1")).orderID
        try unit.store(Make.received("1.1", patientID: "200", accession: "A1"))
        let report = try unit.result(Make.report(.preliminary, patient: Make.patient("200"), filler: "F1")).reportID
        _ = unit.takeEvents()

        let outcome = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100"), in: unit)
        #expect(outcome == .merged(survivor: survivor, retired: prior))
        let retired = try #require(try unit.patient(prior))
        #expect(!retired.isActive && retired.mergedInto == survivor)
        #expect(retired.identifiers.allSatisfy { !$0.isCurrent })
        let living = try #require(try unit.patient(survivor))
        #expect(living.identifiers.filter { !$0.isCurrent }.map(\.value) == ["200", "201"])
        #expect(try unit.visits(of: survivor).count == 1)
        #expect(try unit.order(order)?.patientID == survivor)
        #expect(try unit.link() == .matched(patientID: survivor, orderID: order))
        #expect(try unit.series(in: "1.2.3").first?.reconciliation == .matched(patientID: survivor, orderID: order))
        #expect(try unit.report(report)?.patientID == survivor)
        let events = unit.takeEvents()
        #expect(events.contains(.patientsMerged(survivor: survivor, retired: prior)))
        #expect(events.contains(.orderChanged(order)) && events.contains(.studyChanged(studyInstanceUID: "1.2.3")))
        #expect(events.contains(.reportChanged(report)))
    }

    @Test("A message for the retired number goes to the survivor and changes no demographics")
    func redirected() throws {
        let unit = MemoryUnit()
        let survivor = try #require(try unit.register(Make.patient("100", family: "Doe", at: 1)))
        _ = try unit.register(Make.patient("200", family: "Old", at: 1))
        _ = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100", at: 2), in: unit)
        let late = Make.patient("200", family: "Ghost", at: 9)
        #expect(try PatientService().apply(late, in: unit) == .redirected(survivor: survivor))
        #expect(try unit.patient(survivor)?.names.first?.family == "Doe")
        let order = try unit.place(Make.order(patient: late, filler: "F1")).orderID
        #expect(try unit.order(order)?.patientID == survivor)
    }

    @Test("A list with the retired number beside the current one updates the living record")
    func retiredBesideCurrent() throws {
        let unit = MemoryUnit()
        let survivor = try #require(try unit.register(Make.patient("100", family: "Doe", at: 1)))
        _ = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100", at: 2), in: unit)
        #expect(
            try PatientService().apply(Make.patient("200", "100", family: "Roe", at: 3), in: unit) == .updated(survivor)
        )
    }

    @Test("The merge of an unknown prior leaves a stub, so that its late message lands on the survivor")
    func unknownPrior() throws {
        let unit = MemoryUnit()
        let outcome = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100"), in: unit)
        guard case .merged(let survivor, let stub) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try unit.patient(stub)?.mergedInto == survivor)
        #expect(try unit.register(Make.patient("200")) == survivor)
        #expect(unit.patients.count == 2)
    }

    @Test("The same merge twice does nothing the second time")
    func twice() throws {
        let unit = MemoryUnit()
        let survivor = try #require(try unit.register(Make.patient("100")))
        _ = try unit.register(Make.patient("200"))
        _ = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100"), in: unit)
        let before = unit.patients
        _ = unit.takeEvents()
        let again = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100"), in: unit)
        #expect(again == .alreadyMerged(survivor: survivor))
        #expect(unit.patients == before && unit.takeEvents().isEmpty)
    }

    @Test("A merge into itself is refused")
    func selfMerge() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        #expect(try PatientService().merge(prior: [Make.mrn("100")], into: Make.patient("100"), in: unit) == .selfMerge)
        #expect(unit.patients.count == 1 && unit.patients[0].isActive)
    }

    @Test("The inverse of a merge is refused, also through a chain")
    func inverse() throws {
        let unit = MemoryUnit()
        for value in ["100", "200", "300"] { _ = try unit.register(Make.patient(value)) }
        let service = PatientService()
        _ = try service.merge(prior: [Make.mrn("100")], into: Make.patient("200"), in: unit)
        #expect(try service.merge(prior: [Make.mrn("200")], into: Make.patient("100"), in: unit) == .inverse)
        _ = try service.merge(prior: [Make.mrn("200")], into: Make.patient("300"), in: unit)
        #expect(try service.merge(prior: [Make.mrn("300")], into: Make.patient("100"), in: unit) == .inverse)
    }

    @Test("A chain of merges ends at one living record, and repeats of its links are known")
    func chain() throws {
        let unit = MemoryUnit()
        for value in ["100", "200", "300"] { _ = try unit.register(Make.patient(value)) }
        let last = try #require(try unit.register(Make.patient("300")))
        let service = PatientService()
        _ = try service.merge(prior: [Make.mrn("100")], into: Make.patient("200"), in: unit)
        _ = try service.merge(prior: [Make.mrn("200")], into: Make.patient("300"), in: unit)
        for value in ["100", "200", "300"] { #expect(try unit.register(Make.patient(value)) == last) }
        #expect(
            try service.merge(prior: [Make.mrn("100")], into: Make.patient("200"), in: unit)
                == .alreadyMerged(survivor: last))
        #expect(
            try service.merge(prior: [Make.mrn("100")], into: Make.patient("300"), in: unit)
                == .alreadyMerged(survivor: last))
        #expect(unit.patients.filter(\.isActive).map(\.id) == [last])
    }

    @Test("A prior that was merged into another patient is not dragged along with that patient")
    func mergedElsewhere() throws {
        let unit = MemoryUnit()
        for value in ["100", "200", "300"] { _ = try unit.register(Make.patient(value)) }
        let service = PatientService()
        _ = try service.merge(prior: [Make.mrn("100")], into: Make.patient("200"), in: unit)
        let outcome = try service.merge(prior: [Make.mrn("100")], into: Make.patient("300"), in: unit)
        guard case .ambiguous = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(unit.patients.filter(\.isActive).count == 2)
    }

    @Test("A prior list that names two living patients is refused")
    func ambiguousPrior() throws {
        let unit = MemoryUnit()
        for value in ["100", "200", "300"] { _ = try unit.register(Make.patient(value)) }
        let outcome = try PatientService().merge(
            prior: [Make.mrn("100"), Make.mrn("200")], into: Make.patient("300"), in: unit)
        guard case .ambiguous(let ids) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(ids.count == 2 && unit.patients.allSatisfy(\.isActive))
    }

    // MARK: Whole records

    @Test("A client's record may not claim another living patient's number, nor go while in use")
    func replaceAndRemove() throws {
        let unit = MemoryUnit()
        let first = try #require(try unit.register(Make.patient("100")))
        let claim = Patient(id: EntityID("p2"), identifiers: [Make.mrn("100")])
        #expect(throws: PatientService.Refusal.identifierInUse(system: "urn:mrn", value: "100", by: first)) {
            try PatientService().replace(claim, in: unit)
        }
        try unit.place(Make.order(filler: "F1"))
        #expect(throws: PatientService.Refusal.inUse) { try PatientService().remove(first, in: unit) }
        try PatientService().replace(Patient(id: EntityID("p2"), identifiers: [Make.mrn("200")]), in: unit)
        try PatientService().remove(EntityID("p2"), in: unit)
        #expect(try unit.patient(EntityID("p2")) == nil)
    }

    // MARK: Visits

    @Test("A visit is found by its number, stale events are kept out, and another patient's number is refused")
    func visits() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        let other = try #require(try unit.register(Make.patient("200")))
        let number = Identifier(system: "urn:visit", value: "V1")
        func apply(_ status: Visit.Status, _ time: Int64, to id: EntityID) throws -> VisitService.Outcome {
            try VisitService().apply(
                VisitUpdate(identifier: number, status: status, eventTime: Make.at(time)), to: id, in: unit)
        }
        guard case .created(let id) = try apply(.inProgress, 1, to: patient) else {
            Issue.record("not created")
            return
        }
        #expect(try apply(.inProgress, 2, to: patient) == .unchanged(id))
        #expect(try apply(.finished, 5, to: patient) == .updated(id))
        #expect(try apply(.inProgress, 3, to: patient) == .stale(id))
        #expect(try apply(.inProgress, 9, to: other) == .patientMismatch)
        #expect(try unit.visit(id)?.status == .finished)
    }

    @Test("Without a visit number an event speaks of the newest open visit, or starts one")
    func unnumberedVisits() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        func apply(_ status: Visit.Status) throws -> EntityID? {
            try VisitService().apply(
                VisitUpdate(identifier: nil, status: status, eventTime: nil), to: patient, in: unit
            ).visitID
        }
        let first = try apply(.planned)
        #expect(try apply(.inProgress) == first)
        #expect(try apply(.finished) == first)
        let update = VisitUpdate(identifier: nil, status: nil, eventTime: nil)
        #expect(try VisitService().apply(update, to: patient, in: unit) == .unknownVisit)
        #expect(try apply(.planned) != first)
        #expect(unit.visits.count == 2)
    }

    @Test("What an event without a time takes away is not filled in again by an order")
    func timelessRemoval() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        let number = Identifier(system: "urn:visit", value: "V1")
        var update = VisitUpdate(identifier: number, status: .inProgress, eventTime: nil)
        (update.location, update.attributes["diet"]) = (.clear, .clear)
        _ = try VisitService().apply(update, to: patient, in: unit)
        var mention = VisitUpdate(identifier: number, status: nil, eventTime: nil)
        (mention.location, mention.attributes["diet"]) = (.set("WARD"), .set(.text("D")))
        try VisitService().mention(mention, of: patient, in: unit)
        #expect(unit.visits.first?.location == nil && unit.visits.first?.attributes == nil)
        // What is stated later, with a time, stands.
        update.eventTime = Make.at(1)
        update.location = .set("ICU")
        _ = try VisitService().apply(update, to: patient, in: unit)
        #expect(unit.visits.first?.location == "ICU")
    }
}
