import DICOMData
import DICOMPixels
import Logging
import Testing

@testable import PixelAdapter
@testable import PixelCodecs

/// The pool with programs that are no process for pixels. What real ones do is in JourneyTests, which have the program.
@Suite("The pool of processes for pixels")
struct PixelWorkersTests {
    private func pool(_ program: [String], start: Duration = .seconds(60)) -> PixelWorkers {
        var configuration = PixelWorkersConfiguration()
        configuration.processes = 1
        configuration.startTime = start
        configuration.program = program
        return PixelWorkers(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func decode(_ pool: PixelWorkers) async throws -> NativeFrame {
        try await pool.decode(
            [1, 2, 3], try PixelMessageTests.image(), transferSyntax: .jpegLossless, options: DecodingOptions())
    }

    @Test("A program that is not there, ends at once or says nothing is an error for the frame, each time")
    func programs() async throws {
        for (program, start) in [
            (["/nowhere/hilum"], Duration.seconds(60)), (["/bin/true"], .seconds(60)),
            (["/bin/sh", "-c", "read nothing"], .milliseconds(20)),
            (["/bin/sh", "-c", "printf '\\003\\000\\000\\000abc' >&0; read nothing"], .seconds(60)),
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

    @Test("A pool that is closed says so")
    func closed() async throws {
        let pool = pool(["/bin/true"])
        await pool.close()
        await #expect(throws: PixelWorkerError(.unavailable, "")) { try await decode(pool) }
    }
}
