import Testing
import Workflow

@testable import BlobStore

/// `store.keys`: what seals it, what opens it, and what never does.
@Suite struct StoreKeyFileTests {
    private static func master() throws -> MasterKey { try MasterKey(OpenSSLEntropy().bytes(32)) }

    @Test("Keys come back as they were sealed, through the file's text, for each master key that they were sealed for")
    func roundTrip() throws {
        let (one, two, other) = (try Self.master(), try Self.master(), try Self.master())
        let keys = StoreKeySet(madeAt: 1_700_000_000).renewed(madeAt: 1_800_000_000)
        let file = try StoreKeyFile(keys, generation: 7, for: [one, two])
        let read = try StoreKeyFile(file.encoded)
        #expect(read == file)
        #expect(read.generation == 7)
        #expect(read.slots.map(\.name) == [one.name, two.name])
        #expect(try read.open([one])?.keys == keys)
        let found = try #require(try read.open([other, two]))
        #expect(found.keys == keys)
        #expect(found.master == 1)
        #expect(try read.open([other]) == nil)
        #expect(try keys.keyRing().current.name == StoreKey(keys.keys[1].secret).name)
        #expect(try keys.keyRing().holds(StoreKey(keys.keys[0].secret).name))
    }

    @Test("Nothing in the file tells a key, and each writing has a key of its own")
    func secrecy() throws {
        let master = try Self.master()
        let keys = StoreKeySet(madeAt: 1)
        let first = try StoreKeyFile(keys, generation: 1, for: [master])
        let text = String(decoding: first.encoded, as: UTF8.self)
        for secret in [master.secret, keys.keys[0].secret] {
            let digits = secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(!text.contains(digits))
        }
        #expect(try StoreKeyFile(keys, generation: 1, for: [master]).encoded != first.encoded)
    }

    @Test("One changed, lost or added byte anywhere opens nothing and is told as damage")
    func damage() throws {
        let master = try Self.master()
        let bytes = try StoreKeyFile(StoreKeySet(madeAt: 1), generation: 3, for: [master]).encoded
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: StoreError.self) { try StoreKeyFile(changed) }
        }
        for count in 0..<bytes.count {
            #expect(throws: StoreError.self) { try StoreKeyFile(Array(bytes.prefix(count))) }
        }
        #expect(throws: StoreError.self) { try StoreKeyFile(bytes + [0x0A]) }
        #expect(throws: StoreError.self) { try StoreKeyFile(bytes + bytes) }
        #expect(throws: StoreError.self) {
            try StoreKeyFile([UInt8](repeating: 0x41, count: StoreKeyFile.bytesMax + 1))
        }
    }

    /// A file with the lines that a body makes of it, and the check that goes with them.
    private static func forged(_ file: StoreKeyFile, _ body: ([String]) -> [String]) throws -> StoreKeyFile {
        let lines = String(decoding: file.encoded, as: UTF8.self).split(separator: "\n").map(String.init)
        let text = body(Array(lines.dropLast())).map { $0 + "\n" }.joined()
        return try StoreKeyFile(
            Array((text + "check \(StoreKeyFile.checkText(Array(text.utf8)))\n").utf8))
    }

    @Test("A slot or sealed keys of another store, another ring or generation, are not taken though the check fits")
    func swapped() throws {
        let master = try Self.master()
        let mine = try StoreKeyFile(StoreKeySet(madeAt: 1), generation: 3, for: [master])
        let theirs = try StoreKeyFile(StoreKeySet(madeAt: 1), generation: 3, for: [master])
        let other = String(decoding: theirs.encoded, as: UTF8.self).split(separator: "\n").map(String.init)
        // ring, generation, slot, keys: one of the other store in each.
        for index in [1, 3, 4] {
            let file = try Self.forged(mine) { lines in
                lines.enumerated().map { $0.offset == index ? other[index] : $0.element }
            }
            #expect(throws: StoreError.self, "line \(index)") { _ = try file.open([master]) }
        }
        let older = try Self.forged(mine) { lines in lines.map { $0 == "generation 3" ? "generation 4" : $0 } }
        #expect(throws: StoreError.self) { _ = try older.open([master]) }
        #expect(try Self.forged(mine) { $0 }.open([master]) != nil)
    }

    @Test("Lines that are missing, doubled, unknown or impossible are refused")
    func form() throws {
        let file = try StoreKeyFile(StoreKeySet(madeAt: 1), generation: 3, for: [try Self.master()])
        let changes: [([String]) -> [String]] = [
            { $0.filter { !$0.hasPrefix("slot") } },
            { $0.filter { !$0.hasPrefix("ring") } },
            { $0.filter { !$0.hasPrefix("keys") } },
            { [$0[0], $0[2], $0[1]] + $0[3...] },
            { $0 + ["more 1"] },
            { $0[0...2] + [String](repeating: $0[3], count: 17) + $0[4...] },
            { lines in lines.map { $0.hasPrefix("generation") ? "generation 0" : $0 } },
            { lines in lines.map { $0.hasPrefix("generation") ? "generation 99999999999999999999" : $0 } },
            { lines in lines.map { $0.hasPrefix("ring") ? "ring 00" : $0 } },
            { lines in lines.map { $0.hasPrefix("slot") ? $0.uppercased() : $0 } },
            { ["hilum-store-keys 2"] + $0.dropFirst() },
        ]
        for (index, change) in changes.enumerated() {
            #expect(throws: StoreError.self, "case \(index)") { _ = try Self.forged(file, change) }
        }
    }

    @Test("A master key is read as 32 bytes or as 64 digits with an end of line; its name is the same")
    func forms() throws {
        let secret = (0..<32).map { UInt8($0) }
        let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        let raw = try MasterKey(read: secret, "here")
        #expect(raw.isRaw)
        for end in ["", "\n", "\r\n"] {
            let read = try MasterKey(read: Array((digits + end).utf8), "here")
            #expect(read.secret == secret)
            #expect(read.id == raw.id)
            #expect(!read.isRaw)
        }
        for text in [
            "", "\n", digits.uppercased(), String(digits.dropLast()), digits + "0", "\n" + digits, " " + digits,
        ] {
            #expect(throws: StoreError.self, "\(text.utf8.count)") { try MasterKey(read: Array(text.utf8), "here") }
        }
        #expect(MasterKey.newText().count == 65)
    }
}
