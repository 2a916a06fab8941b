/// A place in a message written as text: `PID-3.1`, `OBR[2]-4.1`, `PID-3[2].4.2`.
///
/// Shape: segment name, `[occurrence]`, `-` field, `[repetition]`, `.component`, `.subcomponent`. Numbers count
/// from 1 and have at most four digits; occurrence and repetition are 1 when not written.
package struct FieldPath: Sendable, Hashable, CustomStringConvertible {
    package var segment: SegmentID
    package var occurrence: Int
    package var field: Int
    package var repetition: Int
    package var component: Int?
    package var subcomponent: Int?

    package init(
        segment: SegmentID, occurrence: Int = 1, field: Int, repetition: Int = 1, component: Int? = nil,
        subcomponent: Int? = nil
    ) {
        self.segment = segment
        self.occurrence = occurrence
        self.field = field
        self.repetition = repetition
        self.component = component
        self.subcomponent = subcomponent
    }

    /// Reads a path. Throws `.pathIllegal` with the character that does not fit.
    package init(_ text: String) throws(HL7Error) {
        var scanner = Scanner(bytes: Array(text.utf8))
        segment = try scanner.segmentID()
        occurrence = try scanner.bracketed() ?? 1
        guard scanner.take(0x2D) else { throw .pathIllegal(offset: scanner.at) }
        field = try scanner.number()
        repetition = try scanner.bracketed() ?? 1
        component = scanner.take(0x2E) ? try scanner.number() : nil
        subcomponent = component != nil && scanner.take(0x2E) ? try scanner.number() : nil
        guard scanner.at == scanner.bytes.count else { throw .pathIllegal(offset: scanner.at) }
    }

    package var description: String {
        // Asked for at each value of each message: put together without a text of every part.
        String(unsafeUninitializedCapacity: 3 + 5 * (Self.numberBytesMax + 2)) { buffer in
            var end = 0
            func add(_ byte: UInt8) {
                buffer[end] = byte
                end += 1
            }
            func addNumber(_ number: Int) {
                if number < 0 { add(0x2D) }
                let start = end
                var rest = number.magnitude
                repeat {
                    add(0x30 + UInt8(rest % 10))
                    rest /= 10
                } while rest > 0
                buffer[start..<end].reverse()
            }
            func bracketed(_ number: Int) {
                guard number != 1 else { return }
                add(UInt8(ascii: "["))
                addNumber(number)
                add(UInt8(ascii: "]"))
            }
            for shift: UInt32 in [16, 8, 0] { add(UInt8(truncatingIfNeeded: segment.code >> shift)) }
            bracketed(occurrence)
            add(UInt8(ascii: "-"))
            addNumber(field)
            bracketed(repetition)
            for part in [component, subcomponent] {
                guard let part else { continue }
                add(UInt8(ascii: "."))
                addNumber(part)
            }
            return end
        }
    }

    /// Characters of any number, its sign among them.
    private static let numberBytesMax = 20

    private struct Scanner {
        let bytes: [UInt8]
        var at = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func segmentID() throws(HL7Error) -> SegmentID {
            guard bytes.count >= 3, let id = SegmentID(bytes: bytes[0], bytes[1], bytes[2]) else {
                throw .pathIllegal(offset: 0)
            }
            at = 3
            return id
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard at < bytes.count, bytes[at] == byte else { return false }
            at += 1
            return true
        }

        mutating func bracketed() throws(HL7Error) -> Int? {
            guard take(0x5B) else { return nil }
            let value = try number()
            guard take(0x5D) else { throw .pathIllegal(offset: at) }
            return value
        }

        mutating func number() throws(HL7Error) -> Int {
            let start = at
            var value = 0
            while at < bytes.count, at - start < 4, bytes[at] >= 0x30, bytes[at] <= 0x39 {
                value = value * 10 + Int(bytes[at] - 0x30)
                at += 1
            }
            guard value > 0 else { throw .pathIllegal(offset: start) }
            return value
        }
    }
}
