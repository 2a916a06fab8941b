/// Why a frame was not decoded or encoded. Never holds a pixel or a value of the data set.
package enum PixelCodecError: Error, Equatable, Sendable {
    /// No codec here for this transfer syntax, process or depth: what it is.
    case unsupported(String)
    /// The bytes are no frame of this transfer syntax, or end too early: what was found, by the codec's own words.
    case malformed(String)
    /// The codestream describes another image than the data set: which attribute, and both values.
    case mismatch(attribute: String, image: Int, codestream: Int)
    /// Beyond a limit of ``PixelLimits``: its name and the value that was asked for.
    case tooLarge(limit: String, value: Int)
}

extension PixelCodecError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unsupported(let what): "\(what) cannot be read or written here: ask for the stored transfer syntax"
        case .malformed(let what): "the frame is damaged: \(what)"
        case .mismatch(let attribute, let image, let codestream):
            "\(attribute) is \(image) in the data set and \(codestream) in the codestream"
        case .tooLarge(let limit, let value): "\(value) is beyond the limit \(limit)"
        }
    }
}
