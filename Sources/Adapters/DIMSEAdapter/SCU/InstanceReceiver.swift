import DICOMData
import DICOMNetwork
import Synchronization
import Workflow

/// Takes the instances of one C-GET as they come, and refuses what was not asked for. PS3.4 §C.4.3.2.
package final class InstanceReceiver: ServiceClassProvider {
    /// What has come.
    package struct Counts: Sendable, Hashable {
        package var taken = 0
        package var unasked = 0
        package var failed = 0
        package var bytes: Int64 = 0
        /// There was more, of instances or of bytes, than may come.
        package var isOverLimit = false
    }

    /// An identifier that names no study.
    package struct NoStudy: Error {}

    package let abstractSyntaxes: [String: SupportedAbstractSyntax]
    package let role = Peer.Role.store
    let identifier: DataSet
    fileprivate let selection: GetSelection
    fileprivate let limits: GetSCU.Limits
    fileprivate let sink: any InstanceSink
    private struct State {
        var counts = Counts()
        var seen: Set<String> = []
    }
    private let state = Mutex(State())

    /// - Parameters:
    ///   - identifier: of a C-GET at the level of studies, series or instances.
    ///   - storageClasses: those that are proposed.
    ///
    /// Throws ``NoStudy``.
    package init(
        _ identifier: DataSet, storageClasses: [String], limits: GetSCU.Limits = GetSCU.Limits(),
        into sink: any InstanceSink
    ) throws(NoStudy) {
        guard let selection = GetSelection(identifier) else { throw NoStudy() }
        self.identifier = identifier
        self.selection = selection
        self.limits = limits
        self.sink = sink
        abstractSyntaxes = Dictionary(
            storageClasses.map { ($0, SupportedAbstractSyntax(transferSyntaxes: [])) }, uniquingKeysWith: { $1 })
    }

    package var counts: Counts { state.withLock { $0.counts } }

    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        guard request.message.field == .cStoreRequest else { return FixedAnswer(status: .unrecognizedOperation) }
        guard request.message.hasDataSet, let syntax = TransferSyntax(uid: request.context.transferSyntax) else {
            return FixedAnswer(status: .cannotUnderstand)
        }
        guard request.message.sopClassUID == request.context.abstractSyntax else {
            return FixedAnswer(status: .sopClassNotSupported)
        }
        guard let uid = request.message.sopInstanceUID, UID.isSafe(uid) else {
            return FixedAnswer(status: .invalidSOPInstance)
        }
        let isExpected = state.withLock { state in
            guard selection.includes(sopInstanceUID: uid), !state.seen.contains(uid) else { return false }
            guard state.seen.count < limits.instances else {
                state.counts.isOverLimit = true
                return false
            }
            state.seen.insert(uid)
            return true
        }
        guard isExpected else { return refusal(request) }
        return ReceivingOperation(
            receiver: self,
            head: InstanceHead(
                sopClassUID: request.context.abstractSyntax, sopInstanceUID: uid, transferSyntax: syntax,
                sender: request.association.calledAETitle), request: request)
    }

    /// What was not asked for is refused; a peer that goes on with it is left.
    private func refusal(_ request: DIMSERequest) -> any ServiceOperation {
        noteUnasked(request)
        return FixedAnswer(status: .notAuthorized)
    }

    fileprivate func noteUnasked(_ request: DIMSERequest) {
        let isTooMany = state.withLock { state in
            state.counts.unasked += 1
            return state.counts.unasked > limits.unasked || endsNow(state.counts)
        }
        if isTooMany { request.invoker?.abort() }
    }

    /// Counts bytes; false when there are more than may come.
    fileprivate func take(_ bytes: Int, of request: DIMSERequest) -> Bool {
        let (isWithin, ends) = state.withLock { state in
            state.counts.bytes += Int64(bytes)
            let isWithin = state.counts.bytes <= limits.bytes
            if !isWithin { state.counts.isOverLimit = true }
            return (isWithin, endsNow(state.counts))
        }
        if ends { request.invoker?.abort() }
        return isWithin
    }

    private func endsNow(_ counts: Counts) -> Bool { limits.endsWhenOver && counts.isOverLimit }

    fileprivate func note(_ status: DIMSEStatus) {
        state.withLock { state in
            switch status {
            case .success: state.counts.taken += 1
            case .notAuthorized: break
            default: state.counts.failed += 1
            }
        }
    }
}

