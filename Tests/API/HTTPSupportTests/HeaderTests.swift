import Access
import HTTPTypes
import TestSupport
import Testing

@testable import HTTPSupport

/// RFC 9110 §5.6, §8.3.1, §12.5.1, §13.1; RFC 7240.
@Suite(.takingTurns) struct HeaderTests {
    @Test(
        "RFC 9110 §8.3.1: text that is not a media type is refused",
        arguments: [
            "", "text", "text/", "/plain", "text/plain; q", "text/plain; =1", "text/plain; a=\"open", "text/plain x",
            "*/plain", "text/plain; a=1; A=2", "text/pl ain", "text/plain; a=\"\u{1}\"", "text/plain,",
        ])
    func malformedMediaTypes(text: String) { #expect(MediaType(text) == nil) }

    @Test(
        "RFC 9110 §8.3.1: type and parameter names are case-insensitive, values may be quoted, empty parameters are legal"
    )
    func mediaTypes() throws {
        let type = try #require(MediaType(" Multipart/Related;TYPE=\"application/DICOM\" ;; boundary=\"a\\\"b;c\"; "))
        #expect(type.essence == "multipart/related")
        #expect(type["type"] == "application/DICOM")
        #expect(type["boundary"] == "a\"b;c")
        #expect(MediaType(type.description) == type)
        #expect(MediaType("application/fhir+json; charset=UTF-8")?["charset"] == "UTF-8")
    }

    private let offers = ["application/fhir+json", "application/json", "text/html"].compactMap { MediaType($0) }

    @Test(
        "RFC 9110 §12.5.1: the best offer by weight, the most specific range deciding each",
        arguments: [
            (nil, "application/fhir+json"), ("", "application/fhir+json"), ("*/*", "application/fhir+json"),
            ("text/html", "text/html"), ("text/*;q=0.5, application/json;q=0.4", "text/html"),
            ("*/*;q=0.1, application/json", "application/json"),
            ("application/*, application/fhir+json;q=0", "application/json"), ("image/png", nil),
            ("application/fhir+json;q=0, */*;q=0", nil), ("text/html;q=2, application/json;q=0.1", "application/json"),
            ("garbage, text/html", "text/html"), ("\"a,b\", text/html", "text/html"),
            ("application/fhir+json;q=0.001", "application/fhir+json"),
            ("TEXT/HTML;level=1, */*;q=0.2", "application/fhir+json"),
        ] as [(String?, String?)])
    func accept(header: String?, best: String?) {
        #expect(AcceptHeader(header).best(of: offers)?.essence == best)
    }

    @Test("PS3.18 §8.3.3: a range's parameters must be those of the offer, however written, unless they are set aside")
    func acceptParameters() throws {
        let dicom = try #require(MediaType("multipart/related; type=\"application/dicom\""))
        #expect(AcceptHeader("multipart/related; type=application/DICOM").quality(of: dicom) == 1000)
        #expect(AcceptHeader("multipart/related; type=\"image/jpeg\"").quality(of: dicom) == 0)
        let header = AcceptHeader("multipart/related; type=\"application/dicom\"; transfer-syntax=*;q=0.7")
        #expect(header.quality(of: dicom) == 0)
        #expect(header.quality(of: dicom, ignoring: ["transfer-syntax"]) == 700)
        #expect(header.ranges.first?.type["transfer-syntax"] == "*")
    }

    @Test("Many thousands of ranges are not read")
    func acceptBomb() {
        #expect(AcceptHeader(String(repeating: "a/b,", count: 10_000)).ranges.count == AcceptHeader.rangesMax)
    }

    @Test("RFC 9110 §5.6.7: dates are written and read in the preferred form; all else is nil")
    func dates() {
        #expect(HTTPDate.text(secondsSince1970: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
        ] {
            #expect(HTTPDate.seconds(text) == nil)
        }
        for seconds: Int64 in [
            0, 951_782_399, 951_782_400, 4_102_444_800, 68_169_600, -1, -62_135_596_800, 253_402_300_799,
        ] {
            #expect(HTTPDate.seconds(HTTPDate.text(secondsSince1970: seconds)) == seconds)
        }
    }

