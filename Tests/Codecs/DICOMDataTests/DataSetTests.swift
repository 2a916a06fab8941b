import DICOMData
import Testing

/// Reading and writing values. PS3.5 §6.2, §6.4, §7.8.
@Suite struct DataSetTests {
    @Test("PS3.5 §7.1: elements stand in ascending order, a tag once, in whatever order they were set") func order() {
        var dataSet = DataSet()
        dataSet.set(.studyInstanceUID, string: "1.2")
        dataSet.set(.patientID, string: "A")
        dataSet.set(.modality, string: "CT")
        dataSet.set(.patientID, string: "B")
        #expect(dataSet.elements.map(\.tag) == [.modality, .patientID, .studyInstanceUID])
        #expect(dataSet.string(.patientID) == "B")
        dataSet.remove(.modality)
        #expect(!dataSet.contains(.modality))
    }

    @Test("PS3.5 §6.2: padding is not part of the value; UI pads with NUL") func padding() {
        var dataSet = DataSet()
        dataSet.set(.sopInstanceUID, string: "1.2.3")
        dataSet.set(.patientID, string: "ABC")
        #expect(dataSet.bytes(.sopInstanceUID) == Array("1.2.3".utf8) + [0])
        #expect(dataSet.bytes(.patientID) == Array("ABC ".utf8))
        #expect(dataSet.uid(.sopInstanceUID) == "1.2.3")
        dataSet.set(.patientID, .LO, bytes: Array("  X\\ Y ".utf8))
        #expect(dataSet.strings(.patientID) == ["X", "Y"])
        dataSet.set(.textValue, string: "  kept\\whole  ")
        #expect(dataSet.strings(.textValue) == ["  kept\\whole"])
    }

    @Test("Absent, empty and of another kind: no value") func absent() {
        var dataSet = DataSet()
        #expect(dataSet.string(.patientID) == nil)
        dataSet.setEmpty(.patientID)
        #expect(dataSet.contains(.patientID))
        #expect(dataSet.string(.patientID) == nil)
        #expect(dataSet.strings(.patientID).isEmpty)
        dataSet.setEmpty(.requestAttributesSequence)
        #expect(dataSet[.requestAttributesSequence]?.items == [])
        #expect(dataSet.int(.rows) == nil)
        dataSet.set(.rows, .LO, string: "many")
        #expect(dataSet.int(.rows) == nil)
    }

    @Test("Numbers read and write in every number VR and in IS and DS") func numbers() {
        var dataSet = DataSet()
        dataSet.set(.rows, int: 512)
        dataSet.set(.instanceNumber, int: -7)
        dataSet.set(.sliceThickness, double: 0.1)
        dataSet.set(.pixelSpacing, doubles: [1.0 / 3, 2])
        dataSet.set(Tag(0x0028, 0x0106), .SS, ints: [-1, 2])
        dataSet.set(Tag(0x0018, 0x605A), .FL, double: 0.5)
        dataSet.set(Tag(0x0008, 0x030D), .UV, bytes: [UInt8](repeating: 0xFF, count: 8))
        dataSet.set(.frameIncrementPointer, tags: [.frameTime])
        #expect(dataSet.bytes(.rows) == [0, 2])
        #expect(dataSet.int(.rows) == 512)
        #expect(dataSet.string(.rows) == "512")
        #expect(dataSet.int(.instanceNumber) == -7)
        #expect(dataSet.string(.sliceThickness) == "0.1")
        #expect(dataSet.strings(.pixelSpacing).allSatisfy { $0.utf8.count <= 16 })
        #expect(dataSet.doubles(.pixelSpacing).first.map { abs($0 - 1.0 / 3) < 1e-13 } == true)
        #expect(dataSet.ints(Tag(0x0028, 0x0106)) == [-1, 2])
        #expect(dataSet.double(Tag(0x0018, 0x605A)) == 0.5)
        #expect(dataSet.strings(Tag(0x0008, 0x030D)) == ["18446744073709551615"])
        #expect(dataSet.int(Tag(0x0008, 0x030D)) == nil)
        #expect(dataSet.tags(.frameIncrementPointer) == [.frameTime])
    }

    @Test("PS3.5 §6.1.2: text beyond the character set takes the data set to UTF-8, items too") func upgrade() {
        var item = DataSet()
        item.set(.scheduledPerformingPhysicianName, string: "Plain^Doctor")
        var dataSet = DataSet()
        dataSet.set(.specificCharacterSet, string: "ISO_IR 100")
        dataSet.set(.patientName, string: "Müller^Jörg")
        #expect(dataSet.bytes(.patientName) == hex("4D FC 6C 6C 65 72 5E 4A F6 72 67 20"))
        dataSet.set(.scheduledProcedureStepSequence, items: [item])
        #expect(dataSet.items(.scheduledProcedureStepSequence)[0].characterSet == .latin1)
        dataSet.set(.institutionName, string: "病院")
        #expect(dataSet.string(.specificCharacterSet) == "ISO_IR 192")
        #expect(dataSet.string(.patientName) == "Müller^Jörg")
        #expect(dataSet.string(.institutionName) == "病院")
        #expect(dataSet.items(.scheduledProcedureStepSequence)[0].characterSet == .utf8)
    }

