import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import PixelCodecs
import Synchronization
import Workflow

/// Carries the instances that a site's rules send to one application entity, by C-STORE over pooled associations.
/// PS3.4 Annex B.
package struct StoreCourier: Courier {
    package var policy: DeliveryPolicy { forwarding.terms.policy }

    private let forwarding: Forwarding
    private let peer: String
    private let index: any ImagingIndex
    private let peers: any PeerDirectory
    private let caller: PeerCaller
    private let transcoding: PixelTranscoding?
    private let proposals = StoreProposals()
    private let sent = SentReferences()

    /// - Parameters:
    ///   - peer: the AE title of the destination, which must offer C-STORE.
    ///   - transcoding: decodes what the destination does not accept as it is stored; nil for no such thing.
    package init(
        _ forwarding: Forwarding, to peer: String, index: any ImagingIndex, peers: any PeerDirectory,
        caller: PeerCaller, transcoding: PixelTranscoding? = nil
    ) {
        self.forwarding = forwarding
        self.peer = peer
        self.index = index
        self.peers = peers
        self.caller = caller
        self.transcoding = transcoding
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        await forwarding.deliver(entry) { item in
            switch await peers.receiver(peer, offering: .store) {
            // Not withdrawn: the rule that sends it there stands, and the peer may be set right.
            case .failure(let none):
                if case .withdrawn(let text) = none.outcome { .unreachable(text) } else { none.outcome }
            case .success(let peer): noted(item, of: entry, await send(item, of: entry, to: peer))
            }
        }
    }

    package func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws {
        try forwarding.settled(entry, verdict, in: unit)
        guard case .done = verdict, let forwarded = ForwardedInstance(entry), let reference = sent.reference(of: entry)
        else { return }
        try unit.peerCommitments.save(SentInstance(forwarded, as: reference, at: unit.time))
    }

    /// Remembers what the peer knows an instance as until the verdict on its entry is kept. A process that ends before
    /// sends it again.
    private func noted(_ item: Forwarding.Item, of entry: OutboxEntry, _ outcome: DeliveryOutcome) -> DeliveryOutcome {
        if forwarding.terms.asksCommitment, outcome == .delivered {
            sent.note(entry, .init(sopClassUID: item.sopClassUID, sopInstanceUID: item.sopInstanceUID))
        }
        return outcome
    }

    private func send(_ item: Forwarding.Item, of entry: OutboxEntry, to peer: Peer) async -> DeliveryOutcome {
        let own = StoreProposals.own(item, as: peer.transferSyntaxes, decodes: transcoding != nil)
        guard !own.isEmpty else {
            return .permanent("\(peer.name) is to be proposed no transfer syntax that the instance can be sent in")
        }
        let isBegun = Mutex(false)
        let outcome = await caller.call(peer, contexts: proposals.with(own), within: nil) { association in
            let negotiated = association.invoker.negotiated
            guard let context = context(for: item, in: negotiated) else {
                let syntax = item.rewritten?.storedSyntax.uid ?? item.instance.transferSyntaxUID
                return .permanent("\(peer.name) accepts no context for class \(item.sopClassUID) stored as \(syntax)")
            }
            isBegun.withLock { $0 = true }
            do {
                return self.outcome(try await store(item, on: context, by: association.invoker), of: entry, at: peer)
            } catch let error as StoreError {
                return Forwarding.outcome(error)
            } catch let error as PixelCodecError {
                return Forwarding.outcome(error)
            } catch let error as any PixelCodingFailure {
                // A process that died of a frame may have had too little memory.
                let text = "the instance could not be decoded, as which it would be accepted"
                return error.isTemporary ? .transient(text) : forwarding.failed(entry, text)
            }
        }
        // A peer that breaks off over one instance may take others.
        if case .unreachable = outcome, isBegun.withLock({ $0 }) {
            return forwarding.failed(
                entry, "\(peer.name) ended the association, or fell silent, while it was sent an instance")
        }
        return outcome
    }

    /// PS3.4 Table B.2-1.
    private func outcome(_ status: DIMSEStatus, of entry: OutboxEntry, at peer: Peer) -> DeliveryOutcome {
        // The answer to the attempt before was lost, or it was sent anew because it was not committed to: that is asked.
        let wasSent = entry.attempts > 0 || ForwardedInstance(entry).map { $0.tries > 0 } ?? false
        if status == .duplicateSOPInstance, wasSent { return .delivered }
        // What is full for one is full for the next.
        if (0xA700...0xA7FF).contains(status.rawValue) {
            return .overloaded("\(peer.name) answers \(status) to C-STORE", retryAfterSeconds: nil)
        }
        let outcome = DeliveryOutcome.answered(status, by: peer.name, to: "C-STORE")
        if case .transient(let text) = outcome { return forwarding.failed(entry, text) }
        return outcome
    }

    private func context(
        for item: Forwarding.Item, in negotiated: NegotiatedAssociation
    ) -> PresentationContext? {
        guard let rewritten = item.rewritten else {
            return OpenedInstance.context(
                for: item.instance, in: negotiated, byRequestor: true, decodes: transcoding != nil)
        }
        let accepted = negotiated.contexts.filter {
            $0.abstractSyntax == rewritten.sopClassUID && $0.permits(.cStoreRequest, byRequestor: true)
        }
        let decoded = StoreProposals.decoded(rewritten, decodes: transcoding != nil)
        return (rewritten.transferSyntaxes + decoded).lazy.compactMap { syntax in
            accepted.first { $0.transferSyntax == syntax.uid }
        }.first
    }

    private func store(
        _ item: Forwarding.Item, on context: PresentationContext, by invoker: OperationInvoker
    ) async throws -> DIMSEStatus {
        let terms = forwarding.terms
        var pace: OpenedInstance.Pace?
        if let rate = item.bytesPerSecond { pace = { try await terms.pace.take($0, bytesPerSecond: rate) } }
        let opened = try await OpenedInstance.open(item.instance, reading: item.reader)
        guard let rewritten = item.rewritten else {
            return try await opened.store(
                on: context, by: invoker, originator: nil, pace: pace, transcoding: transcoding
            ) {
                try await index.headers(
                    studyInstanceUID: item.instance.studyInstanceUID,
                    seriesInstanceUID: item.instance.seriesInstanceUID, sopInstanceUID: item.instance.sopInstanceUID,
                    after: nil, limit: 1, access: .server(requestID: "forward")
                ).first
            }
        }
        // What was changed, or de-identified, never goes as it is stored.
        guard let syntax = TransferSyntax(uid: context.transferSyntax) else { throw SCUError.responseNotUnderstood }
        let (classUID, instanceUID) = (rewritten.sopClassUID, rewritten.sopInstanceUID)
        let makeCommand = { @Sendable (messageID: UInt16) in
            CommandSet.cStoreRequest(messageID: messageID, sopClassUID: classUID, sopInstanceUID: instanceUID)
        }
        if let transcoding, PixelTranscoding.decompresses(rewritten.storedSyntax, to: syntax) {
            let decoded = try await OpenedInstance.decoded {
                try await transcoding.instance(rewritten, in: syntax, from: item.reader)
            }
            return try await opened.store(decoded, on: context, by: invoker, pace: pace, makeCommand)
        }
        let recoded = try await rewritten.encoded(in: syntax, from: item.reader)
        return try await opened.store(recoded, on: context, by: invoker, pace: pace, makeCommand)
    }
}

