/// How studies are linked anew by what is known now.
extension StudyService {
    /// Links each series of a study anew by what is known now. What is certain is never given up for what is not, as long
    /// as its order is there and is still the same patient's; and what a person has decided stands.
    func relink(_ study: Study, in unit: any UnitOfWork) throws {
        var all: [Series] = []
        var known: [InstanceIdentity: Reconciliation] = [:]
        var changed = false
        for var series in try unit.series(in: study.studyInstanceUID) {
            let old = series
            if let decision = series.decision {
                series.decision = decision.compared(
                    try identified(series, in: unit, known: &known), with: series.reconciliation)
            } else {
                let link = try link(of: series, in: unit, known: &known)
                let isKept =
                    try link.isQuarantined && !series.reconciliation.isQuarantined
                    && stands(series.reconciliation, in: unit)
                if !isKept { series.reconciliation = link }
            }
            try relinkAsides(of: &series, in: unit, known: &known)
            if series != old {
                try unit.save(series)
                changed = true
            }
            all.append(series)
            if study.reconciliation.patientID == nil, let patientID = series.reconciliation.patientID,
                var first = try unit.study(study.studyInstanceUID), first.reconciliation.patientID == nil
            {
                first.reconciliation = .unscheduled(patientID: patientID)
                try unit.save(first)
            }
        }
        var study = study
        // What was kept aside may have told of its patient first.
        let toldOfAnother = study.tell(of: all)
        guard changed || toldOfAnother else { return }
        try save(study, all.map(\.reconciliation), in: unit)
        if toldOfAnother { try unit.rebuildKeys(ofStudy: study.studyInstanceUID) }
    }

    /// Looks again at the instances of a series that are kept aside. A decision stands, and shows what identifiers say now.
    private func relinkAsides(
        of series: inout Series, in unit: any UnitOfWork, known: inout [InstanceIdentity: Reconciliation]
    ) throws {
        var asides = series.asides
        var placeable: [Series.Aside] = []
        for index in asides.indices where asides[index].decision == nil {
            var own = series
            own.identity = asides[index].identity
            let link = try link(of: own, in: unit, known: &known)
            if case .quarantined(let reason) = link, own.identity != series.identity {
                asides[index].reason = reason
            } else {
                placeable.append(asides[index])
            }
        }
        series.asides = asides
        for instance in placeable {
            series.asides.removeAll { $0 == instance }
            series.isVaried = true
            try place(instance.sopInstanceUID, instance.identity, in: &series, in: unit, known: &known)
        }
        asides = series.asides
        for index in asides.indices {
            guard let decision = asides[index].decision else { continue }
            var own = series
            own.identity = asides[index].identity
            asides[index].decision = decision.compared(
                try identified(own, in: unit, known: &known), with: series.reconciliation)
        }
        series.asides = asides
    }

    /// Decides whether an instance of another identity than its series belongs to it, or is kept aside: by what the
    /// identities resolve to, not by their text. An accession number that is absent contradicts nothing.
    ///
    /// - Parameter known: what identities of the study lead to, as far as that was looked up.
    func place(
        _ sopInstanceUID: String, _ identity: InstanceIdentity, in series: inout Series, in unit: any UnitOfWork,
        known: inout [InstanceIdentity: Reconciliation]
    ) throws {
        if identity == series.identity { return }
        var own = series
        own.identity = identity
        let link = try link(of: own, in: unit, known: &known)
        func keepAside(_ reason: Reconciliation.Reason) {
            series.asides.append(
                Series.Aside(sopInstanceUID: sopInstanceUID, identity: identity, reason: reason))
        }
        switch (series.reconciliation.isQuarantined, link) {
        case (_, .quarantined(let reason)): keepAside(reason)
        case (true, _):
            // The series takes the identity that is certain; what had the other one is kept aside instead.
            guard case .quarantined(let reason) = series.reconciliation else { return }
            let former = series.identity
            let apart = Set(series.asides.map(\.sopInstanceUID) + [sopInstanceUID])
            series.asides += try unit.instances(in: series.seriesInstanceUID, of: series.studyInstanceUID)
                .map(\.sopInstanceUID).filter { !apart.contains($0) }
                .map { Series.Aside(sopInstanceUID: $0, identity: former, reason: reason) }
            series.identity = identity
            series.reconciliation = link
        case (false, _):
            let isOneOrder =
                link.orderID == nil || series.reconciliation.orderID == nil
                || link.orderID == series.reconciliation.orderID
            guard link.patientID == series.reconciliation.patientID, isOneOrder else {
                return keepAside(.inconsistentSeries)
            }
            // The one that names the order tells of both.
            if series.reconciliation.orderID == nil, link.orderID != nil, series.decision == nil {
                series.identity = identity
                series.reconciliation = link
            }
        }
    }

    private func stands(_ link: Reconciliation, in unit: any UnitOfWork) throws -> Bool {
        guard let orderID = link.orderID else { return true }
        return try unit.order(orderID)?.patientID == link.patientID
    }

    /// What the identifiers of a series lead to, whatever the rest of the study does.
    func identified(
        _ series: Series, in unit: any UnitOfWork, known: inout [InstanceIdentity: Reconciliation]
    ) throws -> Reconciliation {
        // What the same identifiers lead to is another thing for a copy.
        if series.archive == nil, let link = known[series.identity] { return link }
        let link = try Reconciler().reconcile(
            studyInstanceUID: series.studyInstanceUID, patientID: series.attributes.patientID,
            patientIDSystem: series.attributes.patientIDSystem, accessionNumber: series.attributes.accessionNumber,
            accessionSystem: series.attributes.accessionSystem, isCopy: series.archive != nil, in: unit)
        if series.archive == nil { known[series.identity] = link }
        return link
    }

    /// What a series is linked to beside the rest of its study.
    func link(
        of series: Series, in unit: any UnitOfWork, known: inout [InstanceIdentity: Reconciliation]
    ) throws -> Reconciliation {
        let link = try identified(series, in: unit, known: &known)
        // One study is one patient's: a series that names another is kept aside.
        if let patientID = link.patientID, let study = try unit.study(series.studyInstanceUID),
            let studyPatient = study.reconciliation.patientID, studyPatient != patientID
        {
            return .quarantined(.patientMismatch)
        }
        return link
    }

    // MARK: Single look-ups

    func identified(_ series: Series, in unit: any UnitOfWork) throws -> Reconciliation {
        var known: [InstanceIdentity: Reconciliation] = [:]
        return try identified(series, in: unit, known: &known)
    }

    func link(of series: Series, in unit: any UnitOfWork) throws -> Reconciliation {
        var known: [InstanceIdentity: Reconciliation] = [:]
        return try link(of: series, in: unit, known: &known)
    }

    func place(
        _ sopInstanceUID: String, _ identity: InstanceIdentity, in series: inout Series, in unit: any UnitOfWork
    ) throws {
        var known: [InstanceIdentity: Reconciliation] = [:]
        try place(sopInstanceUID, identity, in: &series, in: unit, known: &known)
    }
}
