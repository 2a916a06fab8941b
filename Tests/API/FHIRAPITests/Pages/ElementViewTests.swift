import FHIRModel
import HTTPSupport
import Testing

@testable import FHIRAPI

/// Elements as lists and lines, and how two versions differ. FHIR R4 datatypes.html.
struct ElementViewTests {
    private static func html(_ json: String) throws -> String {
        var view = ElementView(baseURL: FHIRServer.base, .english)
        let object = try #require(JSONValue(try JSONDocument(parsing: json)).object)
        return view.resource(object).markup
    }

    @Test("Elements stand in the order of the definition with their types' own words; unknown ones behind them")
    func order() throws {
        let markup = try Self.html(
            """
            {"resourceType":"Patient","zzz":"last","birthDate":"1970","active":true,"id":"p",
            "maritalStatus":{"coding":[{"system":"urn:s","code":"M","display":"Married"}]},
            "name":[{"use":"official","given":["Ann","Eve"],"family":"Ærø"}],
            "managingOrganization":{"reference":"https://hilum.example/fhir/Organization/1","display":"Clinic"},
            "generalPractitioner":[{"reference":"https://elsewhere.example/Practitioner/1"}]}
            """)
        let places = ["Id</dt>", "Active</dt>", "Name</dt>", "Birth date</dt>", "Marital status</dt>", "Zzz</dt>"].map {
            markup.firstRange(of: $0)?.lowerBound
        }
        #expect(!places.contains(nil))
        #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
        #expect(markup.contains("Ann Eve Ærø") && markup.contains("Married") && markup.contains("M · urn:s"))
        #expect(markup.contains("<a href=\"/fhir/Organization/1\">Clinic</a>"))
        #expect(markup.contains("https://elsewhere.example/Practitioner/1") && !markup.contains("href=\"https:"))
    }

    @Test("CWE-770: breadth, depth and long values are shown so far, and it is said that there is more")
    func bounded() throws {
        func names(_ count: Int) -> String {
            let each = (0..<count).map { #"{"id":"\#($0)","text":"n"}"# }.joined(separator: ",")
            return #"{"resourceType":"Patient","name":[\#(each)]}"#
        }
        #expect(!(try Self.html(names(100)).contains("the JSON has them")))
        #expect(try Self.html(names(ElementView.elementsMax)).contains("the JSON has them"))
        var deep = #"{"url":"u","valueString":"DEEPEST"}"#
        for _ in 0..<20 { deep = #"{"url":"u","extension":[\#(deep)]}"# }
        let shown = try Self.html(#"{"resourceType":"Patient","extension":[\#(deep)]}"#)
        #expect(!shown.contains("DEEPEST") && shown.contains("…"))
        for (count, isCut) in [(ElementView.textMax, false), (ElementView.textMax + 1, true)] {
            let long = String(repeating: "x", count: count)
            let text = try Self.html(#"{"resourceType":"Patient","language":"\#(long)"}"#)
            #expect(text.contains("cut short") == isCut)
        }
        let binary = try Self.html(#"{"resourceType":"Binary","contentType":"a/b","data":"QUJD"}"#)
        #expect(binary.contains("4 characters of base 64") && !binary.contains("QUJD"))
    }

    @Test("Two versions: what was put in, taken out and changed, by its path; as many rows as the limit and one past")
    func differences() throws {
        func value(_ json: String) throws -> JSONValue { JSONValue(try JSONDocument(parsing: json)) }
        let found = VersionDifferences(
            from: try value(
                #"{"a":1,"b":[{"c":"x"},{"c":"y"}],"meta":{"versionId":"1","lastUpdated":"t"},"d":{"e":true}}"#),
            to: try value(#"{"a":2,"b":[{"c":"x"}],"meta":{"versionId":"2","lastUpdated":"u"},"d":{"e":true},"f":"g"}"#)
        )
        #expect(
            found.rows == [
                .init(path: "a", before: "1", after: "2"), .init(path: "b[1]", before: #"{"c":"y"}"#, after: nil),
                .init(path: "f", before: nil, after: "g"),
            ])
        #expect(!found.hasMore)
        for (count, hasMore) in [(VersionDifferences.rowsMax, false), (VersionDifferences.rowsMax + 1, true)] {
            let many = VersionDifferences(
                from: .array((0..<count).map { JSONValue($0) }), to: .array((0..<count).map { JSONValue(-1 - $0) }))
            #expect(many.rows.count == VersionDifferences.rowsMax && many.hasMore == hasMore)
        }
    }

    @Test("What may refer to a type: what belongs to it first, each search once, never the audit trail")
    func incoming() {
        for type in ["Patient", "ServiceRequest", "ImagingStudy", "Practitioner"] {
            let found = IncomingReferences.parameters(to: type)
            #expect(Set(found.map { $0.type + ":" + $0.code }).count == found.count)
            #expect(!found.contains { $0.type == "AuditEvent" })
        }
        let patient = IncomingReferences.parameters(to: "Patient").map { $0.type + ":" + $0.code }
        #expect(patient.first == "ServiceRequest:patient")
        #expect(patient.prefix(IncomingReferences.countedMax).contains("ImagingStudy:patient"))
        #expect(!patient.contains("ServiceRequest:subject"))
        #expect(IncomingReferences.parameters(to: "ServiceRequest").contains { $0 == ("DiagnosticReport", "based-on") })
    }
}
