import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// C-FIND of workitems: one pending response for each that matches, those that are to begin first at the front.
/// PS3.4 §CC.2.8.
extension UnifiedProcedureStepSCP {
    private static let searched = [
        UID.unifiedProcedureStepPull, UID.unifiedProcedureStepWatch, UID.unifiedProcedureStepQuery,
    ]

    func beginFind(_ request: DIMSERequest) -> any ServiceOperation {
        let context = request.context.abstractSyntax
        guard Self.searched.contains(context) else { return FixedAnswer(status: .unrecognizedOperation) }
        guard request.message.sopClassUID == context else { return FixedAnswer(status: .noSuchSOPClass) }
        guard request.message.hasDataSet else { return FixedAnswer(status: .dataSetDoesNotMatchSOPClass) }
        return IdentifierOperation(request, answer: find)
    }

    private func find(_ request: DIMSERequest, _ identifier: DataSet, _ responder: Responder) async throws {
        let access = request.association.access
        guard access.mayUseWorkitems(.search) else {
            await store.noteNotAuthorized("C-FIND", .execute, "workitems", .query, access)
            return try await responder.send(.notAuthorized)
        }
        let keys: WorkitemKeys
        do throws(QueryKeys.Problem) { keys = try WorkitemKeys(identifier) } catch {
            switch error {
            case .badValue(let tag):
                return try await responder.send(
                    .cannotUnderstand, offending: [tag], comment: "\(tag) has no value of its VR")
            }
        }
        guard let syntax = TransferSyntax(uid: request.context.transferSyntax) else {
            return try await responder.send(.cannotUnderstand)
        }
        let encoder = DataSetEncoder(transferSyntax: syntax)
        var search = WorkitemSearch(keys, in: store, access: access)
        var sent = 0
        do {
            // Fails closed: what cannot be audited is not shown.
            try await store.write(access) { unit in
                try unit.audit(
                    AuditRecord(
                        category: .query, interaction: "C-FIND", action: .execute, outcome: .success,
                        access: unit.access, entity: "workitems", query: keys.auditText))
            }
            while let page = try await search.next() {
                for match in page {
                    if responder.isCancelled { return try await responder.send(.cancelled) }
                    guard sent < matchesMax else {
                        return try await responder.send(.outOfResources, comment: "more than \(matchesMax) matches")
                    }
                    let answer = keys.response(for: match.attributes).inCharacterSet(of: identifier)
                    try await responder.send(.pending, dataSet: try encoder.encode(answer))
                    sent += 1
                }
                if responder.isCancelled { return try await responder.send(.cancelled) }
            }
        } catch let error as StoreError {
            switch error.code {
            case .unacceptable: return try await responder.send(.cannotUnderstand)
            case .costly: return try await responder.send(.outOfResources, comment: "give keys that leave fewer")
            default: return try await responder.send(.outOfResources, comment: "store not available")
            }
        } catch is DICOMDataError {
            return try await responder.send(.cannotUnderstand)
        }
        try await responder.send(.success)
    }
}
