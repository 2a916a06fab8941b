import Workflow

/// Workitems by their UID, and who is told of them.
struct WorkitemTable {
    let connection: any SQLConnection

    // MARK: Workitems

    func workitem(_ uid: String) throws -> Workitem? {
        try connection.first("SELECT uid, detail, data_set FROM workitems WHERE uid = ?", [.text(uid)], Self.read)
    }

    /// Those selected behind a place, in their order.
    func workitems(_ selection: WorkitemSelection, after place: WorkitemPlace?, limit: Int) throws -> [Workitem] {
        var condition = SQLCondition("1 = 1")
        let dialect = connection.dialect
        if let uids = selection.sopInstanceUIDs { condition.add(dialect.isInTexts("uid"), .texts(uids)) }
        if let states = selection.states {
            // One is found in its order by the index.
            if states.count == 1 {
                condition.add("state = ?", .text(states[0].rawValue))
            } else {
                condition.add(dialect.isInTexts("state"), .texts(states.map(\.rawValue)))
            }
        }
        if let label = selection.worklistLabel { condition.add("worklist_label = ?", .text(label)) }
        if let id = selection.patientID { condition.add("patient_id = ?", .text(id)) }
        if let start = selection.scheduledStart {
            condition.add("scheduled_start BETWEEN ? AND ?", .int(start.lowerBound), .int(start.upperBound))
        }
        if let place {
            condition.add(
                "(scheduled_start, uid) > (?, ?)", .int(place.scheduledStart.microseconds), .text(place.sopInstanceUID))
        }
        return try connection.all(
            "SELECT uid, detail, data_set FROM workitems WHERE \(condition.text) ORDER BY scheduled_start, uid LIMIT ?",
            condition.values + [.int(Int64(limit))], Self.read)
    }

    private static func read(_ row: SQLRow) throws -> Workitem {
        var workitem = try DetailColumn.decode(Workitem.self, row, .workitem)
        workitem.dataSet = try row.opened(2, .workitemDataSet, try row.text(0))
        return workitem
    }

    func save(_ workitem: Workitem) throws {
        try connection.run(
            """
            INSERT INTO workitems (uid, state, worklist_label, patient_id, scheduled_start, updated_at, detail, data_set)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (uid) DO UPDATE SET state = excluded.state, worklist_label = excluded.worklist_label,
            patient_id = excluded.patient_id, scheduled_start = excluded.scheduled_start,
            updated_at = excluded.updated_at, detail = excluded.detail, data_set = excluded.data_set
            """,
            [
                .text(workitem.sopInstanceUID), .text(workitem.state.rawValue), SQLValue(workitem.worklistLabel),
                SQLValue(workitem.patientID), .int(workitem.scheduledStart.microseconds),
                .int(workitem.updatedAt.microseconds),
                try DetailColumn.encode(workitem, .workitem, workitem.sopInstanceUID),
                .sealable(.workitemDataSet, workitem.sopInstanceUID, workitem.dataSet),
            ])
    }

    /// Removes those that ended before a time and that no subscriber has a lock on, the oldest first; how many.
    func removeEnded(before time: UTCInstant, _ limit: Int) throws -> Int {
        let uids = try connection.all(
            """
            SELECT w.uid FROM workitems w WHERE w.state IN ('COMPLETED', 'CANCELED') AND w.updated_at < ?
            AND NOT EXISTS (SELECT 1 FROM workitem_subscriptions s WHERE s.uid = w.uid AND s.has_lock = 1)
            ORDER BY w.updated_at, w.uid LIMIT ?
            """, [.int(time.microseconds), .int(Int64(limit))]
        ) { try $0.text(0) }
        if uids.isEmpty { return 0 }
        let these = connection.dialect.isInTexts("uid")
        try connection.run("DELETE FROM workitem_subscriptions WHERE \(these)", [.texts(uids)])
        return try connection.run("DELETE FROM workitems WHERE \(these)", [.texts(uids)])
    }

    // MARK: Subscriptions

    func subscribers(of uid: String) throws -> [WorkitemSubscriber] {
        try connection.all(
            "SELECT receiver, has_lock FROM workitem_subscriptions WHERE uid = ? ORDER BY receiver", [.text(uid)]
        ) { row in
            WorkitemSubscriber(
                receiver: try row.text(0), state: WorkitemSubscription(hasLock: try row.int(1) == 1))
        }
    }

    func save(_ subscriber: WorkitemSubscriber, of uid: String) throws {
        guard subscriber.state != .none else {
            try connection.run(
                "DELETE FROM workitem_subscriptions WHERE uid = ? AND receiver = ?",
                [.text(uid), .text(subscriber.receiver)])
            return
        }
        try connection.run(
            """
            INSERT INTO workitem_subscriptions (uid, receiver, has_lock) VALUES (?, ?, ?)
            ON CONFLICT (uid, receiver) DO UPDATE SET has_lock = excluded.has_lock
            """, [.text(uid), .text(subscriber.receiver), SQLValue(subscriber.state == .withLock)])
    }

    func removeSubscriptions(of receiver: String) throws {
        for table in ["workitem_subscriptions", "worklist_subscriptions"] {
            try connection.run("DELETE FROM \(table) WHERE receiver = ?", [.text(receiver)])
        }
    }

