import DICOMData
import Testing

/// PS3.19 §A.1.5, §A.1.6. Case D17.
@Suite("Native DICOM Model")
struct NativeDICOMModelTests {
    private func xml(_ set: DataSet, uri: String? = nil) throws -> String {
        let text = String(decoding: try NativeDICOMModel.encode(set) { _, _ in uri }, as: UTF8.self)
        let head =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + "<NativeDicomModel xmlns=\"http://dicom.nema.org/PS3.19/models/NativeDICOM\">"
        #expect(text.hasPrefix(head))
        #expect(text.hasSuffix("</NativeDicomModel>\n"))
        return String(text.dropFirst(head.count).dropLast("</NativeDicomModel>\n".count))
    }

    @Test("Values are numbered from 1, empty ones between are there, and no value is no element")
    func values() throws {
        var set = DataSet()
        set.set(.imageType, string: "MPG\\\\XR3")
        set.setEmpty(.patientID)
        set.set(.rows, int: 7)
        #expect(
            try xml(set)
                == "<DicomAttribute tag=\"00080008\" vr=\"CS\" keyword=\"ImageType\"><Value number=\"1\">MPG</Value>"
                + "<Value number=\"2\"></Value><Value number=\"3\">XR3</Value></DicomAttribute>"
                + "<DicomAttribute tag=\"00100020\" vr=\"LO\" keyword=\"PatientID\"></DicomAttribute>"
                + "<DicomAttribute tag=\"00280010\" vr=\"US\" keyword=\"Rows\"><Value number=\"1\">7</Value>"
                + "</DicomAttribute>")
    }

    @Test("Names are given by groups and components")
    func names() throws {
        var set = DataSet()
        set.set(.patientName, string: "Doe^Jane^^Dr=山田^花子\\Roe")
        #expect(
            try xml(set).contains(
                "<PersonName number=\"1\"><Alphabetic><FamilyName>Doe</FamilyName><GivenName>Jane</GivenName>"
                    + "<NamePrefix>Dr</NamePrefix></Alphabetic><Ideographic><FamilyName>山田</FamilyName>"
                    + "<GivenName>花子</GivenName></Ideographic></PersonName><PersonName number=\"2\"><Alphabetic>"
                    + "<FamilyName>Roe</FamilyName></Alphabetic></PersonName>"))
    }

    @Test("A private element names its creator and not its block; the creator's own element is not there")
    func privates() throws {
        var set = DataSet()
        set.setPrivate(group: 0x0009, creator: "ACME & Co", element: 0x42, .LO, bytes: Array("x".utf8))
        set.set(Tag(0x0011, 0x1001), .LO, string: "ownerless")
        #expect(
            try xml(set)
                == "<DicomAttribute tag=\"00090042\" vr=\"LO\" privateCreator=\"ACME &amp; Co\">"
                + "<Value number=\"1\">x</Value></DicomAttribute>"
                + "<DicomAttribute tag=\"00111001\" vr=\"LO\"><Value number=\"1\">ownerless</Value></DicomAttribute>")
    }

    @Test("Items nest, and bulk is inline or by URI")
    func bulk() throws {
        var item = DataSet()
        item.set(Tag(0x0042, 0x0011), .OB, bytes: [1, 2, 3, 4])
        var set = DataSet()
        set.set(.requestedProcedureCodeSequence, items: [item, DataSet()])
        #expect(try xml(set).contains("<Item number=\"1\"><DicomAttribute tag=\"00420011\" vr=\"OB\""))
        #expect(
            try xml(set).contains("<InlineBinary>AQIDBA==</InlineBinary></DicomAttribute></Item><Item number=\"2\">"))
        #expect(try xml(set, uri: "https://h/?a=1&b").contains("<BulkData uri=\"https://h/?a=1&amp;b\"/>"))
        var external = DataSet()
        external[.pixelData] = DataElement(.pixelData, .OW, .external(ExternalValue(offset: 0, length: 4)))
        #expect(throws: DICOMDataError.self) { try NativeDICOMModel.encode(external) }
    }

    @Test("Markup is escaped and what XML cannot say is replaced")
    func escapes() throws {
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 192")
        set.set(.patientComments, .LT, string: "a<b>&\"c\u{1}\r\n\t\u{FFFE}ü")
        #expect(try xml(set).contains("a&lt;b&gt;&amp;&quot;c\u{FFFD}&#13;&#10;&#9;\u{FFFD}ü"))
    }
}
