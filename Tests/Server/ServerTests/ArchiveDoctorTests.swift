import Foundation
import Testing
import Workflow

@testable import hilum

/// What `hilum doctor` says of archives, of what is fetched from them, and of the room for that.
struct ArchiveDoctorTests {
    private static func load(_ text: String) throws -> ServerConfiguration {
        let folder = ServerFolder(
            FileManager.default.temporaryDirectory.path + "/hilum-doctor-" + UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try text.write(toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        return try ServerConfiguration.load(from: folder)
    }

    private static func archive(_ name: String, offers: Set<Peer.Service> = [.find, .get]) -> Peer {
        var peer = Peer(kind: .applicationEntity, name: name, host: "h", port: 104, may: [.echo], offers: offers)
        peer.archive = ArchiveCapabilities()
        return peer
    }

    /// What is wrong, as far as a text says.
    private static func found(
        _ text: String, _ peers: [Peer], free: Int64? = nil, held: Int64 = 0
    ) throws -> [String] {
        var doctor = ArchiveDoctor(configuration: try load(text), peers: peers, folder: "F")
        doctor.freeBytes = free
        doctor.heldBytes = held
        let findings = doctor.findings.filter { $0.kind != .good }
        #expect(findings.allSatisfy { !$0.fix.isEmpty })
        return findings.map(\.text)
    }

    private static let cache = "archive-cache: { days: 30 }\n"

    @Test("An archive without an address, or that offers nothing to search or fetch by, is told with what to do")
    func archives() throws {
        #expect(try Self.found(Self.cache, [Self.archive("PACS")]).isEmpty)
        #expect(try Self.found("{}", []).isEmpty)
        var nowhere = Self.archive("PACS")
        nowhere.port = nil
        #expect(try Self.found(Self.cache, [nowhere]) == ["archive PACS: where it listens is not known"])
        #expect(
            try Self.found(Self.cache, [Self.archive("PACS", offers: [.get])]) == [
                "archive PACS: it is asked nothing, as it does not offer find"
            ])
        #expect(
            try Self.found(Self.cache, [Self.archive("PACS", offers: [.find])]) == [
                "archive PACS: what it has is found and cannot be retrieved here"
            ])
        var moving = Self.archive("PACS", offers: [.find, .move])
        #expect(
            try Self.found(Self.cache, [moving]) == [
                "archive PACS: what it sends because of a C-MOVE is refused here"
            ])
        moving.may = [.store]
        #expect(try Self.found(Self.cache, [moving]).isEmpty)
    }

    @Test("Names that are no peer, or no archive, are told with their place")
    func names() throws {
        let text =
            Self.cache + """
                dimse: { ae-titles: [{ title: NORTH, archives: [PACS, CT1, FOURTH] }, { title: SOUTH, archives: [] }] }
                archives: { OTHER: { poll: {} }, CT1: { poll: {} } }
                prefetch: [{ name: p, on: order, from: [PACS, THIRD] }]
                """
        let peers = [Self.archive("PACS"), Peer(kind: .applicationEntity, name: "CT1")]
        #expect(
            try Self.found(text, peers) == [
                "archives.CT1: CT1 is no archive", "archives.OTHER: OTHER is no peer",
                "prefetch p: from: THIRD is no peer", "dimse.ae-titles.NORTH.archives: CT1 is no archive",
                "dimse.ae-titles.NORTH.archives: FOURTH is no peer",
            ])
    }

    @Test("Rules that nothing can follow from are told: no archive, no modality of that name, another rule has it all")
    func rules() throws {
        let text = """
            prefetch:
              - { name: all, on: [order, arrival], priors: { number: 5 } }
              - { name: less, on: order, modality: CT, priors: { number: 3 } }
              - { name: other, on: order, priors: { modality: CT, number: 3 } }
              - { name: wrong, on: order, modality: Ct, priors: { modality: MR, number: 9 } }
            """
        let found = try Self.found(Self.cache + text, [Self.archive("PACS")])
        #expect(
            found == [
                "prefetch less: all fetches all that it would fetch", "prefetch wrong: no modality is called Ct",
            ])
        let none = try Self.found(text, [])
        #expect(none.first == "prefetch: there is no archive that anything can be fetched from")
    }

    @Test("Senders of routing that are nobody, and room that the disk does not have, are told")
    func routingAndCache() throws {
        let routing = """
            routing:
              destinations: [{ name: d, peer: PACS }]
              rules: [{ name: r, from: [CT8, CT9], to: d }, { from: "CT*", to: d }, { from: PACS2, to: d }]
            """
        let peers = [Self.archive("PACS"), Peer(kind: .applicationEntity, name: "PACS2")]
        #expect(
            try Self.found(Self.cache + routing, peers) == ["routing r: none of its senders is a peer (CT8, CT9)"])
        #expect(
            try Self.found("{}", [Self.archive("PACS")]) == ["archive-cache: copies of archives' studies never leave"])
        let bytes = "archive-cache: { bytes: 4294967296 }"
        let archives = [Self.archive("PACS")]
        #expect(try Self.found(bytes, archives, free: 3 << 30, held: 1 << 30).isEmpty)
        #expect(
            try Self.found(bytes, archives, free: 2 << 30, held: 1 << 30) == [
                "archive-cache: the disk has 1024 MiB less than copies may take (bytes)"
            ])
    }
}
