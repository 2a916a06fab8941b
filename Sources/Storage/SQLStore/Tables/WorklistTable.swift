import Workflow

/// The worklist: steps that modalities are shown, with their orders, patients and visits. PS3.4 §K.
struct WorklistTable {
    let connection: any SQLConnection
    /// Who does steps that name no station.
    var stations = WorklistStations()
    var sight = ImagingSight.whole

    /// The first entries, earliest start first.
    func entries(_ query: WorklistQuery) throws -> [WorklistEntry] {
        let compiler = SearchKeyCompiler(
            query.keys, of: .worklist, dialect: connection.dialect, stations: stations, sight: sight)
        let plan = try SearchPlan(compiler, connection)
        let statement = Self.statement(plan.page, limit: query.limit)
        let rows = try connection.all(
            """
            SELECT w.id, o.id, o.detail, p.id, p.detail FROM (\(statement.text)) w JOIN orders o ON o.id = w.order_id
            JOIN patients p ON p.id = w.patient_id ORDER BY w.start_date, w.start_time, w.id
            """, statement.values
        ) { row -> WorklistEntry? in
            let order = try DetailColumn.decode(ImagingOrder.self, row, .order, at: 1)
            let id = EntityID(try row.text(0))
            guard let step = order.steps.first(where: { $0.id == id }) else { return nil }
            return WorklistEntry(
                patient: try DetailColumn.decode(Patient.self, row, .patient, at: 3), visit: nil, order: order,
                step: step,
                stationAETitles: stations.titles(of: step, modality: order.modality(of: step)))
        }
        var visits = OrderVisits(connection: connection)
        return try rows.compactMap { $0 }.map { entry in
            var entry = entry
            entry.visit = try visits.visit(of: entry.order)
            return entry
        }
    }

    static func statement(_ condition: SQLCondition, limit: Int) -> SQLCondition {
        SQLCondition(
            """
            SELECT s.id, s.order_id, s.patient_id, s.start_date, s.start_time FROM steps s
            WHERE s.is_on_worklist = 1 AND (\(condition.text)) ORDER BY s.start_date, s.start_time, s.id LIMIT ?
            """, condition.values + [.int(Int64(limit))])
    }

    /// Steps that are due and lack what an entry must have.
    func waiting(limit: Int) throws -> [WaitingStep] {
        var condition = SQLCondition("s.is_waiting = 1")
        if let seen = sight.root("s", connection.dialect) { condition.add(seen) }
        return try connection.all(
            """
            SELECT s.id, o.id, o.detail FROM steps s JOIN orders o ON o.id = s.order_id WHERE \(condition.text)
            ORDER BY s.start_date NULLS LAST, s.start_time NULLS LAST, s.id LIMIT ?
            """, condition.values + [.int(Int64(limit))]
        ) { row -> WaitingStep? in
            let order = try DetailColumn.decode(ImagingOrder.self, row, .order, at: 1)
            let id = EntityID(try row.text(0))
            guard let step = order.steps.first(where: { $0.id == id }) else { return nil }
            return WaitingStep(order: order, step: step, missing: order.partsMissing(of: step, stations: stations))
        }.compactMap { $0 }
    }
}

/// The visits of the orders of one worklist: of each visit and patient looked up once.
private struct OrderVisits {
    let connection: any SQLConnection
    private var named: [EntityID: Visit?] = [:]
    private var open: [EntityID: Visit?] = [:]

    init(connection: any SQLConnection) { self.connection = connection }

    /// The order's own visit: the one it names, else what it says of one that it does not number. Of an order that says
    /// nothing of any, the one visit that the patient has and that has not ended; of several none, for it may be another.
    mutating func visit(of order: ImagingOrder) throws -> Visit? {
        if let id = order.visitID {
            if let known = named[id] { return known }
            let visit = try visits("SELECT id, detail FROM visits WHERE id = ?", id).first
            named[id] = .some(visit)
            return visit
        }
        if order.visitNumber != nil || order.toldVisit != nil { return order.toldVisit }
        if let known = open[order.patientID] { return known }
        let found = try visits(
            "SELECT id, detail FROM visits WHERE patient_id = ? AND is_open = 1 ORDER BY ordinal DESC LIMIT 2",
            order.patientID)
        let visit = found.count == 1 ? found[0] : nil
        open[order.patientID] = .some(visit)
        return visit
    }

    private func visits(_ statement: String, _ id: EntityID) throws -> [Visit] {
        try connection.all(statement, [.text(id.value)]) { try DetailColumn.decode(Visit.self, $0, .visit) }
    }
}
