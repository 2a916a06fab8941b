import Testing

@testable import SQLStore

@Suite("Question marks become numbered parameters")
struct PlaceholderNumberingTests {
    @Test("each ? outside quotes and comments is numbered in order")
    func numbers() {
        #expect(PlaceholderNumbering.numbered("SELECT ?, ? FROM t WHERE a = ?") == "SELECT $1, $2 FROM t WHERE a = $3")
    }

    @Test(
        "a ? in a literal, a quoted name or a comment stays",
        arguments: [
            ("'?' || ?", "'?' || $1"), ("'it''s ?' || ?", "'it''s ?' || $1"), ("\"a?\" = ?", "\"a?\" = $1"),
            ("-- ?\n?", "-- ?\n$1"), ("/* ? * */ ?", "/* ? * */ $1"), ("'unclosed ?", "'unclosed ?"),
            ("/* unclosed ?", "/* unclosed ?"), ("", ""), ("?", "$1"),
        ])
    func quoted(sql: String, expected: String) {
        #expect(PlaceholderNumbering.numbered(sql) == expected)
    }
}
