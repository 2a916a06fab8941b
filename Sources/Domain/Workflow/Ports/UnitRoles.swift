import Access

/// What every unit of work knows of itself, and whom it tells.
package protocol UnitContext: AnyObject {
    /// The time of this unit; later units never have an earlier one.
    var time: UTCInstant { get }
    var entropy: any Entropy { get }
    /// Who caused the change.
    var access: AccessContext { get }
    /// What the site decides for the domain's rules.
    var rules: SiteRules { get }

    /// Tells the observers of this unit.
    func emit(_ event: DomainEvent)
    /// Adds an audit row to this unit.
    func audit(_ record: AuditRecord) throws
}

/// Patients and visits in a unit of work, and the authorities that name them.
package protocol PatientUnit: UnitContext {
    func patient(_ id: EntityID) throws -> Patient?
    /// All patients that carry the identifier (system and value), current or retired; the survivor of a merge is not
    /// followed here.
    func patients(identifiedBy identifier: Identifier) throws -> [Patient]
    func save(_ patient: Patient) throws
    /// Records that were merged into this one, directly.
    func patients(mergedInto survivor: EntityID) throws -> [Patient]
    func removePatient(_ id: EntityID) throws
    func visit(_ id: EntityID) throws -> Visit?
    func visits(identifiedBy identifier: Identifier) throws -> [Visit]
    /// In the order in which they were first kept; at most 10,000.
    func visits(of patientID: EntityID) throws -> [Visit]
    /// The last of them that is open, however many are over.
    func newestOpenVisit(of patientID: EntityID) throws -> Visit?
    func save(_ visit: Visit) throws

    /// Remembers an assigning authority that the site has not configured, for the operator.
    func note(_ authority: UnknownAuthority) throws
}

/// Orders and their steps in a unit of work; the worklist follows.
package protocol OrderUnit: UnitContext {
    func order(_ id: EntityID) throws -> ImagingOrder?
    func orders(identifiedBy identifier: Identifier, as role: OrderIdentifierRole) throws -> [ImagingOrder]
    func orders(studyInstanceUID: String) throws -> [ImagingOrder]
    func orders(of patientID: EntityID) throws -> [ImagingOrder]
    /// Saves the order and its steps; the worklist index follows.
    func save(_ order: ImagingOrder) throws
    /// Removes the order, its steps and its events.
    func removeOrder(_ id: EntityID) throws
    /// What was said of an order, in the order in which it counts; empty for one that an earlier version kept.
    func events(ofOrder id: EntityID) throws -> [OrderEvent]
    /// Keeps the events of an order in place of those kept before.
    func save(_ events: [OrderEvent], ofOrder id: EntityID) throws
}

