import DICOMData
import DICOMPixels
import DICOMRendering
import Foundation
import Logging
import PixelAdapter
import PixelCodecs
import TestSupport
import Testing

/// `hilum pixels` as a server runs it: real processes, in their sandbox.
@Suite("Processes for pixels", .serialized)
struct PixelProcessJourneyTests {
    private func pool(_ change: (inout PixelWorkersConfiguration) -> Void = { _ in }) throws -> PixelWorkers {
        var configuration = PixelWorkersConfiguration()
        configuration.processes = 1
        configuration.startTime = .seconds(120)
        configuration.frameTime = .seconds(120)
        configuration.program = [try HilumProgram.path(), "pixels"]
        change(&configuration)
        return PixelWorkers(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func image(rows: Int, columns: Int) throws -> ImagePixel {
        try #require(
            ImagePixel(
                rows: rows, columns: columns, samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2",
                bitsAllocated: 16, bitsStored: 16, highBit: 15, isSigned: false, isPlanar: false))
    }

    private func frame(rows: Int, columns: Int) throws -> NativeFrame {
        let bytes = (0..<2 * rows * columns).map { UInt8(truncatingIfNeeded: $0 / 7) }
        return try #require(
            NativeFrame(
                rows: rows, columns: columns, samplesPerPixel: 1, sampleBytes: 2, bitsStored: 16, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: bytes))
    }

    @Test(
        "A frame goes to a process and back in every syntax that is written",
        arguments: [TransferSyntax.rleLossless, .jpegLSLossless, .jpeg2000Lossless])
    func roundTrip(_ syntax: TransferSyntax) async throws {
        let pool = try pool()
        let frame = try frame(rows: 33, columns: 70)
        let coded = try await pool.encode(frame, as: syntax, options: EncodingOptions())
        let back = try await pool.decode(
            coded.bytes, try image(rows: 33, columns: 70), transferSyntax: syntax, options: DecodingOptions())
        #expect(back == frame)
        #expect(pool.counts.frames == 2)
        // A part of it, which JPEG 2000 halves too.
        let options = DecodingOptions(
            reduction: 1, region: FrameRegion(left: 8, top: 16, columns: 30, rows: 17))
        let part = try await pool.decode(
            coded.bytes, try image(rows: 33, columns: 70), transferSyntax: syntax, options: options)
        #expect((part.rows, part.columns) == (syntax == .jpeg2000Lossless ? (9, 15) : (17, 30)))
        let direct = try FrameDecoder.decode(
            coded.bytes, try image(rows: 33, columns: 70), transferSyntax: syntax, options: options)
        #expect(part == direct)
        #expect(pool.counts.starts == 1)
        await pool.close()
    }

