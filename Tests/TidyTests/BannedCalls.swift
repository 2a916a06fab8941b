/// Words that no source may use as code, where, why, and which files may all the same.
struct BannedCall: Sendable {
    let word: String
    /// The folders under Sources whose files may use it.
    let allowedBelow: [String]
    let reason: String

    /// A file that may use a word, and why. The reason is not for the machine.
    struct Exception: Sendable {
        let path: String
        let word: String
        let reason: String
    }

    static let list: [BannedCall] = [
        .init(word: "try!", allowedBelow: [], reason: "a peer's bytes never trap"),
        .init(word: "as!", allowedBelow: [], reason: "a peer's bytes never trap"),
        .init(word: "fatalError(", allowedBelow: [], reason: "return or throw; precondition is for our own bugs"),
        .init(word: "JSONSerialization", allowedBelow: ["Server", "Tools"], reason: "loses order and number text"),
        .init(word: "JSONDecoder(", allowedBelow: ["Server", "Tools"], reason: "not on request paths"),
        .init(word: "JSONEncoder(", allowedBelow: ["Server", "Tools"], reason: "not on request paths"),
        .init(word: "DateFormatter(", allowedBelow: [], reason: "depends on locale, slow"),
        .init(word: "ISO8601DateFormatter(", allowedBelow: ["Tools"], reason: "slow"),
        .init(word: "Thread.sleep", allowedBelow: [], reason: "blocks a thread; await an event"),
        .init(word: "usleep(", allowedBelow: [], reason: "blocks a thread; await an event"),
        .init(word: "Task.detached", allowedBelow: [], reason: "a child task of a service, so that it ends with it"),
        .init(word: "print(", allowedBelow: ["Server", "Tools"], reason: "log through the logger"),
        .init(word: "Date()", allowedBelow: ["Server", "Tools"], reason: "time comes from the clock port"),
        .init(word: "Date.now", allowedBelow: ["Server", "Tools"], reason: "time comes from the clock port"),
        .init(word: "UUID()", allowedBelow: ["Server", "Tools"], reason: "ids come from the entropy port"),
        .init(
            word: "SystemRandomNumberGenerator(", allowedBelow: ["Server", "Tools"],
            reason: "randomness comes from the entropy port"),
    ]

    static let exceptions: [Exception] = [
        .init(
            path: "Sources/Storage/SQLStore/Tables/DetailColumn.swift", word: "JSONDecoder(",
            reason: "a column of our own rows, written by the same file; never a peer's bytes"),
        .init(
            path: "Sources/Storage/SQLStore/Connection/SQLDatabaseConfiguration.swift", word: "Date()",
            reason: "the default of a clock that the composer replaces"),
    ]

    /// What one file has against the list, one line each.
    static func findings(
        path: String, source: SwiftSource, list: [BannedCall] = list, exceptions: [Exception] = exceptions
    ) -> [String] {
        list.flatMap { call -> [String] in
            if call.allowedBelow.contains(where: { path.hasPrefix("Sources/\($0)/") }) { return [] }
            if exceptions.contains(where: { $0.path == path && $0.word == call.word }) { return [] }
            return source.lines(containing: call.word).map { "\(path):\($0): \(call.word) (\(call.reason))" }
        }
    }
}
