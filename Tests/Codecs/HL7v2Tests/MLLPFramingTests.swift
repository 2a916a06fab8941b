import TestSupport
import Testing

@testable import HL7v2

/// MLLP Release 1: frames in a stream.
@Suite struct MLLPFramingTests {
    private func decode(_ bytes: [UInt8], max: Int = 1000) -> ([MLLPDecoder.Event], MLLPDecoder) {
        var decoder = MLLPDecoder(messageBytesMax: max)
        return (decoder.decode(bytes), decoder)
    }
    private let a = Array("MSH|a".utf8)
    private let b = Array("MSH|b".utf8)

    @Test("Bytes without a start block are dropped and counted, CR and LF are not counted")
    func stray() {
        let (events, decoder) = decode(
            Array("noise\r\n".utf8) + [0x1C, 0x0D] + [0x0B] + a + [0x1C, 0x0D] + Array("x".utf8))
        #expect(events == [.message(a)])
        #expect(decoder.tolerated.strayBytes == 7)
    }

    @Test("A start block inside a frame begins it anew and is counted")
    func restart() {
        let (events, decoder) = decode([0x0B] + Array("half".utf8) + [0x0B] + a + [0x1C, 0x0D])
        #expect(events == [.message(a)])
        #expect(decoder.tolerated.restarts == 1)
    }

    @Test("A flood of start blocks holds no memory")
    func startFlood() {
        let (events, decoder) = decode([UInt8](repeating: 0x0B, count: 100_000))
        #expect(events.isEmpty)
        #expect(decoder.bufferedBytes == 0)
        #expect(decoder.tolerated.restarts == 99_999)
    }

    @Test("A message is complete at the end block; the final CR may come later or never")
    func missingFinalCarriageReturn() {
        let (events, decoder) = decode([0x0B] + a + [0x1C] + [0x0B] + b + [0x1C])
        #expect(events == [.message(a), .message(b)])
        #expect(!decoder.isFrameOpen)
        #expect(decoder.tolerated.strayBytes == 0)
    }

    @Test("messageBytesMax: at the limit a message, one past it oversized at once, the next frame is read")
    func limit() {
        let full = [UInt8](repeating: 0x41, count: 100)
        #expect(decode([0x0B] + full + [0x1C, 0x0D], max: 100).0 == [.message(full)])
        var decoder = MLLPDecoder(messageBytesMax: 100)
        #expect(decoder.decode([0x0B] + full + [0x41]) == [.oversized(head: full)])
        #expect(decoder.isFrameOpen)
        #expect(decoder.bufferedBytes == 0)
        #expect(decoder.decode([UInt8](repeating: 0x42, count: 10_000)).isEmpty)
        #expect(decoder.decode([0x1C, 0x0D, 0x0B] + a + [0x1C, 0x0D]) == [.message(a)])
        #expect(decoder.tolerated.oversizedFrames == 1)
        #expect(decoder.tolerated.strayBytes == 0)
    }

    @Test("An oversized frame gives at most the bytes in which a header is looked for")
    func oversizedHead() throws {
        let (events, _) = decode([0x0B] + [UInt8](repeating: 0x41, count: 20_000), max: 10_000)
        guard case .oversized(let head)? = events.first else {
            Issue.record("\(events)")
            return
        }
        #expect(head.count == HL7Limits.headerRecoveryBytesMax)
    }

    @Test("An empty frame is no message and is counted")
    func emptyFrame() {
        let (events, decoder) = decode([0x0B, 0x1C, 0x0D])
        #expect(events.isEmpty)
        #expect(decoder.tolerated.emptyFrames == 1)
    }

    @Test("Any split of the stream gives the same events and counts")
    func anySplit() {
        var random = SeededGenerator(seed: UInt64.random(in: 0...UInt64.max))
        let pieces: [[UInt8]] = [
            [0x0B], [0x1C], [0x0D], [0x0A], a, b, Array("garbage".utf8), [UInt8](repeating: 0x43, count: 60),
            [0x0B, 0x0B], [0x1C, 0x0D], [0x00, 0xFF],
        ]
        for _ in 0..<500 {
            var stream: [UInt8] = []
            for _ in 0..<Int.random(in: 0...20, using: &random) { stream += pieces.randomElement(using: &random) ?? [] }
            var whole = MLLPDecoder(messageBytesMax: 50)
            let expected = whole.decode(stream)
            var byByte = MLLPDecoder(messageBytesMax: 50)
            #expect(stream.flatMap { byByte.decode([$0]) } == expected, "seed \(random.seed)")
            var bySplit = MLLPDecoder(messageBytesMax: 50)
            var events: [MLLPDecoder.Event] = []
            var at = 0
            while at < stream.count {
                let next = min(stream.count, at + Int.random(in: 1...9, using: &random))
                events += bySplit.decode(stream[at..<next])
                at = next
            }
            #expect(events == expected, "seed \(random.seed)")
            #expect(bySplit.tolerated == whole.tolerated, "seed \(random.seed)")
            #expect(byByte.tolerated == whole.tolerated, "seed \(random.seed)")
        }
    }

    @Test("What is encoded decodes; what can not be framed is refused with its offset")
    func encoder() throws {
        #expect(try decode(MLLPEncoder.frame(a)).0 == [.message(a)])
        #expect(throws: HL7Error.unframeableByte(offset: 1)) { try MLLPEncoder.frame([0x41, 0x1C]) }
        #expect(throws: HL7Error.unframeableByte(offset: 0)) { try MLLPEncoder.frame([0x0B]) }
    }
}
