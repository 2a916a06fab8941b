import DICOMData
import Testing

/// PS3.18 Annex F.
@Suite struct DICOMJSONTests {
    static func text(_ dataSet: DataSet) throws -> String {
        String(decoding: try DICOMJSON.encode(dataSet), as: UTF8.self)
    }

    @Test(
        "PS3.18 §F.2: what is no JSON, or JSON of another model, is refused",
        arguments: [
            "", "{", "[", "{\"00100020\":}", "nul", "{\"00100020\":{\"vr\":\"LO\"},}", "{\"a\":1,\"a\":2}", "{} {}",
            "[1,]", "01",
            "{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"\\x\"]}}",
            "{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"\\uD800\"]}}",
            "{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"\u{1}\"]}}",
        ])
    func invalidJSON(_ json: String) {
        #expect(DataSetDecoderTests.code { _ = try DICOMJSON.decode(Array(json.utf8)) } == .jsonInvalid)
    }

    @Test(
        "PS3.18 §F.2.2: members of the wrong kind are refused",
        arguments: [
            "1", "[1]", "{\"PatientID\":{\"vr\":\"LO\"}}", "{\"00100020\":5}", "{\"00100020\":{\"vr\":\"ZZ\"}}",
            "{\"00100020\":{\"vr\":\"LO\",\"Value\":\"A\"}}", "{\"00100020\":{\"vr\":\"LO\",\"Value\":[true]}}",
            "{\"00280010\":{\"vr\":\"US\",\"Value\":[65536]}}", "{\"00280010\":{\"vr\":\"US\",\"Value\":[1.5]}}",
            "{\"7FE00010\":{\"vr\":\"OW\",\"InlineBinary\":\"%%\"}}",
            "{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Other\":\"x\"}]}}",
            "{\"00400275\":{\"vr\":\"SQ\",\"Value\":[1]}}", "{\"7FE00010\":{\"vr\":\"OW\",\"Value\":[1]}}",
        ])
    func invalidModel(_ json: String) {
        #expect(DataSetDecoderTests.code { _ = try DICOMJSON.decode(Array(json.utf8)) } == .jsonModelInvalid)
    }

    @Test("JSON nesting is bounded") func depth() {
        let json = String(repeating: "[", count: 100_000)
        #expect(DataSetDecoderTests.code { _ = try DICOMJSON.decode(Array(json.utf8)) } == .tooDeep)
    }

