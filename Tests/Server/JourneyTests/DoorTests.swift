import DICOMNetwork
import Foundation
import NIOCore
import NIOSSL
import Testing

extension JourneyTests {
    /// A server with a list of doors.
    @Suite(.serialized) struct DoorTests {
        private typealias Door = HilumServer.Endpoints.Door

        /// A server whose short forms have given way to a list.
        private static func serving(
            _ doors: String, _ body: @Sendable (HilumServer, [Door]) async throws -> Void
        ) async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let file = folder.path + "/hilum.yaml"
            // What stands before `store:` are the short forms.
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let rest = try #require(text.range(of: "\nstore:"))
            try (doors + text[rest.lowerBound...]).write(toFile: file, atomically: true, encoding: .utf8)
            try await HilumServer.run(folder, isTLS: true) { server in
                try await body(server, server.endpoints.doors)
            }
        }

        private static let doors = """
            doors:
              - protocol: http
                port: 0
              - { protocol: http, port: 0, tls: off, trusted-proxies: [127.0.0.1] }
              - { protocol: dimse, port: 0, tls: optional, ae-titles: [HILUM, { title: ECHO, services: [echo] }] }
              - { protocol: mllp, port: 0, tls: off }
              - { protocol: mllp, port: 0 }

            """

        @Test("Each door of the list serves as it is told: TLS, clear text, or both on one port")
        func list() async throws {
            try await Self.serving(Self.doors) { server, doors async throws in
                #expect(doors.map(\.protocol) == ["http", "http", "dimse", "mllp", "mllp"])
                #expect(doors.map(\.tls) == ["required", "off", "optional", "off", "required"])
                let tls = try Wire.tls(server.folder)
                for (door, context, isServed) in [
                    (doors[0], tls, true), (doors[0], nil, false), (doors[1], nil, true),
                ] as [(Door, NIOSSLContext?, Bool)] {
                    let answer = try await Wire.connect(port: door.port, tls: context) { wire in
                        try? await wire.send(
                            Array("GET /health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".utf8))
                        while await wire.more() {}
                        return Array(wire.received.readableBytesView)
                    }
                    #expect(answer.starts(with: Array("HTTP/1.1 200".utf8)) == isServed)
                }
                #expect(try await DIMSEPeer.isEchoed(server, tls: tls))
                #expect(try await DIMSEPeer.isEchoed(server, tls: nil))
                for (door, context) in [(doors[3], nil), (doors[4], tls)] as [(Door, NIOSSLContext?)] {
                    let id = "DOOR-\(door.port)"
                    let answer = try await Wire.connect(port: door.port, tls: context) { wire in
                        try await wire.send([0x0B] + Samples.message(id) + [0x1C, 0x0D])
                        while await wire.more(), !wire.received.readableBytesView.contains(0x1C) {}
                        return String(decoding: wire.received.readableBytesView, as: UTF8.self)
                    }
                    #expect(answer.contains("MSA|AA|\(id)"))
                }
            }
        }

        @Test("Certificates that are replaced are served after SIGHUP, and connections that are open go on")
        func replaced() async throws {
            try await Self.serving(Self.doors) { server, doors async throws in
                let old = try Wire.tls(server.folder)
                try await Wire.connect(port: doors[4].port, tls: old) { wire in
                    try await wire.send([0x0B] + Samples.message("BEFORE") + [0x1C, 0x0D])
                    while await wire.more(), !wire.received.readableBytesView.contains(0x1C) {}
                    // Those of another folder: another authority.
                    let other = try await ServerFolder.make()
                    defer { other.remove() }
                    for name in ["ca.pem", "server.pem", "server.key"] {
                        let target = server.folder.path + "/tls/" + name
                        try FileManager.default.removeItem(atPath: target)
                        try FileManager.default.copyItem(atPath: other.path + "/tls/" + name, toPath: target)
                    }
                    try FileManager.default.setAttributes(
                        [.posixPermissions: 0o600], ofItemAtPath: server.folder.path + "/tls/server.key")
                    server.hangUp()
                    let new = try Wire.tls(server.folder)
                    try await waitUntil("the new certificate") { try await Wire.shakesHands(port: doors[4].port, new) }
                    #expect(try await !Wire.shakesHands(port: doors[0].port, old))
                    wire.received.clear()
                    try await wire.send([0x0B] + Samples.message("AFTER") + [0x1C, 0x0D])
                    while await wire.more(), !wire.received.readableBytesView.contains(0x1C) {}
                    #expect(String(decoding: wire.received.readableBytesView, as: UTF8.self).contains("MSA|AA|AFTER"))
                }
            }
        }

        @Test("A backup holds the files that doors and peers name, and its restore puts them back")
        func backup() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let files = FileManager.default
            try files.createDirectory(atPath: folder.path + "/own", withIntermediateDirectories: true)
            for (from, to) in [("tls/server.pem", "own/site.pem"), ("tls/server.key", "own/site.key")] {
                try files.copyItem(atPath: folder.path + "/" + from, toPath: folder.path + "/" + to)
            }
            try "snapshot: true\n".write(toFile: folder.path + "/ehr.yaml", atomically: true, encoding: .utf8)
            try await HilumProgram.must(
                "peer", "set", folder.path, "--mllp-app", ServerFolder.sender.application, "--mllp-facility",
                ServerFolder.sender.facility, "--profile", "ehr.yaml")
            let file = folder.path + "/hilum.yaml"
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try text.replacing(
                "  ae-title: HILUM\n",
                with: "  ae-title: HILUM\n  certificate: own/site.pem\n  key: own/site.key\n"
            ).write(toFile: file, atomically: true, encoding: .utf8)
            try await HilumProgram.must("backup", folder.path, folder.backup, "--with-keys")
            let words = try await folder.restoring()
            try await HilumProgram.must(words)
            for name in ["own/site.pem", "own/site.key", "ehr.yaml"] {
                #expect(
                    files.contentsEqual(atPath: folder.path + "/" + name, andPath: folder.restored + "/" + name),
                    "\(name)")
            }
            let mode = try files.attributesOfItem(atPath: folder.restored + "/own/site.key")[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }
}
