import DICOMData
import Testing

/// Documents of the Native DICOM Model as data sets, hostile ones first. PS3.19 §A.1, XML 1.0.
@Suite("Native DICOM Model, read")
struct NativeDICOMModelReaderTests {
    private static let head = "<NativeDicomModel xmlns=\"http://dicom.nema.org/PS3.19/models/NativeDICOM\">"

    private static func read(_ body: String) throws -> DataSet {
        try NativeDICOMModel.decode(Array((head + body + "</NativeDicomModel>").utf8))
    }

    private static func code(_ document: String) -> DICOMDataError.Code? {
        code(Array(document.utf8))
    }

    private static func code(_ document: [UInt8]) -> DICOMDataError.Code? {
        do {
            _ = try NativeDICOMModel.decode(document)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(
        "XML 1.0: what is not well-formed, has a document type or another encoding is refused",
        arguments: [
            "", " ", "x", "<", "<a", "<NativeDicomModel", "<NativeDicomModel>", "<NativeDicomModel></b>",
            "<NativeDicomModel/>x", "<NativeDicomModel/><NativeDicomModel/>", "<NativeDicomModel a=1/>",
            "<NativeDicomModel a=\"<\"/>", "<NativeDicomModel a=\"1\" a=\"2\"/>", "<NativeDicomModel a=\"1\"b=\"2\"/>",
            "<NativeDicomModel>&x;</NativeDicomModel>", "<NativeDicomModel>&amp</NativeDicomModel>",
            "<NativeDicomModel>&#0;</NativeDicomModel>", "<NativeDicomModel>&#xD800;</NativeDicomModel>",
            "<NativeDicomModel>&#x110000;</NativeDicomModel>", "<NativeDicomModel>&#+9;</NativeDicomModel>",
            "<NativeDicomModel>\u{1}</NativeDicomModel>", "<NativeDicomModel><!-- </NativeDicomModel>",
            "<NativeDicomModel><![CDATA[</NativeDicomModel>", "<![CDATA[x]]><NativeDicomModel/>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><NativeDicomModel>&a;</NativeDicomModel>",
            "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><NativeDicomModel/>",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?><NativeDicomModel/>", "<?xml ?", "<1/>", "</NativeDicomModel>",
        ])
    func malformed(document: String) {
        #expect(Self.code(document) == .xmlInvalid)
    }

    @Test("Every beginning of a document is refused; so are bytes that are not UTF-8")
    func cuts() {
        let document = Array(
            (Self.head + "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Value number=\"1\">a&amp;b</Value>"
                + "</DicomAttribute></NativeDicomModel>").utf8)
        for count in document.indices {
            #expect(Self.code(Array(document[..<count])) == .xmlInvalid, "\(count)")
        }
        #expect(Self.code(document) == nil)
        #expect(Self.code(document + [0xFF]) == .xmlInvalid)
        #expect(Self.code([0xFF, 0xFE, 0x3C, 0x00]) == .xmlInvalid)
        #expect(Self.code([0xEF, 0xBB, 0xBF] + document) == nil)
    }

    @Test(
        "PS3.19 §A.1.5: what is well-formed and not of the model is refused",
        arguments: [
            "<Other/>", "text", "<DicomAttribute/>", "<DicomAttribute tag=\"0010\" vr=\"LO\"/>",
            "<DicomAttribute tag=\"0010002G\" vr=\"LO\"/>", "<DicomAttribute tag=\"00100020\" vr=\"ZZ\"/>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Other/></DicomAttribute>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Item/></DicomAttribute>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Value><Value/></Value></DicomAttribute>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Value number=\"0\">a</Value></DicomAttribute>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Value number=\"2\"/><Value number=\"2\"/></DicomAttribute>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Value number=\"65537\">a</Value></DicomAttribute>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"><Value number=\"99999999999999999999\"/></DicomAttribute>",
            "<DicomAttribute tag=\"00280010\" vr=\"US\"><Value>65536</Value></DicomAttribute>",
            "<DicomAttribute tag=\"00280010\" vr=\"US\"><Value>x</Value></DicomAttribute>",
            "<DicomAttribute tag=\"00420011\" vr=\"OB\"><InlineBinary>?</InlineBinary></DicomAttribute>",
            "<DicomAttribute tag=\"00420011\" vr=\"OB\"><BulkData/></DicomAttribute>",
            "<DicomAttribute tag=\"00400275\" vr=\"SQ\"><Value>a</Value></DicomAttribute>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\" privateCreator=\"A\"/>",
            "<DicomAttribute tag=\"00100020\" vr=\"LO\"/><DicomAttribute tag=\"00100020\" vr=\"LO\"/>",
            "<DicomAttribute tag=\"00100010\" vr=\"PN\"><PersonName><Other/></PersonName></DicomAttribute>",
            "<DicomAttribute tag=\"00100010\" vr=\"PN\"><PersonName><Phonetic/><Phonetic/></PersonName></DicomAttribute>",
        ])
    func wrongModel(body: String) {
        #expect(Self.code(Self.head + body + "</NativeDicomModel>") == .xmlModelInvalid)
        #expect(Self.code("<Other>\(body)</Other>") == .xmlModelInvalid)
    }

    @Test("Bulk data elsewhere is not fetched; nesting is bounded at its limit and one past it")
    func bounds() throws {
        #expect(
            Self.code(
                Self.head
                    + "<DicomAttribute tag=\"00420011\" vr=\"OB\"><BulkData uri=\"http://10.0.0.1/\"/></DicomAttribute>"
                    + "</NativeDicomModel>") == .valueUnavailable)
        func nested(_ levels: Int, _ inner: String) -> String {
            let open = "<DicomAttribute tag=\"00400275\" vr=\"SQ\"><Item number=\"1\">"
            return Self.head + String(repeating: open, count: levels) + inner
                + String(repeating: "</Item></DicomAttribute>", count: levels) + "</NativeDicomModel>"
        }
        // The model, 31 times an attribute with its item, and one attribute: 64 elements within each other.
        let last = "<DicomAttribute tag=\"00100020\" vr=\"LO\"/>"
        #expect(Self.code(nested(31, last)) == nil)
        #expect(Self.code(nested(31, last.replacing("/>", with: "><Value/></DicomAttribute>"))) == .tooDeep)
        #expect(Self.code(nested(100_000, "")) == .tooDeep)
        let attributes = (0...16).map { "a\($0)=\"\"" }
        #expect(Self.code("<NativeDicomModel \(attributes.dropLast().joined(separator: " "))/>") == nil)
        #expect(Self.code("<NativeDicomModel \(attributes.joined(separator: " "))/>") == .xmlInvalid)
    }

    @Test("The values that numbers leave out are bounded over a whole document, at the limit and one past it")
    func leftOut() {
        func document(_ last: Int) -> String {
            Self.head + "<DicomAttribute tag=\"00100020\" vr=\"UC\"><Value number=\"65536\">a</Value></DicomAttribute>"
                + "<DicomAttribute tag=\"00100021\" vr=\"UC\"><Value number=\"\(last)\">a</Value></DicomAttribute>"
                + "</NativeDicomModel>"
        }
        #expect(Self.code(document(2)) == nil)
        #expect(Self.code(document(3)) == .xmlModelInvalid)
    }

    @Test("What is written is read back: text, names, numbers, tags, items, bulk and private attributes")
    func roundTrip() throws {
        var item = DataSet()
        item.set(Tag(0x0042, 0x0011), .OB, bytes: [1, 2, 3, 4])
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 192")
        set.set(.imageType, string: "MPG\\\\XR3")
        set.set(.patientName, string: "Doe^Jane^^Dr=山田^花子\\Roe")
        set.setEmpty(.patientID)
        set.set(.patientComments, .LT, string: "a<b>&\"c'\r\n\t ü")
        set.set(.rows, int: 7)
        set.set(.requestedProcedureCodeSequence, items: [item, DataSet()])
        set.setPrivate(group: 0x0009, creator: "ACME & Co", element: 0x42, .LO, bytes: Array("x ".utf8))
        set.set(Tag(0x0011, 0x1001), .LO, string: "ownerless")
        let read = try NativeDICOMModel.decode(try NativeDICOMModel.encode(set))
        #expect(
            String(decoding: try DICOMJSON.encode(read), as: UTF8.self)
                == String(
                    decoding: try DICOMJSON.encode(set), as: UTF8.self))
    }

