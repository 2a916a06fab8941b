import Logging

/// Writes log lines in which nothing that came from outside can end a line, move a cursor, hide text or pose as another
/// field: one escaping for every message and every metadata value, whoever logs.
struct EscapedLogHandler: LogHandler {
    private var base: StreamLogHandler
    /// Set for all lines of a logger, as they came.
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    /// Writes to standard error unless a test wants to see the lines.
    init(label: String, stream: (any TextOutputStream & Sendable)? = nil) {
        let label = LogText.escaped(label)
        base =
            if let stream { StreamLogHandler(label: label, stream: stream, metadataProvider: nil) } else {
                StreamLogHandler.standardError(label: label, metadataProvider: nil)
            }
    }

    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { $1 }
        all.merge(event.metadata ?? [:]) { $1 }
        if let error = event.error {
            all["error.message"] = "\(error)"
            all["error.type"] = "\(String(reflecting: type(of: error)))"
        }
        var safe: Logger.Metadata = [:]
        for (name, value) in all { safe[LogText.value(name)] = .string(LogText.value("\(value)")) }
        base.log(
            event: LogEvent(
                level: event.level, message: "\(LogText.escaped(event.message.description))",
                metadata: safe.isEmpty ? nil : safe, source: LogText.escaped(event.source), file: event.file,
                function: event.function, line: event.line))
    }
}

/// Text as it may stand in a log line.
enum LogText {
    /// Longer texts are cut, in bytes: one line cannot fill a disk.
    static let bytesMax = 4096

    /// Control characters, line and paragraph separators, and the characters that change the direction of what follows are
    /// written as `\u{…}`, a reverse solidus as two. Text that was not UTF-8 holds U+FFFD by now.
    static func escaped(_ text: String) -> String {
        guard text.utf8.count > bytesMax || text.unicodeScalars.contains(where: mustEscape) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            guard output.utf8.count < bytesMax else { return output + "…" }
            switch scalar {
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\\": output += "\\\\"
            case _ where mustEscape(scalar): output += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    /// A value of a field: in quotation marks where it could be read as more than one, or as none.
    static func value(_ text: String) -> String {
        let safe = escaped(text)
        guard safe.isEmpty || safe.unicodeScalars.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else {
            return safe
        }
        return "\"" + safe.replacing("\"", with: "\\\"") + "\""
    }

    private static func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\\" { return true }
        switch scalar.properties.generalCategory {
        // Format characters too: directions, zero widths, tags.
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: return true
        // Of the spaces only the plain one looks like what it is.
        case .spaceSeparator: return scalar != " "
        default: return false
        }
    }
}
