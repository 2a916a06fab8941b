/// The 16 bytes of a UUID. RFC 9562 §4.
package enum UUIDBytes {
    /// The UUID of a version and of the variant of the RFC that has the first 16 bytes given in all other bits; zeros
    /// where fewer are given. RFC 9562 §4.1, §4.2.
    ///
    /// - Parameter version: 4 for random bytes, 8 for a form of our own. RFC 9562 §5.4, §5.8.
    package static func make(version: UInt8, of bytes: some Collection<UInt8>) -> [UInt8] {
        var uuid = Array(bytes.prefix(16))
        uuid += [UInt8](repeating: 0, count: 16 - uuid.count)
        uuid[6] = uuid[6] & 0x0F | version << 4
        uuid[8] = uuid[8] & 0x3F | 0x80
        return uuid
    }

    /// As text: 32 hexadecimal digits in lower case, in groups of 8, 4, 4, 4 and 12. RFC 9562 §4.
    ///
    /// - Parameter uuid: 16 bytes.
    package static func text(_ uuid: [UInt8]) -> String {
        let digits = Array(Hexadecimal.encode(uuid))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }
}
