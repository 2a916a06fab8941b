import Foundation

/// Multipart bodies as a client makes and reads them. RFC 2046 §5.1, RFC 2387.
enum DemoMultipart {
    static let boundary = "hilum-demo-part"

    /// A body of parts of one media type.
    static func body(_ parts: [[UInt8]], contentType: String) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(parts.reduce(64) { $0 + $1.count + 128 })
        for part in parts {
            out += Array("--\(boundary)\r\nContent-Type: \(contentType)\r\n\r\n".utf8)
            out += part
            out += [0x0D, 0x0A]
        }
        return out + Array("--\(boundary)--\r\n".utf8)
    }

    /// The contents of the parts of an answer. Throws ``DemoFailure`` when it is not multipart.
    static func parts(of reply: DemoHTTPClient.Reply) throws -> [[UInt8]] {
        let type = reply.header("Content-Type") ?? ""
        guard type.lowercased().hasPrefix("multipart/related"), let mark = type.range(of: "boundary=") else {
            throw DemoFailure("\(reply.request): multipart/related was due, not \(type)")
        }
        let name = type[mark.upperBound...].prefix { $0 != ";" }.filter { $0 != "\"" }
        let line = Array("--\(name)".utf8)
        var parts: [[UInt8]] = []
        var begin: Int?
        for place in places(of: line, in: reply.body) {
            if let begin {
                // What stands between two boundary lines: headers, an empty line, content and the break before the line.
                guard let head = places(of: [0x0D, 0x0A, 0x0D, 0x0A], in: reply.body, from: begin, max: 1).first,
                    head + 4 <= place - 2
                else { throw DemoFailure("\(reply.request): a part has no headers") }
                parts.append(Array(reply.body[head + 4..<place - 2]))
            }
            begin = place + line.count
        }
        return parts
    }

    private static func places(of wanted: [UInt8], in bytes: [UInt8], from start: Int = 0, max: Int = .max) -> [Int] {
        guard let first = wanted.first else { return [] }
        var found: [Int] = []
        var at = start
        while at + wanted.count <= bytes.count, found.count < max {
            guard let next = bytes[at...].firstIndex(of: first), next + wanted.count <= bytes.count else { break }
            if bytes[next..<next + wanted.count].elementsEqual(wanted) {
                found.append(next)
                at = next + wanted.count
            } else {
                at = next + 1
            }
        }
        return found
    }
}
