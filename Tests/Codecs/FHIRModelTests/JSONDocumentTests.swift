import FHIRModel
import Testing

/// RFC 8259, FHIR R4 json.html: what is read comes back.
@Suite struct JSONDocumentTests {
    static let sample = #"""
        { "resourceType" : "Patient",
          "zz": 1.10, "unknown": {"b":[ ], "a" : { } },
          "name":[{"family":"M\u00fcller \ud83d\ude00 \"q\" \\ \/","given":["Ä", "日本"]}],
          "big":1e400, "neg":-0.00, "exp":1.0E+2, "t":true,"f":false,"n":null }
        """#

    @Test("FHIR R4 json.html: bytes, order, unknown members and number text are as they were")
    func lossless() throws {
        let bytes = Array(Self.sample.utf8)
        let document = try JSONDocument(parsing: bytes)
        #expect(document.bytes == bytes)
        #expect(
            document.root.members.map(\.name) == [
                "resourceType", "zz", "unknown", "name", "big", "neg", "exp", "t", "f", "n",
            ])
        #expect(document["zz"]?.numberText == "1.10")
        #expect(document["big"]?.numberText == "1e400")
        #expect(document["neg"]?.numberText == "-0.00")
        #expect(document["exp"]?.numberText == "1.0E+2")
        #expect(document["t"]?.bool == true)
        #expect(document["f"]?.bool == false)
        #expect(document["n"]?.isNull == true)
        #expect(document["n"]?.bool == nil)
        let name = try #require(document["name"]?[0])
        #expect(name["family"]?.string == "Müller 😀 \"q\" \\ /")
        #expect(name["given"]?[1]?.string == "日本")
        #expect(name["given"]?[2] == nil)
        #expect(name["given"]?[-1] == nil)
        #expect(document["unknown"]?["b"]?.count == 0)
        #expect(document["unknown"]?["b"]?.kind == .array)
        #expect(Array(document["unknown"]?["a"]?.rawBytes ?? []) == Array("{ }".utf8))
    }

    @Test("A node answers for its own kind only")
    func kinds() throws {
        let document = try JSONDocument(parsing: #"["x",1,true,null,{"a":1},[2]]"#)
        let nodes = Array(document.root.elements)
        #expect(nodes.map(\.kind) == [.string, .number, .bool, .null, .object, .array])
        #expect(nodes.compactMap(\.string) == ["x"])
        #expect(nodes.compactMap(\.numberText) == ["1"])
        #expect(nodes.compactMap(\.bool) == [true])
        #expect(document["a"] == nil)
        #expect(document.root.members.map(\.name).isEmpty)
        #expect(nodes[4][0] == nil)
        #expect(nodes[4].elements.map(\.kind).isEmpty)
        #expect(nodes[4]["a"]?.numberText == "1")
        #expect(nodes[0].isString("x"))
        #expect(!nodes[0].isString("xy"))
        #expect(!nodes[1].isString("1"))
    }

    @Test("RFC 8259 §2: any value may stand alone, with white space around it")
    func scalars() throws {
        #expect(try JSONDocument(parsing: " \"a\" ").root.string == "a")
        #expect(try JSONDocument(parsing: "-12.5e3\n").root.numberText == "-12.5e3")
        #expect(try JSONDocument(parsing: "\r\ntrue").root.bool == true)
        #expect(try JSONDocument(parsing: "[]").root.count == 0)
        #expect(try JSONDocument(parsing: "{}").root.count == 0)
        #expect(try JSONDocument(parsing: "[[],{},[[]]]").root.count == 3)
    }

    @Test("Names compare after unescaping and by bytes")
    func names() throws {
        let document = try JSONDocument(parsing: #"{"\u0061b":1,"é":2}"#)
        #expect(document["ab"]?.numberText == "1")
        #expect(document["\u{e9}"]?.numberText == "2")
        #expect(document["e\u{301}"] == nil)
        #expect(document["abc"] == nil)
        #expect(document["a"] == nil)
        #expect(document[""] == nil)
    }

    @Test("The writer from nodes changes white space only; indented and back is the same")
    func writing() throws {
        let document = try JSONDocument(parsing: Self.sample)
        let compact = JSONWriter.compact(document.root)
        #expect(
            String(decoding: compact, as: UTF8.self)
                == #"{"resourceType":"Patient","zz":1.10,"unknown":{"b":[],"a":{}},"name":[{"family":"M\u00fcller "#
                + #"\ud83d\ude00 \"q\" \\ \/","given":["Ä","日本"]}],"big":1e400,"neg":-0.00,"exp":1.0E+2,"t":true,"#
                + #""f":false,"n":null}"#)
        let pretty = JSONWriter.pretty(document.root)
        #expect(
            String(decoding: pretty, as: UTF8.self).hasPrefix("{\n  \"resourceType\": \"Patient\",\n  \"zz\": 1.10"))
        #expect(try JSONWriter.compact(JSONDocument(parsing: pretty).root) == compact)
        #expect(
            JSONWriter.pretty(["a": [], "b": [:], "c": [1]])
                == Array("{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1\n  ]\n}".utf8))
    }

    @Test("The tree keeps order and number text, and escapes only what RFC 8259 §7 demands")
    func tree() throws {
        let document = try JSONDocument(parsing: Self.sample)
        let tree = JSONValue(document)
        let text = String(decoding: JSONWriter.compact(tree), as: UTF8.self)
        #expect(text.contains(#""family":"Müller 😀 \"q\" \\ /""#))
        #expect(text.contains(#""zz":1.10"#))
        #expect(text.contains(#""big":1e400"#))
        #expect(try JSONValue(JSONDocument(tree)) == tree)
        #expect(JSONWriter.compact("\u{1}\u{1f}\n\r\t\u{8}/") == Array("\"\\u0001\\u001f\\n\\r\\t\\u0008/\"".utf8))
    }

    @Test("Setting members keeps places, appends, removes")
    func editing() {
        var value: JSONValue = ["a": 1, "b": [1, 2, 3], "c": nil]
        value["a"] = "x"
        value["d"] = true
        value["c"] = nil as JSONValue?
        value["b"]?[1] = nil as JSONValue?
        value["b"]?[9] = 4
        #expect(JSONWriter.compact(value) == Array(#"{"a":"x","b":[1,3],"d":true}"#.utf8))
        var object = value.object ?? JSONObject()
        object.insert("d", false, at: 0)
        object.insert("z", 1, at: 99)
        #expect(object.names == ["d", "a", "b", "z"])
        var scalar: JSONValue = 1
        scalar["a"] = 2
        scalar[0] = 3
        #expect(scalar == 1)
        #expect((["a": 1, "b": [2]] as JSONValue).isEquivalent(to: ["b": [2], "a": 1]))
        #expect(!(["a": .number("1.10")] as JSONValue).isEquivalent(to: ["a": .number("1.1")]))
    }
}
