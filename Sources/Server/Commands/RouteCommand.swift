import Access
import ArgumentParser
import Cryptography
import DICOMTranslation
import Foundation
import HTTPSupport
import SQLStore
import Workflow

/// `hilum route …`: where the rules of the site send stored instances.
struct RouteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract:
            "Say where stored images are sent and why, send them again, make the key of a destination, list what "
            + "destinations are asked to keep.",
        subcommands: [Test.self, Send.self, Key.self, Commitments.self])

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say which rule sends a stored study or instance where, and as what.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "A Study or SOP Instance UID.") var uid: String
        @Option(help: "As if this AE title or client had sent it; left out: who did.") var from: String?
        @Option(help: "As if it had been stored to this AE title of this server; by HTTP none is called.")
        var called: String?
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            let lines = try await StoreComposition.using(configuration, server) { store in
                let access = RouteCommand.access
                try await RouteCommand.audit("route-test", .read, uid, store, access)
                return try await RouteTest(configuration.routing, store)
                    .lines(of: uid, from: from, called: called, access)
            }
            if json { return try JSONResult.print(lines) }
            if lines.isEmpty { print("no rule sends it anywhere") }
            for line in lines { print(MessageCommand.printable(line.text)) }
        }
    }

    struct Send: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a stored study or instance into the outbox for a destination, whatever the rules say.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "A Study or SOP Instance UID.") var uid: String
        @Option(help: "The name of the destination.") var to: String

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            guard configuration.routing.destinations.contains(where: { $0.name == to }) else {
                let names = configuration.routing.destinations.map(\.name).joined(separator: ", ")
                throw ValidationError("--to is one of routing.destinations: \(names)")
            }
            let count = try await StoreComposition.using(configuration, server) { store in
                let access = RouteCommand.access
                try await RouteCommand.audit("route-send", .execute, uid, store, access)
                // Units of work are short, so that others get in between.
                return try await RouteSelection(index: store, store: store).pages(of: uid, access) { page in
                    try await (store as any WorkflowStore).write(access) { [to] unit in
                        for instance in page { try unit.enqueue(ForwardedInstance(instance, to: to).draft) }
                    }
                }
            }
            print("\(count) instances are in the outbox for \(to); a running server takes them up within 15 s")
        }
    }

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the JWK Set of a destination's token key, for its registration there; make the key first.",
            discussion: "The other server registers it: `hilum client register --jwks FILE`, if it is a Hilum.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The name of a destination by stow with a token.") var destination: String

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            let found = configuration.routing.destinations.first { $0.name == destination }
            guard let found, case .stow(_, let token?) = found.way else {
                throw ValidationError("\(destination) is no destination by stow with a token")
            }
            let path = server.resolve(token.key)
            if !FileManager.default.fileExists(atPath: path) {
                try ServerFolder.writeSecret(Array(try PrivateKey(.p384).pem.utf8), to: path)
            }
            let key = try RoutingComposition.key(token, at: found.place + ".token.key", server)
            try JSONResult.print(try KeySetText.of(key.publicKey, token.keyID))
        }
    }

    static var access: AccessContext { .operatorOfThisMachine(requestID: "hilum route") }

    static func audit(
        _ interaction: String, _ action: AuditRecord.Action, _ uid: String, _ store: RelationalStore,
        _ access: AccessContext
    ) async throws {
        try await store.record(
            AuditRecord(
                category: .query, interaction: interaction, action: action, outcome: .success, access: access,
                entity: "uid:" + uid))
    }
}

/// The stored instances that a command is for: all of a study, or the one of a UID.
struct RouteSelection {
    /// Instances that are read at a time.
    static let pageCount = 500

    let index: any ImagingIndex
    let store: any WorkflowStore