/// One C-STORE of a C-GET: its front is held back until it shows that it was asked for; then all of it goes to the sink.
private final class ReceivingOperation: ServiceOperation {
    /// Bytes in which Study and Series Instance UID must have come.
    private static let frontBytesMax = 1 << 20
    /// The first tag behind Series Instance UID (0020,000E).
    private static let behindSeries = Tag(0x0020, 0x000F)

    private enum State {
        /// The front, and the length of it at which it is read next.
        case front([UInt8], next: Int)
        case writing(any InstanceWriting)
        case refused(DIMSEStatus)
    }

    private let receiver: InstanceReceiver
    private let head: InstanceHead
    private let request: DIMSERequest
    private let state = Mutex(State.front([], next: 4 << 10))

    init(receiver: InstanceReceiver, head: InstanceHead, request: DIMSERequest) {
        self.receiver = receiver
        self.head = head
        self.request = request
    }

    func receive(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            guard receiver.take(bytes.count, of: request) else { return refuse(&state, .outOfResources) }
            switch state {
            case .refused: return
            case .writing(let writing): append(bytes, to: writing, &state)
            case .front(var front, let next):
                // The one copy of it: of small fragments each would be another of the whole front.
                state = .front([], next: next)
                front.append(contentsOf: bytes)
                state = .front(front, next: next)
                if front.count >= next { look(front, isWhole: false, &state) }
            }
        }
    }

    /// Reads the front, and goes on with all of it when it shows what it is of.
    private func look(_ front: [UInt8], isWhole: Bool, _ state: inout State) {
        let mayGrow = !isWhole && front.count < Self.frontBytesMax
        let found: DataSet
        do throws(DICOMDataError) {
            let (dataSet, stop) = try DataSetDecoder(transferSyntax: head.transferSyntax, externalValuesAbove: 1 << 10)
                .decode(front, before: Self.behindSeries)
            // The front may end between two elements.
            if stop == nil, mayGrow { return wait(front, &state) }
            found = dataSet
        } catch {
            guard error.code == .truncated, mayGrow else { return refuse(&state, .cannotUnderstand) }
            return wait(front, &state)
        }
        guard receiver.selection.includes(found), found.string(.sopInstanceUID) == head.sopInstanceUID else {
            receiver.noteUnasked(request)
            return refuse(&state, .notAuthorized)
        }
        do {
            let writing = try receiver.sink.begin(head)
            state = .writing(writing)
            front.withUnsafeBytes { append($0, to: writing, &state) }
        } catch {
            refuse(&state, .outOfResources)
        }
    }

    private func wait(_ front: [UInt8], _ state: inout State) {
        state = .front(front, next: min(2 * front.count, Self.frontBytesMax))
    }

    private func append(_ bytes: UnsafeRawBufferPointer, to writing: any InstanceWriting, _ state: inout State) {
        do { try writing.append(bytes) } catch { refuse(&state, .outOfResources) }
    }

    private func refuse(_ state: inout State, _ status: DIMSEStatus) {
        if case .refused = state { return }
        if case .writing(let writing) = state { writing.abort() }
        state = .refused(status)
    }

    func perform(_ responder: Responder) async throws {
        let last = state.withLock { state in
            if case .front(let front, _) = state { look(front, isWhole: true, &state) }
            return state
        }
        let status: DIMSEStatus
        switch last {
        case .front: status = .cannotUnderstand
        case .writing(let writing): status = await writing.finish()
        case .refused(let reason): status = reason
        }
        receiver.note(status)
        try await responder.send(status)
    }

    func abandon() {
        state.withLock { refuse(&$0, .cancelled) }
    }
}
