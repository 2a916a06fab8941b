import FoundationEssentials

/// Domain values as the bytes of a `detail` column: JSON, read and written by their own coding.
enum Detail {
    static func encode(_ value: some Encodable) throws -> SQLValue {
        do { return .bytes([UInt8](try JSONEncoder().encode(value))) } catch {
            throw SQLStoreError(.value, "a domain value could not be written", cause: error)
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw SQLStoreError(.corrupt, "a stored \(type) could not be read", cause: error)
        }
    }
}
