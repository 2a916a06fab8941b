import Basics
import Cryptography

/// Seals and opens bodies on one connection. Not for two threads at a time.
///
/// The first byte of a value says what it is:
///
/// - ``sealed``: then 8 bytes with the name of the store's key, 12 of nonce, the ciphertext, and the 16 bytes of its tag
///   (AES-256-GCM; NIST SP 800-38D). Associated are the form, the name of the key, the column and the row's identity, so
///   that a value opens nowhere but where it was put.
/// - ``clear``: the rest is the value.
/// - one that differs from ``sealed`` by a single bit: a sealed value that was changed. It is refused, not told as what it
///   is not; a clear value that begins so is written as ``clear``.
/// - any other: the whole is the value, as it is in a database that never had this option.
///
/// Neither of the two, nor a neighbour, begins a JSON text, a message or a data set of before: a message begins with `MSH`,
/// and the lowest group of an object's data set is 0008 or less. A value without bytes stays so.
final class BodySeal {
    static let sealed: UInt8 = 0xF6
    static let clear: UInt8 = 0xF8

    /// Bytes before the ciphertext, and those in all beside it.
    static let headBytes = 1 + BodyKeys.Key.idBytes + AESGCM.nonceBytes
    static let extraBytes = headBytes + AESGCM.tagBytes

    /// What the first byte of a value says.
    enum Form { case sealed, changed, clear, plain }

    static func form(_ first: UInt8) -> Form {
        switch (first ^ sealed).nonzeroBitCount {
        case 0: .sealed
        case 1: .changed
        default: first == clear ? .clear : .plain
        }
    }

    let ring: BodyRing
    private var sealer: (key: BodyKeys.Key, cipher: AESGCM)?
    /// By the names of their keys: few, as each is one of the store's.
    private var openers: [[UInt8]: AESGCM] = [:]
    /// The one that was used last: as a rule the only one.
    private var lastOpener: (id: [UInt8], cipher: AESGCM)?

    init(_ ring: BodyRing) { self.ring = ring }

    // MARK: Writing

    /// The values as they are bound: without bodies.
    func resolved(_ values: [SQLValue]) throws -> [SQLValue] {
        guard values.contains(where: { if case .body = $0 { true } else { false } }) else { return values }
        return try values.map { value in
            guard case .body(let body) = value else { return value }
            return .bytes(try written(body, seals: ring.isSealing))
        }
    }

    /// The bytes of a body as they are to lie in its column.
    func written(_ body: SealableBody, seals: Bool) throws -> [UInt8] {
        guard let first = body.bytes.first else { return [] }
        if seals { return try seal(body) }
        return BodySeal.form(first) == .plain ? body.bytes : [BodySeal.clear] + body.bytes
    }

    private func seal(_ body: SealableBody) throws -> [UInt8] {
        let key = try ring.current()
        if sealer?.key.id != key.id { sealer = (key, AESGCM(key: key.secret, .seal)) }
        guard let cipher = sealer?.cipher else { return [] }
        let nonce = SecureRandom.bytes(AESGCM.nonceBytes)
        let count = body.bytes.count
        let associated = BodySeal.associated(key.id, body.column, body.identity)
        return [UInt8](unsafeUninitializedCapacity: count + BodySeal.extraBytes) { target, filled in
            guard let base = target.baseAddress else { return }
            base[0] = BodySeal.sealed
            for (offset, byte) in key.id.enumerated() { base[1 + offset] = byte }
            for (offset, byte) in nonce.enumerated() { base[1 + BodyKeys.Key.idBytes + offset] = byte }
            let text = base + BodySeal.headBytes
            body.bytes.withUnsafeBytes {
                cipher.seal($0, to: text, tag: text + count, nonce: nonce, associated: associated)
            }
            filled = count + BodySeal.extraBytes
        }
    }

    // MARK: Reading

