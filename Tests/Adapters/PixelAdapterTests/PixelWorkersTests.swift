import DICOMData
import DICOMPixels
import Logging
import Testing

@testable import PixelAdapter
@testable import PixelCodecs

/// The pool with programs that are no process for pixels. What real ones do is in JourneyTests, which have the program.
@Suite("The pool of processes for pixels")
struct PixelWorkersTests {
    private func pool(_ program: [String], start: Duration = .seconds(300)) -> PixelWorkers {
        var configuration = PixelWorkersConfiguration()
        configuration.processes = 1
        configuration.startTime = start
        configuration.frameTime = .seconds(300)
        configuration.program = program
        return PixelWorkers(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func decode(_ pool: PixelWorkers, _ frame: [UInt8] = [1, 2, 3]) async throws -> NativeFrame {
        try await pool.decode(
            frame, try PixelMessageTests.image(), transferSyntax: .jpegLossless, options: DecodingOptions())
    }

    @Test("A program that is not there, ends at once or says nothing is an error for the frame, each time")
    func programs() async throws {
        for (program, start) in [
            (["/nowhere/hilum"], Duration.seconds(300)), (["/bin/true"], .seconds(300)),
            (["/bin/sh", "-c", "read nothing"], .milliseconds(20)),
            (["/bin/sh", "-c", "printf '\\003\\000\\000\\000abc' >&0; read nothing"], .seconds(300)),
        ] {
            let pool = pool(program, start: start)
            for _ in 0..<2 {
                await #expect(throws: PixelWorkerError(.unavailable, ""), "\(program)") { try await decode(pool) }
            }
            #expect(pool.counts.frames == 0)
            await pool.close()
        }
    }

    @Test("A frame beyond the limits never reaches a process")
    func limits() async throws {
        let pool = pool(["/nowhere/hilum"])
        let image = try #require(
            ImagePixel(
                rows: 65_535, columns: 65_535, samplesPerPixel: 3, photometricInterpretation: "RGB", bitsAllocated: 8,
                bitsStored: 8, highBit: 7, isSigned: false, isPlanar: false))
        await #expect(throws: PixelCodecError.tooLarge(limit: "samplesMax", value: 65_535 * 65_535 * 3)) {
            try await pool.decode([], image, transferSyntax: .jpegBaseline, options: DecodingOptions())
        }
        await pool.close()
    }

    @Test("Native pixels, which no codec sees, need no process")
    func native() async throws {
        let pool = pool(["/nowhere/hilum"])
        let image = try #require(
            ImagePixel(
                rows: 1, columns: 2, samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2", bitsAllocated: 16,
                bitsStored: 12, highBit: 11, isSigned: true, isPlanar: false))
        let frame = try await pool.decode(
            [0xFF, 0x0F, 0x01, 0x00], image, transferSyntax: .explicitVRLittleEndian, options: DecodingOptions())
        #expect(frame.bytes == [0xFF, 0xFF, 0x01, 0x00])
        #expect(pool.counts == PixelWorkers.Counts())
        await #expect(throws: PixelCodecError.self) {
            try await pool.decode(
                [0xFF], image, transferSyntax: .explicitVRLittleEndian, options: DecodingOptions())
        }
        await pool.close()
    }

    @Test("A pool that is closed says so")
    func closed() async throws {
        let pool = pool(["/bin/true"])
        await pool.close()
        await #expect(throws: PixelWorkerError(.unavailable, "")) { try await decode(pool) }
    }

    /// A program that says all of this at once, whatever it is asked.
    private func saying(_ replies: [PixelMessage.Reply]) -> [String] {
        let bytes = replies.flatMap { reply -> [UInt8] in
            let message = reply.encoded
            return [UInt8(message.count), 0, 0, 0] + message
        }
        let octal = bytes.map { byte in
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        return ["/bin/sh", "-c", "printf '\(octal.joined())' >&0; read nothing; read nothing"]
    }

    @Test("A frame of another size than the image's is no answer, and ends its process")
    func otherSize() async throws {
        let frame = try PixelMessageTests.frame()
        let other = try #require(
            FrameShape(
                rows: frame.rows, columns: frame.columns + 1, samplesPerPixel: 1, sampleBytes: 1, bitsStored: 8,
                isSigned: false, photometricInterpretation: "MONOCHROME2"))
        let pool = pool(saying([.ready(protection: 3), .decoded(other, bytes: other.byteCount, retires: false)]))
        for _ in 0..<2 {
            // The bytes that are said to be the frame's are there.
            await #expect(throws: PixelWorkerError(.died, "")) {
                try await decode(pool, [UInt8](repeating: 0, count: other.byteCount))
            }
        }
        #expect(pool.counts.starts == 2)
        #expect(pool.counts.died == 2)
        await pool.close()
    }

    @Test("What a process says unasked is not taken for the answer to the next frame")
    func unasked() async throws {
        let pool = pool(
            saying([
                .ready(protection: 3), .refused(.malformed("first"), retires: false),
                .refused(.malformed("second"), retires: false),
            ]))
        for _ in 0..<2 {
            await #expect(throws: PixelCodecError.malformed("first")) { try await decode(pool) }
        }
        #expect(pool.counts.starts == 2)
        #expect(pool.counts.refused == 2)
        await pool.close()
    }
}
