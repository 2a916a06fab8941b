import Access
import DICOMTranslation
import Foundation
import Workflow

/// The archives behind the server and what is fetched from them: whether what the configuration says of them can be done.
struct ArchiveDoctor {
    typealias Finding = DoctorFinding

    let configuration: ServerConfiguration
    let peers: [Peer]
    /// The server folder, as commands name it.
    let folder: String
    /// Bytes that are free where blobs lie; nil where that is not known.
    var freeBytes: Int64?
    /// Bytes of all copies that are held.
    var heldBytes: Int64 = 0

    private var archives: [Peer] { peers.filter { $0.kind == .applicationEntity && $0.archive != nil } }
    private func peer(_ title: String) -> Peer? {
        peers.first { $0.kind == .applicationEntity && $0.name == title }
    }

    var findings: [Finding] { ofArchives + ofNames + ofRules + ofRouting + ofCache }

    // MARK: Archives

    private var ofArchives: [Finding] {
        var findings: [Finding] = []
        for archive in archives.sorted(by: { $0.name < $1.name }) {
            let set = "`hilum peer set \(folder) --ae \(archive.name)`"
            if archive.host == nil || archive.port == nil {
                findings.append(
                    .init(
                        kind: .bad, text: "archive \(archive.name): where it listens is not known",
                        fix: "\(set) with --host and --port"))
            }
            if !archive.offers.contains(.find) {
                findings.append(
                    .init(
                        kind: .bad, text: "archive \(archive.name): it is asked nothing, as it does not offer find",
                        fix: "\(set) with --offers find, and get or move"))
            } else if archive.offers.isDisjoint(with: [.get, .move]) {
                findings.append(
                    .init(
                        kind: .note,
                        text: "archive \(archive.name): what it has is found and cannot be retrieved here",
                        fix: "\(set) with --offers find,get (or move)"))
            }
            let comesByMove = archive.offers.contains(.move)
            if comesByMove, !archive.may.contains(.store) {
                findings.append(
                    .init(
                        kind: archive.offers.contains(.get) ? .note : .bad,
                        text: "archive \(archive.name): what it sends because of a C-MOVE is refused here",
                        fix: "\(set) with --may store"))
            }
        }
        if !archives.isEmpty, findings.isEmpty {
            findings.append(
                .init(kind: .good, text: "archives: \(archives.map(\.name).sorted().joined(separator: ", "))"))
        }
        return findings
    }

    /// Names that `archives`, `prefetch` and the titles of doors give.
    private var ofNames: [Finding] {
        var places: [(title: String, place: String)] = configuration.archives.polls.keys.sorted().map {
            ($0, "archives.\($0)")
        }
        for rule in configuration.prefetch.rules.rules {
            places += rule.archives.sorted().map { ($0, "prefetch \(rule.name): from") }
        }
        for door in configuration.doors {
            for title in door.titles {
                let place = "\(door.place).ae-titles.\(title.title).archives"
                places += (title.archives ?? []).sorted().map { ($0, place) }
            }
        }
        return places.compactMap { title, place in
            guard let peer = peer(title) else {
                return .init(
                    kind: .bad, text: "\(place): \(title) is no peer",
                    fix: "`hilum peer add \(folder) --ae \(title) --archive` with --host, --port and --offers find,get")
            }
            guard peer.archive == nil else { return nil }
            return .init(
                kind: .bad, text: "\(place): \(title) is no archive",
                fix: "`hilum peer set \(folder) --ae \(title) --archive`, or take it out of hilum.yaml")
        }
    }

    // MARK: Prefetch

    private var ofRules: [Finding] {
        let rules = configuration.prefetch.rules.rules
        guard !rules.isEmpty else { return [] }
        var findings: [Finding] = []
        let fetchable = Set(archives.filter { !$0.offers.isDisjoint(with: [.get, .move]) }.map(\.name))
        if fetchable.isEmpty {
            findings.append(
                .init(
                    kind: .bad, text: "prefetch: there is no archive that anything can be fetched from",
                    fix: "`hilum peer add \(folder) --archive` with --offers find,get, or take the rules out"))
        }
        for (index, rule) in rules.enumerated() {
            if !rule.archives.isEmpty, !fetchable.isEmpty, rule.archives.isDisjoint(with: fetchable),
                rule.archives.allSatisfy({ peer($0)?.archive != nil })
            {
                findings.append(
                    .init(
                        kind: .bad, text: "prefetch \(rule.name): nothing can be fetched from any of its archives",
                        fix: "give one of them --offers get or move"))
            }
            let asked = rule.modalities + rule.priors.modalities
            for pattern in asked where !Self.canBeModality(pattern.text) {
                findings.append(
                    .init(
                        kind: .bad, text: "prefetch \(rule.name): no modality is called \(pattern.text)",
                        fix: "modalities are 2 to 16 capitals and digits, as CT or MR (PS3.3 §C.7.3.1.1.1)"))
            }
            if let earlier = rules[..<index].first(where: { Self.covers($0, rule) }) {
                findings.append(
                    .init(
                        kind: .note,
                        text: "prefetch \(rule.name): \(earlier.name) fetches all that it would fetch",
                        fix: "leave it out, or give it a larger number or other conditions"))
            }
        }
        if findings.isEmpty { findings.append(.init(kind: .good, text: "prefetch: \(rules.count) rules")) }
        return findings
    }

