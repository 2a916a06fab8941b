import Access
import DICOMNetwork
import Logging
import NIOCore
import NIOSSL
import Workflow

/// What all connections of a listener share.
struct ListenerContext: Sendable {
    let configuration: DIMSEConfiguration
    let policy: AcceptorPolicy
    let services: [String: any ServiceClassProvider]
    /// Each once, for the end of an association.
    let providers: [any ServiceClassProvider]
    let peers: any PeerDirectory
    let audit: any AuditTrail
    let entropy: any Entropy
    let registry: AssociationRegistry
    let logger: Logger
}

/// The async side of one accepted connection: takes the works of its ``AssociationAcceptor`` one after the other.
struct AcceptedConnection: Sendable {
    let channel: any Channel
    let acceptor: NIOLoopBound<AssociationAcceptor>
    let work: AsyncStream<AssociationAcceptor.Work>
    let listener: ListenerContext

    /// Ends when the association has.
    func run() async {
        var info: AssociationInfo?
        var holdsPlace = false
        for await item in work {
            switch item {
            case .decide(let request):
                info = await decide(request)
                holdsPlace = info != nil
            case .perform(let operation, let responder):
                do {
                    if operation.staysOnEventLoop {
                        try await operation.perform(responder)
                    } else {
                        try await withTaskExecutorPreference(globalConcurrentExecutor) {
                            try await operation.perform(responder)
                        }
                    }
                } catch {
                    listener.logger.debug("operation ended early", metadata: ["association": "\(info?.id ?? "")"])
                }
                channel.eventLoop.execute { acceptor.value.returned(from: responder) }
            case .release:
                if let info {
                    await conclude(info)
                    // Given back before the peer can know, so that it may come again at once.
                    listener.registry.leave(info.callingAETitle)
                    holdsPlace = false
                }
                channel.eventLoop.execute { acceptor.value.answerRelease() }
            }
        }
        if let info {
            if holdsPlace { listener.registry.leave(info.callingAETitle) }
            await conclude(info)
        }
        // After an orderly end the peer closes, or ARTIM does; without a running server nobody waits for either.
        if Task.isCancelled { channel.close(promise: nil) }
    }

    private func conclude(_ info: AssociationInfo) async {
        for provider in listener.providers { await provider.associationEnds(info) }
    }

    /// Answers an association request; returns the association if it was accepted, and then holds a place for it.
    private func decide(_ request: AssociateRequest) async -> AssociationInfo? {
        let access = AccessContext(
            principal: Principal(kind: .applicationEntity, id: request.callingAETitle.value), scopes: [],
            isUnrestricted: true, requestID: listener.entropy.newID().value,
            sourceAddress: channel.remoteAddress?.ipAddress)
        let info = AssociationInfo(
            id: access.requestID, calledAETitle: request.calledAETitle, callingAETitle: request.callingAETitle,
            access: access)
        var holdsPlace = false
        let decision: AcceptorPolicy.Decision
        do {
            var standing = AcceptorPolicy.Standing.unknownCaller
            if try await isKnown(request.callingAETitle) {
                holdsPlace = listener.registry.enter(request.callingAETitle)
                standing = holdsPlace ? .welcome : .overLimit
            }
            decision = listener.policy.decide(request, standing: standing)
        } catch {
            listener.logger.error("peer directory not available", metadata: ["error": "\(error)"])
            decision = .reject(.temporaryCongestion)
        }
        channel.eventLoop.execute { acceptor.value.answer(decision, info) }
        guard case .reject(let reject) = decision else { return info }
        if holdsPlace { listener.registry.leave(request.callingAETitle) }
        await record(reject, info)
        return nil
    }

    /// Whether the calling title is on the list, and comes with the certificate that it is bound to.
    private func isKnown(_ title: AETitle) async throws -> Bool {
        guard title.isValid else { return false }
        guard let peer = try await listener.peers.peer(kind: .applicationEntity, name: title.value) else {
            return listener.configuration.servesUnknownCallers
        }
        guard let bound = peer.certificateFingerprint else { return true }
        guard let fingerprint = listener.configuration.certificateFingerprint,
            listener.configuration.tls != nil,
            let certificate = try await channel.nioSSL_peerCertificate().get()
        else { return false }
        return fingerprint(try certificate.toDERBytes()).lowercased() == bound.lowercased()
    }

    private func record(_ reject: AssociateReject, _ info: AssociationInfo) async {
        let reason = "\(reject.result)/\(reject.source)/\(reject.reason)"
        listener.logger.notice(
            "association refused",
            metadata: [
                "association": "\(info.id)", "calling": "\(info.callingAETitle)", "called": "\(info.calledAETitle)",
                "reason": "\(reason)", "address": "\(info.access.sourceAddress ?? "")",
            ])
        try? await listener.audit.record(
            AuditRecord(
                category: .security, interaction: "A-ASSOCIATE", action: .execute, outcome: .minorFailure,
                access: info.access, entity: nil, detail: reason))
    }
}
