import HTTPTypes

/// The routes of every API in one tree of path segments.
///
/// A literal segment wins over a `{name}` at the same place; a path that matches a template but not its methods is
/// 405 with `Allow`. Paths are matched on the bytes that were sent: each segment is decoded by itself, so an
/// encoded slash can never become a separator, and `.` and `..` are refused rather than normalised.
package struct RouteTable: Sendable {
    /// One line of the table, as compared with the OpenAPI documents.
    package struct Operation: Sendable, Hashable {
        package let group: String
        package let method: String
        package let template: String
        package let operationID: String
        package let requiresToken: Bool
    }

    /// Why a table cannot be built: our own mistake, found at start.
    package enum Conflict: Error, Hashable {
        case duplicateRoute(method: String, template: String)
        case duplicateOperationID(String)
        case malformedTemplate(String)
    }

    /// What a path and method lead to.
    enum Match {
        case found(Route, RouteGroup, PathParameters)
        case wrongMethod(allowed: [HTTPRequest.Method], RouteGroup)
        case notFound
        /// A segment holds a bad escape, a control character, an encoded slash, or is `.` or `..`.
        case malformed
    }

    /// More segments than any template has: the path is not looked at further.
    static let segmentsMax = 24

    package let groups: [RouteGroup]
    private var root = Node()

    package init(_ groups: [RouteGroup]) throws(Conflict) {
        self.groups = groups.sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }
        var ids: Set<String> = []
        for index in self.groups.indices {
            for route in self.groups[index].routes {
                guard ids.insert(route.operationID).inserted else { throw .duplicateOperationID(route.operationID) }
                let names = try RouteTable.segments(ofTemplate: route.template)
                try root.add(route, group: index, segments: names[...], parameters: [])
            }
        }
    }

    /// Every operation, sorted by group, template and method.
    package var operations: [Operation] {
        groups.flatMap { group in
            group.routes.map {
                Operation(
                    group: group.name, method: $0.method.rawValue, template: $0.template, operationID: $0.operationID,
                    requiresToken: $0.access != .open)
            }
        }.sorted { ($0.group, $0.template, $0.method) < ($1.group, $1.template, $1.method) }
    }

    /// The group whose prefix a path lies under; decides the form of an error before a route is known.
    func group(ofPath path: String) -> RouteGroup? {
        groups.first { group in
            guard path.utf8.starts(with: group.prefix.utf8) else { return false }
            let rest = path.utf8.dropFirst(group.prefix.utf8.count)
            return rest.isEmpty || rest.first == UInt8(ascii: "/") || group.prefix.utf8.last == UInt8(ascii: "/")
        }
    }

    func match(method: HTTPRequest.Method, path: String) -> Match {
        var values: [String] = []
        var bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/") else { return .malformed }
        if bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        for raw in bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard values.count < RouteTable.segmentsMax else { return .notFound }
            guard let value = PercentCoding.pathSegment(raw) else { return .malformed }
            values.append(value)
        }
        if values == [""] { values = [] }
        guard let leaf = root.leaf(values[...]) else { return .notFound }
        guard let entry = leaf.entry(method) ?? (method == .head ? leaf.entryForHead : nil) else {
            let group = groups[leaf.entries[0].group]
            var allowed = leaf.entries.map(\.route.method)
            if leaf.entryForHead != nil, !allowed.contains(.head) { allowed.append(.head) }
            return .wrongMethod(allowed: allowed, group)
        }
        var pairs: [(name: String, value: String)] = []
        for (index, name) in entry.names.enumerated() {
            if let name { pairs.append((name, values[index])) }
        }
        return .found(entry.route, groups[entry.group], PathParameters(pairs))
    }

    private static func segments(ofTemplate template: String) throws(Conflict) -> [String] {
        guard template.hasPrefix("/") else { throw .malformedTemplate(template) }
        if template == "/" { return [] }
        let names = template.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard names.count <= segmentsMax, names.allSatisfy({ !$0.isEmpty && ($0.hasPrefix("{") == $0.hasSuffix("}")) })
        else { throw .malformedTemplate(template) }
        return names
    }

    /// A place in the tree.
    private struct Node: Sendable {
        struct Entry: Sendable {
            let route: Route
            let group: Int
            /// A name for each segment that is a parameter.
            let names: [String?]
        }
        var entries: [Entry] = []
        private var literals: [String: Node] = [:]
        /// At most one, indirect through an array.
        private var parameter: [Node] = []

        func entry(_ method: HTTPRequest.Method) -> Entry? { entries.first { $0.route.method == method } }

        /// What answers HEAD as GET without its body.
        var entryForHead: Entry? { entry(.get).flatMap { $0.route.isSafe ? $0 : nil } }

        mutating func add(
            _ route: Route, group: Int, segments: ArraySlice<String>, parameters: [String?]
        ) throws(Conflict) {
            guard let segment = segments.first else {
                guard entry(route.method) == nil else {
                    throw .duplicateRoute(method: route.method.rawValue, template: route.template)
                }
                entries.append(Entry(route: route, group: group, names: parameters))
                return
            }
            if segment.hasPrefix("{") {
                if parameter.isEmpty { parameter = [Node()] }
                let name = String(segment.dropFirst().dropLast())
                try parameter[0].add(
                    route, group: group, segments: segments.dropFirst(), parameters: parameters + [name])
            } else {
                try literals[segment, default: Node()].add(
                    route, group: group, segments: segments.dropFirst(), parameters: parameters + [nil])
            }
        }

        /// The place a path leads to, if routes end there. Falls back from a literal to a parameter.
        func leaf(_ values: ArraySlice<String>) -> Node? {
            guard let value = values.first else { return entries.isEmpty ? nil : self }
            if let next = literals[value], let leaf = next.leaf(values.dropFirst()) { return leaf }
            guard let next = parameter.first, !value.isEmpty else { return nil }
            return next.leaf(values.dropFirst())
        }
    }
}
