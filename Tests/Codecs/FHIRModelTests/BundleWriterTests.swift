import FHIRModel
import Testing

/// FHIR R4 bundle.html, operationoutcome.html; Bulk Data export.html#file-requests.
@Suite struct BundleWriterTests {
    @Test("FHIR R4 bundle.html#searchset: a page has total, links and entries with the stored bytes")
    func searchset() throws {
        var writer = BundleWriter(
            type: .searchset, timestamp: "2026-01-31T09:05:00.000Z", total: 3,
            links: [.init("self", "https://h/Patient?name=\"x\""), .init("next", "https://h/Patient?page=2")])
        var bytes = writer.takeBytes()
        let stored = Array(#"{ "resourceType":"Patient", "id":"a", "x":1.10 }"#.utf8)
        writer.append(.init(fullURL: "https://h/Patient/a", resource: stored[...], searchMode: .match))
        writer.append(
            .init(resource: OperationOutcome(.warning, .processing, details: "slow").bytes[...], searchMode: .outcome))
        bytes += writer.takeBytes()
        #expect(writer.pendingBytes == 0)
        writer.finish()
        bytes += writer.takeBytes()
        let bundle = try Resource(parsing: bytes)
        #expect(bundle["total"]?.numberText == "3")
        #expect(bundle["link"]?[1]?["relation"]?.string == "next")
        #expect(bundle["link"]?[0]?["url"]?.string == "https://h/Patient?name=\"x\"")
        #expect(bundle["entry"]?.count == 2)
        #expect(Array(bundle["entry"]?[0]?["resource"]?.rawBytes ?? []) == stored)
        #expect(bundle["entry"]?[0]?["search"]?["mode"]?.string == "match")
        #expect(StructureValidator().issues(in: bundle).filter { $0.severity == .error }.isEmpty)
    }

    @Test("FHIR R4 bundle.html: without entries there is no empty array")
    func empty() throws {
        var writer = BundleWriter(type: .history, total: 0)
        writer.finish()
        #expect(writer.takeBytes() == Array(#"{"resourceType":"Bundle","type":"history","total":0}"#.utf8))
    }

    @Test("FHIR R4 http.html#history: an entry carries request and response")
    func history() throws {
        var writer = BundleWriter(type: .history, id: "h1")
        writer.append(
            .init(
                fullURL: "https://h/Patient/a", request: ("DELETE", "Patient/a"),
                response: .init(status: "204", etag: "W/\"3\"", lastModified: "2026-01-31T09:05:00.000Z")))
        writer.append(
            .init(
                request: ("PUT", "Patient/a"),
                response: .init(status: "400", location: "l", outcome: OperationOutcome(.error, .invalid))))
        writer.finish()
        let bundle = try Resource(parsing: writer.takeBytes())
        #expect(bundle["entry"]?[0]?["request"]?["method"]?.string == "DELETE")
        #expect(bundle["entry"]?[0]?["response"]?["etag"]?.string == "W/\"3\"")
        #expect(bundle["entry"]?[1]?["response"]?["outcome"]?["resourceType"]?.string == "OperationOutcome")
        #expect(StructureValidator().issues(in: bundle).isEmpty)
    }

    @Test("FHIR R4 operationoutcome.html: severities and codes are those of the value sets")
    func outcomeCodes() {
        let r4 = FHIRDefinitions.r4
        #expect(r4.codes(in: "issue-type") == Set(OperationOutcome.Code.allCases.map(\.rawValue)))
        #expect(r4.codes(in: "issue-severity") == Set(OperationOutcome.Severity.allCases.map(\.rawValue)))
        #expect(r4.codes(in: "bundle-type") == Set(BundleWriter.BundleType.allCases.map(\.rawValue)))
        #expect(
            r4.codes(in: "search-param-type")
                == Set(SearchParameterDefinition.ParameterType.allCases.map(\.rawValue)))
    }

    @Test("FHIR R4 operationoutcome.html: issues are written with details, diagnostics and expressions")
    func outcome() throws {
        let outcome = OperationOutcome([
            .init(.error, .value, details: "Not a date", diagnostics: "d", expression: ["Patient.birthDate"]),
            .init(.warning, .structure),
        ])
        #expect(
            String(decoding: outcome.bytes, as: UTF8.self)
                == #"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","details":"#
                + #"{"text":"Not a date"},"diagnostics":"d","expression":["Patient.birthDate"]},"#
                + #"{"severity":"warning","code":"structure"}]}"#)
        #expect(outcome.hasErrors)
        #expect(!OperationOutcome([]).hasErrors)
        #expect(try StructureValidator().issues(in: Resource(parsing: OperationOutcome([]).bytes)).isEmpty)
    }

    @Test("Bulk Data export.html#file-requests: an indented resource becomes one line")
    func ndjson() throws {
        var out: [UInt8] = []
        let pretty = Array("{\r\n  \"resourceType\": \"Patient\",\n  \"a\": \"x\\ny\"\n}".utf8)
        NDJSON.appendLine(pretty, to: &out)
        NDJSON.appendLine(Array("{}".utf8), to: &out)
        #expect(out.filter { $0 == 0x0A }.count == 2)
        let lines = NDJSON.lines(out + Array("\r\n \n{\"last\":1}\r".utf8))
        #expect(lines.count == 3)
        #expect(try JSONDocument(parsing: Array(lines[0]))["a"]?.string == "x\ny")
        #expect(Array(lines[2]) == Array("{\"last\":1}".utf8))
    }
}
