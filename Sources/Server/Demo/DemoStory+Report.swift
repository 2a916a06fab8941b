import FHIRModel
import NIOHTTP1
import Foundation

/// Stage 7: the report in its three states, and everything as NDJSON.
extension DemoStory {
    mutating func reporting() async throws {
        for status in DemoMessages.ResultStatus.allCases {
            try await send(messages.result(status, of: .scan), "ORU^R01 \(status.rawValue)")
            let report = try await only("DiagnosticReport", [("based-on", "ServiceRequest/\(serviceRequestID)")])
            let id = try DemoFailure.unwrap(report.text("id"), "the DiagnosticReport has no id")
            try DemoFailure.require(reportID.isEmpty || reportID == id, "the report of the order became another one")
            reportID = id
            try check(report, status)
            let observations = try await findings(report, status)
            narrator.fact(
                "DiagnosticReport/\(id) version \(report.text("meta.versionId") ?? "?") is \(status.fhir): \"\(report.text("conclusion") ?? "")\", \(observations)"
            )
        }
        let bundle = try await fhir("DiagnosticReport/\(reportID)/_history")
        let states = bundle["entry"]?.elements.compactMap { $0.text("resource.status") } ?? []
        for status in DemoMessages.ResultStatus.allCases where !states.contains(status.fhir) {
            throw DemoFailure("the history of DiagnosticReport/\(reportID) lacks the \(status.fhir) version")
        }
        narrator.fact("its history keeps \(states.count) versions: \(states.reversed().joined(separator: ", "))")
    }

    private func check(_ report: JSONNode, _ status: DemoMessages.ResultStatus) throws {
        let expected = [
            ("status", status.fhir), ("subject.reference", "Patient/\(patientID)"),
            ("basedOn.0.reference", "ServiceRequest/\(serviceRequestID)"),
            ("imagingStudy.0.reference", "ImagingStudy/\(imagingStudyID)"),
            ("conclusion", DemoMessages.impression(status)),
        ]
        for (path, wanted) in expected where report.text(path) != wanted {
            throw DemoFailure(
                "DiagnosticReport/\(reportID) says \"\(report.text(path) ?? "")\" in \(path) where \"\(wanted)\" was due"
            )
        }
        let forms =
            report["presentedForm"]?.elements.map { ($0.text("contentType") ?? "", $0.text("data") ?? "") } ?? []
        let pdf = forms.first { $0.0 == "application/pdf" }.flatMap { Data(base64Encoded: $0.1) }
        let wanted = DemoReportPDF.bytes(lines: DemoMessages.text(status) + [DemoMessages.impression(status)])
        try DemoFailure.require(
            pdf.map { [UInt8]($0) } == wanted, "DiagnosticReport/\(reportID) does not present the PDF that was sent")
        let text =
            forms.first { $0.0.hasPrefix("text/plain") }.flatMap { Data(base64Encoded: $0.1) }.map {
                String(decoding: $0, as: UTF8.self)
            } ?? ""
        for line in DemoMessages.text(status) {
            try DemoFailure.require(text.contains(line), "the text of DiagnosticReport/\(reportID) lacks \"\(line)\"")
        }
    }

    /// Reads the report's Observations; one is the measurement with its number as sent.
    private func findings(_ report: JSONNode, _ status: DemoMessages.ResultStatus) async throws -> String {
        let references = report["result"]?.elements.compactMap { $0.text("reference") } ?? []
        for reference in references {
            let observation = try await fhir(reference).root
            guard let value = observation.text("valueQuantity.value") else { continue }
            try DemoFailure.require(
                value == DemoMessages.diameter(status) && observation.text("valueQuantity.code") == "mm"
                    && observation.text("status") == status.fhir,
                "\(reference) says \(value) \(observation.text("status") ?? "") where \(DemoMessages.diameter(status)) \(status.fhir) was due"
            )
            return "\(reference) \(value) mm"
        }
        throw DemoFailure(
            "none of the \(references.count) Observations of DiagnosticReport/\(reportID) is the measurement")
    }

    // MARK: export

    /// Kick-off, polling, files, delete. FHIR Bulk Data Access 2.0.
    func exporting() async throws {
        let clock = ContinuousClock()
        let begin = clock.now
        let kickOff = try await http.send(
            .GET, "/fhir/$export", token: token,
            headers: [("Accept", "application/fhir+json"), ("Prefer", "respond-async")]
        ).expect(202)
        let status = try DemoFailure.unwrap(kickOff.header("Content-Location"), "$export gave no Content-Location")
        var polls = 0
        var manifest: JSONDocument?
        while manifest == nil {
            let reply = try await http.send(.GET, status, token: token, headers: [("Accept", "application/json")])
                .expect(200, 202)
            polls += 1
            if reply.status == 200 { manifest = try reply.json() } else { try await wait(reply, since: begin) }
        }
        let files =
            manifest?["output"]?.elements.map { ($0.text("type") ?? "", $0.text("url") ?? "", $0.text("count") ?? "?") }
            ?? []
        var ids: Set<String> = []
        var counts: [(String, Int)] = []
        for (type, url, count) in files {
            let reply = try await http.send(.GET, url, token: token, headers: [("Accept", "application/fhir+ndjson")])
                .expect(200)
            let lines = NDJSON.lines(reply.body)
            for line in lines {
                let resource = try JSONDocument(parsing: Array(line), limits: .stored).root
                try DemoFailure.require(
                    resource["resourceType"]?.isString(type) == true, "\(url) holds more than \(type)")
                ids.insert("\(type)/\(resource.text("id") ?? "")")
            }
            try DemoFailure.require(
                count == "?" || count == "\(lines.count)",
                "\(url) has \(lines.count) lines where the manifest says \(count)")
            counts.append((type, lines.count))
        }
        for wanted in [
            "Patient/\(patientID)", "ServiceRequest/\(serviceRequestID)", "Task/\(taskID)",
            "ImagingStudy/\(imagingStudyID)",
            "DiagnosticReport/\(reportID)",
        ] where !ids.contains(wanted) {
            throw DemoFailure("the export lacks \(wanted)")
        }
        try DemoFailure.require(counts.contains { $0.0 == "Observation" }, "the export lacks the Observations")
        let list = counts.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
        narrator.fact(
            "GET $export: 202, complete at poll \(polls), \(files.count) NDJSON files: \(list)", clock.now - begin)
        try await http.send(.DELETE, status, token: token).expect(202)
        narrator.fact("DELETE of the export: 202")
    }

    private func wait(_ reply: DemoHTTPClient.Reply, since begin: ContinuousClock.Instant) async throws {
        guard ContinuousClock.now - begin < .seconds(60) else {
            throw DemoFailure("$export was not complete within a minute")
        }
        let seconds = Int(reply.header("Retry-After") ?? "") ?? 1
        try await Task.sleep(for: .seconds(min(max(seconds, 1), 10)))
    }
}
