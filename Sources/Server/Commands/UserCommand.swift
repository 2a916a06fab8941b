import Access
import ArgumentParser
import Cryptography
import Foundation
import HTTPSupport
import SMARTAPI
import SQLStore
import Workflow

/// `hilum user …`: the people who may sign in.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Add, list, lock, reset, link and remove the accounts of people, and say whom they see.",
        subcommands: [
            Add.self, List.self, Lock.self, Unlock.self, Reset.self, Link.self, Identity.self, SetRole.self,
            Desk.self, Grant.self, RevokeGrant.self, Grants.self, Remove.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an account; prints a one-time code with which its person chooses a password.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "What is typed to sign in: 1 to 64 of a-z 0-9 . _ @ -") var name: String
        @Option(help: "referrer, reader, administrator, patient or operator; practitioner is a referrer.")
        var role: String
        @Option(help: "The person's name, for others.") var displayName: String
        @Option(name: .customLong("fhir-user"), help: "Who that is in the record: Practitioner/ID, Patient/ID.")
        var fhirUser: String?
        @Option(help: "The id of a patient whom the person is or acts for. Repeatable.") var patient: [String] = []
        @Flag(help: "Ask for the password here, or read it as the first line of the standard input.") var password =
            false

        func run() async throws {
            guard Account.isName(name) else {
                throw ValidationError("\(name): a name is 1 to \(Account.nameBytesMax) of a-z 0-9 . _ @ -")
            }
            let role = try Self.role(role)
            guard (1...Account.displayNameBytesMax).contains(displayName.utf8.count), !displayName.utf8.contains(0)
            else { throw ValidationError("--display-name: 1 to \(Account.displayNameBytesMax) bytes") }
            try Self.check(fhirUser: fhirUser, patients: patient)
            let verifier = password ? try PasswordVerifier(password: PasswordPrompt.ask(for: name)).text : nil
            let time = SystemClock().now().microseconds
            let account = Account(
                id: SystemEntropy().newID().value, name: name, displayName: displayName, role: role,
                fhirUser: fhirUser, patientIDs: patient, passwordVerifier: verifier, createdAt: time)
            try await Accounts.with(folder) { accounts in
                let code = verifier == nil ? accounts.sessions.makeResetCode(for: account) : nil
                let isAdded = try await accounts.store.add(
                    account, code: code.map { ($0.digest, $0.expires) },
                    recording: accounts.row("user add", .create, account, detail: role.rawValue))
                guard isAdded else { throw ValidationError("there is an account \(name) already") }
                if let code { print("one-time code: \(code.text)") }
                print("sign in at: \(accounts.publicURL)/account/sign-in")
            }
        }

        static func role(_ name: String) throws -> SignedInPerson.Role {
            guard let role = SignedInPerson.Role(name: name) else {
                let roles = SignedInPerson.Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("\(name): a role is one of \(roles)")
            }
            return role
        }

        static func check(fhirUser: String?, patients: [String]) throws {
            if let fhirUser, !Account.isFHIRUser(fhirUser) {
                throw ValidationError("--fhir-user \(fhirUser): as in Practitioner/ID or Patient/ID")
            }
            guard patients.count <= Account.patientsMax, patients.allSatisfy(LaunchReference.isID) else {
                throw ValidationError("--patient: at most \(Account.patientsMax) ids of Patient resources")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List accounts.")
        @Argument(help: "The server folder.") var folder: String
        func run() async throws {
            try await Accounts.with(folder) { accounts in
                var last: String?
                while true {
                    let page = try await accounts.store.accounts(after: last, limit: 500)
                    let withPasskeys = try await accounts.store.havePasskeys(page.map(\.id))
                    for account in page {
                        let factors =
                            account.sealedSecret != nil
                            ? "two factors" : account.passwordVerifier != nil ? "password" : "no password yet"
                        let passkeys =
                            withPasskeys.contains(account.id)
                            ? try await accounts.store.passkeys(of: account.id).count : 0
                        let record = ([account.fhirUser].compactMap { $0 } + account.patientIDs.map { "Patient/" + $0 })
                            .joined(separator: " ")
                        print(
                            [
                                account.name, account.role.rawValue, account.state.rawValue,
                                passkeys > 0 ? "\(factors), passkeys: \(passkeys)" : factors, account.displayName,
                                record,
                            ].joined(separator: "\t"))
                    }
                    guard page.count == 500 else { break }
                    last = page.last?.name
                }
            }
        }
    }

    /// What every command on one account names.
    struct Subject: ParsableArguments {
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The account's name.") var name: String

        func with(_ body: (Accounts, Account) async throws -> Void) async throws {
            try await Accounts.with(folder) { accounts in
                guard let account = try await accounts.store.account(name: name) else {
                    throw ValidationError("there is no account \(name); `hilum user list` shows those that there are")
                }
                try await body(accounts, account)
            }
        }

        func change(_ command: String, _ change: AccountChange, detail: String? = nil) async throws {
            try await with { try await $0.change($1, change, $0.row(command, .update, $1, detail: detail)) }
        }
    }

    struct Lock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lock an account and end its sessions.")
        @OptionGroup var subject: Subject
        func run() async throws {
            try await subject.change("user lock", .state(.locked))
            print("locked \(subject.name)")
        }
    }

    struct Unlock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Unlock an account.")
        @OptionGroup var subject: Subject
        func run() async throws {
            try await subject.change("user unlock", .state(.active))
            print("unlocked \(subject.name)")
        }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a one-time code with which a person chooses a new password within 24 hours.")
        @OptionGroup var subject: Subject
        @Flag(
            help: "Take the second factor away, too, and all passkeys: when the device and the recovery codes are lost."
        )
        var secondFactor = false
        @Flag(help: "Take all passkeys away, and leave the authenticator app.") var passkeys = false
        func run() async throws {
            try await subject.with { accounts, account in
                let code = accounts.sessions.makeResetCode(for: account)
                try await accounts.change(
                    account, secondFactor ? .noSecondFactor : passkeys ? .noPasskeys : nil,
                    code: (code.digest, code.expires),
                    accounts.row(
                        "user reset", .update, account,
                        detail: secondFactor ? "second factor removed" : passkeys ? "passkeys removed" : nil))
                print("one-time code: \(code.text)")
                print("choose the password at: \(accounts.publicURL)/account/reset")
            }
        }
    }

    struct Link: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say who a person is in the record; what is left out stays. Ends the person's sessions.")
        @OptionGroup var subject: Subject
        @Option(name: .customLong("fhir-user"), help: "Practitioner/ID, PractitionerRole/ID, Patient/ID …")
        var fhirUser: String?
        @Option(help: "The id of a patient whom the person is or acts for; all that there are. Repeatable.")
        var patient: [String] = []
        @Flag(help: "No patients any more.") var noPatients = false
        func run() async throws {
            guard fhirUser != nil || !patient.isEmpty || noPatients else {
                throw ValidationError("give --fhir-user, --patient or --no-patients")
            }
            guard patient.isEmpty || !noPatients else { throw ValidationError("either --patient or --no-patients") }
            try Add.check(fhirUser: fhirUser, patients: patient)
            let patients = patient.isEmpty && !noPatients ? nil : patient
            try await subject.change(
                "user link", .link(fhirUser: fhirUser, patientIDs: patients),
                detail: [fhirUser, patients.map { "patients \($0.joined(separator: " "))" }].compactMap { $0 }
                    .joined(separator: "; "))
            print("linked \(subject.name)")
        }
    }

    struct Identity: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say who a person is at an outside OpenID provider or authorization server.",
            discussion: "The audit trail says who was refused for want of this: identity:ISSUER|SUBJECT.")
        @OptionGroup var subject: Subject
        @Option(help: "As the other server names itself.") var issuer: String
        @Option(
            name: .customLong("subject"),
            help: "Its `sub` of the person. Left out: nobody there any more, and the person's sessions end.")
        var name: String?
        func run() async throws {
            if let name, !OutsideIdentity.isSubject(name) {
                throw ValidationError("--subject: 1 to \(OutsideIdentity.subjectBytesMax) of printable ASCII")
            }
            try await subject.with { accounts, account in
                let time = SystemClock().now().microseconds
                let row = accounts.row(
                    "user identity", .update, account, detail: "\(issuer)|\(name ?? "nobody")")
                guard let name else {
                    let isGone = try await accounts.store.unlink(
                        issuer: issuer, from: account.id, at: time, recording: row)
                    guard isGone else { throw ValidationError("\(account.name) is nobody at \(issuer)") }
                    return
                }
                let identity = OutsideIdentity(
                    issuer: issuer, subject: name, accountID: account.id, isMade: false, linkedAt: time)
                guard try await accounts.store.link(identity, recording: row) else {
                    throw ValidationError("\(account.name) is somebody at \(issuer) already, or \(name) is linked")
                }
            }
            print(name == nil ? "unlinked \(subject.name)" : "linked \(subject.name)")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an account with its sessions; what it did stays in the audit trail.")
        @OptionGroup var subject: Subject
        func run() async throws {
            try await subject.with { accounts, account in
                let isRemoved = try await accounts.store.remove(
                    accountID: account.id, at: SystemClock().now().microseconds,
                    recording: accounts.row("user remove", .delete, account))
                guard isRemoved else { throw Accounts.isGone(account) }
            }
            print("removed \(subject.name)")
        }
    }
}

