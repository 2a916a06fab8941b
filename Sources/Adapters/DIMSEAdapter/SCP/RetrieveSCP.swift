import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Logging
import Workflow

/// Query/Retrieve C-MOVE and C-GET, Patient Root and Study Root, at every level. PS3.4 §C.4.2, §C.4.3.
package struct RetrieveSCP: ServiceClassProvider {
    /// How often a requestor hears of its sub-operations.
    package struct Pace: Sendable {
        /// When their numbers have changed.
        package var changed: Duration = .milliseconds(250)
        /// In any case, so that no timer of the requestor runs out while one instance takes long.
        package var unchanged: Duration = .seconds(2)
        package init() {}
    }

    /// Who may retrieve.
    package let role = Peer.Role.retrieve
    private let selection: RetrieveSelection
    private let storage: StorageSCU
    private let peers: any PeerDirectory
    private let audit: any AuditTrail
    private let calling: PeerCalling
    private let pace: Pace
    private let memory: MemoryBudget
    private let fetching: RetrieveFetching?

    /// What the instances that all retrievals have selected may take: those of half a million.
    package static let memoryBytes = 512 << 20

    /// - Parameters:
    ///   - calling: how destinations are called.
    ///   - associations: to destinations.
    ///   - transcoding: decodes what is not accepted as it is stored; nil for no such thing.
    ///   - fetch: brings what lies in an archive alone; nil where there is none.
    ///   - memory: what the instances that all retrievals have selected may take; beyond it a retrieval is refused with
    ///     A701H.
    package init(
        index: any ImagingIndex, blobs: any BlobStoring, peers: any PeerDirectory, audit: any AuditTrail,
        calling: PeerCalling = PeerCalling(), associations: OutgoingAssociations = OutgoingAssociations(),
        transcoding: PixelTranscoding? = nil, fetch: ArchiveFetch? = nil, pace: Pace = Pace(),
        memory: MemoryBudget = MemoryBudget(bytesMax: RetrieveSCP.memoryBytes),
        logger: Logger = Logger(label: "dimse.retrieve")
    ) {
        selection = RetrieveSelection(index: index)
        storage = StorageSCU(
            index: index, blobs: blobs, associations: associations, transcoding: transcoding, logger: logger)
        self.peers = peers
        self.audit = audit
        self.calling = calling
        self.pace = pace
        fetching = fetch.map { RetrieveFetching(fetch: $0, pace: pace) }
        self.memory = memory
    }

    /// Relational retrieval is had by negotiation, enhanced multi-frame conversion is not. PS3.4 Table C.5-3.
    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        let support = SupportedAbstractSyntax(
            transferSyntaxes: TransferSyntax.ofIdentifiers, extendedNegotiationMask: [1, 0])
        return [
            UID.patientRootMove: support, UID.studyRootMove: support, UID.patientRootGet: support,
            UID.studyRootGet: support,
        ]
    }

    /// One C-MOVE or C-GET.
    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        let syntax = request.context.abstractSyntax
        let isMove = syntax == UID.patientRootMove || syntax == UID.studyRootMove
        guard request.message.field == (isMove ? .cMoveRequest : .cGetRequest) else {
            return FixedAnswer(status: .unrecognizedOperation)
        }
        guard request.message.hasDataSet else { return FixedAnswer(status: .dataSetDoesNotMatchSOPClass) }
        return IdentifierOperation(request, answer: isMove ? move : get)
    }

    // MARK: C-GET

    private func get(_ request: DIMSERequest, _ identifier: DataSet, _ responder: Responder) async throws {
        let held = memory.reservation()
        defer { held.release() }
        guard let invoker = request.invoker,
            let instances = try await select(request, identifier, responder, destination: nil, held)
        else { return }
        let job = job(instances, request, responder, originator: nil)
        try await report(job, responder, interruption: nil) {
            // What cannot be sent over this association cannot be sent at all.
            let end = await storage.send(job, 0..<instances.count, over: invoker, byRequestor: false)
            if !responder.isCancelled {
                for instance in instances[end...] { job.progress.note(instance.sopInstanceUID, nil) }
            }
        }
        try await answer(job, request, responder, cause: nil)
    }

    // MARK: C-MOVE

    private func move(_ request: DIMSERequest, _ identifier: DataSet, _ responder: Responder) async throws {
        guard let title = request.message.command.text(.moveDestination).flatMap({ AETitle($0) }) else {
            return try await responder.send(.moveDestinationUnknown, comment: "no move destination")
        }
        let peer: Peer?
        do { peer = try await peers.peer(kind: .applicationEntity, name: title.value) } catch {
            return try await responder.send(.outOfResources, comment: "store not available")
        }
        guard let peer else {
            return try await responder.send(.moveDestinationUnknown, comment: "not a peer: \(title)")
        }
        // Where a peer is comes from its configuration, never from the wire.
        let destination: SCUAssociation.Destination
        do throws(PeerCalling.Problem) {
            destination = try calling.destination(peer, as: request.association.calledAETitle)
        } catch {
            return try await responder.send(.moveDestinationUnknown, comment: error.description)
        }
        let held = memory.reservation()
        defer { held.release() }
        guard let instances = try await select(request, identifier, responder, destination: title, held) else {
            return
        }
        let job = job(
            instances, request, responder,
            originator: OpenedInstance.Originator(
                aeTitle: request.association.callingAETitle, messageID: request.message.messageID))
        let interruption = Interruption()
        let cause = try await report(job, responder, interruption: interruption) {
            await storage.send(job, to: destination, interruption: interruption)
        }
        try await answer(job, request, responder, cause: cause.map { "\(title): \($0.hint)" })
    }

    // MARK: both

    private func job(
        _ instances: [Instance], _ request: DIMSERequest, _ responder: Responder,
        originator: OpenedInstance.Originator?
    ) -> StorageSCU.Job {
        StorageSCU.Job(
            instances: instances, progress: SubOperations(instances.count), originator: originator,
            access: request.association.access, isStopped: { responder.isCancelled })
    }

    /// What is to be sent, on record; nil when the request has been answered with why nothing is.
    private func select(
        _ request: DIMSERequest, _ identifier: DataSet, _ responder: Responder, destination: AETitle?,
        _ held: MemoryReservation
    ) async throws -> [Instance]? {
        let syntax = request.context.abstractSyntax
        let keys: RetrieveIdentifier
        do throws(IdentifierProblem) {
            keys = try RetrieveIdentifier(
                identifier, root: syntax == UID.patientRootMove || syntax == UID.patientRootGet ? .patient : .study,
                isRelational: request.agreed(0))
        } catch {
            try await responder.send(.dataSetDoesNotMatchSOPClass, offending: [error.tag], comment: error.comment)
            return nil
        }
        let access = request.association.access
        if let fetching, try await !fetching.bring(keys, for: request.association, responder) { return nil }
        do {
            let instances = try await selection.instances(of: keys, memory: held, access: access) {
                responder.isCancelled
            }
            // Fails closed: what cannot be audited is not sent.
            var studies: [String: Int] = [:]
            for instance in instances { studies[instance.studyInstanceUID, default: 0] += 1 }
            for (study, count) in studies.sorted(by: { $0.key < $1.key }) {
                try await audit.record(
                    AuditRecord(
                        category: .transfer, interaction: destination == nil ? "C-GET" : "C-MOVE", action: .read,
                        outcome: .success, access: access, entity: "study:\(study)",
                        detail: "\(count) instances" + (destination.map { " to \($0)" } ?? "")))
            }
            return instances
        } catch let refusal as RetrieveSelection.Refusal {
            try await responder.send(.matchesNotCounted, comment: refusal.comment)
        } catch let error as StoreError where error.code == .unacceptable {
            try await responder.send(.cannotUnderstand)
        } catch {
            try await responder.send(.matchesNotCounted, comment: "store not available")
        }
        return nil
    }

    /// Does `work`, and tells the requestor meanwhile how far it is. On C-CANCEL, or when the requestor is gone, what is
    /// under way is interrupted.
    private func report<Value: Sendable>(
        _ job: StorageSCU.Job, _ responder: Responder, interruption: Interruption?,
        _ work: @escaping @Sendable () async -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { await work() }
            group.addTask {
                var told = job.progress.counts
                var toldAt = ContinuousClock.now
                while true {
                    do { try await Task.sleep(for: pace.changed) } catch { return nil }
                    if responder.isCancelled {
                        interruption?.interrupt()
                        return nil
                    }
                    let counts = job.progress.counts
                    guard counts != told || ContinuousClock.now - toldAt >= pace.unchanged else { continue }
                    (told, toldAt) = (counts, .now)
                    // When it cannot be sent the requestor is gone, and the work is told so.
                    try? await responder.send(.pending) { counts.write(into: &$0, isFinal: false) }
                }
            }
            defer { group.cancelAll() }
            for try await case let value? in group { return value }
            throw CancellationError()
        }
    }

    private func answer(
        _ job: StorageSCU.Job, _ request: DIMSERequest, _ responder: Responder, cause: String?
    ) async throws {
        let status = job.progress.finalStatus(isCancelled: responder.isCancelled)
        let counts = job.progress.counts
        var list: [UInt8]?
        if let failed = job.progress.failedList(), let syntax = TransferSyntax(uid: request.context.transferSyntax) {
            list = try DataSetEncoder(transferSyntax: syntax).encode(failed)
        }
        try await responder.send(status, dataSet: list, comment: cause) {
            counts.write(into: &$0, isFinal: status != .cancelled)
        }
    }
}

extension SCUError {
    /// For Error Comment, in few words.
    fileprivate var hint: String {
        switch self {
        case .rejected(let reject): "rejected \(reject.result)/\(reject.source)/\(reject.reason)"
        case .abortedByPeer: "aborted by it"
        case .aborted, .timedOut: "no answer"
        case .connectionLost: "not reached"
        case .noPresentationContext: "no context accepted"
        case .noPlace: "too many associations with it"
        case .identityNotConfirmed: "does not know our user"
        case .busy, .released, .responseNotUnderstood, .responsesOverLimit, .cancelled, .failed: "association ended"
        }
    }
}
