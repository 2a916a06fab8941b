import Basics

/// Writes data sets as DICOM JSON. PS3.18 §F.2.
struct DICOMJSONWriter {
    var bytes: [UInt8] = []
    private let bulkDataURI: DICOMJSON.BulkDataURI?
    private var steps: [ElementPath.Step] = []

    init(bulkDataURI: DICOMJSON.BulkDataURI?) { self.bulkDataURI = bulkDataURI }

    mutating func append(array dataSets: [DataSet]) throws(DICOMDataError) {
        bytes.append(0x5B)
        for (index, dataSet) in dataSets.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            try append(dataSet)
        }
        bytes.append(0x5D)
    }

    mutating func append(_ dataSet: DataSet) throws(DICOMDataError) {
        bytes.append(0x7B)
        var isFirst = true
        for element in dataSet.elements where element.tag.isOfDataSet {
            if !isFirst { bytes.append(0x2C) }
            isFirst = false
            bytes.append(0x22)
            element.tag.appendHex(to: &bytes)
            append(ascii: "\":{\"vr\":\"")
            bytes.append(UInt8(element.vr.rawValue >> 8))
            bytes.append(UInt8(element.vr.rawValue & 0xFF))
            bytes.append(0x22)
            try appendValue(element, of: dataSet)
            bytes.append(0x7D)
        }
        bytes.append(0x7D)
    }

    /// The member that carries the value, when there is one. §F.2.2.
    private mutating func appendValue(_ element: DataElement, of dataSet: DataSet) throws(DICOMDataError) {
        switch element.value {
        case .items(let items):
            guard !items.isEmpty else { return }
            append(ascii: ",\"Value\":[")
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                steps.append(.init(sequence: element.tag, item: index))
                try append(item)
                steps.removeLast()
            }
            bytes.append(0x5D)
        case .external:
            guard let uri = bulkDataURI?(ElementPath(element.tag, in: steps), element) else {
                throw DICOMDataError(.valueUnavailable, at: bytes.count, in: element.tag)
            }
            append(uri: uri)
        case .fragments(let value):
            if let uri = bulkDataURI?(ElementPath(element.tag, in: steps), element) { return append(uri: uri) }
            appendInline(value.encoded)
        case .bytes(let value):
            guard !value.isEmpty else { return }
            if element.vr.isBulk {
                if let uri = bulkDataURI?(ElementPath(element.tag, in: steps), element) { return append(uri: uri) }
                appendInline(value)
            } else {
                appendValues(element, value, of: dataSet)
            }
        }
    }

    private mutating func append(uri: String) {
        append(ascii: ",\"BulkDataURI\":")
        append(string: uri)
    }

    private mutating func appendInline(_ value: [UInt8]) {
        append(ascii: ",\"InlineBinary\":\"")
        Base64.append(value, to: &bytes)
        bytes.append(0x22)
    }

    private mutating func appendValues(_ element: DataElement, _ value: [UInt8], of dataSet: DataSet) {
        switch element.vr {
        case .FL:
            appendEach(element.doubleValues(as: .FL)) { writer, number in
                writer.append(number: number.isFinite ? "\(Float(number))" : nil, number)
            }
        case .FD: appendEach(element.doubleValues(as: .FD)) { $0.append(number: $1.isFinite ? "\($1)" : nil, $1) }
        case .SS, .US, .SL, .UL:
            // Of 32 bits at most.
            appendEach(element.intValues(as: element.vr)) { $0.append(ascii: "\(Int64(truncatingIfNeeded: $1))") }
        case .SV, .UV:
            appendEach(element.intValues(as: element.vr)) { writer, number in
                // Beyond 2^53 a reader that takes numbers for doubles would change them. §F.2.3.
                writer.append(ascii: number.magnitude <= 1 << 53 ? "\(number)" : "\"\(number)\"")
            }
        case .AT: appendEach(element.tagValues) { $0.append(ascii: "\"\($1.hex)\"") }
        default:
            if appendPlain(value, element.vr, of: dataSet) { return }
            let texts = dataSet.texts(value, element.vr)
            guard texts.contains(where: { !$0.isEmpty }) else { return }
            appendEach(texts) { writer, text in writer.append(text: text, element.vr) }
        }
    }

    /// Writes one text as it stands in a value field, without its padding. False where there is more to do: where it is to be
    /// decoded, split, escaped, or is a name.
    private mutating func appendPlain(_ value: [UInt8], _ vr: VR, of dataSet: DataSet) -> Bool {
        guard vr.isString, vr != .PN, !dataSet.characterSet.changesASCII else { return false }
        let text = trimmedSpaces(value[...], leading: !vr.keepsLeadingSpaces)
        // Not quotation mark, nor backslash, which separates values or is escaped.
        guard text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else { return false }
        if text.isEmpty { return true }
        let isNumber = (vr == .IS || vr == .DS) && JSONTree.isNumber(Array(text))
        append(ascii: isNumber ? ",\"Value\":[" : ",\"Value\":[\"")
        bytes += text
        append(ascii: isNumber ? "]" : "\"]")
        return true
    }

    private mutating func appendEach<T>(_ values: [T], _ one: (inout DICOMJSONWriter, T) -> Void) {
        guard !values.isEmpty else { return }
        append(ascii: ",\"Value\":[")
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            one(&self, value)
        }
        bytes.append(0x5D)
    }

    /// One text value; an empty one among others is null. §F.2.5.
    private mutating func append(text: String, _ vr: VR) {
        if text.isEmpty { return append(ascii: "null") }
        switch vr {
        case .IS, .DS:
            if JSONTree.isNumber(Array(text.utf8)) { append(ascii: text) } else { append(string: text) }
        case .PN:
            let name = PersonName(text: text)
            let groups = [
                ("Alphabetic", name.alphabetic), ("Ideographic", name.ideographic), ("Phonetic", name.phonetic),
            ]
            bytes.append(0x7B)
            var isFirst = true
            for (key, group) in groups where !group.isEmpty {
                if !isFirst { bytes.append(0x2C) }
                isFirst = false
                append(ascii: "\"\(key)\":")
                append(string: group)
            }
            bytes.append(0x7D)
        default: append(string: text)
        }
    }

    /// A floating point number, or the word for one that JSON lacks.
    private mutating func append(number: String?, _ value: Double) {
        append(ascii: number ?? (value.isNaN ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\""))
    }

    private mutating func append(ascii text: String) { bytes += text.utf8 }

    /// A JSON string. RFC 8259 §7.
    private mutating func append(string text: String) { JSONQuoting.append(text, to: &bytes) }
}

extension EncapsulatedValue {
    /// The value field as it stands in a file: offset table, fragments and delimiter, each with its item header.
    package var encoded: [UInt8] {
        func header(_ tag: Tag, _ length: Int) -> [UInt8] {
            littleEndianBytes(UInt64(tag.group), 2) + littleEndianBytes(UInt64(tag.element), 2)
                + littleEndianBytes(UInt64(length), 4)
        }
        var bytes = header(.item, offsetTable.count * 4)
        for offset in offsetTable { bytes += littleEndianBytes(UInt64(offset), 4) }
        for fragment in fragments {
            bytes += header(.item, fragment.count + (fragment.count & 1))
            bytes += fragment
            if fragment.count & 1 == 1 { bytes.append(0) }
        }
        return bytes + header(.sequenceDelimitation, 0)
    }
}
