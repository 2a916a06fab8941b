import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import DIMSEAdapter
import HL7Translation
import HL7v2
import Logging
import MLLPAdapter
import NIOPosix
import NIOSSL
import SQLStore
import Workflow

/// The doors for hospital systems: DIMSE and MLLP.
enum DoorComposition {
    static func dimse(
        _ configuration: ServerConfiguration.DIMSE, limits: ServerLimits, store: RelationalStore,
        ingest: InstanceIngest,
        authorities: AssigningAuthorities, entropy: any Entropy, tls: NIOSSLContext?, logger: Logger,
        isUp: @escaping @Sendable () -> Void
    ) throws -> DIMSEListener {
        guard let title = AETitle(configuration.aeTitle) else {
            throw ConfigurationError("dimse.ae-title: \(configuration.aeTitle) is no AE title")
        }
        var dimse = DIMSEConfiguration(aeTitles: [title])
        dimse.host = configuration.host
        dimse.port = configuration.port
        dimse.tls = tls
        dimse.certificateFingerprint = Digests.hex
        dimse.servesUnknownCallers = configuration.acceptsUnknownPeers
        dimse.limits = limits.associations
        dimse.networkLimits = limits.network
        dimse.timers = limits.timers
        return DIMSEListener(
            configuration: dimse,
            services: [
                VerificationSCP(), StorageSCP(ingest: ingest, logger: logger),
                WorklistSCP(index: store, authorities: authorities, audit: store),
            ],
            peers: store, audit: store, entropy: entropy, logger: logger
        ) { _ in isUp() }
    }

    static func mllp(
        _ configuration: ServerConfiguration.MLLP, limits: ServerLimits, store: RelationalStore,
        inbox: HL7Inbox, tls: NIOSSLContext?,
        logger: Logger,
        isUp: @escaping @Sendable () -> Void
    ) throws -> MLLPListener {
        let mllp = MLLPConfiguration(
            host: configuration.host, port: configuration.port, tls: tls, limits: limits.mllp)
        let gate = SenderGate(
            peers: store, audit: store, inbox: inbox, acceptsUnknown: configuration.acceptsUnknownPeers)
        let limit = limits.mllp.messageBytesMax
        return MLLPListener(
            configuration: mllp, group: MultiThreadedEventLoopGroup.singleton, logger: logger, bound: { _ in isUp() },
            refuseOversized: { head in inbox.refuseOversized(head: head, limit: limit) }
        ) { message, peer in
            if let refusal = await gate.refusal(of: message, from: peer) { return refusal }
            let receipt = await inbox.receive(message, peer: peer.address)
            if !receipt.notes.isEmpty {
                logger.info(
                    "message",
                    metadata: [
                        "type": "\(receipt.type)", "result": "\(receipt.result)",
                        "notes": "\(receipt.notes.joined(separator: "; "))",
                    ])
            }
            return receipt.acknowledgement
        }
    }
}

/// Lets only configured senders in, by MSH-3 and MSH-4 and, where bound, by their certificate.
struct SenderGate: Sendable {
    let peers: any PeerDirectory
    let audit: any AuditTrail
    let inbox: HL7Inbox
    let acceptsUnknown: Bool

    /// Nil for a sender that may send; else the acknowledgment that refuses it.
    func refusal(of message: [UInt8], from peer: MLLPPeer) async -> [UInt8]? {
        let header = MessageHeader.recovered(from: message)
        // Where anyone may send, bytes without a sender are the inbox's to refuse; elsewhere they are refused here.
        guard !header.sendingApplication.isEmpty || !header.sendingFacility.isEmpty || !acceptsUnknown else {
            return nil
        }
        let name = [header.sendingApplication, header.sendingFacility].map { value in
            String(decoding: value.prefix { $0 != header.delimiters.component }, as: UTF8.self)
        }.joined(separator: "|")
        let reason: String
        do {
            if let known = try await peers.peer(kind: .messageSender, name: name) {
                guard let bound = known.certificateFingerprint else { return nil }
                if let certificate = peer.certificate, Digests.hex(certificate) == bound.lowercased() { return nil }
                reason = "this sender is bound to another certificate"
            } else if acceptsUnknown {
                return nil
            } else {
                reason = "this sender is not configured"
            }
        } catch let error as StoreError where error.code == .unacceptable {
            reason = "this sender is not configured"
        } catch {
            return inbox.refuseForNow(message)
        }
        let access = AccessContext(
            principal: Principal(kind: .messageSender, id: name), scopes: [], requestID: header.controlIDText,
            sourceAddress: peer.address)
        try? await audit.record(
            AuditRecord(
                category: .security, interaction: "message", action: .execute, outcome: .minorFailure, access: access,
                detail: reason))
        let now = SystemClock().now().microseconds / 1_000_000
        return Acknowledgment(
            .reject, to: header, entries: [Acknowledgment.Entry(.applicationInternalError, userMessage: reason)]
        ).bytes(controlID: String(SystemEntropy().newID().value.prefix(20)), now: Timestamp(utcEpochSeconds: Int(now)))
    }
}
