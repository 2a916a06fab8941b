import Basics
import Cryptography
import Workflow

/// What opens and seals the key of a ``StoreKeyFile``: a master key, or a program that asks a device for it.
package protocol MasterKeyWrapping: Sendable {
    var kind: StoreKeyFile.Slot.Kind { get }
    /// Where it is kept, for people.
    var place: String { get }
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - ring: the id of the ring that it is the key of.
    func wrap(_ key: [UInt8], of ring: [UInt8], _ entropy: any Entropy) throws -> StoreKeyFile.Slot
    /// Nil for a slot that is not this key's. Throws `StoreError(.corrupt)` for one that is and does not open.
    func unwrap(_ slot: StoreKeyFile.Slot, of ring: [UInt8]) throws -> [UInt8]?
}

/// `store.keys`: the keys of a store, sealed. Lines of words, all values in lower-case hexadecimal but the numbers:
///
///     hilum-store-keys 1
///     ring <16 bytes: random, made with the store's keys and never changed>
///     generation <a decimal number: rises with every time it is written>
///     slot <key or program> <8 bytes: the name of the master key> <the file's key, wrapped for it>
///     keys <12 bytes of nonce and what is sealed under the file's key>
///     check <the first 12 bytes of the SHA-256 of the lines before>
///
/// The file's key is new each time, and wrapped for each master key that is to open it: one, or two while the master key
/// is being changed. What is sealed (AES-256-GCM, associated: a word, the ring and the generation): a byte of 1, then for
/// each store key, oldest first, 8 bytes with the seconds since 1970 UTC at which it was made, and its 32 bytes.
package struct StoreKeyFile: Sendable, Hashable {
    package struct Slot: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable { case key, program }
        package let kind: Kind
        /// 8 bytes.
        package let id: [UInt8]
        package let wrapped: [UInt8]

        package init(kind: Kind, id: [UInt8], wrapped: [UInt8]) {
            self.kind = kind
            self.id = id
            self.wrapped = wrapped
        }

        /// For people: the public name of the master key.
        package var name: String { Hexadecimal.encode(id) }
    }

    /// 16 bytes: names the store's keys, however often they are sealed.
    package let ring: [UInt8]
    /// From 1.
    package let generation: Int64
    /// One for each master key that opens it.
    package let slots: [Slot]
    private let sealed: [UInt8]

    package static let fileName = "store.keys"
    /// More is no such file.
    package static let bytesMax = 512 << 10
    static let slotsMax = 16
    /// Bytes that a program may make of 32.
    package static let wrappedBytesMax = 16 << 10
    static let keysMax = 4096
    private static let ringBytes = 16
    private static let idBytes = 8
    private static let checkBytes = 12
    private static let version: UInt8 = 1
    private static let keyBytes = 8 + MasterKey.bytes

    // MARK: Form

    /// Throws `StoreError(.corrupt)` for anything that is not a whole, undamaged file of version 1.
    package init(_ bytes: [UInt8]) throws {
        func damage() -> StoreError { StoreError(.corrupt, "it is cut, changed or no file of keys") }
        guard bytes.count <= StoreKeyFile.bytesMax, bytes.allSatisfy({ $0 < 0x80 }) else { throw damage() }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.split(separator: " ", omittingEmptySubsequences: false) }
        guard let first = lines.first, first.first == "hilum-store-keys", first.count == 2 else { throw damage() }
        guard first[1] == "1" else {
            throw StoreError(.corrupt, "it is of version \(first[1].prefix(8)), a newer program's")
        }
        // Five lines at least, each ended.
        guard lines.count >= 7, lines.count <= 6 + StoreKeyFile.slotsMax, lines[lines.count - 1] == [""] else {
            throw damage()
        }
        func hexadecimal(_ text: Substring) throws -> [UInt8] {
            guard let bytes = Hexadecimal.decode(Array(text.utf8)[...]) else { throw damage() }
            return bytes
        }
        let check = lines[lines.count - 2]
        let checked = bytes.dropLast((check.joined(separator: " ") + "\n").utf8.count)
        guard check.count == 2, check[0] == "check",
            check[1] == StoreKeyFile.checkText(Array(checked))
        else { throw damage() }
        let keys = lines[lines.count - 3]
        guard lines[1].count == 2, lines[1][0] == "ring", lines[2].count == 2, lines[2][0] == "generation",
            let generation = Int64(lines[2][1]), generation > 0, generation < .max, keys.count == 2, keys[0] == "keys"
        else { throw damage() }
        ring = try hexadecimal(lines[1][1])
        self.generation = generation
        sealed = try hexadecimal(keys[1])
        slots = try lines[3..<(lines.count - 3)].map { line in
            guard line.count == 4, line[0] == "slot", let kind = Slot.Kind(rawValue: String(line[1])) else {
                throw damage()
            }
            return Slot(kind: kind, id: try hexadecimal(line[2]), wrapped: try hexadecimal(line[3]))
        }
        guard ring.count == StoreKeyFile.ringBytes, slots.allSatisfy({ $0.id.count == StoreKeyFile.idBytes }) else {
            throw damage()
        }
    }

    package var encoded: [UInt8] {
        var lines = [
            "hilum-store-keys 1", "ring \(Hexadecimal.encode(ring))", "generation \(generation)",
        ]
        lines += slots.map { "slot \($0.kind.rawValue) \($0.name) \(Hexadecimal.encode($0.wrapped))" }
        lines.append("keys \(Hexadecimal.encode(sealed))")
        let text = Array(lines.map { $0 + "\n" }.joined().utf8)
        return text + Array("check \(StoreKeyFile.checkText(text))\n".utf8)
    }

    /// By which damage is told; what was changed on purpose is told by the tags.
    static func checkText(_ lines: [UInt8]) -> String {
        Hexadecimal.encode(SHA256.digest(lines).prefix(checkBytes))
    }

    // MARK: Sealing

    private static func associated(_ ring: [UInt8], _ generation: Int64) -> [UInt8] {
        var bytes = Array("hilum store keys v1".utf8) + ring
        withUnsafeBytes(of: generation.bigEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Seals keys for each of the master keys, and proves that each of them opens what it made.
    /// Throws `StoreError(.misuse)` for too many, and what a program fails with.
    package init(
        _ keys: StoreKeySet, generation: Int64, for masters: [any MasterKeyWrapping],
        _ entropy: any Entropy = OpenSSLEntropy()
    ) throws {
        guard !masters.isEmpty, masters.count <= StoreKeyFile.slotsMax, keys.keys.count <= StoreKeyFile.keysMax else {
            throw StoreError(.misuse, "too many keys")
        }
        let fileKey = entropy.bytes(AESGCM.keyBytes)
        var plain = [StoreKeyFile.version]
        for key in keys.keys {
            withUnsafeBytes(of: key.madeAt.bigEndian) { plain.append(contentsOf: $0) }
            plain += key.secret
        }
        let nonce = entropy.bytes(AESGCM.nonceBytes)
        ring = keys.ring
        self.generation = generation
        slots = try masters.map { try $0.wrap(fileKey, of: keys.ring, entropy) }
        sealed =
            nonce
            + AESGCM.seal(
                plain, key: fileKey, nonce: nonce, associated: StoreKeyFile.associated(keys.ring, generation))
        guard encoded.count <= StoreKeyFile.bytesMax,
            slots.allSatisfy({ $0.wrapped.count <= StoreKeyFile.wrappedBytesMax })
        else { throw StoreError(.misuse, "the file of keys would be too long") }
        let written = try StoreKeyFile(encoded)
        for master in masters {
            guard try written.open([master])?.keys == keys else {
                throw StoreError(.misuse, "\(master.place) does not open what it has sealed: nothing was changed")
            }
        }
    }

    /// The keys, with which of the master keys opened them; nil when the file is under none of them.
    /// Throws `StoreError(.corrupt)` when one that should open it does not, or what it opens is damaged.
    package func open(_ masters: [any MasterKeyWrapping]) throws -> (keys: StoreKeySet, master: Int)? {
        var failure: (any Error)?
        for (index, master) in masters.enumerated() {
            for slot in slots {
                do {
                    guard let key = try master.unwrap(slot, of: ring) else { continue }
                    if let keys = open(key) { return (keys, index) }
                    failure = failure ?? StoreError(.corrupt, "it is damaged: the key is right, what it seals is not")
                } catch { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
        return nil
    }

    private func open(_ key: [UInt8]) -> StoreKeySet? {
        guard key.count == AESGCM.keyBytes, sealed.count > AESGCM.nonceBytes,
            let plain = AESGCM.open(
                Array(sealed.dropFirst(AESGCM.nonceBytes)), key: key, nonce: Array(sealed.prefix(AESGCM.nonceBytes)),
                associated: StoreKeyFile.associated(ring, generation)),
            plain.first == StoreKeyFile.version, (plain.count - 1) % StoreKeyFile.keyBytes == 0
        else { return nil }
        let keys = stride(from: 1, to: plain.count, by: StoreKeyFile.keyBytes).map { start in
            StoreKeySet.Key(
                secret: Array(plain[(start + 8)..<(start + StoreKeyFile.keyBytes)]),
                madeAt: plain[start..<(start + 8)].reduce(0) { $0 << 8 | Int64($1) })
        }
        return keys.isEmpty ? nil : StoreKeySet(ring: ring, keys: keys)
    }
}

/// The keys of a store in clear: what a ``StoreKeyFile`` seals.
package struct StoreKeySet: Sendable, Hashable {
    package struct Key: Sendable, Hashable {
        /// 32 bytes.
        package let secret: [UInt8]
        /// Seconds since 1970 UTC.
        package let madeAt: Int64

        package init(secret: [UInt8], madeAt: Int64) {
            self.secret = secret
            self.madeAt = madeAt
        }
    }

    /// 16 bytes.
    package let ring: [UInt8]
    /// Oldest first, at least one. None ever leaves: a backup may hold objects under it.
    package private(set) var keys: [Key]

    /// Keys of a new store; of one of before there was `store.keys`, with the master key that it wrapped with as the first.
    package init(first: [UInt8]? = nil, madeAt: Int64, _ entropy: any Entropy = OpenSSLEntropy()) {
        ring = entropy.bytes(16)
        keys = [Key(secret: first ?? entropy.bytes(MasterKey.bytes), madeAt: madeAt)]
    }

    init(ring: [UInt8], keys: [Key]) {
        self.ring = ring
        self.keys = keys
    }

    /// With one more, for blobs from now on.
    package func renewed(madeAt: Int64, _ entropy: any Entropy = OpenSSLEntropy()) -> StoreKeySet {
        StoreKeySet(ring: ring, keys: keys + [Key(secret: entropy.bytes(MasterKey.bytes), madeAt: madeAt)])
    }

    /// Whether these are the others of the same ring, perhaps with more that were made since.
    package func continues(_ others: StoreKeySet) -> Bool { ring == others.ring && keys.starts(with: others.keys) }

    /// The newest protects new blobs.
    /// - Parameter others: further keys that open.
    package func keyRing(and others: [StoreKeySet] = []) throws -> KeyRing {
        let own = try keys.map { try StoreKey($0.secret) }
        let further = try others.flatMap { try $0.keys.map { try StoreKey($0.secret) } }
        guard let current = own.last else { throw StoreError(.misuse, "a store without a key") }
        return KeyRing(current: current, previous: Array(own.dropLast().reversed()) + further)
    }

    /// 32 bytes of the first key for one use: the same for as long as the store lives.
    package func derived(_ use: String) -> [UInt8] {
        KeyDerivation.hkdf(keys.first?.secret ?? [], info: Array(use.utf8), count: 32)
    }
}
