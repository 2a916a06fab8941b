import CLibPQ

/// PostgreSQL's binary wire form of the kinds we use: big-endian integers and doubles, plain text and bytes, and
/// one-dimensional arrays (PostgreSQL 15 manual §55.2; array_send in its own order: dimensions, null flag, element
/// type, length, lower bound, then each element with its length or -1).
enum PostgreSQLBinary {
    // Type numbers of the catalogue, fixed since PostgreSQL 7.
    static let boolType: Oid = 16
    static let bytesType: Oid = 17
    static let intType: Oid = 20
    static let int2Type: Oid = 21
    static let int4Type: Oid = 23
    static let textType: Oid = 25
    static let floatType: Oid = 700
    static let doubleType: Oid = 701
    static let textsType: Oid = 1009
    static let intsType: Oid = 1016

    /// The parameter type to prepare with; 0 lets the server infer it, which is only right for NULL.
    static func type(of value: SQLValue) -> Oid {
        switch value {
        case .null: 0
        case .int: intType
        case .double: doubleType
        case .text: textType
        case .bytes, .body: bytesType
        case .texts: textsType
        case .ints: intsType
        }
    }

    static func elementType(_ kind: SQLColumnKind) -> Oid {
        switch kind {
        case .int: intType
        case .double: doubleType
        case .text: textType
        case .bytes: bytesType
        }
    }

    static func arrayType(_ kind: SQLColumnKind) -> Oid {
        switch kind {
        case .int: intsType
        case .double: 1022
        case .text: textsType
        case .bytes: 1001
        }
    }

    static func append(_ value: SQLValue, to buffer: inout [UInt8]) throws {
        switch value {
        case .null: break
        case .int(let number): append(UInt64(bitPattern: number), to: &buffer)
        case .double(let number): append(number.bitPattern, to: &buffer)
        case .text(let text):
            let start = buffer.count
            buffer.append(contentsOf: text.utf8)
            if buffer[start...].contains(0) { throw SQLStoreError(.unacceptable, "text value contains NUL") }
        case .bytes(let bytes): buffer.append(contentsOf: bytes)
        case .body: throw SQLStoreError(.value, "a body is bound unresolved")
        case .texts(let list): try appendArray(.text, list.map { .text($0) }, to: &buffer)
        case .ints(let list): try appendArray(.int, list.map { .int($0) }, to: &buffer)
        }
    }

    /// One array of `elements`, NULLs allowed. Throws `.value` when an element is of another kind.
    static func appendArray(_ kind: SQLColumnKind, _ elements: [SQLValue], to buffer: inout [UInt8]) throws {
        append(UInt32(elements.isEmpty ? 0 : 1), to: &buffer)
        append(UInt32(1), to: &buffer)
        append(UInt32(elementType(kind)), to: &buffer)
        if elements.isEmpty { return }
        append(UInt32(elements.count), to: &buffer)
        append(UInt32(1), to: &buffer)
        for element in elements {
            if element == .null {
                append(UInt32.max, to: &buffer)
                continue
            }
            guard type(of: element) == elementType(kind) else {
                throw SQLStoreError(.value, "a value of another kind in a column of kind \(kind)")
            }
            let lengthAt = buffer.count
            append(UInt32(0), to: &buffer)
            try append(element, to: &buffer)
            let length = UInt32(clamping: buffer.count - lengthAt - 4)
            withUnsafeBytes(of: length.bigEndian) { raw in
                for offset in 0..<4 { buffer[lengthAt + offset] = raw[offset] }
            }
        }
    }

    private static func append<Integer: FixedWidthInteger>(_ value: Integer, to buffer: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { buffer.append(contentsOf: $0) }
    }

    static func int(_ result: OpaquePointer, _ row: Int32, _ column: Int32) throws -> Int64 {
        let bytes = UnsafeRawBufferPointer(
            start: hilum_PQgetvalue(result, row, column), count: Int(hilum_PQgetlength(result, row, column)))
        switch (hilum_PQftype(result, column), bytes.count) {
        case (intType, 8): return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        case (int4Type, 4): return Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        case (int2Type, 2): return Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        case (boolType, 1): return Int64(bytes[0])
        case (let type, _): throw SQLStoreError(.value, "column \(column) is not an integer but type \(type)")
        }
    }

    static func double(_ result: OpaquePointer, _ row: Int32, _ column: Int32) throws -> Double {
        let bytes = UnsafeRawBufferPointer(
            start: hilum_PQgetvalue(result, row, column), count: Int(hilum_PQgetlength(result, row, column)))
        switch (hilum_PQftype(result, column), bytes.count) {
        case (doubleType, 8): return Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
        case (floatType, 4):
            return Double(Float(bitPattern: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))))
        case (let type, _): throw SQLStoreError(.value, "column \(column) is not a number but type \(type)")
        }
    }
}