    @Test("Comments, instructions, CDATA, references, prefixes and values without numbers are read as XML has them")
    func forms() throws {
        let document = """
            <?xml version='1.0' encoding='utf-8'?><!-- a --><?b c?>
            <n:NativeDicomModel xmlns:n="x"><!-- <d> -->
              <n:DicomAttribute keyword='PatientID' vr='LO' tag='00100020'>
                <n:Value>A&#x26;<![CDATA[<B>]]>&lt;</n:Value><n:Value number="3">C</n:Value></n:DicomAttribute >
            </n:NativeDicomModel>
            """
        let set = try NativeDICOMModel.decode(Array(document.utf8))
        let element = try #require(set[.patientID])
        #expect(set.strings(element) == ["A&<B><", "", "C"])
        #expect(set.elements.count == 1)
    }

    @Test("PS3.5 §7.8.1: a private attribute gets a block of its creator that no other one has")
    func privates() throws {
        let set = try Self.read(
            "<DicomAttribute tag=\"00090042\" vr=\"LO\" privateCreator=\"A\"><Value>x</Value></DicomAttribute>"
                + "<DicomAttribute tag=\"00090042\" vr=\"LO\" privateCreator=\"B\"><Value>y</Value></DicomAttribute>"
                + "<DicomAttribute tag=\"00091001\" vr=\"LO\"><Value>z</Value></DicomAttribute>")
        #expect(set.string(Tag(0x0009, 0x0011)) == "A" && set.string(Tag(0x0009, 0x1142)) == "x")
        #expect(set.string(Tag(0x0009, 0x0012)) == "B" && set.string(Tag(0x0009, 0x1242)) == "y")
        #expect(set.string(Tag(0x0009, 0x1001)) == "z" && set[Tag(0x0009, 0x0010)] == nil)
    }

    @Test("Bulk data may be external, by its URI")
    func external() throws {
        let body = "<DicomAttribute tag=\"7FE00010\" vr=\"OW\"><BulkData uri=\"a&amp;b\"/></DicomAttribute>"
        let set = try NativeDICOMModel.decode(
            Array((Self.head + body + "</NativeDicomModel>").utf8),
            external: { uri, _ in uri == "a&b" ? ExternalValue(offset: 5, length: nil) : nil })
        #expect(set[.pixelData]?.value == .external(ExternalValue(offset: 5, length: nil)))
    }
}
