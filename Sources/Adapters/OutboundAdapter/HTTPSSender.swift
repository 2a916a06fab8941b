import Access
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Workflow

/// Sends over HTTPS to an address that the policy allows, as ``HTTPSOutbound`` fetches: no redirects, no proxy, bounded
/// waits; connections are kept for the next request to the same place.
package struct HTTPSSender: OutboundSender {
    /// Of an answer's content, so that the connection can be used again; what is longer ends it.
    private static let answerBytesRead = 16 << 10

    private let outbound: HTTPSOutbound
    private let clients: HTTPSClients

    /// - Parameter outbound: whose policy, limits and authorities count.
    package init(_ outbound: HTTPSOutbound) {
        self.outbound = outbound
        clients = HTTPSClients { try outbound.client(host: $0.host, address: $0.address) }
    }

    package func close() async { await clients.close() }

    package func post(_ request: OutboundRequest) async throws -> OutboundAnswer {
        let answer = try await send(
            request.url, headers: request.headers, body: .bytes(ByteBuffer(bytes: request.body)),
            within: outbound.limits.total, bodyBytesMax: Self.answerBytesRead)
        return OutboundAnswer(status: answer.status, retryAfterSeconds: answer.retryAfterSeconds)
    }

    /// What came back from a request whose answer matters.
    struct Content: Sendable {
        let status: Int
        let retryAfterSeconds: Int64?
        /// nil for one that is longer than asked for, breaks off or takes too long.
        let body: [UInt8]?
    }

    /// POST of a body that may be streamed. Throws as ``post(_:)``.
    /// - Parameters:
    ///   - time: for all of it; see ``HTTPSOutbound/Limits/total``.
    ///   - bodyBytesMax: of the answer.
    func send(
        _ url: String, headers: [OutboundHeader], body: HTTPClientRequest.Body, within time: TimeAmount,
        bodyBytesMax: Int
    ) async throws -> Content {
        let url = try OutboundURL(url)
        let address = try await outbound.address(of: url)
        let place = HTTPSClients.Place(host: url.host, address: address.description)
        var sent = HTTPClientRequest(url: url.text)
        sent.method = .POST
        for header in headers { sent.headers.add(name: header.name, value: header.value) }
        sent.body = body
        do {
            return try await clients.with(place) { client in
                let deadline = NIODeadline.now() + time
                let response = try await client.execute(sent, deadline: deadline)
                let retryAfter = response.headers.first(name: "Retry-After").flatMap { Int64($0) }
                return Content(
                    status: Int(response.status.code), retryAfterSeconds: retryAfter.flatMap { $0 >= 0 ? $0 : nil },
                    body: try await Self.read(response.body, bytesMax: bodyBytesMax, until: deadline))
            }
        } catch {
            throw Self.failure(error)
        }
    }

    /// Reads a content to its end; nil for a longer one, and for one that breaks off or is still coming at the deadline: the
    /// status says enough then.
    private static func read(
        _ body: HTTPClientResponse.Body, bytesMax: Int, until deadline: NIODeadline
    ) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        do {
            for try await chunk in body {
                guard bytes.count + chunk.readableBytes <= bytesMax, NIODeadline.now() < deadline else { return nil }
                bytes += chunk.readableBytesView
            }
            return bytes
        } catch is CancellationError { throw CancellationError() } catch { return nil }
    }

    static func failure(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError, is OutboundRefusal, is OutboundFailure, is StoreError: return error
        case let error as HTTPClientError:
            switch error {
            case .readTimeout, .writeTimeout, .deadlineExceeded: return OutboundFailure.noAnswer
            case .connectTimeout, .getConnectionFromPoolTimeout: return OutboundFailure.noConnection
            case .tlsHandshakeTimeout: return OutboundFailure.notTrusted
            case .cancelled: return CancellationError()
            default: return OutboundFailure.broken
            }
        case is HTTPParserError: return OutboundFailure.broken
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: return OutboundFailure.notTrusted
        default: return OutboundFailure.noConnection
        }
    }
}
