import Access
import FHIRModel
import FHIRResources
import Workflow

/// The manifest of another server's export.
extension ImportRun {
    /// Reads the manifest with its pages, and keeps what it names.
    func readManifest(_ url: String) async throws -> [ImportInput] {
        var listed: [(type: String, url: String)] = []
        var outcomes: [[UInt8]] = []
        var next: String? = url
        var pages = 0
        do {
            while let page = next {
                pages += 1
                guard pages <= ImportLimits.manifestPagesMax else {
                    throw ImportFileError("the manifest has more than \(ImportLimits.manifestPagesMax) pages")
                }
                let manifest = try ExportedManifest(try await manifestBytes(page))
                listed += manifest.files
                guard listed.count <= limits.inputsMax else {
                    throw ImportFileError("the manifest names more than \(limits.inputsMax) files")
                }
                if manifest.hasOthers {
                    outcomes.append(
                        OperationOutcome(
                            .information, .incomplete,
                            details: "the export lists deletions or errors, which are not imported"
                        ).bytes(ofFile: page, line: nil))
                }
                next = manifest.next
            }
            var job = job
            let inputs = try ImportRequest.inOrder(listed)
            (job.manifestURL, job.inputs) = (nil, inputs.count)
            if !isTrial {
                let (kept, jobs, holder) = (job, service.jobs, holder)
                try await steadily { try await jobs.add(inputs, to: kept, holder: holder) }
            }
            self.job = job
            if !outcomes.isEmpty { try await keep(nil, outcomes) }
            return inputs
        } catch let error as InteractionError { throw ImportFileError(error.message) } catch let refusal
            as OutboundRefusal
        { throw ImportFileError("the manifest: \(refusal.rawValue)") }
    }

    /// Pauses are so many times as long as for a file: a server that makes an export may be restarted meanwhile.
    private static let pauseFactor = 5.0

    /// The manifest once the export is complete. Bulk Data 2.0 §Bulk Data Status Request: 202 until then.
    private func manifestBytes(_ url: String) async throws -> [UInt8] {
        let begun = job.origin == .client ? job.createdAt : service.now()
        let until = begun.advanced(bySeconds: ImportLimits.manifestHoursMax * 3_600)
        while true {
            try checkGoesOn()
            var bytes: [UInt8]?
            var seconds: Int64 = 0
            try await persistently(from: limits.pauseSeconds * Self.pauseFactor) {
                try await service.downloads.download(
                    url, headers: [OutboundHeader(trusted: "Accept", "application/json")]
                ) { head, content in
                    try Self.checkReady(head)
                    if head.status == 202 {
                        seconds = min(max(head.retryAfterSeconds ?? 10, 1), 60)
                    } else {
                        bytes = try await self.page(url, head, content)
                    }
                }
            }
            if let bytes { return bytes }
            guard service.now() < until else { throw ImportFileError("the export of the manifest takes too long") }
            try await Task.sleep(for: .seconds(seconds))
            try makeWay()
        }
    }

    /// Held to the rate of a file.
    private func page(_ url: String, _ head: DownloadHead, _ content: any DownloadContent) async throws -> [UInt8] {
        guard head.status == 200 else { throw ImportFileError("the manifest: its server answers \(head.status)") }
        var page = ImportInput(place: 0, url: url, type: "")
        let source = try ImportContent(head, content, of: &page, limits: limits)
        var bytes: [UInt8] = []
        while let piece = try await source.read() {
            bytes += piece
            guard bytes.count <= ImportLimits.manifestBytesMax else {
                throw ImportFileError("the manifest has more than \(ImportLimits.manifestBytesMax) bytes")
            }
        }
        return bytes
    }
}
