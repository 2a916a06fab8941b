import HL7v2
import Workflow

/// Which answers a message gets. HL7 v2.5.1 §2.9.2, §2.9.3, §2.15.9.15 and table 0155.
struct AnswerPlan {
    /// The accept acknowledgment; nil for none.
    let accept: Acknowledgment.Code?
    /// Whether the application's acknowledgment is sent.
    let isApplicationAnswered: Bool

    /// - Parameter refused: what the application says of a message that it does not carry out.
    init(header: MessageHeader, result: HL7Inbox.Receipt.Result, refused: Acknowledgment.Code?) {
        guard header.isEnhancedMode else {
            accept = nil
            isApplicationAnswered = true
            return
        }
        let code: Acknowledgment.Code
        switch result {
        case .notStored: code = .commitError
        // Its type, version or processing id, or what cannot be read: it is kept, but nobody works on it.
        case .failed where refused == .reject: code = .commitReject
        case .applied, .ignored, .duplicate, .failed: code = .commitAccept
        }
        accept = Self.isWanted(header.acceptAcknowledgmentType, code.isAcceptance) ? code : nil
        isApplicationAnswered =
            code == .commitAccept && Self.isWanted(header.applicationAcknowledgmentType, refused == nil)
    }

    /// Table 0155; in enhanced mode an empty field asks for nothing.
    static func isWanted(_ condition: String, _ isGood: Bool) -> Bool {
        switch condition {
        case "", "NE": false
        case "ER": !isGood
        case "SU": isGood
        default: true
        }
    }
}

/// A message that answers one of ours: an acknowledgment, or the answer to an order. It has no effect but what it tells of
/// an order, and no answer but the accept acknowledgment that it asks for. §2.9.3.
struct ReceivedAnswer {
    /// MSA-1; `?` for a code that is not in table 0008.
    let code: String
    let orders: OrderAnswer?
    /// Whether it is to be acknowledged: an accept acknowledgment never is.
    let isAnswered: Bool

    /// Nil for a message that answers nothing.
    init?(_ received: ReceivedMessage) {
        guard case .success(let message) = received.parsed, let msa = message["MSA"],
            ["ACK", "ORR", "ORG", "ORI"].contains(received.header.messageCode)
        else { return nil }
        let known = ["AA", "AE", "AR", "CA", "CE", "CR"]
        code = msa[1].text.flatMap { known.contains($0) ? $0 : nil } ?? "?"
        orders = OrderAnswer(received.bytes, to: [], profile: received.profile)
        isAnswered =
            !["CA", "CE", "CR"].contains(code) && AnswerPlan.isWanted(received.header.acceptAcknowledgmentType, true)
    }
}
