import TestSupport
import Testing

@testable import Workflow

/// Priors that rules have fetched: which, whose, and only once.
@Suite("Prefetch of priors")
struct PrefetchTests {
    /// 2026-03-01T12:00:00Z.
    private static let now = UTCInstant(microseconds: 1_772_366_400_000_000)

    private static func rule(
        _ name: String = "r", on causes: Set<ArchiveQuestion.Cause> = [.order], number: Int = 3,
        _ fill: (inout PrefetchRule) -> Void = { _ in }
    ) -> PrefetchRule {
        var rule = PrefetchRule(name: name, causes: causes)
        rule.priors.number = number
        fill(&rule)
        return rule
    }

    /// A patient with an order for a CT of the chest and four studies in archives.
    private static func scene() throws -> (unit: MemoryUnit, question: ArchiveQuestion) {
        let unit = MemoryUnit()
        unit.time = now
        _ = try unit.register(Make.patient("100"))
        _ = try unit.register(Make.patient("200"))
        var update = Make.order(placer: "P1", accession: "A1", code: "CT chest")
        update.modality = "CT"
        try unit.place(update)
        let order = try #require(unit.orders.first)
        try RemoteStudyTests.say(
            [
                RemoteStudyTests.match("1.1", date: "20260201", description: "CT Thorax"),
                RemoteStudyTests.match("1.2", date: "20250201", modality: "CR", description: "Chest pa"),
                RemoteStudyTests.match("1.3", date: "20200201", description: "CT Abdomen"),
                RemoteStudyTests.match("1.4", date: nil, modality: "MR"),
                RemoteStudyTests.match("2.1", patient: "200", date: "20260228"),
            ], in: unit)
        return (unit, ArchiveQuestion(patientID: order.patientID, cause: .order, subject: order.id))
    }

    private static func verdicts(_ rule: PrefetchRule, _ unit: MemoryUnit, _ question: ArchiveQuestion) throws
        -> [String]
    {
        guard let occasion = try PrefetchOccasion(question, in: unit) else { return ["no occasion"] }
        return try PrefetchRules([rule]).findings(occasion, in: unit).map {
            "\($0.study.studyInstanceUID) \($0.verdict.rawValue)"
        }
    }