    @Test("Colours are converted in a process: one that is told no profile refuses, and lives")
    func colours() async throws {
        let pool = try pool()
        let frame = try #require(
            NativeFrame(
                rows: 2, columns: 2, samplesPerPixel: 3, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "RGB", bytes: (0..<12).map { 20 * $0 }))
        let srgb = OutputColourSpace.srgb.profile
        #expect(try await pool.convert(frame, from: srgb, to: srgb) == frame)
        let wide = try await pool.convert(frame, from: srgb, to: OutputColourSpace.displayp3.profile)
        #expect(wide.shape == frame.shape && wide.bytes != frame.bytes)
        await #expect(throws: PixelCodecError.unsupported("a colour profile that is none of RGB")) {
            try await pool.convert(frame, from: [1, 2, 3], to: srgb)
        }
        #expect(try await pool.convert(frame, from: srgb, to: srgb) == frame)
        #expect(pool.counts.starts == 1)
        await pool.close()
    }

    @Test("A process has one thread: what waits beside it would use a processor up, where waiting is forbidden")
    func oneThread() async throws {
        let pool = try pool()
        let frame = try frame(rows: 8, columns: 8)
        for syntax in [TransferSyntax.rleLossless, .jpeg2000Lossless, .jpegLSLossless] {
            _ = try await pool.encode(frame, as: syntax, options: EncodingOptions())
        }
        // Those of the tests before are perhaps not gone yet.
        let threads = try Self.childrenForPixels().compactMap {
            try? FileManager.default.contentsOfDirectory(atPath: "/proc/\($0)/task").count
        }
        #expect(threads.contains(1) && threads.allSatisfy { $0 <= 1 }, "\(threads)")
        await pool.close()
    }

    /// Processes that this one has started for pixels.
    private static func childrenForPixels() throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { id in
            guard let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
                let words = try? String(contentsOfFile: "/proc/\(id)/cmdline", encoding: .utf8)
            else { return false }
            return status.contains("\nPPid:\t\(getpid())\n") && words.contains("\0pixels\0")
        }
    }

    @Test("A process stays for the next frame however large the program that started it once was")
    func largeParent() async throws {
        let pool = try pool()
        let once = [UInt8](repeating: 1, count: PixelProcess.Limits().residentBytes * 3 / 2)
        #expect(once.last == 1)
        let frame = try frame(rows: 8, columns: 8)
        for _ in 0..<3 { _ = try await pool.encode(frame, as: .rleLossless, options: EncodingOptions()) }
        #expect(pool.counts.starts == 1)
        await pool.close()
    }

    /// 13 lines of 19 pixels as HTJ2K, by ojph_compress, in base64.
    private static let htj2k: String =
        "/0//UQApQAAAAAATAAAADQAAAAAAAAAAAAAAEwAAAA0AAAAAAAAAAAABBwEB/1AACAACAAAAA/9SAAwAAgABAAIEBEAB/1wA"
        + "CiBQWFhYUFBY/2QAFgABT3BlbkpQSCBWZXIgMC45LjAu/5AACgAAAAABDQAB/5PAFuD/dGTgFxO5AMbBgSTGEZr7yc0KdKTi"
        + "G+CBqLoAwAtWAFqwAtNLCwYoFrAtU0mNGPsHNjwcA3pQWQBbhIMdQWFDPlhi/gAAvh/MY30YWgBXJSBwKJg25mOaAEXtnHwR"
        + "EFkAwBdpAF2UALrAP3L238jicxy/dq4IrWDInBK/NOVE2JdURriKgwfooQu1me5oXoLgQkg6Mkl8kWUZSu/WAdXKKGrux/2X"
        + "FEXDYAXA4tOj4cfyo7EQ5evXZ0KOhQdCw8qCA2CA4vksylBLhkmaf9AB79d/rT3ddb4dsP9p8c+bjv9dt0C7PD2dnqfzgOQc"
        + "BEUXyPMu5ILKKldT0QH/2Q=="

    @Test(
        "Damaged codestreams of each library are refused, or end their process, and a good frame is read all the same")
    func damage() async throws {
        let pool = try pool { $0.frameTime = .seconds(60) }
        let frame = try frame(rows: 13, columns: 19)
        var kinds: [(bytes: [UInt8], syntax: TransferSyntax, bits: Int)] = []
        for syntax in [TransferSyntax.jpegLSLossless, .jpeg2000Lossless, .rleLossless] {
            kinds.append((try await pool.encode(frame, as: syntax, options: EncodingOptions()).bytes, syntax, 16))
        }
        kinds.append((Array(try #require(Data(base64Encoded: Self.htj2k))), .htj2kLossless, 8))
        let seed = UInt64.random(in: 0...UInt64.max)
        print("PixelProcessJourneyTests.damage seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for kind in kinds {
            let image = try #require(
                ImagePixel(
                    rows: 13, columns: 19, samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2",
                    bitsAllocated: kind.bits, bitsStored: kind.bits, highBit: kind.bits - 1, isSigned: false,
                    isPlanar: false))
            for _ in 0..<100 {
                var bytes = kind.bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                do {
                    let decoded = try await pool.decode(
                        bytes, image, transferSyntax: kind.syntax, options: DecodingOptions())
                    #expect(decoded.bytes.count == 13 * 19 * kind.bits / 8)
                } catch is PixelCodecError {} catch let error as PixelWorkerError {
                    #expect(error.code == .died || error.code == .late, "\(error)")
                }
            }
            let good = try await pool.decode(
                kind.bytes, image, transferSyntax: kind.syntax, options: DecodingOptions())
            #expect(good.rows == 13)
        }
        #expect(pool.counts.starts <= pool.counts.died + pool.counts.late + 1)
        await pool.close()
    }

    @Test("In its sandbox a process opens no socket and no file, starts none, runs no memory and signals nobody")
    func sandbox() async throws {
        let ending = try await HilumProgram.run(["pixels", "--probe"])
        // 128: this kernel has no filters of system calls, which the server logs.
        #expect(ending.code == 0 || ending.code == 128, "\(ending.code) \(ending.text)")
    }

    @Test("A frame that takes more memory than a process may use ends that process and no other frame")
    func memory() async throws {
        let pool = try pool { $0.limits.memoryBytes = 48 << 20 }
        let large = try frame(rows: 4_000, columns: 4_000)
        await #expect(throws: (any Error).self) {
            try await pool.encode(large, as: .jpeg2000Lossless, options: EncodingOptions())
        }
        let small = try frame(rows: 8, columns: 8)
        let coded = try await pool.encode(small, as: .rleLossless, options: EncodingOptions())
        #expect(!coded.bytes.isEmpty)
        await pool.close()
    }

    @Test("A frame that takes longer than it may is late; its process is replaced")
    func time() async throws {
        let pool = try pool { $0.frameTime = .milliseconds(1) }
        let large = try frame(rows: 1_500, columns: 1_500)
        var late = 0
        do { _ = try await pool.encode(large, as: .jpeg2000Lossless, options: EncodingOptions()) } catch {
            if (error as? PixelWorkerError)?.code == .late { late = 1 }
        }
        #expect(late == 1)
        #expect(pool.counts.late == 1)
        await pool.close()
    }

    @Test("A process that is killed is an error for its frame at most; the next frame has another")
    func killed() async throws {
        let pool = try pool()
        let small = try frame(rows: 8, columns: 8)
        _ = try await pool.encode(small, as: .rleLossless, options: EncodingOptions())
        let own = try children()
        #expect(own.count >= 1)
        for child in own where child.status.contains("NoNewPrivs") {
            // It can gain no rights, and the kernel writes no core of it.
            #expect(child.status.contains("NoNewPrivs:\t1"))
        }
        await pool.close()
        let other = try self.pool()
        _ = try await other.encode(small, as: .rleLossless, options: EncodingOptions())
        let mine = try children().filter { child in !own.contains { $0.pid == child.pid } }
        for child in mine { kill(child.pid, SIGKILL) }
        var failures = 0
        for _ in 0..<3 {
            do { _ = try await other.encode(small, as: .rleLossless, options: EncodingOptions()) } catch {
                failures += 1
            }
        }
        #expect(failures <= 1)
        await other.close()
    }

    /// The processes for pixels that this one started. Other tests of the suite may have some too; none is of a server.
    private func children() throws -> [(pid: pid_t, status: String)] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            guard let pid = pid_t(name),
                let status = try? String(contentsOfFile: "/proc/\(name)/status", encoding: .utf8),
                status.contains("PPid:\t\(getpid())\n"),
                let words = FileManager.default.contents(atPath: "/proc/\(name)/cmdline"),
                String(decoding: words, as: UTF8.self).contains("--codestream-bytes-max")
            else { return nil }
            return (pid, status)
        }
    }
}
