import Cryptography

/// One step of the schema, for both databases. The list only grows: a released step is never edited.
package struct Migration: Sendable {
    /// From 1, without gaps.
    package let number: Int
    /// Two or three words for the log and the schema_version table.
    package let name: String
    /// Statements in order, as templates of `SQLDialect.schemaText`, one statement each.
    package let statements: @Sendable (SQLDialect) -> [String]
    /// Makes rows that follow from others, in a database that had those before this step: run once, after all steps, so
    /// that it is written with the tables as they are now. Nil when there is nothing to make.
    package let rebuild: (@Sendable (any SQLConnection) throws -> Void)?

    /// A step whose text differs only in what `SQLDialect.schemaText` replaces.
    package init(
        _ number: Int, _ name: String, _ statements: [String],
        rebuild: (@Sendable (any SQLConnection) throws -> Void)? = nil
    ) {
        self.init(number, name, rebuild: rebuild) { _ in statements }
    }

    /// A step that also needs other statements per database.
    package init(
        _ number: Int, _ name: String, rebuild: (@Sendable (any SQLConnection) throws -> Void)? = nil,
        _ statements: @escaping @Sendable (SQLDialect) -> [String]
    ) {
        self.rebuild = rebuild
        self.number = number
        self.name = name
        self.statements = statements
    }

    func text(_ dialect: SQLDialect) -> [String] { statements(dialect).map(dialect.schemaText) }

    /// SHA-256 of the statements as this database gets them.
    func fingerprint(_ dialect: SQLDialect) -> [UInt8] {
        SHA256.digest(text(dialect).joined(separator: ";\n").utf8)
    }
}
