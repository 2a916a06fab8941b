import Access
import AsyncHTTPClient
import Dispatch
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL

/// Fetches over HTTPS from an address that the policy allows, the one that was asked about and no other.
///
/// No redirects, no proxy, a bounded body, bounded waits.
package struct HTTPSOutbound: FormOutbound {
    /// What a fetch takes at most.
    package struct Limits: Sendable, Hashable {
        /// Of an answer.
        package var bodyBytesMax = 1 << 20
        /// For a connection to open, its TLS handshake included.
        package var connect: TimeAmount = .seconds(5)
        /// From the connection to the answer's last byte; of one whose bytes come one by one ``idle`` more at most.
        package var total: TimeAmount = .seconds(30)
        /// Without a byte of the answer.
        package var idle: TimeAmount = .seconds(10)
        /// Without a byte of a request being taken; nil for ``total`` alone.
        package var writeIdle: TimeAmount?
        /// The defaults.
        package init() {}
    }
    /// All addresses of a host name, in the order of preference. Throws `.unresolvable`.
    package typealias Resolver = @Sendable (_ host: String) async throws(OutboundRefusal) -> [IPAddress]

    private let policy: OutboundPolicy
    let limits: Limits
    private let authoritiesFile: String?
    private let identity: Identity?
    private let resolve: Resolver

    /// The certificate with its chain, and its key, by which this server shows who it is: files in PEM, read each time they
    /// are shown.
    package struct Identity: Sendable, Hashable {
        /// The path of the certificate, with those above it behind it.
        package var certificateFile: String
        /// The path of its key, without a passphrase.
        package var keyFile: String
        package init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }

        /// Puts what the files hold now into what a connection begins with. Throws `.noIdentity` where they cannot be read.
        package func show(in tls: inout TLSConfiguration) throws(OutboundFailure) {
            guard let chain = try? NIOSSLCertificate.fromPEMFile(certificateFile), !chain.isEmpty,
                let key = try? NIOSSLPrivateKey(file: keyFile, format: .pem)
            else { throw .noIdentity }
            tls.certificateChain = chain.map { .certificate($0) }
            tls.privateKey = .privateKey(key)
        }
    }

    /// - Parameters:
    ///   - authoritiesFile: a PEM file with authorities that are trusted beside those of the system.
    ///   - identity: nil where this server shows no certificate.
    ///   - resolve: asks the system unless a test knows better.
    package init(
        policy: OutboundPolicy, limits: Limits = Limits(), authoritiesFile: String? = nil,
        identity: Identity? = nil,
        resolve: @escaping Resolver = { host async throws(OutboundRefusal) in
            try await SystemResolver.addresses(of: host)
        }
    ) {
        self.policy = policy
        self.limits = limits
        self.authoritiesFile = authoritiesFile
        self.identity = identity
        self.resolve = resolve
    }

    /// Throws where the policy lets nobody call the URL, without calling it.
    package func check(_ url: String) async throws(OutboundRefusal) {
        _ = try await address(of: try OutboundURL(url))
    }

    package func get(_ url: String) async throws -> OutboundResponse {
        let url = try OutboundURL(url)
        var request = HTTPClientRequest(url: url.text)
        request.headers.add(name: "Accept", value: "application/json")
        return try await answer(to: request, of: url)
    }

    package func submit(_ request: OutboundRequest) async throws -> OutboundResponse {
        let url = try OutboundURL(request.url)
        var sent = HTTPClientRequest(url: url.text)
        sent.method = .POST
        for header in request.headers { sent.headers.add(name: header.name, value: header.value) }
        sent.body = .bytes(ByteBuffer(bytes: request.body))
        return try await answer(to: sent, of: url)
    }

    private func answer(to request: HTTPClientRequest, of url: OutboundURL) async throws -> OutboundResponse {
        let address = try await address(of: url)
        let client = try client(host: url.host, address: address.description)
        do {
            let response = try await Self.fetch(request, client, limits)
            try await client.shutdown()
            return response
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// A client that dials this address for this host, and nothing else. Throws `.noIdentity`: without its certificate
    /// this server would be somebody else there.
    func client(host: String, address: String) throws(OutboundFailure) -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authoritiesFile { tls.additionalTrustRoots = [.file(authoritiesFile)] }
        try identity?.show(in: &tls)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.redirectConfiguration = .disallow
        // Whoever asks again does it by a rule of its own.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout = HTTPClient.Configuration.Timeout(
            connect: limits.connect, read: limits.idle)
        configuration.timeout.write = limits.writeIdle
        // The client asks no resolver for this name: it finds the address here, for the URL spells the host as the key.
        configuration.dnsOverride = [host: address]
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// The first address that may be dialled.
    func address(of url: OutboundURL) async throws(OutboundRefusal) -> IPAddress {
        let found = if let literal = url.address { [literal] } else { try await resolve(url.host) }
        guard !found.isEmpty else { throw .unresolvable }
        guard let address = found.first(where: policy.allows) else { throw .addressNotAllowed }
        return address
    }

    private static func fetch(_ request: HTTPClientRequest, _ client: HTTPClient, _ limits: Limits) async throws
        -> OutboundResponse
    {
        let deadline = NIODeadline.now() + limits.total
        let response = try await client.execute(request, deadline: deadline)
        var body: [UInt8] = []
        for try await chunk in response.body {
            // The client's own deadline ends with the head: who sends a byte now and then would be waited for without end.
            guard NIODeadline.now() < deadline else { throw OutboundFailure.noAnswer }
            guard body.count + chunk.readableBytes <= limits.bodyBytesMax else { throw OutboundRefusal.tooLarge }
            body.append(contentsOf: chunk.readableBytesView)
        }
        return OutboundResponse(
            status: Int(response.status.code), cacheControl: response.headers["Cache-Control"].joined(separator: ","),
            body: body)
    }
}

/// The system's resolver. It blocks, so it runs on a dispatch thread; fetches are few and spaced by their callers.
enum SystemResolver {
    static func addresses(of host: String) async throws(OutboundRefusal) -> [IPAddress] {
        let found = await withCheckedContinuation { (continuation: CheckedContinuation<[IPAddress], Never>) in
            DispatchQueue.global().async { continuation.resume(returning: look(up: host)) }
        }
        guard !found.isEmpty else { throw .unresolvable }
        return found
    }

    private static func look(up host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next {
            // In sockaddr_in the address stands at byte 4, in sockaddr_in6 at byte 8. POSIX <netinet/in.h>.
            let raw = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            let bytes: [UInt8] =
                switch entry.pointee.ai_family {
                case AF_INET where raw.count >= 8: Array(raw[4..<8])
                case AF_INET6 where raw.count >= 24: Array(raw[8..<24])
                default: []
                }
            if let address = IPAddress(bytes: bytes) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return found
    }
}
