import CSQLite
import Foundation

/// The rows that an ADT^A08 becomes in Hilum, with the same keys and indexes and values of the same length, made by
/// constant text: the group-commit loop of the same durable work, without the work that finds out what to write.
///
/// For each message: the journal's row, the patient's row, the end of the old version of the Patient resource, its new
/// version, 24 search index entries, and the audit row.
final class RowFile: MessageStoring {
    private var database: OpaquePointer?
    private var statements: [String: OpaquePointer] = [:]
    private var number = 0

    private static let schema = """
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
        CREATE TABLE messages (id TEXT PRIMARY KEY, ordinal INTEGER NOT NULL, sender TEXT NOT NULL, control_id TEXT NOT NULL,
            digest TEXT NOT NULL, raw BLOB NOT NULL, acknowledgement BLOB NOT NULL) STRICT;
        CREATE INDEX messages_control ON messages (control_id, sender);
        CREATE TABLE patients (id TEXT PRIMARY KEY, detail BLOB NOT NULL) STRICT;
        CREATE TABLE versions (version_key INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, id TEXT NOT NULL,
            version INTEGER NOT NULL, time INTEGER NOT NULL, end_sequence INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
        CREATE UNIQUE INDEX versions_id ON versions (type, id, version);
        CREATE INDEX versions_type ON versions (type, version_key);
        CREATE INDEX versions_time ON versions (type, time, version_key);
        CREATE TABLE strings (version_key INTEGER NOT NULL, param INTEGER NOT NULL, folded TEXT NOT NULL,
            exact TEXT NOT NULL, PRIMARY KEY (version_key, param, folded, exact)) STRICT, WITHOUT ROWID;
        CREATE INDEX strings_find ON strings (param, folded, version_key);
        CREATE TABLE audit (number INTEGER PRIMARY KEY, time INTEGER NOT NULL, record BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        """

    init(_ path: String) throws {
        guard sqlite3_open(path, &database) == SQLITE_OK else { throw failure("open") }
        try execute(Self.schema)
    }

    func store(_ messages: [ArraySlice<UInt8>]) throws {
        try execute("BEGIN IMMEDIATE")
        for message in messages { try store(message) }
        try execute("COMMIT")
    }

    private func store(_ message: ArraySlice<UInt8>) throws {
        number += 1
        let patient = number % MessageLoad.patients
        let version = number / MessageLoad.patients
        let id = "3snr35v309r1gnsdrqz0h\(patient)"
        let filler = String(repeating: "x", count: 64)
        try run(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)", "s40fn55c475pp9gvyb\(number)", number, "BENCH|HOSP",
            "B\(number)", filler, Array(message), [UInt8](repeating: 0x41, count: 110))
        try run(
            "INSERT INTO patients VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET detail = excluded.detail", id,
            [UInt8](repeating: 0x42, count: 437))
        try run(
            "UPDATE versions SET end_sequence = ? WHERE type = ? AND id = ? AND version = ?", number, "Patient", id,
            version - 1)
        try run(
            "INSERT INTO versions (type, id, version, time, end_sequence, body) VALUES (?, ?, ?, ?, ?, ?)", "Patient",
            id, version, number, Int.max, [UInt8](repeating: 0x43, count: 600))
        for parameter in 0..<24 {
            let value = parameter.isMultiple(of: 2) ? "bench" : "value \(patient)"
            try run("INSERT INTO strings VALUES (?, ?, ?, ?)", number, parameter * 89_000_000, value, value)
        }
        try run(
            "INSERT INTO audit VALUES (?, ?, ?, ?)", number, number, [UInt8](repeating: 0x44, count: 220),
            [UInt8](repeating: 0x45, count: 32))
    }

    private func run(_ text: String, _ values: any Sendable...) throws {
        var statement = statements[text]
        if statement == nil {
            guard sqlite3_prepare_v2(database, text, -1, &statement, nil) == SQLITE_OK else { throw failure(text) }
            statements[text] = statement
        }
        for (index, value) in values.enumerated() {
            let place = Int32(index + 1)
            let code: Int32 =
                switch value {
                case let number as Int: sqlite3_bind_int64(statement, place, Int64(number))
                case let text as String: hilum_sqlite3_bind_text_copy(statement, place, text, Int32(text.utf8.count))
                case let bytes as [UInt8]: hilum_sqlite3_bind_blob_copy(statement, place, bytes, Int32(bytes.count))
                default: SQLITE_MISUSE
                }
            guard code == SQLITE_OK else { throw failure("bind") }
        }
        guard sqlite3_step(statement) == SQLITE_DONE, sqlite3_reset(statement) == SQLITE_OK else { throw failure(text) }
    }

    private func execute(_ text: String) throws {
        guard sqlite3_exec(database, text, nil, nil, nil) == SQLITE_OK else { throw failure(text) }
    }

    private func failure(_ what: String) -> BenchFailure {
        BenchFailure("\(what): \(String(cString: sqlite3_errmsg(database)))")
    }
}
