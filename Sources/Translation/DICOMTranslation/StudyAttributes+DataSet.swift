import DICOMData
import Workflow

/// Reads the domain's study, series and instance attributes out of a data set, once, at ingest.
package struct AttributeReader: Sendable {
    let authorities: AssigningAuthorities

    package init(authorities: AssigningAuthorities) { self.authorities = authorities }

    /// The system of the issuer of the patient id; the site's default when the data set names none. PS3.3 §10.14.
    package func patientIDSystem(_ dataSet: DataSet) -> String {
        patientIssuer(dataSet).system(default: authorities.defaultPatientSystem)
    }

    /// The system of the issuer of the accession number. PS3.3 §C.7.2.1 (0008,0051).
    package func accessionSystem(_ dataSet: DataSet) -> String {
        accessionIssuer(dataSet).system(default: authorities.defaultAccessionSystem)
    }

    private func patientIssuer(_ dataSet: DataSet) -> AssigningAuthorities.Resolution {
        guard text(dataSet, .patientID) != nil else { return .absent }
        let qualifiers = dataSet.item(.issuerOfPatientIDQualifiersSequence)
        return authorities.resolve(
            namespace: dataSet.string(.issuerOfPatientID), universalID: qualifiers?.string(.universalEntityID),
            universalIDType: qualifiers?.string(.universalEntityIDType))
    }

    private func accessionIssuer(_ dataSet: DataSet) -> AssigningAuthorities.Resolution {
        guard text(dataSet, .accessionNumber) != nil else { return .absent }
        let issuer = dataSet.item(.issuerOfAccessionNumberSequence)
        return authorities.resolve(
            namespace: issuer?.string(.localNamespaceEntityID), universalID: issuer?.string(.universalEntityID),
            universalIDType: issuer?.string(.universalEntityIDType))
    }

    /// The authorities that a data set names and the site has not configured.
    package func unknownAuthorities(_ dataSet: DataSet) -> [UnknownAuthority] {
        [patientIssuer(dataSet), accessionIssuer(dataSet)].compactMap { issuer in
            if case .unknown(let authority) = issuer { authority } else { nil }
        }
    }

    package func study(_ dataSet: DataSet) -> StudyAttributes {
        var study = StudyAttributes()
        study.studyDate = text(dataSet, .studyDate)
        study.studyTime = text(dataSet, .studyTime)
        study.timezoneOffset = text(dataSet, .timezoneOffsetFromUTC)
        study.accessionNumber = identifier(dataSet, .accessionNumber)
        study.accessionSystem = study.accessionNumber == nil ? nil : accessionSystem(dataSet)
        study.referringPhysicianName = text(dataSet, .referringPhysicianName)
        study.patientName = text(dataSet, .patientName)
        study.patientID = identifier(dataSet, .patientID)
        study.patientIDSystem = study.patientID == nil ? nil : patientIDSystem(dataSet)
        study.issuerOfPatientID = identifier(dataSet, .issuerOfPatientID)
        study.patientBirthDate = text(dataSet, .patientBirthDate)
        study.patientSex = text(dataSet, .patientSex)
        study.studyID = text(dataSet, .studyID)
        study.studyDescription = text(dataSet, .studyDescription)
        let procedures = dataSet.items(.procedureCodeSequence).prefix(Self.codesMax).compactMap(CodeItem.coding)
        study.procedures = procedures.isEmpty ? nil : Array(procedures)
        return study
    }

    package func series(_ dataSet: DataSet) -> SeriesAttributes {
        var series = SeriesAttributes()
        series.patientID = identifier(dataSet, .patientID)
        series.patientIDSystem = series.patientID == nil ? nil : patientIDSystem(dataSet)
        series.accessionNumber = identifier(dataSet, .accessionNumber)
        series.accessionSystem = series.accessionNumber == nil ? nil : accessionSystem(dataSet)
        series.patientWords = PatientWords(
            name: text(dataSet, .patientName), birthDate: text(dataSet, .patientBirthDate),
            sex: text(dataSet, .patientSex))
        series.modality = text(dataSet, .modality)
        series.seriesNumber = dataSet.int(.seriesNumber)
        series.seriesDescription = text(dataSet, .seriesDescription)
        series.bodyPartExamined = text(dataSet, .bodyPartExamined)
        series.laterality = text(dataSet, .laterality) ?? text(dataSet, .imageLaterality)
        series.anatomicRegion = dataSet.items(Tag(0x0008, 0x2218)).first.flatMap(CodeItem.coding)
        series.seriesDate = text(dataSet, .seriesDate)
        series.seriesTime = text(dataSet, .seriesTime)
        series.performedProcedureStepStartDate = text(dataSet, .performedProcedureStepStartDate)
        series.performedProcedureStepStartTime = text(dataSet, .performedProcedureStepStartTime)
        series.performingPhysicianName = text(dataSet, .performingPhysicianName)
        series.operatorsName = text(dataSet, .operatorsName)
        series.stationName = text(dataSet, .stationName)
        let requests = requests(dataSet)
        series.requestAttributes = requests
        series.scheduledProcedureStepID = requests.first?.scheduledProcedureStepID
        series.requestedProcedureID = requests.first?.requestedProcedureID
        return series
    }

    /// Items of one object that are kept.
    private static let requestsMax = 100
    private static let codesMax = 20

    private func requests(_ dataSet: DataSet) -> [RequestAttributes] {
        dataSet.items(.requestAttributesSequence).prefix(Self.requestsMax).map { item in
            RequestAttributes(
                scheduledProcedureStepID: identifier(item, .scheduledProcedureStepID),
                requestedProcedureID: identifier(item, .requestedProcedureID),
                accessionNumber: identifier(item, .accessionNumber))
        }.filter { !$0.isEmpty }
    }

    /// What people read; what it may not hold is mended.
    private func text(_ dataSet: DataSet, _ tag: Tag) -> String? {
        dataSet.string(tag).map(TextRule.mended).flatMap(nonEmpty)
    }
    /// What is matched; as sent.
    private func identifier(_ dataSet: DataSet, _ tag: Tag) -> String? { dataSet.string(tag).flatMap(nonEmpty) }
    private func nonEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }
}
