import DICOMData
import DICOMTranslation
import HTTPSupport

/// Which form whole instances are sent in. PS3.18 §8.7.3, Table 8.7.3-2.
extension DICOMwebMediaType {
    /// What instances are sent as: how each of them is, its own transfer syntax tells.
    struct InstanceForm: Sendable, Hashable {
        var isMultipart: Bool
        var wanted: WantedSyntax

        /// How one instance is sent.
        enum Way: Sendable, Hashable {
            case stored
            /// In Explicit VR Little Endian, its pixels being native.
            case recoded
            case transcoded(TransferSyntax)
        }

        /// - Parameter isTried: whether transcoding was tried, and failed.
        func way(of stored: TransferSyntax, isTried: Bool = false) -> Way {
            switch wanted {
            case .any: return mustRecode(stored) ? .recoded : .stored
            case .standard:
                if refersToPixels(stored) { return .stored }
                guard stored.isEncapsulated else { return Self.explicit(stored) }
                return isTried || !isDecodedByDefault(stored) ? .stored : .transcoded(.explicitVRLittleEndian)
            case .named(let syntax):
                if stored == syntax, !mustRecode(stored) { return .stored }
                if !isTried, PixelTranscoding.isPossible(from: stored, to: syntax) { return .transcoded(syntax) }
                return stored.isEncapsulated ? .stored : Self.explicit(stored)
            }
        }

        /// Of pixels that are not encapsulated.
        private static func explicit(_ stored: TransferSyntax) -> Way {
            stored == .explicitVRLittleEndian ? .stored : .recoded
        }
    }

    /// What the parameter `transfer-syntax` says of instances. §8.7.3.5.2.
    enum WantedSyntax: Sendable, Hashable {
        /// It is absent: Explicit VR Little Endian, but for what is kept with loss or cannot be had so. §8.7.3.4.
        case standard
        /// `*`: as each is stored.
        case any
        /// Images in this one, others in Explicit VR Little Endian.
        case named(TransferSyntax)
    }

    /// Whether a stored syntax is re-coded when sent as application/dicom: what may not travel by HTTP, and what only
    /// DIMSE needs. §8.7.3 (never Implicit VR or Big Endian).
    static func mustRecode(_ syntax: TransferSyntax) -> Bool { syntax.isImplicit || syntax.isBigEndian }

    /// Whether a compressed image goes decoded where no transfer syntax is named. §8.7.3.4 lets what is kept with loss go
    /// as it is stored: of syntaxes that always lose the name tells it, of ``mayLose(_:)`` the data set.
    static func isDecodedByDefault(_ stored: TransferSyntax) -> Bool {
        stored != .jpegBaseline && stored != .jpegExtended
            && PixelTranscoding.isPossible(from: stored, to: .explicitVRLittleEndian)
    }

    /// Whether images of a syntax are kept with loss or without.
    static func mayLose(_ syntax: TransferSyntax) -> Bool {
        [.jpegLSNearLossless, .jpeg2000, .jpeg2000Part2, .htj2k].contains(syntax)
    }

    /// Whether data sets of a syntax have no pixels, but say where they are streamed from (JPIP). PS3.5 §A.6, §A.7.
    private static func refersToPixels(_ syntax: TransferSyntax) -> Bool {
        ["1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205"]
            .contains(syntax.uid)
    }

    /// The form for whole instances; nil when nothing acceptable can be made. `isSingle` when the URL names one instance.
    static func instanceForm(_ wishes: [Wish], stored: [TransferSyntax], isSingle: Bool) -> InstanceForm? {
        instanceForms(wishes, stored: stored, isSingle: isSingle).first
    }

    /// The forms for whole instances, the most wanted first: of one that is transcoded it is not known yet whether its
    /// pixels can be. `stored` are the transfer syntaxes of the first instances.
    static func instanceForms(_ wishes: [Wish], stored: [TransferSyntax], isSingle: Bool) -> [InstanceForm] {
        wishes.compactMap { wish in
            guard wish.media.includes(MediaType(type: "application", subtype: "dicom")) else { return nil }
            let isAny = wish.media.type == "*"
            guard wish.isMultipart || isAny || isSingle, let wanted = wanted(by: wish, stored) else { return nil }
            return InstanceForm(isMultipart: wish.isMultipart || isAny, wanted: wanted)
        }
    }

    /// Nil where none of the instances can be had so.
    private static func wanted(by wish: Wish, _ stored: [TransferSyntax]) -> WantedSyntax? {
        guard let uid = wish.transferSyntax else { return .standard }
        if uid == "*" { return .any }
        guard let syntax = TransferSyntax(uid: uid) else { return nil }
        if stored.allSatisfy({ $0 == syntax && !mustRecode($0) }) { return .named(syntax) }
        guard syntax == .explicitVRLittleEndian || syntax.isEncapsulated else { return nil }
        let isNative = syntax == .explicitVRLittleEndian && stored.allSatisfy { !$0.isEncapsulated }
        guard isNative || stored.contains(where: { PixelTranscoding.isPossible(from: $0, to: syntax) }) else {
            return nil
        }
        return .named(syntax)
    }
}
