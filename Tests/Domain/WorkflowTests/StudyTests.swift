import TestSupport
import Testing
import Workflow

/// To whom images belong. IHE RAD-8, PIR; PS3.4 §B.
@Suite("Studies: reconciliation by exact identifiers")
struct StudyTests {
    private typealias Reason = Reconciliation.Reason

    private func linked(_ unit: MemoryUnit) throws -> (patient: EntityID, order: EntityID) {
        let patient = try #require(try unit.register(Make.patient("100")))
        return (patient, try unit.place(Make.order(filler: "F1", accession: "A1")).orderID)
    }

    @Test("Accession, issuer and patient that agree match the order")
    func matched() throws {
        let unit = MemoryUnit()
        let (patient, order) = try linked(unit)
        #expect(
            try unit.store(Make.received("1.1", accession: "A1"))
                == .stored(.matched(patientID: patient, orderID: order)))
    }

    @Test("Padding spaces around accession number and patient id do not matter (PS3.5 §6.2 SH, LO)")
    func padding() throws {
        let unit = MemoryUnit()
        let (patient, order) = try linked(unit)
        let link = try unit.store(Make.received("1.1", patientID: "100 ", accession: " A1 "))
        #expect(link == .stored(.matched(patientID: patient, orderID: order)))
    }

    @Test("No accession number: unscheduled, or matched when the order gave the study UID")
    func unscheduled() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        #expect(try unit.store(Make.received("1.1")) == .stored(.unscheduled(patientID: patient)))
        var order = Make.order(filler: "F1")
        order.studyInstanceUID = "9.9"
        let id = try unit.place(order).orderID
        let link = try unit.store(Make.received("2.1", study: "9.9", series: "9.9.1", accession: "  "))
        #expect(link == .stored(.matched(patientID: patient, orderID: id)))
    }

    @Test("Each reason for keeping images aside is given for its case alone")
    func reasons() throws {
        func reason(_ received: ReceivedInstance, _ prepare: (MemoryUnit) throws -> Void) throws -> Reconciliation
            .Reason?
        {
            let unit = MemoryUnit()
            _ = try linked(unit)
            try prepare(unit)
            guard case .stored(.quarantined(let reason)) = try unit.store(received) else { return nil }
            return reason
        }
        #expect(try reason(Make.received("1.1", patientID: nil, accession: "A1")) { _ in } == .missingPatientID)
        #expect(try reason(Make.received("1.1", patientID: " ")) { _ in } == .missingPatientID)
        #expect(try reason(Make.received("1.1", patientID: "999", accession: "A1")) { _ in } == .unknownPatient)
        #expect(try reason(Make.received("1.1", accession: "A9")) { _ in } == .unknownAccession)
        #expect(
            try reason(Make.received("1.1", accession: "A1", accessionSystem: "urn:other")) { _ in }
                == .unknownAccession)
        #expect(try reason(Make.received("1.1", accession: "0A1")) { _ in } == .unknownAccession)
        #expect(
            try reason(Make.received("1.1", patientID: "200", accession: "A1")) {
                _ = try $0.register(Make.patient("200"))
            }
                == .patientMismatch)
        #expect(
            try reason(Make.received("1.1", study: "9.9", accession: "A1")) { unit in
                var other = Make.order(filler: "F2", accession: "A2")
                other.studyInstanceUID = "9.9"
                try unit.place(other)
            } == .studyOrderMismatch)
        #expect(
            try reason(Make.received("1.1", patientID: "200", accession: nil)) { unit in
                _ = try unit.register(Make.patient("200"))
                var order = Make.order(filler: "F2")
                order.studyInstanceUID = "1.2.3"
                try unit.place(order)
            } == .patientMismatch)
        #expect(
            try reason(Make.received("1.1", accession: "A1")) {
                try $0.place(Make.order(filler: "F2", accession: "A1"))
            }
                == .ambiguousAccession)
        #expect(
            try reason(Make.received("1.1", patientID: "300")) { unit in
                // Two records with one number can only come from outside the services.
                for id in ["a", "b"] { try unit.save(Patient(id: EntityID(id), identifiers: [Make.mrn("300")])) }
            } == .ambiguousPatient)
    }

    @Test("Of orders that share the accession number the study UID decides")
    func sharedAccession() throws {
        let unit = MemoryUnit()
        let (patient, _) = try linked(unit)
        var second = Make.order(filler: "F2", accession: "A1")
        second.studyInstanceUID = "9.9"
        let id = try unit.place(second).orderID
        let link = try unit.store(Make.received("1.1", study: "9.9", accession: "A1"))
        #expect(link == .stored(.matched(patientID: patient, orderID: id)))
    }

    @Test("Images of a retired patient number belong to the survivor")
    func retiredNumber() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        _ = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100"), in: unit)
        #expect(try unit.store(Make.received("1.1", patientID: "200")) == .stored(.unscheduled(patientID: patient)))
    }

    @Test("A wrong accession number is kept aside, and linked when the order comes")
    func orderLater() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        try unit.store(Make.received("1.1", accession: "A7"))
        #expect(try unit.link() == .quarantined(.unknownAccession))
        _ = unit.takeEvents()
        let order = try unit.place(Make.order(filler: "F7", accession: "A7")).orderID
        #expect(try unit.link() == .matched(patientID: patient, orderID: order))
        #expect(try unit.series(in: "1.2.3").first?.reconciliation.orderID == order)
        #expect(try unit.awaitedPublication(of: "1.2.3")?.since == AwaitedPublication.due)
    }

    @Test("An order of another patient with that accession number does not take the images")
    func wrongOrderLater() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        try unit.store(Make.received("1.1", accession: "A7"))
        try unit.place(Make.order(patient: Make.patient("200"), filler: "F7", accession: "A7"))
        #expect(try unit.link() == .quarantined(.patientMismatch))
    }

    @Test("Images of an unknown patient are linked when the patient is registered, also by a merge")
    func patientLater() throws {
        let unit = MemoryUnit()
        try unit.store(Make.received("1.1"))
        #expect(try unit.link() == .quarantined(.unknownPatient))
        let patient = try #require(try unit.register(Make.patient("100")))
        #expect(try unit.link() == .unscheduled(patientID: patient))
        try unit.store(Make.received("2.1", study: "2.2", series: "2.2.1", patientID: "200"))
        _ = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100"), in: unit)
        #expect(try unit.link("2.2") == .unscheduled(patientID: patient))
    }

    @Test("S4: an instance of another order is kept aside alone; the series and its study stay what they were")
    func inconsistentInstance() throws {
        let unit = MemoryUnit()
        let (patient, order) = try linked(unit)
        let matched = Reconciliation.matched(patientID: patient, orderID: order)
        try unit.store(Make.received("1.1", accession: "A1"))
        #expect(try unit.store(Make.received("1.2", accession: "A2")) == .stored(.quarantined(.unknownAccession)))
        #expect(try unit.store(Make.received("1.3", accession: "A1")) == .stored(matched))
        #expect(try unit.link() == matched)
        try unit.place(Make.order(filler: "F2", accession: "A2"))
        #expect(try unit.link() == matched)
        #expect(unit.allSeries[0].asides.map(\.sopInstanceUID) == ["1.2"])
        #expect(unit.allSeries[0].asides.map(\.reason) == [.inconsistentSeries])
    }

    @Test("S4: an absent accession number contradicts nothing, and a merged number names the same patient")
    func agreeingInstances() throws {
        let unit = MemoryUnit()
        let (patient, order) = try linked(unit)
        let matched = Reconciliation.matched(patientID: patient, orderID: order)
        try unit.store(Make.received("1.1", accession: "A1"))
        #expect(try unit.store(Make.received("1.2")) == .stored(matched))
        // The next image comes with a number that only a later A40 makes the same patient's.
        #expect(
            try unit.store(Make.received("1.3", patientID: "300", accession: "A1"))
                == .stored(.quarantined(.unknownPatient)))
        #expect(try unit.link() == matched)
        _ = try PatientService().merge(prior: [Make.mrn("300")], into: Make.patient("100"), in: unit)
        #expect(unit.allSeries[0].asides.isEmpty)
        // The other way round: the series began under the number that was merged away.
        _ = try PatientService().merge(prior: [Make.mrn("100")], into: Make.patient("400"), in: unit)
        let survivor = try #require(try PatientService().apply(Make.patient("400"), in: unit).patientID)
        #expect(
            try unit.store(Make.received("1.4", patientID: "400", accession: "A1"))
                == .stored(.matched(patientID: survivor, orderID: order)))
    }

    @Test(
        "S4: whichever of two instances comes first, the certain one is the series and the other waits",
        arguments: [false, true])
    func eitherFirst(isReversed: Bool) throws {
        let unit = MemoryUnit()
        let (patient, order) = try linked(unit)
        let instances = [Make.received("1.1", accession: "A9"), Make.received("1.2", accession: "A1")]
        for instance in isReversed ? instances.reversed() : instances { try unit.store(instance) }
        #expect(try unit.link() == .matched(patientID: patient, orderID: order))
        #expect(unit.allSeries[0].asides.map(\.sopInstanceUID) == ["1.1"])
    }

    @Test("S10: images that came before their order are linked by its study UID, with and without accession number")
    func imagesFirst() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        try unit.store(Make.received("1.1"))
        #expect(try unit.link() == .unscheduled(patientID: patient))
        var update = Make.order(filler: "F1", accession: "A1")
        update.studyInstanceUID = "1.2.3"
        let order = try unit.place(update).orderID
        #expect(try unit.link() == .matched(patientID: patient, orderID: order))
    }

    @Test("A series of another patient is kept aside alone; the study stays its patient's")
    func foreignSeries() throws {
        let unit = MemoryUnit()
        let (patient, order) = try linked(unit)
        _ = try unit.register(Make.patient("200"))
        try unit.store(Make.received("1.1", accession: "A1"))
        let second = try unit.store(Make.received("1.2", series: "1.2.3.2", patientID: "200"))
        #expect(second == .stored(.quarantined(.patientMismatch)))
        #expect(try unit.link() == .matched(patientID: patient, orderID: order))
    }

    @Test("The same instance again is a duplicate; other content under its UID is a conflict (PS3.4 §B.2.3)")
    func duplicates() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        try unit.store(Make.received("1.1"))
        #expect(try unit.store(Make.received("1.1")) == .duplicate)
        #expect(try unit.store(Make.received("1.1", blob: "e")) == .conflict)
        #expect(try unit.store(Make.received("1.1", study: "9.9")) == .conflict)
        // In another blob, and found to be the same as the stored one, or as one that is not stored any more.
        func again(_ compared: String) throws -> StudyService.Outcome {
            try StudyService().register(Make.received("1.1", blob: "e"), sameAs: BlobID(compared), in: unit)
        }
        #expect(try again("blob-1.1") == .duplicate)
        #expect(try again("blob-0") == .conflict)
        #expect(unit.state.instances.count == 1)
    }

    @Test("S6: a study is due once it is quiet, after the longest wait while it grows, and at once when it is cured")
    func due() throws {
        let rule = PublicationRule(quietSeconds: 3, longestSeconds: 60)
        func at(_ seconds: Int64) -> UTCInstant { UTCInstant(microseconds: 1_000_000_000).advanced(bySeconds: seconds) }
        func reason(since: Int64, changed: Int64, now: Int64) -> PublicationRule.Reason? {
            rule.reason(
                for: AwaitedPublication(studyInstanceUID: "1", since: at(since), changedAt: at(changed)), at: at(now))
        }
        #expect(reason(since: 0, changed: 0, now: 2) == nil)
        #expect(reason(since: 0, changed: 0, now: 3) == .quiet)
        #expect(reason(since: 0, changed: 58, now: 59) == nil)
        #expect(reason(since: 0, changed: 58, now: 60) == .growing)
        let cured = AwaitedPublication(studyInstanceUID: "1", since: AwaitedPublication.due, changedAt: at(0))
        #expect(rule.reason(for: cured, at: at(0)) == .due)
    }

    @Test("S6: observers are told of a study and of its reports when it is published, once a change")
    func publication() throws {
        let unit = MemoryUnit()
        _ = try linked(unit)
        let report = try unit.result(Make.report(.preliminary, filler: "F1")).reportID
        _ = unit.takeEvents()
        for number in 1...5 { try unit.store(Make.received("1.\(number)", accession: "A1")) }
        #expect(unit.takeEvents().isEmpty)
        #expect(try unit.awaitedPublication(of: "1.2.3")?.since == unit.time)
        try StudyService().publish("1.2.3", in: unit)
        #expect(
            unit.takeEvents() == [
                .studyChanged(studyInstanceUID: "1.2.3"), .studyPublished(studyInstanceUID: "1.2.3"),
                .reportChanged(report),
            ])
        #expect(try unit.awaitedPublication(of: "1.2.3") == nil)
        try StudyService().publish("1.2.3", in: unit)
        #expect(unit.takeEvents().isEmpty)
    }

    @Test("Observers are told of a report that tells of the study's order after another one")
    func reportOnSeveral() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        for accession in ["A1", "A2"] { try unit.place(Make.order(placer: "P1", accession: accession)) }
        let report = try unit.result(Make.report(.preliminary, placer: "P1")).reportID
        #expect(try unit.report(report)?.orderIDs.count == 2)
        try unit.store(Make.received("1.1", accession: "A2"))
        _ = unit.takeEvents()
        try StudyService().publish("1.2.3", in: unit)
        #expect(unit.takeEvents().contains(.reportChanged(report)))
    }
}
