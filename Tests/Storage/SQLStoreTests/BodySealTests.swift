import FHIRResources
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// The form of sealed values, and what becomes of those that were changed or moved. Decision 0043; NIST SP 800-38D.
@Suite("Sealed bodies: form, changed and moved values")
struct BodySealTests {
    private static func seal(isOn: Bool = true, _ secrets: [UInt8] = [1]) -> BodySeal {
        BodySeal(BodyRing(TestDatabases.sealing(isOn: isOn, secrets)))
    }

    private static func body(
        _ bytes: [UInt8], _ column: SealedColumn = .messageText, _ id: String = "m1"
    ) -> SealableBody {
        SealableBody(column: column, identity: id, bytes: bytes)
    }

    private static func opened(
        _ bytes: [UInt8], _ column: SealedColumn = .messageText, _ id: String = "m1", _ seal: BodySeal = Self.seal()
    ) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try seal.opened($0, column) { id } }
    }

    private static func isRefused(_ bytes: [UInt8], _ column: SealedColumn = .messageText, _ id: String = "m1") -> Bool
    {
        do {
            _ = try opened(bytes, column, id)
            return false
        } catch { return (error as? SQLStoreError)?.code == .unopened }
    }

    @Test("Every bit of a sealed value that flips is refused, and so is every cut of it")
    func flipped() throws {
        let sealed = try Self.seal().written(Self.body(Array("MSH|^~\\&|A".utf8)), seals: true)
        #expect(try Self.opened(sealed) == Array("MSH|^~\\&|A".utf8))
        for index in sealed.indices {
            for bit in 0..<8 {
                var changed = sealed
                changed[index] ^= 1 << UInt8(bit)
                #expect(Self.isRefused(changed), "byte \(index), bit \(bit)")
            }
        }
        for count in 1..<sealed.count { #expect(Self.isRefused(Array(sealed.prefix(count))), "cut to \(count)") }
        #expect(Self.isRefused(sealed + [0]))
    }

    @Test("A value opens in its own column and row alone; rows of images may be rejected and restored")
    func place() throws {
        let sealed = try Self.seal().written(Self.body([1, 2, 3]), seals: true)
        #expect(Self.isRefused(sealed, .messageText, "m2"))
        #expect(Self.isRefused(sealed, .messageText, ""))
        #expect(Self.isRefused(sealed, .messageAnswer, "m1"))
        let header = try Self.seal().written(Self.body([8, 0], .header, "1.2"), seals: true)
        #expect(try Self.opened(header, .rejectedHeader, "1.2") == [8, 0])
        #expect(Self.isRefused(header, .rejectedHeader, "1.3"))
    }

    @Test(
        "Clear and sealed values of any first byte come back as they were, the empty one too, whatever is switched on")
    func anyByte() throws {
        for isOn in [false, true] {
            let seal = Self.seal(isOn: isOn)
            for first in UInt8.min...UInt8.max {
                for plain in [[first], [first, 0xF6, 0xF8, 0]] {
                    let written = try seal.written(Self.body(plain), seals: isOn)
                    #expect(try Self.opened(written) == plain)
                    #expect((written.first == BodySeal.sealed) == isOn)
                }
            }
            #expect(try seal.written(Self.body([]), seals: isOn) == [])
        }
        #expect(try Self.opened([]) == [])
        // As it lies there, nothing is added to what is no neighbour of a sealed value.
        #expect(try Self.seal(isOn: false).written(Self.body(Array("{}".utf8)), seals: false) == Array("{}".utf8))
    }

    @Test("Two values of one text have nothing in common behind their head")
    func nonces() throws {
        let text = [UInt8](repeating: 0x41, count: 64)
        let seal = Self.seal()
        let values = try (0..<200).map { _ in try seal.written(Self.body(text), seals: true) }
        #expect(Set(values.map { Array($0[9..<21]) }).count == 200)
        #expect(Set(values.map { Array($0.dropFirst(21)) }).count == 200)
        #expect(values.allSatisfy { $0.count == text.count + BodySeal.extraBytes })
    }

    @Test("Without the key a value is refused; what another process sealed under a newer one opens")
    func keys() throws {
        let sealed = try Self.seal([2]).written(Self.body([7]), seals: true)
        #expect(Self.isRefused(sealed))
        #expect(throws: SQLStoreError(.unopened, "")) {
            try Self.seal([]).written(Self.body([7]), seals: true)
        }
        let asked = Asked()
        let ring = BodyRing(BodySealing(isOn: true) { TestDatabases.keys(asked.next() == 1 ? [1] : [2, 1]) })
        let seal = BodySeal(ring)
        #expect(try seal.written(Self.body([7]), seals: true).dropFirst().first == 1)
        #expect(try Self.opened(sealed, .messageText, "m1", seal) == [7])
        // It goes on sealing under the key whose name is noted.
        #expect(try seal.written(Self.body([7]), seals: true).dropFirst().first == 1)
        #expect(asked.count == 2)
        // Both are kept: in turns neither is asked for again.
        for _ in 0..<3 {
            #expect(try Self.opened(sealed, .messageText, "m1", seal) == [7])
            let own = try seal.written(Self.body([8]), seals: true)
            #expect(try Self.opened(own, .messageText, "m1", seal) == [8])
        }
        #expect(asked.count == 2)
    }

    @Test("A name that is no key's is asked for once in a while and holds up no other, up to so many")
    func names() throws {
        let asked = Asked()
        let time = ContinuousClock.now
        let ring = BodyRing(
            BodySealing(isOn: true) { TestDatabases.keys(asked.next() < 3 ? [1] : [200, 1]) }, now: { time })
        #expect(try ring.current().id.first == 1)
        func key(_ name: UInt8) throws -> UInt8? { try ring.key([UInt8](repeating: name, count: 8))?.id.first }
        // What was damaged names a key that there is none of, and is read over and over.
        for _ in 0..<9 { #expect(try key(99) == nil) }
        #expect(asked.count == 2)
        // Another process has made a key meanwhile.
        #expect(try key(200) == 200)
        #expect(asked.count == 3)
        for name in 100..<(100 + UInt8(BodyRing.askedMax)) { #expect(try key(name) == nil) }
        #expect(asked.count == 3 + BodyRing.askedMax - 1)
        #expect(try key(1) == 1)
        #expect(try key(200) == 200)
    }

    @Test("Who has its key does not wait for who asks a device for another one", .timeLimit(.minutes(10)))
    func asking() throws {
        let asked = Asked()
        let asker = Asker()
        let ring = BodyRing(
            BodySealing(isOn: true) {
                // While the device is asked, something is sealed and opened.
                if asked.next() == 2, let ring = asker.ring.withLock({ $0 }) {
                    let (current, known) = (try ring.current(), try ring.key([UInt8](repeating: 1, count: 8)))
                    #expect(current.id == known?.id)
                }
                return TestDatabases.keys([1])
            })
        asker.ring.withLock { $0 = ring }
        #expect(try ring.current().id.first == 1)
        #expect(try ring.key([UInt8](repeating: 9, count: 8)) == nil)
        #expect(asked.count == 2)
    }
}

/// The ring that asks.
private final class Asker: Sendable {
    let ring = Mutex<BodyRing?>(nil)
}

/// How often keys were asked for.
private final class Asked: Sendable {
    private let results = Results()
    var count: Int { results.all.count }
    func next() -> Int {
        results.add(.success(""))
        return count
    }
}
