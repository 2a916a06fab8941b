import Access

/// One atomic change of the store, or one consistent read of it.
///
/// The calls are synchronous because they run on the store's own thread inside one database transaction: a domain
/// service that takes a unit of work can neither wait for a peer nor leave the transaction half done. Saving twice
/// keeps the last value. Any thrown error undoes the whole unit.
package protocol UnitOfWork: UnitContext, PatientUnit, OrderUnit, StudyUnit, ReportUnit, MessageUnit, PeerUnit, Outbox {
    /// Which of the studies of archives, by their UIDs, that belong to a patient may be seen: the labels of both count. Nil
    /// for nobody who is known, whom only the whole type shows.
    func shown(
        _ studies: Set<String>, ofPatient patient: EntityID?, to visibility: Visibility
    ) throws -> Set<String>
    /// Whether something of a patient might be seen, whatever it is.
    func mayConcern(_ visibility: Visibility, patient: EntityID) throws -> Bool
}

/// A unit that knows nobody's practice.
extension UnitOfWork {
    package func shown(
        _ studies: Set<String>, ofPatient patient: EntityID?, to visibility: Visibility
    ) throws -> Set<String> {
        visibility.shows(ofPatient: patient?.value) ? studies : []
    }
    package func mayConcern(_ visibility: Visibility, patient: EntityID) throws -> Bool {
        visibility.mayConcern(patient: patient.value)
    }
}

/// A unit that looks at one instance after the other.
extension UnitOfWork {
    package func places(of sopInstanceUIDs: [String]) throws -> [String: InstanceWhereabouts] {
        var places: [String: InstanceWhereabouts] = [:]
        for uid in sopInstanceUIDs {
            if let stored = try instance(uid) {
                places[uid] = InstanceWhereabouts(stored, isRejected: false)
            } else if let rejected = try rejectedInstance(uid) {
                places[uid] = InstanceWhereabouts(rejected, isRejected: true)
            }
        }
        return places
    }
    package func hasInstances(in seriesInstanceUID: String, of studyInstanceUID: String) throws -> Bool {
        try !instances(in: seriesInstanceUID, of: studyInstanceUID).isEmpty
    }
}

/// A unit that keeps no rejected images.
extension UnitOfWork {
    package func rejectedSeries(_ seriesInstanceUID: String, in studyInstanceUID: String) throws -> RejectedSeries? {
        nil
    }
    package func rejectedSeries(in studyInstanceUID: String) throws -> [RejectedSeries] { [] }
    package func rejectedInstance(_ sopInstanceUID: String) throws -> Instance? { nil }
    package func rejections(
        of seriesInstanceUID: String, in studyInstanceUID: String, sopInstanceUIDs: [String]?
    ) throws -> [String: RejectedSeries.RejectedInstance] { [:] }
    package func reject(_ sopInstanceUIDs: [String]?, of rejected: RejectedSeries) throws { throw Self.noRejections }
    package func restore(_ sopInstanceUIDs: [String]?, of left: RejectedSeries) throws { throw Self.noRejections }
    package func removeSeries(_ seriesInstanceUID: String, in studyInstanceUID: String) throws {
        throw Self.noRejections
    }
    package func removeStudy(_ studyInstanceUID: String) throws { throw Self.noRejections }
    package func rebuildKeys(ofStudy studyInstanceUID: String) throws {}
    package func awaitedRejection(of sopInstanceUID: String) throws -> AwaitedRejection? { nil }
    package func awaitRejections(_ rejections: [AwaitedRejection]) throws { throw Self.noRejections }
    package func forgetAwaitedRejections(
        ofStudy studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?
    ) throws -> Int { 0 }
    private static var noRejections: StoreError { StoreError(.misuse, "this unit keeps no rejected images") }
}

/// A unit that keeps no copies of archives' studies.
extension UnitOfWork {
    package func keep(_ copy: Instance) throws { throw Self.noCopies }
    package func archiveCopy(of studyInstanceUID: String) throws -> ArchiveCopy? { nil }
    package func save(_ copy: ArchiveCopy) throws { throw Self.noCopies }
    package func copiedInstances(of studyInstanceUID: String) throws -> (count: Int, bytes: Int64) { (0, 0) }
    package func copiedInstances(of studyInstanceUID: String, limit: Int) throws -> [Instance] { [] }
    package func noteLeft(_ blob: BlobID) throws { throw Self.noCopies }
    package func remoteStudy(_ studyInstanceUID: String) throws -> RemoteStudy? { nil }
    package func remoteStudy(id: EntityID) throws -> RemoteStudy? { nil }
    package func remoteStudies(_ selection: RemoteStudySelection) throws -> [RemoteStudy] { [] }
    package func save(_ study: RemoteStudy) throws { throw Self.noCopies }
    private static var noCopies: StoreError { StoreError(.misuse, "this unit keeps no copies of archives' studies") }
}

/// A unit that knows no peers.
extension UnitOfWork {
    package func peers(offering service: Peer.Service) throws -> [Peer] { [] }
}

/// Which of an order's identifiers is meant.
package enum OrderIdentifierRole: String, Sendable, Hashable { case placer, filler, accession }

/// The port to the durable store, for the workflow.
package protocol WorkflowStore: Sendable {
    /// Runs one unit of work. Returns after the commit is durable; concurrent units share the fsync.
    func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T
    /// Reads consistently; the saving calls of the unit throw.
    func read<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T
}

/// What the store says when it cannot do what was asked.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// The store failed or is not reachable; a retry may succeed.
        case unavailable
        /// The caller asks for more at a time than it may; its own requests have to end first.
        case throttled
        /// A search used up its limit of time or rows; a narrower one may succeed.
        case costly
        /// No space left.
        case full
        /// An fsync failed: nothing more is written until a restart.
        case failed
        /// A concurrent change won.
        case conflict
        /// A value can never be kept or looked for, such as text with NUL: sent again it fails again.
        case unacceptable
        /// A read-only unit was asked to write, or another error of ours.
        case misuse
        /// The stored bytes are not what was written.
        case corrupt
        case notFound
        /// The server is stopping.
        case closed
    }
    /// What a caller may do about it.
    package let code: Code
    /// A sentence for the log or the operator, without values of patients.
    package let message: String
    /// An error that an operator can act on by its message.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    package var description: String { message }
}
