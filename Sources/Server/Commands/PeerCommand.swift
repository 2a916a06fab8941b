import Access
import ArgumentParser
import Foundation
import SQLStore
import Workflow

/// `hilum peer …`: the hospital systems that may connect, and those that are called.
struct PeerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peer", abstract: "Add, change, test, list and remove DICOM application entities and HL7 systems.",
        subcommands: [Add.self, Change.self, Test.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a system connect; one of that name that is there already is replaced.")
        @OptionGroup var name: PeerName
        @OptionGroup var settings: PeerSettings
        @Flag(help: "The peer as JSON.") var json = false

        func run() async throws {
            let (kind, name) = try name.key()
            let folder = ServerFolder(self.name.folder)
            var peer = Peer(kind: kind, name: name, may: kind.leastRoles)
            try settings.apply(to: &peer, in: folder)
            try await PeerCommand.save(peer, folder, "peer add")
            if json { return try PeerText.printJSON(peer) }
            print("added \(peer.kind.rawValue) \(peer.name), may \(PeerText.words(peer.may))")
            if settings.may == nil {
                let all = PeerText.words(peer.kind.roles)
                print("to let it do more, `hilum peer set` with --may and some of \(all)")
            }
            for note in PeerText.notes(peer) { print(note) }
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Change what is said of a system; what is not named stays.")
        @OptionGroup var name: PeerName
        @OptionGroup var settings: PeerSettings
        @Option(
            help: ArgumentHelp(
                "Take back: \(PeerSetting.allCases.map(\.rawValue).joined(separator: ", ")). Repeatable.",
                valueName: "setting"))
        var clear: [PeerSetting] = []
        @Flag(help: "The peer as JSON.") var json = false

        func run() async throws {
            let (kind, name) = try name.key()
            let folder = ServerFolder(self.name.folder)
            let known = try await PeerCommand.peer(kind, name, folder)
            var peer = known
            for setting in clear { setting.clear(&peer) }
            try settings.apply(to: &peer, in: folder)
            try await PeerCommand.save(peer, folder, "peer set")
            if json { return try PeerText.printJSON(peer) }
            print("set \(PeerText.line(peer))")
            for note in PeerText.notes(peer) { print(note) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List peers.")
        @Argument(help: "The server folder.") var folder: String
        @Flag(help: "As JSON.") var json = false
        func run() async throws {
            try await StoreComposition.with(ServerFolder(folder)) { store in
                let peers = try await store.peers()
                if json { return try PeerText.printJSON(peers) }
                for peer in peers { print(PeerText.line(peer)) }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a peer.")
        @OptionGroup var name: PeerName
        func run() async throws {
            let (kind, name) = try name.key()
            try await StoreComposition.with(ServerFolder(self.name.folder)) { store in
                let isRemoved = try await store.removePeer(
                    kind: kind, name: name, recording: .ofCommand("peer remove", .delete, "peer:" + name))
                guard isRemoved else { throw ValidationError("no such peer: \(name)") }
            }
            print("removed \(name)")
        }
    }

    /// Throws `ValidationError` for one that is not there.
    static func peer(_ kind: Peer.Kind, _ name: String, _ folder: ServerFolder) async throws -> Peer {
        try await StoreComposition.using(try ServerConfiguration.load(from: folder), folder) { store in
            guard let peer = try await store.peer(kind: kind, name: name) else {
                throw ValidationError("no such peer: \(name); `hilum peer add` makes one")
            }
            return peer
        }
    }

    static func save(_ peer: Peer, _ folder: ServerFolder, _ command: String) async throws {
        try await StoreComposition.with(folder) { store in
            try await store.save(peer, recording: .ofCommand(command, .update, "peer:" + peer.name))
        }
    }
}

/// Peers in words and as JSON.
enum PeerText {
    /// Words in the order in which they are documented; `nothing` for none.
    static func words<Word: RawRepresentable<String> & Hashable & CaseIterable>(_ words: Set<Word>) -> String {
        words.isEmpty ? "nothing" : Word.allCases.filter(words.contains).map(\.rawValue).joined(separator: ",")
    }

    /// Kind, name, address, certificate and roles, then what is otherwise than when nothing is said.
    static func line(_ peer: Peer) -> String {
        var parts = [
            peer.kind.rawValue, peer.name,
            peer.host.map { "\($0):\(peer.port.map(String.init) ?? "-")" } ?? "-",
            peer.certificateFingerprint ?? "any certificate", words(peer.may),
        ]
        if let policy = peer.conflictPolicy { parts.append(policy.rawValue) }
        if peer.offers != peer.kind.leastServices { parts.append("offers \(words(peer.offers))") }
        if peer.tls != .off { parts.append("tls \(peer.tls.text)") }
        if !peer.networks.isEmpty { parts.append("from \(peer.networks.map(\.description).joined(separator: ","))") }
        if let set = peer.characterSet { parts.append("text in \(set)") }
        if !peer.transferSyntaxes.isEmpty {
            parts.append("transfer syntaxes \(peer.transferSyntaxes.joined(separator: ","))")
        }
        if let count = peer.connectionsMax { parts.append("\(count) connections") }
        if let length = peer.pduLengthMax { parts.append("PDUs of \(length) bytes") }
        if let profile = peer.profile { parts.append("profile \(profile)") }
        if let archive = peer.archive {
            let more = archive.keys.subtracting(ArchiveCapabilities.least).map(\.rawValue).sorted()
            parts.append((["archive"] + more).joined(separator: " "))
        }
        return parts.joined(separator: "\t")
    }

    /// What an operator may have overlooked.
    static func notes(_ peer: Peer) -> [String] {
        var notes: [String] = []
        let needed = peer.offers.subtracting(peer.kind.leastServices)
        if !needed.isEmpty, peer.host == nil || peer.port == nil {
            notes.append("it has no address: nothing of what it offers is asked of it until --host and --port are set")
        }
        if peer.archive != nil, !peer.offers.contains(.find) {
            notes.append("it is an archive that is not asked: see --offers find")
        }
        if peer.host != nil, peer.tls == .off, !DoorConfiguration.isLoopback(peer.host ?? "") {
            notes.append("it is called in clear text: patient data can be read on the network; see --tls")
        }
        if !PeerBinding.address.isMet(by: peer), !peer.may.isEmpty {
            notes.append("it is known by its name alone; see --network and --fingerprint")
        }
        return notes
    }

    /// One peer as an object, several as an array; keys as they are kept.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
