import Access
import Testing
import Workflow

@testable import SQLStore

/// Journal, clients, assertions, peers, export jobs and audit on both databases.
@Suite("Workflow: journal and registries on both databases")
struct WorkflowRegistryTests {
    typealias Support = WorkflowSupport

    private func message(_ id: String, digest: String = "d") -> JournaledMessage {
        JournaledMessage(
            id: EntityID(id), sender: "RIS|HOSP", controlID: "1", type: "ADT^A04", digest: digest, raw: [0, 11, 255],
            disposition: .ignored, note: nil, acknowledgement: [1], receivedAt: Support.at(5), peer: "10.0.0.1")
    }

    @Test("Messages of one control id come newest first, by sender; an id is used once", arguments: TestDatabases.all)
    func journal(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { try $0.journal(message("m1")) }
            try await store.work { try $0.journal(message("m2", digest: "e")) }
            let found = try await store.look { try $0.journaledMessage(sender: "RIS|HOSP", controlID: "1") }
            #expect(found == [message("m2", digest: "e"), message("m1")])
            #expect(try await store.look { try $0.journaledMessage(sender: "RIS|OTHER", controlID: "1") }.isEmpty)
            do {
                try await store.work { try $0.journal(message("m1")) }
                Issue.record("journaled twice")
            } catch let error as StoreError { #expect(error.code == .conflict) }
        }
    }

