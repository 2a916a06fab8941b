import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Modality Worklist C-FIND: one pending response for each scheduled procedure step that matches. PS3.4 Annex K.
package struct WorklistSCP: ServiceClassProvider {
    /// Who sees the worklist.
    package let role = Peer.Role.worklist
    private let index: any ImagingIndex
    private let item: WorklistItem
    private let audit: any AuditTrail
    /// Matches of one query; beyond it the query ends with A700H after that many.
    private let matchesMax: Int

    /// - Parameter matchesMax: more matches are not sent; the query then ends with A700.
    package init(
        index: any ImagingIndex, authorities: AssigningAuthorities, audit: any AuditTrail, matchesMax: Int = 1000
    ) {
        self.index = index
        item = WorklistItem(authorities: authorities)
        self.audit = audit
        self.matchesMax = matchesMax
    }

    /// Modality Worklist Information Model FIND. PS3.4 §K.5.
    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        [
            UID.modalityWorklistFind: SupportedAbstractSyntax(transferSyntaxes: TransferSyntax.ofIdentifiers)
        ]
    }

    /// One C-FIND.
    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        guard request.message.field == .cFindRequest else { return FixedAnswer(status: .unrecognizedOperation) }
        guard request.message.hasDataSet else { return FixedAnswer(status: .dataSetDoesNotMatchSOPClass) }
        return IdentifierOperation(request, answer: answer)
    }

    private func answer(_ request: DIMSERequest, _ identifier: DataSet, _ responder: Responder) async throws {
        let access = request.association.access
        let keys: WorklistKeys
        do throws(QueryKeys.Problem) {
            keys = try WorklistKeys(identifier: identifier, authorities: item.authorities)
        } catch {
            // The Error Comment has no patient's data: it names the attribute.
            let tag =
                switch error {
                case .badValue(let tag): tag
                }
            return try await responder.send(.cannotUnderstand, comment: "\(tag) has no value of its VR")
        }
        let entries: [WorklistEntry]
        do {
            entries = try await index.worklist(
                WorklistQuery(keys.keys, limit: matchesMax + 1), access: access)
            // Fails closed: what cannot be audited is not shown.
            try await audit.record(
                AuditRecord(
                    category: .query, interaction: "C-FIND", action: .execute, outcome: .success, access: access,
                    entity: "worklist", query: keys.keys.auditText))
        } catch let error as StoreError where error.code == .unacceptable {
            // A key with NUL: asked again it fails again.
            return try await responder.send(.cannotUnderstand)
        } catch {
            return try await responder.send(.outOfResources, comment: "store not available")
        }
        guard let syntax = TransferSyntax(uid: request.context.transferSyntax) else {
            return try await responder.send(.cannotUnderstand)
        }
        let encoder = DataSetEncoder(transferSyntax: syntax)
        for entry in entries.prefix(matchesMax) {
            if responder.isCancelled { return try await responder.send(.cancelled) }
            let match = keys.response(for: item.dataSet(entry, askedBy: keys.keys)).inCharacterSet(of: identifier)
            let bytes: [UInt8]
            do throws(DICOMDataError) { bytes = try encoder.encode(match) } catch {
                return try await responder.send(.cannotUnderstand)
            }
            try await responder.send(
                keys.hasUnsupportedKeys ? .pendingKeysUnsupported : .pending, dataSet: bytes)
        }
        if responder.isCancelled { return try await responder.send(.cancelled) }
        if entries.count > matchesMax {
            return try await responder.send(.outOfResources, comment: "more than \(matchesMax) matches")
        }
        try await responder.send(.success)
    }
}
