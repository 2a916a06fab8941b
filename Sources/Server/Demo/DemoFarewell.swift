import DICOMData
import Foundation

/// What the reader may do next: lines to copy that work against the running server.
struct DemoFarewell: Sendable {
    let story: DemoStory

    private var folder: ServerFolder { story.server.folder }
    private var followUpFolder: String { folder.path + "/demo/follow-up" }

    /// Puts three slices of the order for tomorrow where storescu finds them.
    func writeFollowUp() throws {
        guard var study = story.study else { return }
        let order = DemoOrder.followUp
        study.studyInstanceUID = order.studyInstanceUID
        study.accessionNumber = order.accessionNumber
        study.requestedProcedureID = order.requestedProcedureID
        study.scheduledProcedureStepID = order.stepID
        let series = PhantomSeries(
            of: study, number: 1, description: "Follow-up", phantom: CTPhantom(sliceCount: 3, sliceSpacing: 5))
        try FileManager.default.createDirectory(atPath: followUpFolder, withIntermediateDirectories: true)
        for slice in 0..<series.sliceCount {
            let file = Part10File(
                dataSet: series.dataSet(ofSlice: slice), transferSyntax: .explicitVRLittleEndian,
                sourceAETitle: DemoSite.modalityTitle)
            try Data(file.encode()).write(to: URL(fileURLWithPath: followUpFolder + "/\(slice + 1).dcm"))
        }
    }

    /// The lines.
    var text: String {
        let endpoints = story.server.endpoints
        let authority = Self.quoted(folder.authorityCertificateFile)
        let program = Self.quoted(DemoServer.executable)
        let curl = "curl -sS --cacert \(authority) -H \"Authorization: Bearer $TOKEN\""
        let tls = story.server.dimse.tls ? "+tla --add-cert-file \(authority) " : ""
        let dicom = "\(tls)-aet \(DemoSite.modalityTitle) -aec \(story.server.dimse.ae)"
        let address = "\(story.server.dimse.host) \(story.server.dimse.port)"
        let identifier = DemoHTTPClient.encoded("\(DemoSite.patientSystem)|\(DemoSite.patientID)")
        let step = "ScheduledProcedureStepSequence[0]"
        return """

            The server is still running. In another terminal (a token lives five minutes):

            TOKEN=$(\(program) token \(Self.quoted(folder.path)))
            \(curl) "\(endpoints.http)/fhir/Patient?identifier=\(identifier)"
            \(curl) "\(endpoints.http)/fhir/ServiceRequest/\(story.serviceRequestID)"
            \(curl) "\(endpoints.http)/fhir/ImagingStudy?basedon=ServiceRequest/\(story.serviceRequestID)"
            \(curl) "\(endpoints.http)/fhir/DiagnosticReport/\(story.reportID)/_history"
            \(curl) "\(endpoints.http)/dicomweb/studies?PatientID=\(DemoSite.patientID)"
            \(curl) "\(endpoints.http)/ops/quarantine"

            findscu -W \(dicom) -k PatientName -k AccessionNumber -k StudyInstanceUID -k "\(step).Modality=CT" -k "\(step).ScheduledProcedureStepStartDate" \(address)
            storescu -v \(dicom) \(address) \(Self.quoted(followUpFolder))/*.dcm
            \(curl) "\(endpoints.http)/fhir/ImagingStudy?identifier=\(DemoHTTPClient.encoded("urn:dicom:uid|urn:oid:\(DemoOrder.followUp.studyInstanceUID)"))"

            The app for the patient, launched by the demo's EHR (the browser warns of the demo's own certificate):
            \(story.app.ehrURL)      sign in as \(DemoStory.accountName) with \(story.password)

            Its folder is \(folder.path), its log \(DemoServer.logFile(folder)).
            Ctrl-C ends it.
            """
    }

    /// A word for the shell.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "/._-+:".utf8.contains(byte)
        }
        return isPlain
            ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
