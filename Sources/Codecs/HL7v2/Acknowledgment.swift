/// The answer to a message: MSH, MSA and, when something is wrong, ERR. HL7 v2.5.1 §2.9.2 (original mode), §2.9.3
/// (enhanced mode: an accept and an application acknowledgment).
///
/// Written for the sender: its delimiters, its version, its character set, MSH-3/4 and 5/6 swapped. Nothing of the
/// sender's header is echoed with control bytes in it. From version 2.5 each error is an ERR segment with ERR-2, 3,
/// 4 and 8; before it, all are repetitions of ERR-1.
package struct Acknowledgment: Sendable, Hashable {
    /// MSA-1, table 0008.
    package enum Code: String, Sendable, Hashable {
        /// Application accept.
        case accept = "AA"
        /// Application error: the content is at fault, sending it again unchanged does not help.
        case error = "AE"
        /// Application reject: not the content (or MSH) is at fault, sending it again may help.
        case reject = "AR"
        /// Accept acknowledgment: the message is kept and need not be sent again.
        case commitAccept = "CA"
        /// It cannot be taken now; sent again it may be.
        case commitError = "CE"
        /// It is refused for its type, version, processing id or for what cannot be read.
        case commitReject = "CR"

        /// Whether nothing was wrong.
        package var isAcceptance: Bool { self == .accept || self == .commitAccept }
    }

    /// ERR-4, table 0516.
    package enum Severity: String, Sendable, Hashable {
        case error = "E"
        case warning = "W"
        case information = "I"
    }

    /// One ERR entry.
    package struct Entry: Sendable, Hashable {
        package var condition: ErrorCondition
        package var location: ErrorLocation?
        package var severity: Severity
        /// ERR-8: for the person at the sending side; no value of the message in it.
        package var userMessage: String?

        package init(
            _ condition: ErrorCondition, at location: ErrorLocation? = nil, severity: Severity = .error,
            userMessage: String? = nil
        ) {
            self.condition = condition
            self.location = location
            self.severity = severity
            self.userMessage = userMessage
        }

        /// The entry for bytes that do not parse.
        package init(_ error: HL7Error) {
            self.init(error.condition, at: error.location, userMessage: error.message)
        }
    }

    package var code: Code
    package var header: MessageHeader
    package var entries: [Entry]

    /// An answer to the message with that header. At most `HL7Limits.acknowledgedErrorsMax` entries are written.
    package init(_ code: Code, to header: MessageHeader, entries: [Entry] = []) {
        self.code = code
        self.header = header
        self.entries = entries
    }

    /// The bytes of the acknowledgment.
    ///
    /// - Parameters:
    ///   - controlID: MSH-10 of the acknowledgment itself; at most 20 characters suit every version.
    ///   - now: MSH-7.
    package func bytes(controlID: String, now: Timestamp) -> [UInt8] {
        var builder = MessageBuilder(delimiters: header.delimiters)
        builder.segment("MSH")
        builder.field(raw: header.receivingApplication)
        builder.field(raw: header.receivingFacility)
        builder.field(raw: header.sendingApplication)
        builder.field(raw: header.sendingFacility)
        builder.field(raw: now.bytes)
        builder.skip(1)
        builder.field(components: messageType)
        builder.field(controlID)
        builder.field(header.processingID.isEmpty ? "P" : header.processingID)
        builder.field(header.version.isEmpty ? "2.5.1" : header.version)
        builder.skip(2)
        // In enhanced mode an answer is a message that says for itself that it wants none. §2.9.3.
        builder.field(header.isEnhancedMode ? "NE" : nil)
        builder.field(header.isEnhancedMode ? "NE" : nil)
        builder.skip(1)
        builder.field(raw: header.characterSets)
        builder.segment("MSA")
        builder.field(code.rawValue)
        builder.field(raw: header.controlID)
        // Before 2.5 ERR has no place for words of its own: those of a warning reach the sender here as well.
        let first = entries.first { $0.severity == .error } ?? entries.first
        if !code.isAcceptance || (isBefore25 && first != nil) {
            builder.field(first.map { $0.userMessage ?? $0.condition.text })
        }
        appendErrors(to: &builder)
        let text = builder.finished()
        return (try? header.characterSet.encoded(text)) ?? text.map { $0 < 0x80 ? $0 : 0x3F }
    }

    /// `ACK^event^ACK` from version 2.3.1, `ACK^event` in 2.3 and 2.2, `ACK` before and when no event is known.
    private var messageType: [String?] {
        let version = VersionNumber(header.version)
        guard !header.triggerEvent.isEmpty, version >= VersionNumber(2, 2) else { return ["ACK"] }
        let event = String(decoding: MessageHeader.echoable(header.triggerEvent.utf8), as: UTF8.self)
        return version >= VersionNumber(2, 3, 1) ? ["ACK", event, "ACK"] : ["ACK", event]
    }

    private var isBefore25: Bool { VersionNumber(header.version) < VersionNumber(2, 5) }

    private func appendErrors(to builder: inout MessageBuilder) {
        let written = entries.prefix(HL7Limits.acknowledgedErrorsMax)
        guard !written.isEmpty else { return }
        if !isBefore25 {
            for entry in written {
                builder.segment("ERR")
                builder.skip(1)
                builder.field(components: entry.location?.errComponents ?? [])
                builder.field(components: ["\(entry.condition.rawValue)", entry.condition.text, "HL70357"])
                builder.field(entry.severity.rawValue)
                builder.skip(3)
                builder.field(entry.userMessage)
            }
        } else {
            builder.segment("ERR")
            builder.field(
                raw: Array(
                    written.map { legacy($0, header.delimiters) }.joined(separator: [header.delimiters.repetition])))
        }
    }

    /// ELD of ERR-1: segment, its occurrence, field position, code; the words for a person are the alternate text of the
    /// code. HL7 v2.3.1 §2.24.4.1.
    private func legacy(_ entry: Entry, _ delimiters: Delimiters) -> [UInt8] {
        var text: [UInt8] = []
        if let location = entry.location {
            text += location.segment.bytes + [delimiters.component] + Array("\(location.occurrence)".utf8)
            text += [delimiters.component] + Array((location.field.map { "\($0)" } ?? "").utf8)
        } else {
            text += [delimiters.component, delimiters.component]
        }
        text += [delimiters.component] + Array("\(entry.condition.rawValue)".utf8) + [delimiters.subcomponent]
        text += Escape.added(to: entry.condition.text.utf8, delimiters: delimiters) + [delimiters.subcomponent]
        text += Array("HL70357".utf8)
        guard let words = entry.userMessage, words != entry.condition.text else { return text }
        text += [delimiters.subcomponent, delimiters.subcomponent]
        return text + Escape.added(to: words.utf8, delimiters: delimiters)
    }
}

extension ErrorLocation {
    /// The components of ERR-2. The data type wants a repetition number where a component is named.
    fileprivate var errComponents: [String?] {
        let repetitionNumber = field == nil ? nil : (repetition ?? 1)
        return ["\(segment)", "\(occurrence)"]
            + [field, repetitionNumber, component, subcomponent].map { $0.map { "\($0)" } }
    }
}

/// A version such as 2.3.1, comparable. Text that is no version reads as 2.5.1, the version of a header that could
/// not be saved.
package struct VersionNumber: Comparable, Sendable {
    private let parts: [Int]

    package init(_ parts: Int...) { self.parts = parts }

    package init(_ text: String) {
        let numbers = text.utf8.split(separator: 0x2E).prefix(3).map { Int(String(decoding: $0, as: UTF8.self)) }
        let read = numbers.compactMap { $0 }
        parts = read.isEmpty || read.count != numbers.count ? [2, 5, 1] : read
    }

    package static func < (a: VersionNumber, b: VersionNumber) -> Bool { a.parts.lexicographicallyPrecedes(b.parts) }
}
