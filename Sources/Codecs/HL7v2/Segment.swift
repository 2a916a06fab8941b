/// One segment of a message.
package struct Segment: Sendable {
    let storage: MessageStorage
    let index: Int

    package var id: SegmentID { storage.segments[index].id }
    /// The place of the segment in the message, from 1 for MSH.
    package var position: Int { index + 1 }
    /// Which segment of its name this is, from 1.
    package var occurrence: Int {
        var count = 0
        for earlier in 0...index where storage.segments[earlier].id == id { count += 1 }
        return count
    }
    /// How many fields were sent, empty ones included; MSH-1 counts.
    package var fieldCount: Int { Int(storage.segments[index].fieldCount) }
    /// The bytes of the segment without its end, in UTF-8.
    package var bytes: ArraySlice<UInt8> {
        storage.bytes[Int(storage.segments[index].start)..<Int(storage.segments[index].end)]
    }

    /// Field `number`, from 1 as the standard counts; an absent field when the segment is shorter.
    package subscript(_ number: Int) -> Field {
        guard let range = storage.fieldRange(segment: index, field: number) else { return Field.absent(storage) }
        let isLiteral = number <= 2 && id.declaresDelimiters
        return Field(slice: Slice(storage: storage, range: range, isLiteral: isLiteral))
    }

    /// The place of this segment, for an error entry.
    package func location(
        field: Int? = nil, repetition: Int? = nil, component: Int? = nil, subcomponent: Int? = nil
    ) -> ErrorLocation {
        ErrorLocation(
            segment: id, occurrence: occurrence, field: field, repetition: repetition, component: component,
            subcomponent: subcomponent)
    }
}

/// The segments of a message in order.
package struct Segments: RandomAccessCollection, Sendable {
    let storage: MessageStorage

    package var startIndex: Int { 0 }
    package var endIndex: Int { storage.segments.count }
    package subscript(position: Int) -> Segment { Segment(storage: storage, index: position) }
}
