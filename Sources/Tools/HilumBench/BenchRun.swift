import Foundation

/// The stages, one after the other, and what they found.
struct BenchRun {
    let folder: String
    let seconds: Double
    let rounds: Int
    let only: [String]
    /// A folder of transaction Bundles to load; nil for none.
    let bundles: String?
    private(set) var measurements: [Measurement] = []
    private(set) var facts: [String] = []
    /// The number of the next object or message; none is used twice.
    private var number = 1

    init(folder: String, seconds: Double, rounds: Int, only: [String], bundles: String?) {
        self.folder = folder
        self.seconds = seconds
        self.rounds = rounds
        self.only = only
        self.bundles = bundles
    }

    /// A folder for one of those that write, with a name that no run before had: the name decides where on the disk it
    /// begins.
    private func place(_ name: String) -> String { "\(folder)/\(name)-\(getpid())" }

    private func wants(_ names: String...) -> Bool {
        only.isEmpty || names.contains { name in only.contains { name.contains($0) } }
    }

    mutating func all() async throws {
        #if DEBUG
            facts.append("The benchmark is a debug build: its bounds and loads are slower than they should be.")
        #endif
        let encrypted = try await HilumServer(folder: place("encrypted"), isEncrypted: true)
        if wants("start") { try await idle(encrypted) }
        if wants("store", "stow", "wado-encrypted", "fhir", "transaction", "mllp") {
            try await serving(encrypted) { run, server in
                if run.wants("store") { try await run.store(server) }
                if run.wants("stow") { try await run.stow(server) }
                if run.wants("wado-encrypted") { try await run.retrieve(server, "encrypted at rest", goal: 0.35) }
                if run.wants("fhir") { try await run.read(server) }
                if run.wants("transaction") { try await run.transactions(server) }
                if run.wants("mllp") { try await run.messages(server) }
                let memory = try server.memory()
                run.facts.append(
                    "Resident memory after all the load: \(NumberText.short(memory.now)) MB, at most"
                        + " \(NumberText.short(memory.peak)) MB.")
            }
        }
        if wants("sending") { try await sending() }
        if wants("wado-plain") {
            let open = try await HilumServer(folder: place("open"), isEncrypted: false)
            try await serving(open) { run, server in
                try await run.retrieve(server, "not encrypted", goal: 0.55)
            }
        }
    }

    /// Runs stages against a server in clear text, and ends it whatever happens.
    private mutating func serving(
        _ server: HilumServer, _ stages: (inout BenchRun, HilumServer) async throws -> Void
    ) async throws {
        try server.start(isPlain: true)
        do { try await stages(&self, server) } catch {
            await server.end()
            throw BenchFailure("\(error)\nthe server's log ends:\n\(server.logTail)")
        }
        await server.end()
    }

    // MARK: stages

    /// Start to ready, and memory of a server that nobody asks anything; as served by default, with TLS.
    private mutating func idle(_ server: HilumServer) async throws {
        var starts: [Double] = []
        var memory: [Double] = []
        for _ in 0..<rounds {
            starts.append(try server.start(isPlain: false))
            try await Task.sleep(for: .seconds(min(3, max(1, seconds))))
            memory.append(try server.memory().now)
            await server.end()
        }
        func note(_ name: String, _ unit: String, _ numbers: [Double], most: Double) {
            self.note(
                Measurement(name: name, unit: unit, ours: numbers, bound: [], boundName: "", goal: .most(most)))
        }
        note("start to ready, TLS", "s", starts, most: 1)
        note("idle RSS, TLS", "MB", memory, most: 60)
        let binary = NumberText.short(memory.median / 1.048576)
        facts.append("A MB is 10^6 bytes; the idle server has \(binary) MiB resident, most of it pages of its program.")
    }

    private mutating func store(_ server: HilumServer) async throws {
        let loads = ObjectLoads(object: try CTObject())
        try await compare(
            "C-STORE of 528 KB, 4 associations", "objects/s", goal: 0.5, boundName: Self.fileBound, server: server,
            bound: { run, seconds in try await run.files(loads, seconds) },
            ours: { run, seconds in
                try await loads.store(
                    port: server.dimsePort, first: run.numbers(ObjectLoads.objectsMax), seconds: seconds)
            })
    }

    private mutating func stow(_ server: HilumServer) async throws {
        let loads = ObjectLoads(object: try CTObject())
        let token = try await server.token()
        try await compare(
            "STOW-RS of 528 KB, 4 connections", "objects/s", goal: 0.5, boundName: Self.fileBound, server: server,
            bound: { run, seconds in try await run.files(loads, seconds) },
            ours: { run, seconds in
                try await loads.stow(
                    port: server.httpPort, token: token, first: run.numbers(ObjectLoads.objectsMax), seconds: seconds)
            })
    }

    /// The bound of both, in a new folder each time. Each load begins without the pages of those before.
    private mutating func files(_ loads: ObjectLoads, _ seconds: Double) async throws -> Double {
        let files = place("files-\(numbers(1))")
        ObjectLoads.forgetPages(in: place("encrypted") + "/blobs/objects")
        let rate = try await loads.files(in: files, seconds: seconds)
        ObjectLoads.forgetPages(in: files)
        return rate
    }

