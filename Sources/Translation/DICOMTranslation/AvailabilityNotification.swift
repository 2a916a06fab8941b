import DICOMData
import Workflow

/// An Instance Availability Notification: which instances of a study can be had at once, and from whom. PS3.4 §R.3.
package struct AvailabilityNotification: Sendable, Hashable {
    package struct Instance: Sendable, Hashable {
        package let sopClassUID: String
        package let sopInstanceUID: String
    }

    /// What can be had of one series, one instance at least.
    package struct Series: Sendable, Hashable {
        package let seriesInstanceUID: String
        package let instances: [Instance]
    }

    package let studyInstanceUID: String
    package let series: [Series]

    /// What is published of a study: the certain series, without what is kept aside of them; nil when that is nothing.
    package init?(ofStudy studyInstanceUID: String, in unit: any StudyUnit) throws {
        guard let study = try unit.study(studyInstanceUID), let patientID = study.reconciliation.patientID else {
            return nil
        }
        var series: [Series] = []
        for one in try unit.series(in: studyInstanceUID) where one.reconciliation.patientID == patientID {
            let asides = one.keptAside
            let instances = try unit.instances(in: one.seriesInstanceUID, of: studyInstanceUID)
                .filter { !asides.contains($0.sopInstanceUID) }
                .map { Instance(sopClassUID: $0.sopClassUID, sopInstanceUID: $0.sopInstanceUID) }
            if !instances.isEmpty {
                series.append(Series(seriesInstanceUID: one.seriesInstanceUID, instances: instances))
            }
        }
        if series.isEmpty { return nil }
        self.studyInstanceUID = studyInstanceUID
        self.series = series
    }

    /// The attributes of its N-CREATE. PS3.4 Table R.3.2-1.
    package func attributes(retrieveAETitle: String) -> DataSet {
        var set = DataSet()
        set[.referencedPerformedProcedureStepSequence] = DataElement(
            .referencedPerformedProcedureStepSequence, .SQ, .items([]))
        set.set(.studyInstanceUID, string: studyInstanceUID)
        set.set(
            .referencedSeriesSequence,
            items: series.map { series in
                var item = DataSet()
                item.set(.seriesInstanceUID, string: series.seriesInstanceUID)
                item.set(
                    .referencedSOPSequence,
                    items: series.instances.map { instance in
                        var item = DataSet()
                        item.set(.referencedSOPClassUID, string: instance.sopClassUID)
                        item.set(.referencedSOPInstanceUID, string: instance.sopInstanceUID)
                        item.set(.instanceAvailability, string: "ONLINE")
                        item.set(.retrieveAETitle, string: retrieveAETitle)
                        return item
                    })
                return item
            })
        return set
    }
}
