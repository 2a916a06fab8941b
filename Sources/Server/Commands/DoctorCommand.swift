import Access
import Admission
import ArgumentParser
import BlobStore
import Foundation
import Glibc
import HL7Translation
import SQLStore
import Workflow

/// `hilum doctor DIR`: checks what an operator would check, one line a finding with its fix.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check configuration, keys, certificates, store and ports; exit 1 on a problem.")

    @Argument(help: "The server folder.") var folder: String

    func run() async throws {
        let server = ServerFolder(folder)
        var doctor = Doctor()
        let configuration: ServerConfiguration
        do {
            configuration = try ServerConfiguration.load(from: server)
            doctor.good("configuration: \(server.configurationFile) reads well")
            for text in configuration.limits.lowered {
                doctor.note("configuration: \(text)", fix: "write what counts in \(server.configurationFile)")
            }
        } catch {
            doctor.bad("configuration: \(error)", fix: "correct the file, or make a folder with `hilum init`")
            return try doctor.finish()
        }
        let descriptors = Descriptors.raise()
        if descriptors < 1024 {
            doctor.bad(
                "open files: at most \(descriptors), which leaves room for few connections",
                fix: "raise the hard limit for the server (ulimit -Hn, LimitNOFILE of a systemd unit) to 4096 or more")
        } else {
            doctor.good("open files: up to \(descriptors)")
        }
        doctor.check("site profile", fix: "correct \(configuration.siteProfile)") {
            _ = try ServerComposition.siteProfile(configuration, server)
            return "\(configuration.siteProfile) reads well"
        }
        for (name, path) in [
            ("token key", server.tokenKeyFile), ("audit key", server.auditKeyFile),
        ] {
            doctor.check(name, fix: "as it says, or restore it from your backup") {
                _ = try ServerFolder.readSecret(path)
                return "readable by its owner alone"
            }
        }
        let keys = checkMasterKey(configuration, server, &doctor)
        await checkRouting(configuration, server, &doctor)
        await checkOutside(configuration, server, &doctor)
        await checkStore(configuration, server, keys, &doctor)
        let isRunning = FileManager.default.fileExists(atPath: server.endpointsFile)
        for door in configuration.doors { check(door, server, isRunning: isRunning, &doctor) }
        try doctor.finish()
    }

    /// Steps counted.
    private static let waitingMax = 1000

    /// Steps that no modality is shown, with what they lack most often.
    private static func report(_ waiting: [WaitingStep], _ doctor: inout Doctor) {
        guard !waiting.isEmpty else { return doctor.good("worklist: no due step waits") }
        let parts = WaitingStep.Part.allCases.compactMap { part in
            let count = waiting.count { $0.missing.contains(part) }
            return count == 0 ? nil : "\(count) without \(part.rawValue)"
        }
        let count = waiting.count == waitingMax ? "\(waitingMax) or more" : "\(waiting.count)"
        doctor.good(
            "worklist: \(count) due steps are not shown yet (\(parts.joined(separator: ", "))); "
                + "see /ops/worklist/waiting, and dimse.worklist-stations for steps that name no station")
    }

    private func checkStore(
        _ configuration: ServerConfiguration, _ server: ServerFolder, _ keys: StoreKeys?, _ doctor: inout Doctor
    ) async {
        do {
            let store = try await StoreComposition.open(
                configuration, folder: server, isServer: false, keys: keys)
            let isReady = await store.database.isReady()
            let audit = try await AuditVerification.of(store.database, server)
            await checkBlobs(configuration, server, keys, store, &doctor)
            await checkBodies(store, server, &doctor)
            let waiting = try await store.waitingSteps(
                limit: Self.waitingMax, access: .server(requestID: "doctor"))
            let depths = try await store.outboxDepths(access: .server(requestID: "doctor"))
            let commitments = try await (store as any WorkflowStore).read(.server(requestID: "doctor")) {
                try $0.peerCommitments.openCommitments()
            }
            let named = try await store.unknownAuthorities()
            let peers = try await store.peers()
            let clients = try await store.clients()
            await checkFeeds(configuration, server, store.database, &doctor)
            let held = try await store.copyTotals().bytes
            await store.close()
            if isReady {
                check(peers, configuration, server, &doctor)
                checkRouting(peers, configuration, server.path, &doctor)
                checkHooks(configuration, clients, server.path, &doctor)
                checkArchives(peers, configuration, server, heldBytes: held, &doctor)
                doctor.good("store: \(configuration.store.database.rawValue) answers")
                Self.report(waiting, &doctor)
                doctor.tell(
                    OutboxDoctor(depths: depths, now: SystemClock().now(), folder: server.path).findings)
                checkCommitments(commitments, configuration, server.path, &doctor)
                if audit.problems.isEmpty { doctor.good("audit trail: \(audit.summary)") }
                for note in audit.notes { doctor.good("audit trail: \(note)") }
                for problem in audit.problems {
                    doctor.bad(
                        "audit trail: \(problem)",
                        fix:
                            "find out who did it, with the checkpoints of the log (`hilum audit verify --log`); after a restore of your own, `hilum audit accept`"
                    )
                }
                let authorities = try ServerComposition.siteProfile(configuration, server).authorities
                for mapping in authorities.mappings(of: named) {
                    doctor.note(
                        "authority: identifiers are kept under \(mapping.from), which is \(mapping.to) now",
                        fix: "stop the server and run `hilum authority map \(server.path)` (first with --dry-run)")
                }
                for authority in authorities.unknown(of: named) {
                    let names = [
                        authority.namespace.map { "namespace: \"\($0)\"" },
                        authority.universalID.map { "oid: \"\($0)\"" },
                    ].compactMap { $0 }.joined(separator: ", ")
                    doctor.note(
                        "unknown authority: identifiers of \(names) are kept under \(authority.system)",
                        fix: "add { system: \(authority.system), \(names) } to identifiers.authorities of "
                            + "\(configuration.siteProfile), or give it a system of yours there and run `hilum authority map`; "
                            + "where it is the hospital's own, name that system in patient_default too")
                }
            } else {
                doctor.bad("store: does not answer", fix: "see the server's log")
            }
        } catch {
            let fix =
                configuration.store.database == .postgres
                ? "check store.postgres and that the database server runs"
                : "make a folder from a backup with `hilum restore`"
            doctor.bad("store: \(error)", fix: fix)
        }
    }
}

