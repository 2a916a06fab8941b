import DICOMNetwork
import DICOMTranslation
import Synchronization
import Workflow

/// Tells instances that an archive stores here because a C-MOVE of ours asks for them from those that it sends on its
/// own: the former are copies, the latter are kept.
package final class ArchiveArrivals: Sendable {
    private struct Key: Hashable {
        let archive: String
        let study: String
    }
    /// A C-MOVE under way.
    private struct Move {
        let title: AETitle
        let order: FetchOrder
        let tally: FetchTally
        let interruption: Interruption
        var instances = 0
        var bytes: Int64 = 0
        var isOverLimit: Bool { instances > order.instancesMax || bytes > order.bytesMax }
    }
    private let moves = Mutex<[Key: Move]>([:])

    package init() {}

    /// From now on the instances of a study that come from an archive are those of a C-MOVE.
    ///
    /// - Parameters:
    ///   - title: ours, to which they are moved.
    ///   - interruption: ends the C-MOVE when more comes than may.
    func expect(
        _ order: FetchOrder, from archive: Peer, to title: AETitle, _ tally: FetchTally, _ interruption: Interruption
    ) {
        let key = Key(archive: archive.name, study: order.studyInstanceUID)
        moves.withLock { $0[key] = Move(title: title, order: order, tally: tally, interruption: interruption) }
    }

    /// The C-MOVE has ended; whether more came than may.
    func end(_ order: FetchOrder, from archive: Peer) -> Bool {
        let key = Key(archive: archive.name, study: order.studyInstanceUID)
        return moves.withLock { $0.removeValue(forKey: key)?.isOverLimit ?? false }
    }

    /// The archive of whose instance one is a copy that was stored by a C-STORE; nil for one that was not asked for. An
    /// archive that names who asked for it by C-MOVE names this server. PS3.7 §9.1.1.1.
    func archive(of instance: Instance, by request: DIMSERequest) -> String? {
        let key = Key(archive: request.association.callingAETitle.value, study: instance.studyInstanceUID)
        let originator = request.message.command.text(.moveOriginatorAETitle).flatMap { AETitle($0) }
        let (archive, ended) = moves.withLock { moves -> (String?, Interruption?) in
            guard var move = moves[key], originator == nil || originator == move.title else { return (nil, nil) }
            move.instances += 1
            move.bytes += instance.size
            moves[key] = move
            return (key.archive, move.isOverLimit ? move.interruption : nil)
        }
        ended?.interrupt()
        return archive
    }

    /// What became of an instance that a C-STORE brought.
    func note(_ outcome: InstanceIngest.Outcome, by request: DIMSERequest) {
        let receipt: InstanceIngest.Receipt? =
            switch outcome {
            case .stored(let receipt): receipt
            case .failed(_, let receipt): receipt
            }
        guard let receipt else { return }
        let key = Key(archive: request.association.callingAETitle.value, study: receipt.studyInstanceUID)
        moves.withLock { $0[key] }?.tally.note(outcome)
    }
}