/// The accounts of a server folder, for a command. Each change has its audit row in the same commit.
struct Accounts {
    let store: RelationalStore
    let publicURL: String
    let sessions: PeopleSessions

    static func with(_ folder: String, _ body: (Accounts) async throws -> Void) async throws {
        let server = ServerFolder(folder)
        let configuration = try ServerConfiguration.load(from: server)
        guard let keys = try StoreComposition.keys(configuration, server) else {
            throw ValidationError("\(configuration.store.masterKey.words) cannot be read: accounts need the master key")
        }
        try await StoreComposition.using(configuration, server) { store in
            let sessions = PeopleComposition.sessions(
                store, keys: PeopleComposition.keys(keys), clock: SystemClock())
            try await body(Accounts(store: store, publicURL: configuration.publicURL, sessions: sessions))
        }
    }

    /// - Parameter change: nil for the code alone.
    func change(
        _ account: Account, _ change: AccountChange?, code: RelationalStore.ResetCode? = nil, _ row: AuditRecord
    ) async throws {
        let isChanged = try await store.change(
            accountID: account.id, change, code: code, at: SystemClock().now().microseconds, recording: row)
        guard isChanged else { throw Self.isGone(account) }
    }

    /// Of an account that was removed since it was looked at.
    static func isGone(_ account: Account) -> ValidationError {
        ValidationError("there is no account \(account.name) any more")
    }

