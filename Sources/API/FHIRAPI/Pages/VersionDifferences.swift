import FHIRModel

/// What two versions of a resource say otherwise, element by element; their own version numbers and times apart.
///
/// Items of a list are compared by their place: one that is put in before others shows as many that changed.
struct VersionDifferences {
    /// More are not listed.
    static let rowsMax = 400
    /// Characters of one side of a row.
    static let textMax = 1000
    /// Deeper values are compared as a whole.
    private static let depthMax = 32

    struct Row: Hashable {
        /// Such as `name[0].family`.
        let path: String
        /// Nil where it was not there.
        let before: String?
        /// Nil where it is not there any more.
        let after: String?
    }

    private(set) var rows: [Row] = []
    /// Whether there are more than ``rowsMax``.
    private(set) var hasMore = false

    init(from before: JSONValue, to after: JSONValue) { compare(before, after, "", 0) }

    private mutating func compare(_ before: JSONValue?, _ after: JSONValue?, _ path: String, _ depth: Int) {
        guard before != after, !hasMore, path != "meta.versionId", path != "meta.lastUpdated" else { return }
        if depth < Self.depthMax {
            if let old = before?.object, let new = after?.object {
                for name in new.names + old.names.filter({ new[$0] == nil }) {
                    compare(old[name], new[name], path.isEmpty ? name : path + "." + name, depth + 1)
                }
                return
            }
            if let old = before?.array, let new = after?.array {
                for index in 0..<max(old.count, new.count) {
                    guard !hasMore else { return }
                    // A value is made of nil too, that of null.
                    let (here, there): (JSONValue?, JSONValue?) = (
                        index < old.count ? .some(old[index]) : .none, index < new.count ? .some(new[index]) : .none
                    )
                    compare(here, there, "\(path)[\(index)]", depth + 1)
                }
                return
            }
        }
        guard rows.count < Self.rowsMax else {
            hasMore = true
            return
        }
        rows.append(Row(path: path, before: before.map(Self.text), after: after.map(Self.text)))
    }

    private static func text(_ value: JSONValue) -> String {
        let text = value.string ?? String(decoding: JSONWriter.compact(value), as: UTF8.self)
        return text.utf8.count > textMax ? String(text.prefix(textMax)) + "…" : text
    }
}
