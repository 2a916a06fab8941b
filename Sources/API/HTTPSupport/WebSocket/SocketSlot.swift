import Synchronization

/// The place of a connection's ``EventSocket``, which is made when a request first asks for one: most connections never
/// become a socket.
final class SocketSlot: Sendable {
    private let place = Mutex<EventSocket?>(nil)

    /// That of the connection whose request this task answers; set by ``HTTPListener`` alone.
    @TaskLocal static var current: SocketSlot?

    /// The connection's socket.
    func socket() -> EventSocket {
        place.withLock { place in
            if let made = place { return made }
            let socket = EventSocket()
            place = socket
            return socket
        }
    }

    /// The socket, if there is one.
    var made: EventSocket? { place.withLock { $0 } }
}
