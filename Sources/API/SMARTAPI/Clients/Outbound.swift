import AsyncHTTPClient
import Dispatch
import NIOCore
import NIOHTTP1

/// What came back from a URL.
package struct OutboundResponse: Sendable {
    package let status: Int
    /// The Cache-Control fields, joined by commas.
    package let cacheControl: String
    package let body: [UInt8]
    package init(status: Int, cacheControl: String, body: [UInt8]) {
        self.status = status
        self.cacheControl = cacheControl
        self.body = body
    }
}

/// The only way to dial out from a URL.
package protocol Outbound: Sendable {
    /// Throws ``OutboundRefusal`` for a URL or address that is not allowed, and the transport's error otherwise.
    func get(_ url: String) async throws -> OutboundResponse
}

/// Why a URL is not dialled.
package enum OutboundRefusal: Error, Hashable, Sendable {
    case malformedURL, schemeNotAllowed, unresolvable, addressNotAllowed, tooLarge
}

/// A URL taken apart strictly: what is checked is what is dialled. RFC 3986 §3.
package struct OutboundURL: Sendable, Hashable {
    package let isTLS: Bool
    /// A host name or IPv4 address in lower case, or an IPv6 address without its brackets.
    package let host: String
    package let port: Int
    package let text: String

    /// Throws `.malformedURL` for user information, a reverse slash, a fragment, characters outside printable ASCII,
    /// or a host that is not a plain name or address; `.schemeNotAllowed` for all but http and https.
    package init(_ text: String) throws(OutboundRefusal) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !text.utf8.contains(UInt8(ascii: "\\")),
            !text.utf8.contains(UInt8(ascii: "#"))
        else { throw .malformedURL }
        let rest: Substring
        if text.lowercased().hasPrefix("https://") {
            isTLS = true
            rest = text.dropFirst(8)
        } else if text.lowercased().hasPrefix("http://") {
            isTLS = false
            rest = text.dropFirst(7)
        } else {
            throw .schemeNotAllowed
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        var portText: Substring = ""
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw .malformedURL }
            host = authority[authority.index(after: authority.startIndex)..<close].lowercased()
            guard host.utf8.contains(UInt8(ascii: ":")), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else {
                throw .malformedURL
            }
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw .malformedURL }
            portText = after.dropFirst()
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            host = authority[..<colon].lowercased()
            guard !host.isEmpty, host.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." }) else {
                throw .malformedURL
            }
            if colon != authority.endIndex { portText = authority[authority.index(after: colon)...] }
        }
        if portText.isEmpty {
            port = isTLS ? 443 : 80
        } else {
            guard portText.utf8.count <= 5, portText.allSatisfy(\.isNumber), let number = Int(portText),
                (1...65535).contains(number)
            else {
                throw .malformedURL
            }
            port = number
        }
        self.text = text
    }
}

/// Fetches over HTTPS from an address that was checked after the name was resolved, and from no other.
///
/// No redirects, no proxy, a bounded body, bounded waits. Link-local, multicast and unspecified addresses are never
/// dialled, loopback only when the operator allows it (then also without TLS). Private networks are allowed: the
/// URLs are registered by the operator, and hospitals live on private networks.
package struct HTTPSOutbound: Outbound {
    /// What a fetch takes at most.
    package struct Limits: Sendable, Hashable {
        /// Of an answer.
        package var bodyBytesMax = 1 << 20
        /// From the connection to the answer's last byte.
        package var total: TimeAmount = .seconds(30)
        /// The defaults.
        package init() {}
    }
    private static let connectSeconds: Int64 = 5

    private let allowsLoopback: Bool
    private let limits: Limits
    /// - Parameter allowsLoopback: whether this machine may be asked, then also without TLS.
    package init(allowsLoopback: Bool, limits: Limits = Limits()) {
        self.allowsLoopback = allowsLoopback
        self.limits = limits
    }

    package func get(_ url: String) async throws -> OutboundResponse {
        let url = try OutboundURL(url)
        guard url.isTLS || allowsLoopback else { throw OutboundRefusal.schemeNotAllowed }
        let address = try await HTTPSOutbound.resolve(url)
        guard let ip = address.ipAddress, OutboundAddress.isAllowed(address, allowsLoopback: allowsLoopback),
            url.isTLS || OutboundAddress.isLoopback(address)
        else { throw OutboundRefusal.addressNotAllowed }

        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = HTTPClient.Configuration.Timeout(
            connect: .seconds(HTTPSOutbound.connectSeconds), read: .seconds(10))
        configuration.dnsOverride = [url.host: ip]
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let response = try await HTTPSOutbound.fetch(url, client, limits)
            try await client.shutdown()
            return response
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private static func fetch(_ url: OutboundURL, _ client: HTTPClient, _ limits: Limits) async throws
        -> OutboundResponse
    {
        var request = HTTPClientRequest(url: url.text)
        request.headers.add(name: "Accept", value: "application/json")
        let response = try await client.execute(request, timeout: limits.total)
        var body: [UInt8] = []
        for try await chunk in response.body {
            guard body.count + chunk.readableBytes <= limits.bodyBytesMax else { throw OutboundRefusal.tooLarge }
            body.append(contentsOf: chunk.readableBytesView)
        }
        return OutboundResponse(
            status: Int(response.status.code), cacheControl: response.headers["Cache-Control"].joined(separator: ","),
            body: body)
    }

    /// Resolving blocks, so it happens on a dispatch thread; fetches are few and spaced by the key cache.
    private static func resolve(_ url: OutboundURL) async throws -> SocketAddress {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        guard let address = try? SocketAddress.makeAddressResolvingHost(url.host, port: url.port) else {
                            throw OutboundRefusal.unresolvable
                        }
                        return address
                    })
            }
        }
    }
}
