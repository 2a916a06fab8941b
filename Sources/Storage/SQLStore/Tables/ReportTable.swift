import Workflow

/// Reports.
struct ReportTable {
    let connection: any SQLConnection

    func report(_ id: EntityID) throws -> Report? {
        try connection.first("SELECT id, detail FROM reports WHERE id = ?", [.text(id.value)], Self.decode)
    }

    /// By placer or filler number.
    func reports(identifiedBy identifier: Identifier) throws -> [Report] {
        let key: [SQLValue] = [.text(identifier.value), .text(identifier.system)]
        return try connection.all(
            """
            SELECT id, detail FROM reports WHERE filler_value = ? AND filler_system = ?
            UNION ALL SELECT id, detail FROM reports WHERE placer_value = ? AND placer_system = ? LIMIT 100
            """, key + key, Self.decode)
    }

    func reports(of patientID: EntityID) throws -> [Report] {
        try connection.all(
            "SELECT id, detail FROM reports WHERE patient_id = ? ORDER BY ordinal, id LIMIT 10000",
            [.text(patientID.value)],
            Self.decode)
    }

    func reports(ofOrder orderID: EntityID) throws -> [Report] {
        try connection.all(
            "SELECT id, detail FROM reports WHERE order_id = ? ORDER BY ordinal, id LIMIT 1000", [.text(orderID.value)],
            Self.decode)
    }

    /// Of the patient's reports those alone are decoded in whose bytes the order's id stands, and those that are sealed.
    func reports(on order: ImagingOrder) throws -> [Report] {
        try connection.all(
            """
            SELECT id, detail FROM reports WHERE patient_id = ? AND (\(connection.dialect.contains("detail"))
            OR substr(detail, 1, 1) = ?) ORDER BY ordinal, id LIMIT 10000
            """, [.text(order.patientID.value), .bytes(Array(order.id.value.utf8)), .bytes([BodySeal.sealed])],
            Self.decode
        ).filter { $0.orderIDs.contains(order.id) }
    }

    func save(_ report: Report, ordinal: Int64) throws {
        try connection.run(
            """
            INSERT INTO reports (id, ordinal, patient_id, order_id, placer_system, placer_value, filler_system, filler_value,
            detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET patient_id = excluded.patient_id, order_id = excluded.order_id,
            placer_system = excluded.placer_system, placer_value = excluded.placer_value,
            filler_system = excluded.filler_system, filler_value = excluded.filler_value, detail = excluded.detail
            """,
            [
                .text(report.id.value), .int(ordinal), .text(report.patientID.value), SQLValue(report.orderID?.value),
                SQLValue(report.placer?.system), SQLValue(report.placer?.value), SQLValue(report.filler?.system),
                SQLValue(report.filler?.value), try DetailColumn.encode(report, .report, report.id.value),
            ])
    }

    func remove(_ id: EntityID) throws {
        try connection.run("DELETE FROM reports WHERE id = ?", [.text(id.value)])
    }

    private static func decode(_ row: SQLRow) throws -> Report {
        try DetailColumn.decode(Report.self, row, .report)
    }
}
