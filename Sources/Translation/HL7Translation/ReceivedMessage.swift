import HL7v2
import Workflow

/// A received message with what could be read of it before any work.
struct ReceivedMessage: Sendable {
    let bytes: [UInt8]
    let peer: String?
    let digest: String
    let header: MessageHeader
    let profile: SiteProfile
    /// The parsed message, or why there is none.
    let parsed: Result<Message, HL7Error>

    init(
        bytes: [UInt8], peer: String?, digest: String, profile: (String, String) -> SiteProfile
    ) {
        self.bytes = bytes
        self.peer = peer
        self.digest = digest
        let saved = MessageHeader.recovered(from: bytes)
        let profile = profile(
            ReceivedMessage.first(saved.sendingApplication, saved), ReceivedMessage.first(saved.sendingFacility, saved))
        self.profile = profile
        do throws(HL7Error) {
            let message = try profile.parser.parse(bytes)
            parsed = .success(message)
            header = message.header
        } catch {
            parsed = .failure(error)
            header = saved
        }
    }

    var type: String {
        let event = header.triggerEvent
        return header.messageCode.isEmpty ? "?" : header.messageCode + (event.isEmpty ? "" : "^" + event)
    }
    var sender: String {
        ReceivedMessage.first(header.sendingApplication, header) + "|"
            + ReceivedMessage.first(header.sendingFacility, header)
    }

    static func first(_ value: [UInt8], _ header: MessageHeader) -> String {
        String(decoding: value.prefix { $0 != header.delimiters.component }, as: UTF8.self)
    }

    /// AR for what is not the content's fault (size, framing of the header), AE for the rest. A header that can not
    /// be read is rejected: there is nothing the content could be judged by.
    func code(for error: HL7Error) -> Acknowledgment.Code {
        switch error {
        case .messageEmpty, .messageTooLarge, .headerMissing, .headerTruncated, .delimitersIllegal, .nulByte,
            .characterSetUnsupported:
            .reject
        default: .error
        }
    }
}