    func worklistSubscriptions() throws -> [WorklistSubscription] {
        try connection.all(
            "SELECT receiver, has_lock, filter FROM worklist_subscriptions ORDER BY receiver, is_filtered", []
        ) { row in
            let receiver = try row.text(0)
            return WorklistSubscription(
                receiver: receiver, hasLock: try row.int(1) == 1,
                filter: row.isNull(2) ? nil : try row.opened(2, .worklistFilter, "1/\(receiver)"))
        }
    }

    func save(_ subscription: WorklistSubscription) throws {
        try connection.run(
            """
            INSERT INTO worklist_subscriptions (receiver, is_filtered, has_lock, filter) VALUES (?, ?, ?, ?)
            ON CONFLICT (receiver, is_filtered) DO UPDATE SET has_lock = excluded.has_lock, filter = excluded.filter
            """,
            [
                .text(subscription.receiver), SQLValue(subscription.filter != nil), SQLValue(subscription.hasLock),
                subscription.filter.map { .sealable(.worklistFilter, "1/\(subscription.receiver)", $0) } ?? .null,
            ])
    }

    func removeWorklistSubscription(of receiver: String, isFiltered: Bool) throws {
        try connection.run(
            "DELETE FROM worklist_subscriptions WHERE receiver = ? AND is_filtered = ?",
            [.text(receiver), SQLValue(isFiltered)])
    }

    func subscribedReceivers() throws -> [String] {
        try connection.all(
            """
            SELECT receiver FROM workitem_subscriptions UNION SELECT receiver FROM worklist_subscriptions
            ORDER BY receiver
            """, []
        ) { try $0.text(0) }
    }

    /// Forgets those of the client that are told of nothing any more.
    func note(_ receiver: String, of client: String) throws {
        try connection.run(
            """
            DELETE FROM workitem_receivers WHERE client = ?
            AND NOT EXISTS (SELECT 1 FROM workitem_subscriptions s WHERE s.receiver = workitem_receivers.receiver)
            AND NOT EXISTS (SELECT 1 FROM worklist_subscriptions w WHERE w.receiver = workitem_receivers.receiver)
            """, [.text(client)])
        try connection.run(
            """
            INSERT INTO workitem_receivers (receiver, client) VALUES (?, ?)
            ON CONFLICT (receiver) DO UPDATE SET client = excluded.client
            """, [.text(receiver), .text(client)])
    }

    func isSubscribed(_ receiver: String) throws -> Bool {
        for table in ["worklist_subscriptions", "workitem_subscriptions"] {
            let found = try connection.first(
                "SELECT receiver FROM \(table) WHERE receiver = ? LIMIT 1", [.text(receiver)]
            ) { try $0.text(0) }
            if found != nil { return true }
        }
        return false
    }

    func receivers(of client: String?) throws -> Int {
        var condition = SQLCondition(
            """
            (EXISTS (SELECT 1 FROM workitem_subscriptions s WHERE s.receiver = r.receiver)
            OR EXISTS (SELECT 1 FROM worklist_subscriptions w WHERE w.receiver = r.receiver))
            """)
        if let client { condition.add("r.client = ?", .text(client)) }
        return Int(
            try connection.first(
                "SELECT COUNT(*) FROM workitem_receivers r WHERE \(condition.text)", condition.values
            ) { try $0.int(0) } ?? 0)
    }
}

extension SQLUnitOfWork: WorkitemUnit {
    private var workitemTable: WorkitemTable { WorkitemTable(connection: connection) }

    func workitem(_ sopInstanceUID: String) throws -> Workitem? { try workitemTable.workitem(sopInstanceUID) }
    func workitems(_ selection: WorkitemSelection, after place: WorkitemPlace?, limit: Int) throws -> [Workitem] {
        try workitemTable.workitems(selection, after: place, limit: limit)
    }
    func save(_ workitem: Workitem) throws {
        _ = try writing()
        try workitemTable.save(workitem)
    }
    func subscribers(of sopInstanceUID: String) throws -> [WorkitemSubscriber] {
        try workitemTable.subscribers(of: sopInstanceUID)
    }
    func save(_ subscriber: WorkitemSubscriber, of sopInstanceUID: String) throws {
        _ = try writing()
        try workitemTable.save(subscriber, of: sopInstanceUID)
    }
    func removeSubscriptions(of receiver: String) throws {
        _ = try writing()
        try workitemTable.removeSubscriptions(of: receiver)
    }
    func worklistSubscriptions() throws -> [WorklistSubscription] { try workitemTable.worklistSubscriptions() }
    func save(_ subscription: WorklistSubscription) throws {
        _ = try writing()
        try workitemTable.save(subscription)
    }
    func removeWorklistSubscription(of receiver: String, isFiltered: Bool) throws {
        _ = try writing()
        try workitemTable.removeWorklistSubscription(of: receiver, isFiltered: isFiltered)
    }
    func subscribedReceivers() throws -> [String] { try workitemTable.subscribedReceivers() }
    func note(_ receiver: String, of client: String) throws {
        _ = try writing()
        try workitemTable.note(receiver, of: client)
    }
    func isSubscribed(_ receiver: String) throws -> Bool { try workitemTable.isSubscribed(receiver) }
    func receivers(of client: String?) throws -> Int { try workitemTable.receivers(of: client) }
}
