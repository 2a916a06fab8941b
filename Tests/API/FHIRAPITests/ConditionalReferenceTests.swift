import FHIRModel
import HTTPTypes
import Testing

@testable import FHIRAPI

/// Conditions inside a transaction that depend on one another. FHIR R4 http.html#trules, #ccreate.
@Suite("Conditions inside a transaction")
struct ConditionalReferenceTests {
    typealias Base = TransactionTests

    /// An Observation called `number`, with members that are called as `members`.
    static func observation(_ number: String, _ members: [String] = []) -> String {
        let list = members.map { #"{"reference":"Observation?identifier=urn:o|\#($0)"}"# }.joined(separator: ",")
        let members = members.isEmpty ? "" : #","hasMember":[\#(list)]"#
        return Base.entry(
            "POST", "Observation",
            #"{"resourceType":"Observation","status":"final","code":{"text":"x"},"identifier":[{"system":"urn:o","value":"\#(number)"}]\#(members)}"#
        )
    }

    @Test("A chain of references against its order is followed eight times; one more is refused with its entry")
    func chain() async throws {
        for (count, status) in [(9, 200), (10, 412)] {
            try await FHIRServer.with { (server) async throws in
                let entries = (0..<count).map {
                    Self.observation("\($0)", $0 + 1 < count ? ["\($0 + 1)"] : [])
                }
                let answer = await server.send(.post, "", body: Base.bundle(entries))
                #expect(answer.status == status, "\(count)")
                if status == 200 {
                    let first = await server.send(.get, Base.location(answer, 0)).json
                    #expect(first["hasMember"]?[0]?["reference"]?.string == Base.location(answer, 1))
                } else {
                    #expect(answer.json["issue"]?[0]?["expression"]?[0]?.string == "Bundle.entry[0]")
                }
            }
        }
    }

    @Test("What one entry did not find is found for all once another has made it; a chain in its order has no end")
    func rounds() async throws {
        try await FHIRServer.with { (server) async throws in
            // The first two wait for what the third makes, which waits for nothing but what is there.
            let waiting = [
                Self.observation("a", ["c"]), Self.observation("b", ["c"]), Self.observation("c", ["d"]),
                Self.observation("e", ["c"]), Self.observation("d"),
            ]
            let answer = await server.send(.post, "", body: Base.bundle(waiting))
            #expect(answer.status == 200)
            for index in [0, 1, 3] {
                let read = await server.send(.get, Base.location(answer, index)).json
                #expect(read["hasMember"]?[0]?["reference"]?.string == Base.location(answer, 2))
            }
            let chain = (0..<30).map { Self.observation("n\($0)", $0 > 0 ? ["n\($0 - 1)"] : []) }
            #expect(await server.send(.post, "", body: Base.bundle(chain)).status == 200)
        }
    }

    @Test("Two conditions are the same by their parameters, not by how these look as one text")
    func conditions() async throws {
        try await FHIRServer.with { (server) async throws in
            func entry(_ number: String, _ condition: String) -> String {
                Base.entry("POST", "Patient", Base.patient(number), #","ifNoneExist":"\#(condition)""#)
            }
            let unlike = [entry("1", "identifier=a%26family=Smith"), entry("2", "identifier=a&family=Smith")]
            let alike = [entry("3", "identifier=b&family=Smith"), entry("4", "identifier=b&family=Smith")]
            for (entries, statuses) in [
                (unlike, ["201 Created", "201 Created"]), (alike, ["201 Created", "200 OK"]),
            ] {
                let answer = await server.send(.post, "", body: Base.bundle(entries))
                #expect(Base.statuses(answer) == statuses)
            }
        }
    }
}
