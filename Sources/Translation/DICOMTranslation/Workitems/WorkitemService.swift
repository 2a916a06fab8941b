import DICOMData
import Workflow

/// The unified worklist: makes, changes and ends workitems, and puts into the outbox what their subscribers are told, in
/// the unit of work that gives cause for it. For DIMSE and for UPS-RS alike. PS3.4 Annex CC, PS3.18 §11.
package struct WorkitemService: Sendable {
    let lookedAtMax: Int

    /// - Parameter lookedAtMax: workitems that one new subscription looks at, all in one unit of work; keys of which the
    ///   store has an index make them fewer.
    package init(lookedAtMax: Int = 20_000) { self.lookedAtMax = lookedAtMax }

    // MARK: Workitems

    /// Keeps a new workitem, SCHEDULED. What is to be said beside its success, if anything. Throws ``AttributeProblem``
    /// and ``WorkitemRefusal``. PS3.4 §CC.2.5.
    package func create(
        _ attributes: DataSet, as sopInstanceUID: String, by creator: String, in unit: any UnitOfWork
    ) throws -> WorkitemWarning? {
        let workitems = try unit.workitems
        guard try workitems.workitem(sopInstanceUID) == nil else { throw WorkitemRefusal.duplicate }
        let (workitem, isModified) = try WorkitemDataSet.create(
            attributes, sopInstanceUID: sopInstanceUID, createdBy: creator, at: unit.time)
        try workitems.save(workitem)
        let kept = try WorkitemDataSet.attributes(of: workitem)
        for (receiver, state) in try Self.worklistStates(for: kept, in: workitems) {
            let after = WorkitemSubscription.none.after(.created(state))
            try workitems.save(WorkitemSubscriber(receiver: receiver, state: after.state), of: sopInstanceUID)
        }
        try tell(.state, WorkitemInformation.state(kept), of: sopInstanceUID, in: unit)
        if let assigned = WorkitemInformation.assigned(kept) {
            try tell(.assigned, assigned, of: sopInstanceUID, in: unit)
        }
        return isModified ? .modified : nil
    }

    /// Changes attributes. Throws ``AttributeProblem`` and ``WorkitemRefusal``. PS3.4 §CC.2.6.
    ///
    /// - Parameter transactionUID: that of the performer; nil for one that is SCHEDULED.
    package func update(
        _ sopInstanceUID: String, with changes: DataSet, by transactionUID: String?, in unit: any UnitOfWork
    ) throws {
        var workitem = try find(sopInstanceUID, in: unit)
        try workitem.checkUpdate(by: transactionUID)
        let (attributes, changed) = try WorkitemDataSet.update(&workitem, with: changes, at: unit.time)
        try unit.workitems.save(workitem)
        if changed.contains(.inputReadiness) {
            try tell(.state, WorkitemInformation.state(attributes), of: sopInstanceUID, in: unit)
        }
        if changed.contains(.assignment) {
            let assigned = WorkitemInformation.assigned(attributes) ?? DataSet()
            try tell(.assigned, assigned, of: sopInstanceUID, in: unit)
        }
        if changed.contains(.progress) {
            try tell(.progress, WorkitemInformation.progress(attributes), of: sopInstanceUID, in: unit)
        }
    }

    /// Moves a workitem to another state by its performer. What is to be said beside its success, if anything. Throws
    /// ``WorkitemRefusal``. PS3.4 §CC.2.1.
    package func change(
        _ sopInstanceUID: String, to state: Workitem.State, by transactionUID: String?, in unit: any UnitOfWork
    ) throws -> WorkitemWarning? {
        var workitem = try find(sopInstanceUID, in: unit)
        var attributes = try WorkitemDataSet.decoded(workitem)
        let warning = try workitem.change(to: state, by: transactionUID) { state in
            if state == .canceled { WorkitemDataSet.supplementCancellation(&attributes, at: unit.time) }
            return WorkitemDataSet.meets(state, attributes)
        }
        if let warning { return warning }
        try keep(&attributes, in: &workitem, unit)
        return nil
    }

    /// Takes the request of somebody else than the performer to cancel a workitem. What is to be said beside its success,
    /// if anything. Throws ``AttributeProblem`` and ``WorkitemRefusal``. PS3.4 §CC.2.2.
    ///
    /// - Parameters:
    ///   - request: the action information; may be empty.
    ///   - requester: an AE title.
    package func requestCancellation(
        _ sopInstanceUID: String, _ request: DataSet, by requester: String, in unit: any UnitOfWork
    ) throws -> WorkitemWarning? {
        var workitem = try find(sopInstanceUID, in: unit)
        let isWatched = try !unit.workitems.subscribers(of: sopInstanceUID).isEmpty
        let outcome = try workitem.cancellation(isWatched: isWatched)
        if outcome == .already { return .alreadyCanceled }
        let information = WorkitemInformation.cancelRequested(request, by: requester)
        try tell(.cancelRequested, information, of: sopInstanceUID, in: unit)
        guard outcome == .ends else { return nil }
        // By way of IN PROGRESS, which those who watch see.
        var attributes = try WorkitemDataSet.decoded(workitem)
        for state in [Workitem.State.inProgress, .canceled] {
            workitem.state = state
            if state == .canceled {
                WorkitemDataSet.supplementCancellation(&attributes, request: request, at: unit.time)
            }
            try keep(&attributes, in: &workitem, unit)
        }
        return nil
    }

    /// All attributes of a workitem but its Transaction UID. Throws ``WorkitemRefusal`` `.unknown`.
    package func attributes(of sopInstanceUID: String, in unit: any UnitOfWork) throws -> DataSet {
        try WorkitemDataSet.attributes(of: try find(sopInstanceUID, in: unit))
    }

    func find(_ sopInstanceUID: String, in unit: any UnitOfWork) throws -> Workitem {
        guard let workitem = try unit.workitems.workitem(sopInstanceUID) else { throw WorkitemRefusal.unknown }
        return workitem
    }

    /// Keeps a workitem in a new state, and tells of it.
    private func keep(_ attributes: inout DataSet, in workitem: inout Workitem, _ unit: any UnitOfWork) throws {
        try WorkitemDataSet.keep(&attributes, in: &workitem, at: unit.time)
        try unit.workitems.save(workitem)
        try tell(.state, WorkitemInformation.state(attributes), of: workitem.sopInstanceUID, in: unit)
    }

    // MARK: Reports

    /// Tells all subscribers of a workitem.
    private func tell(
        _ kind: WorkitemReport.Kind, _ information: DataSet, of sopInstanceUID: String, in unit: any UnitOfWork
    ) throws {
        let subscribers = try unit.workitems.subscribers(of: sopInstanceUID)
        try tell(subscribers.map(\.receiver), kind, information, of: sopInstanceUID, in: unit)
    }

    /// Throws ``AttributeProblem`` `.tooMuch` past the bytes of a report.
    func tell(
        _ receivers: [String], _ kind: WorkitemReport.Kind, _ information: DataSet, of sopInstanceUID: String,
        in unit: any UnitOfWork
    ) throws {
        if receivers.isEmpty { return }
        let bytes: [UInt8]
        do {
            bytes = try WorkitemDataSet.encoded(information, bytesMax: WorkitemReport.informationBytesMax)
        } catch AttributeProblem.tooMuch {
            throw AttributeProblem.tooMuch(information.elements.max { $0.size < $1.size }?.tag ?? .transactionUID)
        }
        for receiver in receivers {
            try unit.enqueue(
                WorkitemReport(receiver: receiver, sopInstanceUID: sopInstanceUID, kind: kind, information: bytes).draft
            )
        }
    }

    /// The Global Subscription State of each receiver for a new workitem: with a lock where any of its subscriptions that
    /// take it in has one.
    private static func worklistStates(
        for attributes: DataSet, in workitems: any WorkitemUnit
    ) throws -> [String: WorkitemSubscription] {
        var states: [String: WorkitemSubscription] = [:]
        for subscription in try workitems.worklistSubscriptions() where states[subscription.receiver] != .withLock {
            guard try subscription.keys?.matches(attributes) ?? true else { continue }
            states[subscription.receiver] =
                subscription.hasLock ? .withLock : states[subscription.receiver] ?? .withoutLock
        }
        return states
    }
}

extension DataElement {
    /// Bytes, about.
    fileprivate var size: Int {
        bytes?.count ?? (items ?? []).reduce(0) { $0 + $1.elements.reduce(8) { $0 + $1.size } }
    }
}

extension WorklistSubscription {
    /// Nil for all workitems. Throws ``StoreError`` where what is kept cannot be read.
    var keys: WorkitemKeys? {
        get throws {
            guard let filter else { return nil }
            do {
                return try WorkitemKeys(
                    DataSetDecoder(transferSyntax: .explicitVRLittleEndian, limits: .stored).decode(filter))
            } catch {
                throw StoreError(.corrupt, "the keys of a subscription cannot be read")
            }
        }
    }
}
