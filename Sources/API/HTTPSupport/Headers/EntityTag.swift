/// An entity tag. RFC 9110 §8.8.3. FHIR's are weak: `W/"3"`.
package struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    package let value: String
    package let isWeak: Bool

    package init(_ value: String, isWeak: Bool = true) {
        self.value = value
        self.isWeak = isWeak
    }

    package var description: String { (isWeak ? "W/\"" : "\"") + value + "\"" }
}

/// The condition of If-Match or If-None-Match. RFC 9110 §13.1.1, §13.1.2.
package enum EntityTagCondition: Sendable, Hashable {
    /// `*`: any current version.
    case any
    case tags([EntityTag])

    /// More tags than this are malformed.
    static let tagsMax = 64

    /// Reads the fields of a header; nil when there is none. Throws `.malformed`.
    /// A bare token such as `If-Match: 3` is taken as a tag because FHIR clients send it.
    package init?(_ fields: [String]) throws(HTTPFailure) {
        guard !fields.isEmpty else { return nil }
        var tags: [EntityTag] = []
        for field in fields {
            var reader = HeaderReader(field)
            reader.skipSpace()
            if fields.count == 1, reader.take(UInt8(ascii: "*")) {
                reader.skipSpace()
                guard reader.isAtEnd else { throw EntityTagCondition.malformed }
                self = .any
                return
            }
            while !reader.isAtEnd {
                guard tags.count < EntityTagCondition.tagsMax else { throw EntityTagCondition.malformed }
                tags.append(try EntityTagCondition.tag(&reader))
                reader.skipSpace()
                guard reader.isAtEnd || reader.take(UInt8(ascii: ",")) else { throw EntityTagCondition.malformed }
                reader.skipSpace()
            }
        }
        guard !tags.isEmpty else { throw EntityTagCondition.malformed }
        self = .tags(tags)
    }

    private static let malformed = HTTPFailure(.malformed, "If-Match or If-None-Match is not a list of entity tags")

    private static func tag(_ reader: inout HeaderReader) throws(HTTPFailure) -> EntityTag {
        if let quoted = reader.quotedString() { return EntityTag(quoted, isWeak: false) }
        guard let token = reader.token() else { throw malformed }
        if token == "W", reader.take(UInt8(ascii: "/")) {
            guard let quoted = reader.quotedString() else { throw malformed }
            return EntityTag(quoted)
        }
        return EntityTag(token)
    }

    /// Whether a current version's tag is among them, compared weakly; `current` nil: there is no version.
    /// FHIR uses the weak comparison also for If-Match. FHIR R4 http.html#concurrency.
    package func matches(_ current: String?) -> Bool {
        guard let current else { return false }
        switch self {
        case .any: return true
        case .tags(let tags): return tags.contains { $0.value == current }
        }
    }
}
