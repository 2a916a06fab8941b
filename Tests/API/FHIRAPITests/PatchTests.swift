import FHIRModel
import Foundation
import HTTPTypes
import Testing

@testable import FHIRAPI

/// Patch over the FHIR base. FHIR R4 http.html#patch.
@Suite("Patch interactions")
struct PatchTests {
    static let json = ["content-type": "application/json-patch+json"]
    static let fhir = ["content-type": "application/fhir+json"]
    static let patient =
        #"{"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:mrn","value":"1"}],"gender":"female"}"#

    static func replace(_ path: String, _ value: String) -> String {
        #"[{"op":"replace","path":"\#(path)","value":\#(value)}]"#
    }

    static func fhirpath(_ gender: String) -> String {
        #"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},{"name":"value","valueCode":"\#(gender)"}]}]}"#
    }

    @Test("Both kinds make a version, one that changes nothing makes none, and the history tells PATCH")
    func kinds() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient)
            let first = await server.send(
                .patch, "Patient/p1", headers: Self.json, body: Self.replace("/gender", #""male""#))
            #expect(first.status == 200)
            #expect(first.json["gender"]?.string == "male")
            #expect(first.header("ETag") == "W/\"2\"")
            let second = await server.send(.patch, "Patient/p1", headers: Self.fhir, body: Self.fhirpath("other"))
            #expect(second.status == 200)
            #expect(second.json["gender"]?.string == "other")
            let same = await server.send(.patch, "Patient/p1", headers: Self.fhir, body: Self.fhirpath("other"))
            #expect(same.status == 200)
            #expect(same.header("ETag") == "W/\"3\"")
            let found = await server.send(
                .patch, "Patient", "identifier=urn:mrn|1", headers: Self.json,
                body: Self.replace("/gender", #""female""#))
            #expect(found.header("ETag") == "W/\"4\"")
            let history = await server.send(.get, "Patient/p1/_history").json["entry"]?.array ?? []
            #expect(history.compactMap { $0["request"]?["method"]?.string } == ["PATCH", "PATCH", "PATCH", "PUT"])
        }
    }

    @Test("What cannot be applied, makes no valid resource, or is of another version changes nothing")
    func refusals() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient)
            for (headers, body, status) in [
                (Self.json, Self.replace("/gender", #""none""#), 422),
                (Self.json, Self.replace("/active", "true"), 422), (Self.json, Self.replace("/id", #""p2""#), 422),
                (Self.json, #"[{"op":"test","path":"/gender","value":"male"}]"#, 422), (Self.json, "{}", 400),
                (Self.json, "[", 400), (Self.json, #"[{"op":"remove","path":""}]"#, 422),
                (Self.fhir, Self.patient, 400), (["content-type": "text/plain"], "[]", 415),
                (["content-type": "application/merge-patch+json"], "{}", 415),
                (Self.json.merging(["if-match": "W/\"9\""]) { $1 }, Self.replace("/gender", #""male""#), 412),
            ] {
                let answer = await server.send(.patch, "Patient/p1", headers: headers, body: body)
                #expect(answer.status == status, "\(body): \(String(decoding: answer.bytes, as: UTF8.self))")
                #expect(answer.json["resourceType"]?.string == "OperationOutcome", "\(body)")
            }
            #expect(await server.send(.get, "Patient/p1").header("ETag") == "W/\"1\"")
            let body = Self.replace("/gender", #""male""#)
            #expect(await server.send(.patch, "Patient/none", headers: Self.json, body: body).status == 404)
            #expect(await server.send(.patch, "Patient", headers: Self.json, body: body).status == 400)
            let narrow = await server.send(
                .patch, "Patient/p1", headers: Self.json, body: body, as: FHIRServer.access("system/Patient.rcds"))
            #expect(narrow.status == 403)
        }
    }

    @Test("An entry of a transaction patches by a Binary or by Parameters")
    func entries() async throws {
        try await FHIRServer.with { (server) async throws in
            _ = await server.send(.put, "Patient/p1", body: Self.patient)
            _ = await server.send(
                .put, "Patient/p2", body: #"{"resourceType":"Patient","id":"p2","gender":"female"}"#)
            let data = Data(Self.replace("/gender", #""male""#).utf8).base64EncodedString()
            let binary = #"{"resourceType":"Binary","contentType":"application/json-patch+json","data":"\#(data)"}"#
            let answer = await server.send(
                .post, "",
                body: TransactionTests.bundle([
                    TransactionTests.entry("PATCH", "Patient/p1", binary),
                    TransactionTests.entry("PATCH", "Patient/p2", Self.fhirpath("other")),
                    TransactionTests.entry("GET", "Patient/p1"),
                ]))
            #expect(TransactionTests.statuses(answer) == ["200 OK", "200 OK", "200 OK"])
            #expect(answer.json["entry"]?[2]?["resource"]?["gender"]?.string == "male")
            #expect(await server.send(.get, "Patient/p2").json["gender"]?.string == "other")
        }
    }
}