    /// The two forms of an instance. PS3.18 §8.7.3.
    private static let forms = [
        (form: "single part", accept: "application/dicom; transfer-syntax=*"),
        (form: "multipart", accept: "multipart/related; type=\"application/dicom\"; transfer-syntax=*"),
    ]

    private mutating func retrieve(_ server: HilumServer, _ how: String, goal: Double) async throws {
        let token = try await server.token()
        var object = try CTObject()
        let number = numbers(1)
        object.become(number)
        try ObjectLoads.post(object, on: try HTTPConnection(port: server.httpPort), token: token)
        let nginx = try await NginxBound.start(folder: "\(folder)/nginx-\(number)", content: object.file)
        let load = WrkLoad(connections: 4, folder: folder)
        do {
            for (form, accept) in Self.forms {
                try await compare(
                    "WADO-RS instance of 528 KB, \(form), \(how), 4 connections", "requests/s", goal: goal,
                    boundName: Self.nginxBound, server: server,
                    bound: { run, seconds in
                        try await load.get(
                            "http://127.0.0.1:\(nginx.port)/\(NginxBound.file)", headers: [], seconds: seconds)
                    },
                    ours: { run, seconds in
                        try await load.get(
                            "http://127.0.0.1:\(server.httpPort)\(CTObject.path(number))",
                            headers: ["Authorization: Bearer \(token)", "Accept: \(accept)"], seconds: seconds)
                    })
            }
        } catch {
            await nginx.child.end()
            throw error
        }
        await nginx.child.end()
    }

    private mutating func read(_ server: HilumServer) async throws {
        let token = try await server.token()
        let path = try BenchPatient.create(port: server.httpPort, token: token)
        let child = try ChildProcess(ChildProcess.own, ["bound-http"], log: folder + "/bound-http.log")
        let load = WrkLoad(connections: 64, folder: folder)
        do {
            let port = try child.line()
            try await compare(
                "FHIR read by id, 64 connections", "requests/s", goal: 0.6, boundName: Self.httpBound, server: server,
                bound: { run, seconds in
                    try await load.get("http://127.0.0.1:\(port)\(path)", headers: [], seconds: seconds)
                },
                ours: { run, seconds in
                    try await load.get(
                        "http://127.0.0.1:\(server.httpPort)\(path)", headers: ["Authorization: Bearer \(token)"],
                        seconds: seconds)
                })
        } catch {
            await child.end()
            throw error
        }
        await child.end()
    }

    private mutating func transactions(_ server: HilumServer) async throws {
        let load = TransactionLoad(port: server.httpPort, token: try await server.token())
        for (entries, goal) in [(2, 1.2), (100, 2.0)] {
            try await compare(
                "transaction of \(entries), durable, \(TransactionLoad.connections) connections", "resources/s",
                goal: goal, boundName: Self.createBound, server: server,
                bound: { run, seconds in
                    try await load.creates(first: run.numbers(TransactionLoad.resourcesMax), seconds: seconds)
                },
                ours: { run, seconds in
                    try await load.transactions(
                        of: entries, first: run.numbers(TransactionLoad.resourcesMax), seconds: seconds)
                })
        }
        guard let bundles else { return }
        let files = try FileManager.default.contentsOfDirectory(
            at: URL(fileURLWithPath: bundles), includingPropertiesForKeys: nil)
        let used = try server.processorTime()
        let (resources, seconds) = try await load.load(files.filter { $0.pathExtension == "json" })
        let processor = (try server.processorTime() - used) / Double(resources)
        note(
            Measurement(
                name: "import of \(resources) resources in \(files.count) transactions, a processor",
                unit: "resources/s", ours: [1 / (processor.user + processor.kernel)], bound: [], boundName: "",
                goal: .least(3_000), processor: [processor]))
        facts.append(
            "The import took \(NumberText.short(seconds)) s: \(NumberText.short(Double(resources) / seconds))"
                + " resources/s by the clock.")
    }

    private mutating func messages(_ server: HilumServer) async throws {
        try await messages(server, "durable MLLP ACK, 64 connections", Self.messageBound, [])
        try await messages(
            server, "durable MLLP ACK, 64 connections, against a loop that writes the same rows", Self.rowBound,
            ["--rows"])
    }

    private mutating func messages(
        _ server: HilumServer, _ name: String, _ boundName: String, _ options: [String]
    ) async throws {
        let file = folder + "/bound\(options.count).sqlite"
        let child = try ChildProcess(
            ChildProcess.own, ["bound-mllp", "--database", file] + options, log: folder + "/bound-mllp.log")
        do {
            let line = try child.line()
            guard let port = Int(line) else { throw BenchFailure("bound-mllp told no port") }
            try await compare(
                name, "messages/s", goal: 0.5, boundName: boundName, server: server,
                bound: { run, seconds in
                    try MessageLoad.run(port: port, first: run.numbers(MessageLoad.messagesMax), seconds: seconds)
                },
                ours: { run, seconds in
                    try MessageLoad.run(
                        port: server.mllpPort, first: run.numbers(MessageLoad.messagesMax), seconds: seconds)
                })
        } catch {
            await child.end()
            throw error
        }
        await child.end()
    }

