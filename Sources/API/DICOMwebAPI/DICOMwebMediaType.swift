import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes

/// Which form of an instance or frame a client gets. PS3.18 §8.7.3.
enum DICOMwebMediaType {
    /// What an instance is sent as.
    struct InstanceForm: Sendable, Hashable {
        var isMultipart: Bool
        /// The stored bytes are re-coded to Explicit VR Little Endian.
        var isRecoded: Bool
        /// What images are transcoded to that are stored otherwise; nil where none is.
        var transcoded: TransferSyntax?

        /// How one instance is sent.
        enum Way: Sendable, Hashable {
            case stored
            /// In Explicit VR Little Endian, its pixels being native.
            case recoded
            case transcoded(TransferSyntax)
        }

        /// - Parameter isTried: whether transcoding was tried, and failed.
        func way(of stored: TransferSyntax, isTried: Bool = false) -> Way {
            if !isTried, let transcoded, PixelTranscoding.isPossible(from: stored, to: transcoded) {
                return .transcoded(transcoded)
            }
            let isOther = !stored.isEncapsulated && stored != .explicitVRLittleEndian
            return DICOMwebMediaType.mustRecode(stored) || (isRecoded && isOther) ? .recoded : .stored
        }
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
        instanceForms(wishes, stored: stored, isSingle: isSingle).first
    }

    /// The forms for whole instances, the most wanted first: of one that is transcoded it is not known yet whether its
    /// pixels can be. `stored` are the transfer syntaxes of the first instances.
    ///
    /// Where no transfer syntax is named, what is compressed is sent as it is stored. PS3.18 §8.7.3.4 has Explicit VR
    /// Little Endian be the default also of what was compressed without loss; viewers that name none ask for series of
    /// thousands of frames so, and decode what comes. Who names Explicit VR Little Endian gets it. Pinned by
    /// `MediaTypeTests`.
    static func instanceForms(_ wishes: [Wish], stored: [TransferSyntax], isSingle: Bool) -> [InstanceForm] {
        wishes.compactMap { form(of: $0, stored, isSingle: isSingle) }
    }

    private static func form(of wish: Wish, _ stored: [TransferSyntax], isSingle: Bool) -> InstanceForm? {
        guard wish.media.includes(MediaType(type: "application", subtype: "dicom")) else { return nil }
        let isAny = wish.media.type == "*"
        if !wish.isMultipart && !isAny && !isSingle { return nil }
        let multipart = wish.isMultipart || isAny
        let explicit = TransferSyntax.explicitVRLittleEndian
        switch wish.transferSyntax {
        case nil:
            let recodes = stored.contains { mustRecode($0) || $0.isDeflated }
            return InstanceForm(isMultipart: multipart, isRecoded: recodes)
        case "*": return InstanceForm(isMultipart: multipart, isRecoded: stored.contains(where: mustRecode))
        case explicit.uid where stored.allSatisfy({ !$0.isEncapsulated }):
            return InstanceForm(isMultipart: multipart, isRecoded: stored.contains { $0 != explicit })
        case let uid? where stored.allSatisfy({ $0.uid == uid && !mustRecode($0) }):
            return InstanceForm(isMultipart: multipart, isRecoded: false)
        case let uid?:
            guard let syntax = TransferSyntax(uid: uid), syntax == explicit || syntax.isEncapsulated,
                stored.contains(where: { PixelTranscoding.isPossible(from: $0, to: syntax) })
            else { return nil }
            // Beside what is transcoded: natives in Explicit VR Little Endian.
            return InstanceForm(
                isMultipart: multipart, isRecoded: stored.contains { !$0.isEncapsulated && $0 != explicit },
                transcoded: syntax)
        }
    }
}