/// The blobs folder: whose it is, whether its objects open, what was set aside.
extension DoctorCommand {
    private func checkBlobs(
        _ configuration: ServerConfiguration, _ server: ServerFolder, _ keys: StoreKeys?, _ store: RelationalStore,
        _ doctor: inout Doctor
    ) async {
        let path = server.resolve(configuration.store.blobs)
        let blobs: BlobStore
        do {
            blobs = try await BlobStore(
                try StoreComposition.blobs(configuration, server, keys: keys, keeper: store, isReadOnly: true))
        } catch {
            return doctor.bad("blobs folder: \(error)", fix: "restore the master key from your backup")
        }
        do {
            let custody = try await BlobCustodian(blobs, store).examine().custody
            if let finding = custody.finding {
                doctor.bad(
                    "blobs folder: \(finding)",
                    fix:
                        "see `hilum adopt \(server.path) --dry-run`, then stop the server and run `hilum adopt \(server.path)`"
                )
            } else {
                doctor.good("blobs folder: \(path) belongs to this database")
            }
            await checkSample(blobs, store, server, &doctor)
            let aside = try await blobs.setAsideBlobs()
            let bytes = aside.reduce(0) { $0 + $1.bytes }
            let days = configuration.store.setAsideDays
            doctor.good(
                aside.isEmpty
                    ? "set aside: nothing"
                    : "set aside: \(aside.count) objects that no row names, \(bytes >> 20) MiB, since \(aside[0].blob.setAsideOn ?? ""), "
                        + "kept \(days) days; see `hilum set-aside \(server.path)`")
            if let refusal = blobs.space.refusal() {
                doctor.bad("disk: \(refusal.message)", fix: "free space where \(path) lies; writes go on by themselves")
            } else if let free = blobs.space.freeBytes {
                doctor.good("disk: \(free >> 20) MiB free where \(path) lies")
            }
        } catch let error as StoreError where error.code == .misuse {
            doctor.bad(
                "master key: \(error.message)",
                fix: "put the master key (\(configuration.store.masterKey.words)) back from your backup")
        } catch {
            doctor.bad("blobs folder: \(error)", fix: "see the server's log")
        }
        await blobs.close()
    }

    /// Some objects of every form, by header, key and length.
    private func checkSample(
        _ blobs: BlobStore, _ store: RelationalStore, _ server: ServerFolder, _ doctor: inout Doctor
    ) async {
        do {
            // From both ends of the ids, so that objects of different times, and forms, are among them.
            let ends = try await store.sampleOfNamedBlobs(64) + store.namedBlobs(after: nil, limit: 64)
            var seen: Set<BlobID> = []
            let sample = ends.filter { seen.insert($0.id).inserted }
            var bad: [String] = []
            var keys: [String: Int] = [:]
            for named in sample {
                do {
                    let count = try await blobs.open(named.id) { $0.count }
                    keys[try await blobs.keyName(of: named.id), default: 0] += 1
                    if let size = named.size, size != count {
                        bad.append("\(named.id): other length than its row says")
                    }
                } catch { bad.append("\(named.id): \(error)") }
            }
            if let first = bad.first {
                doctor.bad(
                    "objects: \(bad.count) of \(sample.count) looked at cannot be opened (\(first))",
                    fix: "run `hilum verify \(server.path)`, which names them all")
            } else {
                let words = keys.sorted { $0.key < $1.key }.map { ", \($0.value) under \($0.key)" }.joined()
                doctor.good("objects: \(sample.count) looked at, all open with this server's keys\(words)")
            }
        } catch { doctor.bad("objects: \(error)", fix: "see the server's log") }
    }
}

/// Collects findings.
struct Doctor {
    private var problems = 0

    func good(_ text: String) { print("ok    \(text)") }

    /// Something to decide, but no problem.
    func note(_ text: String, fix: String) { print("note  \(text); to do: \(fix)") }

    mutating func bad(_ text: String, fix: String) {
        problems += 1
        print("FAIL  \(text); fix: \(fix)")
    }

    mutating func check(_ name: String, fix: String, _ body: () throws -> String) {
        do { good("\(name): \(try body())") } catch { bad("\(name): \(error)", fix: fix) }
    }

    func finish() throws {
        print(problems == 0 ? "no problems" : "\(problems) problem\(problems == 1 ? "" : "s")")
        if problems > 0 { throw ExitCode(1) }
    }
}