    /// A code string, or a pattern of which one may come. PS3.5 §6.2 CS.
    private static func canBeModality(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 16
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                    UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: " "):
                    true
                default: false
                }
            }
    }

    /// Whether all that a rule has fetched another has fetched too: because of as much, and of the same studies as many.
    private static func covers(_ rule: PrefetchRule, _ other: PrefetchRule) -> Bool {
        func admits(_ patterns: [TextPattern], _ others: [TextPattern]) -> Bool {
            patterns.isEmpty || (!others.isEmpty && Set(others.map(\.text)).isSubset(of: Set(patterns.map(\.text))))
        }
        let (priors, others) = (rule.priors, other.priors)
        let isAsOld = priors.days.map { days in others.days.map { $0 <= days } ?? false } ?? true
        return other.causes.isSubset(of: rule.causes) && admits(rule.modalities, other.modalities)
            && admits(rule.bodyParts, other.bodyParts) && admits(rule.descriptions, other.descriptions)
            && priors.modalities == others.modalities && priors.descriptions == others.descriptions && isAsOld
            && priors.number >= others.number && rule.archives == other.archives
    }

    // MARK: Routing

    private var ofRouting: [Finding] {
        let rules = configuration.routing.rules
        var findings: [Finding] = []
        let known = Set(peers.filter { $0.kind == .applicationEntity }.map(\.name))
        for rule in rules {
            let exact = rule.senders.map(\.text).filter { !$0.contains("*") && !$0.contains("?") }
            // Senders may be clients of STOW too, whose ids are no AE titles.
            let titles = exact.filter { DoorConfiguration.isAETitle($0) && $0 == $0.uppercased() }
            guard !rule.senders.isEmpty, exact.count == rule.senders.count, titles.count == exact.count,
                known.isDisjoint(with: titles), !known.isEmpty
            else { continue }
            findings.append(
                .init(
                    kind: .note,
                    text: "routing \(rule.name): none of its senders is a peer (\(titles.joined(separator: ", ")))",
                    fix: "correct `from`, or `hilum peer add \(folder) --ae \(titles[0]) --may store`"))
        }
        for destination in configuration.routing.destinations {
            guard case .peer(let title) = destination.way, let peer = peer(title), peer.archive != nil,
                !peer.offers.isDisjoint(with: [.get, .move]), destination.deidentification != nil
            else { continue }
            findings.append(
                .init(
                    kind: .note,
                    text:
                        "routing: \(destination.name) is sent de-identified images and is an archive that is asked too",
                    fix:
                        "what comes back from \(title) names pseudonyms; take --archive from it, or send it all as it is"
                ))
        }
        return findings
    }

    // MARK: Cache

    private var ofCache: [Finding] {
        guard !archives.isEmpty else { return [] }
        let rule = configuration.archiveCache
        guard rule.bytesMax > 0 || rule.days > 0 else {
            return [
                .init(
                    kind: .note, text: "archive-cache: copies of archives' studies never leave",
                    fix: "say how much they may take: archive-cache: { bytes: ..., days: ... }")
            ]
        }
        guard rule.bytesMax > 0, let freeBytes else { return [] }
        let lacking = rule.bytesMax - heldBytes - freeBytes
        guard lacking > 0 else {
            return [
                .init(
                    kind: .good,
                    text: "archive-cache: \(heldBytes >> 20) of \(rule.bytesMax >> 20) MiB are held")
            ]
        }
        return [
            .init(
                kind: .bad,
                text: "archive-cache: the disk has \(lacking >> 20) MiB less than copies may take (bytes)",
                fix: "make room for it, or set archive-cache.bytes to \((heldBytes + freeBytes) >> 21) MiB or less")
        ]
    }
}

extension DoctorCommand {
    /// What `archives`, `prefetch`, `routing` and `archive-cache` say, beside the peers.
    func checkArchives(
        _ peers: [Peer], _ configuration: ServerConfiguration, _ server: ServerFolder, heldBytes: Int64,
        _ doctor: inout Doctor
    ) {
        var archives = ArchiveDoctor(configuration: configuration, peers: peers, folder: server.path)
        let path = server.resolve(configuration.store.blobs)
        let disk = try? FileManager.default.attributesOfFileSystem(forPath: path)
        archives.freeBytes = (disk?[.systemFreeSize] as? NSNumber)?.int64Value
        archives.heldBytes = heldBytes
        doctor.tell(archives.findings)
    }
}
