import FHIRModel
import FHIRSearch

/// Finds the matches of searches on one connection: counts what the leaders would give, chooses where the matches come
/// from, and reads them.
///
/// In a view of the past the statements must see one state of the database: the current view is what the database itself
/// holds current.
struct SearchRun {
    let connection: any SQLConnection
    let compiler: SearchCompiler

    init(connection: any SQLConnection, compiler: SearchCompiler) {
        self.connection = connection
        self.compiler = compiler
    }

    /// The longest list that is read whole and put in order. Reading it takes a few milliseconds; a search with longer ones
    /// finds a page sooner by walking, for one in so many versions is a match.
    var listMax = 5_000
    /// A list so short that no other need be counted.
    static let listShort = 500
    /// Lists that are counted before one is chosen.
    static let countsMax = 3

    /// The matches after a position, in order, at most `limit`.
    func find(_ query: SearchQuery, after position: SearchCompiler.Position?, limit: Int) throws
        -> [SearchCompiler.Position]
    {
        var found: [SearchCompiler.Position] = []
        for source in try sources(query) where found.count < limit {
            var place = position
            if let value = position?.sort.first {
                // A page that ended among what has no value goes on there; one that ended before begins there anew.
                if case .sorted = source, value == .null { continue }
                if case .unsorted = source, value != .null { place = nil }
            }
            found += try read(query, source, after: place, limit: limit - found.count)
        }
        if compiler.view == .current { return found }
        let replaced = try read(query, .replaced, after: position, limit: limit)
        if replaced.isEmpty { return found }
        return Array(Self.merged(found, replaced, query.sort).prefix(limit))
    }

    /// The number of matches.
    func total(_ query: SearchQuery) throws -> Int {
        let leaders = compiler.leaders(query)
        let source: SearchCompiler.Source
        if let leader = try shortest(leaders).leader ?? leaders.first {
            source = leader.entries == nil ? .list(leader) : .entries(leader)
        } else {
            source = .versions
        }
        var total = try count(compiler.total(query, source))
        if compiler.view != .current { total += try count(compiler.total(query, .replaced)) }
        return total
    }

    // MARK: The choice

    private func sources(_ query: SearchQuery) throws -> [SearchCompiler.Source] {
        let leaders = compiler.leaders(query)
        if let leader = try list(among: leaders) { return [.list(leader)] }
        guard let first = query.sort.first else {
            return [leaders.first { $0.entries != nil }.map { .entries($0) } ?? .versions]
        }
        return ["_id", "_lastUpdated"].contains(first.parameter.code) ? [.versions] : [.sorted, .unsorted]
    }

    /// The shortest of the lists that are counted, where it is short enough to be read whole.
    func list(among leaders: [SearchCompiler.Leader]) throws -> SearchCompiler.Leader? {
        let (leader, size) = try shortest(leaders)
        return size <= listMax ? leader : nil
    }

    /// The leader with the shortest list of those that are counted, and its length, at most one above `listMax`.
    private func shortest(_ leaders: [SearchCompiler.Leader]) throws -> (leader: SearchCompiler.Leader?, size: Int) {
        var best: (leader: SearchCompiler.Leader?, size: Int) = (nil, .max)
        for leader in leaders.prefix(Self.countsMax) {
            let size = try length(leader)
            if size < best.size { best = (leader, size) }
            if size <= Self.listShort { break }
        }
        return best
    }

    /// How long a list is, up to one above `listMax`, which stands for a list that is made of a longer one, too.
    private func length(_ leader: SearchCompiler.Leader) throws -> Int {
        for inner in leader.inner where try length(inner) > listMax { return listMax + 1 }
        return try count(compiler.size(leader, limit: listMax + 1))
    }

    // MARK: Statements

    /// Bytes of a statement. Nothing ends its preparing but its end, which takes SQLite seconds for the longest, and four
    /// times as long for one of twice the length: chains double it with each step, and with each rule of who asks.
    static let textBytesMax = 1 << 20

    /// Throws `.costly` for a statement that is too long.
    static func bounded(_ statement: SearchCompiler.Statement) throws -> SearchCompiler.Statement {
        guard statement.text.utf8.count <= textBytesMax else {
            throw SQLStoreError(.costly, "a search asks for too many chains at once")
        }
        return statement
    }

    private func count(_ statement: SearchCompiler.Statement) throws -> Int {
        let statement = try Self.bounded(statement)
        return try connection.first(statement.text, statement.values) { Int(try $0.int(0)) } ?? 0
    }

    private func read(
        _ query: SearchQuery, _ source: SearchCompiler.Source, after position: SearchCompiler.Position?, limit: Int
    ) throws -> [SearchCompiler.Position] {
        let statement = try Self.bounded(compiler.page(query, source, after: position, limit: limit))
        return try connection.all(statement.text, statement.values) { row in
            SearchCompiler.Position(
                sort: try query.sort.enumerated().map { try Self.sortValue(row, $0 + 1, $1) }, key: try row.int(0))
        }
    }

    private static func sortValue(_ row: SQLRow, _ column: Int, _ key: SortKey) throws -> SQLValue {
        if row.isNull(column) { return .null }
        return switch SearchCompiler.sortKind(key) {
        case .int: .int(try row.int(column))
        case .double: .double(try row.double(column))
        default: .text(try row.text(column))
        }
    }

    /// Two lists in the order of a page as one.
    private static func merged(
        _ left: [SearchCompiler.Position], _ right: [SearchCompiler.Position], _ sort: [SortKey]
    ) -> [SearchCompiler.Position] {
        if sort.isEmpty { return (left + right).sorted { $0.key < $1.key } }
        var (left, right) = (left[...], right[...])
        var merged: [SearchCompiler.Position] = []
        while let a = left.first, let b = right.first {
            merged.append(SearchCompiler.precedes(a, b, sort) ? left.removeFirst() : right.removeFirst())
        }
        return merged + left + right
    }
}
