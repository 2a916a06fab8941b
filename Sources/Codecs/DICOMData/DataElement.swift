/// One data element: what it is, how it is represented, and its value. PS3.5 §7.1.
package struct DataElement: Sendable, Equatable {
    package var tag: Tag
    package var vr: VR
    package var value: Value

    /// The value field of an element.
    package enum Value: Sendable, Equatable {
        /// The value as it stands on the wire, padding included, numbers in little endian. Text is in the character
        /// set of the data set that holds the element.
        case bytes([UInt8])
        /// The items of a sequence, in order.
        case items([DataSet])
        /// Encapsulated pixel data. PS3.5 §A.4.
        case fragments(EncapsulatedValue)
        /// A value left where it was read: the decoder was told not to copy it.
        case external(ExternalValue)
    }

    package init(_ tag: Tag, _ vr: VR, _ value: Value) {
        self.tag = tag
        self.vr = vr
        self.value = value
    }

    /// An element of bytes; an odd length gets the padding of the VR.
    package init(_ tag: Tag, _ vr: VR, bytes: [UInt8]) {
        self.init(tag, vr, .bytes(bytes.count & 1 == 0 ? bytes : bytes + [vr.padding]))
    }

    /// The bytes of the value field; nil for sequences, fragments and external values.
    package var bytes: [UInt8]? {
        if case .bytes(let bytes) = value { bytes } else { nil }
    }

    /// The items; nil when the element is no sequence.
    package var items: [DataSet]? {
        if case .items(let items) = value { items } else { nil }
    }

    /// The value field has no byte, no item and no fragment.
    package var isEmpty: Bool {
        switch value {
        case .bytes(let bytes): bytes.isEmpty
        case .items(let items): items.isEmpty
        case .fragments(let value): value.fragments.isEmpty
        case .external(let value): value.length == 0
        }
    }
}

/// Encapsulated pixel data: the Basic Offset Table and the fragments, without item headers. PS3.5 §A.4.
package struct EncapsulatedValue: Sendable, Equatable {
    /// Offsets of frames, in bytes from the first byte of the first fragment's item header. Empty when not given.
    package var offsetTable: [UInt32]
    package var fragments: [[UInt8]]

    package init(offsetTable: [UInt32] = [], fragments: [[UInt8]]) {
        self.offsetTable = offsetTable
        self.fragments = fragments
    }
}

/// Where in its source a value that was not copied lies.
package struct ExternalValue: Sendable, Equatable {
    /// The first byte of the value field, counted from the first byte given to the decoder. For encapsulated pixel
    /// data that is the item header of the Basic Offset Table.
    package var offset: Int
    /// Bytes of the value field, delimiter included when there is one; nil when it was not read to its end.
    package var length: Int?
    /// The header gave an undefined length.
    package var isEncapsulated: Bool

    package init(offset: Int, length: Int?, isEncapsulated: Bool = false) {
        self.offset = offset
        self.length = length
        self.isEncapsulated = isEncapsulated
    }
}
