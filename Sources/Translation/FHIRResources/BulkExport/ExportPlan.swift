import Workflow

/// What an export is written in: ranges of each type, then what they refer to, type by type.
struct ExportPlan {
    let job: ExportJob
    let scope: ExportScope
    let store: any ResourceStore

    private var selection: ExportJob.Selection { job.selection ?? ExportJob.Selection() }

    func parts() async throws -> [ExportPart] {
        var parts: [ExportPart] = []
        func add(_ work: ExportPart.Work, stage: Int = 0) {
            parts.append(ExportPart(number: parts.count, stage: stage, work: work))
        }
        if !(selection.notices ?? []).isEmpty { add(.notices) }
        if job.organizedBy != nil { add(.byPatient) }
        for type in job.types where !scope.isOutside(type) {
            // Of what is written by patient, ranges are for deletions alone, of which nothing is told without `_since`.
            if job.organizedBy != nil, job.since == nil, scope.isWrittenByPatient(type) { continue }
            var after: Int64 = 0
            for end in try await store.extents(of: type, every: ExportService.partVersions) {
                add(
                    scope.isAssociated(type)
                        ? .provenance(after: after, through: end) : .range(type: type, after: after, through: end))
                after = end
            }
        }
        if scope.tellsOfBinaries, job.types.contains("DocumentReference") {
            var after: Int64 = 0
            for end in try await store.extents(of: "Binary", every: ExportService.partBinaries) {
                add(.binaries(after: after, through: end))
                after = end
            }
        }
        if selection.withObjects == true, job.types.contains("ImagingStudy") {
            var after: Int64 = 0
            for end in try await store.extents(of: "ImagingStudy", every: ExportService.partStudies) {
                add(.objects(after: after, through: end))
                after = end
            }
        }
        var stage = 1
        // Each is behind those that refer to it.
        for type in job.types where scope.isOutside(type) {
            add(.referred(type: type), stage: stage)
            stage += 1
        }
        return parts
    }
}
