import Access
import Workflow

extension RelationalStore {
    /// What destinations were asked to keep, the newest transactions first; nothing for a caller who does not see all
    /// images. PS3.4 §J.3.
    package func peerCommitments(limit: Int, access: AccessContext) async throws -> [CommitmentTransaction] {
        guard access.imagingSight(.search).isWhole else { return [] }
        return try await readUnit(access) { try $0.peerCommitments.commitmentTransactions(limit: limit) }
    }
}
