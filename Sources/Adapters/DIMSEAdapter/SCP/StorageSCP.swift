import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Logging
import Synchronization
import Workflow

/// C-STORE of every storage SOP class, in every transfer syntax we can read, kept as sent. PS3.4 Annex B.
///
/// The data set goes to the incoming blob fragment by fragment as it arrives; success is answered once the instance is
/// durable and registered (house decision 4), of a copy that a C-MOVE of ours asked for once it came whole (0041).
package struct StorageSCP: ServiceClassProvider {
    package let abstractSyntaxes: [String: SupportedAbstractSyntax]
    /// Who may store; a rejection note deletes, and is taken only of who may reject besides.
    package let role = Peer.Role.store
    /// Who may be stored to on its own association: who retrieves by C-GET. PS3.4 §C.4.3.
    package var roleAsSCU: Peer.Role? { .retrieve }
    private let ingest: InstanceIngest
    private let arrivals: ArchiveArrivals?
    private let logger: Logger

    /// - arrivals: What archives send because a C-MOVE of ours asks for it; nil where nothing is asked for.
    /// - furtherSOPClasses: UIDs beyond those of PS3.6, private ones for example, that are to be stored as well.
    /// - logger: Told why an instance was refused.
    package init(
        ingest: InstanceIngest, arrivals: ArchiveArrivals? = nil, furtherSOPClasses: [String] = [],
        logger: Logger = Logger(label: "dimse.storage")
    ) {
        self.arrivals = arrivals
        self.ingest = ingest
        self.logger = logger
        // The requestor's first choice is nearly always the syntax it has the object in.
        let support = SupportedAbstractSyntax(
            transferSyntaxes: TransferSyntax.all.map(\.uid), preference: .requestor, requestorMayBeSCP: true)
        var syntaxes: [String: SupportedAbstractSyntax] = [:]
        for uid in UIDRegistry.storageSOPClasses + furtherSOPClasses { syntaxes[uid] = support }
        abstractSyntaxes = syntaxes
    }

    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        guard request.message.field == .cStoreRequest else { return FixedAnswer(status: .unrecognizedOperation) }
        return StoreOperation(
            ingest: ingest, arrivals: arrivals,
            incoming: Result { () throws(IngestFailure) in try incoming(request) }, request: request, logger: logger)
    }

    /// Where the data set of a request goes.
    private func incoming(_ request: DIMSERequest) throws(IngestFailure) -> IncomingInstance {
        // A user's token bounds what its association does. PS3.7 §9.1.1.1.9.
        guard request.association.access.mayStoreImages else { throw IngestFailure(.notAuthorized) }
        // The class of the command is that of the context it came on. PS3.7 §9.1.1.1.4.
        guard let classUID = request.message.sopClassUID, classUID == request.context.abstractSyntax else {
            throw IngestFailure(.classNotSupported, "not the class of the presentation context")
        }
        // What is no UID names no instance. PS3.7 §9.1.1.1.9.
        guard let instanceUID = request.message.sopInstanceUID, UID.isSafe(instanceUID) else {
            throw IngestFailure(.invalidInstance, "the instance UID of the command is missing or not a UID")
        }
        guard let syntax = TransferSyntax(uid: request.context.transferSyntax) else {
            throw IngestFailure(.notUnderstood, "an unknown transfer syntax")
        }
        return try ingest.begin(
            transferSyntax: syntax, sopClassUID: classUID, sopInstanceUID: instanceUID,
            sourceAETitle: request.association.callingAETitle.value)
    }
}

/// One C-STORE.
private final class StoreOperation: ServiceOperation {
    private let ingest: InstanceIngest
    private let arrivals: ArchiveArrivals?
    /// Where the data set goes, until it is refused.
    private let incoming: Mutex<Result<IncomingInstance, IngestFailure>>
    private let request: DIMSERequest
    private let logger: Logger
    private var association: AssociationInfo { request.association }

    init(
        ingest: InstanceIngest, arrivals: ArchiveArrivals?, incoming: Result<IncomingInstance, IngestFailure>,
        request: DIMSERequest, logger: Logger
    ) {
        self.ingest = ingest
        self.arrivals = arrivals
        self.incoming = Mutex(incoming)
        self.request = request
        self.logger = logger
    }

    var staysOnEventLoop: Bool { true }

    func receive(_ bytes: UnsafeRawBufferPointer) {
        guard case .success(let incoming) = incoming.withLock({ $0 }) else { return }
        do throws(IngestFailure) {
            try incoming.append(bytes)
        } catch {
            self.incoming.withLock { $0 = .failure(error) }
            // The disk space is wanted back at once; the rest of the data set is passed over.
            ingest.abort(incoming)
        }
    }

    func perform(_ responder: Responder) async throws {
        let incoming: IncomingInstance
        switch self.incoming.withLock({ $0 }) {
        case .success(let whole): incoming = whole
        case .failure(let failure):
            await ingest.record([failure], access: association.access)
            return try await refuse(failure, responder)
        }
        let examined = await ingest.examine(
            incoming, expectedClassUID: request.message.sopClassUID,
            expectedInstanceUID: request.message.sopInstanceUID,
            receivedFrom: association.callingAETitle.value, calledAs: association.calledAETitle.value,
            access: association.access)
        let failure: IngestFailure?
        switch examined {
        case .whole(let described): failure = await keep(described)
        case .refused(let refusal, let receipt):
            arrivals?.noteRefused(refusal, receipt, by: request)
            failure = refusal
        }
        if let failure { try await refuse(failure, responder) } else { try await responder.send(.success) }
    }

    /// What this server is to answer for is durable when this returns; a copy of what an archive keeps may be under way.
    private func keep(_ described: InstanceIngest.Described) async -> IngestFailure? {
        let arrival = arrivals?.arrival(of: described.instance, by: request)
        if let arrival, let tally = arrival.tally {
            return await tally.keep(described, of: arrival.archive, by: ingest, access: association.access)
        }
        let kept = await ingest.keep(
            described, archive: arrival?.archive, mayReject: association.roles.contains(.reject),
            access: association.access)
        switch kept {
        case .stored: return nil
        case .failed(let failure, _): return failure
        }
    }

    private func refuse(_ failure: IngestFailure, _ responder: Responder) async throws {
        logger.notice(
            "instance refused",
            metadata: [
                "association": "\(association.id)", "calling": "\(association.callingAETitle)",
                "instance": "\(request.message.sopInstanceUID ?? "")", "reason": "\(failure.code.rawValue)",
                "detail": "\(failure.detail)",
            ])
        try await responder.send(DIMSEStatus(rawValue: failure.status), comment: failure.code.rawValue)
    }

    func abandon() {
        if case .success(let incoming) = incoming.withLock({ $0 }) { ingest.abort(incoming) }
    }
}