    @Test("PS3.18 §F.2.2: upper-case keys in order, vr always, groups 0002 and lengths left out") func shape() throws {
        var dataSet = DataSet()
        dataSet.set(.transferSyntaxUID, string: "1.2")
        dataSet.set(.studyInstanceUID, string: "1.2.3")
        dataSet.set(Tag(0x7FE0, 0x0001), .OV, bytes: [])
        dataSet.setEmpty(.accessionNumber)
        dataSet.set(.otherPatientNames, .PN, strings: ["A^B", "", "C=D"])
        #expect(
            try Self.text(dataSet) == """
                {"00080050":{"vr":"SH"},"00101001":{"vr":"PN","Value":[{"Alphabetic":"A^B"},null,{"Alphabetic":"C",\
                "Ideographic":"D"}]},"0020000D":{"vr":"UI","Value":["1.2.3"]},"7FE00001":{"vr":"OV"}}
                """)
    }

    @Test("PS3.18 §F.2.3: IS and DS keep their text; numbers of a width are exact; NaN is a word") func numbers() throws
    {
        var dataSet = DataSet()
        dataSet.set(.sliceThickness, .DS, string: "1.10\\+2\\-0.0\\1e-5")
        dataSet.set(.instanceNumber, .IS, string: "007\\12")
        dataSet.set(Tag(0x0018, 0x605A), .FL, doubles: [0.1, .nan, -.infinity])
        dataSet.set(Tag(0x0008, 0x030D), .UV, bytes: [UInt8](repeating: 0xFF, count: 8))
        dataSet.set(.frameIncrementPointer, tags: [.frameTime])
        #expect(
            try Self.text(dataSet) == """
                {"0008030D":{"vr":"UV","Value":["18446744073709551615"]},"00180050":{"vr":"DS","Value":[1.10,"+2",-0.0,1e-5]},\
                "0018605A":{"vr":"FL","Value":[0.1,"NaN","-Infinity"]},"00200013":{"vr":"IS","Value":["007",12]},\
                "00280009":{"vr":"AT","Value":["00181063"]}}
                """)
    }

    @Test(
        "PS3.5 §6.2: one text is without its padding, by every VR, whether or not something of it is to be escaped",
        arguments: [
            (VR.SH, " A B \u{0}", "\"A B\""), (.UI, "1.2.3\u{0}", "\"1.2.3\""), (.LT, " A ", "\" A\""),
            (.ST, "a\\b", "\"a\\\\b\""), (.LO, "a\"b ", "\"a\\\"b\""), (.UT, "a\n ", "\"a\\n\""), (.CS, "  ", ""),
            (.UR, " x", "\" x\""), (.LO, "\u{7F}", "\"\u{7F}\""), (.DS, " 1.50 ", "1.50"), (.DS, "+1 ", "\"+1\""),
            (.IS, "12", "12"), (.IS, "012 ", "\"012\""), (.AE, " T ", "\"T\""), (.SH, "a\\b ", "\"a\",\"b\""),
        ])
    func padding(_ vr: VR, _ value: String, _ expected: String) throws {
        var dataSet = DataSet()
        dataSet.set(Tag(0x0009, 0x1001), vr, bytes: Array(value.utf8))
        let values = expected.isEmpty ? "" : ",\"Value\":[\(expected)]"
        #expect(try Self.text(dataSet) == "{\"00091001\":{\"vr\":\"\(vr)\"\(values)}}")
    }

    @Test("PS3.18 §F.2.4: text is Unicode whatever the source's character set, whose name stays") func characterSets()
        throws
    {
        var dataSet = DataSet()
        dataSet.set(.specificCharacterSet, .CS, bytes: Array("GBK ".utf8))
        dataSet.set(.institutionName, .LO, bytes: hex("81 5C 5C 41"))
        dataSet.set(.textValue, .UT, bytes: Array("one\\two\"\n".utf8) + [0x20])
        let json = try Self.text(dataSet)
        #expect(
            json == """
                {"00080005":{"vr":"CS","Value":["GBK"]},"00080080":{"vr":"LO","Value":["乗","A"]},\
                "0040A160":{"vr":"UT","Value":["one\\\\two\\"\\n"]}}
                """)
        let back = try DICOMJSON.decode(Array(json.utf8))
        #expect(back.first == dataSet)
    }

    @Test("Text beyond the named character set is kept by going to UTF-8") func beyondCharacterSet() throws {
        let json =
            "{\"00080005\":{\"vr\":\"CS\",\"Value\":[\"ISO_IR 100\"]},\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"山\"}]}}"
        let dataSet = try #require(try DICOMJSON.decode(Array(json.utf8)).first)
        #expect(dataSet.string(.patientName) == "山")
        #expect(dataSet.characterSet == .utf8)
    }

    @Test("PS3.18 §F.2.6: bulk goes inline or where the hook says; a URI comes back through its source") func bulk()
        throws
    {
        var item = DataSet()
        item.set(Tag(0x5400, 0x1010), .OW, bytes: [1, 2, 3, 4])
        var dataSet = DataSet()
        dataSet.set(.waveformSequence, items: [DataSet(), item])
        dataSet.set(.encapsulatedDocument, .OB, bytes: [0xFF])
        #expect(try Self.text(dataSet).contains("\"InlineBinary\":\"/wA=\""))
        let json = try DICOMJSON.encode(dataSet) { path, element in element.vr == .OW ? "bulk/\(path)" : nil }
        #expect(String(decoding: json, as: UTF8.self).contains("\"BulkDataURI\":\"bulk/54000100.1.54001010\""))
        #expect(DataSetDecoderTests.code { _ = try DICOMJSON.decode(json) } == .valueUnavailable)
        let back = try DICOMJSON.decode(json) { uri, tag in
            uri == "bulk/54000100.1.54001010" && tag == Tag(0x5400, 0x1010) ? [1, 2, 3, 4] : nil
        }
        #expect(back == [dataSet])
        dataSet[.pixelData] = DataElement(.pixelData, .OW, .external(ExternalValue(offset: 0, length: 4)))
        #expect(DataSetDecoderTests.code { _ = try DICOMJSON.encode(dataSet) } == .valueUnavailable)
    }

    @Test(
        "PS3.18 §F.2: JSON of a data set reads back to the same JSON, and to the same bytes",
        arguments: [UInt64(11), 12, 13])
    func roundTrip(_ seed: UInt64) throws {
        var random = RandomDataSets(seed: seed)
        for _ in 0..<80 {
            let dataSet = random.dataSet()
            let json = try DICOMJSON.encode([dataSet])
            let back = try DICOMJSON.decode(json)
            #expect(try DICOMJSON.encode(back) == json, "seed \(seed)")
        }
    }

    @Test("Escapes and surrogate pairs read as RFC 8259 has them") func escapes() throws {
        let json = "{\"0040A160\":{\"vr\":\"UT\",\"Value\":[\"\\u00e9\\ud83d\\udca9\\/\\b\"]}}"
        #expect(try DICOMJSON.decode(Array(json.utf8)).first?.string(.textValue) == "é\u{1F4A9}/\u{8}")
    }

    @Test("PS3.18 §F.2.2: members in any order are elements in order", .timeLimit(.minutes(10)))
    func order() throws {
        let tags = (0..<300_000).map { (number: Int) -> DICOMData.Tag in
            let group = UInt16(0x0009 + 2 * (number >> 15))
            return DICOMData.Tag(group, UInt16(0x8000 | number & 0x7FFF))
        }
        let members = tags.reversed().map { #""\#($0.hex)":{"vr":"LO"}"# }
        let decoded = try DICOMJSON.decode(Array("[{\(members.joined(separator: ","))}]".utf8))
        let isInOrder = decoded.first?.elements.map(\.tag) == tags
        #expect(isInOrder)
    }
}
