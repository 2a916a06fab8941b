import Access
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL

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
        clients = HTTPSClients { outbound.client(host: $0.host, address: $0.address) }
    }

    package func close() async { await clients.close() }

    package func post(_ request: OutboundRequest) async throws -> OutboundAnswer {
        let url = try OutboundURL(request.url)
        let address = try await outbound.address(of: url)
        let place = HTTPSClients.Place(host: url.host, address: address.description)
        var sent = HTTPClientRequest(url: url.text)
        sent.method = .POST
        for header in request.headers { sent.headers.add(name: header.name, value: header.value) }
        sent.body = .bytes(ByteBuffer(bytes: request.body))
        do {
            return try await clients.with(place) { client in
                let response = try await client.execute(sent, timeout: outbound.limits.total)
                try await Self.drain(response.body)
                return OutboundAnswer(
                    status: Int(response.status.code),
                    retryAfterSeconds: response.headers.first(name: "Retry-After").flatMap { Int64($0) }
                        .flatMap { $0 >= 0 ? $0 : nil })
            }
        } catch {
            throw Self.failure(error)
        }
    }

    /// Reads a short content to its end; of a longer one, or one that breaks off, the status says enough.
    private static func drain(_ body: HTTPClientResponse.Body) async throws {
        var count = 0
        do {
            for try await chunk in body {
                count += chunk.readableBytes
                if count > answerBytesRead { return }
            }
        } catch is CancellationError { throw CancellationError() } catch {}
    }

    private static func failure(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError, is OutboundRefusal, is OutboundFailure: return error
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
