/// A URL taken apart strictly and put together again: what is checked is what is dialled. RFC 3986 §3, RFC 9110 §4.2.2.
package struct OutboundURL: Sendable, Hashable {
    /// A host name as DNS compares it, in lower case and without a dot at its end, or the text of an address, an IPv6
    /// address without its brackets.
    package let host: String
    /// The address, where the URL names one instead of a host.
    package let address: IPAddress?
    package let port: Int
    /// The URL with host and port written in the one way that this type knows.
    package let text: String

    /// Throws `.schemeNotAllowed` for all but https, and `.malformedURL` for user information, a reverse slash, a
    /// fragment, characters outside printable ASCII, a host that is neither a name of DNS nor an address in its full
    /// form, or a port that is none.
    package init(_ text: String) throws(OutboundRefusal) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !text.utf8.contains(UInt8(ascii: "\\")), !text.utf8.contains(UInt8(ascii: "#"))
        else { throw .malformedURL }
        guard text.prefix(8).lowercased() == "https://" else { throw .schemeNotAllowed }
        let rest = text.dropFirst(8)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        var portText: Substring = ""
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]"),
                let address = IPAddress(authority[authority.index(after: authority.startIndex)..<close]), !address.isV4
            else { throw .malformedURL }
            self.address = address
            host = address.description
            portText = authority[authority.index(after: close)...]
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            portText = authority[colon...]
            (host, address) = try Self.host(authority[..<colon].lowercased())
        }
        guard portText.isEmpty || portText.first == ":" else { throw .malformedURL }
        let digits = portText.dropFirst()
        if digits.isEmpty {
            port = 443
        } else {
            guard digits.utf8.count <= 5, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits),
                (1...65535).contains(number)
            else { throw .malformedURL }
            port = number
        }
        let path = rest[end...]
        let name = address?.isV4 == false ? "[\(host)]" : host
        self.text = "https://\(name):\(port)" + (path.first == "/" ? "" : "/") + path
    }

    /// A name of DNS or an IPv4 address. A name whose last label is a number is an address in one of the forms that only
    /// some programs read (`2130706433`, `0x7f.1`, `127.1`, `0177.0.0.1`), and none here.
    private static func host(_ text: String) throws(OutboundRefusal) -> (String, IPAddress?) {
        var name = text
        if name.hasSuffix(".") { name.removeLast() }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, let last = labels.last else { throw .malformedURL }
        for label in labels {
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-"),
                label.allSatisfy({
                    (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "-")
                        || $0 == UInt8(ascii: "_")
                })
            else { throw .malformedURL }
        }
        if last.allSatisfy({ (48...57).contains($0) }) || last.starts(with: Array("0x".utf8)) {
            guard let address = IPAddress(name), name == text else { throw .malformedURL }
            return (name, address)
        }
        return (name, nil)
    }
}
