import AsyncHTTPClient
import FHIRModel
import NIOCore
import NIOHTTP1
import NIOSSL

/// A well-behaved HTTP client of the server.
struct WebClient: Sendable {
    /// One whole answer.
    struct Reply: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]

        var text: String { String(decoding: body.prefix(2000), as: UTF8.self) }
        func json() throws -> JSONValue { JSONValue(try JSONDocument(parsing: body, limits: .stored)) }

        /// The issue code of an OperationOutcome; nil when the body is none.
        var issue: String? {
            guard let json = try? json(), json["resourceType"]?.string == "OperationOutcome" else { return nil }
            return json["issue"]?[0]?["code"]?.string
        }
    }

    /// Scheme, host and port.
    let base: String
    private let client: HTTPClient

    /// A client that trusts the server's authority and is closed afterwards.
    static func with<T: Sendable>(_ server: HilumServer, _ body: @Sendable (WebClient) async throws -> T) async throws
        -> T
    {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(server.folder.authorityFile)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(120)
        // A refused connection is an answer: nothing here waits for a server to come back.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let result = try await body(WebClient(base: server.endpoints.http, client: client))
            try await client.shutdown()
            return result
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    func send(
        _ method: HTTPMethod = .GET, _ path: String, token: String? = nil, headers: [(String, String)] = [],
        body: [UInt8]? = nil
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await client.execute(request, timeout: .seconds(300))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return Reply(
            status: Int(response.status.code), headers: response.headers, body: Array(bytes.readableBytesView))
    }
}

extension ServerTrait.Context {
    /// Sends FHIR JSON as the client that may do everything.
    func fhir(_ method: HTTPMethod = .GET, _ path: String, _ json: String? = nil, headers: [(String, String)] = [])
        async throws -> WebClient.Reply
    {
        let type = json == nil ? [] : [("Content-Type", "application/fhir+json")]
        return try await web.send(
            method, "/fhir" + path, token: token, headers: type + headers, body: json.map { Array($0.utf8) })
    }

    /// Stores parts as the client that may do everything. PS3.18 §10.5.
    func stow(_ parts: [[UInt8]], study: String = "") async throws -> WebClient.Reply {
        try await stow(body: Samples.multipart(parts), study: study)
    }

    func stow(
        body: [UInt8], study: String = "", type: String = "multipart/related; type=\"application/dicom\"; boundary=cut"
    ) async throws -> WebClient.Reply {
        try await web.send(
            .POST, "/dicomweb/studies" + (study.isEmpty ? "" : "/" + study), token: token,
            headers: [("Content-Type", type), ("Accept", "application/dicom+json")], body: body)
    }

    /// How many instances of a study can be seen. PS3.18 §10.6.
    func visible(study: String) async throws -> Int {
        let reply = try await web.send(.GET, "/dicomweb/studies/\(study)/instances", token: token)
        if reply.status == 204 { return 0 }
        guard reply.status == 200, let found = try reply.json().array else {
            throw JourneyFailure("QIDO answered \(reply.status) \(reply.text)")
        }
        return found.count
    }

    /// How many patients have an identifier.
    func patients(_ system: String, _ value: String) async throws -> Int {
        let reply = try await fhir(.GET, "/Patient?identifier=\(system)%7C\(value)")
        guard reply.status == 200 else { throw JourneyFailure("search answered \(reply.status) \(reply.text)") }
        return try reply.json()["entry"]?.array?.count ?? 0
    }

    /// A good client is served on every door.
    func allDoorsServe() async throws -> Bool {
        let isRead = try await fhir(.GET, "/Patient?_count=1").status == 200
        let isSearched = try await web.send(.GET, "/dicomweb/studies?limit=1", token: token).status == 200
        let isEchoed = try await DIMSEPeer.isEchoed(server)
        let answer = try await MLLPPeer.send(Samples.message("STILL-HERE"), to: server)
        return isRead && isSearched && isEchoed && answer?.code == "AA"
    }
}
