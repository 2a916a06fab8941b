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
        guard isNull else { return .valued }
        slice.noteRead()
        return .null
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
    package var text: String? { slice.firstLeaf().read() }

    /// The same without being noted as read: for what has to be understood before it is carried anywhere.
    package var peekedText: String? { slice.firstLeaf().decoded() }

    /// The text of the whole element, escapes removed and delimiters inside it kept as characters.
    ///
    /// For text data types (ST, TX, FT), whose senders often leave `&` and `^` unescaped. Nil unless valued.
    package var wholeText: String? { slice.read() }

    /// The bytes of the whole element, escapes removed, delimiters inside kept. Empty unless valued.
    ///
    /// For encapsulated data, so that base64 never becomes a `String`.
    package var wholeBytes: [UInt8] {
        slice.noteRead()
        return slice.unescaped() ?? []
    }

    /// The whole element as a decimal integer. Nil when it is not one or leaves 64 bits.
    package var integer: Int? {
        guard isValued else { return nil }
        let leaf = slice.firstLeaf()
        guard let number = Int(String(decoding: leaf.bytes.filter { $0 != 0x20 }, as: UTF8.self)) else {
            leaf.report(.dataTypeError, "The value is not a whole number")
            return nil
        }
        leaf.noteRead()
        return number
    }

    /// The first leaf as a time stamp. Nil when it is not valued, is `""` or not a legal DTM; the last is reported in
    /// the trace of the message.
    package var timestamp: Timestamp? {
        let leaf = slice.firstLeaf()
        guard leaf.start < leaf.end, !leaf.bytes.allSatisfy({ $0 == 0x20 }) else { return nil }
        guard !Subcomponent(slice: leaf).isNull else { return nil }
        guard let stamp = Timestamp(leaf.bytes) else {
            leaf.report(.dataTypeError, "The value is not a legal date or time")
            return nil
        }
        leaf.noteRead()
        return stamp
    }

    /// Says in the trace of the message what is wrong with the value; nothing when the message has no trace.
    package func report(_ condition: ErrorCondition, _ text: String) { slice.report(condition, text) }

    /// The same for a value for which the message cannot be carried out at all.
    package func refuse(_ condition: ErrorCondition, _ text: String) {
        slice.report(condition, text, isRefusal: true)
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

    func noteRead() {
        guard let trace = storage.trace, start >= 0, start < end else { return }
        trace.note(self)
    }

    func report(_ condition: ErrorCondition, _ text: String, isRefusal: Bool = false) {
        guard let trace = storage.trace, start >= 0 else { return }
        guard let location = Message(storage: storage).location(ofByte: Int(start)) else { return }
        trace.report(condition, at: location, text, isRefusal: isRefusal)
    }

    /// The text as taken by a reader: noted in the trace.
    func read() -> String? {
        noteRead()
        return decoded()
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
