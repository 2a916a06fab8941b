import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// Requests for storage commitment by HTTP, on both databases. PS3.18 §13.
@Suite("Commitment requests on both databases")
struct CommitmentRequestTests {
    private static func key(_ uid: String, _ client: String = "client:ct") -> CommitmentRequest.Key {
        CommitmentRequest.Key(client: client, transactionUID: uid)
    }

    private static func request(
        _ uid: String, _ client: String = "client:ct", count: Int = 2, at seconds: Int64 = 1
    ) -> CommitmentRequest {
        CommitmentRequest(
            key: key(uid, client), count: count, references: "\(uid)\n=1.2\n1.5.1", acceptedAt: Support.at(seconds))
    }

    @Test("What is kept comes back as it was, for whom it is; a change takes its place", arguments: TestDatabases.all)
    func kept(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            let request = Self.request("1.1")
            try await store.work { try $0.commitmentRequests.save(request) }
            #expect(try await store.look { try $0.commitmentRequests.commitmentRequest(Self.key("1.1")) } == request)
            #expect(
                try await store.look { try $0.commitmentRequests.commitmentRequest(Self.key("1.1", "client:b")) }
                    == nil)
            for state in [CommitmentRequest.State.done, .failed] {
                var ended = request
                ended.state = state
                ended.outcome = state == .done ? "0 274" : nil
                ended.endedAt = Support.at(9)
                let kept = ended
                try await store.work { try $0.commitmentRequests.save(kept) }
                #expect(
                    try await store.look { try $0.commitmentRequests.commitmentRequest(Self.key("1.1")) } == kept)
            }
            await #expect(throws: StoreError.self) {
                try await store.look { try $0.commitmentRequests.save(request) }
            }
            try await store.work { try $0.commitmentRequests.removeCommitmentRequest(Self.key("1.1")) }
            #expect(try await store.look { try $0.commitmentRequests.commitmentRequest(Self.key("1.1")) } == nil)
        }
    }

    @Test(
        "Those open come in their order, the load is each client's, and what ended goes", arguments: TestDatabases.all)
    func lists(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            #expect(try await store.look { try $0.commitmentRequests.commitmentLoad(of: nil) } == .init())
            try await store.work { unit in
                let requests = try unit.commitmentRequests
                try requests.save(Self.request("1.3", count: 3, at: 2))
                try requests.save(Self.request("1.2", "client:b", count: 5, at: 1))
                try requests.save(Self.request("1.1", at: 2))
                for number in 4...6 {
                    var ended = Self.request("1.\(number)")
                    ended.state = .done
                    ended.outcome = ""
                    ended.endedAt = Support.at(Int64(number))
                    try requests.save(ended)
                }
            }
            try await store.work { unit in
                let requests = try unit.commitmentRequests
                #expect(
                    try requests.openCommitmentRequests(limit: 9)
                        == [Self.key("1.2", "client:b"), Self.key("1.1"), Self.key("1.3")])
                #expect(try requests.openCommitmentRequests(limit: 1) == [Self.key("1.2", "client:b")])
                #expect(try requests.commitmentLoad(of: nil) == .init(requests: 6, instances: 16))
                #expect(try requests.commitmentLoad(of: "client:ct") == .init(requests: 5, instances: 11))
                #expect(try requests.commitmentLoad(of: "client:x") == .init())
                #expect(try !requests.hasCommitmentRequest(endedBefore: Support.at(4)))
                #expect(try requests.hasCommitmentRequest(endedBefore: Support.at(5)))
                #expect(try requests.removeCommitmentRequests(endedBefore: Support.at(6), limit: 1) == 1)
                #expect(try requests.commitmentRequest(Self.key("1.4")) == nil)
                #expect(try requests.removeCommitmentRequests(endedBefore: Support.at(6), limit: 9) == 1)
                #expect(try requests.commitmentRequest(Self.key("1.6")) != nil)
                #expect(try requests.openCommitmentRequests(limit: 9).count == 3)
            }
        }
    }
}
