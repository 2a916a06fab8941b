import DICOMData
import DICOMNetwork
import DIMSEAdapter
import FHIRModel
import NIOCore
import NIOHTTP1

/// Stages 4 and 5: storing, and what belongs to what.
extension DemoStory {
    mutating func images() async throws {
        let study = try DemoFailure.unwrap(study, "there is no worklist answer")
        let thin = PhantomSeries(
            of: study, number: 1, description: "Thin slices", phantom: CTPhantom(sliceCount: 40, sliceSpacing: 2.5))
        let thick = PhantomSeries(
            of: study, number: 2, description: "Thick slices", phantom: CTPhantom(sliceCount: 8, sliceSpacing: 12.5))
        series = [thin, thick]
        let (bytes, time) = try await store(thin)
        narrator.fact(
            "C-STORE: \(thin.sliceCount) CT slices of one series on one association, each durable before its 0000: \(DemoNarrator.rate(bytes: bytes, in: time))",
            time)
        let (posted, postTime) = try await post(thick)
        narrator.fact(
            "STOW-RS: \(thick.sliceCount) slices of a second series in one multipart request, 200: \(DemoNarrator.rate(bytes: posted, in: postTime))",
            postTime)
    }

    /// C-STORE of a series; the bytes sent and the time of the sending alone.
    func store(_ series: PhantomSeries) async throws -> (bytes: Int, time: Duration) {
        let syntax = TransferSyntax.explicitVRLittleEndian
        let association = try await associate([(abstractSyntax: UID.ctImageStorage, transferSyntaxes: [syntax.uid])])
        var sent = 0
        var total = Duration.zero
        for slice in 0..<series.sliceCount {
            let bytes = try DataSetEncoder(transferSyntax: syntax).encode(series.dataSet(ofSlice: slice))
            let uid = series.sopInstanceUID(ofSlice: slice)
            let (status, time) = try await DemoNarrator.timed {
                try await association.store(
                    sopClassUID: UID.ctImageStorage, sopInstanceUID: uid, transferSyntax: syntax.uid,
                    dataSet: ByteBuffer(bytes: bytes))
            }
            try DemoFailure.require(status == .success, "C-STORE of slice \(slice + 1) was answered with \(status)")
            sent += bytes.count
            total += time
        }
        try await association.release()
        return (sent, total)
    }

    /// STOW-RS of a series. PS3.18 §10.5.
    private func post(_ series: PhantomSeries) async throws -> (bytes: Int, time: Duration) {
        var parts: [[UInt8]] = []
        for slice in 0..<series.sliceCount {
            parts.append(
                try Part10File(
                    dataSet: series.dataSet(ofSlice: slice), transferSyntax: .explicitVRLittleEndian,
                    sourceAETitle: DemoSite.modalityTitle
                ).encode())
        }
        let body = DemoMultipart.body(parts, contentType: "application/dicom")
        let (http, token) = (http, token)
        let (reply, time) = try await DemoNarrator.timed {
            try await http.send(
                .POST, "/dicomweb/studies", token: token,
                headers: [
                    (
                        "Content-Type",
                        "multipart/related; type=\"application/dicom\"; boundary=\(DemoMultipart.boundary)"
                    ),
                    ("Accept", "application/dicom+json"),
                ], body: body)
        }
        try reply.expect(200)
        let answer = try DICOMJSON.decode(reply.body).first ?? DataSet()
        let stored = answer.items(.referencedSOPSequence).compactMap { $0.uid(.referencedSOPInstanceUID) }
        let wanted = (0..<series.sliceCount).map { series.sopInstanceUID(ofSlice: $0) }
        try DemoFailure.require(
            Set(stored) == Set(wanted) && answer.items(.failedSOPSequence).isEmpty,
            "STOW-RS stored \(stored.count) of \(wanted.count) instances")
        return (body.count, time)
    }

    // MARK: reconciliation

