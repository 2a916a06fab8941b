import DICOMData
import Testing
import Workflow

@testable import DICOMTranslation

/// Rejection notes as data sets. PS3.3 §A.35.4, §C.17.6.2; IHE RAD TF-2 §4.66.
@Suite struct RejectionNoteTests {
    private static func code(_ value: String, _ scheme: String = "DCM") -> DataSet {
        var item = DataSet()
        item.set(.codeValue, string: value)
        item.set(.codingSchemeDesignator, string: scheme)
        return item
    }

    private static func note(_ title: DataSet, instances: [String?], series: String? = "1.2.1") -> DataSet {
        var ofSeries = DataSet()
        if let series { ofSeries.set(.seriesInstanceUID, string: series) }
        ofSeries.set(
            .referencedSOPSequence,
            items: instances.map { uid in
                var item = DataSet()
                if let uid { item.set(.referencedSOPInstanceUID, string: uid) }
                return item
            })
        var ofStudy = DataSet()
        ofStudy.set(.studyInstanceUID, string: "1.2")
        ofStudy.set(.referencedSeriesSequence, items: [ofSeries])
        var set = DataSet()
        set.set(.conceptNameCodeSequence, items: [title])
        set.set(.currentRequestedProcedureEvidenceSequence, items: [ofStudy])
        return set
    }

    private static func read(_ set: DataSet, _ classUID: String = UID.keyObjectSelectionDocument) throws
        -> RejectionNote?
    { try RejectionNote(set, classUID: classUID) }

    @Test("Each of the four titles is a rejection; others, and other schemes and classes, are not")
    func titles() throws {
        for title in RejectionTitle.allCases {
            let note = try #require(try Self.read(Self.note(Self.code(title.code), instances: ["1.2.1.1"])))
            #expect(note.title == title)
            #expect(
                note.references == [
                    RejectionNote.Reference(
                        studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: "1.2.1.1")
                ])
        }
        #expect(try Self.read(Self.note(Self.code("113000"), instances: ["1.2.1.1"])) == nil)
        #expect(try Self.read(Self.note(Self.code("113001", "99X"), instances: ["1.2.1.1"])) == nil)
        #expect(
            try Self.read(Self.note(Self.code("113001"), instances: ["1.2.1.1"]), "1.2.840.10008.5.1.4.1.1.2") == nil)
        #expect(try Self.read(DataSet()) == nil)
    }

    @Test("A note that cannot be followed whole is refused: no reference, no UID, one reference too many")
    func refused() throws {
        #expect(throws: IngestFailure(.notUnderstood)) {
            _ = try Self.read(Self.note(Self.code("113001"), instances: []))
        }
        #expect(throws: IngestFailure(.notUnderstood)) {
            _ = try Self.read(Self.note(Self.code("113001"), instances: [nil]))
        }
        #expect(throws: IngestFailure(.notUnderstood)) {
            _ = try Self.read(Self.note(Self.code("113001"), instances: ["../1"]))
        }
        #expect(throws: IngestFailure(.notUnderstood)) {
            _ = try Self.read(Self.note(Self.code("113001"), instances: ["1.1"], series: nil))
        }
        let all = (0...RejectionNote.referencesMax).map { "1.\($0)" as String? }
        #expect(
            try Self.read(Self.note(Self.code("113001"), instances: Array(all.dropLast())))?.references.count
                == RejectionNote.referencesMax)
        #expect(throws: IngestFailure(.notUnderstood)) {
            _ = try Self.read(Self.note(Self.code("113001"), instances: all))
        }
    }

    @Test("A note over so many studies and series is followed, and over one more refused")
    func spread() throws {
        func note(studies: Int, series: Int) -> DataSet {
            var set = Self.note(Self.code("113001"), instances: ["1.2.1.1"])
            set.set(
                .currentRequestedProcedureEvidenceSequence,
                items: (0..<studies).map { study in
                    var ofStudy = DataSet()
                    ofStudy.set(.studyInstanceUID, string: "1.\(study)")
                    ofStudy.set(
                        .referencedSeriesSequence,
                        items: (0..<series).map { series in
                            var instance = DataSet()
                            instance.set(.referencedSOPInstanceUID, string: "1.\(study).\(series).1")
                            var ofSeries = DataSet()
                            ofSeries.set(.seriesInstanceUID, string: "1.\(study).\(series)")
                            ofSeries.set(.referencedSOPSequence, items: [instance])
                            return ofSeries
                        })
                    return ofStudy
                })
            return set
        }
        let (studies, series) = (RejectionNote.studiesMax, RejectionNote.seriesMax)
        #expect(try Self.read(note(studies: studies, series: 1))?.references.count == studies)
        #expect(try Self.read(note(studies: 1, series: series))?.references.count == series)
        for (studies, series) in [(studies + 1, 1), (1, series + 1)] {
            #expect(throws: IngestFailure(.notUnderstood)) {
                _ = try Self.read(note(studies: studies, series: series))
            }
        }
    }

    @Test("A code is read with and without its scheme")
    func codes() {
        #expect(RejectionTitle("113037") == .patientSafety)
        #expect(RejectionTitle("113039^DCM") == .retentionExpired)
        for text in ["", "113000", "113001^", "113001^99X", "113001^DCM^", "^DCM"] {
            #expect(RejectionTitle(text) == nil)
        }
    }
}