    /// Has the instances page by page, in the order of series and instance numbers. Returns how many there were; throws
    /// `ValidationError` where nothing is stored under the UID.
    @discardableResult
    func pages(
        of uid: String, _ access: AccessContext, _ body: ([Instance]) async throws -> Void
    ) async throws -> Int {
        let one = try await store.read(access) { try $0.instance(uid) }
        var count = 0
        var after: Instance.Place?
        while true {
            let page = try await index.instances(
                studyInstanceUID: one?.studyInstanceUID ?? uid, seriesInstanceUID: one?.seriesInstanceUID,
                sopInstanceUID: one?.sopInstanceUID, after: after, limit: Self.pageCount, access: access)
            if !page.isEmpty { try await body(page) }
            count += page.count
            after = page.last?.place
            if page.count < Self.pageCount { break }
        }
        guard count > 0 else { throw ValidationError("no such study or instance: \(uid)") }
        return count
    }
}

/// What the rules do with what is stored.
struct RouteTest {
    /// What a rule does with so many instances.
    struct Line: Codable, Equatable {
        var rule: String
        var destination: String
        /// `sent`, `came-from-there`, `too-many-hops`, `other-order`, `title-not-known`.
        var verdict: String
        var instances: Int
        /// How they are sent, in words.
        var way: String

        var text: String {
            let verdict =
                switch RoutingTable.Finding.Verdict(rawValue: verdict) {
                case .sent: way
                case .cameFromThere: "not sent: it came from there"
                case .tooManyHops: "not sent: it was changed and passed on too often"
                case .otherOrder: "not sent: its order is none that the rule asks for, or not known"
                case .titleNotKnown: "sent only if the AE title was called that the rule asks for: see --called"
                case nil: verdict
                }
            return "\(rule) -> \(destination): \(instances) instances \(verdict)"
        }
    }

    private let routing: RoutingConfiguration
    private let store: RelationalStore

    init(_ routing: RoutingConfiguration, _ store: RelationalStore) {
        self.routing = routing
        self.store = store
    }

    /// In the order of the rules.
    func lines(
        of uid: String, from sender: String?, called title: String? = nil, _ access: AccessContext
    ) async throws -> [Line] {
        let table = routing.table
        // By series; nil for those without an order.
        var orders: [String: ImagingOrder?] = [:]
        var lines: [Line] = []
        try await RouteSelection(index: store, store: store).pages(of: uid, access) { page in
            for instance in page {
                let header = try await store.headers(
                    studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
                    sopInstanceUID: instance.sopInstanceUID, after: nil, limit: 1, access: access
                ).first
                guard let header else { continue }
                let order: ImagingOrder?
                if let known = orders[instance.seriesInstanceUID] {
                    order = known
                } else {
                    order = try await self.order(of: instance, access)
                    orders.updateValue(order, forKey: instance.seriesInstanceUID)
                }
                let findings = table.findings(
                    of: try StoredHeader(header).dataSet, from: sender ?? instance.receivedFrom, called: title,
                    order: order)
                for finding in findings { count(finding, in: &lines) }
            }
        }
        return lines
    }

    /// Counts an instance of which a rule says so.
    private func count(_ finding: RoutingTable.Finding, in lines: inout [Line]) {
        let known = lines.firstIndex {
            $0.rule == finding.rule && $0.destination == finding.destination && $0.verdict == finding.verdict.rawValue
        }
        if let known {
            lines[known].instances += 1
        } else {
            lines.append(
                Line(
                    rule: finding.rule, destination: finding.destination, verdict: finding.verdict.rawValue,
                    instances: 1, way: way(finding.destination)))
        }
    }

    private func order(of instance: Instance, _ access: AccessContext) async throws -> ImagingOrder? {
        try await (store as any WorkflowStore).read(access) { unit in
            let series = try unit.series(instance.seriesInstanceUID, in: instance.studyInstanceUID)
            return try series?.reconciliation.orderID.flatMap { try unit.order($0) }
        }
    }

    private func way(_ name: String) -> String {
        guard let destination = routing.destinations.first(where: { $0.name == name }) else { return "" }
        var words =
            switch destination.way {
            case .peer(let title): "by C-STORE to \(title)"
            case .stow(let url, let token): "by STOW to \(url)" + (token == nil ? "" : " with a token")
            }
        if destination.coercion != nil { words += ", coerced" }
        if destination.deidentification != nil { words += ", de-identified" }
        if !destination.windows.isEmpty { words += ", within its windows" }
        if destination.reportHours != nil { words += ", to be committed to" }
        return words
    }
}
