import NIOCore

/// The elements of group 0000 that make up one command. PS3.7 §6.3.1, Annex E.
///
/// Shape: Implicit VR Little Endian, ascending, each element once. The group length (0000,0000) is not kept: it is
/// written right and not trusted when read. Values are raw bytes; the accessors read them by the VR of the element and
/// give nil for a value of the wrong size.
package struct CommandSet: Sendable, Equatable {
    /// An element of group 0000 by its element number. PS3.7 Table E.1-1.
    package struct Element: Sendable, Hashable, RawRepresentable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let groupLength = Element(rawValue: 0x0000)
        package static let affectedSOPClassUID = Element(rawValue: 0x0002)
        package static let requestedSOPClassUID = Element(rawValue: 0x0003)
        package static let commandField = Element(rawValue: 0x0100)
        package static let messageID = Element(rawValue: 0x0110)
        package static let messageIDBeingRespondedTo = Element(rawValue: 0x0120)
        package static let moveDestination = Element(rawValue: 0x0600)
        package static let priority = Element(rawValue: 0x0700)
        package static let commandDataSetType = Element(rawValue: 0x0800)
        package static let status = Element(rawValue: 0x0900)
        package static let offendingElement = Element(rawValue: 0x0901)
        package static let errorComment = Element(rawValue: 0x0902)
        package static let errorID = Element(rawValue: 0x0903)
        package static let affectedSOPInstanceUID = Element(rawValue: 0x1000)
        package static let requestedSOPInstanceUID = Element(rawValue: 0x1001)
        package static let eventTypeID = Element(rawValue: 0x1002)
        package static let attributeIdentifierList = Element(rawValue: 0x1005)
        package static let actionTypeID = Element(rawValue: 0x1008)
        package static let numberOfRemainingSuboperations = Element(rawValue: 0x1020)
        package static let numberOfCompletedSuboperations = Element(rawValue: 0x1021)
        package static let numberOfFailedSuboperations = Element(rawValue: 0x1022)
        package static let numberOfWarningSuboperations = Element(rawValue: 0x1023)
        package static let moveOriginatorAETitle = Element(rawValue: 0x1030)
        package static let moveOriginatorMessageID = Element(rawValue: 0x1031)
    }

    /// Ascending by element number, each once.
    private var elements: [(element: Element, value: [UInt8])] = []

    package init() {}

    /// The raw value; nil when absent. Assigning keeps the order; assigning nil removes.
    package subscript(_ element: Element) -> [UInt8]? {
        get { elements.first { $0.element == element }?.value }
        set {
            let index = elements.firstIndex { $0.element.rawValue >= element.rawValue } ?? elements.endIndex
            let exists = index < elements.endIndex && elements[index].element == element
            switch (newValue, exists) {
            case (let value?, true): elements[index].value = value
            case (let value?, false): elements.insert((element, value), at: index)
            case (nil, true): elements.remove(at: index)
            case (nil, false): break
            }
        }
    }

    /// A US value: exactly two bytes.
    package func uint16(_ element: Element) -> UInt16? {
        guard let value = self[element], value.count == 2 else { return nil }
        return UInt16(value[0]) | UInt16(value[1]) << 8
    }

    /// A UI value without its NUL padding; nil when absent, empty, over 64 bytes, or of other than digits and dots.
    package func uid(_ element: Element) -> String? {
        guard let value = self[element] else { return nil }
        let text = uidText(value)
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 == 0x2E || (0x30...0x39).contains($0) })
        else { return nil }
        return text
    }

    /// An AE or LO value without its padding.
    package func text(_ element: Element) -> String? { self[element].map(uidText) }

    package mutating func set(_ element: Element, uint16 value: UInt16) {
        self[element] = [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }
    /// Sets a UI value, padded with NUL to even length; nil removes.
    package mutating func set(_ element: Element, uid value: String?) {
        self[element] = value.map { Self.padded(Array($0.utf8), with: 0) }
    }
    /// Sets an AE or LO value, padded with a space to even length; nil removes.
    package mutating func set(_ element: Element, text value: String?) {
        self[element] = value.map { Self.padded(Array($0.utf8), with: 0x20) }
    }

    private static func padded(_ bytes: [UInt8], with byte: UInt8) -> [UInt8] {
        bytes.count.isMultiple(of: 2) ? bytes : bytes + [byte]
    }

    package static func == (a: CommandSet, b: CommandSet) -> Bool {
        a.elements.elementsEqual(b.elements) { $0.element == $1.element && $0.value == $1.value }
    }
}

extension CommandSet {
    /// Reads a whole command set.
    ///
    /// Throws `.commandInvalid` with the offset of the element that is truncated, out of group 0000, out of order or
    /// repeated. PS3.7 §6.3.1.
    package init(decoding bytes: ByteBuffer) throws(DIMSEError) {
        var bytes = bytes.slice()
        var last = -1
        while bytes.readableBytes > 0 {
            let offset = bytes.readerIndex
            guard
                let (group, number, length) = bytes.readMultipleIntegers(
                    endianness: .little, as: (UInt16, UInt16, UInt32).self),
                group == 0, Int(number) > last, UInt64(length) <= UInt64(bytes.readableBytes),
                let value = bytes.readBytes(length: Int(length))
            else { throw .commandInvalid(offset: offset) }
            last = Int(number)
            if number != 0 { elements.append((Element(rawValue: number), value)) }
        }
    }

    /// The command set with its group length first. PS3.7 §E.1.
    package func encoded(allocator: ByteBufferAllocator = ByteBufferAllocator()) -> ByteBuffer {
        let length = elements.reduce(0) { $0 + 8 + $1.value.count }
        var buffer = allocator.buffer(capacity: 12 + length)
        buffer.writeMultipleIntegers(
            UInt16(0), UInt16(0), UInt32(4), UInt32(truncatingIfNeeded: length), endianness: .little)
        for (element, value) in elements {
            buffer.writeMultipleIntegers(
                UInt16(0), element.rawValue, UInt32(truncatingIfNeeded: value.count), endianness: .little)
            buffer.writeBytes(value)
        }
        return buffer
    }
}
