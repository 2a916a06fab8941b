import Access
import DICOMNetwork
import Workflow

/// What a user identity is worth. PS3.7 §D.3.3.7.
package enum UserIdentityVerdict: Sendable {
    /// The user is who it says. What is seen on the association is what its own access allows, where it has one, besides
    /// what the calling application entity may do. The answer is empty but for Kerberos and SAML.
    case verified(AccessContext?, answer: [UInt8])
    /// It is not.
    case refused
    /// An identity of this type is none here: as if nothing had been proposed.
    case notUnderstood
}

/// Verifies the user behind the requestor of an association.
package protocol UserIdentityVerifying: Sendable {
    /// Throws when it cannot be told now: the association is rejected for now.
    func verdict(
        on identity: UserIdentity, requestID: String, sourceAddress: String?
    ) async throws -> UserIdentityVerdict
}

/// Verifies identities of type 5, JSON Web Tokens, as the access tokens of this server. Others are not understood.
package struct AccessTokenIdentity: UserIdentityVerifying {
    /// Longer tokens are refused unread, in bytes.
    private static let tokenBytesMax = 8 << 10

    private let tokens: any TokenVerifying

    package init(tokens: any TokenVerifying) { self.tokens = tokens }

    package func verdict(
        on identity: UserIdentity, requestID: String, sourceAddress: String?
    ) async throws -> UserIdentityVerdict {
        guard identity.kind == 5 else { return .notUnderstood }
        guard identity.primary.count <= Self.tokenBytesMax,
            let token = String(validating: identity.primary, as: UTF8.self)
        else { return .refused }
        do {
            let access = try await tokens.accessContext(
                bearerToken: token, requestID: requestID, sourceAddress: sourceAddress)
            guard let access else { return .refused }
            return .verified(access, answer: [])
        } catch is TokenRefusal { return .refused }
    }
}

extension WorkflowStore {
    /// Records that the user behind an association may not do something. It stays refused when its row cannot be kept.
    func noteNotAuthorized(
        _ interaction: String, _ action: AuditRecord.Action, _ entity: String, _ category: AuditRecord.Category,
        _ access: AccessContext
    ) async {
        try? await write(access) { unit in
            try unit.audit(
                AuditRecord(
                    category: category, interaction: interaction, action: action, outcome: .minorFailure,
                    access: unit.access, entity: entity, detail: "notAuthorized"))
        }
    }
}
