/// What the writer has just read or written, so that the next unit of work need not read and decode it again.
///
/// Only the writer changes the database, so what it remembers stays true until one of its own units is undone or
/// another process commits: `CommitBatches` then empties it. Confined to the writer's thread. Holds at most
/// `2 * generationMax` values of each type; which of them are too large to be kept is for the callers to know.
package final class WriterMemo {
    /// Values of one type that join its newest generation before the older one is forgotten.
    static let generationMax = 1_024

    /// The commit after which all that is remembered was true; nil when nothing is.
    var stamp: CommitStamp?
    /// The newest commit that was found or made: what is in the database beyond it somebody else has written, or a commit
    /// of which nobody was told. Stays when all else is forgotten.
    var seen: CommitStamp?
    /// The newest row of the audit trail.
    var auditTip: (number: Int64, hash: [UInt8])?
    /// How many of the next batches run with savepoints.
    var batchesApart = 0
    /// The resources that the open transaction has changed.
    var changed: Set<ResourceCache.Name> = []
    /// Whether the open transaction has a unit of work that may write more than the audit trail.
    var mayChangeRights = false
    private var values: [ObjectIdentifier: Generations<String, any Sendable>] = [:]

    init() {}

    /// The value of this type last remembered under `id`, or nil.
    func find<Value: Sendable>(_ type: Value.Type, _ id: String) -> Value? {
        values[ObjectIdentifier(type)]?.find(id) as? Value
    }

    func remember<Value: Sendable>(_ value: Value, _ id: String) {
        values[ObjectIdentifier(Value.self), default: Generations(costMax: Self.generationMax)].put(value, id)
    }

    func forget<Value: Sendable>(_ type: Value.Type, _ id: String) {
        values[ObjectIdentifier(type)]?.remove(id)
    }

    /// Forgets everything but what was changed, and what was seen.
    func reset() {
        stamp = nil
        auditTip = nil
        values = [:]
    }
}
