/// What a client prefers by the Prefer header. RFC 7240; FHIR R4 http.html#ops, Bulk Data 2 §kick-off.
package struct Preferences: Sendable, Hashable {
    /// What the body of a write's answer shall be.
    package enum Return: String, Sendable, Hashable {
        case minimal, representation
        case operationOutcome = "OperationOutcome"
    }
    /// How unknown search parameters are met.
    package enum Handling: String, Sendable, Hashable { case strict, lenient }

    package private(set) var returning: Return?
    package private(set) var handling: Handling?
    package private(set) var respondAsync = false

    /// Reads the fields; what is unknown or malformed is passed over, as RFC 7240 §2 asks. The first of a name counts.
    /// Preferences joined by semicolons are taken as such: clients write them, and no preference here has parameters.
    package init(_ fields: [String]) {
        for field in fields {
            var reader = HeaderReader(field)
            while !reader.isAtEnd {
                reader.skipSpace()
                if let name = reader.token() {
                    reader.skipSpace()
                    var value: String?
                    if reader.take(UInt8(ascii: "=")) {
                        reader.skipSpace()
                        value = reader.tokenOrQuoted()
                    }
                    apply(name.lowercased(), value)
                }
                reader.skipSpace()
                if reader.take(UInt8(ascii: ";")) { continue }
                guard reader.skipToNextElement() else { break }
            }
        }
    }

    private mutating func apply(_ name: String, _ value: String?) {
        switch name {
        case "return": if returning == nil { returning = value.flatMap(Return.init(rawValue:)) }
        case "handling": if handling == nil { handling = value.flatMap(Handling.init(rawValue:)) }
        case "respond-async": respondAsync = true
        default: break
        }
    }
}
