import Workflow

/// New blob ids: 4 hexadecimal digits that choose the directory, then 24 random characters (120 bits) of Crockford
/// base 32 in lower case.
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

    mutating func next() -> BlobID {
        if used == BlobIDSequence.blobsPerDirectory {
            directory &+= 1
            used = 0
        }
        used += 1
        let digits = [12, 8, 4, 0].map { BlobIDSequence.hexadecimal[Int(directory >> UInt16($0)) & 15] }
        let random = entropy.bytes(24).map { BlobIDSequence.alphabet[Int($0 & 31)] }
        return BlobID(String(decoding: digits + random, as: UTF8.self))
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
