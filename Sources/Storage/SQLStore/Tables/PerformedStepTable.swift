import Workflow

/// Performed procedure steps by their SOP Instance UID.
struct PerformedStepTable {
    let connection: any SQLConnection

    func step(_ uid: String) throws -> PerformedProcedureStep? {
        try connection.first("SELECT uid, detail, data_set FROM performed_steps WHERE uid = ?", [.text(uid)]) { row in
            var step = try DetailColumn.decode(PerformedProcedureStep.self, row, .performedStep)
            step.dataSet = try row.opened(2, .performedStepDataSet, try row.text(0))
            return step
        }
    }

    func save(_ step: PerformedProcedureStep) throws {
        try connection.run(
            """
            INSERT INTO performed_steps (uid, status, updated_at, detail, data_set) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (uid) DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at,
            detail = excluded.detail, data_set = excluded.data_set
            """,
            [
                .text(step.sopInstanceUID), .text(step.status.rawValue), .int(step.updatedAt.microseconds),
                try DetailColumn.encode(step, .performedStep, step.sopInstanceUID),
                .sealable(.performedStepDataSet, step.sopInstanceUID, step.dataSet),
            ])
    }
}

extension SQLUnitOfWork: PerformedStepUnit {
    func performedStep(_ sopInstanceUID: String) throws -> PerformedProcedureStep? {
        try PerformedStepTable(connection: connection).step(sopInstanceUID)
    }

    func save(_ step: PerformedProcedureStep) throws {
        _ = try writing()
        try PerformedStepTable(connection: connection).save(step)
    }
}
