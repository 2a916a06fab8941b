import DICOMData

/// One transaction of Storage Commitment Push: the instances that its requestor asks to be kept for it. PS3.4 §J.3.2.
package struct StorageCommitment: Sendable, Hashable {
    /// Instances of one transaction at most; those of a large study are some thousands.
    package static let referencesMax = 10_000

    package struct Reference: Sendable, Hashable {
        package let sopClassUID: String
        package let sopInstanceUID: String
        package init(sopClassUID: String, sopInstanceUID: String) {
            self.sopClassUID = sopClassUID
            self.sopInstanceUID = sopInstanceUID
        }
    }

    package enum Problem: Error, Sendable, Hashable {
        /// Absent, empty, or no UID.
        case invalid(Tag)
        case tooMany
    }

    /// Why an instance is not committed. PS3.4 Table J.3-2, PS3.3 §C.14.1.1.
    package enum Failure: Int, Sendable, Hashable {
        case processingFailure = 0x0110
        case noSuchInstance = 0x0112
        case classInstanceConflict = 0x0119
    }

    package let transactionUID: String
    /// Those of one class one after the other, in the order of the request.
    package let references: [Reference]

    package init(transactionUID: String, references: [Reference]) {
        self.transactionUID = transactionUID
        var places: [String: Int] = [:]
        for reference in references where places[reference.sopClassUID] == nil {
            places[reference.sopClassUID] = places.count
        }
        var ofClasses = [[Reference]](repeating: [], count: places.count)
        for reference in references { ofClasses[places[reference.sopClassUID] ?? 0].append(reference) }
        self.references = Array(ofClasses.joined())
    }

    /// Reads the action information of an N-ACTION.
    package init(_ actionInformation: DataSet) throws(Problem) {
        guard let transaction = actionInformation.string(.transactionUID), UID.isSafe(transaction) else {
            throw .invalid(.transactionUID)
        }
        let items = actionInformation[.referencedSOPSequence]?.items ?? []
        guard !items.isEmpty else { throw .invalid(.referencedSOPSequence) }
        guard items.count <= Self.referencesMax else { throw .tooMany }
        var references: [Reference] = []
        for item in items {
            guard let classUID = item.string(.referencedSOPClassUID), UID.isSafe(classUID) else {
                throw .invalid(.referencedSOPClassUID)
            }
            guard let uid = item.string(.referencedSOPInstanceUID), UID.isSafe(uid) else {
                throw .invalid(.referencedSOPInstanceUID)
            }
            references.append(Reference(sopClassUID: classUID, sopInstanceUID: uid))
        }
        self.init(transactionUID: transaction, references: references)
    }

    /// The action information of an N-ACTION that asks for it. PS3.4 Table J.3-1.
    package var actionInformation: DataSet {
        var set = DataSet()
        set.set(.transactionUID, string: transactionUID)
        set.set(
            .referencedSOPSequence,
            items: references.map { reference in
                var item = DataSet()
                item.set(.referencedSOPClassUID, string: reference.sopClassUID)
                item.set(.referencedSOPInstanceUID, string: reference.sopInstanceUID)
                return item
            })
        return set
    }

    /// The event information of the report: what is committed, and what failed and why. Event type 1 when nothing
    /// failed, else 2. PS3.4 Table J.3-3.
    package func report(
        failures: [Reference: Failure], retrieveAETitle: String
    ) -> (eventTypeID: UInt16, information: DataSet) {
        var set = DataSet()
        set.set(.transactionUID, string: transactionUID)
        set.set(.retrieveAETitle, string: retrieveAETitle)
        func item(_ reference: Reference) -> DataSet {
            var item = DataSet()
            item.set(.referencedSOPClassUID, string: reference.sopClassUID)
            item.set(.referencedSOPInstanceUID, string: reference.sopInstanceUID)
            return item
        }
        let committed = references.filter { failures[$0] == nil }
        if !committed.isEmpty { set.set(.referencedSOPSequence, items: committed.map(item)) }
        let failed: [DataSet] = references.compactMap { reference in
            guard let failure = failures[reference] else { return nil }
            var failed = item(reference)
            failed.set(.failureReason, int: failure.rawValue)
            return failed
        }
        if !failed.isEmpty { set.set(.failedSOPSequence, items: failed) }
        return (failed.isEmpty ? 1 : 2, set)
    }

    // MARK: Kept until it is reported

    /// As lines: the transaction, then each class once with the instances of it. A UID has no line break. The largest
    /// transaction of up to some thousand classes stays below what one entry of the outbox may hold.
    package var lines: String {
        var lines = [transactionUID]
        var last: String?
        for reference in references {
            if reference.sopClassUID != last { lines.append("=" + reference.sopClassUID) }
            last = reference.sopClassUID
            lines.append(reference.sopInstanceUID)
        }
        return lines.joined(separator: "\n")
    }

    /// What ``lines`` were made of; nil for others.
    package init?(lines: some StringProtocol) {
        var rest = lines.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard let transaction = rest.popFirst(), UID.isSafe(transaction) else { return nil }
        var classUID: String?
        var references: [Reference] = []
        for line in rest {
            if line.first == "=" {
                classUID = String(line.dropFirst())
            } else if let classUID, UID.isSafe(classUID), UID.isSafe(line) {
                references.append(Reference(sopClassUID: classUID, sopInstanceUID: String(line)))
            } else {
                return nil
            }
        }
        guard !references.isEmpty else { return nil }
        self.init(transactionUID: String(transaction), references: references)
    }
    /// What failed, a line each: the number of the reference from zero, a space, and the reason, decimal. Empty where
    /// nothing did.
    package func lines(of failures: [Reference: Failure]) -> String {
        references.enumerated().compactMap { index, reference in
            failures[reference].map { "\(index) \($0.rawValue)" }
        }.joined(separator: "\n")
    }

    /// What ``lines(of:)`` were made of; nil for others.
    package func failures(lines: String) -> [Reference: Failure]? {
        var failures: [Reference: Failure] = [:]
        for line in lines.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let index = Int(parts[0]), references.indices.contains(index),
                let reason = Int(parts[1]), let failure = Failure(rawValue: reason)
            else { return nil }
            failures[references[index]] = failure
        }
        return failures
    }
}
