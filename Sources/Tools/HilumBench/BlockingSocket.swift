import Foundation

/// A TCP connection to loopback whose calls block; for threads of load and for the set-up.
final class BlockingSocket {
    let descriptor: Int32
    private var unread: [UInt8] = []

    /// Connects to 127.0.0.1. A peer silent for ten seconds is a failure.
    ///
    /// - from: the last number of our address, 127.0.0.`from`: a server may limit the connections of one address.
    init(port: Int, from host: UInt8 = 1) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchFailure.system("socket") }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        if host != 1 { _ = try LoopbackAddress.bind(descriptor, port: 0, host: host) }
        var address = LoopbackAddress.make(port: port)
        let done = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard done == 0 else { throw BenchFailure.system("connect to port \(port)") }
    }

    deinit { close(descriptor) }

    /// Sends all of it.
    func send(_ bytes: [UInt8]) throws { try send([bytes]) }

    /// Sends all pieces as one, none of them copied before. At most IOV_MAX of them.
    func send(_ pieces: [[UInt8]]) throws {
        var vectors: [iovec] = []
        func withVectors(_ rest: ArraySlice<[UInt8]>, _ body: () throws -> Void) rethrows {
            guard let first = rest.first else { return try body() }
            try first.withUnsafeBytes { bytes in
                if let start = bytes.baseAddress, !bytes.isEmpty {
                    vectors.append(iovec(iov_base: UnsafeMutableRawPointer(mutating: start), iov_len: bytes.count))
                }
                try withVectors(rest.dropFirst(), body)
            }
        }
        try withVectors(pieces[...]) {
            while !vectors.isEmpty {
                var count = writev(descriptor, vectors, Int32(vectors.count))
                guard count > 0 else { throw BenchFailure.system("send") }
                while let first = vectors.first, count >= first.iov_len {
                    count -= first.iov_len
                    vectors.removeFirst()
                }
                guard count > 0 else { continue }
                vectors[0].iov_base += count
                vectors[0].iov_len -= count
            }
        }
    }

    /// Reads up to and with `end`; refuses more than `limit` bytes.
    func read(through end: [UInt8], limit: Int = 65_536) throws -> [UInt8] {
        var searched = 0
        while true {
            if let found = unread.firstRange(of: end, from: searched) {
                defer { unread.removeFirst(found + end.count) }
                return Array(unread[..<(found + end.count)])
            }
            guard unread.count < limit else { throw BenchFailure("an answer is longer than \(limit) bytes") }
            searched = max(0, unread.count - end.count + 1)
            try fill()
        }
    }

    func read(count: Int) throws -> [UInt8] {
        while unread.count < count { try fill() }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    private func fill() throws {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = Foundation.read(descriptor, &piece, piece.count)
        guard count > 0 else { throw count == 0 ? BenchFailure("the peer closed") : BenchFailure.system("receive") }
        unread += piece[..<count]
    }
}

/// 127.0.0.1, or another address of this machine, and a port.
enum LoopbackAddress {
    static func make(port: Int, host: UInt8 = 1) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr = in_addr(s_addr: (UInt32(0x7F00_0000) | UInt32(host)).bigEndian)
        return address
    }

    /// A port that nobody listens on now.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchFailure.system("socket") }
        defer { close(descriptor) }
        return try bind(descriptor, port: 0)
    }

    /// Binds and tells the port that it became.
    static func bind(_ descriptor: Int32, port: Int, host: UInt8 = 1) throws -> Int {
        var address = make(port: port, host: host)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Foundation.bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard done else { throw BenchFailure.system("bind") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

extension [UInt8] {
    /// Where `wanted` begins first.
    func firstRange(of wanted: [UInt8], from start: Int = 0) -> Int? {
        guard let first = wanted.first, count >= wanted.count else { return nil }
        var at = start
        while at + wanted.count <= count {
            guard let next = self[at...].firstIndex(of: first), next + wanted.count <= count else { return nil }
            if self[next..<(next + wanted.count)].elementsEqual(wanted) { return next }
            at = next + 1
        }
        return nil
    }
}
