/// Every step of the store's schema, in order. Append only.
package enum Migrations {
    package static let all: [Migration] = [
        foundations, workflow, resources, auditByNumber, messageCoverage, keptSearches, identity, publication,
        auditCuts, retention, orderEvents, searchKeys, instanceConflicts, currentVersions(14), outbox(15),
        history(16), subscriptions(17), imagingVisibility(18), rejections(19), performedSteps(20),
        openAndEnded(21), peerServices(22), told(23), messageKeys(24), messageKeyTimes(25), archiveCopies(26),
        workitems(27), launches(28), grants(29), accounts(30), sessions(31), remoteStudies(32), auditPatients(33),
        leftBlobs(34), practices(35), passkeys(36), auditFeeds(37), blobKeys(38), imports(39), exportParts(40),
        outsiders(41), signInTimes(42), bodyKeys(43), awaitedRejections(44), commitmentRequests(45),
        permitsAndStations(46), nameWords(47), organizationPermits(48),
        peerCommitments(49),
    ]

    /// The commit order and the audit chain: what every other table leans on.
    private static let foundations = Migration(
        1, "commit order and audit",
        [
            """
            CREATE TABLE commit_sequence (id {int} PRIMARY KEY CHECK (id = 1), sequence {int} NOT NULL, \
            time {int} NOT NULL) {table}
            """,
            "INSERT INTO commit_sequence (id, sequence, time) VALUES (1, 0, 0)",
            """
            CREATE TABLE audit (number {int} PRIMARY KEY, time {int} NOT NULL, record {bytes} NOT NULL, \
            hash {bytes} NOT NULL) {table}
            """,
            "CREATE INDEX audit_time ON audit (time)",
        ])

    /// Audit rows rise in time as they do in number, so a time is found by halving the numbers: an index of its own only
    /// made every audited read dearer.
    private static let auditByNumber = Migration(4, "audit by number", ["DROP INDEX audit_time"])
}
