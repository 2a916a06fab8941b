import Foundation
import NIOCore
import NIOPosix
import Testing

extension JourneyTests {
    /// What the commands say when something around them is not as it should be.
    @Suite struct CommandMistakesTests {
        /// A folder as `hilum init` makes it, on free ports.
        private static func withFolder(_ test: (_ path: String) async throws -> Void) async throws {
            let path = newPath()
            defer { try? FileManager.default.removeItem(atPath: path) }
            try await HilumProgram.must(
                "init", path, "--http-port", "0", "--dimse-port", "0", "--mllp-port", "0", "--time-zone", "UTC")
            try await test(path)
        }

        private static func newPath() -> String {
            FileManager.default.temporaryDirectory.path + "/hilum-mistake-" + UUID().uuidString.prefix(8).lowercased()
        }

        @Test("serve names the door whose port is in use, and nothing else", arguments: ["http", "dimse", "mllp"])
        func portInUse(_ door: String) async throws {
            let holder = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: 0).get()
            let port = try #require(holder.localAddress?.port)
            try await Self.withFolder { path in
                let file = path + "/hilum.yaml"
                let text = try String(contentsOfFile: file, encoding: .utf8)
                let section = try #require(text.range(of: "\n\(door):"))
                let place = try #require(text.range(of: "port: 0", range: section.upperBound..<text.endIndex))
                try text.replacingCharacters(in: place, with: "port: \(port)")
                    .write(toFile: file, atomically: true, encoding: .utf8)
                let ending = try await HilumProgram.run(["serve", path])
                #expect(ending.code != 0)
                #expect(ending.text.contains("Error: \(door): 127.0.0.1:\(port)"), "\(ending.text)")
                #expect(ending.text.contains("\(door).port"))
                #expect(!ending.text.contains("warning"), "\(ending.text)")
            }
            try await holder.close()
        }

        @Test("serve says in words what is wrong with the master key")
        func masterKey() async throws {
            try await Self.withFolder { path in
                let key = path + "/keys/master.key"
                try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
                let open = try await HilumProgram.run(["serve", path])
                #expect(open.code != 0)
                #expect(open.text.contains("Error: the master key \(key) must be readable by"))
                try FileManager.default.removeItem(atPath: key)
                let gone = try await HilumProgram.run(["serve", path])
                #expect(gone.code != 0)
                #expect(gone.text.contains("\(key): No such file"))
                #expect(!(open.text + gone.text).contains("StoreError"), "\(open.text)\(gone.text)")
            }
        }