/// Studies, series and instances in a unit of work. Counts of series and instances are computed, never stored.
package protocol StudyUnit: UnitContext {
    func study(_ studyInstanceUID: String) throws -> Study?
    func study(id: EntityID) throws -> Study?
    func studies(of patientID: EntityID) throws -> [Study]
    /// Studies of which any series is matched to the order.
    func studies(ofOrder orderID: EntityID) throws -> [Study]
    /// Notes that a study has changed and is to be published: once it is quiet, or, when `isDue`, at once.
    func awaitPublication(of studyInstanceUID: String, isDue: Bool) throws
    /// What awaits publication of one study; nil when all of it is published.
    func awaitedPublication(of studyInstanceUID: String) throws -> AwaitedPublication?
    /// Studies that have been quiet since `quietSince` or have waited since `waitingSince`, those that have waited
    /// longest first; at most `limit`.
    func awaitedPublications(quietSince: UTCInstant, waitingSince: UTCInstant, limit: Int) throws
        -> [AwaitedPublication]
    /// Notes that a study was published as it was when `awaited` was read. What changed since goes on waiting, from
    /// `seenAt` on.
    func endAwaiting(_ awaited: AwaitedPublication, seenAt: UTCInstant) throws
    /// Studies with any series in quarantine whose attributes name this accession or patient identifier.
    func quarantinedStudies(accession: Identifier?, patient: Identifier?) throws -> [Study]
    /// Studies of which any series names this accession number, kept aside or not.
    func studies(naming accession: Identifier) throws -> [Study]
    func save(_ study: Study) throws
    func series(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> Series?
    func series(in studyInstanceUID: String) throws -> [Series]
    func save(_ series: Series) throws
    /// By SOP Instance UID, unique in the whole store.
    func instance(_ sopInstanceUID: String) throws -> Instance?
    func instances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> [Instance]
    /// Where those of these SOP Instance UIDs lie that are here, also the rejected ones.
    func places(of sopInstanceUIDs: [String]) throws -> [String: InstanceWhereabouts]
    /// Whether a series has instances that are in answers.
    func hasInstances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> Bool
    /// Stores the instance's row with its header, bulk list and frame index.
    func insert(_ received: ReceivedInstance) throws
    /// Takes an instance's row out. Its blob is not touched.
    func removeInstance(_ instance: Instance) throws
    /// What was rejected of a series, of the series of a study, and one rejected instance. None of it is among the
    /// series, studies and instances of the other calls. What was decided of single instances is not with the series: but
    /// for what earlier versions kept there, ``rejections(of:in:sopInstanceUIDs:)`` gives it.
    func rejectedSeries(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> RejectedSeries?
    func rejectedSeries(in studyInstanceUID: String) throws -> [RejectedSeries]
    func rejectedInstance(_ sopInstanceUID: String) throws -> Instance?
    /// What was decided of single rejected instances of a series, nil for all of them.
    func rejections(
        of seriesInstanceUID: String, in studyInstanceUID: String, sopInstanceUIDs: [String]?
    ) throws -> [String: RejectedSeries.RejectedInstance]
    /// Takes instances of a series out of all answers, nil for all that it has. What `rejected` says of the series takes the
    /// place of what was kept of it; what it says of those instances is added.
    func reject(_ sopInstanceUIDs: [String]?, of rejected: RejectedSeries) throws
    /// Puts instances back, nil for all that were rejected of the series, and forgets what was decided of them. What `left`
    /// says of the series is kept while it is rejected itself, or instances of it are.
    func restore(_ sopInstanceUIDs: [String]?, of left: RejectedSeries) throws
    /// What a note rejects that has not come yet.
    func awaitedRejection(of sopInstanceUID: String) throws -> AwaitedRejection?
    /// Keeps them; of several of one instance the first stands.
    func awaitRejections(_ rejections: [AwaitedRejection]) throws
    /// Forgets those of a study, of one series of it or of one instance, and gives how many there were.
    func forgetAwaitedRejections(
        ofStudy studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?
    ) throws -> Int
    /// Removes the row of a series, or of a study, whose instances are being rejected.
    func removeSeries(_ seriesInstanceUID: String, in studyInstanceUID: String) throws
    func removeStudy(_ studyInstanceUID: String) throws
    /// Makes what a study is found by anew from what is left of it.
    func rebuildKeys(ofStudy studyInstanceUID: String) throws
    /// Notes that an instance which was a copy of an archive's is kept here, also a rejected one.
    func keep(_ copy: Instance) throws
    /// What is known of the copy of an archive's study; nil for one that was never fetched.
    func archiveCopy(of studyInstanceUID: String) throws -> ArchiveCopy?
    /// Keeps it; the time of its last use is the later of the two.
    func save(_ copy: ArchiveCopy) throws
    /// How many instances of a study are copies of an archive's, and their bytes.
    func copiedInstances(of studyInstanceUID: String) throws -> (count: Int, bytes: Int64)
    /// Some instances of a study that are copies of an archive's, at most `limit`.
    func copiedInstances(of studyInstanceUID: String, limit: Int) throws -> [Instance]
    /// Notes that the blob of a copy whose row was removed is to go.
    func noteLeft(_ blob: BlobID) throws
    /// What is known of a study that lies in an archive, or did when nothing of it was here; nil for nothing.
    func remoteStudy(_ studyInstanceUID: String) throws -> RemoteStudy?
    func remoteStudy(id: EntityID) throws -> RemoteStudy?
    /// By Study Instance UID; at most 10,000.
    func remoteStudies(_ selection: RemoteStudySelection) throws -> [RemoteStudy]
    func save(_ study: RemoteStudy) throws
    /// Keeps a conflict. A refusal that is known, by instance and peer, is counted instead.
    func note(_ conflict: InstanceConflict) throws
}

/// Reports in a unit of work.
package protocol ReportUnit: UnitContext {
    func report(_ id: EntityID) throws -> Report?
    func reports(identifiedBy identifier: Identifier) throws -> [Report]
    func reports(of patientID: EntityID) throws -> [Report]
    /// Those that report on the order before any other.
    func reports(ofOrder orderID: EntityID) throws -> [Report]
    /// All reports on an order, also those that report on others before it.
    func reports(on order: ImagingOrder) throws -> [Report]
    func save(_ report: Report) throws
    func removeReport(_ id: EntityID) throws
}

/// Messages as they were received, in a unit of work.
package protocol MessageUnit: UnitContext {
    func journaledMessage(sender: String, controlID: String) throws -> [JournaledMessage]
    func journal(_ message: JournaledMessage) throws
    /// Marks a failed message: the records that these patient numbers name may turn out to be one person's, and then it
    /// can be carried out.
    func awaitMerge(_ messageID: EntityID, of patientNumbers: [Identifier]) throws
    /// The ids of failed messages that wait for a merge of one of the numbers, oldest first; at most 1,000.
    func messages(awaitingMergeOf patientNumbers: [Identifier]) throws -> [EntityID]
    /// A message that waits for a merge; nil when it waits no longer.
    func awaitingMessage(_ id: EntityID) throws -> JournaledMessage?
    /// Replaces disposition, note and acknowledgement of a message that waited, and ends its waiting.
    func settle(_ message: JournaledMessage) throws
}

/// Systems that this server talks with, in a unit of work.
package protocol PeerUnit: UnitContext {
    /// Those that offer a service, by kind and name; at most 1,000.
    func peers(offering service: Peer.Service) throws -> [Peer]
}
