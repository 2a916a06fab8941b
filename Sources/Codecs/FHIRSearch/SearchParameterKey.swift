import FHIRModel

/// The number under which the index entries of one parameter of one resource type are kept.
///
/// It is the 32-bit FNV-1a hash of `Type.code`, so that it needs no table and stays the same for ever; a test holds
/// that no two parameters of R4 share one. What belongs to a parameter but is searched apart has a mark behind the
/// code: `:text`, `:identifier`, `:of-type`, `:word`, `:day`, and `$0`, `$1` for the components of a composite.
package struct SearchParameterKey: Sendable, Hashable {
    /// 0 to 2^32 - 1; 2^32 to 2^63 - 1 for parameters of contained resources.
    package let number: Int64

    package enum Aspect: Sendable, Hashable {
        case value, text, identifier, ofType
        /// The later words of a name or an address, each with what follows it. FHIR R4 search.html#string.
        case word
        /// A time by the day on its own clock, where that is another than the site's. FHIR R4 search.html#date.
        case day
        /// Component of a composite, from 0.
        case component(Int)

        var mark: String {
            switch self {
            case .value: ""
            case .text: ":text"
            case .identifier: ":identifier"
            case .ofType: ":of-type"
            case .word: ":word"
            case .day: ":day"
            case .component(let position): "$\(position)"
            }
        }
    }

    /// The key of an entry.
    init(number: Int64) { self.number = number }

    package init(_ resourceType: String, _ code: String, _ aspect: Aspect = .value) {
        var hash: UInt32 = 2_166_136_261
        for byte in "\(resourceType).\(code)\(aspect.mark)".utf8 {
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        number = Int64(hash)
    }

    /// What the contained resource that a reference leads to is found by: entries of the container under a number made of
    /// the container's type, the reference, and the number that the entry has on a resource of its own. With 63 bits, since
    /// there are some hundred thousand of them. FHIR R4 search.html#contained.
    package init(_ resourceType: String, reference: String, contained inner: SearchParameterKey) {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in "\(resourceType).\(reference)#\(inner.number)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211
        }
        number = Int64(hash >> 1) | 1 << 32
    }
}
