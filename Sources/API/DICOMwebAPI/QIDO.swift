import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// Search for studies, series and instances. PS3.18 §10.6, §8.3.4.
extension DICOMwebRoutes {
    /// Matches on a page unless `limit` says fewer.
    static let pageMax = 1000
    static let pageDefault = 200

    func search(_ level: StudyQueryLevel, _ request: APIRequest) async throws -> Response {
        var query = StudyQuery(level: level, limit: Self.pageDefault)
        let parameters = try request.query()
        let isFuzzy = parameters.contains { $0.name == "fuzzymatching" && $0.value == "true" }
        var keys = KeyReader(isFuzzy: isFuzzy)
        var includes = IncludedFields()
        var others: [QueryParameters.Parameter] = []
        var zone: QueryParameters.Parameter?
        var seen: Set<String> = []
        for parameter in parameters {
            switch parameter.name {
            case "limit": query.limit = min(try Self.number(parameter), Self.pageMax)
            case "offset": query.offset = try Self.number(parameter)
            case "fuzzymatching", "emptyvaluematching", "multiplevaluematching", "accept": continue
            case "includefield":
                for field in parameter.value.split(separator: ",") {
                    if field == "all" {
                        includes.isAll = true
                    } else if let tag = Self.tags(String(field)).first {
                        // Of what is in items, the whole sequence.
                        includes.tags.insert(tag)
                    } else {
                        throw HTTPFailure(.malformed, "includefield: \(field.prefix(64)) is no attribute")
                    }
                }
            default:
                guard seen.insert(parameter.name).inserted else {
                    throw HTTPFailure(.malformed, "\(parameter.name.prefix(64)) is given twice")
                }
                if Self.tags(parameter.name) == [.timezoneOffsetFromUTC] {
                    guard zone == nil else {
                        throw HTTPFailure(.malformed, "\(parameter.name) is given twice, as a keyword and as a tag")
                    }
                    zone = parameter
                } else if try !add(parameter, to: &keys), !parameter.value.isEmpty {
                    others.append(parameter)
                }
            }
        }
        for (name, key) in [("study", SearchKey.studyInstanceUID), ("series", .seriesInstanceUID)] {
            let uid = request.parameters[name]
            guard !uid.isEmpty else { continue }
            guard UID.isSafe(uid) else { throw HTTPFailure(.malformed, "the \(name) in the URL is no UID") }
            keys.set(key, .exact(uid))
        }
        query.keys = keys.result()
        let form = try ResultForm(request)
        let zoned = try zone.flatMap { try self.zoned(query, $0) }
        // DT values in headers are of that zone too.
        if let zone, !others.isEmpty, !zone.value.isEmpty { others.append(zone) }
        let headerKeys = try HeaderKeys(others, isFuzzy: isFuzzy)
        includes.tags.formUnion(headerKeys?.tags ?? [])
        let (found, isPartial) =
            if let headerKeys {
                try await page(query, matching: headerKeys, in: zoned, request)
            } else if let zoned {
                try await page(query, in: zoned, request)
            } else {
                try await page(query, request.access)
            }
        try await record("search", request, category: .query, action: .execute, query: request.rawQuery)
        var sets: [DataSet] = []
        var headerBytes = 0
        // As they came, as attributes, and as they leave.
        let held = memory.reservation()
        defer { held.release() }
        for match in found.matches {
            var set = StudyMatchDataSet.dataSet(match, level: level, retrieveBase: baseURL)
            // Of what lies in an archive no more is known.
            let isMissing = includes.isAll || includes.tags.contains { !set.contains($0) }
            if isMissing, match.archive == nil {
                headerBytes += try await add(includes, headerKeys, of: match, at: level, to: &set, request)
                guard !includes.isAll || headerBytes <= Self.headerBytesMax else {
                    throw HTTPFailure(
                        .tooLarge, "all attributes of so many matches are too much; ask for fewer by limit")
                }
                guard held.grow(to: 3 * headerBytes) else {
                    throw HTTPFailure(
                        .unavailable, "there is no memory for so many attributes now; try again",
                        headers: [.retryAfter: "2"])
                }
            }
            sets.append(set)
        }
        return try form.response(
            sets, headers: Self.warnings(remaining: found.remaining, isPartial: isPartial),
            boundary: newBoundary())
    }

    /// What the zone of a query makes of its keys; nil where they have no times, or it is empty. Throws `.malformed` for
    /// what is no offset.
    private func zoned(
        _ query: StudyQuery, _ parameter: QueryParameters.Parameter
    ) throws(HTTPFailure) -> ZonedSearch? {
        if parameter.value.isEmpty { return nil }
        guard let offset = DICOMDateTime.offsetMinutes(parameter.value) else {
            throw HTTPFailure(.malformed, "\(parameter.name) is +HHMM or -HHMM, from -1200 to +1400")
        }
        return ZonedSearch(query.keys, at: query.level, offsetMinutes: offset, localOffset: localOffset)
    }

