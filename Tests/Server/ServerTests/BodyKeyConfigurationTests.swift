import BlobStore
import Foundation
import TestSupport
import Testing
import Workflow

@testable import SQLStore
@testable import hilum

/// `store.encrypt-bodies` of hilum.yaml, and the keys that it seals with. Decision 0043.
@Suite(.takingTurns) struct BodyKeyConfigurationTests {
    private static func with(_ yaml: String, _ body: (ServerFolder, ServerConfiguration) throws -> Void) throws {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-bodies-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.keysFolder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try yaml.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        try body(folder, try ServerConfiguration.load(from: folder))
    }

    @Test("It is off where nothing is said, and no other word is taken for it")
    func read() throws {
        for (yaml, isOn) in [
            ("{}", false), ("store: { encrypt-bodies: true }", true), ("store: { encrypt-bodies: false }", false),
        ] {
            try Self.with(yaml) { folder, configuration in
                #expect(configuration.store.encryptBodies == isOn)
                #expect(StoreComposition.bodies(configuration, folder, nil).isOn == isOn)
            }
        }
        for yaml in ["store: { encrypt-bodies: maybe }", "store: { encrypt-body: true }"] {
            #expect(throws: (any Error).self) { try Self.with(yaml) { _, _ in } }
        }
    }

    @Test("What `hilum init` writes says what it was asked for")
    func written() throws {
        for isOn in [true, false] {
            let yaml = DefaultFiles.configuration(
                httpPort: 0, dimsePort: 0, mllpPort: 0, postgres: nil, isEncrypted: true, encryptsBodies: isOn)
            try Self.with(yaml) { _, configuration in #expect(configuration.store.encryptBodies == isOn) }
        }
    }

    @Test("After a change of the master key the newest key of the store seals and the one of before opens")
    func rotated() throws {
        try Self.with("store: { encrypt-bodies: true }") { folder, configuration in
            try MasterKey.createFile(folder.masterKeyFile)
            try StoreKeys.make(configuration, folder)
            let sealing = StoreComposition.bodies(configuration, folder, try StoreKeys.load(configuration, folder))
            let first = try #require(try sealing.keys())
            _ = try KeyRotation(configuration: configuration, folder: folder).run()
            // It looks again when it is asked again.
            let second = try #require(try sealing.keys())
            #expect(second.current.name != first.current.name)
            #expect(second.key(first.current.id)?.secret == first.current.secret)
            #expect(second.current.secret != first.current.secret)
            // No key of bodies is one of the store's own.
            let keys = try StoreKeys.load(configuration, folder).keys.keys.map(\.secret)
            #expect(!keys.contains(first.current.secret) && !keys.contains(second.current.secret))
            try FileManager.default.removeItem(atPath: folder.masterKeyFile)
            #expect(throws: StoreError.self) { try sealing.keys() }
        }
    }

    @Test("Without a master key nothing is sealed, and it is said, also where objects are not encrypted")
    func missing() throws {
        try Self.with("store: { encryption: none, encrypt-bodies: true }") { folder, configuration in
            #expect(throws: StoreError.self) { try StoreComposition.keys(configuration, folder) }
        }
        try Self.with("store: { encryption: none }") { folder, configuration in
            let keys = try StoreComposition.keys(configuration, folder)
            #expect(keys?.keys.keys.count == nil)
        }
    }
}
