import Access
import ArgumentParser
import DICOMData
import DICOMTranslation
import HL7v2
import Workflow

/// Which peer is meant.
struct PeerName: ParsableArguments {
    @Argument(help: "The server folder.") var folder: String
    @Option(help: "The AE title of a modality, PACS or viewer.") var ae: String?
    @Option(name: .customLong("mllp-app"), help: "MSH-3 of an HL7 system.") var mllpApp: String?
    @Option(name: .customLong("mllp-facility"), help: "MSH-4 of an HL7 system.") var mllpFacility: String?

    /// Throws `ValidationError` unless one peer is named.
    func key() throws -> (kind: Peer.Kind, name: String) {
        switch (ae, mllpApp) {
        case (let title?, nil) where mllpFacility == nil:
            guard (1...16).contains(title.utf8.count),
                title.utf8.allSatisfy({ $0 >= 32 && $0 < 127 && $0 != 92 })
            else {
                throw ValidationError("an AE title has 1 to 16 printable characters and no backslash (PS3.5 §6.2)")
            }
            return (.applicationEntity, title)
        case (nil, let application?): return (.messageSender, "\(application)|\(mllpFacility ?? "")")
        default: throw ValidationError("give either --ae TITLE or --mllp-app APP [--mllp-facility FACILITY]")
        }
    }
}

/// What may be said of a peer.
struct PeerSettings: ParsableArguments {
    @Option(help: "Where its own listener is, for what this server sends to it.") var host: String?
    @Option(help: "The port of that listener, 1 to 65535.") var port: Int?
    @Option(
        help: ArgumentHelp(
            "How it is called: off, on (its certificate is checked against the authorities of `client-authorities` and its host), or the SHA-256 of the one certificate that counts.",
            valueName: "off|on|sha-256"))
    var tls: String?
    @Option(help: "Bind the peer to a TLS certificate that it must come with: its SHA-256 in hex.") var fingerprint:
        String?
    @Option(
        name: .customLong("network"),
        help: "Bind the peer to where it comes from: an address, or a network such as 10.20.0.0/16. Repeatable.")
    var networks: [String] = []
    @Option(
        help: ArgumentHelp(
            "What it may do, joined by commas. An AE: echo, store, reject (by rejection notes), worklist, query, retrieve, commit, mpps, ups (left out: echo). A sender: adt, orders, results (left out: nothing). Or all.",
            valueName: "roles"))
    var may: String?
    @Option(
        help: ArgumentHelp(
            "What it does for this server, joined by commas. An AE: echo, find, move, get, store, commit, mpps, ian, worklist, ups (left out: echo). A receiver of messages: adt, orders, results (left out: nothing). Or all.",
            valueName: "services"))
    var offers: String?
    @Option(
        help: """
            What becomes of other content that an AE sends under a SOP Instance UID in use: keep-first refuses it \
            (0111H), replace keeps the old one as a superseded version.
            """)
    var onConflict: String?
    @Option(help: "What text is sent to it in: such as \"ISO_IR 100\" for an AE, 8859/1 for a receiver of messages.")
    var characterSet: String?
    @Option(
        name: .customLong("transfer-syntax"),
        help: "UID of a transfer syntax that is proposed to an AE, the best first; left out: all. Repeatable.")
    var transferSyntaxes: [String] = []
    @Option(help: "Associations or connections at a time, 1 to 1000; left out: those of limits.") var connections: Int?
    @Option(help: "Bytes of a PDU that is sent to an AE at most, 4096 to 131072.") var pduLength: Int?
    @Flag(
        help: """
            An AE that is an archive (a PACS): its studies are found by QIDO-RS and C-FIND here too. Implies that it \
            offers find; with get or move among --offers they are fetched when they are retrieved here. For move it \
            needs --may store.
            """)
    var archive = false
    @Option(
        name: .customLong("archive-key"),
        help: ArgumentHelp(
            "A key that the archive matches beside those that every archive has to, such as ModalitiesInStudy; it is asked for. Repeatable.",
            valueName: "keyword"))
    var archiveKeys: [String] = []
    @Option(help: "The file of the profile that a sender's messages are read by, over the site's.") var profile: String?

