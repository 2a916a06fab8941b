import CPixelSandbox
import Glibc
import Testing

@testable import PixelAdapter

/// The two ends of a channel.
@Suite("The channel to a process for pixels")
struct PixelChannelTests {
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
