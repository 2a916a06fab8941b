import FHIRModel
import FHIRSearch
import Testing

/// FHIR R4 fhirpatch.html, FHIRPath N1.
@Suite struct FHIRPathPatchTests {
    /// An operation as JSON; `value` and the like are members of the part.
    private static func operation(
        _ type: String, _ path: String, name: String? = nil, value: String? = nil, index: Int? = nil,
        source: Int? = nil,
        destination: Int? = nil
    ) -> String {
        func quoted(_ text: String) -> String {
            String(decoding: JSONWriter.compact(JSONValue.string(text)), as: UTF8.self)
        }
        var parts = [
            #"{"name":"type","valueCode":"\#(type)"}"#, #"{"name":"path","valueString":\#(quoted(path))}"#,
        ]
        if let name { parts.append(#"{"name":"name","valueString":"\#(name)"}"#) }
        if let value { parts.append(#"{"name":"value",\#(value)}"#) }
        for (part, number) in [("index", index), ("source", source), ("destination", destination)] {
            if let number { parts.append(#"{"name":"\#(part)","valueInteger":\#(number)}"#) }
        }
        return #"{"name":"operation","part":[\#(parts.joined(separator: ","))]}"#
    }

    private func patched(_ resource: String, _ operations: [String], _ limits: PatchLimits = PatchLimits()) throws
        -> String
    {
        let patch = #"{"resourceType":"Parameters","parameter":[\#(operations.joined(separator: ","))]}"#
        let value = JSONValue(try JSONDocument(parsing: resource))
        let result = try FHIRPathPatch(try JSONDocument(parsing: patch), limits: limits).applied(to: value)
        return String(decoding: JSONWriter.compact(result), as: UTF8.self)
    }

    private func failure(_ resource: String, _ operations: [String], _ limits: PatchLimits = PatchLimits())
        -> PatchError?
    {
        do {
            _ = try patched(resource, operations, limits)
            return nil
        } catch { return error as? PatchError }
    }

    private static let patient = #"""
        {"resourceType":"Patient","id":"p","birthDate":"1970-01-02","_birthDate":{"id":"b"},"name":[{"use":"official","family":"A","given":["G1","G2"]},{"use":"nickname","given":["N"]}],"contact":[{"name":{"text":"a name"}}],"identifier":[{"system":"s","value":"1"},{"system":"t","value":"2"},{"system":"u","value":"3"}],"maritalStatus":{"extension":[{"url":"e","valueString":"x"}],"text":"m"}}
        """#

    private func expect(_ operations: [String], changes pairs: [(String, String)]) throws {
        var expected = Self.patient
        for (old, new) in pairs {
            #expect(expected.contains(old))
            expected = expected.replacing(old, with: new)
        }
        #expect(try patched(Self.patient, operations) == expected)
    }

    @Test("add puts a member that is not there, and appends to a list")
    func add() throws {
        try expect(
            [Self.operation("add", "Patient", name: "gender", value: #""valueCode":"male""#)],
            changes: [(#""text":"m"}}"#, #""text":"m"},"gender":"male"}"#)])
        try expect(
            [Self.operation("add", "Patient", name: "identifier", value: #""valueIdentifier":{"system":"v"}"#)],
            changes: [(#""value":"3"}]"#, #""value":"3"},{"system":"v"}]"#)])
        try expect(
            [
                Self.operation(
                    "add", "Patient.name.where(use = 'nickname')", name: "given", value: #""valueString":"M""#)
            ],
            changes: [(#"["N"]"#, #"["N","M"]"#)])
        // A choice by its name without the type, and as JSON has it.
        for name in ["deceased", "deceasedBoolean"] {
            try expect(
                [Self.operation("add", "Patient", name: name, value: #""valueBoolean":true"#)],
                changes: [(#""text":"m"}}"#, #""text":"m"},"deceasedBoolean":true}"#)])
        }
        #expect(
            failure(Self.patient, [Self.operation("add", "Patient", name: "birthDate", value: #""valueDate":"1990""#)])?
                .kind == .notApplicable)
        #expect(
            failure(Self.patient, [Self.operation("add", "Patient", name: "colour", value: #""valueString":"x""#)])?
                .kind == .notApplicable)
        #expect(
            failure(Self.patient, [Self.operation("add", "Patient.photo", name: "url", value: #""valueUrl":"x""#)])?
                .kind == .notApplicable)
    }

    @Test("add builds an element that has no type of its own from parts, as deep as they go")
    func addParts() throws {
        let value = #"""
            "part":[{"name":"relationship","valueCodeableConcept":{"text":"r1"}},{"name":"relationship","valueCodeableConcept":{"text":"r2"}},{"name":"name","valueHumanName":{"text":"n"}},{"name":"gender","valueCode":"other"}]
            """#
        try expect(
            [Self.operation("add", "Patient", name: "contact", value: value)],
            changes: [
                (
                    #"{"name":{"text":"a name"}}]"#,
                    #"{"name":{"text":"a name"}},{"relationship":[{"text":"r1"},{"text":"r2"}],"name":{"text":"n"},"gender":"other"}]"#
                )
            ])
        let twice = #""part":[{"name":"gender","valueCode":"other"},{"name":"gender","valueCode":"male"}]"#
        #expect(
            failure(Self.patient, [Self.operation("add", "Patient", name: "contact", value: twice)])?.kind
                == .notApplicable)
    }

    @Test("Extensions of a primitive go beside it (FHIR R4 json.html#primitive)")
    func beside() throws {
        try expect(
            [
                Self.operation(
                    "add", "Patient.birthDate", name: "extension",
                    value: #""valueExtension":{"url":"u","valueString":"v"}"#)
            ],
            changes: [(#"{"id":"b"}"#, #"{"id":"b","extension":[{"url":"u","valueString":"v"}]}"#)])
        try expect(
            [
                Self.operation(
                    "add", "Patient.name[0].given[1]", name: "extension", value: #""valueExtension":{"url":"u"}"#)
            ],
            changes: [(#"["G1","G2"]"#, #"["G1","G2"],"_given":[null,{"extension":[{"url":"u"}]}]"#)])
        try expect(
            [
                Self.operation(
                    "insert", "Patient.birthDate.extension", value: #""valueExtension":{"url":"u"}"#, index: 0),
                Self.operation(
                    "insert", "Patient.birthDate.extension", value: #""valueExtension":{"url":"v"}"#, index: 1),
                Self.operation("move", "Patient.birthDate.extension", source: 1, destination: 0),
            ],
            changes: [(#"{"id":"b"}"#, #"{"id":"b","extension":[{"url":"v"},{"url":"u"}]}"#)])
        try expect(
            [
                Self.operation(
                    "insert", "Patient.name[0].given[1].extension", value: #""valueExtension":{"url":"u"}"#, index: 0)
            ],
            changes: [(#"["G1","G2"]"#, #"["G1","G2"],"_given":[null,{"extension":[{"url":"u"}]}]"#)])
        // A value that the path itself makes has no place.
        #expect(
            failure(
                Self.patient,
                [Self.operation("insert", "'x'.extension", value: #""valueExtension":{"url":"u"}"#, index: 0)])?.kind
                == .notApplicable)
        // The element and what is beside it go together.
        try expect(
            [Self.operation("delete", "Patient.birthDate")],
            changes: [(#""birthDate":"1970-01-02","_birthDate":{"id":"b"},"#, "")])
    }

    @Test("insert, at the index and at the end; one past it is refused")
    func insert() throws {
        try expect(
            [Self.operation("insert", "Patient.identifier", value: #""valueIdentifier":{"system":"v"}"#, index: 1)],
            changes: [(#"{"system":"t""#, #"{"system":"v"},{"system":"t""#)])
        try expect(
            [Self.operation("insert", "Patient.identifier", value: #""valueIdentifier":{"system":"v"}"#, index: 3)],
            changes: [(#""value":"3"}]"#, #""value":"3"},{"system":"v"}]"#)])
        try expect(
            [Self.operation("insert", "Patient.telecom", value: #""valueContactPoint":{"value":"v"}"#, index: 0)],
            changes: [(#""text":"m"}}"#, #""text":"m"},"telecom":[{"value":"v"}]}"#)])
        #expect(
            failure(
                Self.patient,
                [Self.operation("insert", "Patient.identifier", value: #""valueIdentifier":{"system":"v"}"#, index: 4)])?
                .kind == .notApplicable)
        #expect(
            failure(
                Self.patient, [Self.operation("insert", "Patient.birthDate", value: #""valueDate":"1990""#, index: 0)])?
                .kind == .notApplicable)
    }

    @Test("delete takes one element; one that is not there is no error, several are")
    func delete() throws {
        try expect(
            [Self.operation("delete", "Patient.identifier.where(system='t' and value='2')")],
            changes: [(#"{"system":"t","value":"2"},"#, "")])
        try expect(
            [Self.operation("delete", "Patient.contact[0].name.text")],
            changes: [(#","contact":[{"name":{"text":"a name"}}]"#, "")])
        try expect(
            [Self.operation("delete", "Patient.maritalStatus.extension('e')")],
            changes: [(#""extension":[{"url":"e","valueString":"x"}],"#, "")])
        try expect([Self.operation("delete", "Patient.photo")], changes: [])
        try expect([Self.operation("delete", "Patient.identifier[7]")], changes: [])
        #expect(failure(Self.patient, [Self.operation("delete", "Patient.identifier")])?.kind == .notApplicable)
        #expect(failure(Self.patient, [Self.operation("delete", "Patient")])?.kind == .notApplicable)
    }

    @Test("replace puts one element in the place of another, of a choice also of another type")
    func replace() throws {
        try expect(
            [Self.operation("replace", "Patient.birthDate", value: #""valueDate":"1980""#)],
            changes: [(#""birthDate":"1970-01-02","_birthDate":{"id":"b"}"#, #""birthDate":"1980""#)])
        try expect(
            [Self.operation("replace", "Patient.name.first().given.last()", value: #""valueString":"G3""#)],
            changes: [(#""G2""#, #""G3""#)])
        let observation = #"{"resourceType":"Observation","valueQuantity":{"value":1.0},"status":"final"}"#
        #expect(
            try patched(observation, [Self.operation("replace", "Observation.value", value: #""valueString":"x""#)])
                == #"{"resourceType":"Observation","valueString":"x","status":"final"}"#)
        #expect(
            try patched(
                observation,
                [Self.operation("replace", "Observation.value.ofType(Quantity).value", value: #""valueDecimal":1.10"#)])
                == #"{"resourceType":"Observation","valueQuantity":{"value":1.10},"status":"final"}"#)
        #expect(
            failure(observation, [Self.operation("replace", "Observation.value", value: #""valueAddress":{}"#)])?.kind
                == .notApplicable)
        #expect(
            failure(Self.patient, [Self.operation("replace", "Patient.gender", value: #""valueCode":"male""#)])?.kind
                == .notApplicable)
        #expect(
            failure(Self.patient, [Self.operation("replace", "Patient.name.given", value: #""valueString":"x""#)])?.kind
                == .notApplicable)
    }

    @Test("move puts an element of a list elsewhere in it")
    func move() throws {
        try expect(
            [Self.operation("move", "Patient.identifier", source: 2, destination: 0)],
            changes: [
                (
                    #"[{"system":"s","value":"1"},{"system":"t","value":"2"},{"system":"u","value":"3"}]"#,
                    #"[{"system":"u","value":"3"},{"system":"s","value":"1"},{"system":"t","value":"2"}]"#
                )
            ])
        for (source, destination) in [(3, 0), (0, 3)] {
            #expect(
                failure(
                    Self.patient,
                    [Self.operation("move", "Patient.identifier", source: source, destination: destination)])?.kind
                    == .notApplicable)
        }
    }

    @Test("Operations see what earlier ones did, and all or none happen")
    func sequence() throws {
        try expect(
            [
                Self.operation("delete", "Patient.contact[0]"),
                Self.operation("add", "Patient", name: "gender", value: #""valueCode":"male""#),
                Self.operation("replace", "Patient.gender", value: #""valueCode":"other""#),
            ],
            changes: [
                (#","contact":[{"name":{"text":"a name"}}]"#, ""),
                (#""text":"m"}}"#, #""text":"m"},"gender":"other"}"#),
            ])
        let failed = failure(
            Self.patient,
            [
                Self.operation("delete", "Patient.contact[0]"),
                Self.operation("move", "Patient.contact", source: 0, destination: 0),
            ])
        #expect(failed?.operation == 1)
    }

    @Test(
        "A path that leads elsewhere, computes, or is no path is told as such",
        arguments: [
            "Patient.managingOrganization.resolve()", "Patient.name | Patient.contact", "Patient.name.given + 'x'",
            "%resource.name", "Patient.name[", "Patient.name.where(", "Patient..name", "", "Patient.name.where(use='a)",
            "Patient.name.matches('(a+)+$')", "Patient.name[-1]", "Patient.name.where()", "Patient.name.first(1)",
            String(repeating: "(", count: 65) + "Patient" + String(repeating: ")", count: 65),
            "Patient" + String(repeating: ".name", count: 65), String(repeating: "a", count: 4097),
        ])
    func badPaths(path: String) {
        #expect(failure(Self.patient, [Self.operation("delete", path)])?.kind == .malformed, "\(path.prefix(60))")
    }

    @Test(
        "What is no patch is told as such",
        arguments: [
            #"{"resourceType":"Patient"}"#, #"{"resourceType":"Parameters"}"#,
            #"{"resourceType":"Parameters","parameter":[{"name":"other"}]}"#,
            #"{"resourceType":"Parameters","parameter":[{"name":"operation"}]}"#,
            #"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"spam"},{"name":"path","valueString":"Patient"}]}]}"#,
            #"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"active"}]}]}"#,
            #"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient"}]}]}"#,
            #"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"move"},{"name":"path","valueString":"Patient.name"},{"name":"source","valueInteger":-1},{"name":"destination","valueInteger":0}]}]}"#,
        ])
    func malformed(patch: String) throws {
        let document = try JSONDocument(parsing: patch)
        let error = #expect(throws: PatchError.self) { _ = try FHIRPathPatch(document) }
        #expect(error?.kind == .malformed)
    }

    @Test("More operations or content than one patch may have are refused, at the limit and one past it")
    func limits() {
        let limits = PatchLimits(operationsMax: 2, addedValuesMax: 2, addedBytesMax: 4)
        let add = { (text: String) in
            Self.operation("add", "Patient.name[0]", name: "given", value: #""valueString":"\#(text)""#)
        }
        #expect(failure(Self.patient, [add("ab"), add("cd")], limits) == nil)
        #expect(failure(Self.patient, [add("ab"), add("cde")], limits)?.kind == .tooLarge)
        #expect(failure(Self.patient, [add("a"), add("b"), add("c")], limits)?.kind == .tooLarge)
    }

    @Test("Content is placed no deeper than a stored resource may be, whatever nests it")
    func nesting() {
        let nested = { (depth: Int) in
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        // Each extension is within an object and a list more: 20 are around the last of ten.
        var resource = #"{"url":"u"}"#
        for _ in 1..<10 { resource = #"{"extension":[\#(resource)]}"# }
        resource = #"{"resourceType":"Patient","extension":[\#(resource)]}"#
        let place = "Patient" + String(repeating: ".extension", count: 10)
        let operations: [(around: Int, make: (String) -> String)] = [
            (22, { Self.operation("add", place, name: "extension", value: #""valueExtension":\#($0)"#) }),
            (20, { Self.operation("replace", place, value: #""valueExtension":\#($0)"#) }),
            (20, { Self.operation("insert", place, value: #""valueExtension":\#($0)"#, index: 0) }),
            (
                23,
                {
                    let part = #"{"name":"value","valueHumanName":\#($0)}"#
                    return Self.operation("add", place, name: "extension", value: #""part":[\#(part)]"#)
                }
            ),
        ]
        for (around, make) in operations {
            #expect(failure(resource, [make(nested(68 - around))]) == nil, "\(around)")
            #expect(failure(resource, [make(nested(69 - around))])?.kind == .tooLarge, "\(around)")
        }
    }

    @Test("An expression that looks at too many elements ends at its budget")
    func budget() throws {
        let extensions = Array(repeating: #"{"url":"u"}"#, count: 20_000).joined(separator: ",")
        let resource = #"{"resourceType":"Patient","extension":[\#(extensions)]}"#
        let path = { "Patient.extension" + String(repeating: ".where(url='u')", count: $0) + ".skip(1).tail().last()" }
        #expect(failure(resource, [Self.operation("delete", path(2))]) == nil)
        let error = failure(resource, [Self.operation("delete", path(50))])
        #expect(error?.kind == .notApplicable)
        #expect(error?.sentence.contains("more elements") == true)
        // All operations together have one.
        let many = failure(resource, Array(repeating: Self.operation("delete", path(2)), count: 50))
        #expect(many?.kind == .notApplicable)
        #expect(many?.sentence.contains("more elements") == true)
        #expect((many?.operation ?? 0) > 0)
    }
}
