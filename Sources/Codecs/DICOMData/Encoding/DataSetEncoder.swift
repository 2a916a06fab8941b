/// A data set to bytes, in any transfer syntax. PS3.5 §7, Annex A.
package struct DataSetEncoder: Sendable {
    package var transferSyntax: TransferSyntax
    /// Sequences and items get their length; otherwise delimiters end them. Both are legal everywhere. PS3.5 §7.5.
    package var definedLengths: Bool

    package init(transferSyntax: TransferSyntax, definedLengths: Bool = false) {
        self.transferSyntax = transferSyntax
        self.definedLengths = definedLengths
    }

    /// The bytes of the data set, elements in ascending order, without group lengths, values padded to even length.
    ///
    /// Throws `.valueUnavailable` for a value left in its source, which `externalValue` may bring, in little endian;
    /// `.notEncapsulated` for fragments in a transfer syntax without them; `.tooLarge` for a value of 4 GiB.
    package func encode(
        _ dataSet: DataSet, externalValue: ((ExternalValue) -> [UInt8]?)? = nil
    ) throws(DICOMDataError) -> [UInt8] {
        var writer = Writer(syntax: transferSyntax, definedLengths: definedLengths, externalValue: externalValue)
        try writer.append(dataSet)
        guard transferSyntax.isDeflated else { return writer.bytes }
        guard let deflated = deflated(writer.bytes) else { throw DICOMDataError(.tooLarge, at: writer.bytes.count) }
        return deflated
    }

    /// The header of one element, for a writer that streams the value itself. An undefined length is nil.
    /// PS3.5 §7.1.2, §7.1.3.
    package func elementHeader(_ tag: Tag, _ vr: VR, length: UInt32?) -> [UInt8] {
        var writer = Writer(syntax: transferSyntax, definedLengths: definedLengths, externalValue: nil)
        writer.header(tag, vr, length)
        return writer.bytes
    }

    private struct Writer {
        let isImplicit: Bool
        let isBigEndian: Bool
        let isEncapsulated: Bool
        let definedLengths: Bool
        let externalValue: ((ExternalValue) -> [UInt8]?)?
        var bytes: [UInt8] = []

        init(syntax: TransferSyntax, definedLengths: Bool, externalValue: ((ExternalValue) -> [UInt8]?)?) {
            isImplicit = syntax.isImplicit
            isBigEndian = syntax.isBigEndian
            isEncapsulated = syntax.isEncapsulated
            self.definedLengths = definedLengths
            self.externalValue = externalValue
        }

        mutating func append(_ dataSet: DataSet) throws(DICOMDataError) {
            for element in dataSet.elements { try append(element) }
        }

        mutating func append(_ element: DataElement) throws(DICOMDataError) {
            switch element.value {
            case .bytes(let value): try append(element.tag, element.vr, value)
            case .items(let items): try append(element.tag, items)
            case .fragments(let value): try append(element, value)
            case .external(let external):
                guard let value = externalValue?(external) else {
                    throw DICOMDataError(.valueUnavailable, at: bytes.count, in: element.tag)
                }
                if external.isEncapsulated {
                    guard isEncapsulated else {
                        throw DICOMDataError(.notEncapsulated, at: bytes.count, in: element.tag)
                    }
                    header(element.tag, element.vr, nil)
                    bytes += value
                } else {
                    try append(element.tag, element.vr, value)
                }
            }
        }

        mutating func append(_ tag: Tag, _ vr: VR, _ value: [UInt8]) throws(DICOMDataError) {
            let padded = value.count + (value.count & 1)
            guard padded < Int(UInt32.max) else { throw DICOMDataError(.tooLarge, at: bytes.count, in: tag) }
            // A value too long for the 16-bit length of its VR goes as UN, in little endian. PS3.5 §6.2.2.
            let goesAsUN = !isImplicit && !vr.hasLongLength && padded > 0xFFFE
            header(tag, goesAsUN ? .UN : vr, UInt32(padded))
            let start = bytes.count
            bytes += value
            if padded > value.count { bytes.append(vr.padding) }
            let size = vr.wordSize
            if isBigEndian, !goesAsUN, size > 1 {
                for word in stride(from: start, to: bytes.count - (bytes.count - start) % size, by: size) {
                    bytes[word..<word + size].reverse()
                }
            }
        }

        mutating func append(_ tag: Tag, _ items: [DataSet]) throws(DICOMDataError) {
            // In Implicit VR only its undefined length shows that an element unknown to the dictionary is a sequence.
            // An empty sequence is otherwise a length of zero in either form.
            let isEvident = !isImplicit || DataDictionary.vr(tag) == .SQ
            let sequence = begin(tag, .SQ, defined: isEvident && (definedLengths || items.isEmpty))
            for item in items {
                let start = begin(.item, nil, defined: definedLengths)
                try append(item)
                try end(start, .itemDelimitation)
            }
            try end(sequence, .sequenceDelimitation)
        }

        /// Fragments with the Basic Offset Table. PS3.5 §A.4.
        mutating func append(_ element: DataElement, _ value: EncapsulatedValue) throws(DICOMDataError) {
            guard isEncapsulated else { throw DICOMDataError(.notEncapsulated, at: bytes.count, in: element.tag) }
            header(element.tag, element.vr, nil)
            header(.item, nil, UInt32(truncatingIfNeeded: value.offsetTable.count * 4))
            for offset in value.offsetTable { append(uint32: offset) }
            for fragment in value.fragments {
                let padded = fragment.count + (fragment.count & 1)
                guard padded < Int(UInt32.max) else {
                    throw DICOMDataError(.tooLarge, at: bytes.count, in: element.tag)
                }
                header(.item, nil, UInt32(padded))
                bytes += fragment
                if padded > fragment.count { bytes.append(0) }
            }
            header(.sequenceDelimitation, nil, 0)
        }

        /// Tag, VR and length; items and delimiters have no VR.
        mutating func header(_ tag: Tag, _ vr: VR?, _ length: UInt32?) {
            append(uint16: tag.group)
            append(uint16: tag.element)
            if let vr, !isImplicit {
                bytes.append(UInt8(vr.rawValue >> 8))
                bytes.append(UInt8(vr.rawValue & 0xFF))
                if !vr.hasLongLength {
                    append(uint16: UInt16(truncatingIfNeeded: length ?? 0))
                    return
                }
                append(uint16: 0)
            }
            append(uint32: length ?? .max)
        }

        /// Starts a sequence or an item; gives the place of its length when that is to be filled in at the end.
        private mutating func begin(_ tag: Tag, _ vr: VR?, defined: Bool) -> Int? {
            header(tag, vr, defined ? 0 : nil)
            return defined ? bytes.count - 4 : nil
        }

        private mutating func end(_ place: Int?, _ delimiter: Tag) throws(DICOMDataError) {
            guard let place else { return header(delimiter, nil, 0) }
            let length = bytes.count - place - 4
            guard length < Int(UInt32.max) else { throw DICOMDataError(.tooLarge, at: place) }
            let encoded = littleEndianBytes(UInt64(length), 4)
            for index in 0..<4 { bytes[place + index] = encoded[isBigEndian ? 3 - index : index] }
        }

        private mutating func append(uint16 value: UInt16) {
            let value = isBigEndian ? value.byteSwapped : value
            bytes.append(UInt8(truncatingIfNeeded: value))
            bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        }

        private mutating func append(uint32 value: UInt32) {
            let value = isBigEndian ? value.byteSwapped : value
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
            }
        }
    }
}
