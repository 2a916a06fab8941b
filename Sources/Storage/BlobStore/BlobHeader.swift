import Cryptography
import Workflow

/// The first 256 bytes of a blob file, format version 1. Integers are big-endian.
///
///     0   8  "HILUMBLB"
///     8   1  version, 1
///     9   1  algorithm: 0 none, 1 AES-256-GCM
///     10  2  zero
///     12  4  bytes of content in a chunk: 65,536 to 262,144
///     16  8  bytes of content in the blob
///     24 12  nonce base, random; a chunk's nonce is it with the chunk's index XORed into the last 8 bytes
///     36  1  length of the id
///     37 64  the id, then zeros
///     101 7  zero
///     108 68 key slot: store key id 8, nonce 12, wrapped data key 32, tag 16; zeros in an erasable blob, whose slot lies
///            apart; with algorithm none instead the ContentChecksum of the content, 16, then zeros, or zeros for a file of
///            before there were checksums
///     176 68 another key slot, which is read and not written any more, or zeros
///     244 12 the first 12 bytes of the SHA-256 of the 244 before
///
/// The data key is random, one per blob, encrypted under the store key's wrapping key with bytes 0 to 107 as
/// associated data: so the content's length is authenticated and a cut file is noticed when it is opened. After the
/// header come the chunks, each followed by its 16-byte tag; associated data of a chunk: the id, the chunk's index
/// (8 bytes) and 1 for the last chunk, 0 for others. An empty blob has one empty chunk. With algorithm none the
/// content follows as it is. The header is written with the content or after it: a file without one is not a blob.
struct BlobHeader: Equatable {
    enum Algorithm: UInt8 { case none = 0, aes256GCM = 1 }

    struct KeySlot: Equatable {
        var keyID: [UInt8]
        var nonce: [UInt8]
        var wrapped: [UInt8]
        var tag: [UInt8]

        var encoded: [UInt8] { keyID + nonce + wrapped + tag }

        init(keyID: [UInt8], nonce: [UInt8], wrapped: [UInt8], tag: [UInt8]) {
            self.keyID = keyID
            self.nonce = nonce
            self.wrapped = wrapped
            self.tag = tag
        }

        /// Throws `StoreError(.corrupt)` for another length than 68 bytes.
        init(_ bytes: [UInt8]) throws {
            guard bytes.count == BlobHeader.slotBytes else { throw StoreError(.corrupt, "the blob's key is damaged") }
            self.init(
                keyID: Array(bytes[..<8]), nonce: Array(bytes[8..<20]), wrapped: Array(bytes[20..<52]),
                tag: Array(bytes[52...]))
        }
    }

    var algorithm: Algorithm
    var chunkBytes: Int
    var count: Int64
    var nonceBase: [UInt8]
    var id: BlobID
    var slots: [KeySlot] = []
    /// Of a file that is not encrypted: by it damage is found, which encryption's tags do otherwise.
    var checksum: [UInt8]?

    static let bytes = 256
    static let chunkBytesMin = 64 << 10
    static let chunkBytesMax = 256 << 10
    private static let magic = Array("HILUMBLB".utf8)
    private static let slotBytes = 68
    private static let slotsOffset = 108
    private static let checksumOffset = 244

    /// Bytes 0 to 107: what the wrapped key is bound to.
    var authenticated: [UInt8] {
        var bytes = BlobHeader.magic + [1, algorithm.rawValue, 0, 0]
        withUnsafeBytes(of: UInt32(chunkBytes).bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: count.bigEndian) { bytes.append(contentsOf: $0) }
        bytes += nonceBase
        let name = Array(id.value.utf8)
        bytes.append(UInt8(name.count))
        bytes += name
        bytes += [UInt8](repeating: 0, count: BlobHeader.slotsOffset - bytes.count)
        return bytes
    }

    var encoded: [UInt8] {
        var bytes = authenticated
        for slot in slots.prefix(2) { bytes += slot.encoded }
        if let checksum, algorithm == .none { bytes += checksum }
        bytes += [UInt8](repeating: 0, count: BlobHeader.checksumOffset - bytes.count)
        return bytes + SHA256.digest(bytes).prefix(BlobHeader.bytes - BlobHeader.checksumOffset)
    }

    init(algorithm: Algorithm, chunkBytes: Int, count: Int64, nonceBase: [UInt8], id: BlobID) {
        self.algorithm = algorithm
        self.chunkBytes = chunkBytes
        self.count = count
        self.nonceBase = nonceBase
        self.id = id
    }

