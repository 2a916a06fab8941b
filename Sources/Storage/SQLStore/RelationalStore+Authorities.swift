import Access
import Workflow

/// Gives records that were kept under the system of an unknown authority the system that the site has configured since.
extension RelationalStore {
    /// What one mapping did. A mapping that was broken off goes on where it is asked for again.
    package struct MappingResult: Sendable, Hashable, Codable {
        package var from: String
        package var to: String
        package var patients = 0
        package var visits = 0
        package var orders = 0
        package var reports = 0
        package var series = 0
        /// Records left as they are, each with the one that it contradicts.
        package var contradictions: [String] = []
    }

    /// Records looked at in one unit of work.
    private static let batch = 200

    /// - Parameters:
    ///   - isDryRun: nothing is changed.
    ///   - progress: told of the records that were looked at.
    package func map(
        _ mapping: AuthorityMapping, isDryRun: Bool, access: AccessContext, progress: (Int) -> Void = { _ in }
    ) async throws -> MappingResult {
        var result = MappingResult(from: mapping.from, to: mapping.to)
        var seen = 0
        for place in MappedPlace.allCases {
            var last = ""
            while true {
                let after = last
                let step: MappingStep
                do {
                    step = try await writeUnit(access) { unit in
                        let step = try AuthorityMapper(unit: unit, mapping: mapping).step(
                            place, after: after, limit: Self.batch)
                        // The same work with the same findings, undone.
                        if isDryRun { throw DryRun(step: step) }
                        return step
                    }
                } catch let dry as DryRun {
                    step = dry.step
                }
                result.add(step, place)
                seen += step.looked
                progress(seen)
                guard let end = step.last, step.looked == Self.batch else { break }
                last = end
            }
        }
        let (done, isClean) = (result, result.contradictions.isEmpty)
        if !isDryRun {
            try await writeUnit(access) { unit in
                try MessageTable(connection: unit.connection).mapAwaited(mapping.from, to: mapping.to)
                if isClean { try AuthorityTable(connection: unit.connection).remove(mapping.from) }
                try unit.audit(
                    AuditRecord(
                        category: .application, interaction: "authority-map", action: .update, outcome: .success,
                        access: access, entity: mapping.from,
                        detail: "to \(mapping.to): \(done.patients) patients, \(done.orders) orders, "
                            + "\(done.contradictions.count) contradictions"))
            }
        }
        return result
    }

    private struct DryRun: Error { let step: MappingStep }
}

/// The tables that hold identifiers, in the order in which they are mapped: people before what is theirs.
enum MappedPlace: CaseIterable, Sendable {
    case patients, visits, orders, reports, studies, rejected, rejectedInstances
}

/// What a batch did.
struct MappingStep: Sendable {
    var looked = 0
    var mapped = 0
    var last: String?
    var contradictions: [AuthorityMapping.Contradiction] = []
}

extension RelationalStore.MappingResult {
    fileprivate mutating func add(_ step: MappingStep, _ place: MappedPlace) {
        switch place {
        case .patients: patients += step.mapped
        case .visits: visits += step.mapped
        case .orders: orders += step.mapped
        case .reports: reports += step.mapped
        case .studies, .rejected: series += step.mapped
        case .rejectedInstances: break
        }
        contradictions += step.contradictions.map { found in
            found.other.map { "\(found.record) and \($0) have one number of \(to)" }
                ?? "\(found.record) has two record numbers of \(to)"
        }
    }
}

/// Maps the records of one batch.
private struct AuthorityMapper {
    let unit: SQLUnitOfWork
    let mapping: AuthorityMapping
    private let old: [UInt8]
    private let new: [UInt8]

    init(unit: SQLUnitOfWork, mapping: AuthorityMapping) throws {
        self.unit = unit
        self.mapping = mapping
        (old, new) = (try DetailEncoder.encode(mapping.from), try DetailEncoder.encode(mapping.to))
    }

    func step(_ place: MappedPlace, after: String, limit: Int) throws -> MappingStep {
        switch place {
        case .patients:
            try each(Patient.self, .patient, after, limit) { patient, step in
                var mapped = patient
                mapped.identifiers = Self.unique(patient.identifiers)
                if let found = try AuthorityService().contradiction(of: mapped, mapping, in: unit) {
                    return step.contradictions.append(found)
                }
                try unit.save(mapped)
                unit.emit(.patientChanged(mapped.id))
                step.mapped += 1
            }
        case .visits:
            try each(Visit.self, .visit, after, limit) { visit, step in
                if let found = try AuthorityService().contradiction(of: visit, mapping, in: unit) {
                    return step.contradictions.append(found)
                }
                try unit.save(visit)
                unit.emit(.visitChanged(visit.id))
                step.mapped += 1
            }
        case .orders:
            try each(ImagingOrder.self, .order, after, limit) { order, step in
                if let found = try AuthorityService().contradiction(of: order, mapping, in: unit) {
                    return step.contradictions.append(found)
                }
                let events = try unit.events(ofOrder: order.id)
                if let mapped = try mapped(events) { try unit.save(mapped, ofOrder: order.id) }
                try unit.save(order)
                unit.emit(.orderChanged(order.id))
                step.mapped += 1
            }
        case .reports:
            try each(Report.self, .report, after, limit) { report, step in
                if let found = try AuthorityService().contradiction(of: report, mapping, in: unit) {
                    return step.contradictions.append(found)
                }
                try unit.save(report)
                unit.emit(.reportChanged(report.id))
                step.mapped += 1
            }
        case .studies: try studies(after, limit)
        case .rejected: try rejected(after, limit)
        case .rejectedInstances: try rejectedInstances(after, limit)
        }
    }

