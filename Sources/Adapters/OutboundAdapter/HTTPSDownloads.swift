import Access
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Workflow

/// Fetches large contents over HTTPS from an address that the policy allows, as ``HTTPSOutbound`` fetches small ones: no
/// redirects, no proxy. How long all of it may take is up to the reader; a time without a byte is not.
package struct HTTPSDownloads: OutboundDownloads {
    /// What another server lets in by a token.
    package struct Source: Sendable {
        private let base: String
        let tokens: AccessTokenSource

        /// Throws `OutboundRefusal` for a base that is no URL to dial.
        /// - Parameter base: of all URLs that the token is for; a slash ends it, written or not.
        package init(base: String, tokens: AccessTokenSource) throws(OutboundRefusal) {
            let text = try OutboundURL(base).text
            self.base = text.hasSuffix("/") ? text : text + "/"
            self.tokens = tokens
        }

        /// Whether a URL lies below the base. One that leads upwards may lie elsewhere.
        func holds(_ url: OutboundURL) -> Bool {
            let path = url.text.prefix { $0 != "?" }.lowercased()
            return url.text.hasPrefix(base) && !path.contains("/..") && !path.contains("/.") && !path.contains("%2e")
                && !path.contains("%2f") && !path.contains("%5c")
        }
    }

    /// From the connection to the answer's head.
    private static let headSeconds: Int64 = 60

    private let outbound: HTTPSOutbound
    private let clients: HTTPSClients
    private let sources: [Source]

    /// - Parameters:
    ///   - outbound: whose policy, limits and authorities count.
    ///   - sources: those that want a token; the first that holds a URL counts.
    package init(_ outbound: HTTPSOutbound, sources: [Source] = []) {
        self.outbound = outbound
        self.sources = sources
        clients = HTTPSClients { try outbound.client(host: $0.host, address: $0.address) }
    }

    /// Closes the connections that nobody uses.
    package func close() async { await clients.close() }

    package func download(
        _ url: String, headers: [OutboundHeader], _ take: (DownloadHead, any DownloadContent) async throws -> Void
    ) async throws {
        let url = try OutboundURL(url)
        let address = try await outbound.address(of: url)
        let place = HTTPSClients.Place(host: url.host, address: address.description)
        let source = sources.first { $0.holds(url) }
        // A token that is not taken any more is asked for once more.
        for isLast in source == nil ? [true] : [false, true] {
            var request = HTTPClientRequest(url: url.text)
            for header in headers { request.headers.add(name: header.name, value: header.value) }
            let token = try await token(of: source)
            if let token { request.headers.add(name: "Authorization", value: "Bearer " + token) }
            let sent = request
            let isRefused = try await clients.with(place) { client -> Bool in
                let response: HTTPClientResponse
                do { response = try await client.execute(sent, timeout: .seconds(Self.headSeconds)) } catch {
                    throw HTTPSSender.failure(error)
                }
                if response.status == .unauthorized, !isLast { return true }
                try await take(
                    DownloadHead(
                        status: Int(response.status.code), fields: response.headers.map { ($0.name, $0.value) }),
                    Content(response.body))
                return false
            }
            guard isRefused, let source, let token else { return }
            source.tokens.forget(token)
        }
    }

    private func token(of source: Source?) async throws -> String? {
        guard let source else { return nil }
        do { return try await source.tokens.token() } catch is AccessTokenSource.Failure {
            throw OutboundFailure.noAnswer
        }
    }

    /// Bytes as the client gets them.
    private final class Content: DownloadContent {
        private var chunks: HTTPClientResponse.Body.AsyncIterator

        init(_ body: HTTPClientResponse.Body) { chunks = body.makeAsyncIterator() }

        func next() async throws -> [UInt8]? {
            do {
                while let chunk = try await chunks.next() {
                    if chunk.readableBytes > 0 { return Array(chunk.readableBytesView) }
                }
                return nil
            } catch { throw HTTPSSender.failure(error) }
        }
    }
}
