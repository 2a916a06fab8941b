import DICOMData

/// What is done with attributes of the standard that Table E.1-1 does not list, where their VR says that they identify: a
/// UID of an instance or a frame of reference leads to the original, as the listed ones do, and so does an address from
/// which it can be had; a name is one.
enum UnlistedAttribute {
    static func action(
        _ tag: Tag, _ vr: VR, _ options: DeidentificationOptions
    ) -> ConfidentialityProfile.Action {
        switch vr {
        case .PN: .dummy
        case .UR: publicAddresses.contains(tag) ? .keep : .dummy
        case .UI: kinds.contains(tag) || options.contains(.retainUIDs) ? .keep : .uid
        default: .keep
        }
    }

    /// UIDs of classes, transfer syntaxes, coding schemes and context groups, which everyone may know, and makers have of
    /// their own.
    private static let kinds: Set<Tag> = [
        .sopClassUID, Tag(0x0008, 0x001A), Tag(0x0008, 0x001B), Tag(0x0008, 0x0062), Tag(0x0008, 0x010C),
        Tag(0x0008, 0x0117), Tag(0x0008, 0x0118), Tag(0x0008, 0x040E), .referencedSOPClassUID, Tag(0x0008, 0x115A),
        Tag(0x0008, 0x3002), Tag(0x0034, 0x0003), Tag(0x0400, 0x0010), Tag(0x0400, 0x0510), Tag(0x3010, 0x0052),
        Tag(0x3010, 0x0053),
    ]

    /// Coding Scheme URL and URN Code Value, and a name of a part of the object itself.
    private static let publicAddresses: Set<Tag> = [Tag(0x0008, 0x010E), Tag(0x0008, 0x0120), Tag(0x0068, 0x7005)]
}
