import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import NIOCore
import Testing
import Workflow

@testable import DICOMwebAPI

/// The bulk data parts of a request: which are kept, where, and how many bytes. PS3.18 §8.6.2.
@Suite struct BulkPartsTests {
    private static let octets = MediaType(type: "application", subtype: "octet-stream")

    /// Nothing can be written to the disk there.
    private static func parts(bytesMax: Int64 = 1 << 30, memory: MemoryBudget = .unlimited) -> BulkParts {
        BulkParts(blobs: MemoryBlobs([:]), reservation: memory.reservation(), bytesMax: bytesMax)
    }

    @Test("A part of so many bytes stays in memory; of one more it goes to the disk")
    func spooled() async throws {
        let parts = Self.parts()
        let place = try #require(parts.external("a", .pixelData)).offset
        #expect(try parts.begin(at: "a", Self.octets))
        try parts.append(ByteBuffer(repeating: 1, count: BulkParts.inMemoryBytesMax))
        try await parts.end()
        #expect(parts.parts(at: place).map(\.count) == [Int64(BulkParts.inMemoryBytesMax)])
        #expect(try parts.begin(at: "a", Self.octets))
        #expect(throws: StoreError.self) {
            try parts.append(ByteBuffer(repeating: 1, count: BulkParts.inMemoryBytesMax + 1))
        }
        await parts.remove()
        #expect(parts.parts(at: place).isEmpty)
    }

    @Test("What the metadata does not name is not kept; what it names is kept in order")
    func named() async throws {
        let parts = Self.parts()
        let first = try #require(parts.external("a", .pixelData)).offset
        #expect(parts.external("a", .pixelData)?.offset == first)
        let second = try #require(parts.external("b", .pixelData)).offset
        #expect(try !parts.begin(at: "c", Self.octets))
        for (place, byte) in [("b", UInt8(1)), ("a", 2), ("b", 3)] {
            #expect(try parts.begin(at: place, Self.octets))
            try parts.append(ByteBuffer(bytes: [byte]))
            try await parts.end()
        }
        var kept: [[UInt8]] = []
        for part in parts.parts(at: second) { kept.append(try await part.read(at: 0, upTo: 9)) }
        #expect(kept == [[1], [3]])
        #expect(parts.parts(at: first).count == 1)
        #expect(parts.parts(at: 7).isEmpty)
    }

    @Test("More bytes than a request may bring are 413, more than there is memory for 503")
    func limits() async throws {
        let parts = Self.parts(bytesMax: 10)
        _ = parts.external("a", .pixelData)
        #expect(try parts.begin(at: "a", Self.octets))
        try parts.append(ByteBuffer(repeating: 1, count: 10))
        #expect(throws: HTTPFailure(.tooLarge, "")) { try parts.append(ByteBuffer(bytes: [1])) }

        let poor = Self.parts(memory: MemoryBudget(bytesMax: BulkParts.partWeight + 10))
        _ = poor.external("a", .pixelData)
        #expect(try poor.begin(at: "a", Self.octets))
        try poor.append(ByteBuffer(repeating: 1, count: 10))
        #expect(throws: HTTPFailure(.unavailable, "")) { try poor.append(ByteBuffer(bytes: [1])) }
        #expect(throws: HTTPFailure(.unavailable, "")) { try poor.hold(BulkParts.partWeight + 11) }
    }

    @Test("Parts without bytes are counted, so that a request has no more than there is memory for")
    func empty() async throws {
        let parts = Self.parts(memory: MemoryBudget(bytesMax: 3 * BulkParts.partWeight))
        let place = try #require(parts.external("a", .pixelData)).offset
        for _ in 0..<3 {
            #expect(try parts.begin(at: "a", Self.octets))
            try await parts.end()
        }
        #expect(throws: HTTPFailure(.unavailable, "")) { _ = try parts.begin(at: "a", Self.octets) }
        #expect(parts.parts(at: place).count == 3)
        #expect(!parts.mayHold(1))
    }
}
