import Access
import TestSupport
import Testing

@testable import Workflow

/// What archives say of studies that do not lie here: what is kept of it, whose it is, and when it counts as gone.
@Suite("Studies of archives")
struct RemoteStudyTests {
    static func match(
        _ uid: String = "1.2.3", patient: String? = "100", accession: String? = nil, date: String? = "20260101",
        modality: String = "CT", description: String? = nil, instances: Int = 5, archive: String = "PACS"
    ) -> StudyMatch {
        var attributes = StudyAttributes()
        attributes.patientID = patient
        attributes.patientIDSystem = patient == nil ? nil : "urn:mrn"
        attributes.accessionNumber = accession
        attributes.accessionSystem = accession == nil ? nil : "urn:acc"
        attributes.studyDate = date
        attributes.studyDescription = description
        var match = StudyMatch(
            study: Study(
                id: EntityID(uid), studyInstanceUID: uid, reconciliation: .quarantined(.unknownPatient),
                attributes: attributes, updatedAt: .distantPast),
            modalitiesInStudy: [modality], numberOfStudyRelatedSeries: 1, numberOfStudyRelatedInstances: instances)
        match.archive = archive
        return match
    }

    /// Keeps what an archive says to a question.
    @discardableResult
    static func say(
        _ matches: [StudyMatch], at archive: String = "PACS", _ question: ArchiveSurvey.Question = .others,
        isWhole: Bool = true, in unit: MemoryUnit
    ) throws -> Int {
        let survey = ArchiveSurvey(archive: archive, question: question, matches: matches, isWhole: isWhole)
        let service = RemoteStudyService()
        return try service.apply(try service.steps(survey, in: unit), of: archive, in: unit)
    }

    private static let changed = DomainEvent.studyChanged(studyInstanceUID: "1.2.3")

