import Access
import FHIRModel
import FHIRResources
import HTTPTypes
import NIOCore
import SQLStore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import FHIRAPI
@testable import HTTPSupport

/// Sources that break off, change or do harm, and imports that end. Decision 0040.
@Suite("Bulk import: sources and ends", .takingTurns)
struct ImportSourceTests: ImportFixture {
    // MARK: Sources

    @Test(
        "A content that breaks off is asked for again by Range from behind its last line; without ranges it is passed over"
    )
    func broken() async throws {
        for takesRanges in [true, false] {
            try await Self.with(pieceBytes: 4_096) { (importer) async throws in
                let lines = (0..<300).map { Self.basic("b\($0)") }.joined(separator: "\n")
                var file = ImportedFiles.File(lines, tag: "\"1\"")
                file.breaks = [8_192, 4_096, 0, 0]
                file.takesRanges = takesRanges
                importer.files[Self.base + "Basic"] = [file]
                #expect(Self.counts(try await importer.run(Self.list("Basic"))) == [300, 0, 0, 0])
                let ranges = importer.files.requests.compactMap { request in
                    request.headers.first { $0.name == "Range" }?.value
                }
                #expect(ranges.count == 4)
                #expect(ranges.allSatisfy { $0 != "bytes=0-" })
                for id in ["b0", "b150", "b299"] { #expect(await importer.version("Basic/\(id)") == "1") }
            }
        }
    }

    @Test(
        "RFC 9110 §15.3.7: a part that ends before the file does is not its end, and may leave Last-Modified out",
        arguments: [4_096, Int.max])
    func parts(_ partBytes: Int) async throws {
        try await Self.with(pieceBytes: 4_096) { (importer) async throws in
            let lines = (0..<300).map { Self.basic("b\($0)") + "\n" }.joined()
            var file = ImportedFiles.File(lines, tag: "\"1\"")
            file.fields.append(("Last-Modified", "Mon, 30 Nov 2026 05:00:00 GMT"))
            file.breaks = [8_192]
            file.partBytes = partBytes
            file.hasTerseParts = true
            importer.files[Self.base + "Basic"] = [file]
            let manifest = try await importer.run(Self.list("Basic"))
            #expect(Self.counts(manifest) == [300, 0, 0, 0])
            #expect(manifest["error"]?.array?.isEmpty == true)
        }
    }

    @Test("A host whose name has no address for a moment is asked for again")
    func unresolved() async throws {
        try await Self.with { (importer) async throws in
            var away = ImportedFiles.File()
            away.refusal = .unresolvable
            importer.files[Self.base + "Basic"] = [away, .init(Self.basic("b1"))]
            #expect(Self.counts(try await importer.run(Self.list("Basic"))) == [1, 0, 0, 0])
            importer.files[Self.base + "m"] = [
                away, .init(#"{"output":[{"type":"Basic","url":"\#(Self.base)Basic"}]}"#),
            ]
            let manifest =
                #"{"resourceType":"Parameters","parameter":[{"name":"exportUrl","valueUrl":"\#(Self.base)m"}]}"#
            #expect(Self.counts(try await importer.run(manifest)) == [0, 0, 1, 0])
        }
    }

    @Test("What a few bytes of gzip inflate to is handed over in pieces of at most 64 KiB, in order")
    func inflatedPieces() async throws {
        let plain = Array((0..<300_000).map { $0 % 100_000 == 0 ? "{\($0)}\n" : "{}\n" }.joined().utf8)
        let files = ImportedFiles(pieceBytes: 1 << 20)
        var file = ImportedFiles.File()
        file.bytes = try Self.gzip(plain)
        file.fields = [("Content-Encoding", "gzip")]
        #expect(file.bytes.count < 4_096)
        files[Self.base + "Basic"] = [file]
        try await files.download(Self.base + "Basic", headers: []) { head, content in
            var (input, found) = (ImportInput(place: 0, url: Self.base + "Basic", type: "Basic"), [UInt8]())
            let source = try ImportContent(head, content, of: &input, limits: ImportLimits())
            while let piece = try await source.read() {
                #expect(piece.count <= 64 << 10)
                found += piece
            }
            #expect(found == plain)
        }
    }

    @Test("A file that came fast and then comes a byte at a time is too slow, over each window by itself")
    func slow() {
        var limits = ImportLimits()
        (limits.bytesPerSecondMin, limits.graceSeconds) = (1_000, 30)
        func verdicts(_ pieces: [(bytes: Int, seconds: Int)]) -> [Bool] {
            var rate = ImportRate(limits)
            return pieces.map { rate.isMet(by: $0.bytes, after: .seconds($0.seconds)) }
        }
        // The window in which the gigabyte came is over after 31 seconds, the next one after 62.
        let slowed = verdicts([(1 << 30, 1)] + Array(repeating: (1, 1), count: 100))
        #expect(slowed.firstIndex(of: false) == 61)
        #expect(verdicts(Array(repeating: (1_000, 1), count: 200)).allSatisfy { $0 })
        #expect(verdicts([(0, 30), (30_999, 1)]) == [true, false])
        #expect(verdicts([(0, 30), (31_000, 1)]) == [true, true])
    }

    @Test("A manifest leads to https alone, also by the link to its next page")
    func manifestLinks() throws {
        for next in ["file:///etc/passwd", "http://a.example/", "relative"] {
            let text = #"{"output":[],"link":[{"relation":"next","url":"\#(next)"}]}"#
            #expect(throws: InteractionError.self) { _ = try ExportedManifest(Array(text.utf8)) }
        }
    }

    @Test("What changes while it is read is another file: it is named and not read on, and the next one is read")
    func changed() async throws {
        for change in ["etag", "length", "modified"] {
            try await Self.with(pieceBytes: 4_096) { (importer) async throws in
                let lines = (0..<300).map { Self.basic("b\($0)") }.joined(separator: "\n")
                var first = ImportedFiles.File(lines, tag: "\"1\"")
                first.fields.append(("Last-Modified", "Mon, 30 Nov 2026 05:00:00 GMT"))
                first.breaks = [8_192]
                var second = first
                second.breaks = []
                switch change {
                case "etag": second.fields[0].value = "\"2\""
                case "length": second.bytes += Array("\n".utf8)
                default: second.fields[1].value = "Mon, 30 Nov 2026 05:00:01 GMT"
                }
                importer.files[Self.base + "Basic"] = [first, second]
                importer.files[Self.base + "Patient"] = [.init(Self.patient("p1"))]
                let manifest = try await importer.run(Self.list("Basic", "Patient"))
                let outcomes = try await importer.outcomes(manifest)
                #expect(outcomes.count == 1, "\(change)")
                #expect(outcomes.first?.text.contains("changed while it was read") == true, "\(change)")
                #expect(await importer.version("Patient/p1") == "1")
                #expect(await importer.version("Basic/b0") == "1")
                #expect(await importer.version("Basic/b299") == nil)
            }
        }
    }

    private static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        Array(try GzipEncoder.whole(ByteBuffer(bytes: bytes)).readableBytesView)
    }

    @Test("gzip is read by Content-Encoding and as application/gzip, whole and after a break")
    func compressed() async throws {
        let lines = (0..<2_000).map { Self.basic("b\($0)", "text \($0 * 7_919 % 10_007)") }.joined(separator: "\n")
        for field in [("Content-Encoding", "gzip"), ("Content-Type", "application/gzip")] {
            try await Self.with(pieceBytes: 1_000) { (importer) async throws in
                var file = ImportedFiles.File()
                file.bytes = try Self.gzip(Array(lines.utf8))
                file.fields = [field]
                file.breaks = [file.bytes.count / 2]
                importer.files[Self.base + "Basic"] = [file]
                #expect(Self.counts(try await importer.run(Self.list("Basic"))) == [2_000, 0, 0, 0])
                #expect(importer.files.requests.count == 2)
                #expect(
                    importer.files.requests.allSatisfy { request in !request.headers.contains { $0.name == "Range" } })
            }
        }
    }