    @Test("PS3.5 §6.1.2: an item comes into the character set of the data set it is put into") func adoption() {
        var item = DataSet()
        item.set(.patientName, string: "Jörg")
        #expect(item.string(.specificCharacterSet) == "ISO_IR 192")
        var plain = DataSet()
        plain.set(.requestAttributesSequence, items: [item])
        #expect(plain.characterSet == .utf8)
        #expect(!plain.items(.requestAttributesSequence)[0].contains(.specificCharacterSet))
        #expect(plain.items(.requestAttributesSequence)[0].string(.patientName) == "Jörg")

        var latin = DataSet()
        latin.set(.specificCharacterSet, string: "ISO_IR 100")
        latin.set(.requestAttributesSequence, items: plain.items(.requestAttributesSequence))
        #expect(latin.items(.requestAttributesSequence)[0].bytes(.patientName) == hex("4A F6 72 67"))

        var cyrillic = DataSet()
        cyrillic.set(.specificCharacterSet, string: "ISO_IR 144")
        cyrillic.set(.institutionName, string: "Люк")
        cyrillic.set(.requestAttributesSequence, items: latin.items(.requestAttributesSequence))
        #expect(cyrillic.characterSet == .utf8)
        #expect(cyrillic.string(.institutionName) == "Люк")
        #expect(cyrillic.items(.requestAttributesSequence)[0].string(.patientName) == "Jörg")
    }

    @Test("Converting to a set that lacks a character says so and writes ?") func conversion() {
        var dataSet = DataSet()
        dataSet.set(.patientName, string: "山Jörg")
        let isComplete = dataSet.convert(to: .latin1)
        #expect(!isComplete)
        #expect(dataSet.string(.patientName) == "?Jörg")
        #expect(dataSet.string(.specificCharacterSet) == "ISO_IR 100")
    }

    @Test("PS3.5 §6.2.1: the groups and components of a name") func personName() {
        var dataSet = DataSet()
        dataSet.set(.patientName, string: "Adams^John Robert Quincy^^Rev.^B.A. M.Div.=亚当斯= ")
        let name = dataSet.personName(.patientName)
        #expect(name?.alphabeticComponents.family == "Adams")
        #expect(name?.alphabeticComponents.prefix == "Rev.")
        #expect(name?.alphabeticComponents.middle == "")
        #expect(name?.ideographic == "亚当斯")
        #expect(name?.phonetic == "")
        #expect(name?.description == "Adams^John Robert Quincy^^Rev.^B.A. M.Div.=亚当斯")
        #expect(PersonName(family: "Doe", given: "Jane").description == "Doe^Jane")
        #expect(PersonName(text: "").isEmpty)
        #expect(PersonName(text: "a=b=c=d").description == "a=b=c=d")
    }

    @Test("PS3.5 §7.8.1: a private element goes into its creator's block, another creator into the next")
    func privateBlocks() {
        var dataSet = DataSet()
        dataSet.setPrivate(group: 0x0029, creator: "ONE", element: 0x01, .LO, bytes: Array("a ".utf8))
        dataSet.setPrivate(group: 0x0029, creator: "TWO", element: 0x01, .LO, bytes: Array("b ".utf8))
        dataSet.setPrivate(group: 0x0029, creator: "ONE", element: 0x02, .LO, bytes: Array("c ".utf8))
        #expect(
            dataSet.elements.map(\.tag) == [
                Tag(0x29, 0x10), Tag(0x29, 0x11), Tag(0x29, 0x1001), Tag(0x29, 0x1002), Tag(0x29, 0x1101),
            ])
        #expect(dataSet.privateElement(group: 0x29, creator: "TWO", element: 1)?.bytes == Array("b ".utf8))
        #expect(dataSet.privateElement(group: 0x29, creator: "THREE", element: 1) == nil)
    }

    @Test(
        "An element path finds the element of an item and reads back",
        arguments: [
            "00100020", "00400275.1.00400007", "00400275.9.00400007", "00100020.0.00100020",
        ])
    func paths(_ text: String) throws {
        var first = DataSet()
        first.set(Tag(0x0040, 0x0007), string: "first")
        var second = DataSet()
        second.set(Tag(0x0040, 0x0007), string: "second")
        var dataSet = DataSet()
        dataSet.set(.patientID, string: "ID")
        dataSet.set(.requestAttributesSequence, items: [first, second])
        let path = try #require(ElementPath(text: text))
        #expect(path.description == text)
        let expected: [String: String] = ["00100020": "ID", "00400275.1.00400007": "second"]
        #expect(dataSet.element(at: path).map { dataSet.strings($0) } == expected[text].map { [$0] })
        #expect(ElementPath(text: text + ".") == nil)
    }
}
