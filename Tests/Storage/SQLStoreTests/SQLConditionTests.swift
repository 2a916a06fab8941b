import TestSupport
import Testing

@testable import SQLStore

/// Conditions put together of conditions, against what they say, on both databases.
@Suite("Conditions on both databases")
struct SQLConditionTests {
    /// A condition on `n`, as a tree.
    private indirect enum Tree {
        case equals(Int64), within(Int64, Int64), outside(Int64, Int64), someBelow(Int64)
        case any([Tree]), all([Tree]), added(Tree, Tree), no(Tree)

        func holds(_ n: Int64) -> Bool {
            switch self {
            case .equals(let value): n == value
            case .within(let low, let high): n >= low && n < high
            case .outside(let low, let high): n < low || n >= high
            case .someBelow(let value): n < value
            case .any(let trees): trees.contains { $0.holds(n) }
            case .all(let trees): trees.allSatisfy { $0.holds(n) }
            case .added(let first, let second): first.holds(n) && second.holds(n)
            case .no(let tree): !tree.holds(n)
            }
        }

        var condition: SQLCondition {
            switch self {
            case .equals(let value): return SQLCondition("x.n = ?", [.int(value)])
            case .within(let low, let high): return SQLCondition("x.n >= ? AND x.n < ?", [.int(low), .int(high)])
            case .outside(let low, let high):
                return .anyOf([SQLCondition("x.n < ?", [.int(low)]), SQLCondition("x.n >= ?", [.int(high)])])
            case .someBelow(let value): return .exists("numbers y WHERE y.n = x.n AND y.n < ?", [.int(value)])
            case .any(let trees): return .anyOf(trees.map(\.condition))
            case .all(let trees): return .allOf(trees.map(\.condition))
            case .added(let first, let second):
                var condition = first.condition
                condition.add(second.condition)
                return condition
            case .no(let tree): return .not(tree.condition)
            }
        }

        static func random(_ depth: Int, _ random: inout SeededGenerator) -> Tree {
            let low = Int64.random(in: -1...numbers, using: &random)
            let high = low + Int64.random(in: 0...3, using: &random)
            if depth == 0 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: return .equals(low)
                case 1: return .within(low, high)
                case 2: return .outside(low, high)
                default: return .someBelow(low)
                }
            }
            func branch() -> Tree { Tree.random(Int.random(in: 0..<depth, using: &random), &random) }
            func branches() -> [Tree] { (0..<Int.random(in: 0...4, using: &random)).map { _ in branch() } }
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1: return .any(branches())
            case 2: return .all(branches())
            case 3: return .added(branch(), branch())
            default: return .no(branch())
            }
        }
    }

    private static let numbers: Int64 = 12

    private static func check(_ trees: [(String, Tree)], _ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { database in
            try await database.write { transaction in
                try transaction.connection.execute(
                    transaction.connection.dialect.schemaText("CREATE TABLE numbers (n {int} NOT NULL) {table}"))
                for number in 0..<numbers {
                    try transaction.connection.run("INSERT INTO numbers (n) VALUES (?)", [.int(number)])
                }
            }
            for (note, tree) in trees {
                let condition = tree.condition
                let found = try await database.read { connection in
                    try connection.all(
                        "SELECT x.n FROM numbers x WHERE \(condition.text) ORDER BY x.n", condition.values
                    ) { try $0.int(0) }
                }
                #expect(found == (0..<numbers).filter(tree.holds), "\(note): \(condition.text.prefix(2_000))")
            }
        }
    }

    @Test("OR under AND under NOT finds what it says, whatever stands in whatever", arguments: TestDatabases.all)
    func trees(_ kind: SQLDialect) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        try await Self.check((0..<400).map { ("seed \(seed), \($0)", Tree.random(4, &random)) }, kind)
    }

    @Test("Lists of none, of one, and as long as a search may have them", arguments: TestDatabases.all)
    func lists(_ kind: SQLDialect) async throws {
        var trees: [(String, Tree)] = []
        for count in [0, 1, 2, 100, 101, 200, 201, 1_000] as [Int64] {
            let list = (0..<count).map { Tree.within(20 + $0, 25 + $0) } + (count == 0 ? [] : [.equals(3)])
            trees += [
                ("any of \(count)", .any(list)), ("none of \(count)", .no(.any(list))),
                ("all of \(count)", .all(list.map(Tree.no))), ("not all of \(count)", .no(.all(list.map(Tree.no)))),
                ("any of any of \(count)", .all([.any([.any(list), .equals(4)]), .no(.equals(3))])),
            ]
        }
        try await Self.check(trees, kind)
    }
}
