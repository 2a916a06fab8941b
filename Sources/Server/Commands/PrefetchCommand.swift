import Access
import ArgumentParser
import SQLStore
import Workflow

/// `hilum prefetch …`: which priors the rules of the site fetch from archives.
struct PrefetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prefetch", abstract: "Say which priors the rules of the site fetch from archives, and why.",
        subcommands: [Test.self])

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Say what each rule would do because of an order, an admission or images that came; nothing is asked of archives, nothing is fetched.",
            discussion: "What the archives have is taken as they last told it.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(
            help:
                "Of an order the id of the ServiceRequest or an accession number, of an admission the id of the Encounter or its number as SYSTEM|NUMBER, of images the id of the ImagingStudy or its Study Instance UID."
        ) var subject: String
        @Option(help: "What has come: order, admission or arrival.") var on = "order"
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            guard let cause = ArchiveQuestion.Cause(rawValue: on), cause != .report else {
                throw ValidationError("--on is order, admission or arrival, not \(on)")
            }
            let subject = subject
            let lines = try await StoreComposition.using(configuration, server) { store in
                try await PrefetchTest(rules: configuration.prefetch.rules, store: store).lines(of: subject, cause)
            }
            if json { return try JSONResult.print(lines) }
            if configuration.prefetch.rules.rules.isEmpty { print("hilum.yaml has no rule: see `prefetch`") }
            if lines.isEmpty { print("no rule fetches anything for it") }
            for line in lines { print(MessageCommand.printable(line.text)) }
        }
    }
}

/// What the rules do because of something that has come.
struct PrefetchTest {
    struct Line: Codable, Equatable {
        var rule: String
        /// `fits`, or `other-occasion` for a rule that is for something else; then nothing else is told.
        var occasion: String
        var studyInstanceUID: String?
        var archive: String?
        var date: String?
        var modalities: [String]?
        /// `fetched`, or why it is not, as ``Workflow/PrefetchFinding/Verdict`` spells it.
        var verdict: String?

        var text: String {
            guard let studyInstanceUID, let archive, let verdict else {
                return occasion == "fits"
                    ? "\(rule): no archive has told of a study of this patient"
                    : "\(rule): is for something else (on, modality, body-part, description, specialty)"
            }
            let what = [studyInstanceUID, date, modalities?.joined(separator: ",")].compactMap(\.self).filter {
                !$0.isEmpty
            }
            return "\(rule): \(what.joined(separator: " ")) in \(archive): \(Self.words(verdict))"
        }

        private static func words(_ verdict: String) -> String {
            switch PrefetchFinding.Verdict(rawValue: verdict) {
            case .fetched: "would be fetched"
            case .known: "is here, or was asked for already"
            case .missing: "not fetched: the archive does not have it any more"
            case .otherArchive: "not fetched: the rule names other archives (from)"
            case .otherModality: "not fetched: of another modality (priors.modality)"
            case .otherDescription: "not fetched: described otherwise (priors.description)"
            case .tooOld: "not fetched: too old, or without a date (priors.days)"
            case .beyondNumber: "not fetched: enough are newer (priors.number)"
            case nil: verdict
            }
        }
    }

    let rules: PrefetchRules
    let store: RelationalStore

    /// In the order of the rules; throws a `ValidationError` for something that is not there, or of which there are several.
    func lines(of subject: String, _ cause: ArchiveQuestion.Cause = .order) async throws -> [Line] {
        let access = AccessContext.operatorOfThisMachine(requestID: "hilum prefetch")
        try await store.record(
            AuditRecord(
                category: .query, interaction: "prefetch-test", action: .read, outcome: .success, access: access,
                entity: cause.rawValue))
        let rules = rules
        let numbered = cause == .order ? try await store.orders(accessionNumber: subject) : []
        let lines = try await (store as any WorkflowStore).read(access) { unit -> [Line]? in
            guard let question = try Self.question(of: subject, cause, numbered, in: unit) else { return nil }
            guard let occasion = try PrefetchOccasion(question, in: unit) else { return [] }
            let findings = try rules.findings(occasion, in: unit)
            return rules.rules.flatMap { rule -> [Line] in
                let fits = rule.fits(occasion)
                let own = findings.filter { $0.rule == rule.name }
                if own.isEmpty { return [Line(rule: rule.name, occasion: fits ? "fits" : "other-occasion")] }
                return own.map { finding in
                    Line(
                        rule: rule.name, occasion: "fits", studyInstanceUID: finding.study.studyInstanceUID,
                        archive: finding.study.archive, date: finding.study.attributes.studyDate,
                        modalities: finding.study.modalities, verdict: finding.verdict.rawValue)
                }
            }
        }
        guard let lines else {
            throw ValidationError("no \(Self.name(cause)) has this id or number, or more than one has: \(subject)")
        }
        return lines
    }

    private static func name(_ cause: ArchiveQuestion.Cause) -> String {
        switch cause {
        case .order: "order"
        case .admission: "visit"
        case .arrival: "study of a known patient"
        case .report: "report"
        }
    }

    /// What would be asked because of something; nil where it is not there, or is of nobody.
    private static func question(
        of subject: String, _ cause: ArchiveQuestion.Cause, _ numbered: [ImagingOrder], in unit: any UnitOfWork
    ) throws -> ArchiveQuestion? {
        let id = EntityID(subject)
        switch cause {
        case .order:
            guard let order = try unit.order(id) ?? (numbered.count == 1 ? numbered.first : nil) else { return nil }
            return ArchiveQuestion(patientID: order.patientID, cause: cause, subject: order.id)
        case .admission:
            var visit = try unit.visit(id)
            if visit == nil, let bar = subject.lastIndex(of: "|") {
                let number = Identifier(
                    system: String(subject[..<bar]), value: String(subject[subject.index(after: bar)...]))
                let found = try unit.visits(identifiedBy: number)
                visit = found.count == 1 ? found.first : nil
            }
            return visit.map { ArchiveQuestion(patientID: $0.patientID, cause: cause, subject: $0.id) }
        case .arrival:
            guard let study = try unit.study(subject) ?? unit.study(id: id),
                let patientID = study.reconciliation.patientID
            else { return nil }
            return ArchiveQuestion(patientID: patientID, cause: cause, subject: study.id)
        case .report: return nil
        }
    }
}
