import FHIRModel
import FHIRSearch
import Testing

/// FHIR R4 search.html#table: what each element type gives to each parameter type.
@Suite struct SearchIndexerTests {
    let indexer = SearchIndexer(baseURL: "https://hilum.example/fhir")

    func entries(_ json: String) throws -> [IndexEntry] {
        indexer.entries(of: try Resource(parsing: Array(json.utf8)))
    }

    /// The values kept for one parameter, in order.
    func values(_ json: String, _ type: String, _ code: String, _ aspect: SearchParameterKey.Aspect = .value) throws
        -> [IndexEntry.Value]
    {
        let key = SearchParameterKey(type, code, aspect).number
        return try entries(json).filter { $0.parameter == key }.map(\.value)
    }

    static let day: Int64 = 86_400_000_000

    @Test("Tokens of Identifier, code, boolean, ContactPoint, CodeableConcept and Coding")
    func tokens() throws {
        let patient = #"""
            {"resourceType":"Patient","active":false,"gender":"female","identifier":[{"system":"urn:a","value":"1",
            "type":{"coding":[{"system":"urn:t","code":"MR","display":"Medical record"}],"text":"Akte"}},{"value":"2"},{"system":"urn:b"}],
            "telecom":[{"system":"phone","value":"555"},{"system":"email","value":"a@b"},{"value":"x"}],
            "meta":{"tag":[{"system":"urn:tag","code":"t"}],"profile":["http://p|1"]}}
            """#
        #expect(
            try values(patient, "Patient", "identifier") == [
                .token(system: "urn:a", code: "1"), .token(system: "", code: "2"), .token(system: "urn:b", code: ""),
            ])
        #expect(try values(patient, "Patient", "identifier", .ofType) == [.token(system: "urn:t|MR", code: "1")])
        #expect(
            try values(patient, "Patient", "identifier", .text) == [
                .string(folded: "akte", exact: "Akte"), .string(folded: "medical record", exact: "Medical record"),
            ])
        #expect(
            try values(patient, "Patient", "gender") == [
                .token(system: "http://hl7.org/fhir/administrative-gender", code: "female")
            ])
        #expect(try values(patient, "Patient", "active") == [.token(system: "*", code: "false")])
        #expect(try values(patient, "Patient", "phone") == [.token(system: "*", code: "555")])
        #expect(try values(patient, "Patient", "telecom").count == 3)
        #expect(try values(patient, "Patient", "_tag") == [.token(system: "urn:tag", code: "t")])
        #expect(try values(patient, "Patient", "_profile") == [.uri("http://p|1"), .uri("http://p")])
        #expect(try values(patient, "Patient", "deceased") == [.token(system: "*", code: "false")])
        #expect(
            try values(#"{"resourceType":"Patient","deceasedBoolean":false}"#, "Patient", "deceased") == [
                .token(system: "*", code: "false")
            ])
        #expect(
            try values(#"{"resourceType":"Patient","deceasedBoolean":true}"#, "Patient", "deceased") == [
                .token(system: "*", code: "true")
            ])
    }

    @Test("Strings of HumanName and Address, folded and as written")
    func strings() throws {
        let patient =
            #"{"resourceType":"Patient","name":[{"family":"Núñez","given":["José"],"prefix":["Dr."]}],"address":[{"line":["Weg 1"],"city":"Köln"}]}"#
        #expect(try values(patient, "Patient", "family") == [.string(folded: "nunez", exact: "Núñez")])
        #expect(try values(patient, "Patient", "name").count == 3)
        #expect(
            try values(patient, "Patient", "address") == [
                .string(folded: "weg 1", exact: "Weg 1"), .string(folded: "koln", exact: "Köln"),
            ])
        #expect(try values(patient, "Patient", "address-city") == [.string(folded: "koln", exact: "Köln")])
    }

    @Test("Dates keep their precision; Period has open ends; Timing is a span")
    func dates() throws {
        #expect(
            try values(#"{"resourceType":"Patient","birthDate":"1970-01"}"#, "Patient", "birthdate") == [
                .date(low: 0, high: 31 * Self.day)
            ])
        #expect(
            try values(
                #"{"resourceType":"Patient","deceasedDateTime":"1970-01-01T00:00:00Z"}"#, "Patient", "death-date") == [
                    .date(low: 0, high: 1_000_000)
                ])
        #expect(
            try values(#"{"resourceType":"Encounter","period":{"start":"1970-01-02"}}"#, "Encounter", "date") == [
                .date(low: Self.day, high: .max)
            ])
        #expect(
            try values(#"{"resourceType":"Encounter","period":{"end":"1970-01-01"}}"#, "Encounter", "date") == [
                .date(low: .min, high: Self.day)
            ])
        #expect(try values(#"{"resourceType":"Encounter","period":{}}"#, "Encounter", "date") == [])
        #expect(
            try values(
                #"{"resourceType":"ServiceRequest","occurrenceTiming":{"event":["1970-01-01","1970-01-03"],"repeat":{"boundsPeriod":{"start":"1970-01-01"}}}}"#,
                "ServiceRequest", "occurrence"
            ) == [.date(low: 0, high: .max)])
    }

    @Test("F15, R4 search date: a Timing counts as the span of its outer limits")
    func timings() throws {
        func occurrence(_ timing: String) throws -> [IndexEntry.Value] {
            try values(
                #"{"resourceType":"ServiceRequest","occurrenceTiming":\#(timing)}"#, "ServiceRequest", "occurrence")
        }
        #expect(
            try occurrence(#"{"event":["1970-01-03","1970-01-01"]}"#) == [.date(low: 0, high: 3 * Self.day)])
        #expect(
            try occurrence(
                #"{"event":["1970-01-09"],"repeat":{"boundsPeriod":{"start":"1970-01-02","end":"1970-01-03"}}}"#)
                == [.date(low: Self.day, high: 9 * Self.day)])
        #expect(try occurrence(#"{"repeat":{"frequency":1}}"#) == [])
        #expect(try occurrence(#"{"code":{"text":"daily"}}"#) == [])
    }

    @Test("F12, F13, R4 search token: a system alone is kept, and what has only words is there")
    func tokensWithoutCode() throws {
        func code(_ concept: String) throws -> [IndexEntry.Value] {
            try values(#"{"resourceType":"Observation","code":\#(concept)}"#, "Observation", "code")
        }
        #expect(
            try code(#"{"coding":[{"system":"urn:s","display":"d"}]}"#) == [.token(system: "urn:s", code: "")])
        #expect(try code(#"{"coding":[{"display":"d"}]}"#) == [.token(system: "", code: "")])
        #expect(try code(#"{"text":"t"}"#) == [.token(system: "", code: "")])
        #expect(try code(#"{"coding":[{"userSelected":true}]}"#) == [.token(system: "", code: "")])
        #expect(
            try code(#"{"coding":[{"display":"d"},{"code":"c"}],"text":"t"}"#) == [.token(system: "", code: "c")])
        #expect(
            try values(
                #"{"resourceType":"Encounter","class":{"display":"ambulant"}}"#, "Encounter", "class") == [
                    .token(system: "", code: "")
                ])
    }

    @Test("F14, R4 search token: a code has the system of its binding; one without a single system has any")
    func implicitSystems() throws {
        #expect(
            try values(#"{"resourceType":"ImagingStudy","status":"available"}"#, "ImagingStudy", "status") == [
                .token(system: "http://hl7.org/fhir/imagingstudy-status", code: "available")
            ])
        #expect(
            try values(
                #"{"resourceType":"DocumentReference","content":[{"attachment":{"contentType":"text/plain"}}]}"#,
                "DocumentReference", "contenttype") == [.token(system: "urn:ietf:bcp:13", code: "text/plain")])
    }

    @Test("F16, R4 search string: later words of a name, and the name without its hyphen, are kept apart")
    func words() throws {
        func family(_ name: String, _ aspect: SearchParameterKey.Aspect) throws -> [String] {
            try values(#"{"resourceType":"Patient","name":[{"family":"\#(name)"}]}"#, "Patient", "family", aspect)
                .compactMap { if case .string(let folded, _) = $0 { folded } else { nil } }
        }
        #expect(try family("O'Connor", .value) == ["oconnor"])
        #expect(try family("O'Connor", .word) == [])
        #expect(try family("Garcia Lopez de Vega", .value) == ["garcia lopez de vega"])
        #expect(try family("Garcia Lopez de Vega", .word) == ["lopez de vega", "de vega", "vega"])
        #expect(try family("Smith-Jones", .value) == ["smith jones"])
        #expect(try family("Smith-Jones", .word) == ["jones", "smithjones"])
        #expect(try family((0..<40).map { "a\($0)" }.joined(separator: " "), .word).count == 16)
    }

    @Test("F11, R4 search date: a day is one of the site's clock, and of the text's own where that is another")
    func days() throws {
        let site = SearchIndexer(baseURL: "https://hilum.example/fhir", zone: LocalZone { _ in 60 })
        func entries(_ start: String, _ aspect: SearchParameterKey.Aspect) throws -> [IndexEntry.Value] {
            let json = #"{"resourceType":"Observation","effectiveDateTime":"\#(start)"}"#
            let key = SearchParameterKey("Observation", "date", aspect).number
            return site.entries(of: try Resource(parsing: Array(json.utf8))).filter { $0.parameter == key }.map(\.value)
        }
        let hour = Self.day / 24
        #expect(try entries("1970-01-02", .value) == [.date(low: 23 * hour, high: 47 * hour)])
        #expect(try entries("1970-01-02", .day) == [])
        #expect(
            try entries("1970-01-02T00:30:00+01:00", .value)
                == [.date(low: 23 * hour + hour / 2, high: 23 * hour + hour / 2 + 1_000_000)])
        #expect(try entries("1970-01-02T00:30:00+01:00", .day) == [])
        // Half past eleven of the evening of the first, five hours behind: the second already at the site.
        #expect(
            try entries("1970-01-01T23:30:00-05:00", .day)
                == [.date(low: 22 * hour + hour / 2, high: 22 * hour + hour / 2 + 1_000_000)])
    }

    @Test("F18, R4 search contained: a contained resource is found by a chain through the reference to it")
    func contained() throws {
        let json = #"""
            {"resourceType":"MedicationRequest","contained":[{"resourceType":"Medication","id":"m","code":{"coding":
            [{"system":"urn:s","code":"c"}]}},{"resourceType":"Medication","id":"unused","code":{"text":"x"}}],
            "medicationReference":{"reference":"#m"}}
            """#
        let key = SearchParameterKey(
            "MedicationRequest", reference: "medication", contained: SearchParameterKey("Medication", "code"))
        #expect(
            try entries(json).filter { $0.parameter == key.number }.map(\.value) == [.token(system: "urn:s", code: "c")]
        )
    }

    @Test("References: relative, on this server by URL, foreign, versioned, contained, by identifier, canonical")
    func references() throws {
        func subject(_ text: String) throws -> [IndexEntry.Value] {
            try values(
                #"{"resourceType":"ImagingStudy","subject":{"reference":"\#(text)"}}"#, "ImagingStudy", "subject")
        }
        #expect(try subject("Patient/1") == [.reference(type: "Patient", id: "1")])
        #expect(try subject("Patient/1/_history/2") == [.reference(type: "Patient", id: "1")])
        #expect(try subject("https://hilum.example/fhir/Patient/1") == [.reference(type: "Patient", id: "1")])
        #expect(
            try subject("https://else.example/Patient/1") == [
                .reference(type: "", id: "https://else.example/Patient/1")
            ])
        #expect(try subject("urn:uuid:c757873d-ec9a-4326-a141-556f43239520").count == 1)
        #expect(try subject("#p") == [.reference(type: "", id: "")])
        let byIdentifier =
            #"{"resourceType":"ImagingStudy","subject":{"type":"Patient","identifier":{"system":"urn:mrn","value":"7"}}}"#
        #expect(
            try values(byIdentifier, "ImagingStudy", "subject", .identifier) == [.token(system: "urn:mrn", code: "7")])
        #expect(
            try values(byIdentifier, "ImagingStudy", "patient", .identifier) == [.token(system: "urn:mrn", code: "7")])
        #expect(
            try values(
                #"{"resourceType":"ServiceRequest","instantiatesCanonical":["http://a/b|2"]}"#, "ServiceRequest",
                "instantiates-canonical")
                == [.reference(type: "", id: "http://a/b|2"), .reference(type: "", id: "http://a/b")])
    }

    @Test("`resolve() is Patient` goes by the reference's text, its type, and what is contained")
    func resolve() throws {
        for (subject, count) in [
            (#"{"reference":"Patient/1"}"#, 1), (#"{"reference":"Device/1"}"#, 0),
            (#"{"reference":"https://x.example/Patient/1"}"#, 1),
            (#"{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}"#, 0),
            (#"{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","type":"Patient"}"#, 1),
            (#"{"display":"x"}"#, 0),
        ] {
            #expect(
                try values(#"{"resourceType":"ImagingStudy","subject":\#(subject)}"#, "ImagingStudy", "patient").count
                    == count, "\(subject)")
        }
    }

    @Test("Quantities with comparator, Range, Money and number")
    func quantities() throws {
        let highest = Double.greatestFiniteMagnitude
        func value(_ json: String) throws -> [IndexEntry.Value] {
            try values(#"{"resourceType":"Observation",\#(json)}"#, "Observation", "value-quantity")
        }
        #expect(
            try value(#""valueQuantity":{"value":1.10,"unit":"mg","system":"s","code":"c"}"#) == [
                .quantity(low: 1.1, high: 1.1, system: "s", code: "c", unit: "mg")
            ])
        #expect(
            try value(#""valueQuantity":{"value":5,"comparator":"<"}"#) == [
                .quantity(low: -highest, high: 5, system: "", code: "", unit: "")
            ])
        #expect(
            try value(#""valueQuantity":{"value":5,"comparator":">="}"#) == [
                .quantity(low: 5, high: highest, system: "", code: "", unit: "")
            ])
        #expect(try value(#""valueQuantity":{"value":1e999}"#) == [])
        #expect(try value(#""valueString":"5""#) == [])
        #expect(
            try values(
                #"{"resourceType":"Condition","onsetRange":{"low":{"value":1},"high":{"value":3,"code":"a"}}}"#,
                "Condition", "onset-age")
                == [.quantity(low: 1, high: 3, system: "", code: "", unit: "")])
        #expect(
            try values(#"{"resourceType":"Invoice","totalNet":{"value":10,"currency":"EUR"}}"#, "Invoice", "totalnet")
                == [.quantity(low: 10, high: 10, system: "urn:iso:std:iso:4217", code: "EUR", unit: "")])
        #expect(
            try values(
                #"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.8}]}"#, "RiskAssessment",
                "probability"
            ).count == 1)
    }

    @Test("Composite: the components of one element share a part number; an incomplete element gives nothing")
    func composites() throws {
        let json = #"""
            {"resourceType":"Observation","code":{"coding":[{"code":"x"}]},"component":[
            {"code":{"coding":[{"code":"a"},{"code":"b"}]},"valueQuantity":{"value":1}},
            {"code":{"coding":[{"code":"c"}]}},{"code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":2}}]}
            """#
        let all = try entries(json)
        func parts(_ position: Int) -> [Int64] {
            let key = SearchParameterKey("Observation", "component-code-value-quantity", .component(position)).number
            return all.filter { $0.parameter == key }.map(\.part)
        }
        #expect(parts(0).count == 3)
        #expect(parts(1).count == 2)
        #expect(Set(parts(0)) == Set(parts(1)))
        #expect(Set(parts(0)).count == 2)
        #expect(parts(0).allSatisfy { $0 > 0 })
        let sequence =
            #"{"resourceType":"MolecularSequence","referenceSeq":{"chromosome":{"coding":[{"code":"1"}]}},"variant":[{"start":5,"end":9},{"start":7,"end":8}]}"#
        #expect(try values(sequence, "MolecularSequence", "chromosome-variant-coordinate", .component(0)).count == 2)
    }

    @Test("Bundle.composition is the first entry's resource; an extension stands for its value")
    func specials() throws {
        let bundle =
            #"{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition","id":"c"}},{"resource":{"resourceType":"Composition","id":"d"}}]}"#
        #expect(try values(bundle, "Bundle", "composition") == [.reference(type: "Composition", id: "c")])
    }

    @Test("Elements of a wrong JSON kind make no entry and no trap")
    func wrongKinds() throws {
        for value in [
            "null", "1", "\"\"", "\"x\"", "[]", "{}", "[[]]", "[null]", "[{}]", "true", "{\"coding\":1}",
            "[{\"coding\":[1,{\"code\":[]}]}]", "[{\"reference\":{}}]",
        ] {
            for name in [
                "identifier", "name", "birthDate", "gender", "active", "telecom", "managingOrganization", "link",
                "meta", "deceasedDateTime", "address", "contained",
            ] where !(name == "meta" && value != "{}") {
                let found = try entries(#"{"resourceType":"Patient","\#(name)":\#(value)}"#)
                #expect(found.count <= 3, "\(name): \(value)")
            }
        }
    }

    @Test("An entry is made once, however often its value is there")
    func distinct() throws {
        let given = Array(repeating: "\"Ann\"", count: 500).joined(separator: ",")
        #expect(
            try values(#"{"resourceType":"Patient","name":[{"given":[\#(given)]}]}"#, "Patient", "given").count == 1)
    }

    @Test("F4: a text of any length is found: entry and search have the same start and the same key")
    func longTexts() throws {
        let long = String(repeating: "ä", count: 5000)
        #expect(
            try values(#"{"resourceType":"Patient","name":[{"family":"\#(long)"}]}"#, "Patient", "family") == [
                .string(folded: String(repeating: "a", count: 512), exact: IndexEntry.key(long))
            ])
    }
}
