import ArgumentParser
import CSQLite
import Foundation

/// The bound of durable acknowledgments: an MLLP server that does nothing but make messages durable.
///
/// One thread. It polls its connections, takes every whole message that has arrived, inserts the raw bytes of all of
/// them into one table (`id INTEGER PRIMARY KEY, body BLOB`) in one transaction, commits (SQLite, WAL,
/// synchronous=FULL: one fsync of the log), and then answers each with an ACK that has its MSH-10 in MSA-2. What
/// arrives during a commit shares the next one. No parsing beyond MSH-10, no duplicate check, no index, no audit.
struct BoundMLLPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bound-mllp", abstract: "A group-commit loop behind MLLP; prints its port.", shouldDisplay: false)

    @Option(help: "The database file to make.") var database: String
    @Flag(help: "Also insert the rows that Hilum keeps of such a message.") var rows = false

    private struct Line {
        var received: [UInt8] = []
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let table: any MessageStoring = rows ? try RowFile(database) : try MessageFile(database)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw BenchFailure.system("socket") }
        let port = try LoopbackAddress.bind(listener, port: 0)
        guard listen(listener, 256) == 0 else { throw BenchFailure.system("listen") }
        FileHandle.standardOutput.write(Data("\(port)\n".utf8))
        var waits = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        var lines: [Int32: Line] = [:]
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            guard poll(&waits, nfds_t(waits.count), -1) > 0 else { continue }
            var whole: [(descriptor: Int32, message: ArraySlice<UInt8>)] = []
            for wait in waits where wait.revents != 0 {
                guard wait.fd != listener else {
                    accept(on: listener, &waits, &lines)
                    continue
                }
                let count = read(wait.fd, &piece, piece.count)
                guard count > 0 else {
                    lines[wait.fd] = nil
                    waits.removeAll { $0.fd == wait.fd }
                    close(wait.fd)
                    continue
                }
                lines[wait.fd, default: Line()].received += piece[..<count]
                guard let bytes = lines[wait.fd]?.received, bytes.first == 0x0B, bytes.suffix(2) == [0x1C, 0x0D] else {
                    continue
                }
                whole.append((wait.fd, bytes.dropFirst().dropLast(2)))
                lines[wait.fd]?.received = []
            }
            guard !whole.isEmpty else { continue }
            try table.store(whole.map(\.message))
            for (descriptor, message) in whole {
                let answer = Self.acknowledgment(of: message)
                _ = write(descriptor, answer, answer.count)
            }
        }
    }

    private func accept(on listener: Int32, _ waits: inout [pollfd], _ lines: inout [Int32: Line]) {
        let descriptor = Foundation.accept(listener, nil, nil)
        guard descriptor >= 0 else { return }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        waits.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        lines[descriptor] = Line()
    }

    /// AA with the control ID, which is what stands between the ninth and the tenth `|`. HL7 v2.5.1 §2.9.2.
    static func acknowledgment(of message: ArraySlice<UInt8>) -> [UInt8] {
        let header = message.prefix { $0 != 0x0D }
        let fields = header.split(separator: 0x7C, maxSplits: 10, omittingEmptySubsequences: false)
        let id = fields.count > 9 ? String(decoding: fields[9], as: UTF8.self) : ""
        let text =
            "\u{0B}MSH|^~\\&|BOUND|BOUND|BENCH|HOSP|20260102101500||ACK^A08^ACK|1|P|2.5.1\rMSA|AA|\(id)\r\u{1C}\r"
        return Array(text.utf8)
    }
}

/// Makes messages durable.
protocol MessageStoring {
    /// Durable when this returns.
    func store(_ messages: [ArraySlice<UInt8>]) throws
}

/// The one table.
private final class MessageFile: MessageStoring {
    private var database: OpaquePointer?
    private var insert: OpaquePointer?

    init(_ path: String) throws {
        guard sqlite3_open(path, &database) == SQLITE_OK else { throw failure("open") }
        try execute("PRAGMA journal_mode = WAL")
        try execute("PRAGMA synchronous = FULL")
        try execute("CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        let text = "INSERT INTO message (body) VALUES (?)"
        guard sqlite3_prepare_v2(database, text, -1, &insert, nil) == SQLITE_OK else { throw failure("prepare") }
    }

    func store(_ messages: [ArraySlice<UInt8>]) throws {
        try execute("BEGIN IMMEDIATE")
        for message in messages {
            let isBound = message.withUnsafeBytes {
                hilum_sqlite3_bind_blob_copy(insert, 1, $0.baseAddress, Int32($0.count)) == SQLITE_OK
            }
            guard isBound, sqlite3_step(insert) == SQLITE_DONE, sqlite3_reset(insert) == SQLITE_OK else {
                throw failure("insert")
            }
        }
        try execute("COMMIT")
    }

    private func execute(_ text: String) throws {
        guard sqlite3_exec(database, text, nil, nil, nil) == SQLITE_OK else { throw failure(text) }
    }

    private func failure(_ what: String) -> BenchFailure {
        BenchFailure("\(what): \(String(cString: sqlite3_errmsg(database)))")
    }
}
