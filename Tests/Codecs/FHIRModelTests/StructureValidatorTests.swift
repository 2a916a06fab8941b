import FHIRModel
import Testing

/// FHIR R4 json.html, datatypes.html, validation.html.
@Suite struct StructureValidatorTests {
    /// Issues as `severity code expression`.
    func issues(_ text: String) throws -> [String] {
        try StructureValidator().issues(in: Resource(parsing: Array(text.utf8))).map { issue in
            ([issue.severity.rawValue, issue.code.rawValue] + issue.expression).joined(separator: " ")
        }
    }

    @Test(
        "FHIR R4 json.html: a wrong shape, value, code or a missing element is told with its path",
        arguments: [
            ("Patient", #""active":"true""#, "error structure", "active"),
            ("Patient", #""active":1"#, "error structure", "active"),
            ("Patient", #""birthDate":"2026-02-30""#, "error value", "birthDate"),
            ("Patient", #""birthDate":2026"#, "error structure", "birthDate"),
            ("Patient", #""name":{"family":"x"}"#, "error structure", "name"),
            ("Patient", #""name":[]"#, "error structure", "name"),
            ("Patient", #""name":["x"]"#, "error structure", "name[0]"),
            ("Patient", #""name":[{}]"#, "error structure", "name[0]"),
            ("Patient", #""name":[{"given":["a",null]}]"#, "error structure", "name[0].given[1]"),
            ("Patient", #""gender":"Male""#, "error code-invalid", "gender"),
            ("Patient", #""gender":["male"]"#, "error structure", "gender"),
            ("Patient", #""gender":null"#, "error structure", "gender"),
            ("Patient", #""contact":[{"gender":"male"},{"gender":"x"}]"#, "error code-invalid", "contact[1].gender"),
            ("Patient", #""multipleBirthInteger":1.5"#, "error value", "multipleBirth"),
            ("Patient", #""multipleBirthInteger":2147483648"#, "error value", "multipleBirth"),
            ("Patient", #""deceasedBoolean":true,"deceasedDateTime":"2026""#, "error structure", "deceased"),
            ("Patient", #""link":[{"other":{"reference":"Patient/1"}}]"#, "error required", "link[0].type"),
            ("Patient", #""identifier":[{"value":""}]"#, "error value", "identifier[0].value"),
            ("Patient", #""identifier":[{"system":"a b"}]"#, "error value", "identifier[0].system"),
            ("Patient", #""extension":[{"valueString":"x"}]"#, "error required", "extension[0].url"),
            ("Patient", #""_birthDate":[]"#, "error structure", "birthDate"),
            ("Patient", #""_birthDate":{"extension":[{}]}"#, "error structure", "birthDate.extension[0]"),
            ("Patient", #""name":[{"given":["a"],"_given":[null,null]}]"#, "error structure", "name[0].given"),
            ("Patient", #""contained":[{"id":"a"}]"#, "error required", "contained[0]"),
            ("Patient", #""contained":[{"resourceType":"Nothing"}]"#, "error structure", "contained[0]"),
            (
                "Patient", #""contained":[{"resourceType":"Location","mode":"x"}]"#,
                "error code-invalid", "contained[0].mode"
            ),
            ("Binary", #""#, "error required", "contentType"),
            (
                "Bundle", #""type":"batch","entry":[{"resource":{"resourceType":"Patient","active":0}}]"#,
                "error structure", "entry[0].resource.active"
            ),
            (
                "Questionnaire",
                #""status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"x"}]}]"#,
                "error code-invalid", "item[0].item[0].type"
            ),
            ("Patient", #""colour":"red""#, "warning structure", "colour"),
            ("Patient", #""_name":[{"id":"a"}]"#, "warning structure", "_name"),
            ("Patient", #""name":[{"x y":1}]"#, "warning structure", "name[0]"),
            (
                "Patient", #""generalPractitioner":[{"reference":"Device/1"}]"#,
                "warning value", "generalPractitioner[0]"
            ),
        ] as [(String, String, String, String)])
    func faults(_ type: String, _ members: String, _ kind: String, _ path: String) throws {
        let text = #"{"resourceType":"\#(type)"\#(members.isEmpty ? "" : ",")\#(members)}"#
        #expect(try issues(text) == ["\(kind) \(type).\(path)"])
    }

    @Test(
        "FHIR R4 json.html#primitive: valid resources have no issues",
        arguments: [
            #""resourceType":"Patient""#,
            #""resourceType":"Patient","active":true,"birthDate":"1970-03","_birthDate":{"id":"b"}"#,
            #""resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"b"}]}]"#,
            #""resourceType":"Patient","_gender":{"extension":[{"url":"u","valueCode":"unknown"}]}"#,
            #""_status":{"id":"s"},"code":{"text":"t"},"resourceType":"Observation""#,
            #""resourceType":"Patient","extension":[{"url":"u","valueQuantity":{"value":1.10,"comparator":"<"}}]"#,
            #""resourceType":"Parameters","parameter":[{"name":"b","part":[{"name":"c","valueDecimal":1e400}]}]"#,
            #""resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Patient"}}]"#,
        ])
    func valid(_ members: String) throws {
        #expect(try issues("{\(members)}") == [])
    }

    @Test("FHIR R4 imagingstudy.html: a study with a series and an instance has no issues")
    func imagingStudy() throws {
        let text = #"""
            {"resourceType":"ImagingStudy","status":"available","subject":{"reference":"Patient/1"},
             "series":[{"uid":"1.2","modality":{"code":"CT"},"instance":[{"uid":"1.2.3",
               "sopClass":{"system":"urn:ietf:rfc:3986","code":"urn:oid:1.2.840.10008.5.1.4.1.1.2"}}]}]}
            """#
        #expect(try issues(text) == [])
    }

    @Test("Issues stop at the limit")
    func limit() throws {
        let names = Array(repeating: #"{"use":"x"}"#, count: 50).joined(separator: ",")
        let resource = try Resource(parsing: Array(#"{"resourceType":"Patient","name":[\#(names)]}"#.utf8))
        #expect(StructureValidator(issuesMax: 10).issues(in: resource).count == 10)
        #expect(StructureValidator(issuesMax: 50).issues(in: resource).count == 50)
        #expect(StructureValidator(issuesMax: 51).issues(in: resource).count == 50)
    }

    @Test("FHIR R4 datatypes.html#string: 1 MB is a string, one byte more is too long")
    func stringLength() throws {
        let text = String(repeating: "a", count: 1 << 20)
        #expect(try issues(#"{"resourceType":"Patient","name":[{"text":"\#(text)"}]}"#) == [])
        #expect(
            try issues(#"{"resourceType":"Patient","name":[{"text":"\#(text)a"}]}"#)
                == ["error too-long Patient.name[0].text"])
    }

    @Test("No issue carries a value of the resource")
    func discretion() throws {
        let text = #"{"resourceType":"Patient","gender":"Muster","birthDate":"Muster","name":["Muster"],"Muster é":1}"#
        let issues = try StructureValidator().issues(in: Resource(parsing: Array(text.utf8)))
        #expect(issues.count == 4)
        #expect(!String(decoding: OperationOutcome(issues).bytes, as: UTF8.self).contains("Muster"))
    }
}
