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
    /// A C-MOVE under way, or one that was broken off a while ago.
    private struct Move {
        let title: AETitle
        let order: FetchOrder
        let tally: FetchTally
        let interruption: Interruption
        var instances = 0
        var bytes: Int64 = 0
        /// Nil while it is under way. Of one that was broken off: until when what still comes is of it, unless more comes,
        /// and the last moment of that.
        var lingers: (until: ContinuousClock.Instant, last: ContinuousClock.Instant)?
        var isOverLimit: Bool { instances > order.instancesMax || bytes > order.bytesMax }
    }
    /// An instance of a C-MOVE of ours.
    struct Arrival: Sendable {
        /// Of whose instance it is a copy.
        let archive: String
        /// Nil where nobody waits for it any more.
        let tally: FetchTally?
    }
    /// Without another instance for so long, what comes after a C-MOVE that was broken off is not of it any more.
    static let lingering = Duration.seconds(300)

    private let moves = Mutex<[Key: Move]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    /// From now on the instances of a study that come from an archive are those of a C-MOVE.
    ///
    /// - Parameters:
    ///   - title: ours, to which they are moved.
    ///   - interruption: ends the C-MOVE when more comes than may.
    func expect(
        _ order: FetchOrder, from archive: Peer, to title: AETitle, _ tally: FetchTally, _ interruption: Interruption
    ) {
        let key = Key(archive: archive.name, study: order.studyInstanceUID)
        let now = now()
        moves.withLock { moves in
            moves = moves.filter { $0.value.lingers.map { now < $0.until } ?? true }
            moves[key] = Move(title: title, order: order, tally: tally, interruption: interruption)
        }
    }

    /// The C-MOVE has ended; whether more came than may.
    ///
    /// - Parameter isBrokenOff: the archive has not said its last word, and may go on sending: what comes of it for a
    ///   while, at most as long as a fetch may take, are copies all the same.
    func end(_ order: FetchOrder, from archive: Peer, isBrokenOff: Bool = false) -> Bool {
        let key = Key(archive: archive.name, study: order.studyInstanceUID)
        let now = now()
        return moves.withLock { moves in
            guard var move = moves.removeValue(forKey: key) else { return false }
            let isOverLimit = move.isOverLimit
            if isBrokenOff {
                let last = now + .seconds(Int64(order.seconds))
                move.lingers = (min(now + Self.lingering, last), last)
                moves[key] = move
            }
            return isOverLimit
        }
    }

    /// Which archive's instance one is that was stored by a C-STORE, and who waits for it; nil for one that was not asked
    /// for. An archive that names who asked for it by C-MOVE names this server. PS3.7 §9.1.1.1.
    func arrival(of instance: Instance, by request: DIMSERequest) -> Arrival? {
        let key = Key(archive: request.association.callingAETitle.value, study: instance.studyInstanceUID)
        let originator = request.message.command.text(.moveOriginatorAETitle).flatMap { AETitle($0) }
        let now = now()
        let (arrival, ended) = moves.withLock { moves -> (Arrival?, Interruption?) in
            guard var move = moves[key], originator == nil || originator == move.title else { return (nil, nil) }
            if let lingers = move.lingers {
                guard now < lingers.until else {
                    moves[key] = nil
                    return (nil, nil)
                }
                move.lingers?.until = min(now + Self.lingering, lingers.last)
                moves[key] = move
                return (Arrival(archive: key.archive, tally: nil), nil)
            }
            move.instances += 1
            move.bytes += instance.size
            moves[key] = move
            return (
                Arrival(archive: key.archive, tally: move.tally), move.isOverLimit ? move.interruption : nil
            )
        }
        ended?.interrupt()
        return arrival
    }

    /// An instance that a C-STORE brought was refused before it was looked whose it is.
    func noteRefused(_ failure: IngestFailure, _ receipt: InstanceIngest.Receipt?, by request: DIMSERequest) {
        guard let receipt else { return }
        let key = Key(archive: request.association.callingAETitle.value, study: receipt.studyInstanceUID)
        let move = moves.withLock { $0[key] }
        if move?.lingers == nil { move?.tally.note(failure, of: receipt.sopInstanceUID) }
    }
}