    /// Says it of a peer. Throws `ValidationError` in words.
    func apply(to peer: inout Peer, in folder: ServerFolder) throws {
        try applyAddress(to: &peer)
        if let may { peer.may = try Self.words(may, of: peer.kind.roles, all: Peer.Role.allCases, "--may") }
        if let offers {
            peer.offers = try Self.words(offers, of: peer.kind.services, all: Peer.Service.allCases, "--offers")
        }
        if let onConflict {
            try Self.ofEntities("--on-conflict", peer)
            guard let policy = ConflictPolicy(rawValue: onConflict) else {
                throw ValidationError(
                    "--on-conflict is \(ConflictPolicy.allCases.map(\.rawValue).joined(separator: " or "))")
            }
            peer.conflictPolicy = policy
        }
        if let characterSet {
            switch peer.kind {
            case .applicationEntity:
                guard SpecificCharacterSet(terms: [characterSet]).isKnown else {
                    throw ValidationError("--character-set: `\(characterSet)` is no term of PS3.3 §C.12.1.1.2")
                }
            case .messageSender:
                guard HL7v2.CharacterSet(name: characterSet) != nil else {
                    throw ValidationError(
                        "--character-set: `\(characterSet)` is no code of HL7 table 0211 that is written here")
                }
            }
            peer.characterSet = characterSet
        }
        if !transferSyntaxes.isEmpty {
            try Self.ofEntities("--transfer-syntax", peer)
            for uid in transferSyntaxes where TransferSyntax(uid: uid) == nil {
                throw ValidationError("--transfer-syntax: `\(uid)` is no UID of a transfer syntax that is known here")
            }
            peer.transferSyntaxes = transferSyntaxes
        }
        if let connections {
            guard (1...1_000).contains(connections) else { throw ValidationError("--connections is 1 to 1000") }
            peer.connectionsMax = connections
        }
        if let pduLength {
            try Self.ofEntities("--pdu-length", peer)
            guard (4_096...131_072).contains(pduLength) else { throw ValidationError("--pdu-length is 4096 to 131072") }
            peer.pduLengthMax = pduLength
        }
        try applyArchive(to: &peer)
        if let profile {
            guard peer.kind == .messageSender else { throw ValidationError("--profile is of HL7 systems") }
            let site = try ServerComposition.siteProfile(try ServerConfiguration.load(from: folder), folder)
            do { _ = try PeerProfiles.read(profile, folder, over: site) } catch {
                throw ValidationError("--profile: \(error)")
            }
            peer.profile = profile
        }
    }

    private func applyArchive(to peer: inout Peer) throws {
        guard archive || !archiveKeys.isEmpty else { return }
        try Self.ofEntities("--archive", peer)
        guard archive || peer.archive != nil else {
            throw ValidationError("--archive-key is of archives; see --archive")
        }
        var capabilities = peer.archive ?? ArchiveCapabilities()
        for keyword in archiveKeys {
            guard let tag = DICOMData.Tag(keyword: keyword), let found = QueryKeys.key(for: tag),
                found.level != .instance
            else {
                throw ValidationError("--archive-key: `\(keyword)` is no key of studies or series that is matched here")
            }
            capabilities.keys.insert(found.key)
        }
        peer.archive = capabilities
        peer.offers.insert(.find)
    }

    private func applyAddress(to peer: inout Peer) throws {
        if let host {
            guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
                throw ValidationError("--host: a name or an address")
            }
            peer.host = host
        }
        if let port {
            guard (1...65_535).contains(port) else { throw ValidationError("--port is 1 to 65535") }
            peer.port = port
        }
        if let tls {
            guard let way = Peer.TLS(text: tls) else {
                throw ValidationError("--tls is off, on, or the SHA-256 of a certificate: 64 hexadecimal digits")
            }
            peer.tls = way
        }
        if let fingerprint {
            guard let digits = Peer.TLS.fingerprint(fingerprint) else {
                throw ValidationError("--fingerprint: the SHA-256 of a certificate, 64 hexadecimal digits")
            }
            peer.certificateFingerprint = digits
        }
        if !networks.isEmpty {
            peer.networks = try networks.map { text in
                guard let network = IPNetwork(text) else {
                    throw ValidationError("--network: `\(text)` is no network, such as 10.20.0.0/16 or 10.0.0.7")
                }
                return network
            }
        }
    }

    private static func ofEntities(_ option: String, _ peer: Peer) throws {
        guard peer.kind == .applicationEntity else { throw ValidationError("\(option) is of application entities") }
    }

    /// Words of a list.
    private static func words<Word: RawRepresentable<String> & Hashable>(
        _ list: String, of known: Set<Word>, all: [Word], _ option: String
    ) throws -> Set<Word> {
        if list == "all" { return known }
        if list == "none" { return [] }
        var words: Set<Word> = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let word = Word(rawValue: String(name)), known.contains(word) else {
                let names = all.filter(known.contains).map(\.rawValue).joined(separator: ",")
                throw ValidationError("\(option): `\(name)` is none of \(names), all, none")
            }
            words.insert(word)
        }
        return words
    }
}

/// A setting that can be taken back.
enum PeerSetting: String, CaseIterable, ExpressibleByArgument {
    case address, tls, fingerprint, networks, onConflict = "on-conflict", characterSet = "character-set"
    case transferSyntaxes = "transfer-syntaxes", connections, pduLength = "pdu-length", profile, archive

    func clear(_ peer: inout Peer) {
        switch self {
        case .address: (peer.host, peer.port) = (nil, nil)
        case .tls: peer.tls = .off
        case .fingerprint: peer.certificateFingerprint = nil
        case .networks: peer.networks = []
        case .onConflict: peer.conflictPolicy = nil
        case .characterSet: peer.characterSet = nil
        case .transferSyntaxes: peer.transferSyntaxes = []
        case .connections: peer.connectionsMax = nil
        case .pduLength: peer.pduLengthMax = nil
        case .profile: peer.profile = nil
        case .archive: peer.archive = nil
        }
    }
}
