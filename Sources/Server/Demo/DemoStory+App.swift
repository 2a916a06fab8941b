import Basics
import Cryptography
import FHIRModel
import NIOHTTP1

/// Stage 10: an application is launched for the patient.
extension DemoStory {
    /// The account of the patient, who may use their applications.
    static let accountName = "demo"

    mutating func launching() async throws {
        let folder = server.folder.path
        password = Base64URL.encode(SecureRandom.bytes(12))
        let added = try await DemoServer.command([
            "user", "add", folder, Self.accountName, "--role", "patient", "--display-name", "Demo Phantom",
            "--fhir-user", "Patient/\(patientID)", "--patient", patientID,
        ])
        let code = try Self.word("one-time code: ", in: added)
        narrator.fact("hilum user add … \(Self.accountName) --role patient --patient \(patientID)")
        let registered = try await DemoServer.command([
            "client", "register", folder, "--name", DemoApp.name, "--public", "--redirect-uri", app.redirectURI,
            "--launch", app.launchURL, "--scope", DemoApp.scope,
        ])
        let clientID = try Self.word("client_id: ", in: registered)
        narrator.fact("hilum client register … --public --launch \(app.launchURL)   client_id \(clientID)")
        let (http, patient, study, home) = (http, patientID, imagingStudyID, server.folder)
        app.register(
            DemoApp.Registration(clientID: clientID) {
                try await Self.handle(for: clientID, patient: patient, study: study, from: http, folder: home)
            })

        var browser = DemoBrowser(http)
        try await browser.open(http.base + "/account/reset")
        try await browser.submit(
            "/account/reset",
            [("name", Self.accountName), ("code", code), ("password", password), ("repeat", password)])
        let (_, time) = try await DemoNarrator.timed {
            try await browser.open(app.ehrURL)
            try await browser.submit("/account/sign-in", [("name", Self.accountName), ("password", password)])
            try await browser.goOn()
            try await browser.submit("/auth/consent", [("decision", "allow")])
        }
        narrator.fact("EHR: POST /ops/launches; application: authorize, sign-in, consent, PKCE, token", time)
        let listing = try DemoFailure.unwrap(app.shown, "the application has shown nothing")
        try check(listing, on: browser.page)
        for study in listing.studies { narrator.fact("study   \(study.date)  \(study.title), \(study.more)") }
        for report in listing.reports { narrator.fact("report  \(report.date)  \(report.title), \(report.more)") }
    }

    /// The list is the patient's, all of it, and the page shows it and leads to the viewer.
    private func check(_ listing: DemoApp.Listing, on page: String) throws {
        let study = try DemoFailure.unwrap(study, "there is no study")
        try DemoFailure.require(
            listing.studies.contains { $0.id == imagingStudyID && $0.studyInstanceUID == study.studyInstanceUID },
            "the application lists no ImagingStudy/\(imagingStudyID)")
        try DemoFailure.require(
            listing.reports.contains { $0.id == reportID }, "the application lists no DiagnosticReport/\(reportID)")
        try DemoFailure.require(
            listing.patient == DemoSite.patientName.joined(separator: ", "),
            "the application was launched for another patient")
        for text in ["\(http.base)/viewer#study=\(study.studyInstanceUID)"]
            + (listing.studies + listing.reports).map(\.date)
        {
            try DemoFailure.require(page.contains(text), "the application's page does not show \(text)")
        }
    }

    /// What the EHR of the demo does: a handle for the patient, with the study. SMART 2.2 §Launch app: EHR launch.
    private static func handle(
        for clientID: String, patient: String, study: String, from http: DemoHTTPClient, folder: ServerFolder
    ) async throws -> String {
        let client = try DemoClient.load(from: folder)
        let pem = String(decoding: try ServerFolder.readSecret(DemoClient.keyFile(folder)), as: UTF8.self)
        let token = try await client.token(from: http, key: pem)
        let body =
            "{\"client_id\":\"\(clientID)\",\"patient\":\"\(patient)\",\"fhirContext\":[{\"reference\":\"ImagingStudy/\(study)\"}]}"
        let answer = try await http.send(
            .POST, "/ops/launches", token: token.text, headers: [("Content-Type", "application/json")],
            body: Array(body.utf8)
        ).expect(201).json()
        return try DemoFailure.unwrap(answer["launch"]?.string, "POST /ops/launches gave no launch")
    }

    /// What stands behind a mark at the begin of a line.
    private static func word(_ mark: String, in text: String) throws -> String {
        try DemoFailure.unwrap(
            text.split(separator: "\n").first { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) },
            "no \(mark)in what the command printed")
    }
}
