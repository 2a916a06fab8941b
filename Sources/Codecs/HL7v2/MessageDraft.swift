/// A message as a value, before it is written: its segments in order, MSH first.
///
/// Nothing in it is in wire form: delimiters, escapes and the character set are the `MessageWriter`'s. HL7 v2.5.1 §2.6.
package struct MessageDraft: Sendable, Hashable {
    package var segments: [SegmentDraft]

    package init(_ segments: [SegmentDraft] = []) { self.segments = segments }
}

/// A segment to be written. Fields that were never set are empty.
package struct SegmentDraft: Sendable, Hashable {
    package let id: SegmentID
    /// Field n is at n − 1.
    package private(set) var fields: [FieldDraft] = []

    package init(_ id: SegmentID) { self.id = id }

    /// Field `number`, from 1 as the standard counts. MSH-1, MSH-2, MSH-12 and MSH-18 are the writer's to fill.
    package subscript(_ number: Int) -> FieldDraft {
        get { number <= fields.count ? fields[number - 1] : FieldDraft() }
        set {
            while fields.count < number { fields.append(FieldDraft()) }
            fields[number - 1] = newValue
        }
    }

    /// True when no field has anything in it.
    package var isEmpty: Bool { fields.allSatisfy(\.isEmpty) }
}

/// A field to be written: its repetitions in order; none for an empty field.
package struct FieldDraft: Sendable, Hashable {
    package var repetitions: [RepetitionDraft]

    package init(_ repetitions: [RepetitionDraft] = []) { self.repetitions = repetitions }
    /// A field of one value.
    package init(_ leaf: Leaf) { repetitions = [RepetitionDraft([ComponentDraft([leaf])])] }
    /// A field of one repetition whose components have no parts.
    package init(components: [Leaf]) { repetitions = [RepetitionDraft(components: components)] }

    package var isEmpty: Bool { repetitions.allSatisfy(\.isEmpty) }
}

/// One repetition of a field to be written.
package struct RepetitionDraft: Sendable, Hashable {
    package var components: [ComponentDraft]

    package init(_ components: [ComponentDraft] = []) { self.components = components }
    /// Components that have no parts.
    package init(components: [Leaf]) { self.components = components.map { ComponentDraft([$0]) } }

    /// Component `number`, from 1.
    package subscript(_ number: Int) -> ComponentDraft {
        get { number <= components.count ? components[number - 1] : ComponentDraft() }
        set {
            while components.count < number { components.append(ComponentDraft()) }
            components[number - 1] = newValue
        }
    }

    package var isEmpty: Bool { components.allSatisfy(\.isEmpty) }
    /// Whether it has encapsulated data, whose length no field bounds.
    var holdsData: Bool {
        components.contains { $0.subcomponents.contains { if case .data = $0 { true } else { false } } }
    }
}

/// One component to be written: its subcomponents in order.
package struct ComponentDraft: Sendable, Hashable {
    package var subcomponents: [Leaf]

    package init(_ subcomponents: [Leaf] = []) { self.subcomponents = subcomponents }

    package var isEmpty: Bool { subcomponents.allSatisfy { $0 == .empty } }
}

/// The smallest part of a message to be written.
package enum Leaf: Sendable, Hashable {
    /// Nothing is said.
    case empty
    /// `""`: the value is to be deleted at the receiver. HL7 v2.5.1 §2.5.3.
    case null
    /// What something is found, coded or counted by: written whole or not at all.
    case key(String)
    /// Words for a person, which may be cut where the field has no room.
    case text(String)
    /// The same of data type FT, in which a line break is the formatting command `\.br\`. HL7 v2.5.1 §2.7.6.
    case formatted(String)
    /// Encapsulated data, base 64 or another form in ASCII.
    case data([UInt8])

    /// A key, or nothing for nil and empty text.
    package static func key(_ text: String?) -> Leaf { text.map { $0.isEmpty ? .empty : .key($0) } ?? .empty }
    /// Words, or nothing for nil and empty text.
    package static func text(_ text: String?) -> Leaf { text.map { $0.isEmpty ? .empty : .text($0) } ?? .empty }

    /// Whether it may be cut.
    var isProse: Bool {
        switch self {
        case .text, .formatted: true
        case .empty, .null, .key, .data: false
        }
    }
}
