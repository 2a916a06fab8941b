import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Workflow

/// Store instances: multipart/related of application/dicom, or one application/dicom body; what comes as metadata and bulk
/// data is in its own extension. PS3.18 §10.5.
extension DICOMwebRoutes {
    func store(_ request: APIRequest) async throws -> Response {
        let study = request.parameters["study"]
        guard study.isEmpty || UID.isSafe(study) else {
            throw HTTPFailure(.malformed, "the study in the URL is no UID")
        }
        let form = try ResultForm(request)
        guard let type = try request.contentType() else {
            throw HTTPFailure(
                .unsupportedMediaType, "Content-Type is needed: multipart/related; type=\"application/dicom\"")
        }
        var intake = Intake(
            ingest: ingest, expectedStudyUID: study.isEmpty ? nil : study, access: request.access)
        switch type.essence {
        case "application/dicom":
            let body = try request.plainBody()
            try intake.begin(contentType: "application/dicom")
            do {
                for try await chunk in body { intake.append(chunk) }
            } catch {
                intake.abandon()
                throw error
            }
            intake.end()
        case "multipart/related":
            if let inner = type["type"].flatMap({ MediaType($0) }), inner.essence != "application/dicom" {
                guard let metadata = MetadataForm(rawValue: inner.essence) else {
                    throw HTTPFailure(
                        .unsupportedMediaType,
                        "parts of application/dicom, application/dicom+json and application/dicom+xml are stored, not of \(inner.essence)"
                    )
                }
                return try answer(
                    try await storeMetadata(metadata, request, expectedStudyUID: study.isEmpty ? nil : study), form)
            }
            try await readParts(request, into: &intake)
        default:
            throw HTTPFailure(
                .unsupportedMediaType, "send multipart/related; type=\"application/dicom\", or application/dicom")
        }
        let outcomes = await intake.finish()
        guard !outcomes.isEmpty else { throw HTTPFailure(.malformed, "the body holds no instance") }
        return try answer(outcomes, form)
    }

    private func readParts(_ request: APIRequest, into intake: inout Intake) async throws {
        do {
            var reader = try MultipartReader(request)
            while let headers = try await reader.nextPart() {
                try intake.begin(contentType: headers["content-type"])
                while let piece = try await reader.nextPiece() { intake.append(piece) }
                intake.end()
                await intake.work()
            }
        } catch {
            // What came whole before is stored and stays; the client sends again and finds duplicates.
            intake.abandon()
            _ = await intake.finish()
            throw (error as? MultipartError)?.failure ?? error
        }
    }

    /// The response data set and status. PS3.18 Table 10.5.3-1, Annex I.
    private func answer(_ outcomes: [InstanceIngest.Outcome], _ form: ResultForm) throws -> Response {
        var stored: [DataSet] = []
        var failed: [DataSet] = []
        var others: [DataSet] = []
        var studies: Set<String> = []
        for outcome in outcomes {
            switch outcome {
            case .stored(let receipt):
                studies.insert(receipt.studyInstanceUID)
                var item = DataSet()
                item.set(.referencedSOPClassUID, string: receipt.sopClassUID)
                item.set(.referencedSOPInstanceUID, string: receipt.sopInstanceUID)
                item.set(
                    .retrieveURL,
                    string:
                        "\(baseURL)/studies/\(receipt.studyInstanceUID)/series/\(receipt.seriesInstanceUID)/instances/\(receipt.sopInstanceUID)"
                )
                stored.append(item)
            case .failed(let failure, let receipt?):
                var item = DataSet()
                item.set(.referencedSOPClassUID, string: receipt.sopClassUID)
                item.set(.referencedSOPInstanceUID, string: receipt.sopInstanceUID)
                item.set(.failureReason, int: Int(failure.status))
                failed.append(item)
            case .failed(let failure, nil):
                var item = DataSet()
                item.set(.failureReason, int: Int(failure.status))
                others.append(item)
            }
        }
        var set = DataSet()
        if studies.count == 1, let study = studies.first {
            set.set(.retrieveURL, string: "\(baseURL)/studies/\(study)")
        }
        if !stored.isEmpty { set.set(.referencedSOPSequence, items: stored) }
        if !failed.isEmpty { set.set(.failedSOPSequence, items: failed) }
        if !others.isEmpty { set.set(.otherFailuresSequence, items: others) }
        let isAllStored = failed.isEmpty && others.isEmpty
        let isFull = outcomes.allSatisfy {
            if case .failed(let failure, _) = $0 { failure.code == .outOfResources } else { false }
        }
        let isDown = outcomes.allSatisfy {
            if case .failed(let failure, _) = $0 { failure.code == .storeFailed } else { false }
        }
        let status: HTTPResponse.Status =
            isAllStored
            ? .ok
            : !stored.isEmpty
                ? .accepted
                : isFull
                    ? .init(code: 507, reasonPhrase: "Insufficient Storage") : isDown ? .serviceUnavailable : .conflict
        return try form.response(set, status: status)
    }

