import Basics

/// A point in time: whole microseconds since 1970-01-01T00:00:00Z.
package struct UTCInstant: Sendable, Hashable, Comparable, Codable {
    package var microseconds: Int64
    package init(microseconds: Int64) { self.microseconds = microseconds }
    /// Before every time that a sender may give.
    package static let distantPast = UTCInstant(microseconds: .min)
    package static func < (a: UTCInstant, b: UTCInstant) -> Bool { a.microseconds < b.microseconds }
    package func advanced(bySeconds seconds: Int64) -> UTCInstant {
        UTCInstant(microseconds: microseconds &+ seconds &* 1_000_000)
    }
    package init(from decoder: any Decoder) throws {
        microseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microseconds)
    }
}

/// Where the time of day comes from. Tests give a clock that they move by hand.
package protocol Clock: Sendable {
    func now() -> UTCInstant
}

/// Where randomness and new ids come from.
package protocol Entropy: Sendable {
    /// Cryptographically strong random bytes.
    func bytes(_ count: Int) -> [UInt8]
}

extension Entropy {
    /// A new id: 26 characters of Crockford base 32 in lower case, 130 random bits cut to 128, legal as a FHIR id.
    package func newID() -> EntityID {
        let alphabet: [UInt8] = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
        let random = bytes(26)
        return EntityID(String(decoding: random.map { alphabet[Int($0 & 31)] }, as: UTF8.self))
    }

    /// A new DICOM UID under the UUID root, of 122 random bits. PS3.5 §B.2.
    package func newUID() -> String {
        "2.25.\(UUIDBytes.make(version: 4, of: bytes(16)).reduce(UInt128(0)) { $0 << 8 | UInt128($1) })"
    }
}

/// The id of a domain object; also the logical id of its FHIR resource. 1 to 64 characters of `[A-Za-z0-9.-]`.
package struct EntityID: Sendable, Hashable, Codable, CustomStringConvertible {
    package let value: String
    package init(_ value: String) { self.value = value }
    package var description: String { value }
    package init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(String.self) }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// A named place where a test can make the server fail or stop. Does nothing in production.
package protocol FaultPoint: Sendable {
    func reached(_ name: String) throws
}

/// The fault point of production: nothing happens.
package struct NoFaults: FaultPoint {
    package init() {}
    package func reached(_ name: String) throws {}
}
