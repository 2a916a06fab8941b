/// Writes a message for one destination: its delimiters, version, character set and field lengths.
///
/// No text can become structure: every delimiter, control byte and line break in a value is escaped. What cannot be
/// written as it stands is an error or a loss that is told, by the destination's policy. HL7 v2.5.1 §2.6, §2.7.
package struct MessageWriter: Sendable {
    package let format: WireFormat

    package init(_ format: WireFormat) { self.format = format }

    /// A message in wire form, without its frame, and what was lost by writing it.
    package struct Written: Sendable, Hashable {
        package var bytes: [UInt8]
        package var losses: [Loss]
    }

    /// A value that is not in the message as it was given.
    package struct Loss: Sendable, Hashable, CustomStringConvertible {
        package enum Kind: String, Sendable, Hashable { case cut, replaced }
        package var kind: Kind
        package var place: ErrorLocation
        /// For a log: the place and no value.
        package var description: String {
            switch kind {
            case .cut: "\(place) was cut to its length"
            case .replaced: "\(place) has characters that the character set does not have"
            }
        }
    }

    /// The message in the destination's form, every segment ended by CR.
    ///
    /// Throws `.valueUnencodable` and `.valueTooLong` with the place, by the destination's policy.
    package func write(_ message: MessageDraft) throws(HL7Error) -> Written {
        var written = Written(bytes: [], losses: [])
        var occurrences: [SegmentID: Int] = [:]
        for segment in message.segments {
            occurrences[segment.id, default: 0] += 1
            let place = ErrorLocation(segment: segment.id, occurrence: occurrences[segment.id] ?? 1)
            try append(segment, place, to: &written)
        }
        written.bytes = try format.characterSet.encoded(written.bytes)
        return written
    }

    private func append(_ segment: SegmentDraft, _ place: ErrorLocation, to written: inout Written) throws(HL7Error) {
        var segment = segment
        written.bytes += segment.id.bytes
        var first = 1
        if segment.id.declaresDelimiters {
            written.bytes.append(format.delimiters.field)
            written.bytes += format.delimiters.encodingCharacters
            first = 3
            if segment.id == "MSH" {
                segment[12] = FieldDraft(.key(format.version))
                // A message without MSH-18 is in ASCII. HL7 v2.5.1 §2.15.9.18.
                segment[18] =
                    format.characterSet == .ascii ? FieldDraft() : FieldDraft(.key(format.characterSet.rawValue))
            }
        }
        if let last = segment.fields.lastIndex(where: { !$0.isEmpty }), last + 1 >= first {
            for number in first...last + 1 {
                written.bytes.append(format.delimiters.field)
                var place = place
                place.field = number
                try append(segment[number], place, to: &written)
            }
        }
        written.bytes.append(0x0D)
    }

    private func append(_ field: FieldDraft, _ place: ErrorLocation, to written: inout Written) throws(HL7Error) {
        guard let last = field.repetitions.lastIndex(where: { !$0.isEmpty }) else { return }
        for (index, repetition) in field.repetitions[...last].enumerated() {
            if index > 0 { written.bytes.append(format.delimiters.repetition) }
            var place = place
            place.repetition = index == 0 ? nil : index + 1
            written.bytes += try bytes(of: repetition, place, &written.losses)
        }
    }

    // MARK: One repetition

    private func bytes(
        of repetition: RepetitionDraft, _ place: ErrorLocation, _ losses: inout [Loss]
    ) throws(HL7Error) -> [UInt8] {
        var repetition = try encodable(repetition, place, &losses)
        var bytes = joined(repetition)
        guard !repetition.holdsData, let limit = format.lengths.limit(place.segment, place.field ?? 0) else {
            return bytes
        }
        var excess = Self.length(bytes) - limit
        guard excess > 0 else { return bytes }
        guard format.overlong == .cut else { throw .valueTooLong(at: place, limit: limit) }
        var cut: Set<[Int]> = []
        while excess > 0 {
            guard let longest = longestProse(repetition, without: cut) else {
                throw .valueTooLong(at: place, limit: limit)
            }
            cut.insert([longest.component, longest.subcomponent])
            let leaf = repetition.components[longest.component].subcomponents[longest.subcomponent]
            repetition.components[longest.component].subcomponents[longest.subcomponent] = shortened(leaf, by: excess)
            bytes = joined(repetition)
            excess = Self.length(bytes) - limit
        }
        losses.append(Loss(kind: .cut, place: place))
        return bytes
    }

    private func joined(_ repetition: RepetitionDraft) -> [UInt8] {
        guard let last = repetition.components.lastIndex(where: { !$0.isEmpty }) else { return [] }
        let delimiters = format.delimiters
        return Array(
            repetition.components[...last].map { component -> [UInt8] in
                guard let last = component.subcomponents.lastIndex(where: { $0 != .empty }) else { return [] }
                return Array(component.subcomponents[...last].map(wire).joined(separator: [delimiters.subcomponent]))
            }.joined(separator: [delimiters.component]))
    }

    private func wire(_ leaf: Leaf) -> [UInt8] {
        switch leaf {
        case .empty: []
        case .null: [0x22, 0x22]
        case .key(let text), .text(let text):
            Escape.written(text.utf8, delimiters: format.delimiters, isFormatted: false)
        case .formatted(let text): Escape.written(text.utf8, delimiters: format.delimiters, isFormatted: true)
        case .data(let bytes): Escape.written(bytes, delimiters: format.delimiters, isFormatted: false)
        }
    }

    // MARK: Length

    /// Characters of UTF-8.
    private static func length(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } }

    private func longestProse(
        _ repetition: RepetitionDraft, without cut: Set<[Int]>
    ) -> (component: Int, subcomponent: Int)? {
        var found: (component: Int, subcomponent: Int)?
        var most = 0
        for (component, parts) in repetition.components.enumerated() {
            for (subcomponent, leaf) in parts.subcomponents.enumerated()
            where leaf.isProse && !cut.contains([component, subcomponent]) {
                let length = Self.length(wire(leaf))
                guard length > most else { continue }
                most = length
                found = (component, subcomponent)
            }
        }
        return found
    }

    /// Without its last characters, so many that the mark has room too; the mark alone where nothing is left.
    private func shortened(_ leaf: Leaf, by excess: Int) -> Leaf {
        let mark = (try? format.characterSet.encoded(Array("…".utf8))) == nil ? "..." : "…"
        func cut(_ text: String, _ isFormatted: Bool) -> String {
            var kept = text[...]
            var freed = -mark.unicodeScalars.count
            while freed < excess, let last = kept.popLast() {
                freed += Self.length(
                    Escape.written(String(last).utf8, delimiters: format.delimiters, isFormatted: isFormatted))
            }
            return kept + mark
        }
        switch leaf {
        case .text(let text): return .text(cut(text, false))
        case .formatted(let text): return .formatted(cut(text, true))
        case .empty, .null, .key, .data: return leaf
        }
    }

    // MARK: Characters

    private func encodable(
        _ repetition: RepetitionDraft, _ place: ErrorLocation, _ losses: inout [Loss]
    ) throws(HL7Error) -> RepetitionDraft {
        var repetition = repetition
        for component in repetition.components.indices {
            for subcomponent in repetition.components[component].subcomponents.indices {
                var place = place
                place.component = component + 1
                place.subcomponent = subcomponent == 0 ? nil : subcomponent + 1
                let leaf = repetition.components[component].subcomponents[subcomponent]
                repetition.components[component].subcomponents[subcomponent] = try encodable(leaf, place, &losses)
            }
        }
        return repetition
    }

    /// The leaf with characters of the set alone. A key is never changed: another one would be somebody else's.
    private func encodable(_ leaf: Leaf, _ place: ErrorLocation, _ losses: inout [Loss]) throws(HL7Error) -> Leaf {
        switch leaf {
        case .empty, .null: return leaf
        case .key(let text):
            guard canEncode(Array(text.utf8)) else { throw .valueUnencodable(at: place) }
            return leaf
        case .data(let bytes):
            guard bytes.allSatisfy({ $0 > 0 && $0 < 0x80 }) else { throw .valueUnencodable(at: place) }
            return leaf
        case .text(let text): return .text(try encodable(text, place, &losses))
        case .formatted(let text): return .formatted(try encodable(text, place, &losses))
        }
    }

    private func encodable(_ text: String, _ place: ErrorLocation, _ losses: inout [Loss]) throws(HL7Error) -> String {
        if canEncode(Array(text.utf8)) { return text }
        guard format.unencodable == .replace else { throw .valueUnencodable(at: place) }
        losses.append(Loss(kind: .replaced, place: place))
        var kept = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            kept.append(scalar.isASCII && scalar.value > 0 || canEncode(Array(String(scalar).utf8)) ? scalar : "?")
        }
        return String(kept)
    }

    /// NUL is in no message, escaped or not.
    private func canEncode(_ utf8: [UInt8]) -> Bool {
        if utf8.contains(0) { return false }
        if format.characterSet == .utf8 || !utf8.contains(where: { $0 >= 0x80 }) { return true }
        return (try? format.characterSet.encoded(utf8)) != nil
    }
}
