import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import HTTPTypes
import Testing
import Workflow

@testable import FHIRAPI

/// Each error of the layers below has one answer. FHIR R4 http.html#Status-Codes.
@Suite("Errors as HTTP status and OperationOutcome")
struct ErrorTableTests {
    private func issue(_ error: any Error) throws -> (status: Int, code: String?, details: String?) {
        let (status, outcome) = ErrorTable.outcome(for: error, requestID: "ref-1")
        let value = JSONValue(try JSONDocument(parsing: outcome.bytes))
        #expect(value["resourceType"]?.string == "OperationOutcome")
        let issue = value["issue"]?[0]
        return (status, issue?["code"]?.string, issue?["details"]?["text"]?.string)
    }

    @Test(
        "Each refusal of an interaction",
        arguments: zip(
            [
                InteractionError.Code.malformed, .invalid, .mismatch, .forbidden, .notFound, .gone, .conflict,
                .preconditionFailed,
                .unsupported,
            ],
            [
                (400, "structure"), (422, "invalid"), (400, "value"), (403, "forbidden"), (404, "not-found"),
                (410, "deleted"),
                (409, "conflict"), (412, "conflict"), (400, "not-supported"),
            ]))
    func interactions(_ code: InteractionError.Code, _ expected: (Int, String)) throws {
        let found = try issue(InteractionError(code, "why"))
        #expect(found.status == expected.0)
        #expect(found.code == expected.1)
        #expect(found.details == "why")
    }

    @Test("The table names every refusal") func complete() { #expect(InteractionError.Code.allCases.count == 9) }

    @Test(
        "Each failure of the store, in words that tell nothing of its inside",
        arguments: zip(
            [
                StoreError.Code.unavailable, .throttled, .costly, .full, .failed, .conflict, .misuse, .corrupt,
                .notFound, .closed, .unacceptable,
            ],
            [
                (503, "transient"), (429, "throttled"), (503, "too-costly"), (507, "no-store"), (503, "no-store"),
                (409, "conflict"),
                (500, "exception"),
                (500, "exception"),
                (404, "not-found"), (503, "transient"), (422, "value"),
            ]))
    func store(_ code: StoreError.Code, _ expected: (Int, String)) throws {
        let found = try issue(StoreError(code, "SELECT secret FROM patients"))
        #expect(found.status == expected.0)
        #expect(found.code == expected.1)
        #expect(found.details?.contains("secret") == false)
        #expect((expected.0 == 500) == (found.details?.contains("ref-1") == true))
    }

    @Test("An unknown error is ours, and says only its reference")
    func unknown() throws {
        struct Secret: Error {}
        let found = try issue(Secret())
        #expect(found.status == 500)
        #expect(found.code == "exception")
        #expect(found.details == "internal error, reference ref-1")
    }

    @Test("Issues keep their places")
    func places() throws {
        let error = InteractionError(.invalid, "two", issues: [("Patient.name", "a"), ("Patient.gender", "b")])
        let (_, outcome) = ErrorTable.outcome(for: error, requestID: "r")
        let value = JSONValue(try JSONDocument(parsing: outcome.bytes))
        #expect(value["issue"]?.array?.count == 2)
        #expect(value["issue"]?[1]?["expression"]?[0]?.string == "Patient.gender")
    }

    @Test("F2, RFC 9110 §8.8.3: tags are read weak and strong, alone, in a list and as a star; all are opaque")
    func etags() {
        #expect(ETag.tags("W/\"3\"") == .listed(["3"]))
        #expect(ETag.tags("\"3\"") == .listed(["3"]))
        #expect(ETag.tags(" W/\"12\" ") == .listed(["12"]))
        #expect(ETag.tags("W/\"abc\", ,\"a,b\"") == .listed(["abc", "a,b"]))
        #expect(ETag.tags(" * ") == .any)
        for text in ["", "3", "W/3", "\"3", "w/\"3\"", "*, \"3\"", "\"1\" \"2\"", ","] {
            #expect(ETag.tags(text) == nil, "\(text)")
        }
        #expect(!WritePrecondition.Tags.listed(["03", "3 ", "٣"]).hold(3))
        #expect(ETag.list("W/\"1\", W/\"3\"", holds: 3))
        #expect(ETag.list("*", holds: 3))
        #expect(!ETag.list("\"1\"", holds: 3))
        #expect(ETag.text(3) == "W/\"3\"")
    }

    @Test(
        "HTTP dates are those of RFC 9110 §5.6.7",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
        ])
    func dates(_ seconds: Int64, _ expected: String) {
        #expect(UTCInstant(microseconds: seconds * 1_000_000).httpDate == expected)
    }

    @Test("Prefer is read by directive, also joined (RFC 7240 §2)")
    func prefer() {
        func preferences(_ text: String) -> Preferences {
            FHIRCall(headers: [.prefer: text], access: .server(requestID: "t")).preferences
        }
        let joined = preferences("return=minimal, handling=lenient")
        #expect(joined.returning == .minimal)
        #expect(joined.handling == .lenient)
        #expect(!joined.respondAsync)
        let export = preferences("respond-async; Handling = \"strict\"")
        #expect(export.returning == nil)
        #expect(export.handling == .strict)
        #expect(export.respondAsync)
        #expect(preferences("") == Preferences([]))
    }
}
