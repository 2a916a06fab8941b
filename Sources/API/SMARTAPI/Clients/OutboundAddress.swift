import NIOCore

/// Which network addresses may be dialled.
package enum OutboundAddress {
    package static func isLoopback(_ address: SocketAddress) -> Bool {
        guard let bytes = bytes(address) else { return false }
        return isLoopback(bytes)
    }

    /// Whether an address may be dialled: never unspecified, link-local, multicast, broadcast or a Unix socket.
    package static func isAllowed(_ address: SocketAddress, allowsLoopback: Bool) -> Bool {
        guard let bytes = bytes(address) else { return false }
        if isLoopback(bytes) { return allowsLoopback }
        if bytes.count == 4 {
            return bytes[0] != 0 && bytes[0] < 224 && !(bytes[0] == 169 && bytes[1] == 254)
        }
        let isUnspecified = bytes.allSatisfy { $0 == 0 }
        let isLinkLocal = bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
        return !isUnspecified && !isLinkLocal && bytes[0] != 0xFF
    }

    private static func isLoopback(_ bytes: [UInt8]) -> Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// The 4 or 16 bytes of an address; an IPv4 address mapped into or embedded in IPv6 gives its 4.
    private static func bytes(_ address: SocketAddress) -> [UInt8]? {
        switch address {
        case .v4(let v4):
            // In sockaddr_in the address stands at byte 4, in sockaddr_in6 at byte 8. POSIX <netinet/in.h>.
            return withUnsafeBytes(of: v4.address) { Array($0[4..<8]) }
        case .v6(let v6):
            let bytes = withUnsafeBytes(of: v6.address) { Array($0[8..<24]) }
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            let isNAT64 = bytes[..<12] == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
            return isMapped || isNAT64 ? Array(bytes[12...]) : bytes
        case .unixDomainSocket: return nil
        }
    }
}
