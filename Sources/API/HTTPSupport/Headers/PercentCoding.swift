import Basics

/// Percent-encoding on bytes. RFC 3986 §2.1.
package enum PercentCoding {
    /// The bytes with `%XX` replaced, and `+` by a space when it is a form's. Nil for an incomplete or bad escape.
    package static func decoded(_ bytes: some Collection<UInt8>, plusIsSpace: Bool) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(Hexadecimal.value(of:)),
                    let low = iterator.next().flatMap(Hexadecimal.value(of:))
                else { return nil }
                output.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: output.append(0x20)
            default: output.append(byte)
            }
        }
        return output
    }

    /// One decoded path segment. Nil for a bad escape, bytes that are not UTF-8, a control character, a slash or
    /// reverse slash that was encoded, and the segments `.` and `..`.
    package static func pathSegment(_ raw: ArraySlice<UInt8>) -> String? {
        var bytes = raw
        if raw.contains(UInt8(ascii: "%")) {
            guard let decoded = decoded(raw, plusIsSpace: false) else { return nil }
            bytes = decoded[...]
        }
        for byte in bytes where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") {
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self), text != ".", text != ".." else { return nil }
        return text
    }

    /// Text as one query value: everything but the unreserved characters escaped. RFC 3986 §2.3.
    package static func encoded(_ text: String) -> String {
        let digits: [UInt8] = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            default:
                output.append(UInt8(ascii: "%"))
                output.append(digits[Int(byte >> 4)])
                output.append(digits[Int(byte & 15)])
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