    func row(
        _ command: String, _ action: AuditRecord.Action, _ account: Account, patientID: String? = nil,
        detail: String? = nil
    ) -> AuditRecord {
        var record = AuditRecord.ofCommand(
            command, action, "account:" + account.id, detail: detail.map { account.name + ": " + $0 })
        record.patientID = patientID
        return record
    }
}

/// Asks for a password.
enum PasswordPrompt {
    /// Twice at a terminal, without showing it; elsewhere it is the first line of the standard input. Throws for one that
    /// is not taken.
    static func ask(for name: String) throws -> String {
        let isTerminal = isatty(STDIN_FILENO) == 1
        let password = try isTerminal ? hidden("Password: ") : readLine() ?? ""
        if isTerminal, try hidden("Again: ") != password { throw ValidationError("the two are not the same") }
        switch PasswordRule.refusal(password, name: name) {
        case nil: return password
        case .passwordTooShort?:
            throw ValidationError("the password has less than \(PasswordRule.charactersMin) characters")
        case .passwordTooLong?: throw ValidationError("the password has more than \(PasswordRule.bytesMax) bytes")
        default: throw ValidationError("the password holds the name, or too few different characters")
        }
    }

    private static func hidden(_ prompt: String) throws -> String {
        FileHandle.standardError.write(Data(prompt.utf8))
        var shown = termios()
        tcgetattr(STDIN_FILENO, &shown)
        var quiet = shown
        quiet.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        return readLine() ?? ""
    }
}
