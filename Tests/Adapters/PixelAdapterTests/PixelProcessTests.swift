import CPixelSandbox
import DICOMData
import DICOMPixels
import Foundation
import Testing

@testable import PixelAdapter
@testable import PixelCodecs

/// What the process for pixels answers, on a thread of the tests and without its sandbox.
@Suite("The process for pixels")
struct PixelProcessTests {
    /// Serves one channel on a thread and hands out the other end.
    private func withProcess(
        sharedBytes: Int = 1 << 20, residentBytes: Int = 1 << 40, _ body: (PixelChannel) throws -> Void
    ) throws -> Int32 {
        var ends: [Int32] = [-1, -1]
        #expect(hilum_sandbox_channel(&ends) == 0)
        let memory = hilum_sandbox_memory()
        #expect(memory >= 0)
        var limits = PixelProcess.Limits()
        limits.sharedBytes = sharedBytes
        limits.cpuSeconds = 1 << 30
        limits.residentBytes = residentBytes
        let theirs = PixelProcess(
            channel: PixelChannel(descriptor: ends[1], memory: memory), limits: limits, statm: hilum_sandbox_statm())
        let done = DispatchSemaphore(value: 0)
        let code = Box()
        let thread = Thread {
            code.value = theirs.serve(protection: 3)
            close(theirs.channel.descriptor)
            close(theirs.statm)
            done.signal()
        }
        thread.start()
        let ours = PixelChannel(descriptor: ends[0], memory: memory)
        let hello = try ours.receive(until: .now + .seconds(300))
        #expect(PixelMessage.Reply(hello) == .ready(protection: 3))
        try body(ours)
        close(ours.descriptor)
        done.wait()
        close(memory)
        return code.value
    }

    /// Written by the thread before it signals, read behind the signal.
    private final class Box: @unchecked Sendable { var value: Int32 = -1 }

    private func ask(_ channel: PixelChannel, _ request: PixelMessage.Request) throws -> PixelMessage.Reply? {
        try channel.send(request.encoded)
        return PixelMessage.Reply(try channel.receive(until: .now + .seconds(300)))
    }

    @Test("A frame is encoded and decoded through the shared memory")
    func roundTrip() throws {
        let frame = try PixelMessageTests.frame()
        let code = try withProcess { channel in
            try channel.store(frame.bytes)
            let coded = try ask(
                channel, .encode(frame.shape, .jpegLSLossless, EncodingOptions(), bytes: frame.bytes.count))
            guard case .encoded("MONOCHROME2", false, let bytes, false) = coded else {
                Issue.record("\(String(describing: coded))")
                return
            }
            let image = try #require(
                ImagePixel(
                    rows: 4, columns: 5, samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2",
                    bitsAllocated: 16, bitsStored: 12, highBit: 11, isSigned: false, isPlanar: false))
            let reply = try ask(channel, .decode(image, .jpegLSLossless, DecodingOptions(), bytes: bytes))
            #expect(reply == .decoded(frame.shape, bytes: 40, retires: false))
            #expect(try channel.load(40) == frame.bytes)
        }
        #expect(code == 0)
    }

    @Test("A process that has become large says that it is to be replaced")
    func worn() throws {
        let frame = try PixelMessageTests.frame()
        _ = try withProcess(residentBytes: 1 << 20) { channel in
            try channel.store(frame.bytes)
            let reply = try ask(channel, .encode(frame.shape, .rleLossless, EncodingOptions(), bytes: 40))
            guard case .encoded(_, _, _, retires: true) = reply else {
                Issue.record("\(String(describing: reply))")
                return
            }
        }
    }

    @Test("What is wrong with a frame is told, and the next is read")
    func refusals() throws {
        let code = try withProcess(sharedBytes: 64) { channel in
            try channel.store([1, 2, 3, 4])
            let image = try PixelMessageTests.image()
            let damaged = try ask(channel, .decode(image, .jpegLossless, DecodingOptions(), bytes: 4))
            #expect(damaged == .refused(.malformed("no JPEG frame header"), retires: false))
            let large = try ask(channel, .decode(image, .jpegLossless, DecodingOptions(), bytes: 65))
            #expect(large == .refused(.tooLarge(limit: "sharedBytes", value: 65), retires: false))
            let frame = try PixelMessageTests.frame()
            let other = try ask(channel, .encode(frame.shape, .rleLossless, EncodingOptions(), bytes: 4))
            #expect(other == .refused(.malformed("bytes that are not the frame's"), retires: false))
        }
        #expect(code == 0)
    }

    @Test("Colours that are converted are refused where the profiles leave no frame, or are none")
    func profiles() throws {
        let shape = try #require(
            FrameShape(
                rows: 1, columns: 2, samplesPerPixel: 3, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "RGB"))
        let code = try withProcess { channel in
            try channel.store([UInt8](repeating: 1, count: 16))
            for (profile, target) in [(11, 0), (0, 11), (5, 6), (17, 0), (Int.max, Int.max), (1, 1)] {
                let reply = try ask(channel, .convert(shape, profile: profile, target: target, bytes: 16))
                #expect(reply == .refused(.malformed("bytes that are not the frame's"), retires: false))
            }
            let reply = try ask(channel, .convert(shape, profile: 5, target: 5, bytes: 16))
            #expect(reply == .refused(.unsupported("a colour profile that is none of RGB"), retires: false))
        }
        #expect(code == 0)
    }

    @Test("A message that is none ends the process, as does memory that is not there")
    func nonsense() throws {
        #expect(try withProcess { try $0.send([9, 9, 9]) } == 1)
        let image = try PixelMessageTests.image()
        #expect(
            try withProcess { channel in
                channel.clear()
                try channel.send(
                    PixelMessage.Request.decode(image, .jpegLossless, DecodingOptions(), bytes: 4).encoded)
            } == 1)
    }
}
