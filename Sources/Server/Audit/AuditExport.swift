import Basics
import Foundation
import SQLStore

/// The audit trail as files: `audit-<first>-<last>.ndjson`, numbers of twelve digits, a row a line:
///
///     {"number":1,"time":1764000000000000,"hash":"…64 hex digits…","record":{…}}
///
/// `record` stands byte for byte as it was hashed, so that anybody can check the chain:
/// hash(n) = SHA-256(hash(n-1) ‖ number ‖ time ‖ record), numbers as 8 bytes big-endian, hash(0) 32 zero bytes. A file has
/// its name only when it is whole and durable; the next export goes on behind the last one. `checkpoints` in the same
/// folder holds a signed checkpoint for the end of each export, `audit-key.pem` the public key.
struct AuditExport {
    static let rowsPerFile: Int64 = 100_000
    private static let page = 1_000

    let folder: String

    /// One whole file.
    struct File: Sendable, Hashable {
        let first: Int64
        let last: Int64
        var name: String { "audit-\(Self.digits(first))-\(Self.digits(last)).ndjson" }

        init(first: Int64, last: Int64) {
            self.first = first
            self.last = last
        }
        init?(_ name: String) {
            guard name.hasPrefix("audit-"), name.hasSuffix(".ndjson") else { return nil }
            let parts = name.dropFirst(6).dropLast(7).split(separator: "-")
            guard parts.count == 2, let first = Int64(parts[0]), let last = Int64(parts[1]), first >= 1, last >= first
            else { return nil }
            (self.first, self.last) = (first, last)
        }
        private static func digits(_ number: Int64) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, 12 - text.count)) + text
        }
    }

    /// The files in order. Throws ``ConfigurationError`` when one is missing between others or two overlap.
    func files() throws -> [File] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let files = names.compactMap { File($0) }.sorted { $0.first < $1.first }
        for (one, next) in zip(files, files.dropFirst()) where next.first != one.last + 1 {
            throw ConfigurationError("\(folder): rows \(one.last + 1) to \(next.first - 1) are missing or there twice")
        }
        return files
    }

    /// Writes the rows behind the last file, up to the trail's end.
    /// - Parameter progress: told the number of rows written and to write.
    /// - Returns: the last row that is exported; nil for an empty trail.
    func run(
        _ database: SQLDatabase, key: AuditKey, now: Int64, progress: (Int64, Int64) -> Void
    ) async throws -> (last: AuditChain.Link?, rows: Int64) {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let existing = try files()
        let end = try await database.read { try AuditChain.tip($0) }
        let cut = try await database.read { try AuditChain.lastCut($0)?.link ?? .start }
        var last: AuditChain.Link
        if let file = existing.last {
            last = try verifyFile(file, after: nil)
            let stored = try await database.read { try AuditChain.link(file.last, $0) }
            guard stored == last || cut == last || (stored == nil && file.last <= cut.number) else {
                throw ConfigurationError("\(folder)/\(file.name) is not of this trail: row \(file.last) differs")
            }
            guard file.last >= cut.number else {
                throw ConfigurationError(
                    "rows \(file.last + 1) to \(cut.number) were cut and are in another export; name that folder or an empty one"
                )
            }
        } else {
            last = cut
        }
        let start = last.number
        while last.number < end.number {
            let upper = min(end.number, (last.number / Self.rowsPerFile + 1) * Self.rowsPerFile)
            last = try await writeFile(after: last, to: upper, database) { progress($0 - start, end.number - start) }
        }
        guard last.number > 0 else { return (nil, 0) }
        if last.number > start {
            try AuditCheckpoints(path: folder + "/checkpoints").append(
                try AuditCheckpoint(.head, at: last, time: now, key: key))
            try key.publicKeyPEM.write(toFile: folder + "/audit-key.pem", atomically: true, encoding: .utf8)
        }
        return (last, last.number - start)
    }

    private func writeFile(
        after start: AuditChain.Link, to upper: Int64, _ database: SQLDatabase, _ progress: (Int64) -> Void
    ) async throws -> AuditChain.Link {
        let temporary = folder + "/.audit.part"
        guard FileManager.default.createFile(atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: temporary)
        else { throw ConfigurationError("\(temporary) cannot be written") }
        defer { try? handle.close() }
        var last = start
        while last.number < upper {
            let number = last.number
            let count = Int(min(Int64(Self.page), upper - number))
            let rows = try await database.read { try AuditChain.rows(after: number, limit: count, $0) }
            guard !rows.isEmpty else { throw SQLStoreError(.corrupt, "the audit trail ends at row \(number)") }
            var lines: [UInt8] = []
            for row in rows {
                last = try last.following(row)
                AuditLine.append(row, to: &lines)
            }
            try handle.write(contentsOf: lines)
            progress(last.number)
        }
        let file = File(first: start.number + 1, last: last.number)
        try DurableFile.publish(temporary, as: folder + "/" + file.name)
        return last
    }

    /// The hash of an exported row; nil when it is not there.
    func hash(of number: Int64) throws -> [UInt8]? {
        guard let file = try files().first(where: { ($0.first...$0.last).contains(number) }),
            let data = FileManager.default.contents(atPath: folder + "/" + file.name)
        else { return nil }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        let index = Int(number - file.first)
        guard lines.indices.contains(index), let row = AuditLine.row([UInt8](lines[index])), row.number == number else {
            return nil
        }
        return row.hash
    }

    /// Checks the chain of all files. Returns where it begins and ends; nil without files.
    func verify(progress: (Int64) -> Void = { _ in }) throws -> (start: Int64, end: AuditChain.Link)? {
        var last: AuditChain.Link?
        let files = try files()
        for file in files {
            last = try verifyFile(file, after: last)
            progress(file.last)
        }
        guard let first = files.first, let last else { return nil }
        return (first.first, last)
    }

    /// Checks one file. Without a place to follow from, the first row's hash is taken as it stands unless it is row 1.
    private func verifyFile(_ file: File, after start: AuditChain.Link?) throws -> AuditChain.Link {
        let path = folder + "/" + file.name
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(path) cannot be read")
        }
        var last = start ?? (file.first == 1 ? .start : nil)
        var count: Int64 = 0
        for line in data.split(separator: UInt8(ascii: "\n")) {
            guard let row = AuditLine.row([UInt8](line)) else {
                throw SQLStoreError(.corrupt, "\(path): line \(count + 1) is no audit row")
            }
            if let known = last {
                last = try known.following(row)
            } else {
                last = AuditChain.Link(number: row.number, hash: row.hash)
            }
            count += 1
        }
        guard let last, last.number == file.last, count == file.last - file.first + 1 else {
            throw SQLStoreError(.corrupt, "\(path) does not hold the rows that its name says")
        }
        return last
    }
}