    /// Studies with their series: what they named is looked for again under the new system.
    private func studies(_ after: String, _ limit: Int) throws -> MappingStep {
        let rows = try unit.connection.all(
            "SELECT uid, detail FROM studies WHERE uid > ? ORDER BY uid LIMIT ?", [.text(after), .int(Int64(limit))]
        ) { (uid: try $0.text(0), detail: try $0.opened(1, .study, try $0.text(0))) }
        var step = MappingStep(looked: rows.count, last: rows.last?.uid)
        for row in rows {
            var isChanged = false
            if let study = try mapped(Study.self, row.detail) {
                try unit.save(study)
                isChanged = true
            }
            for series in try unit.series(in: row.uid) {
                guard let mapped = try mapped(series) else { continue }
                try unit.save(mapped)
                step.mapped += 1
                isChanged = true
            }
            if isChanged { try AuthorityService().lookAgain(row.uid, in: unit) }
        }
        return step
    }

    private func rejected(_ after: String, _ limit: Int) throws -> MappingStep {
        let uids = after.split(separator: "/", maxSplits: 1).map(String.init) + ["", ""]
        let rows = try unit.connection.all(
            """
            SELECT study_uid, series_uid, detail FROM rejected_series WHERE (study_uid, series_uid) > (?, ?)
            ORDER BY study_uid, series_uid LIMIT ?
            """, [.text(uids[0]), .text(uids[1]), .int(Int64(limit))]
        ) { row in
            let (study, series) = (try row.text(0), try row.text(1))
            let detail = try row.opened(2, .rejectedSeries, StudyTable.seriesKey(series, study))
            return (key: study + "/" + series, detail: detail)
        }
        var step = MappingStep(looked: rows.count, last: rows.last?.key)
        for row in rows {
            guard let kept = try mapped(RejectedSeries.self, row.detail) else { continue }
            // No instance more: what is kept of the series is replaced.
            try unit.reject([], of: kept)
            step.mapped += 1
        }
        return step
    }

    /// What was decided of single rejected instances, with whom they name.
    private func rejectedInstances(_ after: String, _ limit: Int) throws -> MappingStep {
        let rows = try unit.connection.all(
            "SELECT sop_uid, detail FROM rejected_decisions WHERE sop_uid > ? ORDER BY sop_uid LIMIT ?",
            [.text(after), .int(Int64(limit))]
        ) { (sop: try $0.text(0), detail: try $0.opened(1, .rejectedDecision, try $0.text(0))) }
        var step = MappingStep(looked: rows.count, last: rows.last?.sop)
        for row in rows {
            guard let kept = try mapped(RejectedSeries.RejectedInstance.self, row.detail) else { continue }
            try unit.connection.run(
                "UPDATE rejected_decisions SET detail = ? WHERE sop_uid = ?",
                [try DetailColumn.encode(kept, .rejectedDecision, row.sop), .text(row.sop)])
            step.mapped += 1
        }
        return step
    }

    /// Hands on each value of a batch that names the authority, with the new system in place of the old one.
    private func each<Value: Codable>(
        _ type: Value.Type, _ column: SealedColumn, _ after: String, _ limit: Int,
        _ body: (Value, inout MappingStep) throws -> Void
    ) throws -> MappingStep {
        let rows = try unit.connection.all(
            """
            SELECT \(column.identity), detail FROM \(column.table) WHERE \(column.identity) > ? \
            ORDER BY \(column.identity) LIMIT ?
            """, [.text(after), .int(Int64(limit))]
        ) { (key: try $0.text(0), detail: try $0.opened(1, column, try $0.text(0))) }
        var step = MappingStep(looked: rows.count, last: rows.last?.key)
        for row in rows {
            if let value = try mapped(type, row.detail) { try body(value, &step) }
        }
        return step
    }

    // MARK: Values

    private func mapped<Value: Codable>(_ value: Value) throws -> Value? {
        try mapped(Value.self, try DetailEncoder.encode(value))
    }

    /// The value with the new system wherever the old one is a text of its own; nil where it is not.
    private func mapped<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value? {
        var out: [UInt8] = []
        var rest = bytes[...]
        var isFound = false
        while let start = rest.firstRange(of: old) {
            out += rest[..<start.lowerBound]
            out += new
            rest = rest[start.upperBound...]
            isFound = true
        }
        return isFound ? try DetailColumn.decode(type, out + rest) : nil
    }

    /// Identifiers that have become one are one, current where either was.
    private static func unique(_ identifiers: [Identifier]) -> [Identifier] {
        var unique: [Identifier] = []
        for identifier in identifiers {
            guard let index = unique.firstIndex(where: { $0.matches(identifier) }) else {
                unique.append(identifier)
                continue
            }
            unique[index].isCurrent = unique[index].isCurrent || identifier.isCurrent
            unique[index].kind = unique[index].kind ?? identifier.kind
        }
        return unique
    }
}