    @Test(
        "A hostile source ends its own file: bombs, endless contents, redirects, refusals, broken gzip, foreign codings"
    )
    func hostile() async throws {
        var limits = FHIRLimits()
        limits.imports.fileBytesMax = 1 << 20
        limits.imports.inflatedBytesFree = 1 << 16
        limits.imports.inflationMax = 20
        limits.imports.attemptsMax = 2
        try await Self.with(limits, pieceBytes: 1 << 14) { (importer) async throws in
            typealias File = ImportedFiles.File
            var files: [(String, File, words: String)] = []
            var bomb = File()
            bomb.bytes = try Self.gzip([UInt8](repeating: 0x20, count: 900_000))
            bomb.fields = [("Content-Encoding", "gzip")]
            files.append(("bomb", bomb, "inflates to more than"))
            var endless = File("\n")
            endless.bytes = [UInt8](repeating: 0x20, count: 50_000)
            endless.isEndless = true
            files.append(("endless", endless, "more than 1048576 bytes"))
            var large = File()
            large.bytes = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
            files.append(("large", large, "more than 1048576 bytes"))
            for (status, words) in [
                (302, "redirects are not followed"), (401, "wants a token"), (404, "404"), (503, "503"),
            ] {
                var file = File()
                file.status = status
                file.fields = [("Location", "https://127.0.0.1/")]
                files.append(("s\(status)", file, words))
            }
            var inside = File()
            inside.refusal = .addressNotAllowed
            files.append(("inside", inside, "private or reserved network"))
            var cut = File()
            cut.bytes = Array(try Self.gzip(Array(Self.basic("cut").utf8)).dropLast(9))
            cut.fields = [("Content-Encoding", "gzip")]
            files.append(("cut", cut, "gzip data end too early"))
            var noise = cut
            noise.bytes = Array("this is no gzip".utf8)
            files.append(("noise", noise, "gzip data are broken"))
            var brotli = File("x")
            brotli.fields = [("Content-Encoding", "br")]
            files.append(("brotli", brotli, "coding that was not asked for"))
            var part = File(Self.basic("part"))
            part.status = 206
            part.fields = [("Content-Range", "bytes 5-9/10")]
            part.takesRanges = false
            files.append(("part", part, "another part of the file"))
            var gone = File(Self.basic("gone"))
            gone.breaks = Array(repeating: 0, count: 99)
            files.append(("gone", gone, "could not be read"))
            for (name, file, _) in files { importer.files[Self.base + name] = [file] }
            importer.files[Self.base + "good"] = [File(Self.basic("good"))]
            let input = (files.map(\.0) + ["good"]).map { #"{"type":"Basic","url":"\#(Self.base)\#($0)"}"# }
            let manifest = try await importer.run(#"{"input":[\#(input.joined(separator: ","))]}"#)
            let outcomes = try await importer.outcomes(manifest)
            #expect(outcomes.count == files.count)
            for (outcome, file) in zip(outcomes, files) {
                #expect(outcome.line == nil)
                #expect(outcome.text.contains(file.words), "\(file.0): \(outcome.text)")
            }
            #expect(await importer.version("Basic/good") == "1")
            #expect(await importer.version("Basic/cut") == nil)
        }
    }

    // MARK: Ends

    @Test("A server that ends in the middle: the next one goes on behind the last line, and each is counted once")
    func interrupted() async throws {
        try await Self.with(pieceBytes: 4_096) { (importer) async throws in
            let lines = (0..<300).map { $0 % 100 == 50 ? "{" : Self.basic("b\($0)") }.joined(separator: "\n")
            var file = ImportedFiles.File(lines, tag: "\"1\"")
            file.before = { if $0 >= 12_000 { throw CancellationError() } }
            importer.files[Self.base + "Basic"] = [file, .init(lines, tag: "\"1\"")]
            let path = await importer.start(Self.list("Basic"))
            let imports = importer.imports
            let worker = Task { await imports.run() }
            let store = importer.server.store
            while try await store.importJobs(limit: 1).first?.tally.stored == 0 { await Task.yield() }
            worker.cancel()
            await worker.value
            let job = try #require(try await store.importJobs(limit: 1).first)
            #expect(job.isUnderWay)
            let status = try await importer.finishedByAnother(path)
            #expect(Self.counts(status.json) == [297, 0, 0, 3])
            #expect(try await importer.outcomes(status.json).map(\.line) == [51, 151, 251])
        }
    }

    @Test("A server that ends behind the last line of a file: the next one asks for nothing and says that all is there")
    func interruptedAtTheEnd() async throws {
        try await Self.with(pieceBytes: 4_096) { (importer) async throws in
            let lines = (0..<100).map { Self.basic("b\($0)") + "\n" }.joined()
            var file = ImportedFiles.File(lines)
            let count = file.bytes.count
            file.before = { if $0 >= count { throw CancellationError() } }
            importer.files[Self.base + "Basic"] = [file]
            let path = await importer.start(Self.list("Basic"))
            let imports = importer.imports
            let worker = Task { await imports.run() }
            let store = importer.server.store
            while try await store.importJobs(limit: 1).first?.tally.stored != 100 { await Task.yield() }
            worker.cancel()
            await worker.value
            let status = try await importer.finishedByAnother(path)
            #expect(Self.counts(status.json) == [100, 0, 0, 0])
            #expect(status.json["error"]?.array?.isEmpty == true)
            #expect(importer.files.requests.count == 1)
        }
    }

    @Test("A command that goes on with an older import says in the audit trail which one that is")
    func commandGoesOn() async throws {
        try await Self.with { (importer) async throws in
            importer.files[Self.base + "Basic"] = [.init(Self.basic("b1"))]
            func job() throws -> (ImportJob, [ImportInput]) {
                try importer.imports.commandJob(
                    by: "operator", [("Basic", Self.base + "Basic")], manifestURL: nil, source: nil, ids: .keep)
            }
            let store = importer.server.store
            let (older, inputs) = try job()
            #expect(try await store.accept(older, inputs, activeMax: 1) == .accepted)
            let (newer, same) = try job()
            let end = try await importer.imports.runCommand(
                newer, same, access: Self.operatorAccess, isTrial: false
            ) { _, _, _ in }
            #expect(end.id == older.id && older.id != newer.id)
            let rows = try await store.database.read { connection in
                try AuditChain.rows(after: 0, limit: 100, connection).map { String(decoding: $0.record, as: UTF8.self) }
            }
            #expect(rows.contains { $0.contains(#""interaction":"import""#) && $0.contains(older.id.value) })
            #expect(!rows.contains { $0.contains(newer.id.value) })
        }
    }

    private final class Noted: Sendable { let path = Mutex<String?>(nil) }

    @Test("What a cancelled import has stored stays, nothing more is stored, and it is not there any more")
    func cancelled() async throws {
        try await Self.with(pieceBytes: 4_096) { (importer) async throws in
            let lines = (0..<300).map { Self.basic("b\($0)") }.joined(separator: "\n")
            let noted = Noted()
            let server = importer.server
            var file = ImportedFiles.File(lines)
            file.before = { sent in
                guard sent >= 12_000, let job = noted.path.withLock({ $0 }) else { return }
                _ = await server.send(.delete, job)
            }
            importer.files[Self.base + "Basic"] = [file]
            let job = try #require(await importer.start(Self.list("Basic")))
            noted.path.withLock { $0 = job }
            importer.work()
            let status = await BulkExportTests.finished(server, job)
            #expect(status.status == 404)
            #expect(await importer.version("Basic/b0") == "1")
            #expect(await importer.version("Basic/b299") == nil)
            #expect(try await server.store.importJobs(limit: 9).map(\.state) == [.cancelled])
            #expect(await server.send(.delete, job).status == 404)
        }
    }

    private final class Revocation: Sendable { let isDone = Mutex(false) }

    @Test("A client that was revoked after its kick-off imports nothing more; before it, the kick-off is refused")
    func revoked() async throws {
        let revocation = Revocation()
        try await Self.with(isPermitted: { _, type in
            type == "Patient" || !revocation.isDone.withLock(\.self)
        }) { (importer) async throws in
            importer.files[Self.base + "Patient"] = [.init(Self.patient("p1"))]
            importer.files[Self.base + "Basic"] = [.init(Self.basic("b1"))]
            let path = await importer.start(Self.list("Patient", "Basic"))
            revocation.isDone.withLock { $0 = true }
            let again = await importer.server.send(
                .post, "$import", headers: Importer.async, body: Self.list("Patient", "Basic:other"))
            #expect(again.status == 403)
            let manifest = try await importer.finished(path)
            #expect(Self.counts(manifest) == [1, 0, 0, 0])
            #expect(try await importer.outcomes(manifest).map(\.code) == ["incomplete"])
            #expect(importer.files.requests.map(\.url) == [Self.base + "Patient"])
            #expect(await importer.version("Basic/b1") == nil)
        }
    }

    @Test("A client that is revoked in the middle of a file imports nothing more of it")
    func revokedWithin() async throws {
        let revocation = Revocation()
        try await Self.with(pieceBytes: 4_096, isPermitted: { _, _ in !revocation.isDone.withLock(\.self) }) {
            (importer) async throws in
            var file = ImportedFiles.File((0..<300).map { Self.basic("b\($0)") }.joined(separator: "\n"))
            file.before = { if $0 >= 12_000 { revocation.isDone.withLock { $0 = true } } }
            importer.files[Self.base + "Basic"] = [file]
            let manifest = try await importer.run(Self.list("Basic"))
            #expect(try await importer.outcomes(manifest).map(\.code) == ["incomplete"])
            #expect(await importer.version("Basic/b0") == "1")
            #expect(await importer.version("Basic/b299") == nil)
        }
    }

    @Test("A store that is away when a job is taken up, or throws it out, has it taken up again")
    func awayStore() async throws {
        try await Self.with { (importer) async throws in
            importer.files[Self.base + "Basic"] = [.init(Self.basic("b1"))]
            let path = await importer.start(Self.list("Basic"))
            let jobs = FailingJobs(
                jobs: importer.server.store,
                failures: [.unavailable, .conflict] + Array(repeating: .unavailable, count: 9))
            let status = try await importer.finishedByAnother(path, jobs: jobs)
            #expect(Self.counts(status.json) == [1, 0, 0, 0])
        }
    }

    @Test(
        "An import makes way for another client's that waits, within a file that is taken on by a range",
        arguments: [true, false])
    func turns(_ takesRanges: Bool) async throws {
        var limits = FHIRLimits()
        (limits.imports.runningMax, limits.imports.turnSeconds) = (1, 0)
        try await Self.with(limits, pieceBytes: 4_096) { (importer) async throws in
            var long = ImportedFiles.File((0..<300).map { Self.basic("b\($0)") }.joined(separator: "\n"), tag: "\"1\"")
            if takesRanges { long.fields.append(("Accept-Ranges", "bytes")) }
            importer.files[Self.base + "long"] = [long]
            importer.files[Self.base + "short"] = [.init(Self.basic("short"))]
            let other = FHIRServer.access("system/*.cruds", id: "other")
            let first = await importer.start(Self.list("Basic:long"))
            let second = try #require(await importer.start(Self.list("Basic:short"), as: other))
            #expect(Self.counts(try await importer.finished(first)) == [300, 0, 0, 0])
            let status = await BulkExportTests.finished(importer.server, second, as: other)
            #expect(Self.counts(status.json) == [1, 0, 0, 0])
            let requests = importer.files.requests
            #expect(
                requests.map { $0.url.dropFirst(Self.base.count) }
                    == (takesRanges ? ["long", "short", "long"] : ["long", "short"]))
            #expect(requests.last?.headers.contains { $0.name == "Range" } == takesRanges)
        }
    }

    private final class Told: Sendable { let failures = Mutex<[String]>([]) }

    @Test(
        "A job that the store throws out again and again fails, by a reference that the log has with the kind of error")
    func thrownOut() async throws {
        try await Self.with { (importer) async throws in
            let path = try #require(await importer.start(Self.list("Basic")))
            let told = Told()
            let status = try await importer.finishedByAnother(
                path, jobs: FailingJobs(jobs: importer.server.store, ofInputs: .corrupt)
            ) { reference, kind in told.failures.withLock { $0 += [reference, kind] } }
            #expect(status.status == 500)
            let reference = "import-" + (path.split(separator: "/").last ?? "")
            let text = status.json["issue"]?[0]?["details"]?["text"]?.string
            #expect(text == "internal error, reference " + reference)
            #expect(told.failures.withLock { $0 } == [reference, "Workflow.StoreError.corrupt"])
        }
    }

    @Test("Past so many refused lines an import ends and says so")
    func tooManyRefused() async throws {
        var limits = FHIRLimits()
        limits.imports.outcomesMax = 60
        try await Self.with(limits) { (importer) async throws in
            importer.files[Self.base + "Basic"] = [.init(String(repeating: "{\n", count: 500))]
            importer.files[Self.base + "Patient"] = [.init(Self.patient("p1"))]
            importer.files[Self.base + "Zero"] = [.init(Self.basic("late"))]
            let manifest = try await importer.run(Self.list("Basic", "Patient", "Basic:Zero"))
            #expect(manifest["extension"]?["incomplete"]?.string?.contains("more than 60 lines") == true)
            #expect(await importer.version("Patient/p1") == "1")
            #expect(await importer.version("Basic/late") == nil)
        }
    }

    @Test("Two imports of the same ids at once leave each resource as one of them had it, without an error")
    func twoAtOnce() async throws {
        try await Self.with(pieceBytes: 500) { (importer) async throws in
            for name in ["x", "y"] {
                importer.files[Self.base + name] = [
                    .init((0..<200).map { Self.basic("b\($0)", name) }.joined(separator: "\n"))
                ]
            }
            let first = await importer.start(Self.list("Basic:x"))
            let second = await importer.start(Self.list("Basic:y"))
            importer.work()
            for path in [first, second] {
                let status = await BulkExportTests.finished(importer.server, try #require(path))
                #expect(status.status == 200)
                #expect(status.json["error"]?.array?.isEmpty == true)
            }
            for number in [0, 99, 199] {
                let text = await importer.server.send(.get, "Basic/b\(number)").json["code"]?["text"]?.string
                #expect(text == "x" || text == "y")
                #expect(await importer.version("Basic/b\(number)") == "2")
            }
        }
    }
}
