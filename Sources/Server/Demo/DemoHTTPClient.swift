import AsyncHTTPClient
import FHIRModel
import Foundation
import HTTPSupport
import NIOCore
import NIOHTTP1
import NIOSSL

/// HTTPS to the server, trusting its authority and nothing else.
struct DemoHTTPClient: Sendable {
    /// One whole answer.
    struct Reply: Sendable {
        let request: String
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]

        func header(_ name: String) -> String? { headers.first(name: name) }

        /// The body as JSON. Throws ``DemoFailure``.
        func json() throws -> JSONDocument {
            do throws(JSONError) {
                return try JSONDocument(parsing: body, limits: .stored)
            } catch {
                throw DemoFailure("\(request): the answer is no JSON: \(error)")
            }
        }

        /// Throws ``DemoFailure`` with the begin of the body for any other status.
        @discardableResult
        func expect(_ wanted: Int...) throws -> Reply {
            guard wanted.contains(status) else {
                let begin = String(decoding: body.prefix(600), as: UTF8.self)
                throw DemoFailure(
                    "\(request): status \(status) where \(wanted.map(String.init).joined(separator: " or ")) was due\n\(begin)"
                )
            }
            return self
        }
    }

    /// Answers longer than this are refused, in bytes.
    static let bodyBytesMax = 256 << 20

    /// Scheme, host and port.
    let base: String
    private let client: HTTPClient

    init(base: String, authorityFile: String) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(authorityFile)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        self.base = base
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func close() async { try? await client.shutdown() }

    /// Sends a request; `target` is a path of this server or a whole URL.
    func send(
        _ method: HTTPMethod = .GET, _ target: String, token: String? = nil, headers: [(String, String)] = [],
        body: [UInt8]? = nil
    ) async throws -> Reply {
        let name = "\(method.rawValue) \(target)"
        var request = HTTPClientRequest(url: target.hasPrefix("/") ? base + target : target)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            let response = try await client.execute(request, timeout: .seconds(120))
            let bytes = try await response.body.collect(upTo: Self.bodyBytesMax)
            return Reply(
                request: name, status: Int(response.status.code), headers: response.headers,
                body: Array(bytes.readableBytesView))
        } catch {
            throw DemoFailure("\(name): \(error)")
        }
    }

    /// A query component with what is not unreserved percent-encoded. RFC 3986 §2.3.
    static func encoded(_ text: String) -> String { PercentCoding.encoded(text) }

    /// Fields as a query, or as the body of a form.
    static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\(encoded($0))=\(encoded($1))" }.joined(separator: "&")
    }
}