    @Test("A study of a patient who is known by id and issuer is kept and told of once; of others nothing is kept")
    func kept() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        let matches = [Self.match(), Self.match("1.2.4", patient: "200"), Self.match("1.2.5", patient: nil)]
        _ = unit.takeEvents()
        #expect(try Self.say(matches, in: unit) == 1)
        #expect(unit.state.remote.keys.sorted() == ["1.2.3"])
        let study = try #require(try unit.remoteStudy("1.2.3"))
        #expect(study.reconciliation == .unscheduled(patientID: patient))
        #expect(study.archive == "PACS" && study.modalities == ["CT"] && study.numberOfInstances == 5)
        #expect(unit.takeEvents() == [Self.changed])
        // The same said again changes nothing.
        #expect(try Self.say(matches, in: unit) == 0)
        #expect(unit.takeEvents().isEmpty && unit.state.remote["1.2.3"] == study)
        // What the archive says otherwise does; of what it does not say that which it said stands.
        #expect(try Self.say([Self.match(instances: 7)], in: unit) == 0)
        #expect(try unit.remoteStudy("1.2.3")?.numberOfInstances == 7)
        #expect(try unit.remoteStudy("1.2.3")?.id == study.id && unit.takeEvents() == [Self.changed])
        try Self.say([Self.match(instances: 0)], in: unit)
        #expect(try unit.remoteStudy("1.2.3")?.numberOfInstances == 7)
    }

    @Test("What lies here, and what a person rejected here, is told of from here alone")
    func held() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        _ = try unit.store(Make.received("1.1"))
        #expect(try Self.say([Self.match()], in: unit) == 0)
        #expect(unit.state.remote.isEmpty)
    }

    @Test("Of a study in two archives the first goes on telling, until it is gone from there")
    func two() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        try Self.say([Self.match()], at: "A", in: unit)
        try Self.say([Self.match(instances: 9)], at: "B", in: unit)
        #expect(try unit.remoteStudy("1.2.3")?.archive == "A" && unit.remoteStudy("1.2.3")?.numberOfInstances == 5)
        try RemoteStudyService().forget(allBut: ["B"], in: unit)
        #expect(try unit.remoteStudy("1.2.3")?.isMissing == true)
        try Self.say([Self.match(instances: 9)], at: "B", in: unit)
        let study = try #require(try unit.remoteStudy("1.2.3"))
        #expect(study.archive == "B" && study.numberOfInstances == 9 && !study.isMissing)
    }

    @Test("A study that three whole answers lack, ten minutes apart, counts as gone; one that has it brings it back")
    func missing() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        try Self.say([Self.match()], in: unit)
        let id = try #require(try unit.remoteStudy("1.2.3")).id
        _ = unit.takeEvents()
        let day = ArchiveSurvey.Question.days(from: "20260101", to: "20260101")
        // Answers that are not whole, or of other days and patients, say nothing of it.
        try Self.say([], day, isWhole: false, in: unit)
        try Self.say([], .days(from: "20260102", to: "20260103"), in: unit)
        try Self.say([], .patientIDs(["200"]), in: unit)
        try Self.say([], at: "OTHER", day, in: unit)
        #expect(try unit.remoteStudy("1.2.3")?.misses == 0)
        for (minutes, misses) in [(0, 1), (5, 1), (10, 2), (19, 2), (20, 3), (60, 3)] as [(Int64, Int)] {
            unit.time = Make.at(1_000 + minutes * 60)
            try Self.say([], minutes == 10 ? .patientIDs(["100"]) : day, in: unit)
            #expect(try unit.remoteStudy("1.2.3")?.misses == misses, "after \(minutes) minutes")
        }
        #expect(try unit.remoteStudy("1.2.3")?.isMissing == true)
        #expect(unit.takeEvents() == [Self.changed])
        try Self.say([Self.match()], day, in: unit)
        let back = try #require(try unit.remoteStudy("1.2.3"))
        #expect(!back.isMissing && back.misses == 0 && back.id == id)
        #expect(unit.takeEvents() == [Self.changed])
    }

    @Test("The same id: while it is remote, fetched, let go, and fetched again")
    func oneID() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        try Self.say([Self.match()], in: unit)
        let id = try #require(try unit.remoteStudy("1.2.3")).id
        for _ in 1...2 {
            var copy = ArchiveCopy(of: "1.2.3", at: "PACS", expected: 1, now: unit.time)
            copy.state = .whole
            try unit.save(copy)
            var received = Make.received("1.1")
            received.instance.archive = "PACS"
            _ = try unit.store(received)
            #expect(try unit.study("1.2.3")?.id == id)
            #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .done)
            let study = try #require(try unit.remoteStudy("1.2.3"))
            #expect(study.id == id && study.archive == "PACS" && study.numberOfInstances == 5)
            #expect(try unit.study("1.2.3") == nil)
        }
    }

    @Test("A study that was fetched before anything was known of it goes on as the archive's when it leaves")
    func letGo() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        var copy = ArchiveCopy(of: "1.2.3", at: "PACS", expected: 1, now: unit.time)
        copy.state = .whole
        try unit.save(copy)
        for number in 1...2 {
            var received = Make.received("1.\(number)")
            received.instance.archive = "PACS"
            _ = try unit.store(received)
        }
        let id = try #require(try unit.study("1.2.3")).id
        #expect(try ArchiveCopyService().letGo("1.2.3", in: unit) == .done)
        let study = try #require(try unit.remoteStudy("1.2.3"))
        #expect(study.id == id && study.reconciliation == .unscheduled(patientID: patient))
        #expect(study.modalities == ["CT"] && study.numberOfSeries == 1 && study.numberOfInstances == 2)
    }

    @Test("An order by accession number makes it its study; one of another patient makes it nobody's")
    func orders() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        _ = try unit.register(Make.patient("200"))
        try Self.say([Self.match(accession: "A1"), Self.match("1.2.4", accession: "A2")], in: unit)
        #expect(try unit.remoteStudy("1.2.3")?.reconciliation == .unscheduled(patientID: patient))
        try unit.place(Make.order(placer: "P1", accession: "A1"))
        let order = try #require(unit.orders.first).id
        #expect(try unit.remoteStudy("1.2.3")?.reconciliation == .matched(patientID: patient, orderID: order))
        _ = unit.takeEvents()
        try unit.place(Make.order(patient: Make.patient("200"), placer: "P2", accession: "A2"))
        #expect(try unit.remoteStudy("1.2.4")?.reconciliation == .quarantined(.patientMismatch))
        #expect(unit.takeEvents().contains(.studyChanged(studyInstanceUID: "1.2.4")))
        // It keeps its row, so that it has its id when that turns out otherwise.
        try Self.say([Self.match("1.2.4", accession: "A2")], in: unit)
        #expect(try unit.remoteStudy("1.2.4")?.reconciliation == .quarantined(.patientMismatch))
    }

    @Test("What belongs to a record that is merged away belongs to its survivor")
    func merged() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("200"))
        let survivor = try #require(try unit.register(Make.patient("100")))
        try Self.say([Self.match(patient: "200")], in: unit)
        _ = unit.takeEvents()
        _ = try PatientService().merge(prior: [Make.mrn("200")], into: Make.patient("100"), in: unit)
        #expect(try unit.remoteStudy("1.2.3")?.reconciliation.patientID == survivor)
        #expect(unit.takeEvents().contains(Self.changed))
        // Archives are asked by both numbers from now on.
        #expect(try RemoteStudyService().numbers(of: survivor, in: unit).sorted() == ["100", "200"])
    }

    @Test("Patient ids that a query would take for a pattern or a list are not asked for")
    func numbers() throws {
        let unit = MemoryUnit()
        let id = EntityID("p")
        let long = String(repeating: "9", count: 65)
        try unit.save(
            Patient(id: id, identifiers: ["1", "2*", "3?", "4\\5", long, " 6 ", "1"].map { Make.mrn($0) }))
        #expect(try RemoteStudyService().numbers(of: id, in: unit) == ["1", "6"])
        #expect(try RemoteStudyService().numbers(of: EntityID("nobody"), in: unit).isEmpty)
    }

    @Test("A report that names a study shows it once an archive tells of it")
    func reports() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        var update = Make.report(.final, filler: "F1", issued: 10)
        update.studyInstanceUIDs = ["1.2.3"]
        try unit.result(update)
        let report = try #require(unit.reports.first)
        let question = ArchiveQuestion(patientID: report.patientID, cause: .report, subject: report.id)
        #expect(try question.unknownStudies(in: unit) == ["1.2.3"])
        #expect(try report.remoteStudies(in: unit).isEmpty)
        _ = unit.takeEvents()
        try Self.say([Self.match()], in: unit)
        #expect(unit.takeEvents() == [Self.changed, .reportChanged(report.id)])
        #expect(try report.remoteStudies(in: unit).map(\.studyInstanceUID) == ["1.2.3"])
        #expect(try question.unknownStudies(in: unit).isEmpty)
        _ = try unit.store(Make.received("1.1"))
        #expect(try report.remoteStudies(in: unit).isEmpty)
    }

    @Test("A question stands in the outbox as it was put there, and what is none is not taken for one")
    func question() throws {
        let question = ArchiveQuestion(patientID: EntityID("p1"), cause: .order, subject: EntityID("o1"))
        func entry(_ kind: String, _ text: String) -> OutboxEntry {
            OutboxEntry(
                number: 1, eventID: EntityID("e"), destination: "archives", orderingKey: "p1", kind: kind,
                payload: Array(text.utf8), state: .waiting, attempts: 0, createdAt: Make.at(1),
                waitingSince: Make.at(1), nextAttemptAt: Make.at(1))
        }
        let text = String(decoding: question.draft.payload, as: UTF8.self)
        #expect(question.draft.orderingKey == "p1")
        #expect(ArchiveQuestion(entry(ArchiveQuestion.kind, text)) == question)
        for bad in ["", "order", "order\np1", "nothing\np1\no1", "order\np1\no1\nx"] {
            #expect(ArchiveQuestion(entry(ArchiveQuestion.kind, bad)) == nil)
        }
        #expect(ArchiveQuestion(entry("other", text)) == nil)
    }

    @Test("The days of a poll: from so many before today to tomorrow, the newest first, over the end of a month")
    func days() {
        // 2026-03-01T12:00:00Z.
        let now = UTCInstant(microseconds: 1_772_366_400_000_000)
        #expect(ArchivePollRule(days: 2).dates(at: now) == ["20260302", "20260301", "20260228", "20260227"])
        #expect(ArchivePollRule(days: 0).dates(at: now) == ["20260302", "20260301"])
        #expect(StudyDay.number("20260301") == 20_513 && StudyDay.digits(20_513) == "20260301")
        for bad in ["", "2026031", "20261301", "20260132", "2026-3-1", "２０２６０３０１"] {
            #expect(StudyDay.number(bad) == nil)
        }
    }

    @Test("Whom a rule may show something of")
    func mayConcern() {
        let own = VisibilityRule([.compartment(.patient("a"))])
        let labelled = VisibilityRule([.search(ScopeConstraint(name: "status", value: "available"))])
        #expect(Visibility.whole.mayConcern(patient: "a") && !Visibility.nothing.mayConcern(patient: "a"))
        #expect(Visibility(anyOf: [own]).mayConcern(patient: "a"))
        #expect(!Visibility(anyOf: [own]).mayConcern(patient: "b"))
        #expect(Visibility(anyOf: [labelled]).mayConcern(patient: "b"))
        let both = VisibilityRule(own.conditions + labelled.conditions)
        #expect(
            Visibility(anyOf: [both]).mayConcern(patient: "a") && !Visibility(anyOf: [both]).mayConcern(patient: "b"))
    }
}
