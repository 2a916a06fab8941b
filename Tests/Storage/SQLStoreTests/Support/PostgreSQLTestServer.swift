import Foundation
import Synchronization

@testable import SQLStore

/// The PostgreSQL server of a test run: started by the first test that needs it, on a temporary directory and a unix
/// socket in it, stopped with the process (also when that is killed, by the parent-death signal).
///
/// `HILUM_TEST_POSTGRES` may hold a connection string of a server that is there already, or `off`.
enum PostgreSQLTestServer {
    /// The connection string of a superuser's session, or nil when there is no server to test with.
    static let connectionString: String? = {
        let setting = ProcessInfo.processInfo.environment["HILUM_TEST_POSTGRES"] ?? ""
        if setting == "off" {
            print("NOTE: HILUM_TEST_POSTGRES=off, so the storage tests run on SQLite only")
            return nil
        }
        if !setting.isEmpty { return setting }
        do { return try start() } catch {
            print("NOTE: no PostgreSQL server could be started (\(error)); the storage tests run on SQLite only")
            return nil
        }
    }()

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let processID = Mutex<pid_t>(0)
    private static let ended = DispatchSemaphore(value: 0)
    private static let folder = Mutex<String>("")

    private static func start() throws -> String {
        let binaries = try binariesFolder()
        var template = Array("/tmp/hilum-pg-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure(description: "mkdtemp: errno \(errno)") }
        let home = String(cString: made)
        folder.withLock { $0 = home }
        var runAs = ["/usr/bin/setpriv", "--pdeathsig", "INT"]
        if geteuid() == 0 {
            guard let user = getpwnam("postgres") ?? getpwnam("nobody") else {
                throw Failure(description: "no unprivileged user")
            }
            guard chown(home, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
                throw Failure(description: "chown: errno \(errno)")
            }
            runAs += ["--reuid", "\(user.pointee.pw_uid)", "--regid", "\(user.pointee.pw_gid)", "--clear-groups"]
        }
        atexit { PostgreSQLTestServer.stop() }
        let data = home + "/data"
        let log = home + "/log"
        let made2 = spawnAndWait(
            runAs + ["\(binaries)/initdb", "-D", data, "-A", "trust", "-U", "hilum", "-N", "-E", "UTF8", "--locale=C"],
            log: log)
        guard made2 == 0 else { throw Failure(description: "initdb ended with \(made2), see \(log)") }
        let server =
            runAs + [
                "\(binaries)/postgres", "-D", data, "-k", home, "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                "max_connections=300", "-c", "shared_buffers=32MB", "-c", "full_page_writes=off",
            ]
        // The parent-death signal follows the thread that spawned, so that thread stays until the server ends.
        Thread.detachNewThread {
            let child = spawn(server, log: log)
            processID.withLock { $0 = child }
            var status: Int32 = 0
            if child > 0 { waitpid(child, &status, 0) }
            processID.withLock { $0 = -1 }
            ended.signal()
        }
        let string = "host=\(home) user=hilum dbname=postgres"
        for _ in 0..<600 {
            if (try? PostgreSQLConnection(connectionString: string, role: .reader)) != nil { return string }
            if processID.withLock({ $0 }) < 0 { throw Failure(description: "postgres ended, see \(log)") }
            poll(nil, 0, 50)
        }
        throw Failure(description: "postgres did not answer within 30 s, see \(log)")
    }

    private static func stop() {
        let child = processID.withLock { $0 }
        if child > 0 {
            kill(child, SIGINT)
            _ = ended.wait(timeout: .now() + 10)
        }
        let home = folder.withLock { $0 }
        if !home.isEmpty { try? FileManager.default.removeItem(atPath: home) }
    }

    private static func binariesFolder() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newestFirst = versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        for version in newestFirst where FileManager.default.isExecutableFile(atPath: "\(root)/\(version)/bin/initdb") {
            return "\(root)/\(version)/bin"
        }
        throw Failure(description: "no initdb under \(root)")
    }

    private static func spawn(_ arguments: [String], log: String) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, arguments[0], &actions, nil, &pointers, environ)
        return code == 0 ? child : -1
    }

    private static func spawnAndWait(_ arguments: [String], log: String) -> Int32 {
        let child = spawn(arguments, log: log)
        if child <= 0 { return -1 }
        var status: Int32 = 0
        waitpid(child, &status, 0)
        return status
    }
}
