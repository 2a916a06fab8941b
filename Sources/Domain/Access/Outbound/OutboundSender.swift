/// The way out for requests that tell another system something, under the same policy as ``Outbound``.
package protocol OutboundSender: Sendable {
    /// POST. Throws ``OutboundRefusal`` for a URL or address that is not allowed, ``OutboundFailure`` where there is no
    /// answer. A redirect is an answer and is not followed; of an answer's content only the first bytes are read.
    func post(_ request: OutboundRequest) async throws -> OutboundAnswer
}

/// What is sent to a URL that somebody registered.
package struct OutboundRequest: Sendable, Hashable {
    package var url: String
    /// As they are sent; the sender adds Host, Content-Length and what the connection needs.
    package var headers: [OutboundHeader]
    package var body: [UInt8]
    package init(url: String, headers: [OutboundHeader] = [], body: [UInt8] = []) {
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// One header field of a request. RFC 9110 §5.
package struct OutboundHeader: Sendable, Hashable {
    package let name: String
    package let value: String

    /// Fields that are the connection's, or this server's own.
    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade",
        "proxy-authorization", "proxy-connection", "expect", "content-type", "content-encoding", "user-agent",
        "accept", "accept-encoding", "date", "via", "forwarded", "hilum-event-id", "hilum-event", "hilum-subscription",
    ]

    /// A field of this server's own making.
    package init(trusted name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Reads `Name: value` as a stranger gives it. Nil for a name that is no token or is reserved, an empty value, and
    /// any character in it but printable ASCII and blanks: no line can be begun. RFC 9110 §5.5, §5.6.2.
    package init?(line: String) {
        let bytes = Array(line.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        let name = String(decoding: bytes[..<colon], as: UTF8.self)
        let isToken = bytes[..<colon].allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
        guard !name.isEmpty, isToken, !Self.reserved.contains(name.lowercased()) else { return nil }
        var value = bytes[(colon + 1)...]
        while value.first == 0x20 { value.removeFirst() }
        while value.last == 0x20 { value.removeLast() }
        guard !value.isEmpty else { return nil }
        self.name = name
        self.value = String(decoding: value, as: UTF8.self)
    }
}

/// What came back from a request that was sent: its content matters to nobody.
package struct OutboundAnswer: Sendable, Hashable {
    package let status: Int
    /// Retry-After in seconds; nil where it is absent, a date or no number. RFC 9110 §10.2.3.
    package let retryAfterSeconds: Int64?
    package init(status: Int, retryAfterSeconds: Int64? = nil) {
        self.status = status
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// Why there was no answer: without anything of the other side's making.
package enum OutboundFailure: String, Error, Hashable, Sendable {
    case noConnection = "no connection"
    case notTrusted = "TLS failed: the certificate is not trusted or not of this host, or no version is shared"
    case noAnswer = "no answer in time"
    case broken = "the connection ended before the answer"
    case noIdentity = "this server's certificate, its key or the authorities for the other side cannot be read"
}
