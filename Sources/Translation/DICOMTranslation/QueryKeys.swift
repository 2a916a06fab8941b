import DICOMData
import Workflow

/// Which attributes the searches over stored studies match, and what one value of a key asks for.
/// PS3.4 §C.2.2.2, PS3.18 §8.3.4.
package enum QueryKeys {
    /// What is wrong with a query.
    package enum Problem: Error, Sendable, Hashable {
        /// A value that its VR does not allow.
        case badValue(Tag)
    }

    /// The tags that can be matched, and their key.
    package static let matchable: [(tag: Tag, key: SearchKey, level: StudyQueryLevel)] = [
        (.studyDate, .studyDate, .study), (.studyTime, .studyTime, .study),
        (.accessionNumber, .accessionNumber, .study), (.modalitiesInStudy, .modalitiesInStudy, .study),
        (.referringPhysicianName, .referringPhysicianName, .study), (.patientName, .patientName, .study),
        (.patientID, .patientID, .study), (.issuerOfPatientID, .issuerOfPatientID, .study),
        (.studyInstanceUID, .studyInstanceUID, .study), (.studyID, .studyID, .study),
        (.studyDescription, .studyDescription, .study), (.patientBirthDate, .patientBirthDate, .study),
        (.patientSex, .patientSex, .study), (.modality, .modality, .series),
        (.seriesInstanceUID, .seriesInstanceUID, .series), (.seriesNumber, .seriesNumber, .series),
        (.seriesDescription, .seriesDescription, .series), (.bodyPartExamined, .bodyPartExamined, .series),
        (.performedProcedureStepStartDate, .performedProcedureStepStartDate, .series),
        (.performedProcedureStepStartTime, .performedProcedureStepStartTime, .series),
        (.sopClassUID, .sopClassUID, .instance), (.sopInstanceUID, .sopInstanceUID, .instance),
        (.instanceNumber, .instanceNumber, .instance),
    ]

    /// Keys inside Request Attributes Sequence, at series level.
    package static let requestAttributes: [(tag: Tag, key: SearchKey)] = [
        (.scheduledProcedureStepID, .scheduledProcedureStepID), (.requestedProcedureID, .requestedProcedureID),
    ]

    package static func key(for tag: Tag) -> (key: SearchKey, level: StudyQueryLevel)? {
        matchable.first { $0.tag == tag }.map { ($0.key, $0.level) }
    }
}