    @Test("The newest so many of the very patient are taken; another patient's are not looked at")
    func newest() throws {
        let (unit, question) = try Self.scene()
        #expect(
            try Self.verdicts(Self.rule(number: 2), unit, question) == [
                "1.1 fetched", "1.2 fetched", "1.3 beyond-number", "1.4 beyond-number",
            ])
    }

    @Test("Priors are taken by modality, description, age and archive")
    func priors() throws {
        let (unit, question) = try Self.scene()
        func verdicts(_ fill: (inout PrefetchRule) -> Void) throws -> [String] {
            try Self.verdicts(Self.rule(number: 9, fill), unit, question)
        }
        #expect(
            try verdicts { $0.priors.modalities = [TextPattern("ct")] } == [
                "1.1 fetched", "1.2 other-modality", "1.3 fetched", "1.4 other-modality",
            ])
        #expect(
            try verdicts { $0.priors.descriptions = [TextPattern("*thorax*"), TextPattern("chest*")] } == [
                "1.1 fetched", "1.2 fetched", "1.3 other-description", "1.4 other-description",
            ])
        // From 2025-02-01 to 2026-03-01 are 393 days.
        #expect(
            try verdicts { $0.priors.days = 393 } == [
                "1.1 fetched", "1.2 fetched", "1.3 too-old", "1.4 too-old",
            ])
        #expect(try verdicts { $0.priors.days = 392 }[1] == "1.2 too-old")
        #expect(try verdicts { $0.archives = ["OTHER"] }.allSatisfy { $0.hasSuffix("other-archive") })
        #expect(try verdicts { $0.archives = ["PACS"] }.allSatisfy { $0.hasSuffix("fetched") })
        // A study of which the archive does not tell the modalities fits.
        var study = try #require(try unit.remoteStudy("1.4"))
        study.modalities = []
        try unit.save(study)
        #expect(try verdicts { $0.priors.modalities = [TextPattern("CT")] }.last == "1.4 fetched")
    }

    @Test("A rule is for what has come by modality and description, and for its occasions alone")
    func occasions() throws {
        let (unit, question) = try Self.scene()
        let occasion = try #require(try PrefetchOccasion(question, in: unit))
        #expect(occasion.modalities == ["CT"] && occasion.descriptions == ["CT chest"])
        #expect(Self.rule().fits(occasion))
        #expect(!Self.rule(on: [.admission, .arrival]).fits(occasion))
        #expect(Self.rule { $0.modalities = [TextPattern("MR"), TextPattern("C?")] }.fits(occasion))
        #expect(!Self.rule { $0.modalities = [TextPattern("MR")] }.fits(occasion))
        #expect(Self.rule { $0.descriptions = [TextPattern("*CHEST")] }.fits(occasion))
        #expect(!Self.rule { $0.bodyParts = [TextPattern("*")] }.fits(occasion))
        // An order that is called off, or gone, is no occasion.
        var order = try #require(unit.orders.first)
        order.status = .revoked
        try unit.save(order)
        #expect(try PrefetchOccasion(question, in: unit) == nil)
        #expect(
            try PrefetchOccasion(
                ArchiveQuestion(
                    patientID: question.patientID, cause: .order, subject: EntityID("none")), in: unit) == nil)
    }

    @Test("A rule is for the hospital service of the visit that begins or that the order names, by code or text")
    func specialties() throws {
        let (unit, question) = try Self.scene()
        var visit = Visit(
            id: EntityID("v1"), patientID: question.patientID, identifier: nil, status: .inProgress)
        var attributes = Attributes()
        attributes[Visit.Attribute.serviceType] = .concepts([
            CodedConcept(
                codings: [CodedConcept.Coding(system: nil, code: "CAR", display: "Cardiac Service")], text: "Heart")
        ])
        visit.attributes = attributes
        try unit.save(visit)
        let admission = ArchiveQuestion(patientID: question.patientID, cause: .admission, subject: visit.id)
        let admitted = try #require(try PrefetchOccasion(admission, in: unit))
        #expect(admitted.specialties == ["CAR", "Cardiac Service", "Heart"])
        func rule(_ text: String, on cause: ArchiveQuestion.Cause) -> PrefetchRule {
            Self.rule(on: [cause]) { $0.specialties = [TextPattern(text)] }
        }
        #expect(rule("car", on: .admission).fits(admitted) && rule("cardiac*", on: .admission).fits(admitted))
        #expect(!rule("MED", on: .admission).fits(admitted))
        // An order without a visit is of no service; with one it is of that visit's.
        let before = try #require(try PrefetchOccasion(question, in: unit))
        #expect(before.specialties.isEmpty && !rule("*", on: .order).fits(before))
        var order = try #require(unit.orders.first)
        order.visitID = visit.id
        try unit.save(order)
        let after = try #require(try PrefetchOccasion(question, in: unit))
        #expect(rule("CAR", on: .order).fits(after) && !rule("SUR", on: .order).fits(after))
    }

    @Test("Each study is asked for once, however often the rules are followed; what lies here counts to the number")
    func once() throws {
        let (unit, question) = try Self.scene()
        _ = try unit.store(Make.received("9.1", study: "1.1", series: "1.1.1"))
        let rules = PrefetchRules([Self.rule("first", number: 2), Self.rule("second", number: 3)])
        let fetched = try rules.request(question, in: unit)
        #expect(fetched.map(\.study.studyInstanceUID) == ["1.2", "1.3"])
        #expect(fetched.map(\.rule) == ["first", "second"])
        let copy = try #require(try unit.archiveCopy(of: "1.2"))
        #expect(copy.state == .waiting && copy.reason == "prefetch first: order" && copy.archive == "PACS")
        #expect(try rules.request(question, in: unit).isEmpty)
        #expect(unit.state.copies.count == 2)
    }

    @Test("What is gone from its archive is not asked for and leaves its place to the next")
    func missing() throws {
        let (unit, question) = try Self.scene()
        var study = try #require(try unit.remoteStudy("1.1"))
        study.misses = RemoteStudy.missesMax
        try unit.save(study)
        #expect(
            try Self.verdicts(Self.rule(number: 1), unit, question).prefix(3) == [
                "1.1 missing", "1.2 fetched", "1.3 beyond-number",
            ])
    }

    @Test("A study that turns out to be another patient's is not asked for any more")
    func otherPatient() throws {
        let (unit, question) = try Self.scene()
        try RemoteStudyTests.say([RemoteStudyTests.match("1.1", patient: "200", date: "20260201")], in: unit)
        #expect(try Self.verdicts(Self.rule(number: 1), unit, question).first == "1.2 fetched")
    }

    @Test("Who asks for what a rule has fetched goes before; a rule does not put back what somebody asked for")
    func priority() {
        var copy = ArchiveCopy(of: "1.2", at: "PACS", expected: 1, now: Make.at(0))
        copy.reason = "prefetch r: order"
        copy.request(at: "PACS", expected: 1, reason: "prefetch s: order", now: Make.at(1))
        #expect(copy.reason == "prefetch r: order")
        copy.request(at: "PACS", expected: 1, now: Make.at(2))
        #expect(copy.reason == nil && copy.state == .waiting)
        copy.request(at: "PACS", expected: 1, reason: "prefetch s: order", now: Make.at(3))
        #expect(copy.reason == nil)
        copy.state = .left
        copy.request(at: "PACS", expected: 1, reason: "prefetch s: order", now: Make.at(4))
        #expect(copy.reason == "prefetch s: order" && copy.state == .waiting)
    }
}
