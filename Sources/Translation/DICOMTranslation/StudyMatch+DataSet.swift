import DICOMData
import Workflow

/// Matches of a study query as data sets: QIDO results and C-FIND responses. PS3.18 Tables 10.6.3-3 to 10.6.3-5.
package enum StudyMatchDataSet {
    /// The attributes of a match at its level, in ISO_IR 192. `retrieveBase` is the DICOMweb base for RetrieveURL,
    /// nil for DIMSE. Attributes of the levels above are included. What lies in an archive is NEARLINE, with the archive's
    /// AE title and without a URL, as it cannot be retrieved here; what the archive did not tell is empty.
    package static func dataSet(_ match: StudyMatch, level: StudyQueryLevel, retrieveBase: String?) -> DataSet {
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 192")
        set.set(.instanceAvailability, string: match.archive == nil ? "ONLINE" : "NEARLINE")
        if let archive = match.archive { set.set(.retrieveAETitle, string: archive) }
        study(&set, match)
        var url = (match.archive == nil ? retrieveBase : nil).map { "\($0)/studies/\(match.study.studyInstanceUID)" }
        if level != .study, let series = match.series {
            self.series(&set, series, of: match)
            url? += "/series/\(series.seriesInstanceUID)"
        }
        if level == .instance, let instance = match.instance {
            self.instance(&set, instance)
            url? += "/instances/\(instance.sopInstanceUID)"
        }
        if let url { set.set(.retrieveURL, string: url) }
        return set
    }

    /// The attributes of the patient alone, in ISO_IR 192. PS3.4 Table C.6-1.
    package static func patient(_ study: StudyAttributes) -> DataSet {
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 192")
        put(&set, .patientName, study.patientName)
        put(&set, .patientID, study.patientID)
        if let issuer = study.issuerOfPatientID { set.set(.issuerOfPatientID, string: issuer) }
        put(&set, .patientBirthDate, study.patientBirthDate)
        put(&set, .patientSex, study.patientSex)
        return set
    }

    private static func study(_ set: inout DataSet, _ match: StudyMatch) {
        let study = match.study.attributes
        put(&set, .studyDate, study.studyDate)
        put(&set, .studyTime, study.studyTime)
        put(&set, .accessionNumber, study.accessionNumber)
        if match.modalitiesInStudy.isEmpty {
            set.setEmpty(.modalitiesInStudy)
        } else {
            set.set(.modalitiesInStudy, strings: match.modalitiesInStudy)
        }
        put(&set, .referringPhysicianName, study.referringPhysicianName)
        if let zone = study.timezoneOffset { set.set(.timezoneOffsetFromUTC, string: zone) }
        for element in patient(study).elements { set[element.tag] = element }
        set.set(.studyInstanceUID, string: match.study.studyInstanceUID)
        put(&set, .studyID, study.studyID)
        if let text = study.studyDescription { set.set(.studyDescription, string: text) }
        put(&set, .numberOfStudyRelatedSeries, match.numberOfStudyRelatedSeries, of: match)
        put(&set, .numberOfStudyRelatedInstances, match.numberOfStudyRelatedInstances, of: match)
    }

    private static func series(_ set: inout DataSet, _ series: Series, of match: StudyMatch) {
        let attributes = series.attributes
        put(&set, .modality, attributes.modality)
        if let text = attributes.seriesDescription { set.set(.seriesDescription, string: text) }
        if let text = attributes.bodyPartExamined { set.set(.bodyPartExamined, string: text) }
        if let text = attributes.laterality { set.set(.laterality, string: text) }
        set.set(.seriesInstanceUID, string: series.seriesInstanceUID)
        if let number = attributes.seriesNumber {
            set.set(.seriesNumber, int: number)
        } else {
            set.setEmpty(.seriesNumber)
        }
        put(&set, .numberOfSeriesRelatedInstances, match.numberOfSeriesRelatedInstances, of: match)
        if let date = attributes.performedProcedureStepStartDate {
            set.set(.performedProcedureStepStartDate, string: date)
        }
        if let time = attributes.performedProcedureStepStartTime {
            set.set(.performedProcedureStepStartTime, string: time)
        }
        if !match.requests.isEmpty {
            set.set(.requestAttributesSequence, items: match.requests.map(request))
        }
    }

    /// One item of Request Attributes Sequence. PS3.18 Table 10.6.3-4.
    private static func request(_ request: RequestAttributes) -> DataSet {
        var item = DataSet()
        if let accession = request.accessionNumber { item.set(.accessionNumber, string: accession) }
        put(&item, .scheduledProcedureStepID, request.scheduledProcedureStepID)
        put(&item, .requestedProcedureID, request.requestedProcedureID)
        return item
    }

    private static func instance(_ set: inout DataSet, _ instance: Instance) {
        put(&set, .sopClassUID, instance.sopClassUID)
        set.set(.sopInstanceUID, string: instance.sopInstanceUID)
        if let number = instance.instanceNumber {
            set.set(.instanceNumber, int: number)
        } else {
            set.setEmpty(.instanceNumber)
        }
        if let rows = instance.rows { set.set(.rows, int: rows) }
        if let columns = instance.columns { set.set(.columns, int: columns) }
        if let bits = instance.bitsAllocated { set.set(.bitsAllocated, int: bits) }
        if instance.numberOfFrames > 1 { set.set(.numberOfFrames, int: instance.numberOfFrames) }
        // What an archive did not tell is unknown.
        if !instance.transferSyntaxUID.isEmpty {
            set.set(.availableTransferSyntaxUID, string: instance.transferSyntaxUID)
        }
    }

    private static func put(_ set: inout DataSet, _ tag: Tag, _ value: String?) {
        if let value, !value.isEmpty { set.set(tag, string: value) } else { set.setEmpty(tag) }
    }
    /// A count that an archive did not tell is none.
    private static func put(_ set: inout DataSet, _ tag: Tag, _ count: Int, of match: StudyMatch) {
        if match.archive != nil, count == 0 { set.setEmpty(tag) } else { set.set(tag, int: count) }
    }
}
