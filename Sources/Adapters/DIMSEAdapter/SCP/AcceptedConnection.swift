import Access
import Admission
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
    let admission: Admission
    let strangers: CallerThrottle
    let memory: MemoryBudget
    let registry: AssociationRegistry
    let logger: Logger
}

/// The async side of one accepted connection: takes the works of its ``DIMSEExchange`` one after the other.
struct AcceptedConnection: Sendable {
    let channel: any Channel
    let exchange: NIOLoopBound<DIMSEExchange>
    let work: AsyncStream<DIMSEExchange.Work>
    let listener: ListenerContext
    /// That of the connection, which an accepted association holds by right.
    let place: Place?

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
                await exchange.perform(operation, responder, listener.logger, association: info?.id)
            case .release:
                if let info {
                    await conclude(info)
                    // Given back before the peer can know, so that it may come again at once.
                    listener.registry.leave(info.callingAETitle)
                    holdsPlace = false
                }
                channel.eventLoop.execute { exchange.value.answerRelease() }
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
        let address = channel.remoteAddress?.ipAddress
        let caller = request.callingAETitle
        guard listener.strangers.admits(caller.value, from: address) else {
            // Known or not, nobody learns it from here for now; what led to this is on record.
            answer(.reject(.temporaryCongestion), nil)
            return nil
        }
        var access = AccessContext(
            principal: Principal(kind: .applicationEntity, id: caller.value), scopes: [],
            isUnrestricted: true, requestID: listener.entropy.newID().value, sourceAddress: address)
        var holdsPlace = false
        var standing = AcceptorPolicy.Standing.unknownCaller
        var roles: Set<Peer.Role>?
        let decision: AcceptorPolicy.Decision
        do {
            let rights = try await rights(of: caller, from: address)
            roles = rights?.roles
            if let ofTitle = listener.configuration.rolesByTitle[request.calledAETitle] {
                roles?.formIntersection(ofTitle)
            }
            if let rights {
                holdsPlace = listener.registry.enter(caller, own: rights.connectionsMax)
                standing = holdsPlace ? .welcome : .overLimit
            }
            var response: [UInt8]?
            if standing == .welcome {
                switch try await verdict(on: request, access) {
                case .verified(let own, let answer):
                    access = own ?? access
                    let isAskedFor = request.userInformation.userIdentity?.positiveResponseRequested == true
                    response = isAskedFor ? answer : nil
                case .refused: standing = .unknownUser
                case .notUnderstood: break
                }
            }
            decision = listener.policy.decide(request, standing: standing, identityResponse: response) {
                [roles] syntax, role in
                listener.services[syntax].map { service in
                    (role == .scu ? service.role : service.roleAsSCU).map { roles?.contains($0) == true } ?? false
                } ?? true
            }
        } catch {
            listener.logger.error("a caller cannot be identified now", metadata: ["error": "\(error)"])
            if holdsPlace { listener.registry.leave(caller) }
            answer(.reject(.temporaryCongestion), nil)
            return nil
        }
        // Given back before the peer can know, so that it may come again at once.
        if holdsPlace, case .reject = decision { listener.registry.leave(caller) }
        let info = AssociationInfo(
            id: access.requestID, calledAETitle: request.calledAETitle, callingAETitle: caller, access: access,
            roles: roles ?? [], archives: listener.configuration.archivesByTitle[request.calledAETitle])
        answer(decision, info)
        switch decision {
        case .accept(let accept, _):
            place?.working()
            listener.strangers.admitted(caller.value, from: address)
            await recordDenied(accept, request, info)
            return info
        case .reject(let reject):
            let isGuess = roles == nil || standing == .unknownUser
            await record(reject, info, trace: isGuess ? listener.strangers.refused(from: address) : .inFull)
            return nil
        }
    }

    private func answer(_ decision: AcceptorPolicy.Decision, _ info: AssociationInfo?) {
        channel.eventLoop.execute { exchange.value.answer(decision, info) }
    }

    /// What the user identity of a request is worth; refused as well where there must be one and is none.
    private func verdict(
        on request: AssociateRequest, _ access: AccessContext
    ) async throws -> UserIdentityVerdict {
        let configuration = listener.configuration
        var verdict = UserIdentityVerdict.notUnderstood
        if let identity = request.userInformation.userIdentity, let verifier = configuration.identities {
            verdict = try await verifier.verdict(
                on: identity, requestID: access.requestID, sourceAddress: access.sourceAddress)
        }
        if case .notUnderstood = verdict, configuration.requiresIdentity { return .refused }
        return verdict
    }

    /// What the calling title may do and how many associations it may have; nil when it is not on the list, or does not
    /// come as it must: from its addresses, with its certificate.
    private func rights(
        of title: AETitle, from address: String?
    ) async throws -> (roles: Set<Peer.Role>, connectionsMax: Int?)? {
        guard title.isValid else { return nil }
        let configuration = listener.configuration
        guard let peer = try await listener.peers.peer(kind: .applicationEntity, name: title.value) else {
            return configuration.servesUnknownCallers ? (Peer.Kind.applicationEntity.rolesOfUnknown, nil) : nil
        }
        guard configuration.binding.isMet(by: peer), peer.mayCome(from: address) else { return nil }
        let rights = (peer.may, peer.connectionsMax)
        guard let bound = peer.certificateFingerprint else { return rights }
        guard let fingerprint = configuration.certificateFingerprint, configuration.tls != nil,
            let certificate = try await certificate()
        else { return nil }
        return fingerprint(try certificate.toDERBytes()).lowercased() == bound.lowercased() ? rights : nil
    }

    /// That of the peer; nil without TLS, or where it showed none.
    private func certificate() async throws -> NIOSSLCertificate? {
        try await channel.eventLoop.submit {
            (try? channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self))?.peerCertificate
        }.get()
    }

    private func record(_ reject: AssociateReject, _ info: AssociationInfo, trace: CallerThrottle.Trace) async {
        var reason = "\(reject.result)/\(reject.source)/\(reject.reason)"
        switch trace {
        case .counted: return
        case .throttled: reason += "; this address is answered no more for now"
        case .inFull: break
        }
        listener.logger.notice(
            "association refused",
            metadata: [
                "association": "\(info.id)", "calling": "\(info.callingAETitle)", "called": "\(info.calledAETitle)",
                "reason": "\(reason)", "address": "\(info.access.sourceAddress ?? "")",
            ])
        await record(reason, info)
    }

    /// Puts on record what a peer asked for and may not do.
    private func recordDenied(_ accept: AssociateAccept, _ request: AssociateRequest, _ info: AssociationInfo) async {
        let syntaxes = Dictionary(
            request.presentationContexts.map { ($0.id, $0.abstractSyntax) }, uniquingKeysWith: { first, _ in first })
        let denied = Set(
            accept.presentationContexts.filter { $0.result == .userRejection }
                .compactMap { syntaxes[$0.id].flatMap { listener.services[$0]?.role } })
        guard !denied.isEmpty else { return }
        let names = denied.map(\.rawValue).sorted().joined(separator: ", ")
        listener.logger.notice(
            "peer may not",
            metadata: ["association": "\(info.id)", "calling": "\(info.callingAETitle)", "roles": "\(names)"])
        await record("not authorized: \(names)", info)
    }

    private func record(_ detail: String, _ info: AssociationInfo) async {
        try? await listener.audit.record(
            AuditRecord(
                category: .security, interaction: "A-ASSOCIATE", action: .execute, outcome: .minorFailure,
                access: info.access, entity: nil, detail: detail))
    }
}
