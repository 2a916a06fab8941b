/// An address of IPv4 (4 bytes) or IPv6 (16 bytes), in network order.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// Nil for any other number of bytes than 4 or 16.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads four decimal numbers without leading zeros (RFC 6943 §3.1.1, the strict form), or the text of an IPv6
    /// address without a zone (RFC 4291 §2.2). Nil for every other text, also for those that `inet_aton` would read.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 45, let bytes = text.utf8.contains(UInt8(ascii: ":")) ? Self.v6(text) : Self.v4(text)
        else { return nil }
        self.bytes = bytes
    }

    package var isV4: Bool { bytes.count == 4 }

    /// IPv4 in dotted decimals; IPv6 in eight groups, none left out.
    package var description: String {
        if isV4 { return bytes.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }.joined(separator: ":")
    }

    /// The IPv4 address that an IPv6 address leads to: mapped (RFC 4291 §2.5.5.2), compatible (§2.5.5.1), translated
    /// (RFC 2765 §2.1), by NAT64 (RFC 6052 §2.1) or by 6to4 (RFC 3056 §2). Nil for every other address.
    package var embedded: IPAddress? {
        guard !isV4 else { return nil }
        let zeros = bytes.prefix { $0 == 0 }.count
        let prefixes: [[UInt8]] = [
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], [0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0],
            [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        if prefixes.contains(where: { bytes.starts(with: $0) }) || (zeros >= 12 && zeros < 15) {
            return IPAddress(bytes: Array(bytes[12...]))
        }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return IPAddress(bytes: Array(bytes[2..<6])) }
        return nil
    }

    /// An IPv4 address that comes mapped, as a socket that listens for both families tells it, as the IPv4 address that
    /// it is; every other address as it is. RFC 4291 §2.5.5.2.
    package var unmapped: IPAddress {
        guard !isV4, bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) else { return self }
        return IPAddress(bytes: Array(bytes[12...])) ?? self
    }

    /// Of this machine alone. RFC 1122 §3.2.1.3, RFC 4291 §2.5.3.
    package var isLoopback: Bool {
        let address = unmapped
        return address.isV4 ? address.bytes[0] == 127 : address.bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    private static func v4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (48...57).contains($0) }),
                part.count == 1 || part.first != UInt8(ascii: "0"),
                let byte = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func v6(_ text: some StringProtocol) -> [UInt8]? {
        let text = String(text)
        var halves = [text, ""]
        let hasGap = text.contains("::")
        if hasGap {
            guard let gap = text.firstRange(of: "::") else { return nil }
            halves = [String(text[..<gap.lowerBound]), String(text[gap.upperBound...])]
        }
        var groups: [[UInt8]] = []
        for (index, half) in halves.enumerated() {
            var bytes: [UInt8] = []
            let words = half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false)
            for (place, word) in words.enumerated() {
                if word.contains(".") {
                    // The last 32 bits may be written as IPv4.
                    guard place == words.count - 1, index == 1 || !hasGap, let tail = v4(word) else { return nil }
                    bytes += tail
                    continue
                }
                guard (1...4).contains(word.utf8.count), word.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != 45 }),
                    let group = UInt16(word, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
            }
            groups.append(bytes)
        }
        let count = groups[0].count + groups[1].count
        guard hasGap ? count <= 14 : count == 16 else { return nil }
        return groups[0] + [UInt8](repeating: 0, count: 16 - count) + groups[1]
    }
}

/// A block of addresses: all whose first bits are those of the address. RFC 4632 §3.1, RFC 4291 §2.3.
package struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    private let address: IPAddress
    private let bits: Int

    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address. Nil for bits that are set beyond the prefix: what was meant is
    /// not known then.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let address = IPAddress(first) else { return nil }
        self.address = address
        let most = address.bytes.count * 8
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let bits = Int(parts[1]), bits <= most else {
                return nil
            }
            self.bits = bits
        } else {
            bits = most
        }
        for bit in bits..<most where address.bytes[bit / 8] & (0x80 >> (bit % 8)) != 0 { return nil }
    }

    /// Whether an address of the same family lies in the block.
    package func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        return (0..<bits).allSatisfy { bit in
            (address.bytes[bit / 8] ^ other.bytes[bit / 8]) & (0x80 >> (bit % 8)) == 0
        }
    }

    /// As it is read: one address without its prefix length.
    package var description: String {
        bits == address.bytes.count * 8 ? address.description : "\(address)/\(bits)"
    }
}

/// By its text.
extension IPNetwork: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let network = IPNetwork(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "`\(text)` is no network, such as 10.20.0.0/16, fd00:1::/64 or 10.0.0.7")
        }
        self = network
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension [IPNetwork] {
    /// Whether the address of a socket, as text, lies in one of the networks; false for a text that is no address.
    package func contain(_ address: String) -> Bool {
        guard let address = IPAddress(address)?.unmapped else { return false }
        return contains { $0.contains(address) }
    }
}