    /// The value of the bytes of a column, copied once.
    /// - Parameter identity: of the row; asked for sealed bytes alone.
    /// Throws `.unopened` for bytes that were changed, moved from another row, or sealed under a key that is not the store's.
    func opened(
        _ bytes: UnsafeRawBufferPointer, _ column: SealedColumn, _ identity: () throws -> String
    ) throws -> [UInt8] {
        guard let first = bytes.first else { return [] }
        switch BodySeal.form(first) {
        case .sealed, .changed: return try open(bytes, column, try identity())
        case .clear: return [UInt8](bytes.dropFirst())
        case .plain: return [UInt8](bytes)
        }
    }

    private func open(
        _ bytes: UnsafeRawBufferPointer, _ column: SealedColumn, _ identity: String
    ) throws -> [UInt8] {
        func refusal(_ why: String) -> SQLStoreError {
            SQLStoreError(.unopened, "the sealed \(column.rawValue) of \(identity) does not open: \(why)")
        }
        guard bytes[0] == BodySeal.sealed else { throw refusal("its form was changed") }
        guard bytes.count > BodySeal.extraBytes else { throw refusal("it is cut") }
        guard let (id, cipher) = try opener(bytes[1..<(1 + BodyKeys.Key.idBytes)]) else {
            let name = Hexadecimal.encode([UInt8](bytes[1..<(1 + BodyKeys.Key.idBytes)]))
            throw refusal("it is under key \(name), which is none of the store's")
        }
        let nonce = [UInt8](bytes[(1 + BodyKeys.Key.idBytes)..<BodySeal.headBytes])
        let associated = BodySeal.associated(id, column, identity)
        let count = bytes.count - BodySeal.extraBytes
        let source = UnsafeRawBufferPointer(rebasing: bytes[BodySeal.headBytes..<(BodySeal.headBytes + count)])
        let tag = UnsafeRawBufferPointer(rebasing: bytes[(BodySeal.headBytes + count)...])
        var isWhole = false
        let plain = [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            guard let base = target.baseAddress, let tagStart = tag.baseAddress else { return }
            isWhole = cipher.open(source, to: base, tag: tagStart, nonce: nonce, associated: associated)
            // What is not authentic is not told.
            filled = isWhole ? count : 0
        }
        guard isWhole else { throw refusal("it was changed, or is another row's") }
        return plain
    }

    /// - Parameter name: of the key, as it lies in the value.
    private func opener(_ name: Slice<UnsafeRawBufferPointer>) throws -> (id: [UInt8], cipher: AESGCM)? {
        if let lastOpener, lastOpener.id.elementsEqual(name) { return lastOpener }
        let id = [UInt8](name)
        if openers[id] == nil {
            guard let key = try ring.key(id) else { return nil }
            openers[id] = AESGCM(key: key.secret, .open)
        }
        lastOpener = openers[id].map { (id, $0) }
        return lastOpener
    }

    private static func associated(_ id: [UInt8], _ column: SealedColumn, _ identity: String) -> [UInt8] {
        // The label holds no zero byte, so that where it ends is plain.
        var text: [UInt8] = []
        text.reserveCapacity(64 + identity.utf8.count)
        text += "hilum body v1\u{0}".utf8
        text += column.label.utf8
        text.append(0)
        text += id
        text += identity.utf8
        return text
    }
}

extension SQLRow {
    /// The bytes of a column that may be sealed.
    /// - Parameter identity: of the row, as ``SealedColumn/identity``.
    package func opened(
        _ column: Int, _ sealed: SealedColumn, _ identity: @autoclosure () throws -> String
    ) throws -> [UInt8] {
        if isNull(column) { throw SQLStoreError(.value, "column \(column) is null") }
        return try withBytes(column) { try seal.opened($0, sealed, identity) }
    }

    /// The same where it lies, without a copy but where it is sealed; valid during `body` only.
    func withOpened<Result>(
        _ column: Int, _ sealed: SealedColumn, _ identity: @autoclosure () throws -> String,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        try withBytes(column) { bytes in
            switch bytes.first.map(BodySeal.form) {
            case .sealed, .changed: try seal.opened(bytes, sealed, identity).withUnsafeBytes(body)
            case .clear: try body(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
            case .plain, nil: try body(bytes)
            }
        }
    }
}
