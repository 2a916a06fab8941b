import Access
import FHIRModel
import FHIRResources
import FHIRSearch

/// What current versions say of who may see whom; see ``FHIRResources/AccessFacts``. Rows belong to a version and are there
/// for as long as it is current.
struct AccessFactTable {
    let connection: any SQLConnection

    /// Forgets what a version said that is not current any more.
    func remove(_ type: String, versionKey: Int64) throws {
        for table in AccessFacts.kinds(of: type).flatMap(Self.tables).sorted() {
            try connection.run("DELETE FROM \(table) WHERE version_key = ?", [.int(versionKey)])
        }
    }

    /// Keeps what a version says that is current now.
    ///
    /// - Parameter bytes: the resource as it is stored.
    func insert(_ type: String, _ id: String, _ bytes: [UInt8], versionKey: Int64, _ context: FactContext) throws {
        let kinds = AccessFacts.kinds(of: type)
        guard !kinds.isEmpty, !bytes.isEmpty else { return }
        // An ImagingStudy may be long, and hardly ever has a label.
        if kinds == [.labels], !Self.mentionsSecurity(bytes) { return }
        let document: JSONDocument
        do { document = try JSONDocument(parsing: bytes, limits: .stored) } catch {
            throw SQLStoreError(.corrupt, "a stored \(type) cannot be read", cause: error)
        }
        try insert(
            AccessFacts(type, id, document, base: context.base, zone: context.zone), type, id, versionKey: versionKey)
    }

    private func insert(_ facts: AccessFacts, _ type: String, _ id: String, versionKey: Int64) throws {
        let key = SQLValue.int(versionKey)
        for link in facts.careLinks {
            try connection.run(
                "INSERT INTO care_links (version_key, patient_id, actor, since, until) VALUES (?, ?, ?, ?, ?)",
                [key, .text(link.patient), .text(link.actor), .int(link.span.since), .int(link.span.until)])
        }
        for actor in facts.actors {
            try connection.run(
                """
                INSERT INTO care_actors (version_key, person, actor, is_member, since, until) \
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                [
                    key, .text(actor.person), .text(actor.actor), .int(actor.bond.rawValue), .int(actor.span.since),
                    .int(actor.span.until),
                ])
        }
        try insert(facts.refusals, key)
        for station in facts.stations {
            try connection.run(
                "INSERT INTO care_stations (version_key, site, station) VALUES (?, ?, ?)",
                [key, .text(station.site), .text(station.title)])
        }
        for label in facts.labels {
            try connection.run(
                "INSERT INTO care_labels (version_key, type, id, system, code) VALUES (?, ?, ?, ?, ?)",
                [key, .text(type), .text(id), .text(label.system), .text(label.code)])
        }
    }

    private func insert(_ refusals: Set<AccessFacts.Refusal>, _ key: SQLValue) throws {
        // Each list of people once; 0 is that of nobody.
        var lists: [Set<String>: Int64] = [[]: 0]
        for refusal in refusals {
            let list: Int64
            if let known = lists[refusal.permitted] {
                list = known
            } else {
                list = Int64(lists.count)
                lists[refusal.permitted] = list
                for person in refusal.permitted {
                    try connection.run(
                        "INSERT INTO care_permits (version_key, list, actor) VALUES (?, ?, ?)",
                        [key, .int(list), .text(person)])
                }
            }
            try connection.run(
                """
                INSERT INTO care_refusals \
                (version_key, patient_id, actor, type, of_emergencies, since, until, permits) \
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    key, .text(refusal.patient), .text(refusal.actor), .text(refusal.type),
                    SQLValue(refusal.isOfEmergencies), .int(refusal.span.since), .int(refusal.span.until), .int(list),
                ])
        }
    }

    /// Whether the text may have a member `security`: it says the word, or writes letters by their numbers, as its author
    /// may. RFC 8259 §7.
    private static func mentionsSecurity(_ bytes: [UInt8]) -> Bool {
        let words = ["\"security\"", "\\u"].map { Array($0.utf8) }
        return bytes.withUnsafeBufferPointer { bytes in
            bytes.indices.contains { at in
                words.contains { word in
                    bytes[at] == word[0] && at + word.count <= bytes.count
                        && word.indices.allSatisfy { bytes[at + $0] == word[$0] }
                }
            }
        }
    }

    /// Makes the rows of all current versions anew.
    func rebuild(_ context: FactContext = FactContext(base: "", zone: .utc)) throws {
        for table in AccessFacts.Kind.allCases.flatMap(Self.tables) { try connection.run("DELETE FROM \(table)") }
        for type in AccessFacts.types {
            var last: Int64 = 0
            while true {
                let page = try connection.all(
                    """
                    SELECT v.version_key, v.id, v.body, v.version FROM resource_versions v WHERE v.type = ? AND v.version_key > ? \
                    AND v.end_sequence = \(ResourceTable.current) AND v.deleted = 0 ORDER BY v.version_key LIMIT 200
                    """, [.text(type), .int(last)]
                ) { row in
                    let id = try row.text(1)
                    let version = try row.int(3)
                    return (
                        key: try row.int(0), id: id,
                        bytes: try row.opened(
                            2, .resourceBody, ResourceTable.bodyIdentity(type, id, version))
                    )
                }
                for row in page { try insert(type, row.id, row.bytes, versionKey: row.key, context) }
                guard page.count == 200, let end = page.last?.key else { break }
                last = end
            }
        }
    }

    /// The same of one version that is current.
    func renew(_ type: String, _ id: String, _ bytes: [UInt8], versionKey: Int64, _ context: FactContext) throws {
        try remove(type, versionKey: versionKey)
        try insert(type, id, bytes, versionKey: versionKey, context)
    }

    private static func tables(_ kind: AccessFacts.Kind) -> [String] {
        switch kind {
        case .careLinks: ["care_links"]
        case .actors: ["care_actors"]
        case .refusals: ["care_refusals", "care_permits"]
        case .labels: ["care_labels"]
        case .stations: ["care_stations"]
        }
    }
}

/// What references and times in resources are read by.
struct FactContext: Sendable {
    /// The server's own address.
    let base: String
    let zone: LocalZone

    init(base: String, zone: LocalZone) {
        self.base = base
        self.zone = zone
    }

    init(_ indexer: SearchIndexer) { self.init(base: indexer.baseURL, zone: indexer.zone) }
}
