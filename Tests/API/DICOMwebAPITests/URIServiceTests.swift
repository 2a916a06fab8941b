import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMwebAPI

/// The URI service. PS3.18 §9.
@Suite("WADO-URI")
struct URIServiceTests {
    private static let uids = "requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3&objectUID=1.2.3"

    private static func query(_ text: String) throws -> URIQuery {
        try URIQuery(QueryParameters(text, plusIsSpace: false))
    }

    private static func get(_ query: String, accept: String? = nil, frames: Int = 1) async throws -> Response {
        var headers = HTTPFields()
        headers[.accept] = accept
        let (routes, _) = try ResultTests.routes(SinglePartTests.image(frames: frames))
        return try await routes.retrieveByURI(
            APIRequest(
                method: .get, path: "/dicomweb/wado", rawQuery: query, headers: headers,
                access: AccessContext(
                    principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: nil)))
    }

    @Test("Parameters that are absent, twice there, or not of their grammar are 400")
    func malformed() {
        let bad = [
            "", "studyUID=1&seriesUID=1&objectUID=1", "requestType=wado&studyUID=1&seriesUID=1&objectUID=1",
            "requestType=WADO&studyUID=1&seriesUID=1", "requestType=WADO&studyUID=..&seriesUID=1&objectUID=1",
            "requestType=WADO&studyUID=1%2F..&seriesUID=1&objectUID=1",
        ]
        let more = [
            "studyUID=1.2.3", "objectUID=1.2.4", "rows=1&rows=1", "rows=0", "rows=8193", "rows=-1", "rows=+1", "rows=",
            "columns=1.5", "frameNumber=0", "frameNumber=2147483648", "frameNumber=1,2", "imageQuality=0",
            "imageQuality=101", "windowCenter=1", "windowWidth=1", "windowCenter=x&windowWidth=1",
            "windowCenter=1&windowWidth=0", "windowCenter=nan&windowWidth=1", "region=0,0,1", "region=0,0,1,1,1",
            "region=0,0,0,1", "region=0.5,0,0.4,1", "region=-0.1,0,1,1", "region=0,0,1.1,1", "region=0,0,inf,1",
            "transferSyntax=x", "transferSyntax=1.2..3", "anonymize=yes", "anonymize=", "presentationUID=1.2",
            "presentationSeriesUID=1.2",
        ].map { Self.uids + "&" + $0 }
        for text in bad + more {
            #expect(throws: HTTPFailure(.malformed, ""), "\(text)") { try Self.query(text) }
        }
        #expect(throws: HTTPFailure(.notAcceptable, "")) { try Self.query(Self.uids + "&charset=ISO-8859-1") }
    }

    @Test("In any order, percent-encoded, beside what is not known: the values at their limits")
    func read() throws {
        let query = try Self.query(
            "objectUID=1.2.3&rows=8192&columns=1&frameNumber=2147483647&imageQuality=100&region=0,0,1,0.5"
                + "&windowWidth=1&windowCenter=-1e2&charset=utf-8%2Ciso-8859-1&contentType=image%2Fpng&x=1&x=2"
                + "&transferSyntax=%2A&seriesUID=1.2.3&studyUID=1.2.3&requestType=WADO")
        #expect(query.rows == 8192 && query.columns == 1 && query.frameNumber == 2_147_483_647)
        #expect(query.imageQuality == 100 && query.region == .init(left: 0, top: 0, right: 1, bottom: 0.5))
        #expect(query.contentType == "image/png" && query.transferSyntax == "*")
        #expect(
            query.rendered(columns: 400, rows: 200)
                == "viewport=1,8192,0.0,0.0,400.0,100.0&window=-1e2,1,linear&quality=100")
        func rendered(_ text: String) throws -> String {
            try Self.query(Self.uids + text).rendered(columns: 400, rows: 200)
        }
        #expect(try rendered("") == "")
        #expect(try rendered("&rows=100") == "viewport=8192,100")
        #expect(try rendered("&columns=100") == "viewport=100,8192")
        #expect(try rendered("&region=0.25,0.5,0.75,1") == "viewport=200,100,100.0,100.0,200.0,100.0")
        // A header may say anything.
        for side in [Int.max, Int.min, 0] {
            let text = try Self.query(Self.uids + "&region=0,0,1,1").rendered(columns: side, rows: side)
            #expect(text.hasPrefix(side == .max ? "viewport=8192,8192," : "viewport=1,1,"))
        }
        // What is made here is read there.
        for text in ["&rows=100", "&region=0.25,0.5,0.75,1&windowCenter=5&windowWidth=10&annotation=patient,technique"]
        {
            let query = try QueryParameters(try rendered(text), plusIsSpace: false)
            #expect(throws: Never.self) { try RenderedQuery(query) }
        }
    }

    @Test("§9.4, §9.5: one picture is a JPEG, several are the object, a type that is named is that")
    func types() async throws {
        for (query, accept, frames, type) in [
            ("", nil, 1, "image/jpeg"), ("", nil, 2, "application/dicom;transfer-syntax=1.2.840.10008.1.2.1"),
            ("&frameNumber=2", nil, 2, "image/jpeg"), ("&contentType=image/png", "image/gif", 1, "image/png"),
            ("&contentType=application%2Fdicom", nil, 1, "application/dicom;transfer-syntax=1.2.840.10008.1.2.1"),
            (
                "&contentType=application/dicom&transferSyntax=1.2.840.10008.1.2.5", nil, 1,
                "application/dicom;transfer-syntax=1.2.840.10008.1.2.5"
            ),
            ("", "image/gif", 1, "image/gif"), ("", "text/plain, image/png;q=0.5", 1, "image/png"),
        ] as [(String, String?, Int, String)] {
            let response = try await Self.get(Self.uids + query, accept: accept, frames: frames)
            #expect(response.status == .ok && response.headers[.contentType] == type, "\(query) \(accept ?? "")")
        }
        for (query, code) in [
            ("&contentType=text/html", HTTPFailure.Code.notAcceptable),
            ("&contentType=application/dicom&rows=5", .malformed),
            ("&contentType=application/dicom&frameNumber=1", .malformed), ("&frameNumber=3", .notFound),
            ("&contentType=application/dicom&transferSyntax=1.2.3", .notAcceptable),
        ] {
            await #expect(throws: HTTPFailure(code, ""), "\(query)") {
                try await Self.get(Self.uids + query, frames: 2)
            }
        }
        await #expect(throws: HTTPFailure(.notFound, "")) {
            try await Self.get("requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3&objectUID=9.9")
        }
    }

    @Test("The object is had by ranges, and a frame has another tag than the next")
    func validators() async throws {
        let one = try await Self.get(Self.uids + "&frameNumber=1", frames: 2).headers[.eTag]
        let two = try await Self.get(Self.uids + "&frameNumber=2", frames: 2).headers[.eTag]
        #expect(one != nil && one != two)
        let object = try await Self.get(Self.uids + "&contentType=application/dicom")
        #expect(object.headers[.acceptRanges] == "bytes")
    }
}
