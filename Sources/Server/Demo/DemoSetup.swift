import Foundation

/// Makes the server folder of the demo with the commands a user would type, and starts the server.
struct DemoSetup: Sendable {
    let folder: ServerFolder
    let narrator: DemoNarrator
    /// MSH-3 and MSH-4 of the user's own messages: their senders must be known before they may send.
    let senders: [(application: String, facility: String)]

    /// Throws ``DemoFailure`` with what the command printed.
    func makeFolder() async throws {
        var words = ["init", folder.path]
        for option in ["--http-port", "--dimse-port", "--mllp-port"] {
            words += [option, "0"]
        }
        try await DemoServer.command(words)
        try describeStation()
        narrator.fact("hilum init \(folder.path)")
        let (keyID, keySetFile) = try DemoClient.makeKey(in: folder)
        let registered = try await DemoServer.command([
            "client", "register", folder.path, "--name", "Demo client", "--jwks", keySetFile, "--scope",
            DemoClient.scope,
        ])
        let mark = "client_id: "
        guard let line = registered.split(separator: "\n").first(where: { $0.hasPrefix(mark) }) else {
            throw DemoFailure("hilum client register printed no client_id")
        }
        let client = DemoClient(clientID: String(line.dropFirst(mark.count)), keyID: keyID, scope: DemoClient.scope)
        try client.save(in: folder)
        narrator.fact("hilum client register … --scope \"\(client.scope)\"   client_id \(client.clientID)")
        for title in [DemoSite.modalityTitle, DemoSite.workstationTitle] {
            try await DemoServer.command(["peer", "add", folder.path, "--ae", title, "--may", "all"])
        }
        var known: Set<String> = []
        for sender in [(DemoSite.sendingApplication, DemoSite.sendingFacility)] + senders {
            guard !sender.0.isEmpty, known.insert("\(sender.0)|\(sender.1)").inserted else { continue }
            var words = ["peer", "add", folder.path, "--mllp-app", sender.0, "--may", "all"]
            if !sender.1.isEmpty { words += ["--mllp-facility", sender.1] }
            try await DemoServer.command(words)
        }
        narrator.fact(
            "hilum peer add …   AE titles \(DemoSite.modalityTitle), \(DemoSite.workstationTitle); HL7 senders \(known.sorted().joined(separator: ", "))"
        )
    }

    /// The demo's site puts the station's AE title in OBR-21, and has its RIS told of reports; its profile says so.
    private func describeStation() throws {
        let path = folder.path + "/site.yaml"
        var text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        text +=
            "\n# The demo's orders name the station in OBR-21 (Filler Field 2).\nfields:\n  station_ae_title: OBR-21\n"
            + "\n# What leaves by itself.\ndestinations:\n  \(DemoRIS.destination):\n    peer: \(DemoRIS.application)|\(DemoRIS.facility)\n"
            + "    send: [{ event: result }]\n"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// Tells the running server where the RIS is.
    func add(_ ris: DemoRIS) async throws {
        try await DemoServer.command([
            "peer", "add", folder.path, "--mllp-app", DemoRIS.application, "--mllp-facility", DemoRIS.facility,
            "--host", "127.0.0.1", "--port", "\(try await ris.port())", "--offers", "results",
        ])
        narrator.fact("hilum peer add …   \(DemoRIS.application), which is told of reports")
    }

    func startServer(ended: @escaping @Sendable (Int32) -> Void) async throws -> DemoServer {
        let server = try await DemoServer.start(folder, ended: ended)
        let endpoints = server.endpoints
        narrator.fact("hilum serve \(folder.path)   ready", server.startTime)
        narrator.fact("FHIR      \(endpoints.http)/fhir")
        narrator.fact("DICOMweb  \(endpoints.http)/dicomweb")
        narrator.fact(
            "DIMSE     \(server.dimse.ae) at \(server.dimse.host):\(server.dimse.port)\(server.dimse.tls ? ", TLS" : "")"
        )
        narrator.fact("MLLP      \(server.mllp.host):\(server.mllp.port)\(server.mllp.tls ? ", TLS" : "")")
        return server
    }
}
