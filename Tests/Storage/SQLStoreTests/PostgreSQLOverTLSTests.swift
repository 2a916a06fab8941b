import Foundation
import Testing

@testable import SQLStore

@Suite("PostgreSQL over TLS", .enabled(if: TestDatabases.all.contains(.postgreSQL)))
struct PostgreSQLOverTLSTests {
    private static let session = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"

    private static func open(_ connectionString: String) async throws -> SQLDatabase {
        try await SQLDatabase(
            .unhurried(.postgreSQL(connectionString: connectionString)),
            migrations: WriterTests.migrations)
    }

    @Test("the server's certificate is verified; writer and readers speak TLS, also after a lost connection")
    func verified() async throws {
        try await PostgreSQLProcess.withTLS { server in
            let verified = server.connectionString + " sslmode=verify-full sslrootcert=" + server.certificatePath
            let database = try await Self.open(verified)
            for id in 1...2 {
                #expect(try await WriterTests.insert(id, database).sequence == Int64(id))
                let writer = try await database.write { try $0.connection.first(Self.session) { try $0.text(0) } }
                let reader = try await database.read { try $0.first(Self.session) { try $0.text(0) } }
                #expect(writer == "TLSv1.3")
                #expect(reader == "TLSv1.3")
                guard id == 1 else { break }
                let admin = try PostgreSQLConnection(connectionString: verified, role: .reader)
                try admin.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
                    AND backend_type = 'client backend'
                    """)
            }
            await database.close()

            // A certificate that nobody we trust vouches for, or that is for another host; and no TLS at all.
            for string in [
                server.connectionString + " sslmode=verify-full sslrootcert=" + server.otherCertificatePath,
                verified.replacingOccurrences(of: "host=127.0.0.1", with: "host=localhost hostaddr=127.0.0.1"),
                server.connectionString + " sslmode=disable",
            ] {
                await #expect(throws: SQLStoreError(.unavailable, ""), "\(string)") { try await Self.open(string) }
            }
        }
    }
}
