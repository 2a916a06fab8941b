import Access
import HTTPTypes

/// The proxies of a door whose word on where a request came from is taken.
///
/// Each proxy adds the address that it was called from, so what stands to the right of the last address that is no
/// trusted proxy's was written by those one trusts, and what stands to the left of it by anybody.
package struct TrustedProxies: Sendable, Hashable {
    /// The field that they write. Another one may come from the client as it is, and is not looked at.
    package enum Field: String, Sendable, Hashable, CaseIterable {
        /// With `X-Forwarded-Proto`; of no standard, but what most proxies write.
        case xForwardedFor = "x-forwarded-for"
        /// RFC 7239.
        case forwarded
    }

    /// Where a request came from, by the word of the proxies.
    package struct Client: Sendable, Hashable {
        /// IP address as text, without port.
        package var address: String?
        /// Whether it came to the first trusted proxy in clear text.
        package var isClearText = false
    }

    /// Addresses looked at, from the right.
    private static let hopsMax = 32

    /// Where the proxies call from.
    package let networks: [IPNetwork]
    /// The one that is looked at.
    package let field: Field

    /// - Parameter networks: without any nobody is trusted.
    package init(networks: [IPNetwork], field: Field = .xForwardedFor) {
        self.networks = networks
        self.field = field
    }

    /// Nobody is trusted.
    package static let none = TrustedProxies(networks: [])

    /// What proxies leave in the requests that they forward; not every one leaves where these came from.
    private static let marks: [HTTPField.Name] = [
        .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIP, .via,
    ]

    /// Whether a request bears the mark of a proxy, trusted or not.
    static func isForwarded(_ headers: HTTPFields) -> Bool { marks.contains { headers.contains($0) } }

    /// Who is behind the address that a connection came from; nil where no trusted proxy says.
    package func client(behind peer: String?, _ headers: HTTPFields) -> Client? {
        guard !networks.isEmpty, let peer, networks.contain(peer) else { return nil }
        let hops: [Hop]
        switch field {
        case .forwarded: hops = Self.forwarded(headers[values: .forwarded])
        case .xForwardedFor:
            hops = Self.list(headers[values: .xForwardedFor], Self.cut).map { Hop(address: Self.address($0)) }
        }
        guard !hops.isEmpty else { return nil }
        var client = Client(address: peer)
        var isClearText = false
        for hop in hops.reversed().prefix(Self.hopsMax) {
            isClearText = hop.isClearText
            // Without an address, or with one that cannot be read, nobody further off is known.
            guard let address = hop.address else { break }
            client.address = address
            if !networks.contain(address) { break }
        }
        client.isClearText =
            switch field {
            case .forwarded: isClearText
            case .xForwardedFor:
                Self.list(headers[values: .xForwardedProto], Self.cut).last.map { $0.lowercased() == "http" } ?? false
            }
        return client
    }

    private struct Hop {
        var address: String?
        var isClearText = false
    }

    /// The parts of a field that is a list. RFC 9110 §5.6.1.
    private static func list(
        _ fields: [String], _ split: (_ field: Substring, _ separator: UInt8) -> [Substring]
    ) -> [Substring] {
        fields.flatMap { split($0[...], UInt8(ascii: ",")) }.map(trimmed).filter { !$0.isEmpty }
    }

    /// RFC 7239 §4.
    private static func forwarded(_ fields: [String]) -> [Hop] {
        list(fields, cutUnquoted).map { element in
            var hop = Hop()
            for pair in cutUnquoted(element, at: UInt8(ascii: ";")) {
                let parts = pair.split(separator: "=", maxSplits: 1).map(trimmed)
                guard parts.count == 2 else { continue }
                let value = unquoted(parts[1])
                switch parts[0].lowercased() {
                case "for": hop.address = address(value[...])
                case "proto": hop.isClearText = value.lowercased() == "http"
                default: continue
                }
            }
            return hop
        }
    }

    /// An address with or without a port, as both fields write it; nil for `unknown` and for names.
    private static func address(_ text: Substring) -> String? {
        var text = text
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            text = text[..<colon]
        }
        return IPAddress(text).map { $0.unmapped.description }
    }

    /// Cuts at each separator, by bytes: what stands before a comma or behind it cannot make another character of it.
    private static func cut(_ text: Substring, at separator: UInt8) -> [Substring] {
        text.utf8.split(separator: separator, omittingEmptySubsequences: false).map { Substring($0) }
    }

    /// Cuts at each separator outside of quotation marks. Where the last of these is not closed, quotation marks count
    /// for nothing: a client may open one to have what the proxies write behind it read as its own words.
    private static func cutUnquoted(_ text: Substring, at separator: UInt8) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        var isEscaped = false
        for (index, byte) in zip(text.utf8.indices, text.utf8) {
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if !isQuoted, byte == separator {
                parts.append(text[start..<index])
                start = text.utf8.index(after: index)
            }
        }
        return isQuoted ? cut(text, at: separator) : parts + [text[start...]]
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    /// The text of a quoted string, empty for one that is not closed at its end; every other text as it is. RFC 9110 §5.6.4.
    private static func unquoted(_ text: Substring) -> String {
        guard text.utf8.first == UInt8(ascii: "\"") else { return String(text) }
        var reader = HeaderReader(String(text))
        guard let value = reader.quotedString(), reader.isAtEnd else { return "" }
        return value
    }
}

extension HTTPField.Name {
    static let forwarded = HTTPField.Name("Forwarded")!
    static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
    static let xForwardedProto = HTTPField.Name("X-Forwarded-Proto")!
    static let xForwardedHost = HTTPField.Name("X-Forwarded-Host")!
    static let xRealIP = HTTPField.Name("X-Real-IP")!
}
