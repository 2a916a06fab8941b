/// Writes segments field by field: the way to make a message.
///
/// Values given as text are escaped; `raw` ones are taken as they are and must already be escaped for these
/// delimiters. Trailing empty fields are not written. HL7 v2.5.1 §2.6.
package struct MessageBuilder: Sendable {
    package let delimiters: Delimiters
    private var output: [UInt8] = []
    /// Separators owed: written only when a value follows.
    private var pendingSeparators: [UInt8] = []

    package init(delimiters: Delimiters = .standard) {
        self.delimiters = delimiters
    }

    /// Begins a segment. For MSH, BHS and FHS the delimiters (fields 1 and 2) are written too; the next field is 3.
    package mutating func segment(_ id: SegmentID) {
        endSegment()
        output.append(contentsOf: id.bytes)
        if id.declaresDelimiters {
            output.append(delimiters.field)
            output.append(contentsOf: delimiters.encodingCharacters)
        }
    }

    /// Appends a field of one component. Nil or empty text leaves it empty.
    package mutating func field(_ text: String? = nil) {
        pendingSeparators.append(delimiters.field)
        value(text)
    }

    /// Appends a field of several components.
    package mutating func field(components: [String?]) {
        pendingSeparators.append(delimiters.field)
        for (index, component) in components.enumerated() {
            if index > 0 { pendingSeparators.append(delimiters.component) }
            value(component)
        }
        pendingSeparators.removeAll { $0 != delimiters.field }
    }

    /// Appends a field that is already in wire form.
    package mutating func field(raw bytes: [UInt8]) {
        pendingSeparators.append(delimiters.field)
        wire(bytes)
    }

    /// Appends `count` empty fields.
    package mutating func skip(_ count: Int) {
        for _ in 0..<max(count, 0) { pendingSeparators.append(delimiters.field) }
    }

    /// Appends `""`: the value is to be deleted at the receiver. HL7 v2.5.1 §2.5.3.
    package mutating func null() {
        pendingSeparators.append(delimiters.field)
        wire([0x22, 0x22])
    }

    /// The message so far in UTF-8, every segment ended by CR.
    package func finished() -> [UInt8] {
        output.isEmpty ? [] : output + [0x0D]
    }

    private mutating func value(_ text: String?) {
        guard let text, !text.isEmpty else { return }
        wire(Escape.added(to: text.utf8, delimiters: delimiters))
    }

    private mutating func wire(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        output.append(contentsOf: pendingSeparators)
        pendingSeparators.removeAll(keepingCapacity: true)
        output.append(contentsOf: bytes)
    }

    private mutating func endSegment() {
        pendingSeparators.removeAll(keepingCapacity: true)
        if !output.isEmpty { output.append(0x0D) }
    }
}
