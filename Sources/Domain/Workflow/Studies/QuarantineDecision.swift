import Access

/// What a person decided about images, and holds against whatever is reconciled by itself later.
package struct QuarantineDecision: Sendable, Hashable, Codable {
    package enum Action: String, Sendable, Hashable, Codable, CaseIterable {
        /// They belong to the patient and order that they name.
        case accept
        /// They belong to an order or patient that the person named.
        case relink
        /// They are in no answer, and kept until the rejection is undone.
        case reject
    }
    package var action: Action
    /// Why, in the person's words.
    package var reason: String
    /// Kind and id of who decided, joined by a colon.
    package var decidedBy: String
    package var decidedAt: UTCInstant
    /// What the identifiers led to when it was decided.
    package var automatic: Reconciliation
    /// What they lead to now, where that is certain, new, and another patient or order than was decided: for a person to
    /// look at again.
    package var contradiction: Reconciliation?
    /// Of a rejection that was coded: its document title.
    package var title: RejectionTitle?

    /// Bytes of UTF-8 of a reason.
    package static let reasonBytesMax = 1_000

    package init(
        action: Action, reason: String, decidedBy: String, decidedAt: UTCInstant, automatic: Reconciliation
    ) {
        self.action = action
        self.reason = reason
        self.decidedBy = decidedBy
        self.decidedAt = decidedAt
        self.automatic = automatic
    }

    /// The same with what the identifiers lead to now beside the link that was decided.
    func compared(_ link: Reconciliation, with decided: Reconciliation) -> QuarantineDecision {
        let isOther =
            link.patientID != decided.patientID || (link.orderID != nil && link.orderID != decided.orderID)
        var compared = self
        compared.contradiction = !link.isQuarantined && isOther && link != automatic ? link : nil
        return compared
    }
}

/// What is kept of a series of which all or single instances were rejected: enough to put it back.
package struct RejectedSeries: Sendable, Hashable, Codable {
    /// As they were when the first of it was rejected.
    package var study: Study
    package var series: Series
    /// Of the whole series, also of what arrives of it later; nil when only single instances were rejected.
    package var decision: QuarantineDecision?
    /// The single instances that were rejected, by SOP Instance UID, as far as they are told of here.
    package var instances: [String: RejectedInstance]
    /// When something of it was last rejected.
    package var rejectedAt: UTCInstant {
        (instances.values.map(\.decision) + [decision].compactMap { $0 }).map(\.decidedAt).max() ?? study.updatedAt
    }

    package struct RejectedInstance: Sendable, Hashable, Codable {
        package var decision: QuarantineDecision
        package var identity: InstanceIdentity
    }
    /// Adds what is told of single instances.
    package mutating func add(_ more: [String: RejectedInstance]) { instances.merge(more) { $1 } }

    package init(
        study: Study, series: Series, decision: QuarantineDecision? = nil,
        instances: [String: RejectedInstance] = [:]
    ) {
        self.study = study
        self.series = series
        self.decision = decision
        self.instances = instances
    }
}

/// Which series of the quarantine are asked for.
package enum QuarantineState: String, Sendable, Hashable, CaseIterable {
    /// Nobody has decided, or what is known now contradicts the decision.
    case waiting
    /// A person gave them their patient.
    case decided
    /// A person took them out of all answers.
    case rejected
}

/// A series kept aside or decided about, with the values a person compares.
package struct QuarantinedSeries: Sendable, Hashable {
    package var study: Study
    package var series: Series
    /// Why it or its first instance is kept aside; nil once a person has given it its patient.
    package var reason: Reconciliation.Reason?
    /// How many instances that concerns.
    package var instances: Int
    package var decision: QuarantineDecision?
    /// Single instances that a person has decided about, by SOP Instance UID.
    package var instanceDecisions: [String: QuarantineDecision]

    package init(
        study: Study, series: Series, reason: Reconciliation.Reason?, instances: Int,
        decision: QuarantineDecision? = nil, instanceDecisions: [String: QuarantineDecision] = [:]
    ) {
        self.study = study
        self.series = series
        self.reason = reason
        self.instances = instances
        self.decision = decision
        self.instanceDecisions = instanceDecisions
    }

    /// Of a stored series with so many instances; nil when nothing of it is kept aside or decided about.
    package init?(_ series: Series, of study: Study, instances: Int) {
        let decided = series.asides.reduce(into: [:]) { $0[$1.sopInstanceUID] = $1.decision }
        let waiting = series.asides.filter { $0.decision == nil }
        self.init(
            study: study, series: series, reason: nil, instances: instances, decision: series.decision,
            instanceDecisions: decided)
        if case .quarantined(let why) = series.reconciliation {
            reason = why
        } else if let first = waiting.first {
            reason = first.reason
            self.instances = waiting.count
        } else if series.decision == nil {
            guard !decided.isEmpty else { return nil }
            self.instances = decided.count
        }
    }

    /// Of what was rejected of a series.
    package init(_ rejected: RejectedSeries, instances: Int) {
        self.init(
            study: rejected.study, series: rejected.series, reason: .rejected, instances: instances,
            decision: rejected.decision, instanceDecisions: rejected.instances.mapValues(\.decision))
    }

    package var state: QuarantineState {
        if reason == .rejected { return .rejected }
        let isContradicted = ([decision].compactMap { $0 } + instanceDecisions.values).contains {
            $0.contradiction != nil
        }
        return reason != nil || isContradicted ? .waiting : .decided
    }
}

/// The port of the person who decides about images that were kept aside.
package protocol QuarantineDesk: Sendable {
    /// Series of one state, or of all, newest first, at most so many.
    func quarantine(_ state: QuarantineState?, limit: Int, access: AccessContext) async throws -> [QuarantinedSeries]
    /// What of a study is kept aside, decided about or rejected; nil when nothing of the study is known.
    func quarantine(ofStudy studyInstanceUID: String, access: AccessContext) async throws -> [QuarantinedSeries]?
    /// Carries a decision out, with an audit row, and returns what of the study is then kept aside or decided about.
    /// Throws ``QuarantineService/Refusal``.
    func decide(_ request: QuarantineRequest, access: AccessContext) async throws -> [QuarantinedSeries]
}
