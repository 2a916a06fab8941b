import DICOMData
import Testing

/// PS3.5 §7.1, §7.8, §9; PS3.6.
@Suite struct TagTests {
    @Test(
        "PS3.18 §8.3.4.1: a tag is exactly eight hexadecimal digits",
        arguments: [
            "0010002", "001000200", "0010,020", "0010002G", "", "(0010,0020)",
        ])
    func refusesOtherText(_ text: String) { #expect(Tag(hex: text) == nil) }

    @Test("A tag reads and writes both its forms") func forms() {
        #expect(Tag(hex: "7fe00010") == .pixelData)
        #expect(Tag.patientID.hex == "00100020")
        #expect(Tag.patientID.description == "(0010,0020)")
        #expect(Tag(keyword: "PatientID") == .patientID)
        #expect(Tag(keyword: "patientid") == nil)
        #expect(Tag.patientID < .studyInstanceUID)
    }

    @Test("PS3.5 §7.8.1: a private element is owned by the creator of its block") func privateCreators() {
        #expect(Tag(0x0029, 0x1010).privateCreatorTag == Tag(0x0029, 0x0010))
        #expect(Tag(0x0029, 0x0010).isPrivateCreator)
        #expect(!Tag(0x0028, 0x0010).isPrivateCreator)
        #expect(Tag(0x0029, 0x0FFF).privateCreatorTag == nil)
    }

    @Test("PS3.5 §6.2: every VR reads back from its letters") func vrLetters() {
        for vr in VR.allCases { #expect(VR(vr.description) == vr) }
        #expect(VR("XX") == nil)
        #expect(VR("U") == nil)
    }

    @Test(
        "PS3.5 §9.1: 64 characters of digits and dots, no empty component, no leading zero",
        arguments: [
            ("1.2.840.10008.1.1", true), ("0.0", true), ("1.02.3", false), ("1..2", false), ("1.2.", false),
            (".1", false),
            ("", false), ("1.2a", false), (String(repeating: "1", count: 64), true),
            (String(repeating: "1", count: 65), false),
        ])
    func uids(_ text: String, _ valid: Bool) { #expect(UID.isValid(text) == valid) }

    @Test("A UID that could leave a folder is not safe", arguments: ["..", "1/2", "1..2", "1.2\u{0}", ".1"])
    func unsafeUIDs(_ text: String) { #expect(!UID.isSafe(text)) }

    @Test("PS3.5 §B.2: a UUID becomes a UID under 2.25") func uuid() {
        #expect(UID.fromUUID(hex("f81d4fae7dec11d0a76500a0c91e6bf6")) == "2.25.329800735698586629295641978511506172918")
    }

    @Test("PS3.5 Annex A: what the transfer syntaxes say") func transferSyntaxes() {
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2\u{0}") == .implicitVRLittleEndian)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.70")?.isEncapsulated == true)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.5")?.isEncapsulated == true)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.1.99")?.isDeflated == true)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.95")?.isEncapsulated == false)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.1") == nil)
        #expect(TransferSyntax.all.count == 53)
        for syntax in TransferSyntax.all {
            #expect(TransferSyntax(uid: syntax.uid)?.isEncapsulated == syntax.isEncapsulated)
        }
        let named: [TransferSyntax] = [
            .jpegBaseline, .jpegLosslessSV1, .jpeg2000, .htj2k, .rleLossless, .explicitVRBigEndian,
        ]
        for syntax in named {
            let known = TransferSyntax(uid: syntax.uid)
            #expect(known?.isEncapsulated == syntax.isEncapsulated)
            #expect(known?.isBigEndian == syntax.isBigEndian)
        }
    }
}

/// PS3.6 as the generated facts have it.
@Suite struct DataDictionaryTests {
    @Test("PS3.6 §6: an attribute's VR, VM, keyword and name") func attribute() {
        let attribute = DataDictionary.attribute(.patientName)
        #expect(attribute?.vrs == [.PN])
        #expect(attribute?.vm == "1")
        #expect(attribute?.keyword == "PatientName")
        #expect(attribute?.name == "Patient's Name")
        #expect(attribute?.isRetired == false)
        #expect(DataDictionary.attribute(Tag(0x0028, 0x0106))?.vrs == [.US, .SS])
        #expect(DataDictionary.attribute(Tag(0x0008, 0x0001))?.isRetired == true)
        #expect(DataDictionary.count > 5_000)
    }

    @Test("PS3.5 §7.6: repeating groups are even groups") func repeatingGroups() {
        #expect(DataDictionary.vr(Tag(0x6002, 0x0010)) == .US)
        #expect(DataDictionary.keyword(Tag(0x60FE, 0x3000)) == "OverlayData")
        #expect(DataDictionary.keyword(Tag(0x5004, 0x3000)) == "CurveData")
        #expect(DataDictionary.vr(Tag(0x6003, 0x0010)) == .LO)
        #expect(DataDictionary.vr(Tag(0x6003, 0x3000)) == nil)
        #expect(Tag(keyword: "OverlayRows") == Tag(0x6000, 0x0010))
    }

    @Test("PS3.5 §7.8.1, §7.2: private creators are LO, group lengths UL, the rest unknown") func withoutEntry() {
        #expect(DataDictionary.vr(Tag(0x0029, 0x0010)) == .LO)
        #expect(DataDictionary.vr(Tag(0x0029, 0x1010)) == nil)
        #expect(DataDictionary.vr(Tag(0x0010, 0x0000)) == .UL)
        #expect(DataDictionary.attribute(Tag(0x0010, 0xFFF0)) == nil)
    }

    @Test("Every keyword leads back to its tag") func keywords() {
        for tag in [
            Tag.specificCharacterSet, .pixelData, .scheduledProcedureStepSequence, .kvp, .messageID, .transferSyntaxUID,
        ] {
            #expect(DataDictionary.keyword(tag).flatMap { Tag(keyword: $0) } == tag)
        }
        #expect(Tag(keyword: "") == nil)
        #expect(Tag(keyword: "Patient") == nil)
        #expect(Tag(keyword: "PatientIDs") == nil)
    }

    @Test("PS3.6 Annex A: storage SOP classes are told from the others") func storageClasses() {
        #expect(UIDRegistry.isStorage(UID.ctImageStorage))
        #expect(UIDRegistry.isStorage(UID.basicTextSRStorage))
        #expect(!UIDRegistry.isStorage(UID.verification))
        #expect(!UIDRegistry.isStorage(UID.storageCommitmentPush))
        #expect(!UIDRegistry.isStorage(UID.mediaStorageDirectory))
        #expect(UIDRegistry.name(UID.ctImageStorage) == "CT Image Storage")
        #expect(UIDRegistry.storageSOPClasses.count > 150)
        #expect(UIDRegistry.entry("1.2.3") == nil)
    }

    @Test(
        "PS3.4 Table B.5-1: storage SOP classes that are newer than the dictionary's source are known",
        arguments: [
            ("1.2.840.10008.5.1.4.1.1.9.100.1", "Waveform Presentation State Storage"),
            ("1.2.840.10008.5.1.4.1.1.9.100.2", "Waveform Acquisition Presentation State Storage"),
            ("1.2.840.10008.5.1.4.1.1.66.7", "Label Map Segmentation Storage"),
            ("1.2.840.10008.5.1.4.1.1.66.8", "Height Map Segmentation Storage"),
        ])
    func newerStorageClasses(uid: String, name: String) {
        #expect(UIDRegistry.isStorage(uid))
        #expect(UIDRegistry.name(uid) == name)
    }
}
