import Foundation

/// PostgreSQL's own programs for copies of a database.
enum PostgreSQLProgram {
    /// Runs a program to its end. Throws ``ConfigurationError`` with its words when it is not there or fails.
    static func run(_ name: String, _ words: [String]) throws {
        guard let path = find(name) else {
            throw ConfigurationError("\(name) was not found: install PostgreSQL's client programs (postgresql-client)")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = words
        process.standardInput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.standardError
        try process.run()
        let text = String(decoding: (try errors.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ConfigurationError("\(name) ended with \(process.terminationStatus): \(text.suffix(1000))")
        }
    }

    /// In PATH, else the newest of Debian's versions.
    private static func find(_ name: String) -> String? {
        if let path = SystemProgram.inPath(name) { return path }
        let files = FileManager.default
        let versions = ((try? files.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []).compactMap { Int($0) }
        return versions.sorted(by: >).map { "/usr/lib/postgresql/\($0)/bin/\(name)" }.first {
            files.isExecutableFile(atPath: $0)
        }
    }
}
