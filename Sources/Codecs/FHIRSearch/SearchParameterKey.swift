import FHIRModel

/// The number under which the index entries of one parameter of one resource type are kept.
///
/// It is the 32-bit FNV-1a hash of `Type.code`, so that it needs no table and stays the same for ever; a test holds
/// that no two parameters of R4 share one. What belongs to a parameter but is searched apart has a mark behind the
/// code: `:text`, `:identifier`, `:of-type`, and `$0`, `$1` for the components of a composite.
package struct SearchParameterKey: Sendable, Hashable {
    /// 0 to 2^32 - 1.
    package let number: Int64

    package enum Aspect: Sendable, Hashable {
        case value, text, identifier, ofType
        /// Component of a composite, from 0.
        case component(Int)

        var mark: String {
            switch self {
            case .value: ""
            case .text: ":text"
            case .identifier: ":identifier"
            case .ofType: ":of-type"
            case .component(let position): "$\(position)"
            }
        }
    }

    package init(_ resourceType: String, _ code: String, _ aspect: Aspect = .value) {
        var hash: UInt32 = 2_166_136_261
        for byte in "\(resourceType).\(code)\(aspect.mark)".utf8 {
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        number = Int64(hash)
    }
}
