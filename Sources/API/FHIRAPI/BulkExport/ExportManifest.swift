import FHIRModel
import FHIRResources
import Workflow

/// What tells a client where the files of its export are. Bulk Data 2.0 §Response - Complete Status.
///
/// With partial manifests it has pages of so many files, in the order in which they were written; a page is told when it is
/// full or the export is complete, and then never changes, but for the link to the next. Bulk Data 3.0
/// §allowPartialManifests.
///
/// Files that list DICOM objects are no FHIR: they are in `extension`, as `dicomObjects`.
struct ExportManifest {
    /// Files of one page.
    static let filesPerPage = 10
    static let pageParameter = "page"

    let job: ExportJob
    let statusURL: String

    private var isPaged: Bool { job.allowsPartialManifests == true }
    private var isComplete: Bool { job.state == .complete }

    /// The first files, which a manifest has told of.
    var filesTold: Int {
        if isComplete { return job.outputs.count }
        return isPaged ? job.outputs.count / Self.filesPerPage * Self.filesPerPage : 0
    }

    /// - Parameter number: from 0.
    /// - Returns: nil where there is no such page, or not yet.
    func page(_ number: Int) -> [UInt8]? {
        guard number >= 0, number <= job.outputs.count else { return nil }
        var files = 0..<job.outputs.count
        if isPaged {
            let start = number * Self.filesPerPage
            guard start < filesTold || (isComplete && number == 0) else { return nil }
            files = start..<min(start + Self.filesPerPage, filesTold)
        } else if number > 0 || !isComplete {
            return nil
        }
        var manifest: JSONValue = [
            "transactionTime": .string(job.transactionTime.instantText),
            "request": .string(job.request),
            "requiresAccessToken": true,
        ]
        if let type = job.organizedBy { manifest["outputOrganizedBy"] = .string(type) }
        manifest["output"] = list(files) { !$0.isError && !$0.isDeleted && $0.listsObjects != true }
        manifest["deleted"] = list(files) { $0.isDeleted }
        manifest["error"] = list(files) { $0.isError }
        let objects = list(files) { $0.listsObjects == true }
        if objects.array?.isEmpty == false { manifest["extension"] = ["dicomObjects": objects] }
        if isPaged, files.upperBound < filesTold {
            let next = "\(statusURL)?\(Self.pageParameter)=\(number + 1)"
            manifest["link"] = [["relation": "next", "url": .string(next)]]
        }
        return JSONWriter.compact(manifest)
    }

    private func list(_ files: Range<Int>, _ keep: (ExportJob.OutputFile) -> Bool) -> JSONValue {
        .array(
            files.filter { keep(job.outputs[$0]) }.map { index in
                let file = job.outputs[index]
                var entry: JSONValue = [
                    "url": .string("\(statusURL)/\(index)"), "count": JSONValue(file.count),
                ]
                // Files that are organised by a resource are of several types.
                if file.listsObjects != true, file.isDeleted || file.isError || job.organizedBy == nil {
                    entry["type"] = .string(
                        file.isDeleted ? "Bundle" : file.isError ? "OperationOutcome" : file.type)
                }
                return entry
            })
    }
}
