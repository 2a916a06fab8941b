import Access
import ArgumentParser
import HTTPSupport
import OpsAPI
import SQLStore
import Workflow

/// `hilum quarantine …`: what was kept aside because identifiers alone did not place it, and a person's decisions.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "List images that were kept aside, and decide to whom they belong.",
        discussion: """
            A decision holds against whatever arrives later; a contradiction is listed again under waiting. `undo` gives \
            the images back to the automatic rules. Works beside a running server, which shows the result within seconds.
            """,
        subcommands: [List.self, Show.self, Accept.self, Relink.self, Reject.self, Undo.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List series, newest first.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "waiting, decided, rejected or all.") var state = "waiting"
        @Option(help: "The most series listed.") var limit = 100
        @Flag(help: "As JSON, the answer of GET /ops/quarantine.") var json = false

        func run() async throws {
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
            let wanted = QuarantineState(rawValue: state)
            guard wanted != nil || state == "all" else {
                throw ValidationError("--state is waiting, decided, rejected or all")
            }
            try await QuarantineCommand.with(folder) { store, access in
                try await store.record(
                    AuditRecord(
                        category: .query, interaction: "quarantine", action: .execute, outcome: .success,
                        access: access))
                QuarantineCommand.tell(try await store.quarantine(wanted, limit: limit, access: access), json)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what of a study is kept aside, decided about or rejected.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The Study Instance UID.") var study: String
        @Flag(help: "As JSON, the answer of GET /ops/quarantine/{study}.") var json = false

        func run() async throws {
            try await QuarantineCommand.with(folder) { store, access in
                try await store.record(
                    AuditRecord(
                        category: .query, interaction: "quarantine", action: .execute, outcome: .success,
                        access: access, entity: "study:" + study))
                guard let series = try await store.quarantine(ofStudy: study, access: access) else {
                    throw ValidationError("no such study: \(study)")
                }
                QuarantineCommand.tell(series, json)
            }
        }
    }

    /// What every decision names.
    struct Subject: ParsableArguments {
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The Study Instance UID.") var study: String
        @Option(help: "One series of it: its Series Instance UID.") var series: String?
        @Option(help: "One instance of it: its SOP Instance UID.") var instance: String?
        @Option(help: "Why: kept with the decision and in the audit trail.") var reason: String
        @Flag(help: "Print the result as JSON.") var json = false

        func decide(_ ask: QuarantineRequest.Ask, title: RejectionTitle? = nil) async throws {
            let request = QuarantineRequest(
                ask, studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: instance, reason: reason,
                title: title)
            try await QuarantineCommand.with(folder) { store, access in
                do {
                    QuarantineCommand.tell(try await store.decide(request, access: access), json)
                } catch let refusal as QuarantineService.Refusal {
                    throw ValidationError(refusal.description)
                }
            }
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give images to the patient and order that they name.")
        @OptionGroup var subject: Subject
        func run() async throws { try await subject.decide(.accept) }
    }

    struct Relink: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give images to another order or patient; what is stored in them stays.")
        @OptionGroup var subject: Subject
        @Option(help: "The id of a ServiceRequest, or a number of it as system|value.") var order: String?
        @Option(help: "The id of a Patient, or a number of it as system|value.") var patient: String?

        func run() async throws {
            switch (order, patient) {
            case (let order?, nil): try await subject.decide(.relink(.order(QuarantineRequest.Name(order))))
            case (nil, let patient?): try await subject.decide(.relink(.patient(QuarantineRequest.Name(patient))))
            default: throw ValidationError("give either --order or --patient")
            }
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take images out of every answer; they are kept, and undo puts them back.")
        @OptionGroup var subject: Subject
        @Option(help: "113001 quality, 113037 patient safety, 113038 wrong worklist entry, 113039 retention expired.")
        var code: String?

        func run() async throws {
            let title = code.flatMap { RejectionTitle($0) }
            guard code == nil || title != nil else {
                throw ValidationError(
                    "--code is one of \(RejectionTitle.allCases.map(\.code).joined(separator: ", "))")
            }
            try await subject.decide(.reject, title: title)
        }
    }

    struct Undo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take decisions back: the automatic rules place the images again.")
        @OptionGroup var subject: Subject
        func run() async throws { try await subject.decide(.undo) }
    }

    private static func with(
        _ folder: String, _ body: (RelationalStore, AccessContext) async throws -> Void
    ) async throws {
        try await StoreComposition.with(ServerFolder(folder)) { store in
            try await body(store, .operatorOfThisMachine(requestID: "hilum quarantine"))
        }
    }

    private static func tell(_ series: [QuarantinedSeries], _ json: Bool) {
        if json { return print(String(decoding: QuarantineView.json(series), as: UTF8.self)) }
        if series.isEmpty { print("nothing is kept aside or decided about") }
        for item in series {
            let attributes = item.series.attributes
            let link = item.series.reconciliation
            let place = [
                link.patientID.map { "Patient/\($0.value)" }, link.orderID.map { "ServiceRequest/\($0.value)" },
            ].compactMap { $0 }.joined(separator: " ")
            print(
                [
                    item.state.rawValue, item.study.studyInstanceUID, item.series.seriesInstanceUID,
                    item.reason?.rawValue ?? place, "\(item.instances) instances", attributes.patientID ?? "-",
                    attributes.accessionNumber ?? "-", attributes.modality ?? "-",
                ].map(MessageCommand.printable).joined(separator: "\t"))
            let decisions =
                [("series", item.decision)] + item.instanceDecisions.sorted { $0.key < $1.key }.map { ($0, $1) }
            for (what, decision) in decisions {
                guard let decision else { continue }
                let when = HTTPDate.instant(microseconds: decision.decidedAt.microseconds)
                print(
                    "  \(what): \(decision.action.rawValue)\(decision.title.map { " (\($0.code))" } ?? "") by \(decision.decidedBy) \(when): "
                        + MessageCommand.printable(decision.reason))
                guard let now = decision.contradiction else { continue }
                print(
                    "  \(what): now names \(now.patientID.map { "Patient/\($0.value)" } ?? "-") "
                        + (now.orderID.map { "ServiceRequest/\($0.value)" } ?? "without an order")
                        + ": undo the decision, or decide again")
            }
            for aside in item.series.asides where aside.decision == nil && item.state != .rejected {
                print("  instance \(aside.sopInstanceUID): \(aside.reason.rawValue)")
            }
        }
    }
}
