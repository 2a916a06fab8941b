import DIMSEAdapter
import DICOMData
import DICOMNetwork
import FHIRModel
import Foundation
import MLLPAdapter
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One imaging order through every door of a running server, each answer checked.
///
/// The stages are in the extensions; each leaves here what later ones need.
struct DemoStory {
    let site: DemoSite
    let messages: DemoMessages
    let server: DemoServer
    let http: DemoHTTPClient
    let tls: NIOSSLContext?
    let narrator: DemoNarrator
    let ownFiles: DemoOwnFiles
    let ris: DemoRIS
    /// Nil where the program of the old PACS is not installed.
    let archive: DemoArchive?
    let app: DemoApp

    // What the stages find.
    var token = ""
    var patientID = ""
    var serviceRequestID = ""
    var taskID = ""
    var imagingStudyID = ""
    var reportID = ""
    /// With which the patient signs in.
    var password = ""
    /// The study as the worklist described it.
    var study: PhantomStudy?
    var series: [PhantomSeries] = []
    /// Seconds on the wall, by stage.
    var times: [(title: String, time: Duration)] = []

    init(
        server: DemoServer, narrator: DemoNarrator, ownFiles: DemoOwnFiles, ris: DemoRIS, archive: DemoArchive?,
        app: DemoApp, http: DemoHTTPClient
    ) throws {
        let now = Date()
        site = DemoSite(
            begin: Int(now.timeIntervalSince1970), offsetMinutes: TimeZone.current.secondsFromGMT(for: now) / 60)
        messages = DemoMessages(site: site)
        self.server = server
        self.narrator = narrator
        self.ownFiles = ownFiles
        self.ris = ris
        self.archive = archive
        self.app = app
        self.http = http
        let authority = server.folder.authorityCertificateFile
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authority)
        tls = server.dimse.tls ? try NIOSSLContext(configuration: configuration) : nil
    }

    /// Plays all stages. Throws ``DemoFailure`` at the first wrong answer, naming its stage.
    mutating func play() async throws {
        try await stage(1, "The patient is registered: ADT^A04 by MLLP") { try await $0.registration() }
        try await stage(2, "The scan is ordered: ORM^O01 by MLLP") { try await $0.ordering() }
        try await stage(3, "The modality asks for its worklist: C-FIND by DIMSE") { try await $0.worklist() }
        try await stage(4, "The images arrive: C-STORE and STOW-RS") { try await $0.images() }
        try await stage(5, "The study finds its order, and a stray one does not") { try await $0.reconciliation() }
        try await stage(6, "A viewer reads: QIDO-RS and WADO-RS") { try await $0.viewing() }
        try await stage(7, "The report is sent three times, then all is exported: ORU^R01, $export") { story in
            try await story.reporting()
            try await story.exporting()
        }
        try await stage(8, "The prior lies in the old PACS: found by QIDO-RS and C-FIND") { try await $0.prior() }
        try await stage(9, "The report leaves for the RIS: ORU^R01 by MLLP") { try await $0.telling() }
        try await stage(10, "An app is launched for the patient: SMART App Launch") { try await $0.launching() }
        try await playOwnFiles()
    }

    private mutating func stage(
        _ number: Int, _ title: String, _ body: (inout DemoStory) async throws -> Void
    ) async throws {
        narrator.stage(number, title)
        let clock = ContinuousClock()
        let begin = clock.now
        do {
            try await body(&self)
        } catch let failure as DemoFailure {
            throw DemoFailure("stage \(number) failed: \(failure.description)")
        } catch let error where !(error is CancellationError) {
            throw DemoFailure("stage \(number) failed: \(error)")
        }
        times.append((title, clock.now - begin))
    }

    // MARK: the wires

    /// One message over a connection of its own; its acknowledgment must be AA.
    @discardableResult
    func send(_ message: [UInt8], _ name: String) async throws -> MLLPClient.Answer {
        let client = try await connectMLLP()
        let (answer, time) = try await DemoNarrator.timed { try await client.send(message) }
        await client.close()
        guard answer.isAccepted else {
            let text = String(decoding: answer.bytes.map { $0 == 0x0D ? 0x0A : $0 }, as: UTF8.self)
            throw DemoFailure("\(name) was answered with \(answer.code):\n\(text)")
        }
        narrator.fact("sent \(name), acknowledged \(answer.code)", time)
        return answer
    }

    func connectMLLP() async throws -> MLLPClient {
        let mllp = server.mllp
        return try await MLLPClient.connect(
            host: mllp.host, port: mllp.port, tls: tls, group: MultiThreadedEventLoopGroup.singleton)
    }

    func associate(
        as title: String = DemoSite.modalityTitle, _ contexts: [(abstractSyntax: String, transferSyntaxes: [String])]
    ) async throws -> SCUAssociation {
        let dimse = server.dimse
        guard let called = AETitle(dimse.ae), let calling = AETitle(title) else {
            throw DemoFailure("\(title) is no AE title")
        }
        var destination = SCUAssociation.Destination(
            host: dimse.host, port: dimse.port, calledAETitle: called, callingAETitle: calling)
        destination.tls = tls
        return try await SCUAssociation.open(destination, contexts: contexts)
    }

    /// A FHIR read or search; 200 and JSON.
    func fhir(_ path: String) async throws -> JSONDocument {
        try await http.send(.GET, "/fhir/\(path)", token: token, headers: [("Accept", "application/fhir+json")]).expect(
            200
        ).json()
    }

    /// The resources of a search's page.
    func search(_ type: String, _ parameters: [(String, String)]) async throws -> [JSONNode] {
        try await fhir("\(type)?\(DemoHTTPClient.form(parameters))").resources
    }

    /// The one resource that a search finds.
    func only(_ type: String, _ parameters: [(String, String)]) async throws -> JSONNode {
        let found = try await search(type, parameters)
        guard found.count == 1, let first = found.first, first["resourceType"]?.isString(type) == true else {
            let query = parameters.map { "\($0)=\($1)" }.joined(separator: "&")
            throw DemoFailure("\(type)?\(query) found \(found.count) where 1 was due")
        }
        return first
    }

    /// Asks again until there is an answer, for what the server publishes a moment after it took it.
    func eventually<Value>(_ what: String, within limit: Duration = .seconds(20), _ ask: () async throws -> Value?)
        async throws -> Value
    {
        let clock = ContinuousClock()
        let end = clock.now + limit
        while true {
            if let value = try await ask() { return value }
            guard clock.now < end else { throw DemoFailure("\(what) did not come within \(DemoNarrator.text(limit))") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

extension JSONDocument {
    /// Of a Bundle, in its order.
    var resources: [JSONNode] { self["entry"]?.elements.compactMap { $0["resource"] } ?? [] }
}

extension JSONNode {
    /// The node at a path of member names and array positions, such as `basedOn.0.reference`.
    func at(_ path: String) -> JSONNode? {
        var node: JSONNode? = self
        for step in path.split(separator: ".") {
            node = Int(step).map { node?[$0] } ?? node?[String(step)]
        }
        return node
    }
    func text(_ path: String) -> String? { at(path).flatMap { $0.string ?? $0.numberText } }
}
