import DICOMData

/// What a peer reports on a transaction of Storage Commitment: which instances it keeps for good, and which it does not
/// and why. PS3.4 Table J.3-3.
package struct CommitmentReport: Sendable, Hashable {
    package typealias Reference = StorageCommitment.Reference

    package let transactionUID: String
    package let committed: [Reference]
    /// With the failure reason as it is told, PS3.3 §C.14.1.1; nil where none is.
    package let failed: [Reference: Int?]
    /// Where the committed ones can be had.
    package let retrieveAETitle: String?

    /// Reads the event information of an N-EVENT-REPORT. Throws ``StorageCommitment/Problem``.
    package init(_ eventInformation: DataSet) throws(StorageCommitment.Problem) {
        guard let transaction = eventInformation.string(.transactionUID), UID.isSafe(transaction) else {
            throw .invalid(.transactionUID)
        }
        let good = eventInformation[.referencedSOPSequence]?.items ?? []
        let bad = eventInformation[.failedSOPSequence]?.items ?? []
        guard good.count + bad.count <= StorageCommitment.referencesMax else { throw .tooMany }
        guard good.count + bad.count > 0 else { throw .invalid(.referencedSOPSequence) }
        var committed: [Reference] = []
        for item in good { committed.append(try Self.reference(item)) }
        var failed: [Reference: Int?] = [:]
        for item in bad { failed.updateValue(item.int(.failureReason), forKey: try Self.reference(item)) }
        // What is told both ways is not kept.
        self.committed = committed.filter { failed[$0] == nil }
        self.failed = failed
        transactionUID = transaction
        retrieveAETitle = eventInformation.string(.retrieveAETitle)
    }

    private static func reference(_ item: DataSet) throws(StorageCommitment.Problem) -> Reference {
        guard let classUID = item.string(.referencedSOPClassUID), UID.isSafe(classUID) else {
            throw .invalid(.referencedSOPClassUID)
        }
        guard let uid = item.string(.referencedSOPInstanceUID), UID.isSafe(uid) else {
            throw .invalid(.referencedSOPInstanceUID)
        }
        return Reference(sopClassUID: classUID, sopInstanceUID: uid)
    }
}