    @Test(
        "Failed messages wait for a merge by number, oldest first, until they are settled", arguments: TestDatabases.all
    )
    func awaitingMerge(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let numbers = ["1", "2", "3"].map { Identifier(system: "urn:mrn", value: $0) }
            for (id, waits) in [("m9", [0, 1]), ("m8", [1]), ("m7", [2]), ("m6", [])] {
                try await store.work { unit in
                    try unit.journal(message(id))
                    if !waits.isEmpty { try unit.awaitMerge(EntityID(id), of: waits.map { numbers[$0] }) }
                }
            }
            func waiting() async throws -> [String] {
                try await store.look { try $0.messages(awaitingMergeOf: [numbers[0], numbers[1]]).map(\.value) }
            }
            #expect(try await waiting() == ["m9", "m8"])
            #expect(try await store.look { try $0.awaitingMessage(EntityID("m8")) } == message("m8"))
            #expect(try await store.look { try $0.awaitingMessage(EntityID("m6")) } == nil)
            try await store.work { unit in
                var settled = try #require(try unit.awaitingMessage(EntityID("m9")))
                (settled.disposition, settled.note, settled.acknowledgement) = (.applied, "late", [2])
                try unit.settle(settled)
            }
            #expect(try await waiting() == ["m8"])
            #expect(try await store.look { try $0.awaitingMessage(EntityID("m9")) } == nil)
        }
    }

    @Test("Of 16 parallel uses of one assertion id exactly one succeeds (RFC 7523 §3)", arguments: TestDatabases.all)
    func assertions(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let uses = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await store.useOnce(issuer: "app", jti: "j", expires: Int64.max) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(uses == 1)
            #expect(try await store.useOnce(issuer: "other", jti: "j", expires: Int64.max))
            #expect(try await store.useOnce(issuer: "app", jti: "k", expires: Int64.max))
        }
    }

    @Test(
        "A client keeps its scopes, its first registration time, and stays revoked once", arguments: TestDatabases.all)
    func clients(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let scopes = ["system/Patient.rs", "system/Observation.rs?category=laboratory"].compactMap { Scope($0) }
            #expect(scopes.count == 2)
            var client = Client(id: "app", name: "App", jwks: "{}", jwksURL: nil, scopes: scopes, registeredAt: 1)
            try await store.save(client)
            #expect(try await store.client(id: "app") == client)
            client.name = "Other"
            client.jwks = nil
            client.jwksURL = "https://app.example/jwks"
            try await store.save(client)
            #expect(try await store.clients() == [client])
            #expect(try await store.revoke(clientID: "app", at: 9))
            #expect(try await !store.revoke(clientID: "app", at: 10))
            #expect(try await !store.revoke(clientID: "none", at: 10))
            #expect(try await store.client(id: "app")?.revokedAt == 9)
            #expect(try await store.client(id: "none") == nil)
        }
    }

    @Test("Peers are kept by kind and name", arguments: TestDatabases.all)
    func peers(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let ae = Peer(kind: .applicationEntity, name: "CT1", host: "h", port: 104, certificateFingerprint: "ff")
            let sender = Peer(kind: .messageSender, name: "CT1")
            try await store.save(sender)
            try await store.save(Peer(kind: .applicationEntity, name: "CT1"))
            try await store.save(ae)
            #expect(try await store.peers() == [ae, sender])
            #expect(try await store.peer(kind: .applicationEntity, name: "CT1") == ae)
            #expect(try await store.removePeer(kind: .applicationEntity, name: "CT1"))
            #expect(try await !store.removePeer(kind: .applicationEntity, name: "CT1"))
            #expect(try await store.peers() == [sender])
        }
    }

    @Test("Peers are found by what they offer, and all that is told of them is kept", arguments: TestDatabases.all)
    func peerServices(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            var pacs = Peer(
                kind: .applicationEntity, name: "PACS", host: "10.0.0.7", port: 11112, offers: [.store, .find, .mpps])
            pacs.tls = .pinned(fingerprint: String(repeating: "0a", count: 32))
            pacs.networks = ["10.0.0.0/24", "fd00:1::/64", "10.1.2.3"].compactMap { IPNetwork($0) }
            pacs.characterSet = "ISO_IR 192"
            pacs.transferSyntaxes = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
            pacs.connectionsMax = 3
            pacs.pduLengthMax = 16_384
            let ris = Peer(kind: .applicationEntity, name: "RIS", host: "10.0.0.8", port: 104, offers: [.mpps])
            var receiver = Peer(
                kind: .messageSender, name: "EHR|MAIN", host: "10.0.0.9", port: 2575, offers: [.results])
            receiver.tls = .on
            receiver.profile = "ehr.yaml"
            for peer in [ris, receiver, pacs] { try await store.save(peer) }
            #expect(try await store.peers() == [pacs, ris, receiver])
            #expect(try await store.peers(offering: .mpps) == [pacs, ris])
            #expect(try await store.peers(offering: .results) == [receiver])
            #expect(try await store.peers(offering: .worklist).isEmpty)
            try await store.work { [pacs] (unit) throws in
                #expect(try unit.peers(offering: .mpps) == [pacs, ris])
            }
            pacs.offers = [.ian]
            try await store.save(pacs)
            #expect(try await store.peers(offering: .mpps) == [ris])
            #expect(try await store.peers(offering: .ian) == [pacs])
            #expect(try await store.removePeer(kind: .applicationEntity, name: "RIS"))
            #expect(try await store.peers(offering: .mpps).isEmpty)
        }
    }

    @Test(
        "A peer kept before there were services offers what was asked of it, and is found by it",
        arguments: TestDatabases.all)
    func peersBeforeServices(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            do {
                let connection = try TestDatabases.connect(location)
                try Migrator(Array(Migrations.all.prefix { $0.name != "peer services" })).migrate(connection, now: 1)
                for (peerKind, name, detail) in [
                    ("ae", "CT1", #"{"kind":"ae","name":"CT1","may":["echo"]}"#),
                    ("ae", "PACS", #"{"kind":"ae","name":"PACS","host":"10.0.0.7","port":104,"may":[]}"#),
                    ("mllp", "A|B", #"{"kind":"mllp","name":"A|B","host":"h","port":1}"#),
                ] {
                    _ = try connection.run(
                        "INSERT INTO peers (kind, name, detail) VALUES (?, ?, ?)",
                        [.text(peerKind), .text(name), .bytes(Array(detail.utf8))])
                }
            }
            let connection = try TestDatabases.connect(location)
            try Migrator(Migrations.all).migrate(connection, now: 2)
            let table = PeerTable(connection: connection)
            #expect(try table.peers(offering: .store).map(\.name) == ["PACS"])
            #expect(try table.peers(offering: .echo).map(\.name) == ["CT1", "PACS"])
            #expect(try table.peer(kind: .messageSender, name: "A|B")?.offers == [])
            #expect(try table.peer(kind: .applicationEntity, name: "PACS")?.tls == .off)
        }
    }

    @Test(
        "Export jobs are counted while active, and their files are referenced until deletion",
        arguments: TestDatabases.all)
    func exportJobs(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            var job = ExportJob(
                id: EntityID("j1"), ownerID: "app", scopes: ["system/*.rs"], request: "/$export", types: ["Patient"],
                since: Support.at(1), until: nil, snapshot: 7, transactionTime: Support.at(2), createdAt: Support.at(2))
            #expect(try await store.accept(job, activeMax: 1))
            #expect(try await store.job(EntityID("j1")) == job)
            var second = job
            second.id = EntityID("j2")
            #expect(try await !store.accept(second, activeMax: 1))
            #expect(try await store.job(EntityID("j2")) == nil)
            #expect(try await store.unfinishedJobs() == [job])
            job.state = .complete
            job.progress = 100
            job.outputs = [.init(type: "Patient", blobID: BlobID("b1"), count: 3, size: 9)]
            try await store.save(job)
            #expect(try await store.unfinishedJobs().isEmpty)
            #expect(try await store.referenced([BlobID("b1")]) == [BlobID("b1")])
            job.state = .deleted
            try await store.save(job)
            #expect(try await store.referenced([BlobID("b1")]).isEmpty)
            #expect(try await store.job(EntityID("j1"))?.state == .deleted)
            // Its worker, which has not heard of that yet.
            job.state = .running
            try await store.save(job)
            #expect(try await store.job(EntityID("j1"))?.state == .deleted)
            #expect(try await store.referenced([BlobID("b1")]).isEmpty)
            #expect(try await store.unfinishedJobs().isEmpty)
        }
    }

    @Test(
        "X16: a peer kept before there were roles may do what it could; roles are kept as they are set",
        arguments: TestDatabases.all)
    func peerRoles(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            // As the last version wrote them, and one of a later version.
            for (peerKind, name, detail) in [
                ("ae", "OLD", #"{"kind":"ae","name":"OLD","host":"10.0.0.7","port":104}"#),
                ("mllp", "RIS|MAIN", #"{"kind":"mllp","name":"RIS|MAIN"}"#),
                ("ae", "NEW", #"{"kind":"ae","name":"NEW","may":["fly","store"]}"#),
            ] {
                try await store.database.write {
                    _ = try $0.connection.run(
                        "INSERT INTO peers (kind, name, detail) VALUES (?, ?, ?)",
                        [.text(peerKind), .text(name), .bytes(Array(detail.utf8))])
                }
            }
            #expect(
                try await store.peer(kind: .applicationEntity, name: "OLD")
                    == Peer(
                        kind: .applicationEntity, name: "OLD", host: "10.0.0.7", port: 104,
                        may: [.echo, .store, .worklist], offers: [.echo, .store]))
            #expect(try await store.peer(kind: .messageSender, name: "RIS|MAIN")?.may == [.adt, .orders, .results])
            #expect(try await store.peer(kind: .applicationEntity, name: "NEW")?.may == [.store])
            for may: Set<Peer.Role> in [[], [.worklist], [.echo, .store]] {
                let peer = Peer(kind: .applicationEntity, name: "CT1", certificateFingerprint: "ab", may: may)
                try await store.save(peer)
                #expect(try await store.peer(kind: .applicationEntity, name: "CT1") == peer)
            }
        }
    }

    @Test("Audit rows of units and of reads form one chain", arguments: TestDatabases.all)
    func audit(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let row = AuditRecord(
                category: .rest, interaction: "read", action: .read, outcome: .minorFailure, access: Support.server,
                entity: "Patient/\"quoted\"\n", patientID: "p", query: "name=Müller", detail: "forbidden")
            try await store.record(row)
            try await store.work { (unit) throws in
                try unit.audit(row)
                try unit.audit(row)
            }
            #expect(try await store.database.read { try AuditChain.verify($0) } == 3)
            let rows = try await store.database.read { try AuditChain.rows(after: 0, limit: 9, $0).map(\.record) }
            #expect(rows.count == 3)
            #expect(Set(rows).count == 1)
        }
    }
}
