import FHIRModel
import Testing

@testable import FHIRResources

/// References found in stored bytes. FHIR R4 references.html#literal.
@Suite("References in stored resources")
struct ReferenceScanTests {
    private static let scan = ReferenceScan(
        baseURL: "https://hilum.example/fhir", types: ["Practitioner", "Device", "Location"])

    private static func found(_ json: String) -> [String] {
        var found: [String] = []
        Array(json.utf8).withUnsafeBytes { scan.references(in: $0) { found.append("\($0)/\($1)") } }
        return found
    }

    @Test("Relative, of a version, and below the server's own address, at any depth, repeats kept")
    func forms() {
        #expect(
            Self.found(
                #"{"a":{"reference":"Device/d1"},"b":[{"reference":"Device/d1/_history/2"},{"c":{"reference":"https://hilum.example/fhir/Location/l.1-x"}}]}"#
            ) == ["Device/d1", "Device/d1", "Location/l.1-x"])
    }

    @Test("RFC 8259 §2, §7: as their author wrote them: with white space, on lines of their own, with escapes")
    func spelling() {
        for json in [
            #"{"reference": "Device/d1"}"#, "{\"reference\" \r\n\t: \r\n\t\"Device/d1\"}",
            #"{"reference":"Device\/d1"}"#, #"{"reference":"\u0044evice\/d1\/_history\/2"}"#,
            #"{"a":"\"reference","reference" : "Device/d1","b":"reference"}"#,
        ] { #expect(Self.found(json) == ["Device/d1"], "\(json)") }
    }

    @Test("Not of other types, other servers, fragments, other members, or text that quotes one")
    func others() throws {
        for json in [
            #"{"reference":"Patient/p1"}"#, #"{"reference":"https://other.example/fhir/Device/d"}"#,
            ##"{"reference":"#d"}"##, #"{"reference":"Device/"}"#, #"{"reference":"Device"}"#,
            #"{"reference":"Device/d/x/2"}"#, #"{"reference":"Device/d?x=1"}"#, #"{"xreference":"Device/d"}"#,
            #"{"reference":["Device/d"]}"#, #"{"reference":"Device/\#(String(repeating: "d", count: 65))"}"#,
            "", "reference", #""reference":""#, #""reference""#, #""reference" :"#, #""reference" : "Device/d"#,
            #""reference":"Device/d\"#, #"{"reference":"Device\/d\""}"#, #"["reference","Device/d"]"#,
            #"{"\"reference":"Device/d"}"#,
        ] { #expect(Self.found(json) == [], "\(json)") }
        let quoting: JSONValue = ["text": .string(#"{"reference":"Device/d"}"#)]
        #expect(Self.found(String(decoding: JSONWriter.compact(quoting), as: UTF8.self)) == [])
    }

    @Test("A hundred thousand references of one resource are found in one pass")
    func many() {
        let list = (0..<100_000).map { #"{"reference":"Device/d\#($0)"}"# }.joined(separator: ",")
        #expect(Self.found("[\(list)]").count == 100_000)
    }
}
