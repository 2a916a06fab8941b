import Access
import FHIRModel
import FHIRResources
import FHIRSearch

/// Fetches what `_include` and `_revinclude` ask for, with the caller's access to each type.
///
/// FHIR R4 search.html#include. Matches are not included again, and nothing is included twice.
struct SearchIncludes {
    let connection: any SQLConnection
    let compiler: SearchCompiler
    private let limits: SearchLimits

    /// A resource in hand: its key, to look up what it points at, and its name, to look up what points at it.
    private struct Row {
        let key: Int64
        let resource: StoredResource
    }

    private(set) var included: [StoredResource] = []
    private(set) var isCapped = false
    private var seen: Set<String> = []
    /// Of what was included so far.
    private var bytes = 0

    init(connection: any SQLConnection, compiler: SearchCompiler, limits: SearchLimits) {
        self.connection = connection
        self.limits = limits
        self.compiler = compiler
    }

    /// - Parameter matches: with the keys of their versions.
    mutating func run(_ directives: [IncludeDirective], from matches: [(key: Int64, resource: StoredResource)]) throws {
        var frontier = matches.map { Row(key: $0.key, resource: $0.resource) }
        for row in frontier { seen.insert("\(row.resource.type)/\(row.resource.id)") }
        for round in 0..<limits.includeRoundsMax {
            var next: [Row] = []
            for directive in directives where round == 0 || directive.isIterative {
                next += try directive.isReverse ? pointing(directive, at: frontier) : targets(directive, of: frontier)
                if isCapped { return }
            }
            if next.isEmpty { return }
            frontier = next
        }
    }

    private mutating func targets(_ directive: IncludeDirective, of rows: [Row]) throws -> [Row] {
        let keys = rows.filter { $0.resource.type == directive.sourceType }.map(\.key)
        if keys.isEmpty { return [] }
        var condition = SQLCondition(
            compiler.dialect.isInInts("i.version_key") + " AND i.target_type <> ''", [.ints(keys)])
        if let parameter = directive.parameter {
            condition.add(
                "\(compiler.dialect.probeMark)i.param = ?",
                .int(SearchParameterKey(directive.sourceType, parameter.code).number))
        } else {
            condition.add("i.part = 0")
        }
        if let type = directive.targetType {
            condition.add("\(compiler.dialect.probeMark)i.target_type = ?", .text(type))
        }
        var ids: [String: [String]] = [:]
        try connection.run(
            "SELECT DISTINCT i.target_type, i.target_id FROM idx_reference i WHERE \(condition.text) LIMIT ?",
            condition.values + [.int(Int64(limits.includedMax * 2))]
        ) { row in ids[try row.text(0), default: []].append(try row.text(1)) }
        var found: [Row] = []
        for (type, list) in ids.sorted(by: { $0.key < $1.key }) {
            var visible = compiler.visible(type, permission: .read)
            visible.add(compiler.dialect.isInTexts("v.id"), .texts(list))
            found += try take("resource_versions v", visible)
            if isCapped { return found }
        }
        return found
    }

    private mutating func pointing(_ directive: IncludeDirective, at rows: [Row]) throws -> [Row] {
        var ids: [String: [String]] = [:]
        for row in rows where directive.targetType == nil || directive.targetType == row.resource.type {
            ids[row.resource.type, default: []].append(row.resource.id)
        }
        var found: [Row] = []
        for (type, list) in ids.sorted(by: { $0.key < $1.key }) {
            var inner = SQLCondition(
                compiler.dialect.isInTexts("i.target_id") + " AND i.target_type = ?", [.texts(list), .text(type)])
            let parameters = directive.parameter.map { [$0] } ?? compiler.parser.references(of: directive.sourceType)
            inner.add(
                compiler.dialect.isInInts("i.param"),
                .ints(parameters.map { SearchParameterKey(directive.sourceType, $0.code).number }))
            for part in compiler.parts {
                // What was replaced is in no index by its values: its entries are read by its key.
                let isReplaced = part == .replaced
                var visible = compiler.visible(directive.sourceType, part: part)
                visible.add("v.version_key = i.version_key")
                visible.add(inner)
                if !isReplaced { visible.add("i.is_current = 1") }
                let (versions, entries) = ("resource_versions v", "idx_reference i")
                found += try take(
                    isReplaced ? "\(versions) CROSS JOIN \(entries)" : "\(entries) CROSS JOIN \(versions)", visible)
                if isCapped { return found }
            }
        }
        return found
    }

    /// Reads the rows of a condition that were not seen before, until the page is full.
    private mutating func take(_ tables: String, _ condition: SQLCondition) throws -> [Row] {
        let room = limits.includedMax - included.count
        let names = try connection.all(
            """
            SELECT DISTINCT v.version_key, v.type, v.id, length(v.body) FROM \(tables) WHERE \(condition.text) \
            ORDER BY v.version_key LIMIT ?
            """, condition.values + [.int(Int64(room + seen.count + 1))]
        ) { (key: try $0.int(0), name: "\(try $0.text(1))/\(try $0.text(2))", bytes: Int(try $0.int(3))) }
        var keys: [Int64] = []
        for row in names where !seen.contains(row.name) {
            if included.count + keys.count == limits.includedMax || bytes + row.bytes > limits.pageBytesMax {
                isCapped = true
                break
            }
            bytes += row.bytes
            seen.insert(row.name)
            keys.append(row.key)
        }
        let found = try ResourceTable.versions(keys, connection).map { Row(key: $0.key, resource: $0.resource) }
        included += found.map(\.resource)
        return found
    }
}
