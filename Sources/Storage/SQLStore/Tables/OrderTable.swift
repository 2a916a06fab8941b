import Workflow

/// Orders and the worklist's index of their steps.
struct OrderTable {
    let connection: any SQLConnection
    /// The writer's; nil in a read.
    var memo: WriterMemo?
    /// Who does steps that name no station.
    var stations = WorklistStations()

    func order(_ id: EntityID) throws -> ImagingOrder? {
        if let known = memo?.find(ImagingOrder.self, id.value) { return known }
        return try connection.first("SELECT id, detail FROM orders WHERE id = ?", [.text(id.value)], decode)
    }

    func orders(identifiedBy identifier: Identifier, as role: OrderIdentifierRole) throws -> [ImagingOrder] {
        let column =
            switch role {
            case .placer: "placer"
            case .filler: "filler"
            case .accession: "accession"
            }
        return try connection.all(
            "SELECT id, detail FROM orders WHERE \(column)_value = ? AND \(column)_system = ? ORDER BY ordinal, id LIMIT 100",
            [.text(identifier.value), .text(identifier.system)], decode)
    }

    /// By the accession number, whoever gave it; at most 100.
    func orders(accessionNumber: String) throws -> [ImagingOrder] {
        try connection.all(
            "SELECT id, detail FROM orders WHERE accession_value = ? ORDER BY ordinal, id LIMIT 100",
            [.text(accessionNumber)], decode)
    }

    func orders(studyInstanceUID: String) throws -> [ImagingOrder] {
        try connection.all(
            "SELECT id, detail FROM orders WHERE study_uid = ? ORDER BY ordinal, id LIMIT 100",
            [.text(studyInstanceUID)],
            decode)
    }

    func orders(of patientID: EntityID) throws -> [ImagingOrder] {
        try connection.all(
            "SELECT id, detail FROM orders WHERE patient_id = ? ORDER BY ordinal, id LIMIT 10000",
            [.text(patientID.value)],
            decode)
    }

    func save(_ order: ImagingOrder, ordinal: Int64) throws {
        try connection.run(
            """
            INSERT INTO orders (id, ordinal, patient_id, placer_system, placer_value, filler_system, filler_value,
            accession_system, accession_value, study_uid, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET patient_id = excluded.patient_id, placer_system = excluded.placer_system,
            placer_value = excluded.placer_value, filler_system = excluded.filler_system,
            filler_value = excluded.filler_value, accession_system = excluded.accession_system,
            accession_value = excluded.accession_value, study_uid = excluded.study_uid, detail = excluded.detail
            """,
            [
                .text(order.id.value), .int(ordinal), .text(order.patientID.value), SQLValue(order.placer?.system),
                SQLValue(order.placer?.value), SQLValue(order.filler?.system), SQLValue(order.filler?.value),
                SQLValue(order.accession?.system), SQLValue(order.accession?.value), SQLValue(order.studyInstanceUID),
                try DetailColumn.encode(order, .order, order.id.value),
            ])
        memo?.remember(order, order.id.value)
        let known = try connection.all("SELECT id FROM steps WHERE order_id = ?", [.text(order.id.value)]) {
            try $0.text(0)
        }
        for id in known where !order.steps.contains(where: { $0.id.value == id }) {
            try connection.run("DELETE FROM steps WHERE id = ?", [.text(id)])
        }
        try saveSteps(of: order)
    }

    /// The worklist's rows of an order: a step that lacks what an entry must have waits, one that is off the worklist has
    /// none.
    func saveSteps(of order: ImagingOrder) throws {
        for step in order.steps {
            guard step.status.isOnWorklist else {
                try connection.run("DELETE FROM steps WHERE id = ?", [.text(step.id.value)])
                continue
            }
            let isComplete = order.partsMissing(of: step, stations: stations).isEmpty
            try connection.run(
                """
                INSERT INTO steps (id, order_id, step_id, is_on_worklist, is_waiting, station, modality, start_date,
                start_time, patient_id, accession, study_uid, rp_id, performer)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET step_id = excluded.step_id, is_on_worklist = excluded.is_on_worklist,
                is_waiting = excluded.is_waiting, station = excluded.station, modality = excluded.modality,
                start_date = excluded.start_date, start_time = excluded.start_time, patient_id = excluded.patient_id,
                accession = excluded.accession, study_uid = excluded.study_uid, rp_id = excluded.rp_id,
                performer = excluded.performer
                """,
                [
                    .text(step.id.value), .text(order.id.value), .text(step.worklistID),
                    SQLValue(isComplete), SQLValue(!isComplete),
                    SQLValue(step.stationAETitle), SQLValue(order.modality(of: step)),
                    SQLValue(KeyText.day(step.scheduledStart?.dateDigits)),
                    SQLValue(KeyText.time(step.scheduledStart?.timeDigits)), .text(order.patientID.value),
                    SQLValue(order.accession?.value), SQLValue(order.studyInstanceUID),
                    .text(order.worklistProcedureID(step)),
                    SQLValue(step.performingPhysician.map { FoldedName.fold(KeyText.name($0)) }),
                ])
        }
    }

    /// Looks again at the due steps that name no station, after the site's stations may have changed.
    func refreshSteps() throws {
        var last = ""
        while true {
            let orders = try connection.all(
                """
                SELECT o.id, o.detail FROM orders o WHERE o.id > ? AND o.id IN (
                SELECT order_id FROM steps WHERE station IS NULL AND is_on_worklist = 1
                UNION ALL SELECT order_id FROM steps WHERE station IS NULL AND is_waiting = 1) ORDER BY o.id LIMIT 500
                """, [.text(last)]
            ) { (id: try $0.text(0), order: try DetailColumn.decodeIfItOpens(ImagingOrder.self, $0, .order)) }
            // Steps of an order that does not open stay as they are: a server starts without it.
            for order in orders { if let order = order.order { try saveSteps(of: order) } }
            guard let end = orders.last?.id, orders.count == 500 else { return }
            last = end
        }
    }

    func removeOrder(_ id: EntityID) throws {
        memo?.forget(ImagingOrder.self, id.value)
        memo?.forget(OrderEvents.self, id.value)
        try connection.run("DELETE FROM order_events WHERE order_id = ?", [.text(id.value)])
        try connection.run("DELETE FROM steps WHERE order_id = ?", [.text(id.value)])
        try connection.run("DELETE FROM orders WHERE id = ?", [.text(id.value)])
    }

    // MARK: Events

    /// The events of one order, under a type of their own for the memo.
    private struct OrderEvents: Codable, Sendable {
        var events: [OrderEvent]
    }

    func events(of id: EntityID) throws -> [OrderEvent] {
        if let known = memo?.find(OrderEvents.self, id.value) { return known.events }
        return try connection.first("SELECT order_id, detail FROM order_events WHERE order_id = ?", [.text(id.value)]) {
            try DetailColumn.value(OrderEvents.self, $0, .orderEvents, memo)
        }?.events ?? []
    }

    func save(_ events: [OrderEvent], of id: EntityID) throws {
        let kept = OrderEvents(events: events)
        try connection.run(
            """
            INSERT INTO order_events (order_id, detail) VALUES (?, ?)
            ON CONFLICT (order_id) DO UPDATE SET detail = excluded.detail
            """, [.text(id.value), try DetailColumn.encode(kept, .orderEvents, id.value)])
        memo?.remember(kept, id.value)
    }

    private func decode(_ row: SQLRow) throws -> ImagingOrder {
        try DetailColumn.value(ImagingOrder.self, row, .order, memo)
    }
}
