import FHIRModel
import FHIRSearch
import Testing

/// RFC 6901, RFC 6902, FHIR R4 http.html#patch.
@Suite struct JSONPatchTests {
    private func patched(_ document: String, _ patch: String, _ limits: PatchLimits = PatchLimits()) throws -> String {
        let value = JSONValue(try JSONDocument(parsing: document))
        let patch = try JSONPatch(try JSONDocument(parsing: patch), limits: limits)
        return String(decoding: JSONWriter.compact(try patch.applied(to: value)), as: UTF8.self)
    }

    private func failure(_ document: String, _ patch: String, _ limits: PatchLimits = PatchLimits()) -> PatchError? {
        do {
            _ = try patched(document, patch, limits)
            return nil
        } catch { return error as? PatchError }
    }

    @Test(
        "The examples of RFC 6902 appendix A come out as it says",
        arguments: [
            // A.1 to A.7, A.10, A.11, A.14, A.16: members and elements are added, taken, put, moved.
            (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"foo":"bar","baz":"qux"}"#),
            (
                #"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
                #"{"foo":["bar","qux","baz"]}"#
            ),
            (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
            (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
            (
                #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#,
                #"{"baz":"boo","foo":"bar"}"#
            ),
            (
                #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
                #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
                #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
            ),
            (
                #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
                #"{"foo":["all","cows","eat","grass"]}"#
            ),
            (
                #"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{"a":1}}}]"#,
                #"{"foo":"bar","child":{"grandchild":{"a":1}}}"#
            ),
            (
                #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
                #"{"foo":"bar","baz":"qux"}"#
            ),
            (
                #"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#
            ),
            (
                #"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
                #"{"foo":["bar",["abc","def"]]}"#
            ),
        ])
    func examples(document: String, patch: String, expected: String) throws {
        #expect(try patched(document, patch) == expected)
    }

    @Test("test compares numbers by value and members in any order; a failure names its operation (RFC 6902 §4.6)")
    func test() throws {
        let document = #"{"a":{"x":1.50,"y":[true,null]},"n":10}"#
        #expect(failure(document, #"[{"op":"test","path":"/a","value":{"y":[true,null],"x":15e-1}}]"#) == nil)
        #expect(failure(document, #"[{"op":"test","path":"/n","value":1e1}]"#) == nil)
        let failed = failure(
            document, #"[{"op":"test","path":"/n","value":10.0},{"op":"test","path":"/n","value":"10"}]"#)
        #expect(failed?.kind == .notApplicable)
        #expect(failed?.operation == 1)
        #expect(failure(document, #"[{"op":"test","path":"/missing","value":null}]"#)?.kind == .notApplicable)
        #expect(failure(document, #"[{"op":"test","path":"/a/y/1","value":null}]"#) == nil)
        // An exponent beyond any that is compared is the same as its own text alone.
        let power = "1e-9223372036854775808"
        #expect(failure(document, #"[{"op":"test","path":"/n","value":\#(power)}]"#)?.kind == .notApplicable)
        #expect(failure(#"{"n":\#(power)}"#, #"[{"op":"test","path":"/n","value":\#(power)}]"#) == nil)
    }

    @Test("Nothing of a patch happens when one operation fails (RFC 5789 §2)")
    func atomic() throws {
        let value = JSONValue(try JSONDocument(parsing: #"{"a":1}"#))
        let patch = try JSONPatch(
            try JSONDocument(
                parsing: #"[{"op":"replace","path":"/a","value":2},{"op":"remove","path":"/b"}]"#))
        #expect(throws: PatchError.self) { try patch.applied(to: value) }
        #expect(value["a"] == 1)
    }

    @Test(
        "A place that is not there is refused (RFC 6902 §4)",
        arguments: [
            #"[{"op":"remove","path":"/b"}]"#, #"[{"op":"replace","path":"/b","value":1}]"#,
            #"[{"op":"add","path":"/b/c","value":1}]"#, #"[{"op":"add","path":"/a/3","value":1}]"#,
            #"[{"op":"remove","path":"/a/2"}]"#, #"[{"op":"remove","path":"/a/-"}]"#,
            #"[{"op":"remove","path":"/a/01"}]"#, #"[{"op":"add","path":"/a/x","value":1}]"#,
            #"[{"op":"copy","from":"/b","path":"/c"}]"#, #"[{"op":"move","from":"/b","path":"/b"}]"#,
            #"[{"op":"remove","path":""}]"#, #"[{"op":"replace","path":"/s/0","value":1}]"#,
            #"[{"op":"add","path":"/s/0","value":1}]"#,
            #"[{"op":"remove","path":"/a/99999999999999999999999999"}]"#,
        ])
    func absentPlaces(patch: String) {
        #expect(failure(#"{"a":[1,2],"s":"t"}"#, patch)?.kind == .notApplicable)
    }

    @Test(
        "What is no patch is told as such, with the operation (RFC 6902 §3)",
        arguments: [
            #"{}"#, #"[1]"#, #"[{"op":"add"}]"#, #"[{"op":"add","path":"/a"}]"#,
            #"[{"op":"add","path":"a","value":1}]"#,
            #"[{"op":"spam","path":"/a","value":1}]"#, #"[{"op":"test","path":"/a~2","value":1}]"#,
            #"[{"op":"test","path":"/a~","value":1}]"#, #"[{"op":"move","path":"/a"}]"#,
            #"[{"op":"move","from":"/a","path":"/a/b"}]"#, #"[{"op":1,"path":"/a"}]"#, #"[{"path":"/a"}]"#,
        ])
    func malformed(patch: String) {
        #expect(failure(#"{"a":1}"#, patch)?.kind == .malformed)
    }

    @Test("A document deep within names is met: 128 names are followed, one more is no pointer")
    func depth() throws {
        let patch = { (count: Int) in
            #"[{"op":"test","path":"\#(String(repeating: "/a", count: count))","value":1}]"#
        }
        #expect(failure(#"{"a":1}"#, patch(128))?.kind == .notApplicable)
        #expect(failure(#"{"a":1}"#, patch(129))?.kind == .malformed)
    }

    @Test("A list that lost its last element is gone, as FHIR has no empty ones (FHIR R4 json.html)")
    func empties() throws {
        #expect(
            try patched(
                #"{"resourceType":"Patient","name":[{"given":["A"]}],"active":true}"#,
                #"[{"op":"remove","path":"/name/0/given/0"}]"#)
                == #"{"resourceType":"Patient","active":true}"#)
        #expect(
            try patched(
                #"{"given":[null,"B"],"_given":[{"id":"x"},null]}"#, #"[{"op":"test","path":"/given/1","value":"B"}]"#)
                == #"{"given":[null,"B"],"_given":[{"id":"x"},null]}"#)
    }

    @Test("Copies of copies end at the limit, at it and one past it")
    func growth() {
        let limits = PatchLimits(operationsMax: 4, addedValuesMax: 7, addedBytesMax: 100)
        // Each copy of the list adds itself and its elements: 1 + 2, then 1 + 3.
        let copies = #"{"op":"copy","from":"/a","path":"/b"},{"op":"copy","from":"/c","path":"/d"}"#
        #expect(failure(#"{"a":[1,2],"c":[1,2,3]}"#, "[\(copies)]", limits) == nil)
        #expect(failure(#"{"a":[1,2],"c":[1,2,3,4]}"#, "[\(copies)]", limits)?.kind == .tooLarge)
        let tests = Array(repeating: #"{"op":"test","path":"/a","value":1}"#, count: 5)
        #expect(failure(#"{"a":1}"#, "[\(tests[..<4].joined(separator: ","))]", limits) == nil)
        #expect(failure(#"{"a":1}"#, "[\(tests.joined(separator: ","))]", limits)?.kind == .tooLarge)
    }

    @Test("Content may be placed as deep as a stored resource may be, and no deeper")
    func nesting() {
        let nested = { (depth: Int) in
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        // Twenty lists in an object are around the place: 21 + 47 = 68.
        let document = { (depth: Int) in #"{"a":\#(nested(20)),"d":\#(nested(depth))}"# }
        let place = "/a" + String(repeating: "/0", count: 20)
        for (depth, kind) in [(47, nil), (48, PatchError.Kind.tooLarge)] {
            for operation in [
                #"{"op":"add","path":"\#(place)","value":\#(nested(depth))}"#,
                #"{"op":"add","path":"\#(place)","value":0},{"op":"replace","path":"\#(place)","value":\#(nested(depth))}"#,
                #"{"op":"copy","from":"/d","path":"\#(place)"}"#, #"{"op":"move","from":"/d","path":"\#(place)"}"#,
            ] {
                #expect(failure(document(depth), "[\(operation)]")?.kind == kind, "\(operation.prefix(20)) \(depth)")
            }
        }
    }

    @Test("A patch that copies and moves a chain into itself is refused before it is deep")
    func deepening() {
        let chain = String(repeating: "/a", count: 60)
        let pair = #"{"op":"copy","from":"/a","path":"/b"},{"op":"move","from":"/b","path":"\#(chain)/a"}"#
        let patch = "[" + Array(repeating: pair, count: 500).joined(separator: ",") + "]"
        let document = String(repeating: #"{"a":"#, count: 61) + "{}" + String(repeating: "}", count: 61)
        let error = failure(document, patch)
        #expect(error?.kind == .tooLarge)
        #expect(error?.operation == 1)
    }

    @Test("A doubling patch is refused before it fills the memory")
    func doubling() {
        let copies = Array(repeating: #"{"op":"copy","from":"/a","path":"/a/-"}"#, count: 60).joined(separator: ",")
        #expect(failure(#"{"a":["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]}"#, "[\(copies)]")?.kind == .tooLarge)
    }
}
