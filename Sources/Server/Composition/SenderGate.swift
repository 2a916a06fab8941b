import Access
import Admission
import HL7v2
import MLLPAdapter
import Workflow

/// Lets only configured senders in, by MSH-3 and MSH-4 and, where bound, by their certificate; each with the messages
/// that it may send.
struct SenderGate: Sendable {
    enum Verdict: Sendable {
        case letIn
        /// The acknowledgment.
        case refused([UInt8])
        /// Not answered by who it is: names are guessed from this address, or the store is away.
        case heldBack
    }

    let peers: any PeerDirectory
    let audit: any AuditTrail
    let strangers: CallerThrottle
    let acceptsUnknown: Bool
    /// How a sender shows that it is the peer it says it is.
    let binding: PeerBinding
    /// By what its messages are read.
    let profiles: PeerProfiles

    func verdict(on message: [UInt8], from peer: MLLPPeer) async -> Verdict {
        let header = MessageHeader.recovered(from: message)
        // Where anyone may send, bytes without a sender are the inbox's to refuse; elsewhere they are refused here.
        guard !header.sendingApplication.isEmpty || !header.sendingFacility.isEmpty || !acceptsUnknown else {
            return .letIn
        }
        let name = [header.sendingApplication, header.sendingFacility].map { value in
            Self.first(of: value, header)
        }.joined(separator: "|")
        guard strangers.admits(name, from: peer.address) else { return .heldBack }
        let reason: String
        var trace = CallerThrottle.Trace.inFull
        do {
            if let known = try await peers.peer(kind: .messageSender, name: name) {
                if isBound(known, by: peer) {
                    guard let role = Self.role(of: header), !known.may.contains(role) else {
                        strangers.admitted(name, from: peer.address)
                        try profiles.use(known)
                        return .letIn
                    }
                    reason = "this sender may not send \(role.rawValue)"
                } else {
                    reason = "this sender does not come from where or with the certificate that it must"
                    trace = strangers.refused(from: peer.address)
                }
            } else if acceptsUnknown {
                return .letIn
            } else {
                reason = "this sender is not configured"
                trace = strangers.refused(from: peer.address)
            }
        } catch let error as StoreError where error.code == .unacceptable {
            // A name that no database row can have is nobody's.
            reason = "this sender is not configured"
            trace = strangers.refused(from: peer.address)
        } catch {
            // The store is away, or the sender's profile cannot be read.
            return .heldBack
        }
        await record(reason, trace, name, header, peer)
        let now = SystemClock().now().microseconds / 1_000_000
        return .refused(
            Acknowledgment(
                header.isEnhancedMode ? .commitReject : .reject, to: header,
                entries: [Acknowledgment.Entry(.applicationInternalError, userMessage: reason)]
            ).bytes(
                controlID: String(SystemEntropy().newID().value.prefix(20)), now: Timestamp(utcEpochSeconds: Int(now))))
    }

    private func record(
        _ reason: String, _ trace: CallerThrottle.Trace, _ name: String, _ header: MessageHeader, _ peer: MLLPPeer
    ) async {
        guard trace != .counted else { return }
        let access = AccessContext(
            principal: Principal(kind: .messageSender, id: name), scopes: [], requestID: header.controlIDText,
            sourceAddress: peer.address)
        try? await audit.record(
            AuditRecord(
                category: .security, interaction: "message", action: .execute, outcome: .minorFailure, access: access,
                detail: trace == .throttled ? reason + "; this address is answered no more for now" : reason))
    }

    private func isBound(_ known: Peer, by peer: MLLPPeer) -> Bool {
        guard binding.isMet(by: known), known.mayCome(from: peer.address) else { return false }
        guard let bound = known.certificateFingerprint else { return true }
        return peer.certificate.map { Digests.hex($0) == bound.lowercased() } ?? false
    }

    /// What a sender must be configured for to send a message; nil for a type that is refused for itself.
    static func role(of header: MessageHeader) -> Peer.Role? {
        switch header.messageCode {
        case "ADT": .adt
        case "ORM", "OMG", "OMI": .orders
        case "ORU": .results
        default: nil
        }
    }

    /// The first component of a field.
    private static func first(of value: [UInt8], _ header: MessageHeader) -> String {
        String(decoding: value.prefix { $0 != header.delimiters.component }, as: UTF8.self)
    }
}
