import Synchronization
import Workflow

/// Rows of instances that were read lately: of those that a viewer was told of, and asks for next.
///
/// A committed row of `instances` is changed only where a copy of an archive's comes to be kept here, and removed only
/// to be replaced or rejected or where such a copy leaves: such an instance is told to the cache before that, and what
/// was read of it before is not kept. What another process removes it forgets with all the rest, as soon as the writer
/// has seen that somebody else has written. So what is here stays true.
/// Whose an instance is to say that it is changes with records, links and orders: with each such change all are forgotten.
final class InstanceCache: Sendable {
    /// Rows in a generation, each about 600 bytes; two are held.
    static let generationMax = 4_096

    /// Exclusions in a generation; two are held, which no read that began before them outlasts.
    static let excludedMax = 1 << 16

    private struct State {
        var rows = Generations<String, Instance>(costMax: generationMax)
        /// Those that were replaced or rejected lately, with their place among all exclusions.
        var excluded = Generations<String, UInt64>(costMax: excludedMax)
        var exclusions: UInt64 = 0
        var strangers: UInt64 = 0
        var subjects: UInt64 = 0

        /// Whether a caller who knows of so many writes by others may use what is here. Forgets everything when there
        /// are more than were known.
        mutating func isCurrent(_ strangers: UInt64) -> Bool {
            if strangers > self.strangers {
                self.strangers = strangers
                rows = Generations<String, Instance>(costMax: generationMax)
            }
            return strangers == self.strangers
        }
    }
    private let state = Mutex(State())

    /// - Parameter strangers: how often another process was found to have written, now.
    func find(_ sopInstanceUID: String, strangers: UInt64) -> Instance? {
        state.withLock { state in
            state.isCurrent(strangers) ? state.rows.find(sopInstanceUID) : nil
        }
    }

    /// What is here of a row that was just read without whose it is, where the row is the same.
    func find(_ row: Instance, strangers: UInt64) -> Instance? {
        guard let known = find(row.sopInstanceUID, strangers: strangers) else { return nil }
        var told = row
        told.subject = known.subject
        return told == known ? known : nil
    }

    /// - Parameters:
    ///   - strangers: as in ``find(_:strangers:)``, when the reading of these rows began.
    ///   - subjects: ``subjects`` at that time.
    func keep(_ instances: some Sequence<Instance>, readAt strangers: UInt64, subjects: UInt64 = 0) {
        state.withLock { state in
            guard state.isCurrent(strangers), subjects == state.subjects else { return }
            for instance in instances where state.excluded.find(instance.sopInstanceUID) == nil {
                state.rows.put(instance, instance.sopInstanceUID)
            }
        }
    }

    /// Forgets an instance, and takes no row of it from reads that began before: its row is about to change.
    func exclude(_ sopInstanceUID: String) {
        state.withLock { state in
            state.exclusions += 1
            state.excluded.put(state.exclusions, sopInstanceUID)
            state.rows.remove(sopInstanceUID)
        }
    }

    /// How often whose instances are has changed.
    var subjects: UInt64 { state.withLock { $0.subjects } }

    /// A patient's record, a link or an order's number is another now: of whichever instances, so that all are forgotten.
    /// To be told once it is committed, before anybody is told of the commit.
    func changeSubjects() {
        state.withLock { state in
            state.subjects += 1
            state.rows = Generations<String, Instance>(costMax: Self.generationMax)
        }
    }

    /// Exclusions so far.
    var exclusions: UInt64 { state.withLock { $0.exclusions } }

    /// The rows of rejected instances are back as they were. To be told after the commit; another unit may have taken them
    /// away again by then, and such a row stays out.
    ///
    /// - Parameter exclusions: as many as there were at the end of the unit that brought them back.
    func readmit(_ sopInstanceUIDs: [String], after exclusions: UInt64) {
        state.withLock { state in
            for uid in sopInstanceUIDs {
                guard let place = state.excluded.find(uid), place <= exclusions else { continue }
                state.excluded.remove(uid)
            }
        }
    }
}
