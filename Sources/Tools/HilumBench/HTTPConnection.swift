/// HTTP/1.1 on a blocking socket: enough for the set-up and for the STOW load. RFC 9112.
final class HTTPConnection {
    private let socket: BlockingSocket

    struct Reply {
        let status: Int
        let headers: [(name: String, value: String)]
        let body: [UInt8]

        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    init(port: Int) throws { socket = try BlockingSocket(port: port) }

    /// Sends a request; the connection stays open.
    ///
    /// - body: pieces that are sent one behind the other, without being copied: half a megabyte of copying for each object
    ///   would take the processor away from what is measured.
    func send(_ method: String, _ path: String, headers: [String], body: [UInt8]...) throws -> Reply {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1"] + headers
        if method != "GET" { lines.append("Content-Length: \(body.reduce(0) { $0 + $1.count })") }
        try socket.send([Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)] + body)
        return try reply()
    }

    private func reply() throws -> Reply {
        let text = String(decoding: try socket.read(through: Array("\r\n\r\n".utf8)), as: UTF8.self)
        let lines = text.split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw BenchFailure("an answer has no status line")
        }
        let headers: [(name: String, value: String)] = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return (line[..<colon].lowercased(), String(value))
        }
        let reply = Reply(status: status, headers: headers, body: [])
        if reply.header("transfer-encoding")?.lowercased() == "chunked" {
            return Reply(status: status, headers: headers, body: try chunks())
        }
        let count = reply.header("content-length").flatMap { Int($0) } ?? 0
        return Reply(status: status, headers: headers, body: try socket.read(count: count))
    }

    private func chunks() throws -> [UInt8] {
        let end = Array("\r\n".utf8)
        var body: [UInt8] = []
        while true {
            let line = String(decoding: try socket.read(through: end).dropLast(2), as: UTF8.self)
            guard let count = Int(line.prefix { $0 != ";" }, radix: 16), count >= 0 else {
                throw BenchFailure("a chunk has no size")
            }
            if count == 0 {
                while try socket.read(through: end).count > 2 {}
                return body
            }
            body += try socket.read(count: count)
            _ = try socket.read(through: end)
        }
    }
}
