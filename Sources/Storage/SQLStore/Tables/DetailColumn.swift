import FoundationEssentials

/// Domain values as the bytes of a `detail` column: JSON, read and written by their own coding.
enum DetailColumn {
    static func encode(_ value: some Encodable) throws -> SQLValue {
        do { return .bytes(try DetailEncoder.encode(value)) } catch {
            throw SQLStoreError(.value, "a domain value could not be written", cause: error)
        }
    }

    /// The value of a row with its id in column 0 and its detail in column 1: as remembered, else decoded.
    static func value<Value: Decodable & Sendable>(_ type: Value.Type, _ row: SQLRow, _ memo: WriterMemo?) throws
        -> Value
    {
        guard let memo else { return try decode(type, try row.bytes(1)) }
        let id = try row.text(0)
        if let known = memo.find(type, id) { return known }
        let value = try decode(type, try row.bytes(1))
        memo.remember(value, id)
        return value
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw SQLStoreError(.corrupt, "a stored \(type) could not be read", cause: error)
        }
    }
}
