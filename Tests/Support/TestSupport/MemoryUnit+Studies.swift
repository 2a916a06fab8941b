import Workflow

/// Studies, series and instances.
extension MemoryUnit {
    package func study(_ studyInstanceUID: String) throws -> Study? {
        state.studies.first { $0.studyInstanceUID == studyInstanceUID }
    }
    package func study(id: EntityID) throws -> Study? { state.studies.first { $0.id == id } }
    package func studies(of patientID: EntityID) throws -> [Study] {
        state.studies.filter { $0.reconciliation.patientID == patientID }
    }
    package func studies(ofOrder orderID: EntityID) throws -> [Study] {
        studies(withSeries: { $0.reconciliation.orderID == orderID })
    }
    package func quarantinedStudies(accession: Identifier?, patient: Identifier?) throws -> [Study] {
        studies(withSeries: { series in
            let attributes = series.attributes
            let byAccession = accession.map {
                attributes.accessionNumber == $0.value && attributes.accessionSystem == $0.system
            }
            let byPatient = patient.map {
                attributes.patientID == $0.value && attributes.patientIDSystem == $0.system
            }
            return series.reconciliation.isQuarantined && (byAccession == true || byPatient == true)
        })
    }
    package func studies(naming accession: Identifier) throws -> [Study] {
        studies(withSeries: {
            $0.attributes.accessionNumber == accession.value && $0.attributes.accessionSystem == accession.system
        })
    }
    private func studies(withSeries isWanted: (Series) -> Bool) -> [Study] {
        state.studies.filter { study in
            state.series.contains { $0.studyInstanceUID == study.studyInstanceUID && isWanted($0) }
        }
    }
    package func save(_ study: Study) throws { MemoryState.put(study, in: &state.studies) { $0.id == study.id } }

    package func series(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> Series? {
        state.series.first {
            $0.seriesInstanceUID == seriesInstanceUID && $0.studyInstanceUID == studyInstanceUID
        }
    }
    package func series(in studyInstanceUID: String) throws -> [Series] {
        state.series.filter { $0.studyInstanceUID == studyInstanceUID }
    }
    package func save(_ series: Series) throws {
        MemoryState.put(series, in: &state.series) {
            $0.seriesInstanceUID == series.seriesInstanceUID && $0.studyInstanceUID == series.studyInstanceUID
        }
    }

    package func instance(_ sopInstanceUID: String) throws -> Instance? { state.instance(sopInstanceUID) }
    package func instances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> [Instance] {
        state.instances.filter {
            $0.seriesInstanceUID == seriesInstanceUID && $0.studyInstanceUID == studyInstanceUID
        }
    }
    package func insert(_ received: ReceivedInstance) throws { state.instances.append(received.instance) }
    package func removeInstance(_ instance: Instance) throws {
        state.instances.removeAll { $0.sopInstanceUID == instance.sopInstanceUID }
    }
    package func note(_ conflict: InstanceConflict) throws { state.conflicts.append(conflict) }

    package func removeSeries(_ seriesInstanceUID: String, in studyInstanceUID: String) throws {
        state.series.removeAll {
            $0.seriesInstanceUID == seriesInstanceUID && $0.studyInstanceUID == studyInstanceUID
        }
    }
    package func removeStudy(_ studyInstanceUID: String) throws {
        state.studies.removeAll { $0.studyInstanceUID == studyInstanceUID }
    }

    package func keep(_ copy: Instance) throws {
        for index in state.instances.indices where state.instances[index].sopInstanceUID == copy.sopInstanceUID {
            state.instances[index].archive = nil
        }
    }
    package func archiveCopy(of studyInstanceUID: String) throws -> ArchiveCopy? { state.copies[studyInstanceUID] }
    package func save(_ copy: ArchiveCopy) throws {
        var copy = copy
        if let old = state.copies[copy.studyInstanceUID] { copy.usedAt = max(copy.usedAt, old.usedAt) }
        state.copies[copy.studyInstanceUID] = copy
    }
    package func copiedInstances(of studyInstanceUID: String) throws -> (count: Int, bytes: Int64) {
        let copies = try copiedInstances(of: studyInstanceUID, limit: .max)
        return (copies.count, copies.reduce(0) { $0 + $1.size })
    }
    package func copiedInstances(of studyInstanceUID: String, limit: Int) throws -> [Instance] {
        Array(
            state.instances.filter { $0.studyInstanceUID == studyInstanceUID && $0.archive != nil }.prefix(limit))
    }

    package func noteLeft(_ blob: BlobID) throws { state.leftBlobs.append(blob) }
    package func remoteStudy(_ studyInstanceUID: String) throws -> RemoteStudy? { state.remote[studyInstanceUID] }
    package func remoteStudy(id: EntityID) throws -> RemoteStudy? { state.remote.values.first { $0.id == id } }
    package func remoteStudies(_ selection: RemoteStudySelection) throws -> [RemoteStudy] {
        state.remote.values.filter { study in
            let attributes = study.attributes
            return switch selection {
            case .ofPatient(let id): study.reconciliation.patientID == id
            case .ofOrder(let id): study.reconciliation.orderID == id
            case .namingPatient(let identifier):
                attributes.patientID == identifier.value && attributes.patientIDSystem == identifier.system
            case .namingAccession(let identifier):
                attributes.accessionNumber == identifier.value && attributes.accessionSystem == identifier.system
            case .ofNumbers(let ids, let archive):
                study.archive == archive && attributes.patientID.map(ids.contains) == true
            case .ofDays(let from, let to, let archive):
                study.archive == archive && attributes.studyDate.map { (from...to).contains($0) } == true
            case .notAt(let archives): !study.isMissing && !archives.contains(study.archive)
            case .ids(let ids): ids.contains(study.id)
            }
        }.sorted { $0.studyInstanceUID < $1.studyInstanceUID }
    }
    package func save(_ study: RemoteStudy) throws { state.remote[study.studyInstanceUID] = study }

    package func awaitPublication(of studyInstanceUID: String, isDue: Bool) throws {
        var awaited =
            state.publications[studyInstanceUID]
            ?? AwaitedPublication(studyInstanceUID: studyInstanceUID, since: time, changedAt: time)
        if isDue { awaited.since = AwaitedPublication.due }
        awaited.changedAt = time
        state.publications[studyInstanceUID] = awaited
    }
    package func awaitedPublication(of studyInstanceUID: String) throws -> AwaitedPublication? {
        state.publications[studyInstanceUID]
    }
    package func awaitedPublications(
        quietSince: UTCInstant, waitingSince: UTCInstant, limit: Int
    ) throws -> [AwaitedPublication] {
        let due = state.publications.values.filter { $0.changedAt <= quietSince || $0.since <= waitingSince }
        return Array(due.sorted { ($0.since, $0.studyInstanceUID) < ($1.since, $1.studyInstanceUID) }.prefix(limit))
    }
    package func endAwaiting(_ awaited: AwaitedPublication, seenAt: UTCInstant) throws {
        guard var current = state.publications[awaited.studyInstanceUID] else { return }
        current.since = seenAt
        state.publications[awaited.studyInstanceUID] = current.changedAt == awaited.changedAt ? nil : current
    }
}
