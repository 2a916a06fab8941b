import NIOCore
import TestSupport
import Testing

@testable import HTTPSupport

@Suite(.takingTurns) struct RecycledBuffersTests {
    private struct Failure: Error {}

    private func address(_ buffer: ByteBuffer) -> UInt {
        buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    }

    private func filled(_ buffers: RecycledBuffers, _ byte: UInt8, count: Int = 100_000) throws -> ByteBuffer {
        try buffers.filled(count) { target in for index in target.indices { target[index] = byte } }
    }

    @Test("Memory that nobody holds any more is used again, once the ring is full")
    func usedAgain() throws {
        let buffers = RecycledBuffers(countMax: 3)
        var places: Set<UInt> = []
        for byte in 0..<30 { places.insert(address(try filled(buffers, UInt8(byte)))) }
        #expect(places.count == 3)
    }

    @Test("Bytes that somebody still holds are never written over")
    func held() throws {
        let buffers = RecycledBuffers(countMax: 3)
        let held = try (0..<50).map { try filled(buffers, UInt8($0), count: 1_000 + $0) }
        for (index, buffer) in held.enumerated() {
            #expect(buffer.readableBytes == 1_000 + index)
            #expect(buffer.readableBytesView.allSatisfy { $0 == UInt8(index) })
        }
    }

    @Test("A failure to fill is the caller's, and the next buffer is whole")
    func failure() throws {
        let buffers = RecycledBuffers(countMax: 1)
        _ = try filled(buffers, 1)
        #expect(throws: Failure.self) { try buffers.filled(10) { _ in throw Failure() } }
        #expect(try filled(buffers, 2, count: 10) == ByteBuffer(repeating: 2, count: 10))
    }
}
