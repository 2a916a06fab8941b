import DICOMData
import Testing

@testable import DICOMTranslation

/// Objects changed by rule, and what they said before. PS3.3 §C.12.1.1.9.
@Suite("Coercion")
struct CoercionTests {
    private static let origin = Coercion.Origin(system: "Hilum", source: "CT1", secondsSince1970: 1_710_497_700)

    private static func object() -> DataSet {
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 100")
        set.set(.sopInstanceUID, string: "1.2.3")
        set.set(.modality, string: "CT")
        set.set(.patientID, string: "100")
        set.set(.patientName, string: "Müller^Änne")
        set.set(.institutionName, string: "Ward 3")
        set.set(.imageType, string: "ORIGINAL\\PRIMARY\\AXIAL")
        return set
    }

    private static func coerced(_ steps: [CoercionRule.Step], when attributes: [DICOMData.Tag: String] = [:]) throws
        -> DataSet
    {
        try Coercion(rules: [CoercionRule(attributes: attributes, steps: steps)]).coerced(object(), by: origin)
    }

    private static func previous(_ dataSet: DataSet) -> DataSet? {
        dataSet.items(.originalAttributesSequence).last?.item(.modifiedAttributesSequence)
    }

    @Test("PS3.3 §C.12.1.1.9: what was changed or removed is kept with when, by whom, from where and why")
    func record() throws {
        let made = try Self.coerced([
            .set(.patientID, "H-100"), .remove(.institutionName), .set(.stationName, "CT-A"),
            .map(.imageType, ["AXIAL": "LOCALIZER"]), .copy(from: .patientID, to: .studyID),
        ])
        #expect(made.string(.patientID) == "H-100")
        #expect(made[.institutionName] == nil)
        #expect(made.strings(.imageType) == ["ORIGINAL", "PRIMARY", "LOCALIZER"])
        #expect(made.string(.studyID) == "H-100")
        let item = try #require(made.item(.originalAttributesSequence))
        #expect(item.string(.attributeModificationDateTime) == "20240315101500+0000")
        #expect(item.string(.modifyingSystem) == "Hilum")
        #expect(item.string(.sourceOfPreviousValues) == "CT1")
        #expect(item.string(.reasonForTheAttributeModification) == "COERCE")
        let previous = try #require(Self.previous(made))
        #expect(previous.elements.map(\.tag) == [.imageType, .institutionName, .patientID])
        #expect(previous.string(.patientID) == "100")
        #expect(previous.strings(.imageType) == ["ORIGINAL", "PRIMARY", "AXIAL"])
    }

    @Test("An object that no rule fits, or that says already what it is to say, is the same")
    func unchanged() throws {
        #expect(try Self.coerced([.set(.patientID, "H")], when: [.modality: "MR"]) == Self.object())
        #expect(
            try Self.coerced(
                [.set(.patientID, "100"), .remove(.studyID), .map(.modality, ["MR": "CT"])], when: [.modality: "ct"])
                == Self.object())
        let twice = try Coercion(rules: [.init(steps: [.set(.patientID, "A")]), .init(steps: [.set(.patientID, "B")])])
        let made = twice.coerced(Self.object(), by: Self.origin)
        #expect(made.string(.patientID) == "B")
        #expect(made.items(.originalAttributesSequence).count == 1)
        let again = try Coercion(rules: [.init(steps: [.set(.patientID, "C")])]).coerced(made, by: Self.origin)
        #expect(again.items(.originalAttributesSequence).count == 2)
        #expect(Self.previous(again)?.string(.patientID) == "B")
    }

    @Test("PS3.5 §6.1.2: a value beyond the character set takes the object and what it said before to UTF-8")
    func characterSet() throws {
        let made = try Self.coerced([.set(.patientName, "山田^太郎")])
        let read = try DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(
            DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(made))
        #expect(read.string(.patientName) == "山田^太郎")
        #expect(Self.previous(read)?.string(.patientName) == "Müller^Änne")
        #expect(Self.previous(read)?.elements.map(\.tag) == [.patientName])
    }

    @Test("What makes the object what it is, or is no value of its attribute, is no coercion")
    func refused() {
        let cases: [(CoercionRule.Step, CoercionError.Code)] = [
            (.set(.sopInstanceUID, "1.2"), .notCoercible), (.remove(.pixelData), .notCoercible),
            (.remove(.originalAttributesSequence), .notCoercible), (.set(.specificCharacterSet, ""), .notCoercible),
            (.remove(DICOMData.Tag(0x0009, 0x0010)), .notCoercible), (.remove(.transferSyntaxUID), .notCoercible),
            (.set(.referencedStudySequence, "a"), .noText), (.set(DICOMData.Tag(0x0009, 0x1001), "a"), .noText),
            (.set(.studyDate, "yesterday"), .invalidValue), (.set(.studyInstanceUID, "1.02"), .invalidValue),
            (.map(.modality, ["CT": "a modality of much text"]), .invalidValue),
            (.copy(from: .patientID, to: .referencedStudySequence), .unlike),
        ]
        for (step, code) in cases {
            #expect(throws: CoercionError(code, step.tag)) { try Coercion(rules: [CoercionRule(steps: [step])]) }
        }
    }
}