    @Test("RFC 3339 §5.6: a moment is written in UTC with milliseconds, also before 1970")
    func instants() {
        #expect(HTTPDate.instant(microseconds: 0) == "1970-01-01T00:00:00.000Z")
        #expect(HTTPDate.instant(microseconds: 951_782_399_012_999) == "2000-02-28T23:59:59.012Z")
        #expect(HTTPDate.instant(microseconds: -1) == "1969-12-31T23:59:59.999Z")
    }

    @Test("RFC 3339 §5.6: a date or a moment in UTC is read; all else is nil")
    func instantsRead() {
        #expect(HTTPDate.microseconds(ofInstant: "1970-01-02") == 86_400_000_000)
        #expect(HTTPDate.microseconds(ofInstant: "2000-02-28T23:59:59Z") == 951_782_399_000_000)
        #expect(HTTPDate.microseconds(ofInstant: "2000-02-28T23:59:59.012Z") == 951_782_399_012_000)
        for text in [
            "", "2000", "2000-02-30", "2000-13-01", "2000-02-28T24:00:00Z", "2000-02-28T23:59:59",
            "2000-02-28T23:59:59+01:00", "2000-02-28 23:59:59Z", "2000-02-28T23:59:59.1Z", "20000228T235959Z",
        ] {
            #expect(HTTPDate.microseconds(ofInstant: text) == nil, "\(text)")
        }
    }

    @Test("RFC 7240 §2: preferences are read from every field, unknown and malformed ones passed over")
    func preferences() {
        let preferences = Preferences([
            "respond-async, handling=lenient", "return=\"minimal\"; x=1, return=representation", "=,;; foo=",
        ])
        #expect(preferences.respondAsync)
        #expect(preferences.handling == .lenient)
        #expect(preferences.returning == .minimal)
        #expect(Preferences(["return=nothing"]).returning == nil)
        #expect(Preferences(["return=OperationOutcome"]).returning == .operationOutcome)
    }

    @Test("D9, PS3.18 §8.3.1, RFC 3986 §3.4: + in a URL is itself, in a form a space")
    func plus() throws {
        #expect(try QueryParameters("a=A+B&a=A%2BB", plusIsSpace: false).values("a") == ["A+B", "A+B"])
        #expect(try QueryParameters("a=A+B&a=A%2BB", plusIsSpace: true).values("a") == ["A B", "A+B"])
        let request = APIRequest(
            method: .get, path: "/", rawQuery: "accept=application/dicom+json",
            access: AccessContext(principal: .anonymous, scopes: [], requestID: "r"))
        #expect(AcceptHeader(try request.query()["accept"]).ranges.first?.type.essence == "application/dicom+json")
    }

    @Test("RFC 3986 §2.1: a query keeps order and repeats, decodes %2A and +, and refuses bad escapes and bytes")
    func query() throws {
        let query = try QueryParameters("a=1&b=%2A+x&a=2&c&=d&&e=f%3Dg=h", countMax: 10)
        #expect(query.map { "\($0.name)|\($0.value)" } == ["a|1", "b|* x", "a|2", "c|", "|d", "e|f=g=h"])
        #expect(query.values("a") == ["1", "2"])
        #expect(query["c"] == "")
        #expect(query["z"] == nil)
        for bad in ["a=%", "a=%4", "%GG=1", "a=%ff", "a=%00", "a=%C0%80", "a=%ED%A0%80"] {
            #expect(throws: HTTPFailure(.malformed, ""), "\(bad)") { _ = try QueryParameters(bad, countMax: 10) }
        }
        let text = "name|with ä&=+%"
        #expect(try QueryParameters("x=" + PercentCoding.encoded(text), countMax: 1)["x"] == text)
    }
}
