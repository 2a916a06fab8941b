import DICOMData
import Testing
import Workflow

@testable import DICOMTranslation

/// H25: codes of objects by the one table of code systems. PS3.3 §8, PS3.16 §8.
@Suite("Codes of DICOM objects")
struct CodeItemTests {
    private func coding(_ tags: [DICOMData.Tag: String]) -> CodedConcept.Coding? {
        var item = DataSet()
        for (tag, text) in tags { item.set(tag, tag == Tag(0x0008, 0x010C) ? .UI : .LO, string: text) }
        return CodeItem.coding(item)
    }

    @Test(
        "A designator of the table has its URI; another one stands for itself, a private one for nothing, SRT never for SCT",
        arguments: [
            ("DCM", "http://dicom.nema.org/resources/ontology/DCM"), ("SCT", "http://snomed.info/sct"),
            ("RADLEX", "http://www.radlex.org"), ("LN", "http://loinc.org"),
            ("SRT", "urn:hilum:unknown-code-system:SRT"), ("FMA", "urn:hilum:unknown-code-system:FMA"), ("99ACME", nil),
            ("", nil),
        ] as [(String, String?)])
    func designators(designator: String, system: String?) {
        let found = coding([.codeValue: "7", .codingSchemeDesignator: designator, .codeMeaning: "Seven"])
        #expect(found == CodedConcept.Coding(system: system, code: "7", display: "Seven"))
    }

    @Test("Long and URN codes, a scheme by its UID, and what is no code")
    func forms() {
        let long = String(repeating: "x", count: 40)
        #expect(coding([Tag(0x0008, 0x0119): long, .codingSchemeDesignator: "DCM"])?.code == long)
        #expect(coding([Tag(0x0008, 0x0120): "urn:oid:1.2"])?.system == "urn:ietf:rfc:3986")
        let ofUID = coding([.codeValue: "7", .codingSchemeDesignator: "99ACME", Tag(0x0008, 0x010C): "1.2.3"])
        #expect(ofUID?.system == "urn:oid:1.2.3")
        #expect(coding([.codingSchemeDesignator: "DCM", .codeMeaning: "no code"]) == nil)
        #expect(coding([.codeValue: "", .codingSchemeDesignator: "DCM"]) == nil)
        #expect(coding([.codeValue: "a\0b", .codingSchemeDesignator: "DCM"]) == nil)
        #expect(coding([Tag(0x0008, 0x0119): String(repeating: "x", count: 4_000)]) == nil)
    }

    @Test("The procedures of a study and the region of a series are read, a bounded number of them")
    func attributes() {
        var item = DataSet()
        item.set(.codeValue, string: "24627-2")
        item.set(.codingSchemeDesignator, string: "LN")
        var set = DataSet()
        set.set(.procedureCodeSequence, items: [DataSet](repeating: item, count: 500))
        set.set(Tag(0x0008, 0x2218), items: [item])
        let reader = AttributeReader(
            authorities: AssigningAuthorities(
                authorities: [], defaultPatientSystem: "urn:p", defaultAccessionSystem: "urn:a"))
        #expect(reader.study(set).procedures?.count == 20)
        #expect(reader.series(set).anatomicRegion?.system == "http://loinc.org")
        #expect(reader.study(DataSet()).procedures == nil)
        #expect(reader.series(DataSet()).anatomicRegion == nil)
    }
}
