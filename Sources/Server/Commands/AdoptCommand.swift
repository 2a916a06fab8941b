import Access
import ArgumentParser
import BlobStore
import DICOMTranslation
import Foundation
import HL7Translation
import SQLStore
import Workflow

/// `hilum adopt DIR`: registers the objects that no row names, and makes the blobs folder this database's own.
struct AdoptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract:
            "Register the objects of the blobs folder that no row names, and take the folder as this store's own.",
        discussion: """
            After an older database was put back, after a change of database, or for another store's folder. Objects are \
            read with the keys of this server and registered as if they came by C-STORE: matched to patients and orders, \
            audited. What is no DICOM object or cannot be opened stays where it is and is told. The server must not run.
            """)

    @Argument(help: "The server folder.") var folder: String
    @Flag(name: .customLong("dry-run"), help: "Only tell what would be done.") var isDryRun = false
    @Flag(
        name: .customLong("leave-unreadable"),
        help: "Take the folder as this store's own although objects in it cannot be opened.")
    var leavesUnreadable = false
    @Flag(help: "Print the result as JSON.") var json = false

    func run() async throws {
        let server = ServerFolder(folder)
        let configuration = try ServerConfiguration.load(from: server)
        let commits = CommitWatch()
        let keys = try StoreComposition.keys(configuration, server)
        let profile = try ServerComposition.siteProfile(configuration, server)
        let store = try await StoreComposition.open(
            configuration, folder: server, isServer: true, keys: keys, profile: profile, commits: commits)
        do {
            let blobs = try await BlobStore(
                try StoreComposition.blobs(
                    configuration, server, keys: keys, keeper: store, isReadOnly: isDryRun))
            do {
                let custodian = StoreComposition.custodian(blobs, store, configuration)
                commits.follow { custodian.note($0) }
                let run = AdoptionRun(
                    store: store, blobs: blobs, custodian: custodian,
                    ingest: InstanceIngest(
                        store: store, blobs: blobs, authorities: profile.authorities,
                        limits: configuration.limits.ingest),
                    isDryRun: isDryRun, leavesUnreadable: leavesUnreadable)
                let result = try await run.run()
                if json { try JSONResult.print(result) } else { result.tell() }
                if !result.isClaimed, !isDryRun { throw ExitCode(1) }
            } catch {
                await blobs.close()
                throw error
            }
            await blobs.close()
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

/// One adoption.
struct AdoptionRun: Sendable {
    struct Left: Codable, Sendable {
        var blob: String
        var why: String
    }
    struct Result: Codable, Sendable {
        /// What the database was to the folder before.
        var custody: String
        var objects: Int64 = 0
        var named: Int64 = 0
        var adopted: Int64 = 0
        /// The same object was registered under another blob.
        var alreadyRegistered: Int64 = 0
        var putBack: Int64 = 0
        var quarantined: Int64 = 0
        var notDICOM: Int64 = 0
        /// Another object of the same SOP Instance UID is registered: set aside for an operator.
        var conflicting: [Left] = []
        var refused: [Left] = []
        var unreadable: [Left] = []
        var studies = 0
        var isClaimed = false

        func tell() {
            for left in unreadable { print("LEFT  \(left.blob): cannot be opened: \(left.why)") }
            for left in refused { print("LEFT  \(left.blob): \(left.why)") }
            for left in conflicting { print("ASIDE \(left.blob): \(left.why)") }
            print(
                "\(objects) objects: \(named) named by rows, \(adopted) adopted, \(alreadyRegistered) registered already, "
                    + "\(conflicting.count) in conflict, \(notDICOM) not DICOM, \(refused.count) refused, "
                    + "\(unreadable.count) unreadable")
            if quarantined > 0 { print("\(quarantined) objects wait in quarantine for their patient or order") }
            if isClaimed { print("the blobs folder belongs to this store") }
            if !isClaimed, !unreadable.isEmpty {
                print(
                    "the folder was not taken: \(unreadable.count) objects cannot be opened with this server's keys; put "
                        + "their key in place, or add --leave-unreadable")
            }
        }
    }

    let store: RelationalStore
    let blobs: BlobStore
    let custodian: BlobCustodian
    let ingest: InstanceIngest
    let isDryRun: Bool
    let leavesUnreadable: Bool
    private static let access = AccessContext.server(requestID: "adopt")
    /// Objects that are registered at the same time; they share commits.
    private static let inFlight = 8

    /// What became of one object.
    private enum Outcome: Sendable {
        case adopted(InstanceIngest.Receipt)
        /// In a dry run.
        case adoptable
        case registered
        case notDICOM
        case conflict(Left)
        case refused(Left)
        case unreadable(Left)
    }

    func run() async throws -> Result {
        let custody = isDryRun ? try await custodian.examine().custody : try await custodian.beginAdoption()
        var result = Result(custody: custody.word)
        var total: Int64 = 0
        try await blobs.eachDirectory { total += Int64($0.count) }
        let progress = ProgressLine("adopt", total: total)
        var studies: Set<String> = []
        try await blobs.eachDirectory { page in
            let named = try await store.referenced(page.map(\.id))
            result.objects += Int64(page.count)
            for blob in page where named.contains(blob.id) {
                result.named += 1
                guard blob.setAsideOn != nil else { continue }
                if !isDryRun { try await blobs.putBack(blob) }
                result.putBack += 1
            }
            // A copy that has left is its archive's; its file goes when the server runs.
            let leaving = try await store.leaving(page.map(\.id))
            let lying = page.filter { !named.contains($0.id) && !leaving.contains($0.id) }
            for outcome in try await adopt(lying) { note(outcome, &result, &studies) }
            progress.tell(result.objects, bytes: 0)
        }
        progress.end(result.objects, bytes: 0)
        result.studies = studies.count
        guard !isDryRun else { return result }
        // The studies are published by the server once it runs, as after any other door.
        for left in result.conflicting { try await blobs.setAside(BlobID(left.blob), reason: .conflicting) }
        if result.unreadable.isEmpty || leavesUnreadable {
            try await custodian.claim()
            result.isClaimed = true
        }
        try await store.record(
            AuditRecord(
                category: .application, interaction: "adopt", action: .execute,
                outcome: result.isClaimed ? .success : .minorFailure,
                access: .operatorOfThisMachine(requestID: "hilum adopt"),
                detail: "\(custody.word): \(result.adopted) adopted, \(result.unreadable.count) unreadable"))
        try await custodian.settle()
        return result
    }

    private func note(_ outcome: Outcome, _ result: inout Result, _ studies: inout Set<String>) {
        switch outcome {
        case .adopted(let receipt):
            result.adopted += 1
            if receipt.reconciliation?.isQuarantined == true { result.quarantined += 1 }
            studies.insert(receipt.studyInstanceUID)
        case .adoptable: result.adopted += 1
        case .registered: result.alreadyRegistered += 1
        case .notDICOM: result.notDICOM += 1
        case .conflict(let left): result.conflicting.append(left)
        case .refused(let left): result.refused.append(left)
        case .unreadable(let left): result.unreadable.append(left)
        }
    }

    private func adopt(_ page: [StoredBlob]) async throws -> [Outcome] {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            var outcomes: [Outcome] = []
            for (index, blob) in page.enumerated() {
                if index >= Self.inFlight, let done = try await group.next() { outcomes.append(done) }
                group.addTask { try await adopt(blob) }
            }
            for try await done in group { outcomes.append(done) }
            return outcomes
        }
    }

    /// Throws only what ends the whole run: a database or a disk that is not available.
    private func adopt(_ blob: StoredBlob) async throws -> Outcome {
        // Of an export that this database does not know.
        if BlobStore.isErasable(blob.id) { return .notDICOM }
        let reader: any BlobReading
        do { reader = try await blobs.open(blob) { $0 } } catch let error as StoreError
            where error.code == .corrupt || error.code == .misuse
        { return .unreadable(Left(blob: blob.id.value, why: error.message)) }
        do {
            if isDryRun {
                try await ingest.inspect(blob.id, from: reader)
                return .adoptable
            }
            let blobs = blobs
            let outcome = try await ingest.adopt(
                blob.id, from: reader, place: { try await blobs.putBack(blob) }, access: Self.access)
            switch outcome {
            case .stored(let receipt): return receipt.isDuplicate ? .registered : .adopted(receipt)
            case .failed(let failure, let receipt): return try refusal(of: blob, failure, receipt)
            }
        } catch let failure as IngestFailure {
            return failure.detail == "not a DICOM file" ? .notDICOM : try refusal(of: blob, failure, nil)
        } catch let error as StoreError where error.code == .corrupt {
            return .unreadable(Left(blob: blob.id.value, why: error.message))
        }
    }

    private func refusal(
        of blob: StoredBlob, _ failure: IngestFailure, _ receipt: InstanceIngest.Receipt?
    ) throws -> Outcome {
        switch failure.code {
        case .duplicateInstance:
            return .conflict(
                Left(
                    blob: blob.id.value,
                    why: "another object of SOP instance \(receipt?.sopInstanceUID ?? "") is registered"))
        case .outOfResources, .storeFailed: throw StoreError(.unavailable, "the adoption stopped: \(failure.detail)")
        default: return .refused(Left(blob: blob.id.value, why: "\(failure.code.rawValue) \(failure.detail)"))
        }
    }
}
