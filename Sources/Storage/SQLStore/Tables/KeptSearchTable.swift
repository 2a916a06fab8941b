import Access
import Basics
import Cryptography
import FHIRSearch

/// Searches whose parameters are too long for the link to a further page.
struct KeptSearchTable {
    let connection: any SQLConnection

    /// The name of a search, the same for the same search: 32 hexadecimal digits.
    static func id(_ text: String) -> String { Hexadecimal.encode(SHA256.digest(text.utf8).prefix(16)) }

    /// Keeps a search until `expires`, and forgets those that are past.
    /// - Parameters:
    ///   - text: the type and the parameters.
    ///   - now, expires: microseconds since 1970 UTC.
    func keep(_ text: String, of principal: Principal, now: Int64, expires: Int64) throws -> String {
        let id = Self.id(text)
        try connection.run("DELETE FROM kept_searches WHERE expires < ?", [.int(now)])
        try connection.run(
            """
            INSERT INTO kept_searches (id, principal, parameters, expires) VALUES (?, ?, ?, ?)
            ON CONFLICT (id, principal) DO UPDATE SET expires = excluded.expires
            """, [.text(id), .text(Self.name(principal)), .text(text), .int(expires)])
        return id
    }

    /// The search of a name; nil when it was never kept, is past, or another's.
    func find(_ id: String, of principal: Principal, now: Int64) throws -> String? {
        try connection.first(
            "SELECT parameters FROM kept_searches WHERE id = ? AND principal = ? AND expires >= ?",
            [.text(id), .text(Self.name(principal)), .int(now)]
        ) { try $0.text(0) }
    }

    private static func name(_ principal: Principal) -> String { "\(principal.kind.rawValue) \(principal.id)" }
}
