import FHIRModel
import Workflow

/// Keeps the resources of the types that the domain feeds in step with the domain, inside the unit of work that
/// changed it. Projecting twice changes nothing. House decisions 1 and 2.
package struct FHIRProjector: CommitObserver {
    /// The zone offset (`+01:00`) of a site-local date (DA digits) and time (TM digits); nil when the site has no zone.
    private let localOffset: @Sendable (String, String) -> String?

    package init(localOffset: @escaping @Sendable (String, String) -> String? = { _, _ in nil }) {
        self.localOffset = localOffset
    }

    package func project(_ events: [DomainEvent], in unit: any ResourceUnitOfWork) throws {
        var seen: Set<DomainEvent> = []
        for event in events where seen.insert(event).inserted { try project(event, in: unit) }
    }

    /// Puts the Endpoint that studies point to. Called at start; the address is this server's DICOMweb base.
    package func projectEndpoint(address: String, in unit: any ResourceUnitOfWork) throws {
        try put(
            EndpointProjection.self, EndpointProjection.id, EndpointProjection.project(address: address), in: unit)
    }

    private func project(_ event: DomainEvent, in unit: any ResourceUnitOfWork) throws {
        switch event {
        case .patientChanged(let id): try projectPatient(id, in: unit)
        case .patientsMerged(let survivor, let retired):
            try projectPatient(retired, in: unit)
            try projectPatient(survivor, in: unit)
        case .visitChanged(let id):
            guard let visit = try unit.visit(id) else { return }
            try put(EncounterProjection.self, id, EncounterProjection.project(visit), in: unit)
        case .orderChanged(let id): try projectOrder(id, in: unit)
        case .orderRemoved(let id, let steps):
            for step in steps { try withdraw(TaskProjection.type, step, in: unit) }
            try withdraw(ServiceRequestProjection.type, id, in: unit)
        case .stepRemoved(let id): try withdraw(TaskProjection.type, id, in: unit)
        case .studyChanged(let uid): try projectStudy(uid, in: unit)
        case .studyRemoved(let id):
            // What an archive has still goes on as the same resource.
            if let remote = try unit.remoteStudy(id: id), try unit.study(remote.studyInstanceUID) == nil {
                return try projectStudy(remote.studyInstanceUID, in: unit)
            }
            try withdraw(ImagingStudyProjection.type, id, in: unit)
        case .reportChanged(let id): try projectReport(id, in: unit)
        case .reportRemoved(let id): try withdraw(DiagnosticReportProjection.type, id, in: unit)
        // Shown as the study it is of, and by the order of the scheduled step.
        case .studyPublished, .performedStepChanged: break
        }
    }

    private func projectPatient(_ id: EntityID, in unit: any ResourceUnitOfWork) throws {
        guard let patient = try unit.patient(id) else { return }
        let absorbed = try unit.patients(mergedInto: id).map(\.id)
        try put(PatientProjection.self, id, PatientProjection.project(patient, absorbed: absorbed), in: unit)
        // What was told of a merged record is its survivor's.
        guard patient.mergedInto == nil else { return }
        try projectStatements(patient.statements ?? [], patientID: id, visitID: nil, in: unit)
    }

    private func projectOrder(_ id: EntityID, in unit: any ResourceUnitOfWork) throws {
        guard let order = try unit.order(id) else { return }
        try put(ServiceRequestProjection.self, id, ServiceRequestProjection.project(order), in: unit)
        try projectStatements(
            order.statements ?? [], patientID: order.patientID, visitID: order.visitID, in: unit)
        for step in order.steps {
            try put(TaskProjection.self, step.id, TaskProjection.project(step, of: order), in: unit)
        }
    }

    private func projectStudy(_ uid: String, in unit: any ResourceUnitOfWork) throws {
        try prepareStudy(uid, in: unit)?.apply(in: unit)
    }

    package func prepare(_ event: DomainEvent, in unit: any ResourceUnitOfWork) throws -> PreparedProjection? {
        guard case .studyChanged(let uid) = event else { return nil }
        return try prepareStudy(uid, in: unit)
    }

    private func prepareStudy(_ uid: String, in unit: any ResourceUnitOfWork) throws -> PreparedProjection? {
        guard let study = try unit.study(uid) else { return try prepareRemoteStudy(uid, in: unit) }
        guard let patientID = study.reconciliation.patientID else { return try withdrawn(study.id, in: unit) }
        let certain = try unit.series(in: uid).filter { $0.reconciliation.patientID == patientID }
        let content = try certain.map { series in
            let asides = series.keptAside
            return ImagingStudyProjection.SeriesContent(
                series: series,
                instances: try unit.instances(in: series.seriesInstanceUID, of: uid).filter {
                    !asides.contains($0.sopInstanceUID)
                })
        }
        var orders: [ImagingOrder] = []
        for series in certain {
            guard let orderID = series.reconciliation.orderID, !orders.contains(where: { $0.id == orderID }) else {
                continue
            }
            if let order = try unit.order(orderID) { orders.append(order) }
        }
        let resource = ImagingStudyProjection.project(
            study, patientID: patientID, orders: orders, series: content, endpoint: EndpointProjection.id,
            isArchived: try unit.remoteStudy(uid) != nil, offset: localOffset)
        return try prepare(ImagingStudyProjection.self, study.id, resource, in: unit)
    }

    /// A study that lies in an archive alone; nil where none is known to.
    private func prepareRemoteStudy(_ uid: String, in unit: any ResourceUnitOfWork) throws -> PreparedProjection? {
        guard let study = try unit.remoteStudy(uid) else { return nil }
        // What a person has rejected here is in no answer, wherever else it lies.
        guard let patientID = study.reconciliation.patientID, try unit.rejectedSeries(in: uid).isEmpty else {
            return try withdrawn(study.id, in: unit)
        }
        let order = try study.reconciliation.orderID.flatMap { try unit.order($0) }
        let resource = ImagingStudyProjection.project(
            study, patientID: patientID, order: order, endpoint: EndpointProjection.id, offset: localOffset)
        return try prepare(ImagingStudyProjection.self, study.id, resource, in: unit)
    }

    /// Nothing of a study is certain any more: what was published is withdrawn.
    private func withdrawn(_ id: EntityID, in unit: any ResourceUnitOfWork) throws -> PreparedProjection {
        let current = try unit.currentResource(ImagingStudyProjection.type, id.value)
        return PreparedProjection(
            type: ImagingStudyProjection.type, id: id.value, basis: current,
            change: current.map { $0.isDeleted } ?? true ? .none : .delete, kept: nil)
    }

    private func withdraw(_ type: String, _ id: EntityID, in unit: any ResourceUnitOfWork) throws {
        if let current = try unit.currentResource(type, id.value), !current.isDeleted {
            try unit.deleteResource(type, id.value)
        }
    }

    private func projectReport(_ id: EntityID, in unit: any ResourceUnitOfWork) throws {
        guard let report = try unit.report(id) else { return }
        for observation in report.observations {
            try put(
                ObservationProjection.self, observation.id, ObservationProjection.project(observation, of: report),
                in: unit)
        }
        let studies = try report.studies(in: unit).map(\.id) + report.remoteStudies(in: unit).map(\.id)
        try put(
            DiagnosticReportProjection.self, id, DiagnosticReportProjection.project(report, studies: studies),
            in: unit)
    }

    /// Merges a projection over the stored resource and stores the result when it differs.
    func put(
        _ fed: any FedType.Type, _ id: EntityID, _ projected: JSONValue, in unit: any ResourceUnitOfWork
    ) throws {
        try prepare(fed, id, projected, in: unit).apply(in: unit)
    }

    private func prepare(
        _ fed: any FedType.Type, _ id: EntityID, _ projected: JSONValue, in unit: any ResourceUnitOfWork
    ) throws -> PreparedProjection {
        let type = fed.type
        let current = try unit.currentResource(type, id.value)
        func prepared(_ change: PreparedProjection.Change, _ kept: JSONValue?) -> PreparedProjection {
            PreparedProjection(type: type, id: id.value, basis: current, change: change, kept: kept)
        }
        guard let current, !current.isDeleted else {
            return prepared(.put(try JSONDocument(projected), .create), projected)
        }
        if let last = unit.projection(of: current) {
            // Nobody but the domain has said anything in it: the new view takes the old one's place as it is.
            return last == projected
                ? prepared(.none, nil) : prepared(.put(try JSONDocument(projected), .update), projected)
        }
        let existing = JSONValue(try JSONDocument(parsing: current.bytes, limits: .stored))
        let merged = ProjectionMerge.merge(
            existing: existing, projected: projected, owned: fed.owned, shared: fed.shared,
            extensions: fed.ownedExtensions, understood: fed.understood(existing, id: id))
        return prepared(
            merged == existing ? .none : .put(try JSONDocument(merged), .update),
            ProjectionMerge.isOnly(projected, merged) ? projected : nil)
    }
}