    /// The instances of one request: one being received, some being made durable.
    private struct Intake {
        /// Instances whose durability is awaited at the same time; they share fsyncs.
        static let inFlightMax = 16
        /// Refused parts whose audit rows share a commit.
        static let recordedTogether = 100

        let ingest: InstanceIngest
        let expectedStudyUID: String?
        let access: AccessContext
        private var current: IncomingInstance?
        private var failure: IngestFailure?
        private var complete: [IncomingInstance] = []
        /// Refused while they came, and not recorded yet.
        private var refused: [IngestFailure] = []
        private var tasks: [Task<InstanceIngest.Outcome, Never>] = []
        private var outcomes: [InstanceIngest.Outcome] = []

        init(ingest: InstanceIngest, expectedStudyUID: String?, access: AccessContext) {
            self.ingest = ingest
            self.expectedStudyUID = expectedStudyUID
            self.access = access
        }

        mutating func begin(contentType: String?) throws {
            failure = nil
            current = nil
            if let contentType, let media = MediaType(contentType), media.essence != "application/dicom" {
                throw HTTPFailure(
                    .unsupportedMediaType, "parts of application/dicom are stored, not of \(media.essence)")
            }
            do throws(IngestFailure) { current = try ingest.beginFile() } catch { failure = error }
        }

        mutating func append(_ bytes: ByteBuffer) {
            guard let incoming = current, failure == nil else { return }
            bytes.withUnsafeReadableBytes { bytes in
                do throws(IngestFailure) { try incoming.append(bytes) } catch { failure = error }
            }
        }

        mutating func end() {
            if let failure {
                if let current { ingest.abort(current) }
                outcomes.append(.failed(failure, nil))
                refused.append(failure)
            } else if let current {
                complete.append(current)
            }
            current = nil
            failure = nil
        }

        /// Gives up the instance being received.
        mutating func abandon() {
            if let current { ingest.abort(current) }
            current = nil
        }

        /// Sets complete instances on their way to durability.
        mutating func work() async {
            for incoming in complete { await start(incoming) }
            complete = []
            // A body of nothing but garbage costs few commits.
            if refused.count >= Self.recordedTogether { await record() }
        }

        private mutating func start(_ incoming: IncomingInstance) async {
            if tasks.count >= Self.inFlightMax { outcomes.append(await tasks.removeFirst().value) }
            let (ingest, study, access) = (ingest, expectedStudyUID, access)
            tasks.append(
                Task {
                    await ingest.finish(
                        incoming, expectedStudyUID: study, receivedFrom: access.principal.id, access: access)
                })
        }

        private mutating func record() async {
            await ingest.record(refused, access: access)
            refused = []
        }

        /// Waits for all; the outcomes.
        mutating func finish() async -> [InstanceIngest.Outcome] {
            await work()
            await record()
            for task in tasks { outcomes.append(await task.value) }
            tasks = []
            return outcomes
        }
    }
}
