import DICOMData
import FHIRModel
import NIOHTTP1

/// Stage 6: what a zero-footprint viewer does.
extension DemoStory {
    func viewing() async throws {
        let study = try DemoFailure.unwrap(study, "there is no study")
        let thin = try DemoFailure.unwrap(series.first, "there is no series")
        let base = "studies/\(study.studyInstanceUID)"
        try await searching(study, base: base)
        let (metadata, time) = try await DemoNarrator.timed {
            try await dicom("\(base)/series/\(thin.seriesInstanceUID)/metadata")
        }
        let wanted = Set((0..<thin.sliceCount).map { thin.sopInstanceUID(ofSlice: $0) })
        try DemoFailure.require(
            metadata.count == thin.sliceCount && Set(metadata.compactMap { $0.uid(.sopInstanceUID) }) == wanted,
            "the metadata of the series hold \(metadata.count) instances where \(thin.sliceCount) were sent")
        narrator.fact("WADO-RS …/series/\(thin.seriesInstanceUID)/metadata: \(metadata.count) instances", time)
        for series in series { try await retrieving(series, slice: series.sliceCount / 2) }
    }

    /// QIDO-RS at the three levels. PS3.18 §10.6.
    private func searching(_ study: PhantomStudy, base: String) async throws {
        let accession = DemoHTTPClient.encoded(study.accessionNumber)
        let (studies, time) = try await DemoNarrator.timed { try await dicom("studies?AccessionNumber=\(accession)") }
        try DemoFailure.require(
            studies.count == 1 && studies.first?.uid(.studyInstanceUID) == study.studyInstanceUID,
            "QIDO-RS by accession number finds \(studies.count) studies")
        let found = try await dicom("\(base)/series")
        let instances = try await dicom("\(base)/instances")
        let count = series.reduce(0) { $0 + $1.sliceCount }
        try DemoFailure.require(
            found.count == series.count && instances.count == count,
            "QIDO-RS finds \(found.count) series and \(instances.count) instances where \(series.count) and \(count) were stored"
        )
        narrator.fact(
            "QIDO-RS studies?AccessionNumber=\(study.accessionNumber): 1 study; its \(found.count) series; its \(instances.count) instances",
            time)
    }

    /// An instance and its frame, compared with what was sent. PS3.18 §10.4.
    private func retrieving(_ series: PhantomSeries, slice: Int) async throws {
        let uid = series.sopInstanceUID(ofSlice: slice)
        let path =
            "/dicomweb/studies/\(series.study.studyInstanceUID)/series/\(series.seriesInstanceUID)/instances/\(uid)"
        let (http, token) = (http, token)
        let (reply, time) = try await DemoNarrator.timed {
            try await http.send(
                .GET, path, token: token,
                headers: [("Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*")])
        }
        let parts = try DemoMultipart.parts(of: reply.expect(200))
        try DemoFailure.require(parts.count == 1, "WADO-RS of one instance gave \(parts.count) parts")
        let file = parts.first ?? []
        let dataSet = file.dropFirst(try Part10File.decode(file).dataSetOffset)
        let sent = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(series.dataSet(ofSlice: slice))
        try DemoFailure.require(dataSet.elementsEqual(sent), "the data set of \(uid) came back other than it was sent")
        narrator.fact(
            "WADO-RS instance \(slice + 1) of series \(series.number): \(sent.count) bytes of data set, the same as were sent",
            time)
        let frames = try await http.send(
            .GET, path + "/frames/1", token: token,
            headers: [("Accept", "multipart/related; type=\"application/octet-stream\"")])
        let pixels = try DemoMultipart.parts(of: frames.expect(200))
        try DemoFailure.require(
            pixels.count == 1 && pixels.first == series.phantom.pixels(ofSlice: slice),
            "frame 1 of \(uid) is not the phantom's slice")
        narrator.fact("WADO-RS …/frames/1: \(pixels.first?.count ?? 0) bytes, every pixel the phantom's")
    }

    /// Data sets of a DICOMweb answer in JSON.
    func dicom(_ path: String) async throws -> [DataSet] {
        let reply = try await http.send(
            .GET, "/dicomweb/\(path)", token: token, headers: [("Accept", "application/dicom+json")])
        if reply.status == 204 { return [] }
        do {
            return try DICOMJSON.decode(reply.expect(200).body, bulkData: { _, _ in [] })
        } catch let error as DICOMDataError {
            throw DemoFailure("\(reply.request): no DICOM JSON: \(error)")
        }
    }
}
