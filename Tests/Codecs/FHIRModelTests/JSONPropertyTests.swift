import FHIRModel
import TestSupport
import Testing

/// Properties over random trees and random damage. The seed is printed; set it to run the same again.
@Suite struct JSONPropertyTests {
    let seed = UInt64.random(in: 0...UInt64.max)

    func scalarString(_ random: inout SeededGenerator) -> String {
        let pool: [String] = [
            "a", "é", "日", "😀", "\"", "\\", "\n", "\u{1}", "/", " ", "\u{7f}", "\u{fffd}", "resourceType",
        ]
        return (0..<Int.random(in: 0...12, using: &random)).map { _ in pool.randomElement(using: &random) ?? "" }
            .joined()
    }

    func value(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
        switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2:
            return .number(
                ["0", "-0", "1.10", "1e400", "-12.50E-3", "123456789012345678901234567890"].randomElement(
                    using: &random) ?? "0")
        case 3, 4: return .string(scalarString(&random))
        case 5: return .array((0..<Int.random(in: 0...6, using: &random)).map { _ in value(&random, depth: depth - 1) })
        default:
            let count = Int.random(in: 0...30, using: &random)
            return .object(
                JSONObject((0..<count).map { ("\(scalarString(&random))\($0)", value(&random, depth: depth - 1)) }))
        }
    }

    @Test("Written and read again is the same, compact and indented, from tree and from nodes")
    func roundTrip() throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<300 {
            let tree = value(&random, depth: 5)
            let compact = JSONWriter.compact(tree)
            let document = try JSONDocument(parsing: compact)
            #expect(document.bytes == compact, "seed \(seed) round \(round)")
            #expect(JSONValue(document) == tree, "seed \(seed) round \(round)")
            #expect(JSONWriter.compact(document.root) == compact, "seed \(seed) round \(round)")
            let pretty = try JSONDocument(parsing: JSONWriter.pretty(tree))
            #expect(JSONValue(pretty) == tree, "seed \(seed) round \(round)")
            #expect(JSONWriter.pretty(document.root) == pretty.bytes, "seed \(seed) round \(round)")
        }
    }

    @Test("Damaged text is read or refused, never a trap; what is read can be walked and written")
    func damage() {
        var random = SeededGenerator(seed: seed)
        let alphabet: [UInt8] = Array("{}[]\",:\\u0dD8tfn-1.eE \n".utf8) + [0, 0x80, 0xC3, 0xE2, 0xF0, 0xFF]
        for round in 0..<4000 {
            var bytes = JSONWriter.compact(value(&random, depth: 3))
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0...bytes.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0 where at < bytes.count: bytes[at] = alphabet.randomElement(using: &random) ?? 0
                case 1 where at < bytes.count: bytes.remove(at: at)
                default: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: at)
                }
            }
            do throws(JSONError) {
                let document = try JSONDocument(parsing: bytes)
                let tree = JSONValue(document)
                #expect(
                    document.bytes == bytes,
                    "seed \(seed) round \(round)")
                #expect(
                    String(validating: bytes, as: UTF8.self) != nil,
                    "seed \(seed) round \(round)")
                let again = try JSONDocument(parsing: JSONWriter.compact(tree))
                #expect(JSONValue(again) == tree, "seed \(seed) round \(round)")
            } catch {
                #expect(error.offset <= bytes.count, "seed \(seed) round \(round)")
            }
        }
    }
}
