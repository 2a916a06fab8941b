import Foundation
import Glibc

/// A look at a TCP port of this machine before a listener takes it.
enum FreePort {
    enum Finding {
        /// Could be taken a moment ago; for port 0 the one that was chosen.
        case free(Int)
        /// The errno of `bind`.
        case refused(CInt)
        /// The host is no IPv4 address: the listener finds out.
        case unknown
    }

    /// - Parameter port: 0 for any free one.
    static func probe(_ port: Int, host: String) -> Finding {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return .refused(errno) }
        defer { close(descriptor) }
        // As the listeners do: a port that only closed connections remember is free.
        var reuse: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<CInt>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        guard inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr) == 1 else {
            return .unknown
        }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
                    ? .free(Int(UInt16(bigEndian: pointer.pointee.sin_port))) : .refused(errno)
            }
        }
    }

    /// Takes a free port where the configured one is 0, before the addresses that clients see are made; `port` itself
    /// otherwise. Throws when the host cannot be bound.
    static func resolve(_ port: Int, host: String) throws -> Int {
        guard port == 0 else { return port }
        switch probe(0, host: host) {
        case .free(let found): return found
        case .refused(let code): throw ConfigurationError("\(host): \(String(cString: strerror(code)))")
        case .unknown: throw ConfigurationError("\(host): a port of 0 needs an IPv4 address as host")
        }
    }

    /// Throws a sentence that names the door when its port cannot be taken.
    static func check(_ door: String, _ port: Int, host: String) throws {
        guard case .refused(let code) = probe(port, host: host) else { return }
        throw ConfigurationError(
            "\(door): \(host):\(port): \(String(cString: strerror(code))); stop what uses it or change \(door).port")
    }
}
