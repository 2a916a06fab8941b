import ArgumentParser
import Foundation
import SQLStore

/// What searches cost at growing sizes of the store, over HTTP; and what heavy searches do to the doors beside them.
struct CostsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "costs", abstract: "Measure what searches cost as the store grows, and what they do to the doors.")

    enum Database: String, ExpressibleByArgument, CaseIterable { case sqlite, postgres }

    @Option(help: "sqlite, or postgres with a libpq connection string in $HILUM_TEST_POSTGRES.") var database:
        Database = .sqlite
    @Option(help: "Resources of a type, each size in a store of its own.", transform: Self.numbers)
    var sizes = [1_000, 10_000, 100_000, 1_000_000]
    @Option(help: "Studies and steps of the worklist at most.") var studies = 100_000
    @Option(help: "Answers of each search; their median counts.") var rounds = 9
    @Option(help: "A file to put the tables into, each under its own heading.") var out: String?
    @Option(help: "An existing folder on the disk to measure; temporary files are made and removed in it.")
    var folder = FileManager.default.temporaryDirectory.path
    @Flag(help: "Also measure the doors beside eight heavy searches, at the last size.") var beside = false

    static func numbers(_ text: String) throws -> [Int] {
        let numbers = text.split(separator: ",").compactMap { Int($0) }
        guard !numbers.isEmpty, numbers.allSatisfy({ (100...10_000_000).contains($0) && $0 % 100 == 0 }) else {
            throw ValidationError("--sizes are hundreds from 100 to 10000000, joined by commas")
        }
        return numbers
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let work = folder + "/hilum-costs-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: work, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let signals = LiveChildren.endOnSignal(removing: work)
        defer {
            for source in signals { source.cancel() }
            try? FileManager.default.removeItem(atPath: work)
        }
        let machine = Machine(folder: work)
        var table = CostTable(database: database.rawValue, machine: machine, rounds: rounds)
        for size in sizes {
            let isLast = size == sizes.last
            try await measure(size, in: work, beside: beside && isLast, into: &table)
        }
        print(table.text)
        if let out { try table.write(to: out) }
    }

    private func measure(_ size: Int, in work: String, beside: Bool, into table: inout CostTable) async throws {
        let connection = try schema(size)
        let server = try await HilumServer(
            folder: "\(work)/\(size)", isEncrypted: false, postgres: connection)
        // The first start makes the blobs folder this store's own: what is filled in names objects that no file holds.
        try server.start(isPlain: true)
        await server.end()
        let clock = ContinuousClock()
        let begin = clock.now
        let location = connection.map { SQLDatabaseConfiguration.Location.postgreSQL(connectionString: $0) }
        let filler = try await CostStore(
            size: size, location: location ?? .sqlite(path: server.folder + "/hilum.sqlite"))
        let since = try await filler.fill(studies: min(size, studies))
        await filler.store.close()
        FileHandle.standardError.write(Data("\(size): filled in \(Int((clock.now - begin).seconds)) s\n".utf8))
        try server.start(isPlain: true)
        do {
            let connection = try HTTPConnection(port: server.httpPort)
            for search in CostSearch.all(filler, since: since) {
                let token = try await server.token()
                let times = try search.times(on: connection, token: token, count: rounds)
                table.add(search.name, size, times.median)
            }
            for (name, times) in try await CostFind.measure(port: server.dimsePort, count: rounds) {
                table.add(name, size, times.median)
            }
            if beside {
                try await table.add(
                    BesideLoad(
                        port: (server.httpPort, server.dimsePort, server.mllpPort), token: try await server.token()
                    ).run(), size)
            }
        } catch {
            await server.end()
            throw BenchFailure("\(error)\nthe server's log ends:\n\(server.logTail)")
        }
        await server.end()
        if connection == nil { try? FileManager.default.removeItem(atPath: "\(work)/\(size)") }
    }

    /// A schema of its own for a size, as a connection string; nil for SQLite.
    private func schema(_ size: Int) throws -> String? {
        guard database == .postgres else { return nil }
        guard let server = ProcessInfo.processInfo.environment["HILUM_TEST_POSTGRES"], !server.isEmpty else {
            throw BenchFailure("--database postgres needs a connection string in HILUM_TEST_POSTGRES")
        }
        let name = "costs_\(size)"
        let admin = try PostgreSQLConnection(connectionString: server, role: .writer(holdsServerLock: false))
        try admin.execute("DROP SCHEMA IF EXISTS \(name) CASCADE; CREATE SCHEMA \(name)")
        return server + " options='-c search_path=\(name)'"
    }
}
