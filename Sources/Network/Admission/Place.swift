import Access
import Synchronization

/// The place of one connection in ``Admission``.
///
/// Its door tells how far the connection has come; while it is not at work it may be closed to let another in.
package final class Place: Sendable {
    enum Standing: UInt8, Sendable {
        /// Being set up: nothing can be closed yet.
        case new = 0
        /// In its TLS handshake.
        case arriving = 1
        /// Connected, and not at work for a peer that is let in.
        case resting = 2
        /// At work, or held open by right; never displaced.
        case working = 3
        /// Closed to let another in.
        case displaced = 4
    }

    let door: Admission.Door
    let address: AddressBlock
    /// Rises with each connection.
    let number: UInt64
    private let close: @Sendable () -> Void
    private let state = Atomic<UInt8>(Standing.new.rawValue)

    init(door: Admission.Door, address: AddressBlock, number: UInt64, close: @escaping @Sendable () -> Void) {
        self.door = door
        self.address = address
        self.number = number
        self.close = close
    }

    var standing: Standing { Standing(rawValue: state.load(ordering: .acquiring)) ?? .displaced }

    /// The connection is open; with TLS its handshake begins.
    package func opened(needsHandshake: Bool) { move(from: [.new], to: needsHandshake ? .arriving : .resting) }

    /// The TLS handshake of an open connection begins.
    func handshakeBegins() { move(from: [.new, .resting], to: .arriving) }

    /// The TLS handshake is done.
    package func arrived() { move(from: [.new, .arriving], to: .resting) }

    /// A request, association or message is under way, or the peer has shown that it is let in.
    package func working() { move(from: [.new, .arriving, .resting], to: .working) }

    /// Nothing is under way any more: the connection may be closed to let another in.
    package func resting() { move(from: [.working], to: .resting) }

    /// Closes the connection for another; false when it is at work by now.
    func displace() -> Bool {
        guard move(from: [.arriving, .resting], to: .displaced) else { return false }
        close()
        return true
    }

    @discardableResult
    private func move(from origins: [Standing], to target: Standing) -> Bool {
        for origin in origins {
            if state.compareExchange(
                expected: origin.rawValue, desired: target.rawValue, ordering: .acquiringAndReleasing
            ).exchanged {
                return true
            }
        }
        return false
    }
}
