/// Registers stored instances and keeps studies linked to patients and orders.
package struct StudyService: Sendable {
    package init() {}

    /// What became of a received instance.
    package enum Outcome: Sendable, Hashable {
        case stored(Reconciliation)
        /// The same instance with the same content was there: nothing to do, success to the sender.
        case duplicate
        /// The SOP Instance UID is in use for other content: refused, the stored one stays. PS3.7 §C.5.7 (0111H).
        case conflict
        /// The stored instance is another one than was looked at: to be looked at again.
        case changed
    }

    /// Registers an instance whose blob is durable.
    /// - Parameter compared: the blob of a stored instance that was found to be the same object.
    package func register(
        _ received: ReceivedInstance, sameAs compared: BlobID? = nil, in unit: any UnitOfWork
    ) throws -> Outcome {
        let instance = received.instance
        func isSame(_ stored: Instance) -> Bool { stored.blobID == instance.blobID || stored.blobID == compared }
        if let stored = try unit.instance(instance.sopInstanceUID) {
            let isInPlace =
                stored.studyInstanceUID == instance.studyInstanceUID
                && stored.seriesInstanceUID == instance.seriesInstanceUID
            guard isInPlace, isSame(stored) else { return .conflict }
            // Its sender is told that it is kept here. As an archive's copy it went nowhere, and nobody was told of it.
            if instance.archive == nil, stored.archive != nil {
                try keep(stored, in: unit)
                try unit.awaitPublication(of: instance.studyInstanceUID, isDue: false)
                // As a copy it decided nothing.
                if let note = received.rejection { try QuarantineService().follow(note, of: instance, in: unit) }
                if !received.routes.isEmpty,
                    let series = try unit.series(instance.seriesInstanceUID, in: instance.studyInstanceUID)
                {
                    try forward(received, series.reconciliation, in: unit)
                }
            }
            return .duplicate
        }
        // What was rejected stays so however often it comes.
        if let rejected = try unit.rejectedInstance(instance.sopInstanceUID) {
            guard isSame(rejected) else { return .conflict }
            if instance.archive == nil {
                try keep(rejected, in: unit)
                try QuarantineService().takeAgain(rejected, in: unit)
            }
            return .duplicate
        }
        if var rejected = try unit.rejectedSeries(instance.seriesInstanceUID, in: instance.studyInstanceUID),
            rejected.decision != nil
        {
            for authority in received.unknownAuthorities { try unit.note(authority) }
            rejected.series.updatedAt = unit.time
            // Whose it says that it is, is looked at when it comes back with its series.
            let identity = received.identity
            if identity != rejected.series.identity {
                rejected.series.asides.append(
                    Series.Aside(
                        sopInstanceUID: instance.sopInstanceUID, identity: identity, reason: .inconsistentSeries))
            } else if let words = rejected.series.attributes.patientWords, words != received.series.patientWords {
                rejected.series.isVaried = true
            }
            try unit.insert(received)
            try unit.reject([instance.sopInstanceUID], of: rejected)
            if let note = received.rejection, instance.archive == nil {
                try QuarantineService().follow(note, of: instance, in: unit)
            }
            return .stored(.quarantined(.rejected))
        }
        return .stored(try insert(received, in: unit))
    }

    /// Stores an instance that is new here, and does what it or a note before it says of what is rejected.
    private func insert(_ received: ReceivedInstance, in unit: any UnitOfWork) throws -> Reconciliation {
        let link = try place(received, in: unit)
        let service = QuarantineService()
        if let note = received.rejection, received.instance.archive == nil {
            try service.follow(note, of: received.instance, in: unit)
        }
        return try service.hideAwaited(received.instance, in: unit) ? .quarantined(.rejected) : link
    }

    private func place(_ received: ReceivedInstance, in unit: any UnitOfWork) throws -> Reconciliation {
        for authority in received.unknownAuthorities { try unit.note(authority) }
        let (link, isNews) = try seriesLink(received, in: unit)
        // What an instance adds to a series that is known changes nothing of the study: the cost stays the same however
        // many there are.
        if isNews { try updateStudy(received, link: link, in: unit) }
        try unit.insert(received)
        try unit.awaitPublication(of: received.instance.studyInstanceUID, isDue: false)
        try forward(received, link, in: unit)
        return link
    }

    /// Has the destinations of the site sent an instance that is kept here, by what is known of its order now.
    private func forward(_ received: ReceivedInstance, _ link: Reconciliation, in unit: any UnitOfWork) throws {
        guard !received.routes.isEmpty, received.instance.archive == nil else { return }
        let isOrderAsked = received.routes.contains { !$0.orders.isEmpty }
        let order = isOrderAsked ? try link.orderID.flatMap { try unit.order($0) } : nil
        for route in received.routes where route.takes(order) {
            try unit.enqueue(ForwardedInstance(received.instance, to: route.destination).draft)
        }
    }

    /// Decides about an instance that was found to differ from the stored one of its UID: refuses it, or puts it in the
    /// other's place, which is kept as a superseded version. Only within its series: elsewhere one of the two UIDs is
    /// wrong, and replacing would take an object out of another study.
    ///
    /// - Parameters:
    ///   - stored: what it was compared with.
    ///   - difference: the path of the first element that differs, when it is known.
    package func resolve(
        _ received: ReceivedInstance, against stored: Instance, difference: String?, policy: ConflictPolicy,
        in unit: any UnitOfWork
    ) throws -> Outcome {
        let instance = received.instance
        let rejected = try unit.rejectedInstance(instance.sopInstanceUID)
        guard let current = try unit.instance(instance.sopInstanceUID) ?? rejected, current.blobID == stored.blobID
        else { return .changed }
        // A copy follows its archive, and never takes the place of what is kept here.
        let mayReplace = instance.archive.map { $0 == current.archive } ?? (policy == .replace)
        let isReplaced =
            mayReplace && rejected == nil && stored.studyInstanceUID == instance.studyInstanceUID
            && stored.seriesInstanceUID == instance.seriesInstanceUID
        try unit.note(
            InstanceConflict(
                sopInstanceUID: instance.sopInstanceUID, studyInstanceUID: instance.studyInstanceUID,
                seriesInstanceUID: instance.seriesInstanceUID, outcome: isReplaced ? .replaced : .refused,
                difference: difference, peer: instance.receivedFrom ?? "", time: unit.time,
                superseded: isReplaced && current.archive == nil ? current : nil))
        guard isReplaced else { return .conflict }
        try unit.removeInstance(current)
        return .stored(try insert(received, in: unit))
    }

    /// Puts an object that was sent again in the place of the stored one of its UID whose file cannot be read any more. The
    /// two must be of one series, class, encoding and length: more cannot be known of what is lost.
    package func heal(_ received: ReceivedInstance, insteadOf stored: Instance, in unit: any UnitOfWork) throws
        -> Outcome
    {
        let instance = received.instance
        // What was rejected stays as it is, whatever became of its file.
        guard try unit.rejectedInstance(instance.sopInstanceUID) == nil else { return .conflict }
        guard let current = try unit.instance(instance.sopInstanceUID), current.blobID == stored.blobID else {
            return .changed
        }
        func form(_ one: Instance) -> [String] {
            [
                one.studyInstanceUID, one.seriesInstanceUID, one.sopClassUID, one.transferSyntaxUID,
                "\(one.size - one.dataSetOffset)",
            ]
        }
        guard form(current) == form(instance) else { return .conflict }
        try unit.note(
            InstanceConflict(
                sopInstanceUID: instance.sopInstanceUID, studyInstanceUID: instance.studyInstanceUID,
                seriesInstanceUID: instance.seriesInstanceUID, outcome: .replaced,
                difference: "the stored file was damaged or gone", peer: instance.receivedFrom ?? "", time: unit.time,
                superseded: nil))
        try unit.removeInstance(current)
        var healed = received
        if current.archive == nil {
            // What was kept here stays so, whoever brought its bytes again; whoever was to have it was sent it before.
            healed.instance.archive = nil
            healed.routes = []
            // A note has decided when it came first, and may have been undone since.
            healed.rejection = nil
        }
        return .stored(try insert(healed, in: unit))
    }

    /// Keeps for good what was a copy of an archive's.
    private func keep(_ copy: Instance, in unit: any UnitOfWork) throws {
        guard copy.archive != nil else { return }
        try unit.keep(copy)
        if var series = try unit.series(copy.seriesInstanceUID, in: copy.studyInstanceUID) {
            try keep(&series, in: unit)
        }
    }

    /// A series with an instance that is kept here is no copy of an archive's any more. Whose it was found to be
    /// stands.
    private func keep(_ series: inout Series, in unit: any UnitOfWork) throws {
        guard series.archive != nil else { return }
        series.archive = nil
        try unit.save(series)
    }

    /// Tells the observers of a study that awaits publication, if it still does.
    package func publish(_ studyInstanceUID: String, in unit: any UnitOfWork) throws {
        guard let awaited = try unit.awaitedPublication(of: studyInstanceUID) else { return }
        try unit.endAwaiting(awaited, seenAt: unit.time)
        unit.emit(.studyChanged(studyInstanceUID: studyInstanceUID))
        unit.emit(.studyPublished(studyInstanceUID: studyInstanceUID))
        try tellReports(studyInstanceUID, in: unit)
    }

    /// Tells the observers of the reports that refer to a study.
    package func tellReports(_ studyInstanceUID: String, in unit: any UnitOfWork) throws {
        for orderID in Set(try unit.series(in: studyInstanceUID).compactMap(\.reconciliation.orderID)) {
            guard let order = try unit.order(orderID) else { continue }
            for report in try unit.reports(on: order) { unit.emit(.reportChanged(report.id)) }
        }
    }

    /// Looks again at series that are kept aside, after a patient has become known.
    package func reconcileQuarantined(patient: Identifier, in unit: any UnitOfWork) throws {
        for study in try unit.quarantinedStudies(accession: nil, patient: patient) { try relink(study, in: unit) }
        try RemoteStudyService().relink(.namingPatient(patient), in: unit)
    }

    /// Looks again at single instances of a patient's studies that are kept aside.
    func reconcileAsides(of patientID: EntityID, in unit: any UnitOfWork) throws {
        for study in try unit.studies(of: patientID) where study.hasAsides { try relink(study, in: unit) }
    }

    /// Looks again at the studies that an order's numbers may concern, after the order was made or changed: those of its
    /// study UID, those of its accession number, and those that belonged to it.
    func reconsider(after order: ImagingOrder, instead old: ImagingOrder?, in unit: any UnitOfWork) throws {
        var studies: [Study] = []
        func add(_ found: [Study]) {
            for study in found where !studies.contains(where: { $0.id == study.id }) { studies.append(study) }
        }
        for uid in Set([order.studyInstanceUID, old?.studyInstanceUID].compactMap { $0 }) {
            add(try unit.study(uid).map { [$0] } ?? [])
        }
        for accession in Set([order.accession, old?.accession].compactMap { $0 }) {
            add(try unit.studies(naming: accession))
        }
        if old != nil { add(try unit.studies(ofOrder: order.id)) }
        add(try unit.studies(of: order.patientID).filter(\.hasAsides))
        for study in studies.sorted(by: { $0.studyInstanceUID < $1.studyInstanceUID }) { try relink(study, in: unit) }
        let remote = RemoteStudyService()
        for uid in Set([order.studyInstanceUID, old?.studyInstanceUID].compactMap { $0 }) {
            if let study = try unit.remoteStudy(uid) { try remote.relink(study, in: unit) }
        }
        for accession in Set([order.accession, old?.accession].compactMap { $0 }) {
            try remote.relink(.namingAccession(accession), in: unit)
        }
        if old != nil { try remote.relink(.ofOrder(order.id), in: unit) }
    }

    /// Looks again at a study whose patient was found to be another.
    func reconsider(_ studyInstanceUID: String, in unit: any UnitOfWork) throws {
        if let study = try unit.study(studyInstanceUID) { try relink(study, in: unit) }
    }

    /// Gives the studies of one order to another, of the same patient.
    func move(from order: ImagingOrder, to survivor: ImagingOrder, in unit: any UnitOfWork) throws {
        for study in try unit.studies(ofOrder: order.id) {
            var links: [Reconciliation] = []
            for var series in try unit.series(in: study.studyInstanceUID) {
                if case .matched(let patientID, order.id) = series.reconciliation {
                    series.reconciliation = .matched(patientID: patientID, orderID: survivor.id)
                    try unit.save(series)
                }
                links.append(series.reconciliation)
            }
            try save(study, links, in: unit)
        }
        try RemoteStudyService().move(from: order, to: survivor, in: unit)
    }

    /// Looks again at a study about which a person has decided something, and has it published.
    func lookAgain(_ studyInstanceUID: String, in unit: any UnitOfWork) throws {
        guard let study = try unit.study(studyInstanceUID) else { return }
        // No patient of a study is certain because of what is not so any more.
        try save(study, try unit.series(in: studyInstanceUID).map(\.reconciliation), in: unit)
        if let settled = try unit.study(studyInstanceUID) { try relink(settled, in: unit) }
    }

    func save(_ study: Study, _ links: [Reconciliation], in unit: any UnitOfWork) throws {
        var study = study
        study.reconciliation = Self.studyLink(links) ?? study.reconciliation
        study.updatedAt = unit.time
        try unit.save(study)
        try unit.awaitPublication(of: study.studyInstanceUID, isDue: true)
    }

    // MARK: Details

    /// The link of the instance's series, made when the series is new and checked when an instance disagrees with it;
    /// and whether it was not known before.
    private func seriesLink(
        _ received: ReceivedInstance, in unit: any UnitOfWork
    ) throws -> (link: Reconciliation, isNews: Bool) {
        let instance = received.instance
        if var series = try unit.series(instance.seriesInstanceUID, in: instance.studyInstanceUID) {
            if instance.archive == nil { try keep(&series, in: unit) }
            let identity = received.identity
            let old = series
            if let own = series.asides.firstIndex(where: { $0.sopInstanceUID == instance.sopInstanceUID }) {
                // It takes the place of another version of itself: what was decided holds for what names the same.
                let aside = series.asides[own]
                if aside.identity == identity {
                    return (aside.decision == nil ? .quarantined(aside.reason) : series.reconciliation, false)
                }
                series.asides.remove(at: own)
            } else if identity == series.identity {
                if let words = series.attributes.patientWords, words != received.series.patientWords, !series.isVaried {
                    series.isVaried = true
                    try unit.save(series)
                }
                return (series.reconciliation, false)
            }
            try place(instance.sopInstanceUID, identity, in: &series, in: unit)
            let isChanged = series != old
            if !series.keptAside.contains(instance.sopInstanceUID) { series.isVaried = true }
            if series != old {
                if isChanged { series.updatedAt = unit.time }
                try unit.save(series)
                if !series.asides.isEmpty, var study = try unit.study(instance.studyInstanceUID), !study.hasAsides {
                    study.hasAsides = true
                    try unit.save(study)
                }
            }
            if let aside = series.asides.first(where: {
                $0.sopInstanceUID == instance.sopInstanceUID && $0.decision == nil
            }) {
                return (.quarantined(aside.reason), isChanged)
            }
            return (series.reconciliation, isChanged)
        }
        var series = Series(
            studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
            reconciliation: .quarantined(.missingPatientID), attributes: received.series, updatedAt: unit.time)
        series.archive = instance.archive
        series.reconciliation = try link(of: series, in: unit)
        try unit.save(series)
        return (series.reconciliation, true)
    }

    private func updateStudy(_ received: ReceivedInstance, link: Reconciliation, in unit: any UnitOfWork) throws {
        let uid = received.instance.studyInstanceUID
        guard var study = try unit.study(uid) else {
            // A study of which everything was rejected keeps its id, and so does one that an archive has.
            let id =
                try unit.rejectedSeries(in: uid).first?.study.id ?? unit.archiveCopy(of: uid)?.studyID
                ?? unit.remoteStudy(uid)?.id
            try unit.save(
                Study(
                    id: id ?? unit.entropy.newID(), studyInstanceUID: uid, reconciliation: link,
                    attributes: received.study,
                    updatedAt: unit.time))
            return
        }
        let links = try unit.series(in: uid).map(\.reconciliation)
        let best = Self.studyLink(links) ?? link
        // A matched series is the better witness of the study's own attributes than a quarantined one.
        if study.reconciliation.isQuarantined && !link.isQuarantined { study.attributes = received.study }
        study.reconciliation = best
        study.updatedAt = unit.time
        try unit.save(study)
    }

    /// The study's link: that of a matched series, else of an unscheduled one, else a reason.
    static func studyLink(_ links: [Reconciliation]) -> Reconciliation? {
        links.first { $0.orderID != nil } ?? links.first { !$0.isQuarantined } ?? links.first
    }
}
