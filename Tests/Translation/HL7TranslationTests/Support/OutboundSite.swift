import Access
import HL7Translation
import HL7v2
import Synchronization
import Workflow

/// A hospital that sends: its destinations, and what they are sent.
struct OutboundSite {
    let profile: SiteProfile
    let store = MemoryStore()
    let inbox: HL7Inbox

    /// - Parameter destinations: YAML below `destinations:`, indented by two.
    init(_ destinations: String) throws {
        profile = try SiteProfile(yaml: Site.yaml + "\ndestinations:\n" + destinations)
        inbox = Site.inbox(store, profile)
        let announcer = OutboundAnnouncer(profile: profile, digest: Site.fnv)
        store.concluding.withLock { $0 = { try announcer.announce($0, in: $1) } }
    }

    static let all = """
          RIS:
            peer: RIS|SOUTH
            send: [{ event: patient, as: "ADT^A28" }, { event: merge }, { event: order, as: "OMI^O23" }, { event: result }]
        """

    /// What was put into the outbox, as messages; taken out of it.
    func sent() throws -> [Message] {
        let drafts = store.state.withLock { state in
            defer { state.outbox = [] }
            return state.outbox
        }
        return try drafts.map { try Parser().parse($0.payload) }
    }

    /// A change that a client makes to the only order, told twice.
    func changeOrder(_ edit: @Sendable (inout ImagingOrder) -> Void) async throws {
        guard var order = store.orders.first else { return }
        edit(&order)
        let changed = order
        try await change { unit in
            try unit.save(changed)
            unit.emit(.orderChanged(changed.id))
            unit.emit(.orderChanged(changed.id))
        }
    }

    /// A change that a client makes.
    func change(_ body: @escaping @Sendable (any UnitOfWork) throws -> Void) async throws {
        try await store.write(
            AccessContext(
                principal: Principal(kind: .client, id: "app"), scopes: [], isUnrestricted: true, requestID: "t")
        ) { try body($0) }
    }
}

extension Message {
    /// A part as text, for comparing.
    func at(_ path: String) -> String? { (try? FieldPath(path)).flatMap { text(at: $0) } }
    /// MSH-9 and, of orders, ORC-1 and ORC-5 of each group.
    var summary: String {
        let orders = segments.filter { $0.id == "ORC" }.map { "\($0[1].text ?? "")/\($0[5].text ?? "")" }
        let type = "\(header.messageCode)^\(header.triggerEvent)"
        return ([type] + orders).joined(separator: " ")
    }
}
