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
                "Say what each rule would do because of an order; nothing is asked of archives, nothing is fetched.",
            discussion: "What the archives have is taken as they last told it.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The id of a ServiceRequest, or an accession number.") var order: String
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            let order = order
            let lines = try await StoreComposition.using(configuration, server) { store in
                try await PrefetchTest(rules: configuration.prefetch.rules, store: store).lines(of: order)
            }
            if json { return try JSONResult.print(lines) }
            if configuration.prefetch.rules.rules.isEmpty { print("hilum.yaml has no rule: see `prefetch`") }
            if lines.isEmpty { print("no rule fetches anything for it") }
            for line in lines { print(MessageCommand.printable(line.text)) }
        }
    }
}

/// What the rules do because of an order.
struct PrefetchTest {
    struct Line: Codable, Equatable {
        var rule: String
        /// `fits`, or `other-occasion` for a rule that is for other orders; then nothing else is told.
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
                    ? "\(rule): no archive has told of a study of this patient" : "\(rule): is for other orders"
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

    /// In the order of the rules; throws a `ValidationError` for an order that is not there.
    func lines(of order: String) async throws -> [Line] {
        let access = AccessContext.operatorOfThisMachine(requestID: "hilum prefetch")
        try await store.record(
            AuditRecord(
                category: .query, interaction: "prefetch-test", action: .read, outcome: .success, access: access,
                entity: "order"))
        let rules = rules
        let numbered = try await store.orders(accessionNumber: order)
        let lines = try await (store as any WorkflowStore).read(access) { unit -> [Line]? in
            let byID = try unit.order(EntityID(order))
            guard let found = byID ?? (numbered.count == 1 ? numbered.first : nil) else { return nil }
            let question = ArchiveQuestion(patientID: found.patientID, cause: .order, subject: found.id)
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
            throw ValidationError("no order has this id or accession number, or more than one has: \(order)")
        }
        return lines
    }
}
