import Basics
import Cryptography
import Foundation

/// A server folder of its own, and `hilum serve` on it. SMART 2.2 client-confidential-asymmetric for its tokens.
final class HilumServer {
    /// The part of the line of readiness that is of use here.
    private struct Endpoints: Decodable {
        struct Door: Decodable { let port: Int }
        let ready: Bool
        let http: String
        let dimse: Door
        let mllp: Door
    }

    private static let clientID = "bench"
    private static let keyID = "bench-1"
    private static let scope = "system/*.cruds"

    let folder: String
    private let key: PrivateKey
    private var child: ChildProcess?
    private var base = ""
    private(set) var httpPort = 0
    private(set) var dimsePort = 0
    private(set) var mllpPort = 0

    /// $HILUM, or the `hilum` beside this program.
    static var program: String {
        ProcessInfo.processInfo.environment["HILUM"]
            ?? URL(fileURLWithPath: ChildProcess.own).deletingLastPathComponent().path + "/hilum"
    }

    /// Makes the folder with `hilum init` and registers a client with a key of its own.
    /// - Parameter postgres: a libpq connection string; nil for SQLite.
    init(folder: String, isEncrypted: Bool, postgres: String? = nil) async throws {
        self.folder = folder
        key = try PrivateKey(.p384)
        try await Self.command(
            ["init", folder, "--http-port", "0", "--dimse-port", "0", "--mllp-port", "0", "--time-zone", "UTC"]
                + (isEncrypted ? [] : ["--no-encryption"]) + (postgres.map { ["--postgres", $0] } ?? []))
        let settings = folder + "/hilum.yaml"
        let text = String(decoding: FileManager.default.contents(atPath: settings) ?? Data(), as: UTF8.self)
        try text.replacing("accept-unknown-peers: false", with: "accept-unknown-peers: true")
            .replacing("log-level: info", with: "log-level: warning")
            .write(toFile: settings, atomically: true, encoding: .utf8)
        let point = try key.publicKey.coordinates(on: .p384)
        let keys = """
            {"keys":[{"kty":"EC","crv":"P-384","alg":"ES384","use":"sig","kid":"\(Self.keyID)",\
            "x":"\(Base64URL.encode(point.x))","y":"\(Base64URL.encode(point.y))"}]}
            """
        let keyFile = folder + ".jwks.json"
        try keys.write(toFile: keyFile, atomically: true, encoding: .utf8)
        try await Self.command(
            [
                "client", "register", folder, "--name", "bench", "--id", Self.clientID, "--jwks", keyFile, "--scope",
                Self.scope,
            ])
    }

    /// Has reports told to a receiver on loopback; before the start.
    func tellReports(to port: Int, connections: Int) async throws {
        let profile = folder + "/site.yaml"
        let text = String(decoding: FileManager.default.contents(atPath: profile) ?? Data(), as: UTF8.self)
        // No message is sent again only because it waits for the round to begin.
        let destination = """

            destinations:
              receiver:
                peer: RECEIVER|HOSP
                connections: \(connections)
                answer_seconds: 600
                send: [{ event: result }]

            """
        try (text + destination).write(toFile: profile, atomically: true, encoding: .utf8)
        try await Self.command([
            "peer", "add", folder, "--mllp-app", "RECEIVER", "--mllp-facility", "HOSP", "--host", "127.0.0.1", "--port",
            "\(port)", "--offers", "results",
        ])
    }

    /// Starts it and waits for its line of readiness; the seconds that took.
    @discardableResult
    func start(isPlain: Bool) throws -> Double {
        let clock = ContinuousClock()
        let begin = clock.now
        let child = try ChildProcess(
            Self.program, ["serve", folder] + (isPlain ? ["--plain-loopback"] : []), log: folder + ".log")
        self.child = child
        while true {
            let line = try child.line()
            guard let found = try? JSONDecoder().decode(Endpoints.self, from: Data(line.utf8)), found.ready else {
                continue
            }
            base = found.http
            httpPort = URL(string: found.http)?.port ?? 0
            dimsePort = found.dimse.port
            mllpPort = found.mllp.port
            return (clock.now - begin).seconds
        }
    }

    func end() async {
        await child?.end()
        child = nil
    }

    /// Resident memory in MB (10^6 bytes): now, and the most since the start.
    func memory() throws -> (now: Double, peak: Double) {
        let file = "/proc/\(child?.pid ?? 0)/status"
        guard let now = Machine.kibibytes("VmRSS", in: file), let peak = Machine.kibibytes("VmHWM", in: file) else {
            throw BenchFailure("\(file) has no VmRSS")
        }
        return (Double(now) * 1024 / 1e6, Double(peak) * 1024 / 1e6)
    }

    /// Processor time since its start. proc(5), `stat`, fields 14 and 15.
    func processorTime() throws -> ProcessorTime {
        let file = "/proc/\(child?.pid ?? 0)/stat"
        let text = String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        // The name, field 2, is in parentheses and may have spaces.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let kernel = Double(fields[13]) else {
            throw BenchFailure("\(file) has no processor times")
        }
        return ProcessorTime(user: user, kernel: kernel) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The last lines of its log, for a failure.
    var logTail: String {
        let text = String(decoding: FileManager.default.contents(atPath: folder + ".log") ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").suffix(8).joined(separator: "\n")
    }

    /// A new access token; the server must speak clear text.
    func token() async throws -> String {
        let claims = Claims(
            iss: Self.clientID, sub: Self.clientID, aud: base + "/oauth/token",
            exp: Int(Date().timeIntervalSince1970) + 240, jti: UUID().uuidString)
        let assertion = try key.compactJWS(
            header: #"{"alg":"ES384","typ":"JWT","kid":"\#(Self.keyID)"}"#.utf8, claims: JSONEncoder().encode(claims))
        let form =
            "grant_type=client_credentials&scope=system%2F%2A.cruds"
            + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
            + "&client_assertion=\(assertion)"
        let reply = try HTTPConnection(port: httpPort).send(
            "POST", "/oauth/token", headers: ["Content-Type: application/x-www-form-urlencoded"],
            body: Array(form.utf8))
        struct Answer: Decodable { let access_token: String }
        guard reply.status == 200, let answer = try? JSONDecoder().decode(Answer.self, from: Data(reply.body)) else {
            let text = String(decoding: reply.body.prefix(400), as: UTF8.self)
            throw BenchFailure("the token endpoint answered \(reply.status): \(text)")
        }
        return answer.access_token
    }

    private struct Claims: Encodable {
        let iss: String
        let sub: String
        let aud: String
        let exp: Int
        let jti: String
    }

    private static func command(_ words: [String]) async throws {
        let log = FileManager.default.temporaryDirectory.path + "/hilum-bench-\(getpid()).command.log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let (text, code) = try await ChildProcess(program, words, log: log).all()
        guard code == 0 else {
            let errors = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
            throw BenchFailure("hilum \(words.joined(separator: " ")) ended with \(code): \(text)\(errors)")
        }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
