import FHIRModel
import FHIRSearch
import Testing

/// FHIR R4 search.html.
@Suite struct SearchQueryParserTests {
    let parser = SearchQueryParser(baseURL: "https://hilum.example/fhir", now: 1_700_000_000_000_000)

    func parse(
        _ type: String, _ pairs: [(String, String)], _ handling: SearchQueryParser.Handling = .strict
    ) throws -> SearchQuery {
        try parser.parse(type, pairs.map { .init(name: $0.0, value: $0.1) }, handling: handling)
    }

    func values(_ type: String, _ name: String, _ value: String) throws -> [SearchValue] {
        guard case .parameter(let condition) = try parse(type, [(name, value)]).filters.first,
            case .matches(let values) = condition.test
        else {
            Issue.record("\(name) gave no condition")
            return []
        }
        return values
    }

    func issueCodes(_ type: String, _ pairs: [(String, String)], _ handling: SearchQueryParser.Handling = .strict)
        -> [String]
    {
        do {
            _ = try parse(type, pairs, handling)
            return []
        } catch let error as SearchQueryError {
            return error.issues.map { $0.code.rawValue }
        } catch { return ["?"] }
    }

    @Test(
        "What no search may carry is refused as invalid, lenient or not",
        arguments: [
            ("birthdate", "2020-13"), ("birthdate", "yesterday"), ("_id", "a,,b"), ("_count", "-1"),
            ("_count", "1.5"),
            ("_count", "ten"), ("gender:foo", "male"), ("identifier", "a|b|c"), ("identifier", "|"),
            ("_summary", "yes"),
            ("_total", "exact"), ("_include", "Patient"), ("_include", "Nothing:subject"), ("_include", "Patient:name"),
            ("_include", "Observation:subject"), ("active:missing", "maybe"), ("name", "  "),
            ("general-practitioner", "not a reference"),
            ("name.given", "x"), ("_has:Observation", "x"), ("_has:Nothing:patient:code", "x"), ("family", "a\u{0}b"),
            ("identifier:of-type", "a|b"), ("link:Observation", "1"), ("_elements", "a b"),
        ])
    func invalid(name: String, value: String) {
        #expect(issueCodes("Patient", [(name, value)]) == ["invalid"])
        #expect(issueCodes("Patient", [(name, value)], .lenient) == ["invalid"])
    }

    @Test("R4 search errors: unknown and unsupported parameters fail when strict and are told when lenient")
    func handling() throws {
        let pairs = [("nonsense", "1"), ("name", "x"), ("_filter", "a eq b"), ("_sort", "nonsense")]
        #expect(issueCodes("Patient", pairs) == ["not-supported", "not-supported", "not-supported"])
        let query = try parse("Patient", pairs, .lenient)
        #expect(query.parameters == [.init(name: "name", value: "x")])
        #expect(query.notices.count == 3)
        #expect(query.notices.allSatisfy { $0.severity == .warning })
    }

    @Test(
        "F5, R4 search modifiers: a modifier that is not supported is refused, whatever the handling",
        arguments: [
            ("Patient", "name:text", "y"), ("Observation", "code:in", "http://x"),
            ("Patient", "birthdate:exact", "2020"),
            ("Observation", "subject.name:text", "y"), ("Patient", "_has:Observation:subject:code:not-in", "x"),
            ("Patient", "gender:below", "x"), ("Patient", "link:above", "x"), ("Patient", "_sort:desc", "name"),
            ("Patient", "_count:missing", "1"), ("Patient", "_summary:text", "true"),
        ])
    func modifiers(_ type: String, _ name: String, _ value: String) {
        for handling in [SearchQueryParser.Handling.strict, .lenient] {
            #expect(issueCodes(type, [(name, value)], handling) == ["not-supported"], "\(name)")
        }
    }

