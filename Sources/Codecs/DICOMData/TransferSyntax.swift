/// How a data set is written as bytes. PS3.5 §10, Annex A.
package struct TransferSyntax: Hashable, Sendable, CustomStringConvertible {
    /// The UID, without padding.
    package let uid: String
    /// Headers carry no VR; the dictionary gives it. PS3.5 §A.1.
    package let isImplicit: Bool
    /// Numbers are in big endian order. PS3.5 §A.3.
    package let isBigEndian: Bool
    /// The data set is deflated after the file meta information or, on an association, as a whole. PS3.5 §A.5.
    package let isDeflated: Bool
    /// Pixel data stands in fragments. PS3.5 §A.4.
    package let isEncapsulated: Bool

    /// A transfer syntax by UID: registered ones as PS3.5 Annex A defines them, others nil, since nothing can be said
    /// about their encoding. Trailing NULs and spaces are ignored.
    package init?(uid: some StringProtocol) {
        let trimmed = uid.utf8.reversed().drop { $0 == 0 || $0 == 0x20 }.reversed()
        guard let known = Self.known[String(decoding: Array(trimmed), as: UTF8.self)] else { return nil }
        self = known
    }

    private init(_ uid: String, implicit: Bool = false, big: Bool = false, deflated: Bool = false, frames: Bool = false)
    {
        self.uid = uid
        isImplicit = implicit
        isBigEndian = big
        isDeflated = deflated
        isEncapsulated = frames
    }

    package var description: String { UIDRegistry.name(uid) ?? uid }
    package static func == (a: TransferSyntax, b: TransferSyntax) -> Bool { a.uid == b.uid }
    package func hash(into hasher: inout Hasher) { hasher.combine(uid) }

    package static let implicitVRLittleEndian = TransferSyntax("1.2.840.10008.1.2", implicit: true)
    package static let explicitVRLittleEndian = TransferSyntax("1.2.840.10008.1.2.1")
    package static let encapsulatedUncompressed = TransferSyntax("1.2.840.10008.1.2.1.98", frames: true)
    package static let deflatedExplicitVRLittleEndian = TransferSyntax("1.2.840.10008.1.2.1.99", deflated: true)
    package static let explicitVRBigEndian = TransferSyntax("1.2.840.10008.1.2.2", big: true)
    package static let jpegBaseline = TransferSyntax("1.2.840.10008.1.2.4.50", frames: true)
    package static let jpegExtended = TransferSyntax("1.2.840.10008.1.2.4.51", frames: true)
    package static let jpegLossless = TransferSyntax("1.2.840.10008.1.2.4.57", frames: true)
    package static let jpegLosslessSV1 = TransferSyntax("1.2.840.10008.1.2.4.70", frames: true)
    package static let jpegLSLossless = TransferSyntax("1.2.840.10008.1.2.4.80", frames: true)
    package static let jpegLSNearLossless = TransferSyntax("1.2.840.10008.1.2.4.81", frames: true)
    package static let jpeg2000Lossless = TransferSyntax("1.2.840.10008.1.2.4.90", frames: true)
    package static let jpeg2000 = TransferSyntax("1.2.840.10008.1.2.4.91", frames: true)
    package static let jpeg2000Part2Lossless = TransferSyntax("1.2.840.10008.1.2.4.92", frames: true)
    package static let jpeg2000Part2 = TransferSyntax("1.2.840.10008.1.2.4.93", frames: true)
    package static let htj2kLossless = TransferSyntax("1.2.840.10008.1.2.4.201", frames: true)
    package static let htj2kLosslessRPCL = TransferSyntax("1.2.840.10008.1.2.4.202", frames: true)
    package static let htj2k = TransferSyntax("1.2.840.10008.1.2.4.203", frames: true)
    package static let rleLossless = TransferSyntax("1.2.840.10008.1.2.5", frames: true)

    /// All transfer syntaxes whose data sets this codec reads and writes, in the order of their UIDs' text.
    package static let all: [TransferSyntax] = known.values.sorted { $0.uid < $1.uid }

    private static let known: [String: TransferSyntax] = {
        var known: [String: TransferSyntax] = [:]
        for entry in UIDRegistry.entries(of: .transferSyntax) where !unreadable.contains(entry.uid) {
            let component = entry.uid.dropFirst("1.2.840.10008.1.2.".count)
            known[entry.uid] = TransferSyntax(
                entry.uid,
                implicit: entry.uid == implicitVRLittleEndian.uid,
                big: entry.uid == explicitVRBigEndian.uid,
                // JPIP references the pixels elsewhere; its deflated forms deflate as PS3.5 §A.5 does.
                deflated: component == "1.99" || component == "4.95" || component == "4.205",
                frames: component == "5" || component == "1.98"
                    || component.hasPrefix("4.") && !["4.94", "4.95", "4.204", "4.205"].contains(component))
        }
        return known
    }()

    /// Registered, but no encoding of a data set: XML, MIME, Papyrus and the real-time video flows of PS3.22.
    private static let unreadable: Set<String> = [
        "1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2", "1.2.840.10008.1.20",
        "1.2.840.10008.1.2.7.1", "1.2.840.10008.1.2.7.2", "1.2.840.10008.1.2.7.3",
    ]
}
