import ArgumentParser
import SQLStore
import Workflow

/// `hilum peer …`: the hospital systems that may connect.
struct PeerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peer", abstract: "Add, list and remove DICOM application entities and HL7 senders.",
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a system connect.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "The AE title of a modality, PACS or viewer.") var ae: String?
        @Option(help: "Where its own listener is, for what this server sends to it.") var host: String?
        @Option var port: Int?
        @Option(name: .customLong("mllp-app"), help: "MSH-3 of an HL7 sender.") var mllpApp: String?
        @Option(name: .customLong("mllp-facility"), help: "MSH-4 of an HL7 sender.") var mllpFacility: String?
        @Option(help: "Bind the peer to a TLS certificate: its SHA-256 in hex.") var fingerprint: String?
        @Option(
            help: """
                What becomes of other content that an AE sends under a SOP Instance UID in use: keep-first refuses it \
                (0111H), replace keeps the old one as a superseded version.
                """)
        var onConflict: String?
        @Option(
            help: ArgumentHelp(
                "What it may do, joined by commas. An AE: echo, store, worklist, query, retrieve, commit, mpps (left out: echo). A sender: adt, orders, results (left out: nothing). Or all.",
                valueName: "roles"))
        var may: String?

        func run() async throws {
            let policy = try onConflict.map { text in
                guard let policy = ConflictPolicy(rawValue: text) else {
                    let known = ConflictPolicy.allCases.map(\.rawValue).joined(separator: " or ")
                    throw ValidationError("--on-conflict is \(known)")
                }
                return policy
            }
            var peer: Peer
            if let ae, mllpApp == nil {
                guard (1...16).contains(ae.utf8.count), ae.utf8.allSatisfy({ $0 >= 32 && $0 < 127 && $0 != 92 }) else {
                    throw ValidationError("an AE title has 1 to 16 printable characters and no backslash (PS3.5 §6.2)")
                }
                peer = Peer(
                    kind: .applicationEntity, name: ae, host: host, port: port,
                    certificateFingerprint: fingerprint?.lowercased(), conflictPolicy: policy)
            } else if let mllpApp, ae == nil {
                peer = Peer(
                    kind: .messageSender, name: "\(mllpApp)|\(mllpFacility ?? "")", host: host, port: port,
                    certificateFingerprint: fingerprint?.lowercased())
            } else {
                throw ValidationError("give either --ae TITLE or --mllp-app APP [--mllp-facility FACILITY]")
            }
            peer.may = try Self.roles(may, of: peer.kind)
            try await StoreComposition.with(ServerFolder(folder)) { [peer] in try await $0.save(peer) }
            print("added \(peer.kind.rawValue) \(peer.name), may \(PeerCommand.text(peer.may))")
            if may == nil {
                let all = PeerCommand.text(peer.kind.roles)
                print("to let it do more, add it again with --may and some of \(all)")
            }
        }

        /// Roles of a list; those of least right without one.
        private static func roles(_ list: String?, of kind: Peer.Kind) throws -> Set<Peer.Role> {
            guard let list else { return kind.leastRoles }
            if list == "all" { return kind.roles }
            var roles: Set<Peer.Role> = []
            for name in list.split(separator: ",", omittingEmptySubsequences: false) {
                guard let role = Peer.Role(rawValue: String(name)), kind.roles.contains(role) else {
                    throw ValidationError("--may: `\(name)` is none of \(PeerCommand.text(kind.roles)), all")
                }
                roles.insert(role)
            }
            return roles
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List peers.")
        @Argument(help: "The server folder.") var folder: String
        func run() async throws {
            try await StoreComposition.with(ServerFolder(folder)) { store in
                for peer in try await store.peers() {
                    let address = peer.host.map { "\($0):\(peer.port.map(String.init) ?? "-")" } ?? "-"
                    print(
                        "\(peer.kind.rawValue)\t\(peer.name)\t\(address)\t\(peer.certificateFingerprint ?? "any certificate")\t\(PeerCommand.text(peer.may))"
                            + (peer.conflictPolicy.map { "\t\($0.rawValue)" } ?? "")
                    )
                }
            }
        }
    }

    /// Roles in the order in which they are documented; `nothing` for none.
    static func text(_ roles: Set<Peer.Role>) -> String {
        roles.isEmpty
            ? "nothing" : Peer.Role.allCases.filter(roles.contains).map(\.rawValue).joined(separator: ",")
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a peer.")
        @Argument(help: "The server folder.") var folder: String
        @Option var ae: String?
        @Option(name: .customLong("mllp-app")) var mllpApp: String?
        @Option(name: .customLong("mllp-facility")) var mllpFacility: String?
        func run() async throws {
            let kind: Peer.Kind
            let name: String
            if let ae {
                (kind, name) = (.applicationEntity, ae)
            } else if let mllpApp {
                (kind, name) = (.messageSender, "\(mllpApp)|\(mllpFacility ?? "")")
            } else {
                throw ValidationError("give --ae or --mllp-app")
            }
            try await StoreComposition.with(ServerFolder(folder)) { store in
                guard try await store.removePeer(kind: kind, name: name) else {
                    throw ValidationError("no such peer: \(name)")
                }
            }
            print("removed \(name)")
        }
    }
}
