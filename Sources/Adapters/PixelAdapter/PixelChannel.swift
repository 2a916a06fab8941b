import Glibc

/// One end of the channel, and the shared memory: blocking calls that tell how they ended. It closes neither; see
/// ``SpawnedProcess``.
struct PixelChannel: Sendable {
    let descriptor: Int32
    let memory: Int32

    /// How a call ended other than well.
    enum Failure: Error, Equatable {
        /// The other side is gone.
        case ended
        /// The time was over.
        case late
        /// A message that is none, or memory that is not there.
        case nonsense
        /// An errno.
        case system(Int32)
    }

    /// Sends one message. The other end takes each before it is sent the next: one that there is no room for is an error,
    /// not a wait for whoever reads no more.
    func send(_ message: [UInt8]) throws(Failure) {
        var whole: [UInt8] = (0..<4).map { UInt8(truncatingIfNeeded: message.count >> (8 * $0)) }
        whole += message
        var done = 0
        while done < whole.count {
            let sent = whole.withUnsafeBytes { bytes in
                // A dead reader is an error, not a signal.
                Glibc.send(
                    descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if sent > 0 {
                done += sent
            } else if sent < 0, errno == EINTR {
                continue
            } else {
                throw errno == EPIPE || errno == ECONNRESET ? .ended : .system(errno)
            }
        }
    }

    /// The next message; waits until `deadline`, without end where there is none.
    func receive(until deadline: ContinuousClock.Instant? = nil) throws(Failure) -> [UInt8] {
        let head = try read(4, until: deadline)
        let count = (0..<4).reduce(0) { $0 | Int(head[$1]) << (8 * $1) }
        guard (1...PixelMessage.bytesMax).contains(count) else { throw .nonsense }
        return try read(count, until: deadline)
    }

    private func read(_ count: Int, until deadline: ContinuousClock.Instant?) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            if let deadline { try wait(until: deadline) }
            let got = bytes.withUnsafeMutableBytes { bytes in
                Glibc.read(descriptor, bytes.baseAddress?.advanced(by: done), count - done)
            }
            if got > 0 {
                done += got
            } else if got == 0 {
                throw .ended
            } else if errno != EINTR {
                throw errno == ECONNRESET ? .ended : .system(errno)
            }
        }
        return bytes
    }

    /// Nothing waits to be received, and the other side is there.
    var isQuiet: Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = Glibc.poll(&poll, 1, 0)
            guard ready < 0, errno == EINTR else { return ready == 0 }
        }
    }

    private func wait(until deadline: ContinuousClock.Instant) throws(Failure) {
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw .late }
            let milliseconds = left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = Glibc.poll(&poll, 1, Int32(clamping: milliseconds + 1))
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw .system(errno) }
        }
    }

    /// Puts bytes into the memory, from its first.
    func store(_ bytes: [UInt8]) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes { bytes in
                pwrite(memory, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(done))
            }
            if written > 0 {
                done += written
            } else if written == 0 || errno != EINTR {
                throw .system(errno)
            }
        }
    }

    /// The first bytes of the memory. The other side may have cut it off: read, never mapped, so that this is an error
    /// and not a signal.
    func load(_ count: Int) throws(Failure) -> [UInt8] {
        var done = 0
        var failure: Failure?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { out, filled in
            while done < count {
                let got = pread(memory, out.baseAddress?.advanced(by: done), count - done, off_t(done))
                if got > 0 {
                    done += got
                } else if got == 0 {
                    failure = .nonsense
                    break
                } else if errno != EINTR {
                    failure = .system(errno)
                    break
                }
            }
            filled = done
        }
        if let failure { throw failure }
        return bytes
    }

    /// Gives the pages of the memory back.
    func clear() { _ = ftruncate(memory, 0) }
}
