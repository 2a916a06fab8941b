import DICOMData
import DICOMPixels
import HTTPSupport
import HTTPTypes

/// Which form of an instance or frame a client gets. PS3.18 §8.7.3.
enum DICOMwebMediaType {
    /// What an instance is sent as.
    struct InstanceForm: Sendable, Hashable {
        var isMultipart: Bool
        /// The stored bytes are re-coded to Explicit VR Little Endian.
        var isRecoded: Bool
    }

    /// The accept ranges of a request that speak of a payload type, with what they say of it.
    struct Wish {
        var media: MediaType
        var isMultipart: Bool
        /// Nil: the default of the media type; `*`: any.
        var transferSyntax: String?
        var quality: Int
    }

    /// The wishes of an Accept header or its query parameter, best first.
    static func wishes(_ text: String?) throws(HTTPFailure) -> [Wish] {
        var wishes: [Wish] = []
        for range in AcceptHeader(text).ranges where range.quality > 0 {
            let syntax = range.type["transfer-syntax"]
            if let syntax, syntax.contains(",") { throw HTTPFailure(.malformed, "transfer-syntax takes one value") }
            if range.type.essence == "multipart/related" {
                guard let inner = range.type["type"].flatMap({ MediaType($0) }) else {
                    wishes.append(
                        Wish(
                            media: MediaType(type: "*", subtype: "*"), isMultipart: true, transferSyntax: syntax,
                            quality: range.quality))
                    continue
                }
                wishes.append(
                    Wish(
                        media: inner, isMultipart: true, transferSyntax: syntax ?? inner["transfer-syntax"],
                        quality: range.quality))
            } else {
                wishes.append(
                    Wish(media: range.type, isMultipart: false, transferSyntax: syntax, quality: range.quality))
            }
        }
        // A stable order among equals: as the client wrote them.
        return wishes.enumerated().sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }.map(
            \.element)
    }

    /// Whether a stored syntax is re-coded when sent as application/dicom: what may not travel by HTTP, and what only
    /// DIMSE needs. §8.7.3 (never Implicit VR or Big Endian).
    static func mustRecode(_ syntax: TransferSyntax) -> Bool { syntax.isImplicit || syntax.isBigEndian }

    /// The form for whole instances; nil when nothing acceptable can be made. `isSingle` when the URL names one instance.
    static func instanceForm(_ wishes: [Wish], stored: [TransferSyntax], isSingle: Bool) -> InstanceForm? {
        for wish in wishes {
            guard wish.media.includes(MediaType(type: "application", subtype: "dicom")) else { continue }
            let isAny = wish.media.type == "*"
            if !wish.isMultipart && !isAny && !isSingle { continue }
            let multipart = wish.isMultipart || isAny
            switch wish.transferSyntax {
            case nil:
                // Explicit VR Little Endian by default; what is compressed is sent as stored (§8.7.3, exception).
                let recodes = stored.contains { mustRecode($0) || $0.isDeflated }
                return InstanceForm(isMultipart: multipart, isRecoded: recodes)
            case "*": return InstanceForm(isMultipart: multipart, isRecoded: stored.contains(where: mustRecode))
            case TransferSyntax.explicitVRLittleEndian.uid where stored.allSatisfy({ !$0.isEncapsulated }):
                return InstanceForm(
                    isMultipart: multipart, isRecoded: stored.contains { $0 != .explicitVRLittleEndian })
            case let uid? where stored.allSatisfy({ $0.uid == uid && !mustRecode($0) }):
                return InstanceForm(isMultipart: multipart, isRecoded: false)
            default: continue
            }
        }
        return nil
    }

    /// What frames are sent as: the part's media type, and whether in multipart. Nil when nothing acceptable can be made.
    static func frameForm(_ wishes: [Wish], stored: TransferSyntax, frames: Int) -> (
        contentType: String, isMultipart: Bool
    )? {
        let compressed = stored.isEncapsulated ? stored.frameMediaType : nil
        for wish in wishes {
            let isAny = wish.media.type == "*"
            let multipart = wish.isMultipart || isAny || frames > 1
            if !wish.isMultipart && !isAny && frames > 1 { continue }
            let essence = wish.media.essence
            if let compressed {
                let wanted = wish.transferSyntax
                let isSyntax = wanted == nil || wanted == "*" || wanted == stored.uid
                if isAny || (essence == compressed && isSyntax)
                    || (wish.media.type == "image" && wish.media.subtype == "*" && isSyntax)
                {
                    return ("\(compressed);transfer-syntax=\(stored.uid)", multipart)
                }
                // Viewers ask for the stored frames as octets with a wild transfer syntax.
                if essence == "application/octet-stream", wanted == "*" || wanted == stored.uid {
                    return ("application/octet-stream;transfer-syntax=\(stored.uid)", multipart)
                }
            } else if isAny || essence == "application/octet-stream"
                || (wish.media.type == "application" && wish.media.subtype == "*")
            {
                let wanted = wish.transferSyntax
                guard
                    wanted == nil || wanted == "*" || wanted == TransferSyntax.explicitVRLittleEndian.uid
                        || (wanted == stored.uid && !mustRecode(stored))
                else { continue }
                return (
                    "application/octet-stream;transfer-syntax=\(TransferSyntax.explicitVRLittleEndian.uid)", multipart
                )
            }
        }
        return nil
    }
}
