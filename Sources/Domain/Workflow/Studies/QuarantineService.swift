import Access

/// Carries out what a person decides about images that identifiers alone did not place. A decision holds against later
/// automatic reconciliation until it is undone. IHE RAD TF-1 §4 (PIR), IHE RAD IOCM.
package struct QuarantineService: Sendable {
    package init() {}

    /// Carries one decision out, with its audit row. Throws ``Refusal``.
    package func decide(_ request: QuarantineRequest, in unit: any UnitOfWork) throws {
        let reason = request.reason
        guard reason.utf8.contains(where: { $0 > 0x20 }) else { throw Refusal.reasonMissing }
        guard reason.utf8.count <= QuarantineDecision.reasonBytesMax, !reason.utf8.contains(0) else {
            throw Refusal.reasonTooLong
        }
        let uid = request.studyInstanceUID
        let before = try orders(of: uid, in: unit)
        let patient = try unit.study(uid)?.reconciliation.patientID
        switch request.ask {
        case .undo: try undo(request, in: unit)
        case .accept: try accept(request, in: unit)
        case .relink(let target): try relink(request, to: target, in: unit)
        case .reject: try reject(request, in: unit)
        }
        try tellReports(of: uid, before: before, in: unit)
        let place = [request.seriesInstanceUID.map { "series \($0)" }, request.sopInstanceUID.map { "instance \($0)" }]
            .compactMap { $0 }.joined(separator: " ")
        // A study of which nothing is left was the patient's that it had.
        let link = try unit.study(uid)?.reconciliation.patientID ?? patient
        try unit.audit(
            AuditRecord(
                category: .application, interaction: "quarantine-\(request.ask.name)", action: .update,
                outcome: .success, access: unit.access, entity: "study:\(uid)", patientID: link?.value,
                query: place.isEmpty ? nil : place, detail: request.title.map { "\($0.code): \(reason)" } ?? reason))
    }

    /// A decision of the unit's caller.
    private func decision(
        _ action: QuarantineDecision.Action, _ request: QuarantineRequest, instead automatic: Reconciliation,
        in unit: any UnitOfWork
    ) -> QuarantineDecision {
        let principal = unit.access.principal
        var decision = QuarantineDecision(
            action: action, reason: request.reason, decidedBy: "\(principal.kind.rawValue):\(principal.id)",
            decidedAt: unit.time, automatic: automatic)
        decision.title = request.title
        return decision
    }

    // MARK: Accept and relink

    private func accept(_ request: QuarantineRequest, in unit: any UnitOfWork) throws {
        let named = try series(request, in: unit)
        var links: [String: Reconciliation] = [:]
        var accepted = named.filter { series in
            request.sopInstanceUID.map(series.keptAside.contains)
                ?? (series.reconciliation.isQuarantined || !series.keptAside.isEmpty)
        }
        guard !accepted.isEmpty else { throw Refusal.notKeptAside }
        for index in accepted.indices {
            let series = accepted[index]
            if series.reconciliation.isQuarantined {
                guard request.sopInstanceUID == nil else { throw Refusal.instanceAlone }
                links[series.seriesInstanceUID] = try namedLink(of: series, in: unit)
                continue
            }
            for place in series.asides.indices where series.asides[place].decision == nil {
                let aside = series.asides[place]
                guard request.sopInstanceUID ?? aside.sopInstanceUID == aside.sopInstanceUID else { continue }
                accepted[index].asides[place].decision = decision(
                    .accept, request, instead: .quarantined(aside.reason), in: unit)
            }
        }
        try link(accepted, links, .accept, request, in: unit)
    }

    private func relink(_ request: QuarantineRequest, to target: QuarantineRequest.Target, in unit: any UnitOfWork)
        throws
    {
        guard request.sopInstanceUID == nil else { throw Refusal.instanceAlone }
        let named = try series(request, in: unit)
        let link = try self.link(to: target, in: unit)
        let links = Dictionary(uniqueKeysWithValues: named.map { ($0.seriesInstanceUID, link) })
        try self.link(named, links, .relink, request, in: unit)
    }

    /// Saves series with the links that they are given; those without one as they are.
    private func link(
        _ changed: [Series], _ links: [String: Reconciliation], _ action: QuarantineDecision.Action,
        _ request: QuarantineRequest, in unit: any UnitOfWork
    ) throws {
        let uid = request.studyInstanceUID
        let patients = Set(links.values.compactMap(\.patientID))
        for other in try unit.series(in: uid) where links[other.seriesInstanceUID] == nil {
            if let patientID = other.reconciliation.patientID, !patients.isEmpty, patients != [patientID] {
                throw Refusal.studyOfAnotherPatient(seriesInstanceUID: other.seriesInstanceUID)
            }
        }
        if patients.count > 1, let first = changed.first {
            throw Refusal.studyOfAnotherPatient(seriesInstanceUID: first.seriesInstanceUID)
        }
        for var series in changed {
            if let link = links[series.seriesInstanceUID] {
                series.decision = decision(
                    action, request, instead: try StudyService().identified(series, in: unit), in: unit)
                series.reconciliation = link
            }
            series.updatedAt = unit.time
            try unit.save(series)
        }
        try StudyService().lookAgain(uid, in: unit)
    }

    /// The link of a series to what it names, where a person says that this is right.
    private func namedLink(of series: Series, in unit: any UnitOfWork) throws -> Reconciliation {
        let identity = series.identity
        let patient: Patient
        switch try Reconciler().patient(identity, in: unit) {
        case .found(let living), .retired(let living, _): patient = living
        case .ambiguous(let ids): throw Refusal.namesSeveralPatients(ids)
        case nil, .some(.none), .some(.unidentified), .some(.contradicted): throw Refusal.namesNoPatient
        }
        func ofPatient(_ orders: [ImagingOrder]) -> [ImagingOrder] { orders.filter { $0.patientID == patient.id } }
        let byUID = ofPatient(try unit.orders(studyInstanceUID: series.studyInstanceUID))
        guard let accession = identity.accession else {
            return byUID.count == 1
                ? .matched(patientID: patient.id, orderID: byUID[0].id) : .unscheduled(patientID: patient.id)
        }
        var orders = ofPatient(try unit.orders(identifiedBy: accession, as: .accession))
        let both = orders.filter { order in byUID.contains { $0.id == order.id } }
        if both.count == 1 { orders = both }
        if orders.count > 1 { throw Refusal.namesSeveralOrders(orders.map(\.id)) }
        return orders.first.map { .matched(patientID: patient.id, orderID: $0.id) }
            ?? .unscheduled(patientID: patient.id)
    }

    private func link(to target: QuarantineRequest.Target, in unit: any UnitOfWork) throws -> Reconciliation {
        switch target {
        case .order(.id(let id)):
            guard let order = try unit.order(id) else { throw Refusal.unknownTarget }
            return .matched(patientID: order.patientID, orderID: order.id)
        case .order(.number(let system, let value)):
            let number = Identifier(system: system, value: value)
            var found: [ImagingOrder] = []
            for role in [OrderIdentifierRole.accession, .placer, .filler] {
                for order in try unit.orders(identifiedBy: number, as: role)
                where !found.contains(where: { $0.id == order.id }) {
                    found.append(order)
                }
            }
            if found.count > 1 { throw Refusal.ambiguousTarget(found.map(\.id)) }
            guard let order = found.first else { throw Refusal.unknownTarget }
            return .matched(patientID: order.patientID, orderID: order.id)
        case .patient(.id(let id)):
            guard let patient = try unit.patient(id) else { throw Refusal.unknownTarget }
            return .unscheduled(patientID: try PatientService().survivor(of: patient, in: unit).id)
        case .patient(.number(let system, let value)):
            switch try PatientService().resolve([Identifier(system: system, value: value)], in: unit) {
            case .found(let living), .retired(let living, _): return .unscheduled(patientID: living.id)
            case .ambiguous(let ids): throw Refusal.ambiguousTarget(ids)
            case .none, .unidentified, .contradicted: throw Refusal.unknownTarget
            }
        }
    }

    // MARK: Reject

    private func reject(_ request: QuarantineRequest, in unit: any UnitOfWork) throws {
        let named = try series(request, in: unit)
        guard let study = try unit.study(request.studyInstanceUID) else { throw Refusal.unknown }
        for var series in named {
            let uid = series.seriesInstanceUID
            let decision = decision(.reject, request, instead: series.reconciliation, in: unit)
            var single = request.sopInstanceUID.map { [$0] }
            // What is taken again is so one by one: what comes of the series later is not rejected.
            if single == nil, request.title?.takesAgain == true {
                single = try unit.instances(in: uid, of: study.studyInstanceUID).map(\.sopInstanceUID)
            }
            if let single {
                try hide(single, of: series, in: study, decision, in: unit)
                continue
            }
            var rejected =
                try unit.rejectedSeries(uid, in: study.studyInstanceUID)
                ?? RejectedSeries(study: study, series: series)
            rejected.decision = decision
            series.decision = nil
            rejected.series = series
            try unit.removeSeries(uid, in: study.studyInstanceUID)
            try unit.reject(nil, of: rejected)
        }
        try settle(study, in: unit)
    }

    /// Takes single instances of a series out of all answers, and the series when none is left of it. The study is to be
    /// settled after it.
    func hide(
        _ sopInstanceUIDs: [String], of series: Series, in study: Study, _ decision: QuarantineDecision,
        in unit: any UnitOfWork
    ) throws {
        var series = series
        let (studyUID, uid) = (study.studyInstanceUID, series.seriesInstanceUID)
        var rejected = try unit.rejectedSeries(uid, in: studyUID) ?? RejectedSeries(study: study, series: series)
        let asides = Dictionary(series.asides.map { ($0.sopInstanceUID, $0) }) { $1 }
        let hidden = Set(sopInstanceUIDs)
        for sop in hidden {
            let aside = asides[sop]
            var own = decision
            own.automatic = aside.map { .quarantined($0.reason) } ?? series.reconciliation
            rejected.instances[sop] = RejectedSeries.RejectedInstance(
                decision: own, identity: aside?.identity ?? series.identity)
        }
        series.asides.removeAll { hidden.contains($0.sopInstanceUID) }
        try unit.save(series)
        try unit.reject(hidden.sorted(), of: rejected)
        if try !unit.hasInstances(in: uid, of: studyUID) { try unit.removeSeries(uid, in: studyUID) }
    }

    /// Brings a study in line with the series that are left of it; without any it is gone.
    func settle(_ study: Study, in unit: any UnitOfWork) throws {
        let uid = study.studyInstanceUID
        let left = try unit.series(in: uid)
        guard !left.isEmpty else {
            try unit.removeStudy(uid)
            try unit.awaitPublication(of: uid, isDue: true)
            return unit.emit(.studyRemoved(study.id))
        }
        var study = study
        _ = study.tell(of: left)
        try unit.save(study)
        try unit.rebuildKeys(ofStudy: uid)
        try StudyService().lookAgain(uid, in: unit)
    }

    // MARK: Undo

    private func undo(_ request: QuarantineRequest, in unit: any UnitOfWork) throws {
        let uid = request.studyInstanceUID
        func isNamed(_ seriesUID: String) -> Bool { request.seriesInstanceUID ?? seriesUID == seriesUID }
        // What was certain of the study's patient comes back first: the rest is looked at beside it.
        let all = try unit.rejectedSeries(in: uid).filter { isNamed($0.series.seriesInstanceUID) }.map {
            try whole($0, in: unit)
        }
        let rejected =
            all.filter { !$0.series.reconciliation.isQuarantined }
            + all.filter { $0.series.reconciliation.isQuarantined }
        func stored() throws -> [Series] { try unit.series(in: uid).filter { isNamed($0.seriesInstanceUID) } }
        // What a note announced, and has not come yet, is not rejected any more when it comes.
        var isUndone =
            try unit.forgetAwaitedRejections(
                ofStudy: uid, seriesInstanceUID: request.seriesInstanceUID, sopInstanceUID: request.sopInstanceUID) > 0
        if try !isUndone && rejected.isEmpty && stored().isEmpty { throw Refusal.unknown }
        for kept in rejected {
            if let sop = request.sopInstanceUID {
                guard kept.instances[sop] != nil else { continue }
                // An instance does not come back without its series.
                if kept.decision != nil { throw Refusal.isRejected }
                try restore(kept, [sop], in: unit)
            } else {
                try restore(kept, nil, in: unit)
            }
            isUndone = true
        }
        for var series in try stored() {
            let old = series
            if request.sopInstanceUID == nil { series.decision = nil }
            for index in series.asides.indices
            where request.sopInstanceUID ?? series.asides[index].sopInstanceUID == series.asides[index].sopInstanceUID {
                series.asides[index].decision = nil
            }
            if series == old { continue }
            // What identifiers give now is the link, whatever was certain meanwhile.
            if old.decision != nil, series.decision == nil { series.reconciliation = .quarantined(.missingPatientID) }
            try unit.save(series)
            isUndone = true
        }
        guard isUndone else { throw Refusal.notDecided }
        try StudyService().lookAgain(uid, in: unit)
    }

    /// What was rejected of a series with all that was decided of single instances.
    package func whole(_ kept: RejectedSeries, in unit: any UnitOfWork) throws -> RejectedSeries {
        var whole = kept
        whole.add(
            try unit.rejections(
                of: kept.series.seriesInstanceUID, in: kept.study.studyInstanceUID, sopInstanceUIDs: nil))
        return whole
    }

    /// Puts what was rejected of a series back: all of it, nil, or single instances of one that is not rejected itself.
    ///
    /// - Parameter kept: tells of these instances, and, where nothing else of the series is in answers, of all others.
    func restore(_ kept: RejectedSeries, _ named: [String]?, in unit: any UnitOfWork) throws {
        let (uid, seriesUID) = (kept.study.studyInstanceUID, kept.series.seriesInstanceUID)
        let single = named ?? kept.instances.keys.sorted()
        var left = kept
        for sop in single { left.instances[sop] = nil }
        if named == nil { left.decision = nil }
        if try unit.study(uid) == nil {
            var study = kept.study
            study.reconciliation = .quarantined(.missingPatientID)
            study.updatedAt = unit.time
            try unit.save(study)
        }
        var series: Series
        if let stored = try unit.series(seriesUID, in: uid) {
            series = stored
        } else {
            series = kept.series
            series.decision = nil
            series.asides.removeAll { kept.instances[$0.sopInstanceUID] != nil }
            series.updatedAt = unit.time
            series.reconciliation = try StudyService().link(of: series, in: unit)
            try unit.save(series)
        }
        try unit.restore(named, of: left)
        // What was sent here while it was rejected is kept here, and its series with it.
        if series.archive != nil, try unit.instances(in: seriesUID, of: uid).contains(where: { $0.archive == nil }) {
            series.archive = nil
        }
        // All that name somebody else come back aside first: none of them goes with the series, whatever that then takes.
        let others = single.compactMap { sop -> Series.Aside? in
            guard let identity = kept.instances[sop]?.identity, identity != series.identity else { return nil }
            return Series.Aside(sopInstanceUID: sop, identity: identity, reason: .inconsistentSeries)
        }
        series.asides += others
        if !others.isEmpty { series.isVaried = true }
        for aside in others {
            series.asides.removeAll { $0 == aside }
            try StudyService().place(aside.sopInstanceUID, aside.identity, in: &series, in: unit)
        }
        try unit.save(series)
        guard var study = try unit.study(uid) else { return }
        study.hasAsides = study.hasAsides || !series.asides.isEmpty
        let links = try unit.series(in: uid).map(\.reconciliation)
        study.reconciliation = StudyService.studyLink(links) ?? study.reconciliation
        try unit.save(study)
    }

    // MARK: Details

    /// The series that a request names.
    private func series(_ request: QuarantineRequest, in unit: any UnitOfWork) throws -> [Series] {
        let uid = request.studyInstanceUID
        var seriesUID = request.seriesInstanceUID
        if let sop = request.sopInstanceUID {
            if try unit.rejectedInstance(sop)?.studyInstanceUID == uid { throw Refusal.isRejected }
            guard let instance = try unit.instance(sop), instance.studyInstanceUID == uid,
                seriesUID ?? instance.seriesInstanceUID == instance.seriesInstanceUID
            else { throw Refusal.unknown }
            seriesUID = instance.seriesInstanceUID
        }
        let named = try unit.series(in: uid).filter { seriesUID ?? $0.seriesInstanceUID == $0.seriesInstanceUID }
        guard named.isEmpty else { return named }
        let isRejected = try unit.rejectedSeries(in: uid).contains {
            seriesUID ?? $0.series.seriesInstanceUID == $0.series.seriesInstanceUID
        }
        throw isRejected ? Refusal.isRejected : Refusal.unknown
    }

    func orders(of uid: String, in unit: any UnitOfWork) throws -> Set<EntityID> {
        Set(try unit.series(in: uid).compactMap(\.reconciliation.orderID))
    }

    /// Reports of an order that has lost the study do not point to it any more; those of one that got it do.
    func tellReports(of uid: String, before: Set<EntityID>, in unit: any UnitOfWork) throws {
        let after = try orders(of: uid, in: unit)
        for orderID in before.symmetricDifference(after).sorted(by: { $0.value < $1.value }) {
            guard let order = try unit.order(orderID) else { continue }
            for var report in try unit.reports(on: order) {
                if !report.orderIDs.contains(where: after.contains), report.studyInstanceUIDs.contains(uid) {
                    report.studyInstanceUIDs.removeAll { $0 == uid }
                    try unit.save(report)
                }
                unit.emit(.reportChanged(report.id))
            }
        }
    }
}
