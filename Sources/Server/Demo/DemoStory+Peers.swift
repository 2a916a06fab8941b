import DICOMData
import DICOMNetwork
import DIMSEAdapter
import FHIRModel
import HL7v2
import NIOHTTP1

/// Stages 8 and 9: the systems that were there before, and stay.
extension DemoStory {
    /// A study that only the old PACS has is found here, by its own protocol and by the web's.
    func prior() async throws {
        guard let archive else {
            narrator.fact("\(DemoArchive.program) of DCMTK is not installed: there is no old PACS to look into")
            return
        }
        var old = try DemoFailure.unwrap(study, "there is no study")
        old.studyInstanceUID = DemoOrder.priorStudyInstanceUID
        old.accessionNumber = DemoOrder.priorAccessionNumber
        old.date = site.date(minutes: -2 * 365 * 24 * 60)
        let series = PhantomSeries(
            of: old, number: 1, description: "Two years ago", phantom: CTPhantom(sliceCount: 3, sliceSpacing: 50))
        try await archive.store(series)
        narrator.fact(
            "\(DemoArchive.title) (DCMTK's \(DemoArchive.program)) has a CT of \(old.date): \(series.sliceCount) slices, study \(old.studyInstanceUID)"
        )
        let path = "studies?PatientID=\(DemoHTTPClient.encoded(DemoSite.patientID))"
        let before = try await dicom(path)
        try DemoFailure.require(
            !before.contains { $0.uid(.studyInstanceUID) == old.studyInstanceUID },
            "the study of the old PACS is found before anybody told of it")
        try await DemoServer.command([
            "peer", "add", server.folder.path, "--ae", DemoArchive.title, "--host", "127.0.0.1", "--port",
            "\(archive.port)", "--may", "echo", "--archive",
        ])
        narrator.fact("hilum peer add … --ae \(DemoArchive.title) --archive, while the server runs")
        let story = self
        let (found, time) = try await DemoNarrator.timed {
            try await story.eventually("the study of the old PACS by QIDO-RS") {
                try await story.dicom(path).first { $0.uid(.studyInstanceUID) == old.studyInstanceUID }
            }
        }
        try DemoFailure.require(
            found.string(.instanceAvailability) == "NEARLINE" && found.string(.retrieveAETitle) == DemoArchive.title
                && found.string(.studyDate) == old.date && found.string(.patientID) == DemoSite.patientID,
            "QIDO-RS does not tell where the study of the old PACS lies")
        narrator.fact(
            "QIDO-RS \(path): \(before.count) studies here and this one, NEARLINE at \(DemoArchive.title)", time)
        try await finding(old)
    }

    /// The same by C-FIND, Study Root. PS3.4 §C.4.1.
    private func finding(_ old: PhantomStudy) async throws {
        var keys = DataSet()
        keys.set(.queryRetrieveLevel, string: "STUDY")
        keys.set(.patientID, string: DemoSite.patientID)
        for tag in [Tag.studyInstanceUID, .studyDate, .retrieveAETitle, .instanceAvailability] { keys.setEmpty(tag) }
        let association = try await associate(
            as: DemoSite.workstationTitle,
            [(UID.studyRootFind, [TransferSyntax.implicitVRLittleEndian.uid])])
        let (found, time) = try await DemoNarrator.timed {
            try await association.find(sopClassUID: UID.studyRootFind, identifier: keys)
        }
        try await association.release()
        let match = found.matches.first { $0.uid(.studyInstanceUID) == old.studyInstanceUID }
        try DemoFailure.require(
            found.status == .success && match?.string(.retrieveAETitle) == DemoArchive.title,
            "C-FIND ended with \(found.status) and does not find the study of the old PACS")
        narrator.fact(
            "C-FIND by \(DemoSite.workstationTitle): \(found.matches.count) studies, \(match?.string(.studyDate) ?? "") among them",
            time)
    }

    /// Each state of the report has left for the RIS. IHE RAD-28.
    func telling() async throws {
        let (ris, story) = (ris, self)
        let states = DemoMessages.ResultStatus.allCases
        let told = try await eventually("ORU^R01 of all \(states.count) states at \(DemoRIS.application)") {
            let told = ris.told
            return told.last?.part("OBR-25") == states.last?.rawValue ? told : nil
        }
        try DemoFailure.require(
            told.map { $0.part("OBR-25") } == states.map(\.rawValue),
            "\(DemoRIS.application) was told \(told.map { $0.part("OBR-25") })")
        for (message, status) in zip(told, states) { try story.check(message, status) }
        let ids = told.map(\.header.controlIDText)
        try DemoFailure.require(Set(ids).count == ids.count, "two messages have one control id")
        narrator.fact(
            "\(DemoRIS.application) got ORU^R01 \(states.map(\.rawValue).joined(separator: ", ")) by MLLP, in order, as ids \(ids.joined(separator: ", "))"
        )
        let outbox = try await eventually("the end of the deliveries in the outbox") { () -> Int? in
            let entries = try await story.outbox()
            return entries.allSatisfy { $0 == "done" } && entries.count == states.count ? entries.count : nil
        }
        narrator.fact("GET /ops/outbox?destination=hl7/\(DemoRIS.destination): \(outbox) entries, all done")
    }

    private func check(_ message: Message, _ status: DemoMessages.ResultStatus) throws {
        let expected = [
            ("MSH-5", DemoRIS.application), ("PID-3", DemoSite.patientID), ("ORC-2", DemoOrder.scan.placerNumber),
            ("ORC-3", DemoOrder.scan.fillerNumber), ("OBR-18", DemoOrder.scan.accessionNumber),
        ]
        for (path, wanted) in expected where message.part(path) != wanted {
            throw DemoFailure("ORU^R01 \(status.rawValue) says \"\(message.part(path))\" in \(path), not \"\(wanted)\"")
        }
        let values = message.segments.filter { $0.id == "OBX" }
        try DemoFailure.require(
            values.allSatisfy { $0[11].text == status.rawValue || $0[3].text == "113014" },
            "an OBX-11 is not \(status.rawValue)")
        let words = values.compactMap { $0[5].text }
        for line in DemoMessages.text(status) + [DemoMessages.impression(status)]
        where !words.contains(where: { $0.contains(line) }) {
            throw DemoFailure("ORU^R01 \(status.rawValue) lacks \"\(line)\"")
        }
        try DemoFailure.require(
            words.contains(DemoMessages.diameter(status)) && values.contains { $0[2].text == "ED" },
            "ORU^R01 \(status.rawValue) lacks the measurement or the PDF")
    }

    /// The states of what was put into the outbox for the RIS.
    private func outbox() async throws -> [String] {
        let path = "/ops/outbox?destination=\(DemoHTTPClient.encoded("hl7/" + DemoRIS.destination))"
        let reply = try await http.send(.GET, path, token: token, headers: [("Accept", "application/json")])
        return try reply.expect(200).json()["entries"]?.elements.compactMap { $0.text("state") } ?? []
    }
}

extension Message {
    /// A part as text; empty for none.
    fileprivate func part(_ path: String) -> String { (try? FieldPath(path)).flatMap { text(at: $0) } ?? "" }
}
