/// What a peer is told by DIMSE, as the outbox keeps it until it has been: who, what, and not how it stands. That is read
/// when it is told, so that what is told late is not told wrong.
package struct PeerNotice: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        /// How a performed procedure step stands, by its SOP Instance UID. PS3.4 §F.7.2.
        case performedStep(String, Phase)
        /// That the instances of a study can be had, by its UID. PS3.4 §R.3.
        case availability(String)
    }

    /// What of a step is told.
    package enum Phase: String, Sendable, Hashable {
        case begun, changed, ended
    }

    /// The kinds of its entries in the outbox.
    package static let performedStepKind = "performed-step"
    package static let availabilityKind = "instance-availability"

    /// The name of the peer.
    package let peer: String
    package let content: Content

    package init(peer: String, content: Content) {
        self.peer = peer
        self.content = content
    }

    /// As it is put into the outbox. What is told of one step, and of one study, is told in order.
    package var draft: OutboxDraft {
        switch content {
        case .performedStep(let uid, let phase):
            OutboxDraft(
                destination: "mpps/\(peer)", orderingKey: uid, kind: Self.performedStepKind,
                payload: Array("\(peer)\n\(uid)\n\(phase.rawValue)".utf8))
        case .availability(let uid):
            OutboxDraft(
                destination: "ian/\(peer)", orderingKey: uid, kind: Self.availabilityKind,
                payload: Array("\(peer)\n\(uid)".utf8))
        }
    }

    /// What an entry of the outbox holds; nil for those of others.
    package init?(_ entry: OutboxEntry) {
        let lines = String(decoding: entry.payload, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        switch entry.kind {
        case Self.performedStepKind:
            guard lines.count == 3, let phase = Phase(rawValue: lines[2]) else { return nil }
            self.init(peer: lines[0], content: .performedStep(lines[1], phase))
        case Self.availabilityKind:
            guard lines.count == 2 else { return nil }
            self.init(peer: lines[0], content: .availability(lines[1]))
        default: return nil
        }
    }
}

/// Puts notices for peers into the outbox, in the unit of work that gives cause for them: of performed procedure steps for
/// those that offer MPPS, of published studies for those that offer to be told of availability.
package struct PeerNotices: Sendable {
    package init() {}

    /// Takes the events of a unit.
    package func note(_ events: [DomainEvent], in unit: any UnitOfWork) throws {
        var seen: Set<DomainEvent> = []
        for event in events where seen.insert(event).inserted {
            switch event {
            case .performedStepChanged(let uid, let isNew): try note(step: uid, isNew: isNew, in: unit)
            case .studyPublished(let uid): try note(study: uid, in: unit)
            default: continue
            }
        }
    }

    /// What lies here for a while is not told to be had here.
    private func note(study uid: String, in unit: any UnitOfWork) throws {
        let peers = try unit.peers(offering: .ian)
        if peers.isEmpty { return }
        let series = try unit.series(in: uid)
        if !series.isEmpty, series.allSatisfy({ $0.archive != nil }) { return }
        for peer in peers { try unit.enqueue(PeerNotice(peer: peer.name, content: .availability(uid)).draft) }
    }

    /// Who made a step is not told of it.
    private func note(step uid: String, isNew: Bool, in unit: any UnitOfWork) throws {
        let peers = try unit.peers(offering: .mpps)
        if peers.isEmpty { return }
        let step = try PerformedProcedureStepService().step(uid, in: unit)
        let phase: PeerNotice.Phase = isNew ? .begun : step.status.isFinal ? .ended : .changed
        for peer in peers where peer.name != step.performedBy {
            try unit.enqueue(PeerNotice(peer: peer.name, content: .performedStep(uid, phase)).draft)
        }
    }
}