    @Test("F6, R4 search errors: a parameter without a value is no condition and no error")
    func emptyValues() throws {
        let query = try parse(
            "Patient",
            [
                ("family", ""), ("gender", "female"), ("_sort", ""), ("nonsense", ""), ("name", ","), ("_id", ",,"),
            ])
        #expect(query.filters.count == 1)
        #expect(query.parameters == [.init(name: "gender", value: "female")])
        #expect(query.notices.isEmpty)
        #expect(
            parser.filter("Patient", .init(name: "family", value: "")) == nil, "a scope must not become unconditional")
        #expect(parser.filter("Patient", .init(name: "family", value: ",")) == nil)
    }

    @Test("F17, R4 search reference: another type than the modifier's matches nothing, relative and absolute")
    func referenceTypes() throws {
        for text in ["Group/x", "https://hilum.example/fhir/Group/x", "https://other.example/fhir/Group/x"] {
            let found = try values("Observation", "subject:Patient", text)
            #expect(found == [.reference(types: ["Patient"], id: "Group/")], "\(text)")
        }
        #expect(try values("Observation", "subject:Patient", "Patient/x") == [.reference(types: ["Patient"], id: "x")])
    }

    @Test("F20, R4 search uri: a version behind the url of a resource is split off")
    func canonicalVersions() throws {
        guard case .anyOf(let parts) = try parse("ValueSet", [("url", "http://x|2.0")]).filters.first else {
            Issue.record("not split")
            return
        }
        #expect(parts.count == 2)
        #expect(parts.contains { if case .allOf(let both) = $0 { both.count == 2 } else { false } })
        #expect(try parse("ValueSet", [("url", "http://x")]).filters.count == 1)
    }

    @Test("An issue names the parameter and repeats no value")
    func noValues() {
        do {
            _ = try parse("Patient", [("birthdate", "Miller-secret"), ("<b>", "x")])
            Issue.record("accepted")
        } catch let error as SearchQueryError {
            let text = error.issues.compactMap(\.diagnostics).joined()
            #expect(!text.contains("secret"))
            #expect(!text.contains("<"))
            #expect(text.contains("birthdate"))
        } catch {}
    }

    @Test("R4 token: the four forms")
    func tokens() throws {
        #expect(try values("Patient", "identifier", "1") == [.token(system: .any, code: "1")])
        #expect(try values("Patient", "identifier", "urn:a|1") == [.token(system: .uri("urn:a"), code: "1")])
        #expect(try values("Patient", "identifier", "|1") == [.token(system: .none, code: "1")])
        #expect(try values("Patient", "identifier", "urn:a|") == [.token(system: .uri("urn:a"), code: nil)])
    }

    @Test("R4 escaping: an escaped comma, bar, dollar and backslash are data")
    func escapes() throws {
        #expect(
            try values("Patient", "identifier", #"a\,b,c\|d\\,e\$"#) == [
                .token(system: .any, code: "a,b"), .token(system: .any, code: #"c|d\"#),
                .token(system: .any, code: "e$"),
            ])
    }

    @Test("OR lists end at 500 values")
    func orList() throws {
        let codes = (0..<500).map { String($0) }.joined(separator: ",")
        #expect(try values("Patient", "identifier", codes).count == 500)
        #expect(issueCodes("Patient", [("identifier", codes + ",x")]) == ["too-costly"])
    }

    @Test("Parameters end at 1000 and their text at 64 KiB")
    func sizes() throws {
        let pair = ("active", "true")
        #expect(try parse("Patient", Array(repeating: pair, count: 1000)).parameters.count == 1000)
        #expect(issueCodes("Patient", Array(repeating: pair, count: 1001)) == ["too-costly"])
        #expect(try values("Patient", "family:exact", String(repeating: "a", count: 65_536)).count == 1)
        #expect(issueCodes("Patient", [("family:exact", String(repeating: "a", count: 65_537))]) == ["too-costly"])
    }

    @Test("R4 _count: 0 asks for the total, large numbers of any length are lowered to 1000")
    func count() throws {
        #expect(try parse("Patient", [("_count", "0")]).isTotalOnly)
        #expect(try parse("Patient", [("_count", "1000")]).count == 1000)
        #expect(try parse("Patient", [("_count", "1001")]).count == 1000)
        #expect(try parse("Patient", [("_count", "9223372036854775808")]).count == 1000)
        #expect(try parse("Patient", [("_count", String(repeating: "9", count: 400))]).count == 1000)
    }

    @Test("R4 prefixes: each of the nine, and eq without one")
    func prefixes() throws {
        let day = DateTimeRange(lower: 1_577_836_800_000_000, upper: 1_577_923_200_000_000)
        #expect(try values("Patient", "birthdate", "2020-01-01") == [.date(.equal, day, isDay: true)])
        for prefix in SearchPrefix.allCases where prefix != .approximately {
            #expect(
                try values("Patient", "birthdate", prefix.rawValue + "2020-01-01") == [.date(prefix, day, isDay: true)])
        }
        guard case .date(.approximately, let wide, _) = try values("Patient", "birthdate", "ap2020-01-01").first else {
            Issue.record("no date")
            return
        }
        #expect(wide.lower < day.lower)
        #expect(wide.upper > day.upper)
    }

    @Test("R4 date: a space that was a plus in the URL is no zone; a zone and a partial time are understood")
    func dates() throws {
        #expect(issueCodes("Observation", [("date", "2020-01-01T10:00:00 01:00")]) == ["invalid"])
        #expect(
            try values("Observation", "date", "2020-01-01T10:00:00+01:00")
                == values("Observation", "date", "2020-01-01T09:00:00Z"))
        #expect(try values("Observation", "date", "2020-01-01T10:00").count == 1)
    }

    @Test("R4 number: the implicit range follows the digits written")
    func numbers() throws {
        #expect(SearchNumber("100") == SearchNumber(value: 100, lower: 99.5, upper: 100.5))
        #expect(SearchNumber("100.00") == SearchNumber(value: 100, lower: 99.995, upper: 100.005))
        #expect(SearchNumber("1e2") == SearchNumber(value: 100, lower: 50, upper: 150))
        for bad in [
            "", "-", ".", "1e", "1e99999", "0x10", "1,5", "nan", "inf", "--1", "1e400",
            String(repeating: "1", count: 65),
        ] {
            #expect(SearchNumber(bad) == nil, "\(bad)")
        }
    }

    @Test("R4 quantity: number|system|code, number||code and the number alone")
    func quantities() throws {
        let five = SearchNumber(value: 5.4, lower: 5.3500000000000005, upper: 5.45)
        guard
            case .quantity(.equal, let number, let unit) = try values(
                "Observation", "value-quantity", "5.4|http://unitsofmeasure.org|mg"
            ).first
        else {
            Issue.record("no quantity")
            return
        }
        #expect(number.value == five.value)
        #expect(unit == QuantityUnit(system: "http://unitsofmeasure.org", code: "mg"))
        #expect(issueCodes("Observation", [("value-quantity", "5.4|mg")]) == ["invalid"])
        #expect(try values("Observation", "value-quantity", "lt5.4||mg").count == 1)
    }

    @Test("R4 reference: an id, Type/id, the full URL of this server, and a foreign URL")
    func references() throws {
        let local = SearchValue.reference(types: ["Patient"], id: "7")
        #expect(try values("ImagingStudy", "patient", "7") == [local])
        #expect(try values("ImagingStudy", "patient", "Patient/7") == [local])
        #expect(try values("ImagingStudy", "patient", "https://hilum.example/fhir/Patient/7") == [local])
        #expect(
            try values("ImagingStudy", "patient", "https://else.example/fhir/Patient/7")
                == [.referenceURL("https://else.example/fhir/Patient/7")])
        #expect(try values("ImagingStudy", "subject:Patient", "7") == [local])
        #expect(
            try values("ImagingStudy", "subject", "7") == [
                .reference(types: ["Patient", "Device", "Group"].sorted(), id: "7")
            ]
                || values("ImagingStudy", "subject", "7").count == 1)
        #expect(
            try values("ImagingStudy", "patient:identifier", "urn:x|1") == [
                .referenceIdentifier(system: .uri("urn:x"), code: "1")
            ])
    }

    @Test("R4 composite: one value for each component")
    func composite() throws {
        guard
            case .composite(let parts) = try values("Observation", "code-value-quantity", "http://loinc.org|1-8$gt5")
                .first
        else {
            Issue.record("no composite")
            return
        }
        #expect(parts.count == 2)
        #expect(parts.first == .token(system: .uri("http://loinc.org"), code: "1-8"))
        #expect(issueCodes("Observation", [("code-value-quantity", "1-8")]) == ["invalid"])
    }

    @Test("R4 chaining: three references may be followed, a fourth not")
    func chains() throws {
        let three = "based-on:ServiceRequest.requester:Practitioner.name"
        #expect(try parse("DiagnosticReport", [(three, "x")]).filters.count == 1)
        #expect(
            issueCodes("Observation", [("part-of:Procedure.part-of:Procedure.part-of:Procedure.status", "x")]) == [])
        #expect(
            issueCodes(
                "Observation", [("part-of:Procedure.part-of:Procedure.part-of:Procedure.part-of:Procedure.status", "x")]
            )
                == ["too-costly"])
        #expect(issueCodes("DiagnosticReport", [("based-on:Patient.name", "x")]) == ["invalid"])
    }

    @Test("R4 _has: two levels, a third not")
    func has() throws {
        #expect(try parse("Patient", [("_has:Observation:patient:code", "1-8")]).filters.count == 1)
        #expect(
            try parse("Patient", [("_has:Observation:patient:_has:DiagnosticReport:result:status", "final")]).filters
                .count == 1)
        #expect(
            issueCodes(
                "Patient", [("_has:Observation:patient:_has:DiagnosticReport:result:_has:Provenance:target:agent", "x")]
            )
                == ["too-costly"])
        #expect(issueCodes("Patient", [("_has:Observation:encounter:code", "1")]) == ["invalid"])
    }

    @Test("R4 _sort, _include, _revinclude, _total, _summary, _elements are read")
    func results() throws {
        let query = try parse(
            "ImagingStudy",
            [
                ("_sort", "-started,_id"), ("_include", "ImagingStudy:patient"),
                ("_include:iterate", "Patient:organization"),
                ("_revinclude", "DiagnosticReport:based-on"), ("_total", "accurate"), ("_elements", "id,status"),
                ("_format", "json"),
                ("_pretty", "true"),
            ])
        #expect(query.sort.map(\.isDescending) == [true, false])
        #expect(query.includes.map(\.isReverse) == [false, false, true])
        #expect(query.includes.map(\.isIterative) == [false, true, false])
        #expect(query.includes[2].targetType == "ImagingStudy")
        #expect(query.total == .accurate)
        #expect(query.elements == ["id", "status"])
        #expect(query.isPretty)
        #expect(query.parameters.count == 6)
        #expect(issueCodes("Patient", [("_sort", "name,given,family,birthdate,_id")]) == ["too-costly"])
    }

    @Test("R4 compartments: a type in it, the focal resource, and a type that never is")
    func compartments() {
        guard case .anyOf(let filters) = parser.compartmentFilter("Patient", id: "1", type: "Observation") else {
            Issue.record("no filter")
            return
        }
        let codes = filters.compactMap {
            if case .parameter(let condition) = $0 { condition.parameter.code } else { nil }
        }
        #expect(codes.sorted() == ["performer", "subject"])
        guard case .anyOf(let own) = parser.compartmentFilter("Patient", id: "1", type: "Patient") else {
            Issue.record("no filter")
            return
        }
        #expect(own.count == 2)
        #expect(parser.compartmentFilter("Patient", id: "1", type: "Endpoint") == nil)
        #expect(parser.compartmentFilter("Nothing", id: "1", type: "Observation") == nil)
    }

    @Test("X23: equal conditions are one, in whatever order and however often")
    func equalConditions() throws {
        let many = Array(repeating: ("name", "a"), count: 500) + Array(repeating: ("name", "a,a,b,a"), count: 499)
        let query = try parse("Patient", many + [("gender", "male")])
        #expect(query.filters.count == 3)
        #expect(query.filters.reduce(0) { $0 + $1.cost } == 4)
        // The link to the page itself still says what was asked.
        #expect(query.parameters.count == 1000)
    }

    @Test(
        "X19, X23: what a search asks of the database is counted before it runs, and more than the limit is too-costly")
    func cost() throws {
        func cost(_ type: String, _ pairs: [(String, String)]) throws -> Int {
            try parse(type, pairs).filters.reduce(0) { $0 + $1.cost }
        }
        #expect(try cost("Patient", []) == 0)
        // Codes of one system, ids and URIs are one list.
        #expect(try cost("Observation", [("code", (0..<400).map { "c\($0)" }.joined(separator: ","))]) == 1)
        #expect(try cost("Observation", [("code", "a,b,http://s|c,http://s|d")]) == 2)
        #expect(try cost("Observation", [("patient", "a,b,c")]) == 1)
        #expect(try cost("Observation", [("date", "2020,2021,2022")]) == 3)
        #expect(try cost("Observation", [("code-value-quantity", "a$1,b$2")]) == 4)
        #expect(try cost("Observation", [("patient.name", "a,b")]) == 3)
        #expect(try cost("Patient", [("_has:Observation:patient:code", "a")]) == 2)
        let names = (0..<200).map { ("given", "n\($0)") }
        #expect(try cost("Patient", names) == 200)
        #expect(issueCodes("Patient", names + [("given", "one more")]) == ["too-costly"])
        #expect(issueCodes("Patient", names + [("given", "one more")], .lenient) == ["too-costly"])
        #expect(issueCodes("Patient", (0..<1000).map { ("given", "n\($0)") }) == ["too-costly"])
        #expect(issueCodes("Patient", (0..<1001).map { ("given", "n\($0)") }) == ["too-costly"])
        var narrow = SearchLimits.standard
        narrow.conditionsMax = 10
        let parser = SearchQueryParser(baseURL: "", limits: narrow)
        #expect(throws: SearchQueryError.self) {
            try parser.parse("Patient", (0..<11).map { .init(name: "given", value: "n\($0)") })
        }
    }

    @Test("F27: a number of more digits than a double holds equals the double it is")
    func longNumbers() throws {
        for text in [
            "123456789012345678901234567890", "0.1000000000000000000000001", "-123456789012345678901234567890",
            "9007199254740993",
        ] {
            let number = try #require(SearchNumber(text))
            #expect(number.lower <= number.value, "\(text)")
            #expect(number.value < number.upper, "\(text)")
        }
    }

    @Test("No text makes the parser trap: random parameters from a printed seed")
    func random() {
        var seed: UInt64 = 20_261_121
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        let names = [
            "_id", "identifier", "birthdate", "name", "_has:", "general-practitioner", "_sort", "_include", "_count",
            "link.", "deceased",
        ]
        let marks = [
            "|", ",", "$", "\\", ":", ".", "eq", "lt", "9", "2020", "-", "Patient", "/", "é", "\u{FFFF}", " ", "e",
            "https:",
        ]
        for round in 0..<4000 {
            let name = names[next(names.count)] + (0..<next(3)).map { _ in marks[next(marks.count)] }.joined()
            let value = (0..<next(9)).map { _ in marks[next(marks.count)] }.joined()
            do {
                let query = try parse("Patient", [(name, value)])
                #expect(query.notices.isEmpty)
            } catch let error as SearchQueryError {
                #expect(!error.issues.isEmpty, "seed 20261121 round \(round)")
            } catch { Issue.record("seed 20261121 round \(round)") }
        }
    }
}
