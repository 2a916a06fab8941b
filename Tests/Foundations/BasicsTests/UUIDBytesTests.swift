import Testing

@testable import Basics

/// RFC 9562 §4.
struct UUIDBytesTests {
    @Test("Version and variant are set, all other bits are those given; RFC 9562 §4.1, §4.2")
    func make() {
        let zeros = [UInt8](repeating: 0, count: 16)
        let ones = [UInt8](repeating: 0xFF, count: 16)
        #expect(UUIDBytes.text(UUIDBytes.make(version: 4, of: zeros)) == "00000000-0000-4000-8000-000000000000")
        #expect(UUIDBytes.text(UUIDBytes.make(version: 4, of: ones)) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(UUIDBytes.text(UUIDBytes.make(version: 8, of: ones)) == "ffffffff-ffff-8fff-bfff-ffffffffffff")
    }

    @Test("Of more than 16 bytes the first count, fewer are followed by zeros")
    func lengths() {
        let bytes = (1...32).map { UInt8($0) }
        #expect(UUIDBytes.text(UUIDBytes.make(version: 8, of: bytes)) == "01020304-0506-8708-890a-0b0c0d0e0f10")
        let short = UUIDBytes.make(version: 8, of: bytes.prefix(2))
        #expect(UUIDBytes.text(short) == "01020000-0000-8000-8000-000000000000")
        #expect(UUIDBytes.make(version: 4, of: []).count == 16)
    }
}
