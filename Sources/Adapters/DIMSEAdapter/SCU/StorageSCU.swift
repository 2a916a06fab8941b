import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Logging
import NIOCore
import Workflow

/// Sends stored instances by C-STORE, over an association that is there or over associations of its own.
/// PS3.4 Annex B.
package struct StorageSCU: Sendable {
    /// Contexts of one association.
    static let contextsMax = 128
    /// Associations in a row that end without an instance stored; then the rest is given up.
    static let failuresMax = 3
    /// Instances that are opened before the one before them has gone out: enough that reading and decrypting them is not
    /// waited for.
    private static let aheadMax = 2
    /// For a place among the associations with a destination. Who waits for the job hears of it meanwhile, and stops it.
    private static let waitMax = TimeAmount.hours(1)

    private let index: any ImagingIndex
    private let blobs: any BlobStoring
    private let associations: OutgoingAssociations
    /// Decodes what a peer does not accept as it is stored; nil for no such thing.
    private let transcoding: PixelTranscoding?
    private let logger: Logger

    package init(
        index: any ImagingIndex, blobs: any BlobStoring, associations: OutgoingAssociations,
        transcoding: PixelTranscoding? = nil, logger: Logger
    ) {
        self.index = index
        self.blobs = blobs
        self.associations = associations
        self.transcoding = transcoding
        self.logger = logger
    }

    /// What one retrieval asks for.
    struct Job: Sendable {
        let instances: [Instance]
        let progress: SubOperations
        let originator: OpenedInstance.Originator?
        let access: AccessContext
        /// Nobody waits for it any more.
        let isStopped: @Sendable () -> Bool
    }

    /// Sends the instances of a job to a destination, over one association or, where its 128 contexts do not suffice or
    /// it breaks, over several one after the other. Every instance is counted, the ones that were not sent as failed,
    /// unless the job is stopped. Returns why a destination could not be spoken to.
    func send(_ job: Job, to destination: SCUAssociation.Destination, interruption: Interruption) async -> SCUError? {
        var next = 0
        var failures = 0
        var cause: SCUError?
        while next < job.instances.count, !job.isStopped(), failures < Self.failuresMax {
            let (contexts, end) = Self.contexts(for: job.instances[next...], decodes: transcoding != nil)
            let before = job.progress.counts
            do {
                var terms = SCUAssociation.Terms()
                terms.interruption = interruption
                terms.logger = logger
                let first = next
                next = try await associations.with(
                    destination, contexts: contexts, terms: terms, wait: Self.waitMax
                ) { lease in
                    await send(
                        job, first..<end, over: lease.association.invoker, byRequestor: true, mayBeGone: lease.isReused)
                }
            } catch {
                cause = error as? SCUError ?? .connectionLost
                logger.notice(
                    "destination not reached",
                    metadata: ["called": "\(destination.calledAETitle)", "error": "\(error)"])
                break
            }
            let after = job.progress.counts
            failures = after.completed + after.warning > before.completed + before.warning ? 0 : failures + 1
        }
        if !job.isStopped() {
            for instance in job.instances[min(next, job.instances.count)...] {
                job.progress.note(instance.sopInstanceUID, nil)
            }
        }
        return cause
    }

    /// Sends some of the instances over an association, the next ones opened while one is sent. Returns the index of the
    /// first that is not counted: the end, or where the association broke or the job was stopped.
    ///
    /// - mayBeGone: that the association breaks at the first instance is not that one's failure: it was used before, and
    ///   its peer may have ended it.
    func send(
        _ job: Job, _ range: Range<Int>, over invoker: OperationInvoker, byRequestor: Bool, mayBeGone: Bool = false
    ) async -> Int {
        // Where the responses arrive: each wakes one thread and not two.
        let executor = EventLoopTaskExecutor(invoker.exchange.eventLoop)
        return await withTaskExecutorPreference(executor) {
            await withTaskGroup(of: (number: Int, instance: Opened).self) { group in
                var opened: [Int: Opened] = [:]
                var next = range.lowerBound
                for number in range {
                    if job.isStopped() { return number }
                    while next < range.upperBound, next <= number + Self.aheadMax {
                        group.addTask { [next] in (next, await open(job.instances[next])) }
                        next += 1
                    }
                    while opened[number] == nil, let one = await group.next() { opened[one.number] = one.instance }
                    guard let current = opened.removeValue(forKey: number) else { return number }
                    let instance = job.instances[number]
                    switch await store(instance, current, job, invoker, byRequestor) {
                    case .done(let status): job.progress.note(instance.sopInstanceUID, status)
                    case .broken:
                        // Stopped on purpose it is not the instance's failure.
                        if job.isStopped() || (mayBeGone && number == range.lowerBound) { return number }
                        job.progress.note(instance.sopInstanceUID, nil)
                        return number + 1
                    }
                }
                return range.upperBound
            }
        }
    }

    private typealias Opened = Result<OpenedInstance, any Error>

    private enum Outcome {
        case done(DIMSEStatus?)
        /// The association is gone.
        case broken
    }

    private func open(_ instance: Instance) async -> Opened {
        do { return .success(try await OpenedInstance.open(instance, in: blobs)) } catch { return .failure(error) }
    }

    private func store(
        _ instance: Instance, _ opened: Opened, _ job: Job, _ invoker: OperationInvoker,
        _ byRequestor: Bool
    ) async -> Outcome {
        guard
            let context = OpenedInstance.context(
                for: instance, in: invoker.negotiated, byRequestor: byRequestor, decodes: transcoding != nil)
        else { return .done(nil) }
        do {
            let status = try await opened.get().store(
                on: context, by: invoker, originator: job.originator, transcoding: transcoding
            ) {
                try await index.headers(
                    studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
                    sopInstanceUID: instance.sopInstanceUID, after: nil, limit: 1, access: job.access
                ).first
            }
            if status.kind != .success { note(instance, "\(status)") }
            return .done(status)
        } catch {
            note(instance, "\(error)")
            return await invoker.hasEnded ? .broken : .done(nil)
        }
    }

    private func note(_ instance: Instance, _ reason: String) {
        logger.notice(
            "instance not stored by peer", metadata: ["instance": "\(instance.sopInstanceUID)", "reason": "\(reason)"])
    }

    /// The contexts to propose for the first of some instances, and where those end whose contexts fit: of each class
    /// one as stored, and where it can be had without compression one with the two that every receiver knows.
    static func contexts(
        for instances: ArraySlice<Instance>, decodes: Bool = false
    ) -> (contexts: [(abstractSyntax: String, transferSyntaxes: [String])], end: Int) {
        struct Key: Hashable {
            let sopClassUID: String
            let transferSyntaxUID: String
        }
        var contexts: [(abstractSyntax: String, transferSyntaxes: [String])] = []
        var seen: Set<Key> = []
        for (number, instance) in zip(instances.indices, instances) {
            let key = Key(sopClassUID: instance.sopClassUID, transferSyntaxUID: instance.transferSyntaxUID)
            guard !seen.contains(key) else { continue }
            var more = [(abstractSyntax: key.sopClassUID, transferSyntaxes: [key.transferSyntaxUID])]
            let stored = TransferSyntax(uid: key.transferSyntaxUID)
            let native = [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian].filter { syntax in
                stored.map {
                    RecodedDataSet.isPossible(from: $0, to: syntax)
                        || (decodes && PixelTranscoding.decompresses($0, to: syntax))
                } ?? false
            }
            let others = native.map(\.uid).filter { $0 != key.transferSyntaxUID }
            let second = Key(sopClassUID: key.sopClassUID, transferSyntaxUID: others.joined(separator: "\\"))
            if !others.isEmpty, !seen.contains(second) { more.append((key.sopClassUID, others)) }
            guard contexts.count + more.count <= contextsMax else { return (contexts, number) }
            contexts += more
            seen.insert(key)
            if !others.isEmpty { seen.insert(second) }
        }
        return (contexts, instances.endIndex)
    }
}
