/// Whether a part of a message carries a value. HL7 v2.5.1 §2.5.3 and §2.10.
package enum Presence: Sendable, Hashable {
    /// The message ends before this part: nothing was said about it.
    case absent
    /// The place is there with nothing in it: nothing was said about it.
    case empty
    /// `""`: the sender says that the value is to be deleted.
    case null
    /// A value of one byte or more.
    case valued
}

/// What fields, repetitions, components and subcomponents have in common: a stretch of the message.
package protocol Element: Sendable {
    var slice: Slice { get }
}

extension Element {
    /// Absent, empty, null or valued.
    package var presence: Presence {
        guard slice.start >= 0 else { return .absent }
        if slice.start == slice.end { return .empty }
        return isNull ? .null : .valued
    }

    /// True for `""`.
    package var isNull: Bool {
        slice.end - slice.start == 2 && slice.start >= 0
            && slice.storage.bytes[Int(slice.start)] == 0x22 && slice.storage.bytes[Int(slice.start) + 1] == 0x22
    }

    /// True when there is a value of one byte or more that is not `""`.
    package var isValued: Bool { presence == .valued }

    /// The bytes as sent, in UTF-8, delimiters and escapes included.
    package var rawBytes: ArraySlice<UInt8> {
        guard slice.start >= 0 else { return [] }
        return slice.storage.bytes[Int(slice.start)..<Int(slice.end)]
    }

    /// The text of the first leaf (first repetition, component and subcomponent), escapes removed.
    ///
    /// Nil when that leaf is absent, empty or `""`.
    package var text: String? { slice.firstLeaf().decoded() }

    /// The text of the whole element, escapes removed and delimiters inside it kept as characters.
    ///
    /// For text data types (ST, TX, FT), whose senders often leave `&` and `^` unescaped. Nil unless valued.
    package var wholeText: String? { slice.decoded() }

    /// The bytes of the whole element, escapes removed, delimiters inside kept. Empty unless valued.
    ///
    /// For encapsulated data, so that base64 never becomes a `String`.
    package var wholeBytes: [UInt8] { slice.unescaped() ?? [] }

    /// The whole element as a decimal integer. Nil when it is not one or leaves 64 bits.
    package var integer: Int? {
        guard isValued else { return nil }
        return Int(String(decoding: slice.firstLeaf().bytes.filter { $0 != 0x20 }, as: UTF8.self))
    }

    /// The first leaf as a time stamp. Nil when it is not valued or not a legal DTM.
    package var timestamp: Timestamp? {
        let leaf = slice.firstLeaf()
        return leaf.start < leaf.end ? Timestamp(leaf.bytes) : nil
    }
}

/// A stretch of the byte buffer of a message.
package struct Slice: Sendable {
    let storage: MessageStorage
    /// −1 when absent.
    let start: Int32
    let end: Int32
    /// True for MSH-1 and MSH-2, in which delimiters are data.
    let isLiteral: Bool

    init(storage: MessageStorage, range: Range<Int>, isLiteral: Bool = false) {
        self.storage = storage
        self.start = Int32(truncatingIfNeeded: range.lowerBound)
        self.end = Int32(truncatingIfNeeded: range.upperBound)
        self.isLiteral = isLiteral
    }

    private init(absentIn storage: MessageStorage) {
        self.storage = storage
        start = -1
        end = -1
        isLiteral = false
    }

    static func absent(_ storage: MessageStorage) -> Slice { Slice(absentIn: storage) }

    var bytes: ArraySlice<UInt8> { start < 0 ? [] : storage.bytes[Int(start)..<Int(end)] }

    /// The n-th piece (from 1) between separators; absent when there are fewer. Linear in the bytes before it.
    func piece(_ number: Int, separator: UInt8) -> Slice {
        guard start >= 0, number >= 1 else { return .absent(storage) }
        if isLiteral { return number == 1 ? self : .absent(storage) }
        let all = storage.bytes
        let text = all.span
        var remaining = number
        var from = Int(start)
        let limit = Int(end)
        var at = from
        while at < limit {
            if text[at] == separator {
                remaining -= 1
                if remaining == 0 { break }
                from = at + 1
            }
            at += 1
        }
        if at == limit {
            remaining -= 1
            if remaining > 0 { return .absent(storage) }
        }
        return Slice(storage: storage, range: from..<at)
    }

    /// The end of the piece that begins at `from`: the offset of the separator, or of the end of the slice.
    func pieceEnd(from: Int, separator: UInt8) -> Int {
        if isLiteral { return Int(end) }
        let all = storage.bytes
        let text = all.span
        var at = from
        while at < Int(end), text[at] != separator { at += 1 }
        return at
    }

    /// The bytes up to the first repetition, component or subcomponent separator.
    func firstLeaf() -> Slice {
        guard start >= 0, !isLiteral else { return self }
        let all = storage.bytes
        let text = all.span
        let delimiters = storage.delimiters
        var at = Int(start)
        while at < Int(end) {
            let byte = text[at]
            if byte == delimiters.component || byte == delimiters.subcomponent || byte == delimiters.repetition {
                break
            }
            at += 1
        }
        return Slice(storage: storage, range: Int(start)..<at)
    }

    /// The text with escapes removed, nil unless valued.
    func decoded() -> String? {
        guard start >= 0, start < end else { return nil }
        let raw = bytes
        if raw.count == 2, raw.first == 0x22, raw.last == 0x22 { return nil }
        if isLiteral || !raw.contains(storage.delimiters.escape) { return String(decoding: raw, as: UTF8.self) }
        return unescaped().map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes with escapes removed, nil unless valued.
    func unescaped() -> [UInt8]? {
        guard start >= 0, start < end else { return nil }
        let raw = bytes
        if raw.count == 2, raw.first == 0x22, raw.last == 0x22 { return nil }
        if isLiteral || !raw.contains(storage.delimiters.escape) { return Array(raw) }
        return Escape.removed(from: raw, delimiters: storage.delimiters, characterSet: storage.characterSet)
    }
}
