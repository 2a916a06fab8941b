import Access
import ArgumentParser
import FHIRModel
import SQLStore
import Workflow

/// Whom an account sees: its role, a reader's desk, and grants of single patients. Decision 0034.
extension UserCommand {
    struct SetRole: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "role", abstract: "Say what a person is here. Ends their sessions and their apps' access.")
        @OptionGroup var subject: Subject
        @Option(help: "referrer, reader, administrator, patient or operator.") var role: String
        func run() async throws {
            let role = try Add.role(role)
            try await subject.change("user role", .role(role), detail: role.rawValue)
            print("\(subject.name) is \(role.rawValue)")
        }
    }

    struct Desk: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the worklist that a reader reads from, or set all of it.")
        @OptionGroup var subject: Subject
        @Option(help: "A modality, such as CT, or '*' for every one. Repeatable.") var modality: [String] = []
        @Option(help: "The AE title of a station of the reader's sites, or '*' for every one. Repeatable.")
        var station: [String] = []
        @Option(
            help: """
                A Location or Organization, such as Location/1, for the stations whose Device is there or theirs \
                (identifier urn:hilum:ae-title). Repeatable.
                """)
        var site: [String] = []
        @Flag(help: "An empty desk: the reader sees nobody by it.") var none = false

        func run() async throws {
            let hasPlaces = !station.isEmpty || !site.isEmpty
            let isShown = modality.isEmpty && !hasPlaces && !none
            guard isShown || none != (!modality.isEmpty && hasPlaces),
                !none || (modality.isEmpty && !hasPlaces)
            else {
                throw ValidationError("give --modality, and --station or --site, each at least once, or --none")
            }
            for text in modality where !ReadingDesk.isModality(text) {
                throw ValidationError("--modality \(text): 1 to 16 of A-Z 0-9 _, or '*' (PS3.5 §6.2)")
            }
            for text in station where !ReadingDesk.isStation(text) {
                throw ValidationError("--station \(text): no AE title (PS3.5 §6.2)")
            }
            for text in site where !ReadingDesk.isSite(text) {
                throw ValidationError("--site \(text): no Location/ID or Organization/ID")
            }
            guard [modality, station, site].allSatisfy({ $0.count <= ReadingDesk.entriesMax }) else {
                throw ValidationError("at most \(ReadingDesk.entriesMax) modalities, and as many stations and sites")
            }
            try await subject.with { accounts, account in
                if !isShown {
                    let desk = ReadingDesk(modalities: modality, stations: station, sites: site)
                    let row = accounts.row(
                        "user desk", .update, account,
                        detail:
                            "modalities \(modality.joined(separator: " ")); stations \(station.joined(separator: " "))"
                            + (site.isEmpty ? "" : "; sites \(site.joined(separator: " "))"))
                    let isSaved = try await accounts.store.save(desk, ofAccount: account.id, recording: row)
                    guard isSaved else { throw Accounts.isGone(account) }
                }
                let desk = try await accounts.store.desk(ofAccount: account.id)
                print("modalities\t" + desk.modalities.joined(separator: " "))
                print("stations\t" + desk.stations.joined(separator: " "))
                if !desk.sites.isEmpty { print("sites\t" + desk.sites.joined(separator: " ")) }
                if account.role != .reader { print("the desk counts once \(account.name) is a reader") }
            }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a referrer, reader or administrator see one patient for a time, images included.")
        static let hoursRange = 1...(24 * 366)
        @OptionGroup var subject: Subject
        @Option(help: "The id of the Patient resource.") var patient: String
        @Option(help: "For how many hours, 1 to 8784.") var hours = 24 * 7
        @Option(help: "Why, for the audit trail.") var reason = ""

        func run() async throws {
            guard LaunchReference.isID(patient) else {
                throw ValidationError("--patient \(patient): no id of a Patient resource")
            }
            guard Self.hoursRange.contains(hours) else {
                throw ValidationError("--hours \(hours): 1 to \(Self.hoursRange.upperBound)")
            }
            guard reason.utf8.count <= PatientGrant.reasonBytesMax, !reason.utf8.contains(0) else {
                throw ValidationError("--reason: at most \(PatientGrant.reasonBytesMax) bytes")
            }
            try await subject.with { accounts, account in
                guard account.role.practice != nil else {
                    throw ValidationError(
                        "\(account.name) is \(account.role.rawValue): a patient is granted to a referrer, a reader or an "
                            + "administrator; for a patient's account use `hilum user link --patient`")
                }
                let time = SystemClock().now().microseconds
                let grant = PatientGrant(
                    id: SystemEntropy().newID().value, accountID: account.id, patientID: patient, kind: .grant,
                    reason: reason,
                    givenBy: AccessContext.operatorOfThisMachine(requestID: "hilum user grant").principal.id,
                    givenAt: time, expires: time + Int64(hours) * 3_600_000_000)
                let row = accounts.row(
                    "user grant", .update, account, patientID: patient, detail: "\(hours) hours")
                guard try await accounts.store.save(grant, recording: row) else {
                    throw ValidationError("there is no Patient/\(patient), or the account is locked or of another role")
                }
            }
            print("granted to \(subject.name)")
        }
    }

    struct RevokeGrant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke-grant", abstract: "End the grants of a patient to an account, emergencies among them.")
        @OptionGroup var subject: Subject
        @Option(help: "The id of the Patient resource.") var patient: String

        func run() async throws {
            guard LaunchReference.isID(patient) else {
                throw ValidationError("--patient \(patient): no id of a Patient resource")
            }
            try await subject.with { accounts, account in
                let count = try await accounts.store.revokeGrants(
                    ofAccount: account.id, patientID: patient, at: SystemClock().now().microseconds,
                    recording: accounts.row("user revoke-grant", .update, account, patientID: patient))
                guard count > 0 else {
                    throw ValidationError(
                        "no grant of that patient to \(account.name) is open; see `hilum user grants`")
                }
                print("ended \(count)")
            }
        }
    }

    struct Grants: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what an account was granted, the newest first, emergencies among them.")
        @OptionGroup var subject: Subject
        func run() async throws {
            try await subject.with { accounts, account in
                let time = SystemClock().now().microseconds
                for grant in try await accounts.store.grants(nil, ofAccount: account.id, limit: 1_000) {
                    let state = grant.isOpen(at: time) ? "open" : grant.revokedAt == nil ? "expired" : "revoked"
                    // A line for each, whatever was typed as a reason.
                    let reason = String(grant.reason.map { $0.isNewline || $0 == "\t" ? " " : $0 })
                    print(
                        [
                            "Patient/" + grant.patientID, grant.kind.rawValue, state,
                            FHIRDateTime.instantText(microseconds: grant.expires), grant.givenBy, reason,
                        ].joined(separator: "\t"))
                }
            }
        }
    }
}
