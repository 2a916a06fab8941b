import DICOMData
import DICOMPixels
import HTTPSupport

/// Which form frames are sent in. PS3.18 §8.7.3, Table 8.7.3-5.
extension DICOMwebMediaType {
    /// What frames are sent as.
    struct FrameForm: Sendable, Hashable {
        /// Of each part, with its transfer syntax.
        var contentType: String
        var isMultipart: Bool
        /// What frames are transcoded to; nil where they go as they are stored.
        var transcoded: TransferSyntax?
    }

    /// The transfer syntax that a media type has where none is named, without loss. Table 8.7.3-5.
    static let frameDefaults: [(mediaType: String, transferSyntax: TransferSyntax)] = [
        ("image/jpeg", .jpegLosslessSV1), ("image/jls", .jpegLSLossless), ("image/jp2", .jpeg2000Lossless),
        ("image/jpx", .jpeg2000Part2Lossless), ("image/jphc", .htj2kLossless), ("image/dicom-rle", .rleLossless),
    ]

    private static let octets = "application/octet-stream"

    /// What frames are sent as; nil when nothing acceptable can be made.
    static func frameForm(
        _ wishes: [Wish], stored: TransferSyntax, frames: Int, canMake: (TransferSyntax) -> Bool = { _ in false }
    ) -> FrameForm? {
        frameForms(wishes, stored: stored, frames: frames, canMake: canMake).first
    }

    /// What frames can be sent as, the most wanted first.
    ///
    /// - Parameters:
    ///   - frames: how many are asked for.
    ///   - canMake: whether frames of the image can be transcoded to a transfer syntax; native is Explicit VR Little
    ///     Endian.
    static func frameForms(
        _ wishes: [Wish], stored: TransferSyntax, frames: Int, canMake: (TransferSyntax) -> Bool
    ) -> [FrameForm] {
        wishes.compactMap { wish in
            let isAny = wish.media.type == "*"
            if !wish.isMultipart && !isAny && frames > 1 { return nil }
            let multipart = wish.isMultipart || isAny || frames > 1
            let made = made(wish, isNative: !stored.isEncapsulated).first { $0.1 != stored && canMake($0.1) }
            if let type = storedType(wish, stored), made == nil || !mustMake(wish, stored) {
                return FrameForm(contentType: type, isMultipart: multipart)
            }
            guard let (type, syntax) = made else { return nil }
            return FrameForm(
                contentType: "\(type);transfer-syntax=\(syntax.uid)", isMultipart: multipart, transcoded: syntax)
        }
    }

    /// Whether a wish means the default of its media type, which is not the transfer syntax that frames are stored in under
    /// the same media type, without loss. §8.7.3.4.
    private static func mustMake(_ wish: Wish, _ stored: TransferSyntax) -> Bool {
        wish.transferSyntax == nil
            && [.jpegLossless, .htj2kLosslessRPCL, .encapsulatedUncompressed].contains(stored)
    }

    /// The content type of frames as they are stored, native ones in little endian, where a wish takes them so.
    private static func storedType(_ wish: Wish, _ stored: TransferSyntax) -> String? {
        let isAny = wish.media.type == "*"
        let wanted = wish.transferSyntax
        if stored.isEncapsulated {
            let isSyntax = wanted == nil || wanted == "*" || wanted == stored.uid
            if let compressed = stored.frameMediaType,
                isAny
                    || isSyntax
                        && (wish.media.essence == compressed
                            || wish.media.essence == "image/*" && compressed.hasPrefix("image/"))
            {
                return "\(compressed);transfer-syntax=\(stored.uid)"
            }
            // Viewers ask for the stored frames as octets with a wild transfer syntax.
            guard isAny || wish.media.essence == octets && (wanted == "*" || wanted == stored.uid) else { return nil }
            return "\(octets);transfer-syntax=\(stored.uid)"
        }
        guard isAny || wish.media.essence == octets || wish.media.essence == "application/*",
            wanted == nil || wanted == "*" || wanted == TransferSyntax.explicitVRLittleEndian.uid
                || (wanted == stored.uid && !mustRecode(stored))
        else { return nil }
        return "\(octets);transfer-syntax=\(TransferSyntax.explicitVRLittleEndian.uid)"
    }

    /// What a wish takes that is not stored so, the best first: what keeps every value, and what loses some only where it
    /// is named.
    private static func made(_ wish: Wish, isNative: Bool) -> [(String, TransferSyntax)] {
        let explicit = TransferSyntax.explicitVRLittleEndian
        let essence = wish.media.essence
        if essence == octets || essence == "application/*" {
            guard !isNative, wish.transferSyntax == nil || wish.transferSyntax == explicit.uid else { return [] }
            return [(octets, explicit)]
        }
        let defaults = frameDefaults.filter { essence == "image/*" || essence == $0.mediaType }
        guard let named = wish.transferSyntax, named != "*" else {
            return defaults.map { ($0.mediaType, $0.transferSyntax) }
        }
        guard let syntax = TransferSyntax(uid: named), let type = syntax.frameMediaType,
            defaults.contains(where: { $0.mediaType == type })
        else { return [] }
        return [(type, syntax)]
    }

    /// What frames can be had as, for a refusal. PS3.18 §8.7.3.
    static func availableFrames(stored: TransferSyntax, canMake: (TransferSyntax) -> Bool) -> String {
        let storedType = stored.isEncapsulated ? stored.frameMediaType ?? octets : octets
        var types = [(storedType, stored.frameTransferSyntax)]
        if stored.isEncapsulated { types.append((octets, .explicitVRLittleEndian)) }
        types += frameDefaults.map { ($0.mediaType, $0.transferSyntax) }
        let texts = types.enumerated().filter { index, type in
            index == 0 || type.1 != stored && canMake(type.1)
        }.map { "multipart/related; type=\"\($0.element.0)\"; transfer-syntax=\($0.element.1.uid)" }
        return "available: " + texts.joined(separator: ", ")
    }
}