    /// Reports that leave, of a server of its own: the others tell nobody.
    private mutating func sending() async throws {
        let receiver = try ReportReceiver()
        defer { receiver.end() }
        let server = try await HilumServer(folder: place("sending"), isEncrypted: true)
        try await server.tellReports(to: receiver.port, connections: OutgoingLoad.lanes)
        try await serving(server) { run, server in
            let load = OutgoingLoad(receiver: receiver)
            var rates: [Double] = []
            var processor: [ProcessorTime] = []
            for _ in 0..<run.rounds {
                let used = try server.processorTime()
                rates.append(try await load.run(port: server.mllpPort, first: run.numbers(OutgoingLoad.reports)))
                processor.append((try server.processorTime() - used) / Double(OutgoingLoad.reports))
            }
            run.note(
                Measurement(
                    name: "ORU^R01 out, \(OutgoingLoad.lanes) lanes, each durable as delivered", unit: "messages/s",
                    ours: rates, bound: [], boundName: "", goal: .least(1_000), processor: processor))
            run.facts.append(
                "ORU out: \(OutgoingLoad.reports) reports, each of a patient of its own, come in by MLLP while the"
                    + " receiver is silent; timed is from its first answer to the last report. The processor time"
                    + " is that of taking a report in and sending it.")
        }
    }

    // MARK: comparing

    private typealias Load = (inout BenchRun, _ seconds: Double) async throws -> Double

    /// A short run of each to warm up, then the rounds, bound first.
    private mutating func compare(
        _ name: String, _ unit: String, goal: Double, boundName: String, server: HilumServer, bound: Load, ours: Load
    ) async throws {
        let warmUp = min(1, seconds)
        _ = try await bound(&self, warmUp)
        _ = try await ours(&self, warmUp)
        var theirs: [Double] = []
        var own: [Double] = []
        var processor: [ProcessorTime] = []
        let clock = ContinuousClock()
        for _ in 0..<rounds {
            theirs.append(try await bound(&self, seconds))
            let begin = clock.now
            let used = try server.processorTime()
            let rate = try await ours(&self, seconds)
            own.append(rate)
            processor.append((try server.processorTime() - used) / ((clock.now - begin).seconds * rate))
        }
        note(
            Measurement(
                name: name, unit: unit, ours: own, bound: theirs, boundName: boundName, goal: .ratio(goal),
                processor: processor))
    }

    private mutating func note(_ measurement: Measurement) {
        measurements.append(measurement)
        let ratio = measurement.ratio.map { ", ratio \(NumberText.short($0))" } ?? ""
        let processor =
            measurement.processor.isEmpty ? "" : ", server CPU \(measurement.processorText) each"
        print(
            "\(measurement.name): \(NumberText.short(measurement.ours.median)) \(measurement.unit)\(ratio)\(processor)")
        fflush(nil)
    }

    /// Takes `count` numbers; the first of them. Starts a study of its own.
    private mutating func numbers(_ count: Int) -> Int {
        let first = (number + CTObject.studySize - 1) / CTObject.studySize * CTObject.studySize
        number = first + count
        return first
    }

    private static let fileBound =
        "C-STORE and STOW-RS: four threads in the benchmark, each creates a file of 528 000 bytes on the same file"
        + " system, writes it in one write, fsyncs it and closes it; no fsync of the directory, no rename, no database."
    private static let nginxBound =
        "WADO-RS: nginx with sendfile sends the same Part 10 file, cached, over HTTP without TLS, a worker a core, no"
        + " access log, no check of any token. wrk loads both with two threads."
    private static let httpBound =
        "FHIR read: Hummingbird with a responder that answers 1800 constant bytes, no router, no TLS. wrk loads both"
        + " with two threads; Hilum checks the token, reads one Patient of about 1.8 KB and writes its audit row."
    private static let createBound =
        "transaction: the same server, connections and kinds of resources, each created by a request of its own."
    private static let messageBound =
        "MLLP ACK: one thread polls all connections, inserts the raw bytes of every whole message that has arrived in"
        + " one SQLite transaction (WAL, synchronous=FULL), commits, then answers AA; what arrives during a commit"
        + " shares the next one. It reads MSH-10 and nothing else: no duplicate check, no index, no audit. Hilum is"
        + " sent the same ADT^A08 messages, from 8 addresses, over 1000 patients, and answers AA after it has journalled and applied each."
    private static let rowBound =
        "MLLP ACK against the same rows: the same loop, which besides the raw bytes inserts what Hilum keeps of such a"
        + " message, as constant text: the patient's row, the old version's end, a resource version, 24 search index"
        + " entries of two trees each, and the audit row. What to write it does not have to find out."
}
