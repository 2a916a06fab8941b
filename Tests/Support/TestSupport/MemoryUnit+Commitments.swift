import Workflow

/// Requests for storage commitment.
extension MemoryUnit: CommitmentRequestUnit {
    package func commitmentRequest(_ key: CommitmentRequest.Key) throws -> CommitmentRequest? {
        state.commitmentRequests.first { $0.key == key }
    }
    package func save(_ request: CommitmentRequest) throws {
        MemoryState.put(request, in: &state.commitmentRequests) { $0.key == request.key }
    }
    package func removeCommitmentRequest(_ key: CommitmentRequest.Key) throws {
        state.commitmentRequests.removeAll { $0.key == key }
    }
    package func commitmentLoad(of client: String?) throws -> CommitmentRequest.Load {
        let these = state.commitmentRequests.filter { client == nil || $0.key.client == client }
        return CommitmentRequest.Load(requests: these.count, instances: these.reduce(0) { $0 + $1.count })
    }
    package func openCommitmentRequests(limit: Int) throws -> [CommitmentRequest.Key] {
        Array(state.commitmentRequests.filter { $0.state == .working }.prefix(limit).map(\.key))
    }
    package func hasCommitmentRequest(endedBefore time: UTCInstant) throws -> Bool {
        state.commitmentRequests.contains { $0.endedAt.map { $0 < time } ?? false }
    }
    @discardableResult
    package func removeCommitmentRequests(endedBefore time: UTCInstant, limit: Int) throws -> Int {
        let gone = state.commitmentRequests.filter { $0.endedAt.map { $0 < time } ?? false }.prefix(limit).map(\.key)
        state.commitmentRequests.removeAll { gone.contains($0.key) }
        return gone.count
    }
}
