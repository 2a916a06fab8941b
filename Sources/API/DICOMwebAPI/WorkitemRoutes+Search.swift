import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// Search for workitems. PS3.18 §11.9, §8.3.4.
extension WorkitemRoutes {
    /// Bytes of the workitems of one answer, as they are kept.
    static let answerBytesMax = 16 << 20

    func search(_ request: APIRequest) async throws -> Response {
        try Self.check(request, .search)
        var query = WorkitemQuery()
        var (limit, offset) = (DICOMwebRoutes.pageDefault, 0)
        var isFuzzy = false
        for parameter in try request.query() {
            switch parameter.name {
            case "limit": limit = min(try DICOMwebRoutes.number(parameter), DICOMwebRoutes.pageMax)
            case "offset": offset = try DICOMwebRoutes.number(parameter)
            case "fuzzymatching": isFuzzy = parameter.value == "true"
            // Every attribute is returned anyway.
            case "includefield", "emptyvaluematching", "multiplevaluematching", "accept": continue
            default: try query.add(parameter)
            }
        }
        let form = try ResultForm(request)
        let (access, rawQuery) = (request.access, request.rawQuery)
        let keys = try WorkitemKeys(query.identifier, isFuzzy: isFuzzy)
        try await store.write(access) { unit in
            try unit.audit(
                AuditRecord(
                    category: .query, interaction: "search", action: .execute, outcome: .success, access: access,
                    entity: "workitems", query: rawQuery))
        }
        var search = WorkitemSearch(keys, in: store, access: access)
        var (found, bytes, hasMore): ([DataSet], Int, Bool) = ([], 0, false)
        pages: while let page = try await search.next() {
            for match in page {
                if offset > 0 {
                    offset -= 1
                    continue
                }
                bytes += match.byteCount
                hasMore = found.count >= limit || bytes > Self.answerBytesMax && !found.isEmpty
                if hasMore { break pages }
                found.append(match.attributes)
            }
        }
        let headers: HTTPFields =
            hasMore ? [.warning: Self.warning("There are additional results that can be requested")] : [:]
        return try form.response(found, headers: headers, boundary: entropy.newID().value)
    }
}

/// The matching keys of a URL as the identifier that a C-FIND would have.
struct WorkitemQuery {
    private(set) var identifier = DataSet()
    private var seen: Set<String> = []

    init() { identifier.set(.specificCharacterSet, string: "ISO_IR 192") }

    /// Adds one: an attribute by keyword or eight digits, in items by a path with dots. Throws `.malformed` for what is no
    /// attribute, and for one that is given twice.
    mutating func add(_ parameter: QueryParameters.Parameter) throws(HTTPFailure) {
        let path = DICOMwebRoutes.tags(parameter.name)
        guard !path.isEmpty, path.count <= 8 else {
            throw HTTPFailure(.malformed, "\(parameter.name.prefix(64)) is no attribute")
        }
        guard seen.insert(path.map(\.hex).joined(separator: ".")).inserted else {
            throw HTTPFailure(.malformed, "\(parameter.name.prefix(64)) is given twice")
        }
        guard Self.put(parameter.value, at: path[...], in: &identifier) else {
            throw HTTPFailure(.malformed, "\(parameter.name.prefix(64)) is no attribute with a text value")
        }
    }

    private static func put(_ value: String, at path: ArraySlice<Tag>, in set: inout DataSet) -> Bool {
        guard let tag = path.first else { return false }
        let isSequence = DataDictionary.vr(tag) == .SQ
        if path.count > 1 {
            guard isSequence else { return false }
            var item = set.item(tag) ?? DataSet(inheriting: set.characterSet)
            guard put(value, at: path.dropFirst(), in: &item) else { return false }
            set.set(tag, items: [item])
        } else if isSequence {
            // Asks for it to be there at all; its keys are in items.
            guard value.isEmpty || value == "*" else { return false }
            if set[tag] == nil { set.setEmpty(tag) }
        } else {
            // As text whatever its VR: a range of dates, a pattern, a list.
            set.set(tag, .UT, string: value)
        }
        return true
    }
}
