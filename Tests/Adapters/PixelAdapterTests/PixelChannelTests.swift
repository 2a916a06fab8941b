import CPixelSandbox
import Glibc
import Testing

@testable import PixelAdapter

/// The two ends of a channel.
@Suite("The channel to a process for pixels")
struct PixelChannelTests {
    @Test("Messages that the other end does not read come to an error, not to a wait")
    func unread() {
        var ends: [Int32] = [-1, -1]
        #expect(hilum_sandbox_channel(&ends) == 0)
        defer { for end in ends { close(end) } }
        let channel = PixelChannel(descriptor: ends[0], memory: -1)
        let message = [UInt8](repeating: 0, count: PixelMessage.bytesMax)
        #expect(throws: PixelChannel.Failure.system(EAGAIN)) {
            // 40 MB, which no buffer of a socket holds.
            for _ in 0..<10_000 { try channel.send(message) }
        }
    }

    @Test("A channel is quiet until something comes or its other end is gone")
    func quiet() throws {
        var ends: [Int32] = [-1, -1]
        #expect(hilum_sandbox_channel(&ends) == 0)
        let ours = PixelChannel(descriptor: ends[0], memory: -1)
        let theirs = PixelChannel(descriptor: ends[1], memory: -1)
        defer { close(ours.descriptor) }
        #expect(ours.isQuiet)
        try theirs.send([7])
        #expect(!ours.isQuiet)
        #expect(try ours.receive() == [7])
        #expect(ours.isQuiet)
        close(theirs.descriptor)
        #expect(!ours.isQuiet)
        #expect(throws: PixelChannel.Failure.ended) { try ours.receive() }
    }
}
