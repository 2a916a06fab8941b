import Glibc

/// A TCP port of this machine that is bound here, and stays so until its listener has taken it over.
///
/// The port that is told is the port that was bound: from then on neither another process that asks for any free port nor
/// an outgoing connection is given it. The listener binds the same address beside it, which `SO_REUSEADDR` on both
/// sockets allows as long as only one of them listens (`socket(7)`).
final class HeldPort: Sendable {
    /// Why a port cannot be bound.
    struct Refusal: Error {
        /// The errno of `bind`, or the text of a host that is no address.
        let code: CInt
        let text: String
    }

    /// The port that is bound.
    let number: Int
    private let descriptor: CInt

    /// - Parameters:
    ///   - port: 0 for any free one.
    ///   - host: an address or a name of this machine.
    init(_ port: Int, host: String) throws(Refusal) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let answer = getaddrinfo(host, String(port), &hints, &found)
        guard answer == 0, let entry = found?.pointee else {
            throw Refusal(code: EADDRNOTAVAIL, text: String(cString: gai_strerror(answer)))
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(entry.ai_family, entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), entry.ai_protocol)
        guard descriptor >= 0 else { throw Self.refusal() }
        var reuse: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<CInt>.size))
        guard bind(descriptor, entry.ai_addr, entry.ai_addrlen) == 0, let number = Self.port(of: descriptor) else {
            let refusal = Self.refusal()
            close(descriptor)
            throw refusal
        }
        self.descriptor = descriptor
        self.number = number
    }

    deinit { close(descriptor) }

    /// The same for a door of the configuration. Throws a sentence that names the door.
    static func take(_ door: String, _ port: Int, host: String) throws(ConfigurationError) -> HeldPort {
        do { return try HeldPort(port, host: host) } catch {
            throw ConfigurationError(
                "\(door): \(host):\(port): \(error.text); stop what uses it or change \(door).port")
        }
    }

    private static func refusal() -> Refusal {
        let code = errno
        return Refusal(code: code, text: String(cString: strerror(code)))
    }

    private static func port(of descriptor: CInt) -> Int? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let answer = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard answer == 0 else { return nil }
        // sin_port and sin6_port both stand at byte 2, in network order. POSIX <netinet/in.h>.
        return withUnsafeBytes(of: address) { Int($0[2]) << 8 | Int($0[3]) }
    }
}

/// The ports of the doors, held from the moment at which they are told.
struct HeldPorts {
    private struct Address: Hashable {
        let host: String
        let port: Int
    }
    private var held: [Address: HeldPort] = [:]

    /// Binds the ports that are to be any free ones, and writes them into the configuration: what clients see is made
    /// of them.
    init(choosing configuration: inout ServerConfiguration) throws(ConfigurationError) {
        for index in configuration.doors.indices where configuration.doors[index].port == 0 {
            let door = configuration.doors[index]
            let port = try HeldPort.take(door.place, 0, host: door.host)
            configuration.doors[index].port = port.number
            held[Address(host: door.host, port: port.number)] = port
        }
    }

    /// Binds the others. Throws a sentence that names the door.
    mutating func takeConfigured(_ configuration: ServerConfiguration) throws(ConfigurationError) {
        var taken: [Address: String] = [:]
        for door in configuration.doors {
            let address = Address(host: door.host, port: door.port)
            if let other = taken[address] {
                throw ConfigurationError("\(door.place).port: \(door.port) is \(other).port too")
            }
            taken[address] = door.place
            if held[address] == nil { held[address] = try HeldPort.take(door.place, door.port, host: door.host) }
        }
    }
}