/// Reads the values of a query's keys, one after another, into ``SearchKeys``.
package struct KeyReader: Sendable {
    /// How the ends of a range are given. Only ranges of the same form are taken together. PS3.4 §C.2.2.2.5.4.
    private enum Form { case single, closed, from, to }

    /// Values of one key at most. PS3.18 has no bound for a list of UIDs; a request line has.
    static let valuesMax = 10_000
    /// Parts that the values of one query are in a statement at most, see ``parts(of:)``, each of six bound values or
    /// fewer: SQLite takes 32,766 of these, PostgreSQL 65,535, and it plans long over many subqueries.
    static let partsMax = 1_000
    /// Parts of one word of a name: it is a subquery.
    static let partsOfWord = 4

    private var keys = SearchKeys()
    private var parts = 0
    private var forms: [SearchKey: Form] = [:]
    private let isFuzzy: Bool

    /// - Parameter isFuzzy: names are matched by their words, written as they are or as they sound. PS3.4 §C.2.2.2.1.1.
    package init(isFuzzy: Bool = false) { self.isFuzzy = isFuzzy }

    /// Reads one key. Values divided by `\`, of UI also by `,`, are alternatives; nothing, or `*`, matches everything;
    /// two quotes match what is absent or empty. Throws `.badValue` where the VR does not allow the value, and for what
    /// is more than ``valuesMax`` or, with the keys before it, ``partsMax``.
    package mutating func add(_ value: String, for tag: Tag, as key: SearchKey) throws(QueryKeys.Problem) {
        guard let (match, form) = try Self.matching(value, for: tag, isFuzzy) else { return }
        parts += Self.parts(of: match)
        guard parts <= Self.partsMax else { throw .badValue(tag) }
        if let form { forms[key] = form }
        keys[key] = match
    }

    /// What one key asks for; nil for nothing, or `*`, which match everything. Throws as ``add(_:for:as:)``.
    static func match(_ value: String, for tag: Tag, isFuzzy: Bool = false) throws(QueryKeys.Problem) -> KeyMatch? {
        guard let match = try matching(value, for: tag, isFuzzy)?.match else { return nil }
        guard parts(of: match) <= partsMax else { throw .badValue(tag) }
        return match
    }

    /// Whole texts are one list, of whatever length; any other value is a part by itself, and so is a whole text beside such.
    private static func parts(of match: KeyMatch) -> Int {
        switch match {
        case .exact, .wildcard, .name, .dates, .times, .empty: 1
        case .similarName(let key): partsOfWord * NameWords.words(ofKey: key).count
        case .anyOf(let all):
            all.allSatisfy { if case .exact = $0 { true } else { false } } ? 1 : all.reduce(0) { $0 + parts(of: $1) }
        }
    }

    /// The same with the form of the ends, where there is one value.
    private static func matching(
        _ value: String, for tag: Tag, _ isFuzzy: Bool
    ) throws(QueryKeys.Problem) -> (match: KeyMatch, form: Form?)? {
        let vr = DataDictionary.vr(tag) ?? .UN
        let parts = value.split(whereSeparator: { $0 == "\\" || $0 == "," && vr == .UI }).map { String($0).trimmed }
            .filter { !$0.isEmpty }
        guard parts.count <= valuesMax else { throw .badValue(tag) }
        if parts.isEmpty || parts.contains(where: { $0.allSatisfy { $0 == "*" } }) { return nil }
        if isFuzzy, vr == .PN {
            // What has no word in it asks for nothing.
            if parts.contains(where: { $0 != empty && NameWords.words(ofKey: $0).isEmpty }) { return nil }
            let matches = parts.map { $0 == empty ? KeyMatch.empty : .similarName($0) }
            return (matches.count == 1 ? matches[0] : .anyOf(matches), nil)
        }
        if parts.count == 1 {
            let (match, form) = try match(parts[0], vr, tag)
            return (match, form)
        }
        var matches: [KeyMatch] = []
        for part in parts { matches.append(try match(part, vr, tag).0) }
        return (.anyOf(matches), nil)
    }

    /// Sets a key whose match is known.
    package mutating func set(_ key: SearchKey, _ match: KeyMatch) { keys[key] = match }

    /// The keys read. A date key and its time key that ask for ranges of the same form are one period; otherwise each
    /// stands for itself, as all do where a C-FIND did not negotiate otherwise. PS3.18 §8.3.4.1.1, PS3.4 Table K.6-1
    /// (0040,0003), §C.2.2.2.5.4.
    package func result(combinesDateAndTime: Bool = true) -> SearchKeys {
        var keys = keys
        for (date, time) in Self.pairs where combinesDateAndTime {
            guard let form = forms[date], form != .single, form == forms[time],
                case .dates(let firstDate, let lastDate) = keys[date],
                case .times(let firstTime, let lastTime) = keys[time]
            else { continue }
            (keys[date], keys[time]) = (nil, nil)
            keys.periods.append(
                SearchPeriod(
                    date: date, time: time, from: Self.moment(firstDate, firstTime), to: Self.moment(lastDate, lastTime)
                ))
        }
        return keys
    }

    private static let pairs: [(date: SearchKey, time: SearchKey)] = [
        (.studyDate, .studyTime), (.performedProcedureStepStartDate, .performedProcedureStepStartTime),
        (.scheduledStartDate, .scheduledStartTime),
    ]

    private static func moment(_ date: String?, _ time: String?) -> SearchPeriod.Moment? {
        guard let date, let time else { return nil }
        return SearchPeriod.Moment(date: date, time: time)
    }

    // MARK: One value

    /// Asks for an attribute without a value. PS3.4 §C.2.2.2.7.
    private static let empty = "\"\""

    private static func match(
        _ text: String, _ vr: VR, _ tag: Tag
    ) throws(QueryKeys.Problem) -> (KeyMatch, Form) {
        if text == empty { return (.empty, .single) }
        switch vr {
        case .UI:
            guard UID.isSafe(text) else { throw .badValue(tag) }
            return (.exact(text), .single)
        case .DA:
            let (from, to, form) = try ends(text, tag) { DICOMDate(text: $0) }
            return (.dates(from: from?.description, to: to?.description), form)
        case .TM:
            let (from, to, form) = try ends(text, tag) { DICOMTime(text: $0) }
            return (.times(from: from?.earliestText, to: to?.latestText), form)
        case .DS:
            guard let number = decimal(text) else { throw .badValue(tag) }
            return (.exact(number), .single)
        case .IS, .US, .UL, .SS, .SL:
            guard let number = Int(text.first == "+" ? String(text.dropFirst()) : text) else { throw .badValue(tag) }
            return (.exact("\(number)"), .single)
        case .PN: return (.name(text), .single)
        default:
            return (text.contains("*") || text.contains("?") ? .wildcard(text) : .exact(text), .single)
        }
    }

    /// A decimal string in the one form that equal numbers have, so `2.50` is `2.5` and `1e2` is `100`; nil for what is
    /// no number. PS3.5 §6.2 DS, PS3.4 §C.2.2.2.1.
    static func decimal(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
            let value = Double(text), value.isFinite
        else { return nil }
        return Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    /// Both ends of a single value, `a-b`, `a-` or `-b`. PS3.4 §C.2.2.2.5.
    private static func ends<Value>(
        _ text: String, _ tag: Tag, _ parse: (String) -> Value?
    ) throws(QueryKeys.Problem) -> (from: Value?, to: Value?, form: Form) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { String($0).trimmed }
        let values = parts.map { $0.isEmpty ? nil : parse($0) }
        for (part, value) in zip(parts, values) where !part.isEmpty && value == nil { throw .badValue(tag) }
        switch (parts.count, values.first ?? nil, values.last ?? nil) {
        case (1, let value?, _): return (value, value, .single)
        case (2, let from?, let to?): return (from, to, .closed)
        case (2, let from?, nil): return (from, nil, .from)
        case (2, nil, let to?): return (nil, to, .to)
        default: throw .badValue(tag)
        }
    }
}
