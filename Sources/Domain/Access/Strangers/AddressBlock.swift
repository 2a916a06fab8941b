/// Whom an address stands for when its holder is not known: one IPv4 address, or the /64 of an IPv6 address, for within
/// it a host takes as many addresses as it likes (RFC 7421, RFC 8981).
package struct AddressBlock: Sendable, Hashable, CustomStringConvertible {
    /// `192.0.2.7`, `2001:db8:0:1:0:0:0:0/64`, or `unknown` for a peer without an address, as of a Unix socket.
    package let description: String

    /// - Parameter address: as the socket gives it; an IPv4 address mapped into IPv6 is the IPv4 address.
    package init(_ address: String?) {
        let text = address.map { $0.prefix { $0 != "%" } }
        guard let text, let address = IPAddress(text) else {
            description = "unknown"
            return
        }
        if address.isV4 {
            description = address.description
        } else if let inner = address.embedded, address.bytes.starts(with: [UInt8](repeating: 0, count: 10)) {
            description = inner.description
        } else {
            let block = IPAddress(bytes: Array(address.bytes[..<8]) + [UInt8](repeating: 0, count: 8))
            description = (block ?? address).description + "/64"
        }
    }

    /// A block whose text is known.
    init(text: String) { description = text }
}