/// One row as a line of an export.
enum AuditLine {
    static func append(_ row: AuditChain.Row, to out: inout [UInt8]) {
        out += "{\"number\":\(row.number),\"time\":\(row.time),\"hash\":\"".utf8
        out += Hexadecimal.encode(row.hash).utf8
        out += "\",\"record\":".utf8
        out += row.record
        out += "}\n".utf8
    }

    /// Nil for a line of another shape.
    static func row(_ line: [UInt8]) -> AuditChain.Row? {
        var rest = line[...]
        func take(_ text: String) -> Bool {
            guard rest.starts(with: text.utf8) else { return false }
            rest = rest.dropFirst(text.utf8.count)
            return true
        }
        func number() -> Int64? {
            let digits = rest.prefix { (48...57).contains($0) }
            rest = rest.dropFirst(digits.count)
            return Int64(String(decoding: digits, as: UTF8.self))
        }
        guard take("{\"number\":"), let row = number(), take(",\"time\":"), let time = number(), take(",\"hash\":\""),
            let hash = Hexadecimal.decode(rest.prefix(64)), hash.count == 32
        else { return nil }
        rest = rest.dropFirst(64)
        guard take("\",\"record\":"), rest.last == UInt8(ascii: "}") else { return nil }
        return AuditChain.Row(number: row, time: time, record: Array(rest.dropLast()), hash: hash)
    }
}
