import Workflow

/// New blob ids: 4 hexadecimal digits that choose the directory, one letter for the form in which the blob lies on disk,
/// then 24 random characters (120 bits) of Crockford base 32 in lower case.
///
/// The letter is p for plain, e for encrypted, x for encrypted with a key that lies apart (erasable).
///
/// The letter makes the form part of what a row names: a file of another form is not the row's blob. Ids without it, of 28
/// characters, are those of blobs written before.
///
/// 256 blobs in turn share a directory, so that those written at the same time share its fsync, and a directory does
/// not grow long. The first directory is random, so that restarts do not fill the same one.
struct BlobIDSequence {
    private let entropy: any Entropy
    private var directory: UInt16
    private var used = 0

    static let blobsPerDirectory = 256
    private static let alphabet: [UInt8] = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let hexadecimal: [UInt8] = Array("0123456789abcdef".utf8)

    init(entropy: any Entropy) {
        self.entropy = entropy
        directory = entropy.bytes(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func next(_ form: BlobHeader.Algorithm, isErasable: Bool = false) -> BlobID {
        if used == BlobIDSequence.blobsPerDirectory {
            directory &+= 1
            used = 0
        }
        used += 1
        let digits = [12, 8, 4, 0].map { BlobIDSequence.hexadecimal[Int(directory >> UInt16($0)) & 15] }
        let random = entropy.bytes(24).map { BlobIDSequence.alphabet[Int($0 & 31)] }
        let letter = isErasable && form != .none ? UInt8(ascii: "x") : letter(form)
        return BlobID(String(decoding: digits + [letter] + random, as: UTF8.self))
    }

    private static let markedCount = 29

    private func letter(_ form: BlobHeader.Algorithm) -> UInt8 {
        switch form {
        case .none: UInt8(ascii: "p")
        case .aes256GCM: UInt8(ascii: "e")
        }
    }

    /// The form that a blob of this id has; nil for an id of before forms were named.
    static func form(of id: BlobID) -> BlobHeader.Algorithm? {
        switch letter(of: id) {
        case UInt8(ascii: "p"): return BlobHeader.Algorithm.none
        case UInt8(ascii: "e"), UInt8(ascii: "x"): return .aes256GCM
        default: return nil
        }
    }

    /// Whether the key of a blob of this id lies apart from it.
    static func isErasable(_ id: BlobID) -> Bool { letter(of: id) == UInt8(ascii: "x") }

    private static func letter(of id: BlobID) -> UInt8? {
        let bytes = id.value.utf8
        return bytes.count == markedCount ? bytes[bytes.index(bytes.startIndex, offsetBy: 4)] : nil
    }

    /// Whether a name may be looked for on disk: 26 to 64 of `[a-z0-9-]`.
    static func isLegal(_ id: BlobID) -> Bool {
        let bytes = id.value.utf8
        return (26...64).contains(bytes.count)
            && bytes.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }
}
