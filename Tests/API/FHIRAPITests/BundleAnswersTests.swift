import Access
import FHIRModel
import HTTPSupport
import HTTPTypes
import Testing
import Workflow

@testable import FHIRAPI

/// How much the answers to the entries of a Bundle may hold, and what is told of failures of ours.
@Suite("Answers to the entries of a Bundle")
struct BundleAnswersTests {
    typealias Base = TransactionTests

    private static func limited(_ bytes: Int, _ server: FHIRServer) -> FHIRServer {
        var limits = FHIRLimits()
        limits.bundleAnswerBytesMax = bytes
        return server.with(limits)
    }

    @Test("Reads are answered up to the limit; past it an entry of a batch is 413 and a transaction is refused")
    func reads() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Base.patient("1", id: "p1"))
            let count = await server.send(.get, "Patient/p1").bytes.count
            let reads = Array(repeating: Base.entry("GET", "Patient/p1"), count: 2)
            let enough = Self.limited(2 * count, server)
            let short = Self.limited(2 * count - 1, server)
            for type in ["batch", "transaction"] {
                let answer = await enough.send(.post, "", body: Base.bundle(reads, type))
                #expect(Base.statuses(answer) == ["200 OK", "200 OK"], "\(type)")
            }
            // Further ones than are looked up at a time are told the same.
            let many = await short.send(
                .post, "", body: Base.bundle(Array(repeating: reads[0], count: 100), "batch"))
            #expect(many.status == 200)
            #expect(Base.statuses(many).filter { $0 == "200 OK" }.count == 1)
            #expect(Base.statuses(many).filter { $0 == "413 Content Too Large" }.count == 99)
            let refused = many.json["entry"]?.array?.compactMap { $0["response"]?["outcome"] } ?? []
            #expect(refused.allSatisfy { $0["issue"]?[0]?["code"]?.string == "too-costly" })
            let made = Base.entry("PUT", "Patient/p2", Base.patient("2", id: "p2"))
            let whole = await short.send(.post, "", body: Base.bundle([made] + reads))
            #expect(whole.status == 413)
            #expect(whole.issue == "too-costly")
            #expect(whole.json["issue"]?[0]?["expression"]?[0]?.string == "Bundle.entry[2]")
            #expect(await server.send(.get, "Patient/p2").status == 404)
        }
    }

    @Test("A change of a batch is told as made, without its content where that does not fit")
    func changes() async throws {
        try await FHIRServer.with { (server) async throws in
            let small = Self.limited(1, server)
            let representation = ["prefer": "return=representation"]
            func bundle(_ id: String, _ type: String) -> String {
                Base.bundle([Base.entry("PUT", "Patient/\(id)", Base.patient(id, id: id))], type)
            }
            for (headers, id) in [([:], "p1"), (representation, "p2")] {
                let answer = await small.send(.post, "", headers: headers, body: bundle(id, "batch"))
                #expect(Base.statuses(answer) == ["201 Created"])
                #expect(Base.location(answer, 0) == "Patient/\(id)")
                #expect(answer.json["entry"]?[0]?["resource"] == nil)
            }
            #expect(await small.send(.post, "", body: bundle("p3", "transaction")).status == 200)
            let refused = await small.send(.post, "", headers: representation, body: bundle("p4", "transaction"))
            #expect(refused.status == 413)
            #expect(await server.send(.get, "Patient/p4").status == 404)
        }
    }

    @Test("A failure of ours in an entry is a failure of the answer, for the log; each kind once")
    func failures() throws {
        var answers = BundleAnswers(count: 3, Preferences([]), bytesMax: 1 << 20)
        for (index, kind) in ["A.corrupt", "B", "A.corrupt"].enumerated() {
            var answer = FHIRResponse.outcome(500, OperationOutcome(.fatal, .exception, details: "x"))
            answer.failure = kind
            answers.keepWhatFits(of: answer, at: index)
        }
        let response = try answers.response(.batchResponse, at: UTCInstant(microseconds: 0), FHIRServer.base)
        #expect(response.status == 200)
        #expect(response.failure == "A.corrupt, B")
        var fine = BundleAnswers(count: 1, Preferences([]), bytesMax: 1 << 20)
        fine.keepWhatFits(of: FHIRResponse(204), at: 0)
        #expect(try fine.response(.batchResponse, at: UTCInstant(microseconds: 0), FHIRServer.base).failure == nil)
    }
}
