import Access

/// Launches that wait for their application.
struct LaunchTable {
    let connection: any SQLConnection

    /// Forgets those that have expired.
    func save(_ launch: PreparedLaunch, at time: Int64) throws {
        try connection.run("DELETE FROM prepared_launches WHERE expires < ?", [.int(time)])
        try connection.run(
            """
            INSERT INTO prepared_launches (digest, client_id, fhir_user, prepared_by, expires, context)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                .bytes(launch.digest), .text(launch.clientID), SQLValue(launch.fhirUser), .text(launch.preparedBy),
                .int(launch.expires), try DetailColumn.encode(launch.context),
            ])
    }

    func launch(_ digest: [UInt8], at time: Int64) throws -> PreparedLaunch? {
        try connection.first(
            """
            SELECT client_id, fhir_user, prepared_by, expires, context FROM prepared_launches
            WHERE digest = ? AND expires > ?
            """, [.bytes(digest), .int(time)]
        ) { row in
            PreparedLaunch(
                digest: digest, clientID: try row.text(0), fhirUser: try row.optionalText(1),
                context: try DetailColumn.decode(LaunchContext.self, try row.bytes(4)), preparedBy: try row.text(2),
                expires: try row.int(3))
        }
    }

    /// False where there is none that could be used.
    func use(_ digest: [UInt8], at time: Int64) throws -> Bool {
        try connection.run(
            "DELETE FROM prepared_launches WHERE digest = ? AND expires > ?", [.bytes(digest), .int(time)]) > 0
    }
}
