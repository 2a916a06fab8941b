import Access
import HL7Translation
import HL7v2
import Logging
import NIOCore
import Workflow

/// Carries messages of the outbox to one destination over MLLP, each with the same MSH-10 at every attempt.
///
/// A message is delivered when the answer that names it accepts it; every other answer is dealt with as the destination's
/// settings say. What an ORR, ORG or ORI answer tells of the order is kept with the order. HL7 v2.5.1 §2.9.
package struct HL7Courier: Courier {
    private let destination: OutboundDestination
    private let profile: SiteProfile
    private let store: any WorkflowStore
    private let peers: any PeerDirectory
    private let sender: MLLPSender
    private let reports: OutboundAnnouncer.Reports
    private let logger: Logger

    /// - Parameter reports: where reports are whose messages the outbox could not hold.
    package init(
        _ destination: OutboundDestination, profile: SiteProfile, store: any WorkflowStore, peers: any PeerDirectory,
        sender: MLLPSender, reports: @escaping OutboundAnnouncer.Reports = { try $1.report($0) }, logger: Logger
    ) {
        self.destination = destination
        self.profile = profile
        self.store = store
        self.peers = peers
        self.sender = sender
        self.reports = reports
        self.logger = logger
    }

    package var policy: DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.placesPerDestination = destination.connections
        // An attempt may open two connections: the second where the first was closed while it was idle.
        policy.attemptSeconds = 2 * (2 * destination.connectSeconds + destination.answerSeconds) + 5
        policy.ageSecondsMax = destination.ageSecondsMax
        policy.retrySecondsMax = 600
        return policy
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        let message: [UInt8]
        switch OutboundPayload(entry.payload) {
        case .message(let bytes): message = bytes
        case .unwritable(let reason): return .permanent("not sent: " + reason)
        case .report(let id, let controlID):
            do {
                guard let made = try await report(id, controlID: controlID) else {
                    return .withdrawn("the report is gone")
                }
                message = made
            } catch let error as HL7Error {
                return .permanent("not sent: " + error.message)
            } catch {
                return .transient("the report cannot be read")
            }
        case nil: return .permanent("the entry is not a message")
        }
        let peer: Peer?
        do { peer = try await peers.peer(kind: .messageSender, name: destination.peer) } catch {
            return .transient("the peers cannot be read")
        }
        guard let host = peer?.host, let port = peer?.port else {
            let names = destination.peer.split(separator: "|", omittingEmptySubsequences: false)
            return .unreachable(
                "\(destination.peer) has no host and port: hilum peer add --mllp-app \(names.first ?? "") "
                    + "--mllp-facility \(names.dropFirst().first ?? "") --host … --port …")
        }
        // A peer of which nothing is said is called as its destination says.
        var tls = peer?.tls ?? .off
        if tls == .off, destination.isTLS { tls = .on }
        return await send(
            message,
            to: .init(host: host, port: port, certificateFingerprint: peer?.certificateFingerprint, tls: tls))
    }

    private func report(_ id: EntityID, controlID: String) async throws -> [UInt8]? {
        let (destination, profile, reports) = (destination, profile, reports)
        return try await store.read(.server(requestID: "hl7")) { unit in
            try OutboundAnnouncer.report(
                id, for: destination, profile: profile, controlID: controlID, reports: reports, in: unit)
        }
    }

    // MARK: One attempt

    private func send(_ message: [UInt8], to address: MLLPSender.Address) async -> DeliveryOutcome {
        let answer: MLLPClient.Answer
        do { answer = try await sender.send(message, to: address) } catch let failure as MLLPClient.Failure {
            return outcome(of: failure)
        } catch {
            return .unreachable("no connection to \(destination.peer) at \(address.host):\(address.port)")
        }
        guard answer.isAccepted else { return outcome(of: answer) }
        return await accept(answer, of: message)
    }

    private func outcome(of failure: MLLPClient.Failure) -> DeliveryOutcome {
        switch failure {
        case .timedOut: .unreachable("no answer within \(destination.answerSeconds) s")
        case .connectionClosed: .unreachable("the connection was closed before the answer")
        case .handshakeFailed: .unreachable("the TLS handshake failed")
        case .notTrusted: .unreachable("the certificate is not the one that the peer is bound to")
        case .answerTooLarge: .unreachable("the answer is longer than \(MLLPClient.answerBytesMax) bytes")
        case .answersIllegal: .unreachable("what comes is no answer to any message of ours")
        case .busy: .transient("another message waits for its answer")
        case .messageIllegal(let error): .permanent("not sent: " + error.message)
        }
    }

    /// What the destination's settings say of an answer. Its own words may name a patient, and are not kept.
    private func outcome(of answer: MLLPClient.Answer) -> DeliveryOutcome {
        let conditions = answer.conditions
        let words = "answered \(answer.code)" + (conditions.isEmpty ? "" : " (\(conditions.joined(separator: ", ")))")
        switch destination.reactions[answer.code] {
        case .retry: return .transient(words)
        case .park: return .permanent(words)
        case .stop: return .blocked(words)
        // No code of table 0008: nobody knows whether the message was taken.
        case nil: return .transient("the answer has no code of table 0008 in MSA-1")
        }
    }

    // MARK: What an answer tells of the order

    private func accept(_ answer: MLLPClient.Answer, of message: [UInt8]) async -> DeliveryOutcome {
        guard let told = OrderAnswer(answer.bytes, to: message, profile: profile) else { return .delivered }
        if !told.updates.isEmpty {
            let access = AccessContext(
                principal: Principal(kind: .messageSender, id: destination.peer), scopes: [], isUnrestricted: true,
                requestID: "hl7")
            do {
                let notes = try await store.write(access) { try told.apply(in: $0) }
                for words in notes { note(words) }
            } catch  where Self.isForGood(error) {
                // Sent again the message would be answered the same: it was accepted, and that counts.
                note("what the answer tells of the order cannot be kept")
            } catch {
                // Sent again with the same MSH-10 it is answered again.
                return .transient("what the answer tells of the order could not be kept")
            }
        }
        guard !told.refusals.isEmpty else { return .delivered }
        return .permanent("the order is refused (ORC-1 \(told.refusals.joined(separator: ", ")))")
    }

    private func note(_ words: String) {
        logger.notice("\(words)", metadata: ["destination": "\(destination.name)"])
    }

    /// Whether it fails however often it is tried.
    private static func isForGood(_ error: any Error) -> Bool {
        error is TextRule.Refusal || (error as? StoreError)?.code == .unacceptable
    }
}

extension MLLPClient.Answer {
    /// The codes of table 0357 in ERR, at most three.
    fileprivate var conditions: [String] {
        guard let message = try? Parser().parse(bytes) else { return [] }
        return message.segments.lazy.filter { $0.id == "ERR" }.prefix(3).compactMap { err in
            (err[3].integer ?? err[1][1][4].integer).flatMap(UInt16.init(exactly:))
                .flatMap(ErrorCondition.init(rawValue:)).map { "\($0.rawValue) \($0.text)" }
        }
    }
}
