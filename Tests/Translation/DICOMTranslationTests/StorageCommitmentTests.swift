import DICOMData
import DICOMTranslation
import Testing

/// PS3.4 §J.3.
@Suite struct StorageCommitmentTests {
    private func information(_ references: [(String, String)], transaction: String? = "1.2.3") -> DataSet {
        var set = DataSet()
        if let transaction { set.set(.transactionUID, string: transaction) }
        set.set(
            .referencedSOPSequence,
            items: references.map { classUID, uid in
                var item = DataSet()
                item.set(.referencedSOPClassUID, string: classUID)
                item.set(.referencedSOPInstanceUID, string: uid)
                return item
            })
        return set
    }

    private func problem(_ set: DataSet) -> StorageCommitment.Problem? {
        do throws(StorageCommitment.Problem) {
            _ = try StorageCommitment(set)
            return nil
        } catch {
            return error
        }
    }

    @Test("§J.3.2.1.1: a transaction without its UID, without instances, or with what is no UID is refused")
    func invalid() {
        #expect(problem(information([("1.2", "1.3")])) == nil)
        #expect(problem(information([("1.2", "1.3")], transaction: nil)) == .invalid(.transactionUID))
        #expect(problem(information([("1.2", "1.3")], transaction: "../x")) == .invalid(.transactionUID))
        #expect(problem(information([])) == .invalid(.referencedSOPSequence))
        #expect(problem(information([("1.2", "1.3"), ("", "1.4")])) == .invalid(.referencedSOPClassUID))
        #expect(problem(information([("1.2", "1.3"), ("1.2", "a")])) == .invalid(.referencedSOPInstanceUID))
    }

    @Test("10,000 instances are a transaction that the outbox holds, one more is too many")
    func limit() throws {
        let uid = "1.2.840." + String(repeating: "1", count: 49)
        let most = information((0..<StorageCommitment.referencesMax).map { (uid, "\(uid).\(100_000 + $0 % 90_000)") })
        #expect(try StorageCommitment(most).lines.utf8.count < (1 << 20) - 200)
        let inTurns = information(
            (0..<StorageCommitment.referencesMax).map { ("\(uid).\($0 % 2)", "\(uid).\(100_000 + $0 % 90_000)") })
        #expect(try StorageCommitment(inTurns).lines.utf8.count < (1 << 20) - 200)
        let more = information((0...StorageCommitment.referencesMax).map { ("1.2", "1.\($0)") })
        #expect(problem(more) == .tooMany)
    }

    @Test("What is kept of a transaction is read back as it was; what is none is not read")
    func lines() throws {
        let commitment = try StorageCommitment(
            information([("1.2", "1.3.1"), ("1.2", "1.3.2"), ("1.4", "1.3.3"), ("1.2", "1.3.4")]))
        #expect(StorageCommitment(lines: commitment.lines) == commitment)
        #expect(commitment.references.map(\.sopInstanceUID) == ["1.3.1", "1.3.2", "1.3.4", "1.3.3"])
        #expect(commitment.lines == "1.2.3\n=1.2\n1.3.1\n1.3.2\n1.3.4\n=1.4\n1.3.3")
        for lines in ["", "1.2.3", "1.2.3\n1.3.1", "1.2.3\n=1.2\nx", "x\n=1.2\n1.3", "1.2.3\n=\n1.3", "1.2.3\n=1.2"] {
            #expect(StorageCommitment(lines: lines) == nil, "\(lines)")
        }
        let failures: [StorageCommitment.Reference: StorageCommitment.Failure] = [
            commitment.references[0]: .noSuchInstance, commitment.references[3]: .processingFailure,
        ]
        #expect(commitment.lines(of: failures) == "0 274\n3 272")
        #expect(commitment.failures(lines: "0 274\n3 272") == failures)
        #expect(commitment.failures(lines: "") == [:])
        for lines in ["x", "0", "4 272", "-1 272", "0 1", "0 272 1"] {
            #expect(commitment.failures(lines: lines) == nil, "\(lines)")
        }
    }

    @Test("§J.3.3.1.1: event type 1 names what is committed; type 2 names what failed with its reason too")
    func report() throws {
        let commitment = try StorageCommitment(information([("1.2", "1.3.1"), ("1.2", "1.3.2"), ("1.4", "1.3.3")]))
        let good = commitment.report(failures: [:], retrieveAETitle: "HILUM")
        #expect(good.eventTypeID == 1)
        #expect(good.information.string(.transactionUID) == "1.2.3")
        #expect(good.information.string(.retrieveAETitle) == "HILUM")
        #expect(good.information[.referencedSOPSequence]?.items?.count == 3)
        #expect(good.information[.failedSOPSequence] == nil)
        let bad = commitment.report(
            failures: [commitment.references[1]: .noSuchInstance, commitment.references[2]: .classInstanceConflict],
            retrieveAETitle: "HILUM")
        #expect(bad.eventTypeID == 2)
        #expect(
            bad.information[.referencedSOPSequence]?.items?.map { $0.string(.referencedSOPInstanceUID) } == ["1.3.1"])
        let failed = bad.information[.failedSOPSequence]?.items ?? []
        #expect(failed.map { $0.string(.referencedSOPInstanceUID) } == ["1.3.2", "1.3.3"])
        #expect(failed.map { $0.string(.failureReason) } == ["274", "281"])
    }
}
