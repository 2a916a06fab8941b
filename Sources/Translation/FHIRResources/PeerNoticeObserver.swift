import Workflow

/// Sees to it that peers are told by DIMSE of performed procedure steps and of studies that can be had.
package struct PeerNoticeObserver: CommitObserver {
    private let notices = PeerNotices()

    package init() {}

    package func conclude(_ changes: UnitChanges, in unit: any ResourceUnitOfWork) throws {
        try notices.note(changes.events, in: unit)
    }
}
