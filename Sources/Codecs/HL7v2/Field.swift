/// A field: one or more repetitions. HL7 v2.5.1 §2.5.3.
package struct Field: Element {
    package let slice: Slice

    static func absent(_ storage: MessageStorage) -> Field { Field(slice: .absent(storage)) }

    /// Repetition `number`, from 1; absent when there are fewer.
    package subscript(_ number: Int) -> Repetition {
        Repetition(slice: slice.piece(number, separator: slice.storage.delimiters.repetition))
    }

    /// The repetitions in order; none when the field is absent or empty.
    package var repetitions: Repetitions { Repetitions(slice: slice) }
}

/// One repetition of a field: one or more components.
package struct Repetition: Element {
    package let slice: Slice

    /// Component `number`, from 1; absent when there are fewer. Component 1 of a primitive is the value itself.
    package subscript(_ number: Int) -> Component {
        Component(slice: slice.piece(number, separator: slice.storage.delimiters.component))
    }
}

/// One component of a repetition: one or more subcomponents.
package struct Component: Element {
    package let slice: Slice

    /// Subcomponent `number`, from 1; absent when there are fewer. Subcomponent 1 of a primitive is the value itself.
    package subscript(_ number: Int) -> Subcomponent {
        Subcomponent(slice: slice.piece(number, separator: slice.storage.delimiters.subcomponent))
    }
}

/// The smallest part of a message.
package struct Subcomponent: Element {
    package let slice: Slice

    static func absent(_ storage: MessageStorage) -> Subcomponent { Subcomponent(slice: .absent(storage)) }
}

/// The repetitions of a field, found one after the other in one pass.
package struct Repetitions: Sequence, Sendable {
    let slice: Slice

    package struct Iterator: IteratorProtocol {
        let slice: Slice
        var nextStart: Int?

        package mutating func next() -> Repetition? {
            guard let from = nextStart else { return nil }
            let end = slice.pieceEnd(from: from, separator: slice.storage.delimiters.repetition)
            nextStart = end < Int(slice.end) ? end + 1 : nil
            return Repetition(slice: Slice(storage: slice.storage, range: from..<end, isLiteral: slice.isLiteral))
        }
    }

    package func makeIterator() -> Iterator {
        Iterator(slice: slice, nextStart: slice.start >= 0 && slice.start < slice.end ? Int(slice.start) : nil)
    }
}
