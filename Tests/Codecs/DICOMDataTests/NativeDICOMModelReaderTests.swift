import Testing

@testable import DICOMData

/// Documents of the Native DICOM Model, read. PS3.19 §A.1.5.
@Suite struct NativeDICOMModelReaderTests {
    private static func document(_ content: String, _ prolog: String = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        -> [UInt8]
    {
        Array(
            "\(prolog)<NativeDicomModel xmlns=\"http://dicom.nema.org/PS3.19/models/NativeDICOM\">\(content)</NativeDicomModel>"
                .utf8)
    }

    private static func code(_ bytes: [UInt8]) -> DICOMDataError.Code? {
        do {
            _ = try NativeDICOMModel.decode(bytes)
            return nil
        } catch { return error.code }
    }

    @Test("A document type, an entity, another encoding and what is not well-formed are refused")
    func refused() {
        let value = "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Value number=\"1\">x</Value></DicomAttribute>"
        #expect(Self.code(Self.document(value)) == nil)
        for prolog in [
            "<!DOCTYPE a [<!ENTITY b \"c\">]>", "<!DOCTYPE NativeDicomModel SYSTEM \"file:///etc/passwd\">",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?>", "<?xml version='1.0' encoding='ISO-8859-1'?>", "x",
        ] {
            #expect(Self.code(Self.document(value, prolog)) == .xmlInvalid, "\(prolog)")
        }
        for content in [
            value.replacing("x", with: "&xxe;"), value.replacing("x", with: "&#0;"),
            value.replacing("x", with: "&#xD800;"),
            value.replacing("</Value>", with: "</Walue>"), value.replacing("tag", with: "vr"),
            value.replacing("00100020", with: "0010002"), value.replacing("number=\"1\"", with: "number=\"0\""),
            value.replacing("number=\"1\"", with: "number=\"1002\""), value.replacing("<Value", with: "<b/><Value"),
            value.replacing("<Value", with: "y<Value"), value + value.dropLast(),
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><BulkData/></DicomAttribute>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Value>1</Value><InlineBinary>AA==</InlineBinary></DicomAttribute>",
        ] {
            #expect(Self.code(Self.document(content)) == .xmlInvalid, "\(content)")
        }
        #expect(Self.code(Array("<a/>".utf8)) == .xmlInvalid)
        #expect(Self.code([]) == .xmlInvalid)
        let whole = Self.document(value)
        for count in 0..<whole.count { #expect(Self.code(Array(whole.prefix(count))) == .xmlInvalid, "\(count)") }
    }

    @Test("Items inside one another are bounded")
    func depth() {
        func nested(_ levels: Int) -> [UInt8] {
            var content = ""
            for _ in 0..<levels {
                content =
                    "<DicomAttribute tag=\"00081115\" vr=\"SQ\"><Item number=\"1\">\(content)</Item></DicomAttribute>"
            }
            return Self.document(content)
        }
        #expect(Self.code(nested(20)) == nil)
        #expect(Self.code(nested(21)) == .tooDeep)
        #expect(Self.code(nested(2_000)) == .tooDeep)
    }

    @Test("Values, names, items, binary, references and private elements; what is left out between numbers is empty")
    func values() throws {
        let content = """
            <!-- a comment --><DicomAttribute tag="00080005" vr="CS"><Value number="1">ISO_IR 192</Value></DicomAttribute>
            <DicomAttribute tag="00080008" vr="CS"><Value number="1">A</Value><Value number="3">C</Value></DicomAttribute>
            <DicomAttribute tag="00100010" vr="PN"><PersonName number="1"><Alphabetic><FamilyName>Müller &amp; &#x53;</FamilyName>\
            <NamePrefix>Dr</NamePrefix></Alphabetic></PersonName></DicomAttribute>
            <DicomAttribute tag="00280010" vr="US"><Value number="1">512</Value></DicomAttribute>
            <DicomAttribute tag="00420011" vr="OB"><InlineBinary>AQI=</InlineBinary></DicomAttribute>
            <DicomAttribute tag="00110001" vr="LO" privateCreator="ACME &quot;1&quot;"><Value number="1"><![CDATA[<p>]]></Value>\
            </DicomAttribute>
            <DicomAttribute tag="00081115" vr="SQ"><Item number="1"><DicomAttribute tag="0020000E" vr="UI">\
            <Value number="1">1.2</Value></DicomAttribute></Item><Item number="2"/></DicomAttribute>
            <DicomAttribute tag="00100030" vr="DA"/>
            """
        let set = try #require(try NativeDICOMModel.decode(Self.document(content)).first)
        #expect(set.strings(Tag(0x0008, 0x0008)) == ["A", "", "C"])
        #expect(set.string(.patientName) == "Müller & S^^^Dr")
        #expect(set.int(.rows) == 512)
        #expect(set.bytes(.encapsulatedDocument) == [1, 2])
        let own = set.privateElement(group: 0x0011, creator: "ACME \"1\"", element: 0x01)
        #expect(own.map { set.strings($0) } == ["<p>"])
        #expect(set.items(.referencedSeriesSequence).map { $0.uid(.seriesInstanceUID) } == ["1.2", nil])
        #expect(set.contains(.patientBirthDate))
    }

    @Test("What is written is read as it was")
    func roundTrip() throws {
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 192")
        set.set(.patientName, string: "Äé^Ö=山田")
        set.set(.patientID, string: "a\"<&>'\\b")
        set.set(.rows, int: 65_535)
        set.set(Tag(0x0018, 0x0050), .DS, string: "1.50")
        set.setPrivate(group: 0x0009, creator: "ACME", element: 0x02, .OB, bytes: [1, 2, 3, 4])
        var item = DataSet(inheriting: set.characterSet)
        item.set(.seriesInstanceUID, string: "1.2")
        set.set(.referencedSeriesSequence, items: [item, DataSet(inheriting: set.characterSet)])
        #expect(try NativeDICOMModel.decode(try NativeDICOMModel.encode(set)) == [set])
    }

    @Test("BulkData is external, by its URI")
    func bulk() throws {
        let content = "<DicomAttribute tag=\"7FE00010\" vr=\"OW\"><BulkData uri=\"a&amp;b\"/></DicomAttribute>"
        let set = try NativeDICOMModel.decode(
            Self.document(content),
            external: { uri, _ in
                uri == "a&b" ? ExternalValue(offset: 5, length: nil) : nil
            })
        #expect(set.first?[.pixelData]?.value == .external(ExternalValue(offset: 5, length: nil)))
    }
}