    mutating func reconciliation() async throws {
        let study = try DemoFailure.unwrap(study, "there is no study")
        let count = series.reduce(0) { $0 + $1.sliceCount }
        let story = self
        let (found, time) = try await DemoNarrator.timed {
            try await story.eventually("the ImagingStudy of \(study.studyInstanceUID) with \(count) instances") {
                let found = try await story.imagingStudies(study.studyInstanceUID)
                return found.first { $0.text("numberOfInstances") == "\(count)" }
            }
        }
        imagingStudyID = try DemoFailure.unwrap(found.text("id"), "the ImagingStudy has no id")
        try DemoFailure.require(
            found.text("basedOn.0.reference") == "ServiceRequest/\(serviceRequestID)"
                && found.text("subject.reference") == "Patient/\(patientID)",
            "ImagingStudy/\(imagingStudyID) is not linked to ServiceRequest/\(serviceRequestID) and Patient/\(patientID)"
        )
        let listed = found["series"]?.elements.compactMap { $0.text("uid") } ?? []
        try DemoFailure.require(
            Set(listed) == Set(series.map(\.seriesInstanceUID)), "ImagingStudy/\(imagingStudyID) lists other series")
        narrator.fact(
            "ImagingStudy/\(imagingStudyID): 2 series, \(count) instances, basedOn ServiceRequest/\(serviceRequestID), subject Patient/\(patientID)",
            time)
        let endpoint = try DemoFailure.unwrap(
            found.text("endpoint.0.reference"), "ImagingStudy/\(imagingStudyID) has no endpoint")
        let address = try await fhir(endpoint).root.text("address") ?? ""
        try DemoFailure.require(
            address.hasPrefix(server.endpoints.http), "\(endpoint) leads to \"\(address)\", which is not this server")
        narrator.fact("\(endpoint) leads to \(address)")
        try await stray(of: study)
    }

    /// A series with an accession number that no order has: kept, listed, linked to nothing.
    private func stray(of study: PhantomStudy) async throws {
        var wrong = study
        wrong.studyInstanceUID = DemoOrder.strayStudyInstanceUID
        wrong.accessionNumber = DemoOrder.wrongAccessionNumber
        let series = PhantomSeries(
            of: wrong, number: 1, description: "Mislabelled", phantom: CTPhantom(sliceCount: 4, sliceSpacing: 5))
        let (_, time) = try await store(series)
        narrator.fact(
            "C-STORE: \(series.sliceCount) slices that name accession \(wrong.accessionNumber), which no order has",
            time)
        let story = self
        let entry = try await eventually("the entry of the stray series in the quarantine") {
            try await story.quarantine().first { $0.contains(wrong.studyInstanceUID) }
        }
        try DemoFailure.require(entry.contains("unknown-accession"), "the quarantine gives another reason: \(entry)")
        narrator.fact("GET /ops/quarantine lists study \(wrong.studyInstanceUID): unknown-accession")
        try DemoFailure.require(
            try await imagingStudies(wrong.studyInstanceUID).isEmpty,
            "the stray study has an ImagingStudy although it is in quarantine")
        narrator.fact("and no ImagingStudy exists for it: nothing was guessed")
    }

    func imagingStudies(_ studyInstanceUID: String) async throws -> [JSONNode] {
        try await search("ImagingStudy", [("identifier", "urn:dicom:uid|urn:oid:\(studyInstanceUID)")])
    }

    /// The entries of the quarantine, each as its JSON text.
    func quarantine() async throws -> [String] {
        let answer = try await http.send(
            .GET, "/ops/quarantine", token: token, headers: [("Accept", "application/json")]
        )
        .expect(200).json()
        let list =
            answer.root.kind == .array ? answer.root : answer.root.members.first { $0.value.kind == .array }?.value
        return list?.elements.map { String(decoding: $0.rawBytes, as: UTF8.self) } ?? []
    }
}
