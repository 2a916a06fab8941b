import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// Storage commitment: whether instances are kept here, found by reading all their bytes back. PS3.18 §13, Annex J.
package struct CommitmentRoutes: Sendable {
    /// Bytes of a request: the largest transaction in XML takes about half.
    private static let bodyBytesMax = 8 << 20
    /// What one instance of an outcome takes while it is written: its UIDs, as attributes, and as they leave.
    private static let outcomeBytes = 2 << 10
    /// How long a request waits for its outcome before it is told to come again.
    private let patience: Duration
    private let desk: CommitmentDesk
    private let audit: any AuditTrail

    /// - Parameters:
    ///   - desk: somebody runs it.
    ///   - patience: how long a request waits for its outcome before it is told to come again.
    package init(desk: CommitmentDesk, audit: any AuditTrail, patience: Duration = .seconds(10)) {
        self.desk = desk
        self.audit = audit
        self.patience = patience
    }

    /// Below `/dicomweb`.
    var routes: [Route] {
        let request = "/dicomweb/commitment-requests/{transaction}"
        let access = RouteAccess.bearer(.permission(.create, on: "ImagingStudy"))
        return [
            Route(.post, request, operationID: "requestStorageCommitment", access: access, handler: ask),
            Route(.get, request, operationID: "checkStorageCommitment", access: access, handler: check),
        ]
    }

    /// §13.4. 200 with the outcome where it is there soon, else 202.
    private func ask(_ request: APIRequest) async throws -> Response {
        try Self.check(request)
        let transaction = try Self.transaction(request)
        let form = try ResultForm(request)
        var information = try await request.dataSet(limit: Self.bodyBytesMax)
        guard information[.referencedStudySequence] == nil else {
            throw HTTPFailure(.malformed, "instances are named by Referenced SOP Sequence here, not by their studies")
        }
        information.set(.transactionUID, string: transaction)
        let commitment: StorageCommitment
        do throws(StorageCommitment.Problem) { commitment = try StorageCommitment(information) } catch {
            switch error {
            case .invalid(let tag): throw HTTPFailure(.malformed, "\(tag) has no UID")
            case .tooMany:
                throw HTTPFailure(.tooLarge, "more than \(StorageCommitment.referencesMax) instances are asked for")
            }
        }
        try await record("commitment", request, transaction, "commitment of \(commitment.references.count) instances")
        let key: CommitmentRequest.Key
        do {
            key = try await desk.add(commitment, by: request.access.principal)
        } catch let refusal as CommitmentDesk.Refusal {
            switch refusal {
            case .inUse: throw HTTPFailure(.conflict, "the transaction UID is in use")
            case .full:
                throw HTTPFailure(
                    .unavailable, "too many instances wait for commitment; try again", headers: [.retryAfter: "60"])
            }
        }
        return try answer(try await desk.standing(of: key, within: patience), form, request)
    }

    /// §13.5.
    private func check(_ request: APIRequest) async throws -> Response {
        try Self.check(request)
        let transaction = try Self.transaction(request)
        let form = try ResultForm(request)
        try await record("commitment-result", request, transaction, nil)
        let key = CommitmentDesk.key(of: request.access.principal, transaction)
        return try answer(try await desk.standing(of: key), form, request)
    }

    private func answer(
        _ standing: CommitmentDesk.Standing?, _ form: ResultForm, _ request: APIRequest
    ) throws -> Response {
        switch standing {
        case nil:
            throw HTTPFailure(.notFound, "there is no such commitment request, or its outcome is no longer kept")
        case .working: return .empty(.accepted, headers: [.retryAfter: "5"])
        case .failed:
            throw HTTPFailure(
                .unavailable, "the instances could not be read back; ask again", headers: [.retryAfter: "60"])
        case .done(let failures, let commitment):
            guard request.memory?.grow(to: commitment.references.count * Self.outcomeBytes) ?? true else {
                throw HTTPFailure(
                    .unavailable, "there is no memory for the outcome now; ask again", headers: [.retryAfter: "2"])
            }
            return try form.response(commitment.response(failures: failures))
        }
    }

    private func record(
        _ interaction: String, _ request: APIRequest, _ transaction: String, _ detail: String?
    ) async throws {
        try await audit.record(
            AuditRecord(
                category: .transfer, interaction: interaction, action: .execute, outcome: .success,
                access: request.access, entity: "transaction:\(transaction)", detail: detail))
    }

    private static func transaction(_ request: APIRequest) throws(HTTPFailure) -> String {
        let uid = request.parameters["transaction"]
        guard UID.isSafe(uid) else { throw HTTPFailure(.malformed, "the transaction in the URL is no UID") }
        return uid
    }

    /// Throws for a token that stores for some patients alone: an outcome tells of any instance.
    private static func check(_ request: APIRequest) throws(HTTPFailure) {
        guard request.access.visibility(.create, of: "ImagingStudy").isWhole else {
            throw HTTPFailure(.insufficientScope, "commitment needs system/ImagingStudy.c")
        }
    }
}

extension StorageCommitment {
    /// The Storage Commitment Response Module: without the Transaction UID, which is in the URL. PS3.18 Table J.2-1.
    func response(failures: [Reference: Failure]) -> DataSet {
        var set = report(failures: failures, retrieveAETitle: "").information
        set[.transactionUID] = nil
        set[.retrieveAETitle] = nil
        return set
    }
}