        @Test("A limit that is not known, out of range or no number is named, with what may be set")
        func limits() async throws {
            try await Self.withFolder { path in
                let file = path + "/hilum.yaml"
                let text = try String(contentsOfFile: file, encoding: .utf8)
                for (line, words) in [
                    ("http-body-byte: 1", ["unknown key `http-body-byte`", "http-body-bytes"]),
                    ("json-depth: 65", ["limits.json-depth: 65 is not within 8 to 64"]),
                    ("mllp-segments: 0", ["limits.mllp-segments: 0 is not within 1 to"]),
                    ("dimse-idle-seconds: soon", ["limits.dimse-idle-seconds"]),
                ] {
                    try (text + "\nlimits:\n  \(line)\n").write(toFile: file, atomically: true, encoding: .utf8)
                    let ending = try await HilumProgram.run(["serve", path])
                    #expect(ending.code != 0)
                    for word in words { #expect(ending.text.contains(word), "\(line): \(ending.text)") }
                }
            }
        }

        @Test("The limits that init writes as comments are the ones there are, and can be taken as they stand")
        func commentedLimits() async throws {
            try await Self.withFolder { path in
                let file = path + "/hilum.yaml"
                let text = try String(contentsOfFile: file, encoding: .utf8)
                let begin = try #require(text.range(of: "# limits:"))
                let end = try #require(text.range(of: "\n\n", range: begin.upperBound..<text.endIndex))
                let lines = text[begin.lowerBound..<end.lowerBound].split(separator: "\n")
                #expect(lines.count > 50)
                let limits = lines.map { $0.dropFirst(2) }.joined(separator: "\n")
                try text.replacingCharacters(in: begin.lowerBound..<end.lowerBound, with: limits)
                    .write(toFile: file, atomically: true, encoding: .utf8)
                let ending = try await HilumProgram.run(["doctor", path])
                #expect(ending.code == 0, "\(ending.text)")
            }
        }

        @Test(
            "D19, X9, X20: what may be dialled, which pages may call and what is done with narratives is named or refused"
        )
        func webSections() async throws {
            try await Self.withFolder { path in
                let file = path + "/hilum.yaml"
                let text = try String(contentsOfFile: file, encoding: .utf8)
                for (line, word) in [
                    ("cors: { origins: [\"*\"] }", "there is no `*`"),
                    ("cors: { origins: [\"https://A.example/\"] }", "is no origin"),
                    ("cors: { origin: [] }", "unknown key `origin`"),
                    ("outbound: { allow-networks: [10.0.0.1/8] }", "is no network"),
                    ("outbound: { allow-networks: [intranet] }", "is no network"),
                    ("outbound: { allow: [] }", "unknown key `allow`"),
                    ("fhir: { narrative: strip }", "neither refuse nor keep"),
                    ("fhir: { conditional-delete: all }", "neither single nor multiple"),
                ] {
                    try (text + "\n\(line)\n").write(toFile: file, atomically: true, encoding: .utf8)
                    let ending = try await HilumProgram.run(["serve", path])
                    #expect(ending.code != 0, "\(line): \(ending.text)")
                    #expect(ending.text.contains(word), "\(line): \(ending.text)")
                }
            }
        }

        @Test("X9: a client is not registered with a URL that would not be dialled; the site's own networks are taken")
        func registration() async throws {
            try await Self.withFolder { path in
                func register(_ url: String) async throws -> HilumProgram.Ending {
                    try await HilumProgram.run([
                        "client", "register", path, "--name", "A", "--scope", "system/*.rs", "--jwks-url", url,
                    ])
                }
                for (url, word) in [
                    ("http://127.0.0.1/jwks", "only https"), ("https://127.0.0.1/jwks", "private or reserved"),
                    ("https://[::ffff:127.0.0.1]/jwks", "private or reserved"), ("https://localhost/jwks", "private"),
                    ("https://169.254.169.254/", "private or reserved"), ("https://2130706433/", "not well formed"),
                    ("https://0x7f000001/", "not well formed"), ("https://user@example.org/", "not well formed"),
                ] {
                    let ending = try await register(url)
                    #expect(ending.code != 0, "\(url): \(ending.text)")
                    #expect(ending.text.contains(word), "\(url): \(ending.text)")
                }
                let file = path + "/hilum.yaml"
                let text = try String(contentsOfFile: file, encoding: .utf8)
                try (text + "\noutbound: { allow-networks: [127.0.0.0/8] }\n").write(
                    toFile: file, atomically: true, encoding: .utf8)
                let ending = try await register("https://127.0.0.1/jwks")
                #expect(ending.code == 0, "\(ending.text)")
            }
        }

        @Test("init that fails half-way leaves the folder as it found it, so that it can be run again")
        func initFails() async throws {
            let path = Self.newPath()
            defer { try? FileManager.default.removeItem(atPath: path) }
            let words = ["init", path, "--postgres", "host=127.0.0.1 port=1 user=x dbname=y connect_timeout=5"]
            let ending = try await HilumProgram.run(words)
            #expect(ending.code != 0, "\(ending.text)")
            #expect(ending.text.contains("port 1 failed"), "\(ending.text)")
            #expect(!FileManager.default.fileExists(atPath: path))
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(try await HilumProgram.run(words).code != 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
            try await HilumProgram.must("init", path)
        }
    }
}
