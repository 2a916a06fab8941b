import DICOMData
import DICOMTranslation
import Testing
import Workflow

/// PS3.4 §C.4.1, §C.6.
@Suite struct QueryIdentifierTests {
    private func identifier(_ level: String?, _ values: [DICOMData.Tag: String]) -> DataSet {
        var set = DataSet()
        if let level { set.set(.queryRetrieveLevel, string: level) }
        for (tag, value) in values {
            if value.isEmpty { set.setEmpty(tag) } else { set.set(tag, string: value) }
        }
        return set
    }

    private func problem(
        _ set: DataSet, _ root: QueryRetrieveRoot, _ options: QueryIdentifier.Options = .init()
    ) -> IdentifierProblem? {
        do throws(IdentifierProblem) {
            _ = try QueryIdentifier(set, root: root, options: options)
            return nil
        } catch {
            return error
        }
    }

    @Test("§C.4.1.1.4: a level that is absent, unknown or not of the model is A900 naming (0008,0052)")
    func level() {
        for (level, root) in [
            (nil, QueryRetrieveRoot.patient), ("EXAM", .patient), ("study", .study), ("PATIENT", .study),
        ] {
            #expect(problem(identifier(level, [:]), root) == IdentifierProblem(.level, .queryRetrieveLevel))
        }
        #expect(problem(identifier("PATIENT", [:]), .patient) == nil)
        #expect(problem(identifier("STUDY", [:]), .study) == nil)
    }

    @Test("§C.4.1.2.1: the unique key of each level above has one value, unless the query is relational")
    func uniqueKeys() {
        let cases: [(String, [DICOMData.Tag: String], QueryRetrieveRoot, DICOMData.Tag?)] = [
            ("STUDY", [:], .patient, .patientID), ("STUDY", [.patientID: "P*"], .patient, .patientID),
            ("STUDY", [.patientID: "P1"], .patient, nil), ("SERIES", [.patientID: "P1"], .patient, .studyInstanceUID),
            ("SERIES", [:], .study, .studyInstanceUID), ("SERIES", [.studyInstanceUID: ""], .study, .studyInstanceUID),
            ("SERIES", [.studyInstanceUID: "1.2\\1.3"], .study, .studyInstanceUID),
            ("SERIES", [.studyInstanceUID: "1.2"], .study, nil),
            ("IMAGE", [.studyInstanceUID: "1.2"], .study, .seriesInstanceUID),
            ("IMAGE", [.studyInstanceUID: "1.2", .seriesInstanceUID: "1.3"], .study, nil),
        ]
        for (level, values, root, tag) in cases {
            let set = identifier(level, values)
            #expect(problem(set, root) == tag.map { IdentifierProblem(.uniqueKey, $0) }, "\(level) \(values)")
            #expect(problem(set, root, .init(isRelational: true)) == nil)
        }
    }

    @Test("§C.2.2.2: every kind of matching is the query value that QIDO-RS makes, at the levels of the query")
    func matching() throws {
        let set = identifier(
            "SERIES",
            [
                .studyInstanceUID: "1.2", .patientName: "Doe^J*", .modality: "CT\\MR", .seriesNumber: "3",
                .studyDate: "20260101-20260131", .studyTime: "1000-1200", .seriesDescription: "*",
                .seriesInstanceUID: "1.3\\1.4",
            ])
        let apart = try QueryIdentifier(set, root: .study)
        #expect(apart.keys.exact(.studyInstanceUID) == "1.2")
        #expect(apart.keys[.patientName] == .name("Doe^J*"))
        #expect(apart.keys[.modality] == .anyOf([.exact("CT"), .exact("MR")]))
        #expect(apart.keys[.seriesNumber] == .exact("3"))
        #expect(apart.keys[.seriesDescription] == nil)
        #expect(apart.keys[.seriesInstanceUID] == .anyOf([.exact("1.3"), .exact("1.4")]))
        #expect(apart.keys[.studyDate] == .dates(from: "20260101", to: "20260131"))
        #expect(apart.keys.periods.isEmpty)
        #expect(!apart.hasUnsupportedKeys)
        // D2: one period only where that was negotiated.
        let combined = try QueryIdentifier(set, root: .study, options: .init(combinesDateAndTime: true))
        #expect(combined.keys[.studyDate] == nil)
        #expect(combined.keys.periods.count == 1)
        #expect(
            problem(identifier("STUDY", [.studyDate: "2026-01-01"]), .study) == IdentifierProblem(.value, .studyDate))
    }

    @Test("§C.4.1.1.4: keys without an answer, and keys of a level below, are told as not supported")
    func unsupported() throws {
        let below = identifier("STUDY", [.modality: "CT"])
        #expect(try QueryIdentifier(below, root: .study).hasUnsupportedKeys)
        #expect(try QueryIdentifier(below, root: .study).keys[.modality] == nil)
        let relational = try QueryIdentifier(below, root: .study, options: .init(isRelational: true))
        #expect(relational.keys[.modality] == .exact("CT"))
        #expect(try QueryIdentifier(identifier("STUDY", [.patientWeight: ""]), root: .study).hasUnsupportedKeys)
        #expect(
            try QueryIdentifier(identifier("STUDY", [.numberOfStudyRelatedSeries: "2"]), root: .study)
                .hasUnsupportedKeys)
        #expect(
            try !QueryIdentifier(
                identifier("STUDY", [.numberOfStudyRelatedSeries: "", .modalitiesInStudy: "CT", .retrieveAETitle: ""]),
                root: .study
            ).hasUnsupportedKeys)
    }

    @Test("§C.4.1.1.3.2: a response has the keys asked for, the unique key, the level and where to retrieve")
    func response() throws {
        var attributes = StudyAttributes()
        attributes.patientID = "P1"
        attributes.patientName = "Doe^Jane"
        attributes.studyDate = "20260105"
        let match = StudyMatch(
            study: Study(
                id: EntityID("s"), studyInstanceUID: "1.2", reconciliation: .quarantined(.unknownPatient),
                attributes: attributes, updatedAt: UTCInstant(microseconds: 1)), modalitiesInStudy: ["CT", "SR"],
            numberOfStudyRelatedSeries: 2, numberOfStudyRelatedInstances: 7)
        let study = try QueryIdentifier(
            identifier("STUDY", [.patientName: "", .modalitiesInStudy: "", .patientWeight: ""]), root: .study
        ).response(for: match, retrieveAETitle: "HILUM")
        #expect(study.string(.queryRetrieveLevel) == "STUDY")
        #expect(study.string(.retrieveAETitle) == "HILUM")
        #expect(study.string(.studyInstanceUID) == "1.2")
        #expect(study.string(.patientName) == "Doe^Jane")
        #expect(study.strings(.modalitiesInStudy) == ["CT", "SR"])
        #expect(study[.patientWeight]?.bytes?.isEmpty == true)
        #expect(study[.studyDate] == nil)
        #expect(study[.patientID] == nil)
        let patient = try QueryIdentifier(
            identifier("PATIENT", [.patientName: "", .studyDate: ""]), root: .patient
        ).response(for: match, retrieveAETitle: "HILUM")
        #expect(patient.string(.patientID) == "P1")
        #expect(patient[.studyDate]?.bytes?.isEmpty == true)
        #expect(patient[.studyInstanceUID] == nil)
    }
}
