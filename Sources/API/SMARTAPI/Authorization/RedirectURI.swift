import HTTPSupport

/// Where the answers to authorization requests may go. RFC 6749 §3.1.2; RFC 8252 §7; RFC 9700 §4.1.
package enum RedirectURI {
    /// Bytes of one.
    package static let bytesMax = 2000

    /// What is wrong with a URI that a client is to be registered with; nil for one that may be.
    ///
    /// It is absolute and has no fragment, user or wildcard: https; http on this machine's loopback; or a private-use scheme
    /// with a dot in it, which only public clients have.
    package static func problem(_ uri: String, isPublic: Bool) -> String? {
        guard (1...bytesMax).contains(uri.utf8.count),
            uri.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"'<>\\^`{|}*".utf8.contains($0) })
        else { return "holds a character that no redirect URI may hold, or is too long" }
        guard !uri.contains("#") else { return "has a fragment" }
        guard let colon = uri.firstIndex(of: ":"), let first = uri.first, first.isASCII, first.isLetter else {
            return "is not absolute"
        }
        let scheme = String(uri[..<colon])
        guard scheme == scheme.lowercased(),
            scheme.allSatisfy({ $0.isLetter || $0.isNumber || "+-.".contains($0) })
        else { return "has no scheme in lower case" }
        switch scheme {
        case "https", "http":
            guard let host = host(uri) else { return "has no host, or a user or a character that no host has" }
            let isLoopback = ["127.0.0.1", "[::1]", "localhost"].contains(host)
            return scheme == "https" || isLoopback ? nil : "must be https, but on loopback"
        default:
            guard scheme.contains(".") else {
                return "has a scheme that is not its own: a reversed domain name has a dot"
            }
            return isPublic ? nil : "has a private-use scheme, which is for public clients"
        }
    }

    /// What a page's policy has to name so that a form's answer may lead there: the origin, as a browser writes it, or the
    /// scheme of an application on a device. CSP Level 3 §6.4.1.
    static func policySource(_ uri: String) -> String? {
        guard let colon = uri.firstIndex(of: ":") else { return nil }
        let scheme = String(uri[..<colon])
        guard ["https", "http"].contains(scheme), let authority = authority(uri)?.lowercased() else {
            return scheme + ":"
        }
        let port = scheme == "https" ? ":443" : ":80"
        return scheme + "://" + (authority.hasSuffix(port) ? String(authority.dropLast(port.count)) : authority)
    }

    /// The URI with parameters added to its query. RFC 6749 §4.1.2.
    static func adding(_ parameters: [(String, String)], to uri: String) -> String {
        let query = parameters.map { $0 + "=" + PercentCoding.encoded($1) }.joined(separator: "&")
        if uri.hasSuffix("?") || uri.hasSuffix("&") { return uri + query }
        return uri + (uri.contains("?") ? "&" : "?") + query
    }

    /// What stands between `://` and the path.
    private static func authority(_ uri: String) -> Substring? {
        guard let colon = uri.firstIndex(of: ":"), uri[colon...].hasPrefix("://") else { return nil }
        return uri[uri.index(colon, offsetBy: 3)...].prefix { $0 != "/" && $0 != "?" }
    }

    /// The host of a URI with `://`, an IPv6 address in its brackets; nil for a user or a character that no host has.
    static func host(_ uri: String) -> String? {
        guard let authority = authority(uri), !authority.isEmpty,
            authority.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"),
                    UInt8(ascii: "["), UInt8(ascii: "]"):
                    true
                default: false
                }
            })
        else { return nil }
        if authority.hasPrefix("[") { return authority.firstIndex(of: "]").map { String(authority[...$0]) } }
        let host = authority.prefix { $0 != ":" }
        return host.isEmpty ? nil : String(host)
    }
}
