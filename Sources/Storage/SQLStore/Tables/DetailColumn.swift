import FoundationEssentials

/// Domain values as the bytes of a `detail` column: JSON, read and written by their own coding.
enum DetailColumn {
    static func encode(_ value: some Encodable) throws -> SQLValue {
        do { return .bytes(try DetailEncoder.encode(value)) } catch {
            throw SQLStoreError(.value, "a domain value could not be written", cause: error)
        }
    }

    /// The bytes of a value, as they are kept.
    static func bytes(_ value: some Encodable) throws -> [UInt8] {
        do { return try DetailEncoder.encode(value) } catch {
            throw SQLStoreError(.value, "a domain value could not be written", cause: error)
        }
    }

    /// For a column that may be sealed.
    /// - Parameter id: the row's identity; see ``SealedColumn/identity``.
    static func encode(_ value: some Encodable, _ column: SealedColumn, _ id: String) throws -> SQLValue {
        do { return .sealable(column, id, try DetailEncoder.encode(value)) } catch {
            throw SQLStoreError(.value, "a domain value could not be written", cause: error)
        }
    }

    /// The value of a row with its identity in column 0 and its detail in column 1: as remembered, else decoded.
    static func value<Value: Decodable & Sendable>(
        _ type: Value.Type, _ row: SQLRow, _ column: SealedColumn, _ memo: WriterMemo?
    ) throws -> Value {
        guard let memo else { return try decode(type, row, column) }
        let id = try row.text(0)
        if let known = memo.find(type, id) { return known }
        let value = try decode(type, row, column)
        memo.remember(value, id)
        return value
    }

    /// The value of a row with its identity in column `index` and its detail in the one behind it.
    static func decode<Value: Decodable>(
        _ type: Value.Type, _ row: SQLRow, _ column: SealedColumn, at index: Int = 0
    ) throws -> Value {
        try decode(type, try row.opened(index + 1, column, try row.text(index)))
    }

    /// The same; nil for a sealed one that does not open.
    static func decodeIfItOpens<Value: Decodable>(
        _ type: Value.Type, _ row: SQLRow, _ column: SealedColumn
    ) throws -> Value? {
        do { return try decode(type, row, column) } catch let error as SQLStoreError where error.code == .unopened {
            return nil
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw SQLStoreError(.corrupt, "a stored \(type) could not be read", cause: error)
        }
    }
}
