import Foundation
import HTTPSupport
import Testing

/// The table "Who may do what" of `conformance/smart/Status.md` speaks of each route, and of nothing else.
@Suite struct RightsTableTests {
    private struct Row {
        /// With `...` at the end for all that is below.
        var paths: [String]
        var needs: String
        var isOpen: Bool { needs.hasPrefix("nothing") }

        /// Bytes of the longest path that a template fits; nil for none.
        func fit(_ template: String) -> Int? { paths.compactMap { Self.fit(template, $0) }.max() }

        static func fit(_ template: String, _ path: String) -> Int? {
            guard path.hasSuffix("...") else { return template == path ? Int.max : nil }
            let start = path.dropLast(3)
            let base = start.last == "/" ? start.dropLast() : start
            return template == base || template.hasPrefix(start) ? start.utf8.count : nil
        }
    }

    private static func rows(_ text: String) -> [Row] {
        guard let section = text.split(separator: "## Who may do what\n").last?.split(separator: "\n## ").first else {
            return []
        }
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { line in
            let cells = line.split(separator: "|").map { $0.drop { $0 == " " } }
            guard cells.count >= 2 else { return nil }
            let words = cells[0].split(separator: "`", omittingEmptySubsequences: false)
            let paths = words.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            return Row(paths: paths.filter { $0.hasPrefix("/") }, needs: String(cells[1]))
        }
    }

    private static func row(of template: String, in rows: [Row]) -> Row? {
        rows.compactMap { row in row.fit(template).map { (row, $0) } }.max { $0.1 < $1.1 }?.0
    }

    private static let status = OpenAPIDocument.folder.deletingLastPathComponent()
        .appending(path: "conformance/smart/Status.md")

    @Test("SMART 2.2 scopes: each route stands in the table of rights; what needs a token is not called open there")
    func complete() async throws {
        let rows = Self.rows(try String(contentsOf: Self.status, encoding: .utf8))
        #expect(rows.count > 20)
        try await ServedRoutes.with { groups in
            let operations = try RouteTable(groups).operations
            #expect(operations.count > 100)
            for operation in operations {
                let row = Self.row(of: operation.template, in: rows)
                #expect(row != nil, "\(operation.method) \(operation.template) is in no row")
                if operation.requiresToken {
                    #expect(row?.isOpen == false, "\(operation.method) \(operation.template) needs a token")
                }
            }
            for path in rows.flatMap(\.paths) {
                #expect(
                    operations.contains { Row.fit($0.template, path) != nil }, "\(path) is in the table and not served")
            }
        }
    }

    @Test("A row is found by the longest of its paths, and a path without dots is itself alone")
    func reader() throws {
        let rows = Self.rows(
            """
            ## Who may do what

            | path | needs |
            |---|---|
            | `/a`, `/a/b...` | nothing |
            | `/a/...` | r on Task |

            ## Next
            | `/x` | nothing |
            """)
        #expect(rows.map(\.paths) == [["/a", "/a/b..."], ["/a/..."]])
        #expect(Self.row(of: "/a", in: rows)?.isOpen == true)
        #expect(Self.row(of: "/a/b/{c}", in: rows)?.isOpen == true)
        #expect(Self.row(of: "/a/c", in: rows)?.needs.hasPrefix("r on Task") == true)
        #expect(Self.row(of: "/x", in: rows) == nil && Self.row(of: "/ab", in: rows) == nil)
    }
}
