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
        if !setting.isEmpty { return setting + " connect_timeout=120" }
        do { return try start() } catch {
            print("NOTE: no PostgreSQL server could be started (\(error)); the storage tests run on SQLite only")
            return nil
        }
    }()

    private static let shared = Mutex<PostgreSQLProcess?>(nil)

    private static func start() throws -> String {
        let server = try PostgreSQLProcess()
        shared.withLock { $0 = server }
        atexit { PostgreSQLTestServer.shared.withLock { $0 }?.stop() }
        return server.connectionString
    }
}

/// A PostgreSQL server with a cluster of its own in a temporary folder, on a unix socket in it; with TLS instead, and
/// only with it, on a free port of 127.0.0.1, under the certificate `certificatePath`.
final class PostgreSQLProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The connection string of a superuser's session; for TLS without `sslmode` and `sslrootcert`.
    let connectionString: String
    /// Self-signed, for 127.0.0.1; there with TLS only.
    var certificatePath: String { home + "/server.crt" }
    /// As the server's, of another key.
    var otherCertificatePath: String { home + "/other.crt" }

    private let home: String
    /// Keeps the port for the server; nil where it has none.
    private let portHolder: Mutex<CInt?>
    private let processID = Mutex<pid_t>(0)
    private let ended = DispatchSemaphore(value: 0)

    /// A server that speaks TLS, started and stopped on threads of their own: a test waits without blocking others.
    static func withTLS(_ body: (PostgreSQLProcess) async throws -> Void) async throws {
        let server = try await onThread { try PostgreSQLProcess(isTLS: true) }
        do { try await body(server) } catch {
            try await onThread { server.stop() }
            throw error
        }
        try await onThread { server.stop() }
    }

    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
        }
    }

    /// Blocking, as the work of `stop`.
    init(isTLS: Bool = false) throws {
        let binaries = try Self.binariesFolder()
        var template = Array("/tmp/hilum-pg-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure(description: "mkdtemp: errno \(errno)") }
        let home = String(cString: made)
        self.home = home
        var runAs = ["/usr/bin/setpriv", "--pdeathsig", "INT"]
        if geteuid() == 0 {
            guard let user = getpwnam("postgres") ?? getpwnam("nobody") else {
                throw Failure(description: "no unprivileged user")
            }
            guard chown(home, user.pointee.pw_uid, user.pointee.pw_gid) == 0, chmod(home, 0o755) == 0 else {
                throw Failure(description: "chown: errno \(errno)")
            }
            runAs += ["--reuid", "\(user.pointee.pw_uid)", "--regid", "\(user.pointee.pw_gid)", "--clear-groups"]
        }
        let data = home + "/data"
        let log = home + "/log"
        let made2 = Self.spawnAndWait(
            runAs + ["\(binaries)/initdb", "-D", data, "-A", "trust", "-U", "hilum", "-N", "-E", "UTF8", "--locale=C"],
            log: log)
        guard made2 == 0 else { throw Failure(description: "initdb ended with \(made2), see \(log)") }
        var server =
            runAs + [
                "\(binaries)/postgres", "-D", data, "-k", home, "-c", "fsync=off", "-c", "max_connections=1000", "-c",
                "shared_buffers=32MB", "-c", "full_page_writes=off",
            ]
        if isTLS {
            for name in ["server", "other"] { try Self.makeCertificate(home + "/" + name, runAs, log) }
            try "local all all trust\nhostssl all all 127.0.0.1/32 trust\n".write(
                toFile: data + "/pg_hba.conf", atomically: false, encoding: .utf8)
            let (holder, port) = try Self.heldPort()
            portHolder = Mutex(holder)
            server += [
                "-c", "listen_addresses=127.0.0.1", "-p", "\(port)", "-c", "ssl=on", "-c",
                "ssl_cert_file=\(home)/server.crt", "-c", "ssl_key_file=\(home)/server.key",
            ]
            connectionString = "host=127.0.0.1 port=\(port) user=hilum dbname=postgres connect_timeout=120"
        } else {
            portHolder = Mutex(nil)
            server += ["-c", "listen_addresses="]
            connectionString = "host=\(home) user=hilum dbname=postgres connect_timeout=120"
        }
        // The parent-death signal follows the thread that spawned, so that thread stays until the server ends.
        let command = server
        Thread.detachNewThread { [self] in
            let child = Self.spawn(command, log: log)
            processID.withLock { $0 = child }
            var status: Int32 = 0
            if child > 0 { waitpid(child, &status, 0) }
            processID.withLock { $0 = -1 }
            ended.signal()
        }
        for _ in 0..<6_000 {
            if (try? PostgreSQLConnection(connectionString: connectionString, role: .reader)) != nil { return }
            if processID.withLock({ $0 }) < 0 { throw Failure(description: "postgres ended, see \(log)") }
            poll(nil, 0, 50)
        }
        throw Failure(description: "postgres did not answer within 300 s, see \(log)")
    }

    /// Ends the server and removes its folder.
    func stop() {
        let child = processID.withLock { $0 }
        if child > 0 {
            kill(child, SIGINT)
            _ = ended.wait(timeout: .now() + 120)
        }
        // Once: a second time the number may be another's.
        portHolder.withLock { holder in
            if let holder { close(holder) }
            holder = nil
        }
        try? FileManager.default.removeItem(atPath: home)
    }

    /// Makes `path`.key and `path`.crt.
    private static func makeCertificate(_ path: String, _ runAs: [String], _ log: String) throws {
        let code = spawnAndWait(
            runAs + [
                "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", path + ".key", "-out", path + ".crt", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                "subjectAltName=IP:127.0.0.1",
            ], log: log)
        guard code == 0 else { throw Failure(description: "openssl ended with \(code), see \(log)") }
    }

    /// A port that stays bound until the server ends: nobody else is given it. The server binds beside it, as it sets
    /// SO_REUSEADDR too.
    private static func heldPort() throws -> (descriptor: CInt, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var reuse: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<CInt>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard code == 0 else { throw Failure(description: "no free port: errno \(errno)") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
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