    /// The page of a query whose dates and times are of a zone of its own. Errors and what is left out as of
    /// ``page(_:matching:in:_:)``.
    private func page(
        _ query: StudyQuery, in zone: ZonedSearch, _ request: APIRequest
    ) async throws -> (page: StudyMatches, isPartial: Bool) {
        var wide = query
        wide.keys = zone.wide
        (wide.limit, wide.offset) = (Self.pageMax, 0)
        let candidates = try await index.studies(wide, access: request.access)
        guard !candidates.hasMore else {
            throw HTTPFailure(
                .malformed,
                "TimezoneOffsetFromUTC is applied to \(Self.pageMax) matches at most, and there are more around these "
                    + "dates: narrow the keys, or leave it out")
        }
        let rest = candidates.matches.filter(zone.holds).dropFirst(query.offset)
        let page = Array(rest.prefix(query.limit))
        return (StudyMatches(matches: page, remaining: rest.count - page.count), archives != nil)
    }

    private func page(
        _ query: StudyQuery, _ access: AccessContext
    ) async throws -> (page: StudyMatches, isPartial: Bool) {
        guard let archives else { return (try await index.studies(query, access: access), false) }
        return try await archives.page(query, of: index, access: access)
    }

    /// What a client is told beside the matches, in one field: each warning stands for itself. §8.3.4.2, §8.3.4.4.1.
    static func warnings(remaining: Int, isPartial: Bool = false) -> HTTPFields {
        var texts: [String] = []
        if remaining > 0 {
            let number =
                remaining > StudyMatches.remainingMax ? "more than \(StudyMatches.remainingMax)" : "\(remaining)"
            texts.append("There are \(number) additional results that can be requested")
        }
        if isPartial {
            texts.append("The results may be incomplete: an archive did not answer or cannot match the query")
        }
        var headers = HTTPFields()
        if !texts.isEmpty { headers[.warning] = texts.map { "299 hilum \"\($0)\"" }.joined(separator: ", ") }
        return headers
    }

    /// Attributes of the levels below are not returned at the levels above. PS3.18 §10.6.3.3.
    private static func mayInclude(_ tag: Tag, at level: StudyQueryLevel) -> Bool {
        guard !tag.isPixelData else { return false }
        switch (level, QueryKeys.key(for: tag)?.level) {
        case (.study, .series), (.study, .instance), (.series, .instance): return false
        default: return true
        }
    }

    /// Attributes beyond the index come from the header of the match's first instance, when it has them. Gives the bytes of
    /// that header.
    private func add(
        _ fields: IncludedFields, _ keys: HeaderKeys?, of match: StudyMatch, at level: StudyQueryLevel,
        to set: inout DataSet,
        _ request: APIRequest
    ) async throws -> Int {
        guard let first = try await firstHeader(of: match, request) else { return 0 }
        var header = try StoredHeader(first).dataSet
        _ = header.convert(to: set.characterSet)
        header = keys?.placed(header) ?? header
        for tag in fields.wanted(of: header, at: level) where !set.contains(tag) && Self.mayInclude(tag, at: level) {
            guard let element = header[tag].flatMap(IncludedFields.atHand) else { continue }
            set[tag] = element
        }
        return first.header.count
    }

    /// A whole number of a query, from 0 to 2^31 - 1. Throws `.malformed`.
    static func number(_ parameter: QueryParameters.Parameter) throws(HTTPFailure) -> Int {
        guard let number = Int(parameter.value), (0...Int(Int32.max)).contains(number) else {
            throw HTTPFailure(.malformed, "\(parameter.name) must be a whole number")
        }
        return number
    }

    /// One attribute as hexadecimal digits, as a keyword, or a path of them joined by dots; empty when unknown.
    static func tags(_ text: String) -> [Tag] {
        var path: [Tag] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            guard let tag = Tag(hex: String(part)) ?? Tag(keyword: String(part)) else { return [] }
            path.append(tag)
        }
        return path
    }

    /// Adds a key that the index has; false for another attribute.
    private func add(_ parameter: QueryParameters.Parameter, to keys: inout KeyReader) throws -> Bool {
        let path = Self.tags(parameter.name)
        guard let tag = path.last else {
            throw HTTPFailure(.malformed, "\(parameter.name.prefix(64)) is no attribute")
        }
        let key: SearchKey
        if path.count == 2, path[0] == .requestAttributesSequence,
            let inside = QueryKeys.requestAttributes.first(where: { $0.tag == tag })
        {
            key = inside.key
        } else if path.count == 1, let found = QueryKeys.key(for: tag) {
            key = found.key
        } else {
            return false
        }
        do {
            try keys.add(parameter.value, for: tag, as: key)
        } catch {
            throw HTTPFailure(.malformed, "\(parameter.name.prefix(64)) has a value that its VR does not allow")
        }
        return true
    }
}
