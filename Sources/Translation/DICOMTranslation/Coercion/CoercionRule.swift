import DICOMData

/// What is changed in the objects that say something, in the order given.
package struct CoercionRule: Sendable, Equatable {
    /// One change of an attribute of the data set itself; an attribute in items is changed with its whole sequence.
    package enum Step: Sendable, Equatable {
        /// The value as text, several parted by `\`; an empty one leaves the attribute without a value.
        case set(Tag, String)
        /// The values of another attribute; nothing where that one is not there.
        case copy(from: Tag, to: Tag)
        case remove(Tag)
        /// Each value that is a key becomes what the key stands for; others stay.
        case map(Tag, [String: String])

        /// The attribute that is changed.
        package var tag: Tag {
            switch self {
            case .set(let tag, _), .copy(_, let tag), .remove(let tag), .map(let tag, _): tag
            }
        }
    }

    /// What the object must say as it came, in any case of letters; none for all objects.
    package var attributes: [Tag: String]
    package var steps: [Step]

    package init(attributes: [Tag: String] = [:], steps: [Step]) {
        self.attributes = attributes
        self.steps = steps
    }
}