    /// Throws `StoreError(.corrupt)` for anything that is not a whole, undamaged header of version 1.
    init(_ bytes: [UInt8]) throws {
        guard bytes.count == BlobHeader.bytes, Array(bytes[..<8]) == BlobHeader.magic else {
            throw StoreError(.corrupt, "not a blob file")
        }
        let checksum = SHA256.digest(bytes[..<BlobHeader.checksumOffset]).prefix(12)
        guard bytes[BlobHeader.checksumOffset...].elementsEqual(checksum) else {
            throw StoreError(.corrupt, "the blob header is damaged")
        }
        guard bytes[8] == 1, let algorithm = Algorithm(rawValue: bytes[9]) else {
            throw StoreError(.corrupt, "blob format version \(bytes[8]), algorithm \(bytes[9]) is not known")
        }
        self.algorithm = algorithm
        chunkBytes = bytes[12..<16].reduce(0) { $0 << 8 | Int($1) }
        count = bytes[16..<24].reduce(0) { $0 << 8 | Int64($1) }
        nonceBase = Array(bytes[24..<36])
        let nameCount = Int(bytes[36])
        guard (BlobHeader.chunkBytesMin...BlobHeader.chunkBytesMax).contains(chunkBytes), count >= 0,
            count <= 1 << 50, nameCount <= 64
        else { throw StoreError(.corrupt, "the blob header has impossible values") }
        id = BlobID(String(decoding: bytes[37..<(37 + nameCount)], as: UTF8.self))
        if algorithm == .none {
            let found = Array(bytes[BlobHeader.slotsOffset..<(BlobHeader.slotsOffset + ContentChecksum.bytes)])
            if found.contains(where: { $0 != 0 }) { self.checksum = found }
            return
        }
        for index in 0..<2 {
            let start = BlobHeader.slotsOffset + index * BlobHeader.slotBytes
            let slot = Array(bytes[start..<(start + BlobHeader.slotBytes)])
            if slot.allSatisfy({ $0 == 0 }) { continue }
            slots.append(try KeySlot(slot))
        }
    }

    // MARK: Geometry

    /// Bytes that each chunk takes on disk beyond its content.
    private var overhead: Int64 { algorithm == .none ? 0 : Int64(AESGCM.tagBytes) }

    /// How many chunks there are; an empty encrypted blob has one.
    var chunkCount: Int64 {
        let size = Int64(chunkBytes)
        return max((count + size - 1) / size, algorithm == .none ? 0 : 1)
    }

    /// Bytes of content in a chunk.
    func contentBytes(ofChunk index: Int64) -> Int { Int(min(Int64(chunkBytes), count - index * Int64(chunkBytes))) }

    func fileOffset(ofChunk index: Int64) -> Int64 {
        Int64(BlobHeader.bytes) + index * (Int64(chunkBytes) + overhead)
    }

    /// The whole file's length.
    var fileBytes: Int64 { Int64(BlobHeader.bytes) + count + chunkCount * overhead }

    // MARK: Keys

    func nonce(ofChunk index: Int64) -> [UInt8] {
        var nonce = nonceBase
        for byte in 0..<8 { nonce[11 - byte] ^= UInt8(truncatingIfNeeded: index >> Int64(8 * byte)) }
        return nonce
    }

    func associatedData(ofChunk index: Int64, isLast: Bool) -> [UInt8] {
        var bytes = Array(id.value.utf8)
        withUnsafeBytes(of: index.bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(isLast ? 1 : 0)
        return bytes
    }

    /// Puts the data key, encrypted for a key of the store, into the only slot.
    mutating func wrap(_ dataKey: [UInt8], for storeKey: StoreKey, nonce: [UInt8]) {
        var wrapped = [UInt8](repeating: 0, count: dataKey.count)
        var tag = [UInt8](repeating: 0, count: AESGCM.tagBytes)
        dataKey.withUnsafeBytes { source in
            wrapped.withUnsafeMutableBytes { target in
                tag.withUnsafeMutableBytes { tag in
                    guard let target = target.baseAddress, let tag = tag.baseAddress else { return }
                    AESGCM(key: storeKey.wrapping, .seal)
                        .seal(source, to: target, tag: tag, nonce: nonce, associated: authenticated)
                }
            }
        }
        slots = [KeySlot(keyID: storeKey.id, nonce: nonce, wrapped: wrapped, tag: tag)]
    }

    /// The data key. Throws `StoreError(.corrupt)` when no slot opens with a key of the ring.
    func dataKey(_ ring: KeyRing) throws -> [UInt8] {
        for slot in slots {
            guard let storeKey = ring.key(id: slot.keyID) else { continue }
            var key = [UInt8](repeating: 0, count: slot.wrapped.count)
            let opened = slot.wrapped.withUnsafeBytes { source in
                key.withUnsafeMutableBytes { target in
                    slot.tag.withUnsafeBytes { tag in
                        guard let target = target.baseAddress, let tag = tag.baseAddress else { return false }
                        return AESGCM(key: storeKey.wrapping, .open)
                            .open(source, to: target, tag: tag, nonce: slot.nonce, associated: authenticated)
                    }
                }
            }
            if opened { return key }
            throw StoreError(.corrupt, "the blob's key does not open: header damaged or from another store")
        }
        throw StoreError(
            .corrupt,
            slots.isEmpty
                ? "the blob has no key: it was erased, or its header was changed"
                : "the blob is encrypted under a key that is not among the store's")
    }
}
