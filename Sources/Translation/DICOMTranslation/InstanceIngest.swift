import Access
import DICOMData
import Workflow

/// The one way in for images, whichever door they came through: blob first, row second, acknowledgement last.
/// House decision 4.
package struct InstanceIngest: Sendable {
    /// What became of an instance.
    package enum Outcome: Sendable {
        case stored(Receipt)
        case failed(IngestFailure, Receipt?)
    }

    /// Which instance it was, as far as it is known.
    package struct Receipt: Sendable, Hashable {
        package var sopClassUID: String
        package var sopInstanceUID: String
        package var studyInstanceUID: String
        package var seriesInstanceUID: String
        /// True for a re-send of what was stored before.
        package var isDuplicate: Bool
        package var reconciliation: Reconciliation?

        package init(
            sopClassUID: String, sopInstanceUID: String, studyInstanceUID: String, seriesInstanceUID: String
        ) {
            self.sopClassUID = sopClassUID
            self.sopInstanceUID = sopInstanceUID
            self.studyInstanceUID = studyInstanceUID
            self.seriesInstanceUID = seriesInstanceUID
            isDuplicate = false
        }

        init(_ instance: Instance) {
            sopClassUID = instance.sopClassUID
            sopInstanceUID = instance.sopInstanceUID
            studyInstanceUID = instance.studyInstanceUID
            seriesInstanceUID = instance.seriesInstanceUID
            isDuplicate = false
        }
    }

    private let store: any WorkflowStore
    private let blobs: any BlobStoring
    private let attributes: AttributeReader
    /// Which systems identifiers of images are of.
    package var authorities: AssigningAuthorities { attributes.authorities }
    private let conflictPolicy: @Sendable (AccessContext) async -> ConflictPolicy
    private let routing: RoutingTable
    package let limits: IngestLimits
    private let memory: MemoryBudget
    private let workers: any TaskExecutor

    /// - Parameters:
    ///   - memory: what the headers of all instances on their way may hold.
    ///   - workers: where large headers are described and objects compared, which takes processor time.
    ///   - routing: where instances go besides. What is fetched from an archive goes nowhere, whatever it says.
    ///   - conflictPolicy: what is done with other content that a sender has for a UID in use.
    package init(
        store: any WorkflowStore, blobs: any BlobStoring, authorities: AssigningAuthorities,
        limits: IngestLimits = IngestLimits(), memory: MemoryBudget = .unlimited,
        workers: any TaskExecutor = globalConcurrentExecutor, routing: RoutingTable = RoutingTable(),
        conflictPolicy: @escaping @Sendable (AccessContext) async -> ConflictPolicy = { _ in .keepFirst }
    ) {
        self.conflictPolicy = conflictPolicy
        self.store = store
        self.blobs = blobs
        attributes = AttributeReader(authorities: authorities)
        self.limits = limits
        self.memory = memory
        self.workers = workers
        self.routing = routing
    }

    /// Starts an instance that comes as a Part 10 file.
    package func beginFile() throws(IngestFailure) -> IncomingInstance {
        do {
            return IncomingInstance(blob: try blobs.create(), limits: limits, memory: memory.reservation())
        } catch { throw IngestFailure(error) }
    }

    /// Starts an instance that comes as a bare data set (C-STORE): the file's head is written first.
    package func begin(
        transferSyntax: TransferSyntax, sopClassUID: String, sopInstanceUID: String, sourceAETitle: String?
    ) throws(IngestFailure) -> IncomingInstance {
        guard UID.isSafe(sopClassUID), UID.isSafe(sopInstanceUID) else { throw IngestFailure(.missingUID) }
        let named = IncomingInstance.Named(sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID)
        let head = try IncomingInstance.head(named, transferSyntax, sourceAETitle: sourceAETitle)
        let incoming: IncomingInstance
        do {
            incoming = IncomingInstance(
                blob: try blobs.create(), limits: limits, named: named, isDeflated: transferSyntax.isDeflated,
                memory: memory.reservation())
        } catch { throw IngestFailure(error) }
        do throws(IngestFailure) { try incoming.begin(with: head) } catch {
            incoming.blob.abort()
            throw error
        }
        return incoming
    }

    /// Records that instances were refused, each in a row of its own, all in one commit. Not what a commit has recorded,
    /// a conflict, and not what no row can be written of. A refusal stays one when its row cannot be kept.
    package func record(
        _ failures: [IngestFailure], of receipt: Receipt? = nil, access: AccessContext
    ) async {
        let failures = failures.filter { $0.code != .duplicateInstance && $0.code != .storeFailed }
        guard !failures.isEmpty else { return }
        try? await store.write(access) { unit in
            for failure in failures {
                try unit.audit(
                    Self.auditRecord(
                        failure.code == .outOfResources ? .seriousFailure : .minorFailure, receipt,
                        detail: failure.code.rawValue, access: access))
            }
        }
    }

    private static func auditRecord(
        _ outcome: AuditRecord.Outcome, _ receipt: Receipt?, action: AuditRecord.Action = .create,
        of stored: StudyService.Outcome? = nil, detail: String? = nil, access: AccessContext
    ) -> AuditRecord {
        var patient: EntityID?
        if case .stored(let reconciliation) = stored { patient = reconciliation.patientID }
        return AuditRecord(
            category: .transfer, interaction: "store", action: action, outcome: outcome, access: access,
            entity: receipt.map { "instance:\($0.sopInstanceUID) study:\($0.studyInstanceUID)" },
            patientID: patient?.value, detail: detail)
    }

    /// Work that takes processor time, where it keeps nobody waiting.
    package func onWorkers<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withTaskExecutorPreference(workers) { try work() }
    }

    /// Gives an instance up; nothing of it remains.
    package func abort(_ incoming: IncomingInstance) { incoming.blob.abort() }

    /// Makes the instance durable and registers it. When this returns `.stored`, it may be acknowledged.
    ///
    /// - expectedClassUID, expectedInstanceUID: from the C-STORE command, which the data set must not contradict.
    /// - expectedStudyUID: from the STOW URL.
    /// - archive: the AE title of the archive of whose instance it is a copy; nil for one to be kept.
    package func finish(
        _ incoming: IncomingInstance, expectedClassUID: String? = nil, expectedInstanceUID: String? = nil,
        expectedStudyUID: String? = nil, receivedFrom: String?,
        archive: @Sendable (Instance) -> String? = { _ in nil }, access: AccessContext
    ) async -> Outcome {
        let examined = await examine(
            incoming, expectedClassUID: expectedClassUID, expectedInstanceUID: expectedInstanceUID,
            expectedStudyUID: expectedStudyUID, receivedFrom: receivedFrom, access: access)
        switch examined {
        case .whole(let described):
            return await keep(
                described, archive: archive(described.instance), mayReject: true, access: access)
        case .refused(let failure, let receipt): return .failed(failure, receipt)
        }
    }

    /// An instance that came whole and is what it was said to be; nothing of it is durable yet.
    package struct Described: Sendable {
        fileprivate let incoming: IncomingInstance
        fileprivate let received: ReceivedInstance
        fileprivate let calledAs: String?
        package var instance: Instance { received.instance }
    }

    /// What a look at an instance that came whole finds.
    package enum Examined: Sendable {
        /// To be given to ``keep(_:archive:access:)``.
        case whole(Described)
        /// Nothing of it remains.
        case refused(IngestFailure, Receipt?)
    }

    /// The first half of ``finish(_:expectedClassUID:expectedInstanceUID:expectedStudyUID:receivedFrom:archive:access:)``:
    /// reads what has come and refuses what can never be stored. Nothing may be acknowledged yet, but for copies.
    ///
    /// - calledAs: the AE title to which it was sent, for routing; nil where none was called.
    package func examine(
        _ incoming: IncomingInstance, expectedClassUID: String? = nil, expectedInstanceUID: String? = nil,
        expectedStudyUID: String? = nil, receivedFrom: String?, calledAs: String? = nil, access: AccessContext
    ) async -> Examined {
        var receipt: Receipt?
        do {
            let received = try await describe(incoming, receivedFrom: receivedFrom, calledAs: calledAs)
            receipt = Receipt(received.instance)
            try check(
                received.instance, classUID: expectedClassUID, instanceUID: expectedInstanceUID,
                studyUID: expectedStudyUID)
            try TextRule.check(received)
            return .whole(Described(incoming: incoming, received: received, calledAs: calledAs))
        } catch {
            return .refused(await giveUp(incoming, error, receipt, access), receipt)
        }
    }

    /// The other half: makes an instance durable and registers it.
    ///
    /// - archive: the AE title of the archive of whose instance it is a copy; nil for one to be kept.
    /// - mayReject: whether a rejection note of the sender is taken, where `access` lets it delete images. Asked of no
    ///   copy, for that decides nothing.
    package func keep(
        _ described: Described, archive: String?, mayReject: Bool, access: AccessContext
    ) async -> Outcome {
        var (incoming, received) = (described.incoming, described.received)
        // Its writer holds the blob until the row that names it is committed.
        defer { withExtendedLifetime(incoming) {} }
        let receipt = Receipt(received.instance)
        do {
            if received.rejection != nil, archive == nil,
                !mayReject || !access.visibility(.delete, of: "ImagingStudy").isWhole
            {
                throw IngestFailure(.notAuthorized, "a rejection note deletes images")
            }
            try await incoming.blob.finish()
            if !incoming.isNamed(as: received.instance) {
                incoming = try await renamed(incoming, as: received.instance)
                received = try await describe(
                    incoming, receivedFrom: received.instance.receivedFrom, calledAs: described.calledAs)
                try await incoming.blob.finish()
            }
            received.instance.archive = archive
            return await register(received, keepsBlob: incoming.blob.wasStored, access: access)
        } catch {
            return .failed(await giveUp(incoming, error, receipt, access), receipt)
        }
    }

    private func giveUp(
        _ incoming: IncomingInstance, _ error: any Error, _ receipt: Receipt?, _ access: AccessContext
    ) async -> IngestFailure {
        incoming.blob.abort()
        let failure = IngestFailure(error)
        await record([failure], of: receipt, access: access)
        return failure
    }

    /// The same data set behind a head that names it: the sender's head named another instance. Removes the first file.
    private func renamed(_ written: IncomingInstance, as instance: Instance) async throws -> IncomingInstance {
        guard let syntax = TransferSyntax(uid: instance.transferSyntaxUID) else {
            throw IngestFailure(.transferSyntaxNotSupported)
        }
        do {
            let renamed = try begin(
                transferSyntax: syntax, sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID,
                sourceAETitle: nil)
            do {
                let reader = try await blobs.open(instance.blobID)
                var position = instance.dataSetOffset
                while position < reader.count {
                    let bytes = try await reader.read(offset: position, length: 1 << 20)
                    try bytes.withUnsafeBytes { try renamed.append($0) }
                    position += Int64(bytes.count)
                }
            } catch {
                renamed.blob.abort()
                throw error
            }
            if !written.blob.wasStored { try? await blobs.remove(instance.blobID) }
            return renamed
        } catch {
            if !written.blob.wasStored { try? await blobs.remove(instance.blobID) }
            throw error
        }
    }

    // MARK: Describing

    /// Of a header up to this many bytes the description is made where the caller runs, which may be an event loop.
    private static let quickHeaderBytesMax = 256 << 10
    /// The same where there are rules, each of which looks through the values that it names.
    private static let quickRoutedBytesMax = 32 << 10

    private func describe(
        _ incoming: IncomingInstance, receivedFrom: String?, calledAs: String?
    ) async throws -> ReceivedInstance {
        let scanned = try incoming.finishScan()
        let quickMax = routing.rules.isEmpty ? Self.quickHeaderBytesMax : Self.quickRoutedBytesMax
        if (scanned.pixelData?.offset ?? scanned.endOffset) <= quickMax {
            return try describe(scanned, of: incoming, receivedFrom: receivedFrom, calledAs: calledAs)
        }
        return try await withTaskExecutorPreference(workers) {
            try describe(scanned, of: incoming, receivedFrom: receivedFrom, calledAs: calledAs)
        }
    }

    private func describe(
        _ scanned: ScannedInstance, of incoming: IncomingInstance, receivedFrom: String?, calledAs: String?
    ) throws -> ReceivedInstance {
        let dataSet = scanned.dataSet
        guard let classUID = dataSet.uid(.sopClassUID), let instanceUID = dataSet.uid(.sopInstanceUID),
            let studyUID = dataSet.uid(.studyInstanceUID), let seriesUID = dataSet.uid(.seriesInstanceUID),
            UID.isSafe(classUID), UID.isSafe(instanceUID), UID.isSafe(studyUID), UID.isSafe(seriesUID)
        else { throw IngestFailure(.missingUID, "a required UID is missing or not a UID") }
        let (kept, bulk) = StoredHeader.split(scanned)
        let encoded: [UInt8]
        do {
            encoded = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true).encode(kept)
        } catch {
            throw IngestFailure(.notUnderstood, error.description)
        }
        let hasPixels = scanned.pixelData != nil || dataSet.elements.contains { $0.tag.isPixelData }
        let frames = hasPixels ? max(1, min(dataSet.int(.numberOfFrames) ?? 1, Int(Int32.max))) : 0
        let instance = Instance(
            studyInstanceUID: studyUID, seriesInstanceUID: seriesUID, sopInstanceUID: instanceUID,
            sopClassUID: classUID,
            instanceNumber: dataSet.int(.instanceNumber), transferSyntaxUID: scanned.transferSyntax.uid,
            rows: dataSet.int(.rows), columns: dataSet.int(.columns), bitsAllocated: dataSet.int(.bitsAllocated),
            numberOfFrames: frames, blobID: incoming.blob.id, size: incoming.count,
            dataSetOffset: Int64(scanned.dataSetOffset), pixelDataOffset: scanned.pixelData.map { Int64($0.offset) },
            pixelDataLength: scanned.pixelData.map { Int64($0.length) },
            receivedAt: UTCInstant(microseconds: 0), receivedFrom: receivedFrom)
        var received = ReceivedInstance(
            instance: instance, study: attributes.study(dataSet), series: attributes.series(dataSet), header: encoded,
            bulk: bulk,
            frameIndex: scanned.pixelData.map(FrameIndex.encode) ?? [])
        received.unknownAuthorities = attributes.unknownAuthorities(dataSet)
        received.rejection = try RejectionNote(dataSet, classUID: classUID)
        received.routes = routing.routes(of: dataSet, from: receivedFrom, called: calledAs)
        return received
    }

    private func check(_ instance: Instance, classUID: String?, instanceUID: String?, studyUID: String?)
        throws(IngestFailure)
    {
        if let classUID, classUID != instance.sopClassUID { throw IngestFailure(.mismatch, "SOP class") }
        if let instanceUID, instanceUID != instance.sopInstanceUID { throw IngestFailure(.mismatch, "SOP instance") }
        if let studyUID, studyUID != instance.studyInstanceUID { throw IngestFailure(.mismatch, "study") }
    }

    // MARK: Registering

    /// Looks that are taken when other senders get in between.
    private static let attemptsMax = 5

    /// Registers a durable blob. When the instance is there already, its content decides between a re-send and a
    /// conflict; another look follows when another sender got in between.
    private func register(_ received: ReceivedInstance, keepsBlob: Bool, access: AccessContext) async -> Outcome {
        let instance = received.instance
        let receipt = Receipt(instance)
        var same: BlobID?
        do {
            for _ in 0..<Self.attemptsMax {
                let outcome = try await store.write(access) { [same] unit in
                    var timed = received
                    timed.instance.receivedAt = unit.time
                    let outcome = try StudyService().register(timed, sameAs: same, in: unit)
                    if outcome != .conflict {
                        try unit.audit(
                            Self.auditRecord(
                                .success, receipt, of: outcome,
                                detail: outcome == .duplicate ? "already stored" : nil,
                                access: access))
                    }
                    return outcome
                }
                if let done = await finished(outcome, receipt, instance, keepsBlob) { return done }
                let uid = instance.sopInstanceUID
                let known = try await store.read(access) { try $0.instance(uid) ?? $0.rejectedInstance(uid) }
                guard let stored = known else { continue }
                let found: String?
                do { found = try await difference(stored, instance) } catch let error as StoreError
                    where error.code == .corrupt || error.code == .notFound
                {
                    // What is stored cannot be read any more; what was sent is there.
                    let outcome = try await heal(received, stored, receipt, access)
                    if outcome == .conflict { throw error }
                    if let done = await finished(outcome, receipt, instance, keepsBlob) { return done }
                    continue
                }
                if let difference = found {
                    let outcome = try await resolve(received, stored, difference, receipt, access)
                    if outcome == .conflict { break }
                    if let done = await finished(outcome, receipt, instance, keepsBlob) { return done }
                } else {
                    same = stored.blobID
                }
            }
            if !keepsBlob { try? await blobs.remove(instance.blobID) }
            return .failed(IngestFailure(.duplicateInstance), receipt)
        } catch {
            let failure = IngestFailure(error)
            if failure.code == .valueNotAcceptable {
                // The database has refused the value, so no row was written.
                if !keepsBlob { try? await blobs.remove(instance.blobID) }
                await record([failure], of: receipt, access: access)
            }
            // Else the commit's outcome may be unknown: the blob stays for the sweep to judge.
            return .failed(failure, receipt)
        }
    }

    /// What a decision that stands means to the sender; nil when another look is needed.
    private func finished(
        _ outcome: StudyService.Outcome, _ receipt: Receipt, _ instance: Instance, _ keepsBlob: Bool
    ) async -> Outcome? {
        var receipt = receipt
        switch outcome {
        case .stored(let reconciliation):
            receipt.reconciliation = reconciliation
            return .stored(receipt)
        case .duplicate:
            receipt.isDuplicate = true
            if !keepsBlob { try? await blobs.remove(instance.blobID) }
            return .stored(receipt)
        case .conflict, .changed: return nil
        }
    }

    /// Where two stored files differ, in words; nil when they are the same object.
    private func difference(_ stored: Instance, _ instance: Instance) async throws -> String? {
        // Looking through both is work, for which neither an event loop nor the threads of all requests have time.
        try await withTaskExecutorPreference(workers) {
            do {
                let path = try await ContentComparison(blobs: blobs, limits: limits).difference(stored, instance)
                return path.map { "differs in \($0)" }
            } catch let error as DICOMDataError {
                return "cannot be compared: \(error.code.rawValue)"
            }
        }
    }

    private func heal(
        _ received: ReceivedInstance, _ stored: Instance, _ receipt: Receipt, _ access: AccessContext
    ) async throws -> StudyService.Outcome {
        try await store.write(access) { unit in
            var timed = received
            timed.instance.receivedAt = unit.time
            let outcome = try StudyService().heal(timed, insteadOf: stored, in: unit)
            if case .stored = outcome {
                try unit.audit(
                    Self.auditRecord(
                        .success, receipt, action: .update, of: outcome, detail: "replaces damaged \(stored.blobID)",
                        access: access)
                )
            }
            return outcome
        }
    }

    private func resolve(
        _ received: ReceivedInstance, _ stored: Instance, _ difference: String, _ receipt: Receipt,
        _ access: AccessContext
    ) async throws -> StudyService.Outcome {
        let policy = await conflictPolicy(access)
        return try await store.write(access) { unit in
            var timed = received
            timed.instance.receivedAt = unit.time
            let outcome = try StudyService().resolve(
                timed, against: stored, difference: difference, policy: policy, in: unit)
            switch outcome {
            case .conflict:
                try unit.audit(
                    Self.auditRecord(
                        .minorFailure, receipt,
                        detail: "\(IngestFailure.Code.duplicateInstance.rawValue): \(difference)", access: access))
            case .stored:
                try unit.audit(
                    Self.auditRecord(
                        .success, receipt, action: .update, of: outcome,
                        detail: "replaces \(stored.blobID): \(difference)",
                        access: access))
            case .duplicate, .changed: break
            }
            return outcome
        }
    }
}
