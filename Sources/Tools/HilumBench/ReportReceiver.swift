import Foundation
import Synchronization

/// A receiver of HL7 messages, for how fast they leave: one thread that polls its connections and answers each message AA
/// with its control id, once it may. It keeps nothing.
final class ReportReceiver: Sendable {
    let port: Int
    private let listener: Int32
    private let isOpen = Atomic(false)
    private let isEnded = Atomic(false)
    private let taken = Atomic(0)

    /// Messages answered since the start.
    var count: Int { taken.load(ordering: .acquiring) }

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw BenchFailure.system("socket") }
        port = try LoopbackAddress.bind(listener, port: 0)
        guard listen(listener, 64) == 0 else { throw BenchFailure.system("listen") }
        Thread.detachNewThread { [self] in serve() }
    }

    /// Whether messages are answered; those that came meanwhile are answered first.
    func answer(_ isOpen: Bool) { self.isOpen.store(isOpen, ordering: .releasing) }

    /// Ends the thread and its connections.
    func end() { isEnded.store(true, ordering: .releasing) }

    private func serve() {
        var waits = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        var received: [Int32: [UInt8]] = [:]
        var piece = [UInt8](repeating: 0, count: 65_536)
        while !isEnded.load(ordering: .acquiring) {
            // What was held is looked at again soon after it may be answered.
            _ = poll(&waits, nfds_t(waits.count), 5)
            for wait in waits where wait.revents != 0 {
                guard wait.fd != listener else {
                    let connection = Foundation.accept(listener, nil, nil)
                    guard connection >= 0 else { continue }
                    var on: Int32 = 1
                    setsockopt(
                        connection, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                    waits.append(pollfd(fd: connection, events: Int16(POLLIN), revents: 0))
                    received[connection] = []
                    continue
                }
                let count = read(wait.fd, &piece, piece.count)
                guard count > 0 else {
                    received[wait.fd] = nil
                    waits.removeAll { $0.fd == wait.fd }
                    close(wait.fd)
                    continue
                }
                received[wait.fd, default: []] += piece[..<count]
            }
            guard isOpen.load(ordering: .acquiring) else { continue }
            for (connection, bytes) in received where bytes.suffix(2) == [0x1C, 0x0D] {
                let answer = BoundMLLPCommand.acknowledgment(of: bytes.dropFirst().dropLast(2))
                received[connection] = []
                taken.add(1, ordering: .acquiringAndReleasing)
                _ = write(connection, answer, answer.count)
            }
        }
        for wait in waits { close(wait.fd) }
    }
}
