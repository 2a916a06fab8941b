import Synchronization
import Workflow

/// Whether a unit of work changes whose objects are, what ``ObjectSubject`` is made of, and of which series it changes
/// instances.
final class SubjectChanges: Sendable {
    private let noted = Atomic<Bool>(false)
    private let moved = Atomic<Bool>(false)

    private let series = Mutex<Set<String>>([])

    /// Series of which an instance comes, goes or is replaced.
    var changedSeries: Set<String> { series.withLock { $0 } }
    var areNoted: Bool { noted.load(ordering: .acquiring) }
    /// Whether a series is linked to another patient, or is gone and may come back as another's.
    var haveMoved: Bool { moved.load(ordering: .acquiring) }

    /// What nobody had before is of no instance yet. Gives whether it is such a change.
    func note(_ patient: Patient, instead old: Patient?) -> Bool {
        guard let old else { return false }
        guard
            patient.identifiers != old.identifiers || patient.names != old.names || patient.birthDate != old.birthDate
                || patient.sex != old.sex || patient.mergedInto != old.mergedInto
        else { return false }
        note()
        return true
    }

    func note(_ series: Series, instead old: Series?) {
        guard let old else { return }
        if series.reconciliation.patientID != old.reconciliation.patientID { moved.store(true, ordering: .releasing) }
        if series.reconciliation != old.reconciliation || series.asides != old.asides
            || series.identity != old.identity || series.isVaried != old.isVaried
        {
            note()
        }
    }

    func note(_ order: ImagingOrder, instead old: ImagingOrder?) -> Bool {
        guard let old, order.accession != old.accession else { return false }
        note()
        return true
    }

    func noteInstances(ofSeries uid: String) { series.withLock { _ = $0.insert(uid) } }

    /// A series that is not there any more: whoever brings it again may say that it is another patient's.
    func noteRemovedSeries() { moved.store(true, ordering: .releasing) }

    func note() { noted.store(true, ordering: .releasing) }
}