/// What instances are known as where they were just sent, by their entries of the outbox. One is read as often as the unit
/// of work that keeps the verdict is tried.
private final class SentReferences: Sendable {
    /// More than may be between delivery and verdict at a time.
    private static let countMax = 256

    private struct State {
        var references: [Int64: SentInstance.Reference] = [:]
        var order: [Int64] = []
    }
    private let state = Mutex(State())

    func note(_ entry: OutboxEntry, _ reference: SentInstance.Reference) {
        state.withLock { state in
            if state.references.updateValue(reference, forKey: entry.number) == nil { state.order.append(entry.number) }
            if state.order.count > Self.countMax { state.references[state.order.removeFirst()] = nil }
        }
    }

    func reference(of entry: OutboxEntry) -> SentInstance.Reference? {
        state.withLock { $0.references[entry.number] }
    }
}

/// The contexts that are proposed to one destination: those of all that was sent there, so that one association serves
/// instances of many kinds one after another.
final class StoreProposals: Sendable {
    struct Proposal: Hashable, Sendable {
        let sopClassUID: String
        let transferSyntaxes: [String]
    }

    private let known = Mutex<[Proposal]>([])

    /// What an instance itself needs: its class as it is stored, and apart from it without compression where it can be
    /// had so, for an acceptor picks one syntax of a context.
    ///
    /// - Parameters:
    ///   - preferred: UIDs of the transfer syntaxes that the peer is proposed, in their order; empty for all.
    ///   - decodes: whether what is stored with compression can be decoded.
    static func own(_ item: Forwarding.Item, as preferred: [String], decodes: Bool = false) -> [Proposal] {
        func proposed(_ uids: [String]) -> [String] {
            preferred.isEmpty ? uids : preferred.filter(uids.contains)
        }
        let lists: [[String]]
        if let rewritten = item.rewritten {
            lists = [rewritten.transferSyntaxes.map(\.uid), decoded(rewritten, decodes: decodes).map(\.uid)]
        } else {
            let stored = TransferSyntax(uid: item.instance.transferSyntaxUID)
            let others = [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian].filter { syntax in
                syntax != stored
                    && stored.map {
                        RecodedDataSet.isPossible(from: $0, to: syntax)
                            || (decodes && PixelTranscoding.decompresses($0, to: syntax))
                    } ?? false
            }
            lists = [[item.instance.transferSyntaxUID], others.map(\.uid)]
        }
        return lists.map(proposed).filter { !$0.isEmpty }.map {
            Proposal(sopClassUID: item.sopClassUID, transferSyntaxes: $0)
        }
    }

    /// What a changed instance can be sent in once it is decoded.
    static func decoded(_ rewritten: RewrittenInstance, decodes: Bool) -> [TransferSyntax] {
        [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian].filter {
            decodes && PixelTranscoding.decompresses(rewritten.storedSyntax, to: $0)
        }
    }

    /// The contexts of an association for an instance; those of others too, as long as there is room.
    func with(_ own: [Proposal]) -> [(abstractSyntax: String, transferSyntaxes: [String])] {
        let all = known.withLock { known in
            let new = own.filter { !known.contains($0) }
            if known.count + new.count > StorageSCU.contextsMax { known = own } else { known += new }
            return known
        }
        return all.map { ($0.sopClassUID, $0.transferSyntaxes) }
    }
}
