import DICOMData
import Testing

@testable import DICOMTranslation

/// PS3.15 Table E.1-1 as it is read.
@Suite("Confidentiality profile: the table")
struct ConfidentialityProfileTests {
    @Test("PS3.15 Table E.1-1: every line is read, and the dictionary knows all attributes but the 25 that are younger")
    func lines() {
        let lines = "\(ConfidentialityProfile.lines)".split(separator: "\n")
        #expect(lines.count == 655)
        let tags = ConfidentialityProfile.tags
        #expect(tags.count == 652)
        #expect(tags.filter { DataDictionary.attribute($0) != nil }.count == 627)
        let codes = Set(lines.flatMap { $0.split(separator: "|", omittingEmptySubsequences: false).dropFirst() })
        #expect(codes == ["", "D", "Z", "X", "K", "C", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"])
    }

    @Test("PS3.15 Table E.1-1a: a combined code gives what is right for any Type")
    func combined() {
        func basic(_ tag: DICOMData.Tag) -> ConfidentialityProfile.Action? {
            ConfidentialityProfile.decision(tag, [])?.action
        }
        #expect(basic(.patientID) == .dummy)
        #expect(basic(.referencedStudySequence) == .empty)
        #expect(basic(.protocolName) == .dummy)
        #expect(basic(.institutionName) == .dummy)
        #expect(basic(.sourceImageSequence) == .uid)
        #expect(basic(.patientName) == .empty)
        #expect(basic(.otherPatientNames) == .remove)
        #expect(basic(.studyInstanceUID) == .uid)
        #expect(basic(.rows) == nil)
    }

    @Test("PS3.15 §E.3: an option keeps or cleans what its column says; cleaning stands above keeping")
    func options() {
        func action(_ tag: DICOMData.Tag, _ options: DeidentificationOptions) -> ConfidentialityProfile.Action? {
            ConfidentialityProfile.decision(tag, options)?.action
        }
        #expect(action(.studyInstanceUID, .retainUIDs) == .keep)
        // A reference to the patient is no reference to an image.
        #expect(action(.referencedPatientSequence, .retainUIDs) == .remove)
        #expect(action(.stationName, .retainDeviceIdentity) == .keep)
        #expect(action(.institutionName, .retainInstitutionIdentity) == .keep)
        #expect(action(.patientSex, .retainPatientCharacteristics) == .keep)
        #expect(action(.allergies, .retainPatientCharacteristics) == .clean)
        #expect(action(.studyDate, .retainFullDates) == .keep)
        #expect(action(.studyDate, .retainModifiedDates) == .clean)
        #expect(action(.studyDate, [.retainFullDates, .retainModifiedDates]) == .clean)
        #expect(action(.studyDescription, .cleanDescriptors) == .clean)
        #expect(action(.contentSequence, .cleanStructuredContent) == .clean)
        #expect(action(.patientName, [.retainUIDs, .retainPatientCharacteristics, .cleanDescriptors]) == .empty)
    }

    @Test("PS3.5 §7.6: a row of a repeating group is for its even groups")
    func repeating() {
        #expect(ConfidentialityProfile.decision(DICOMData.Tag(0x5004, 0x3000), [])?.action == .remove)
        #expect(ConfidentialityProfile.decision(DICOMData.Tag(0x6002, 0x4000), .cleanGraphics)?.action == .clean)
        #expect(ConfidentialityProfile.decision(DICOMData.Tag(0x6001, 0x4000), []) == nil)
        #expect(ConfidentialityProfile.decision(DICOMData.Tag(0x6002, 0x0010), []) == nil)
    }
}
