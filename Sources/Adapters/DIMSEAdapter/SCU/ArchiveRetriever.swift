import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Workflow

/// Fetches studies from archives: by C-GET where they offer it, and what does not come so by C-MOVE to this server.
/// PS3.4 §C.4.2, §C.4.3.
package struct ArchiveRetriever: ArchiveRetrieving {
    private let calling: PeerCalling
    private let callingAETitle: AETitle
    private let associations: OutgoingAssociations
    private let ingest: InstanceIngest
    private let arrivals: ArchiveArrivals

    /// - Parameters:
    ///   - callingAETitle: by which the archives know this server, also as the destination of a C-MOVE: its door of that
    ///     title takes what they send.
    ///   - arrivals: that of the door.
    package init(
        calling: PeerCalling, callingAETitle: AETitle, associations: OutgoingAssociations, ingest: InstanceIngest,
        arrivals: ArchiveArrivals
    ) {
        self.calling = calling
        self.callingAETitle = callingAETitle
        self.associations = associations
        self.ingest = ingest
        self.arrivals = arrivals
    }

    package func retrieve(
        _ order: FetchOrder, from archive: Peer, arrived: @escaping @Sendable (String) -> Void
    ) async -> FetchEnd {
        let destination: SCUAssociation.Destination
        do { destination = try calling.destination(archive, as: callingAETitle) } catch {
            return .failed(error.description, mayBeRepeated: false)
        }
        var end = FetchEnd.failed("\(archive.name) offers neither C-GET nor C-MOVE", mayBeRepeated: false)
        if archive.offers.contains(.get) {
            end = await get(order, archive, destination, arrived)
            if case .whole = end { return end }
            if end == Self.tooLarge || Task.isCancelled { return end }
        }
        if archive.offers.contains(.move) { end = await move(order, archive, destination, arrived) }
        return end
    }

    private static let tooLarge = FetchEnd.failed(
        "the study is larger than a fetch may be (archive-fetch-bytes, archive-fetch-instances)", mayBeRepeated: false)

    private static func identifier(_ order: FetchOrder) -> DataSet {
        var identifier = DataSet()
        identifier.set(.queryRetrieveLevel, string: QueryRetrieveLevel.study.rawValue)
        identifier.set(.studyInstanceUID, string: order.studyInstanceUID)
        return identifier
    }

    // MARK: C-GET

    private func get(
        _ order: FetchOrder, _ archive: Peer, _ destination: SCUAssociation.Destination,
        _ arrived: @escaping @Sendable (String) -> Void
    ) async -> FetchEnd {
        let tally = FetchTally(arrived: arrived)
        // As if the archive had stored it here.
        let access = AccessContext(
            principal: Principal(kind: .applicationEntity, id: archive.name), scopes: [], isUnrestricted: true,
            requestID: "fetch", sourceAddress: nil)
        let sink = IngestSink(ingest: ingest, access: access, archive: archive.name, tally: tally)
        var limits = GetSCU.Limits()
        limits.instances = order.instancesMax
        limits.bytes = order.bytesMax
        limits.endsWhenOver = true
        let classes = FetchedClasses.all
        let receiver: InstanceReceiver
        do throws(InstanceReceiver.NoStudy) {
            receiver = try InstanceReceiver(
                Self.identifier(order), storageClasses: classes, limits: limits, into: sink)
        } catch {
            return .failed("the UID of the study is none", mayBeRepeated: false)
        }
        let end = await Self.whole(tally) {
            try await associations.with(
                destination, contexts: GetSCU.contexts(of: FetchedClasses.proposals(to: archive)),
                terms: GetSCU.terms(receiver, of: classes), within: .seconds(Int64(order.seconds))
            ) { try await GetSCU($0.association, receiver).get() }
        }.end
        return receiver.counts.isOverLimit ? Self.tooLarge : end
    }

    // MARK: C-MOVE

    private func move(
        _ order: FetchOrder, _ archive: Peer, _ destination: SCUAssociation.Destination,
        _ arrived: @escaping @Sendable (String) -> Void
    ) async -> FetchEnd {
        let tally = FetchTally(arrived: arrived)
        var terms = SCUAssociation.Terms()
        let interruption = Interruption()
        terms.interruption = interruption
        arrivals.expect(order, from: archive, to: callingAETitle, tally, interruption)
        let (end, isAnswered) = await Self.whole(tally) {
            try await associations.with(
                destination, contexts: MoveSCU.contexts(), terms: terms, within: .seconds(Int64(order.seconds)),
                mayRepeat: true
            ) { try await MoveSCU($0.association).move(Self.identifier(order), to: callingAETitle) }
        }
        return arrivals.end(order, from: archive, isBrokenOff: !isAnswered) ? Self.tooLarge : end
    }

    // MARK: both

    /// Has something retrieved, and gives how that ended once all that came is durable; and whether the archive has said
    /// its last word.
    private static func whole(
        _ tally: FetchTally, _ retrieve: () async throws -> RetrieveOutcome
    ) async -> (end: FetchEnd, isAnswered: Bool) {
        async let kept: Void = tally.window.run()
        let result: Result<RetrieveOutcome, any Error>
        do { result = .success(try await retrieve()) } catch { result = .failure(error) }
        tally.window.close()
        await kept
        switch result {
        case .success(let outcome): return (tally.end(outcome), true)
        case .failure(let error): return (end(error), false)
        }
    }

    /// What an error tells. The comment of a failure is left out: it may name a patient.
    private static func end(_ error: any Error) -> FetchEnd {
        switch error {
        case SCUError.failed(let status, _): .failed(by: status)
        case let error as SCUError: .failed("\(error)", mayBeRepeated: error.isTransient)
        default: .failed("no connection", mayBeRepeated: true)
        }
    }
}
