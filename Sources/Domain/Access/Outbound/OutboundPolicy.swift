/// Which addresses may be dialled from a URL that somebody registered: those of the public internet, and what the site
/// names.
///
/// A URL that leads to this machine, to a private network or to a cloud's metadata would make the server speak where its
/// caller cannot (OWASP API7). *Spec:* RFC 6890 and the IANA special-purpose registries.
package struct OutboundPolicy: Sendable, Hashable {
    private let allowed: [IPNetwork]

    /// - Parameter allowedNetworks: of the site, beside the public internet.
    package init(allowedNetworks: [IPNetwork] = []) { allowed = allowedNetworks }

    /// Not globally reachable, or with a meaning of their own.
    private static let reservedV4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        // The metadata service of a cloud at a public address.
        "168.63.129.16/32",
    ].compactMap { IPNetwork($0) }
    /// All that is globally reachable unicast lies in it. RFC 4291 §2.4.
    private static let globalV6 = [IPNetwork("2000::/3")].compactMap(\.self)
    private static let reservedV6 = ["2001::/23", "2001:db8::/32", "3fff::/20"].compactMap { IPNetwork($0) }
    /// Groups and nobody: not to be dialled whatever the site says.
    private static let never = ["0.0.0.0/32", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8"].compactMap {
        IPNetwork($0)
    }

    /// Whether an address may be dialled. One that leads to an IPv4 address is judged as that one.
    package func allows(_ address: IPAddress) -> Bool {
        let target = address.embedded ?? address
        guard !Self.never.contains(where: { $0.contains(target) || $0.contains(address) }) else { return false }
        if allowed.contains(where: { $0.contains(target) }) { return true }
        if target.isV4 { return !Self.reservedV4.contains { $0.contains(target) } }
        return Self.globalV6.contains { $0.contains(target) } && !Self.reservedV6.contains { $0.contains(target) }
    }
}
