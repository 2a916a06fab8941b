/// An audit message as syslog carries it. RFC 5424 §6, RFC 5425 §4.3; DICOM PS3.15 §A.6.
package enum SyslogMessage {
    /// MSGID.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case dicom = "DICOM+RFC3881"
        case ihe = "IHE+RFC-3881"
    }

    /// Security and authorization messages. §6.2.1.
    static let facility = 10

    /// One frame: its length in octets, a blank, and the message.
    ///
    /// - Parameters:
    ///   - host: this machine's name: printable ASCII, at most 255 characters.
    ///   - process: its id.
    package static func frame(
        _ event: FedEvent, _ kind: Kind, host: String, process: Int32
    ) -> [UInt8] {
        // Notice for what succeeded, warning for the rest.
        let priority = facility * 8 + (event.isFailure ? 4 : 5)
        // By its row's number a receiver knows one that came twice, and one that is missing. §7.3.1.
        let sequence = (event.number - 1) % Int64(Int32.max) + 1
        let head =
            "<\(priority)>1 \(event.timestamp) \(token(host, max: 255)) hilum \(process) \(kind.rawValue) "
            + "[meta sequenceId=\"\(sequence)\"] "
        // UTF-8 begins with its mark. §6.4.
        let message = Array(head.utf8) + [0xEF, 0xBB, 0xBF] + event.body
        return Array("\(message.count) ".utf8) + message
    }

    /// A header field: `-` for none. §6.
    static func token(_ text: String, max: Int) -> String {
        let kept = String(String.UnicodeScalarView(text.unicodeScalars.filter { 0x21...0x7E ~= $0.value }.prefix(max)))
        return kept.isEmpty ? "-" : kept
    }
}
