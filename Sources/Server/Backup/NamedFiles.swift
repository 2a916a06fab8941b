import Foundation
import Workflow

/// Files of a server folder that the configuration or a peer names, beside those that each folder has: certificates and
/// authorities of doors and of feeds of the audit trail, profiles of senders, keys of destinations, of sources of imports, of
/// identities at peers, of outside providers and of pseudonyms, master keys. What lies outside of the folder is not Hilum's
/// to copy.
struct NamedFiles {
    /// Paths below the server folder.
    let files: [String]
    /// The same of keys, which a backup has only when they are asked for; also a certificate in one file with its key.
    let keys: [String]

    init(_ configuration: ServerConfiguration, _ peers: [Peer]) {
        let doors = configuration.doors
        let ofOthers: [String] =
            configuration.routing.keyFiles + configuration.imports.sources.map(\.token.key)
            + configuration.identities.keyFiles
        let keys = Self.inside(
            doors.map(\.key) + ofOthers + configuration.outsideKeyFiles + configuration.audit.keyFiles
                + [ServerFolder.pseudonymKeyName] + configuration.store.keyFiles)
        self.keys = keys
        files = Self.inside(
            doors.flatMap { [$0.certificate, $0.clientAuthorities] }
                + configuration.audit.feeds.flatMap { [$0.certificate, $0.authorities] }
                + [configuration.outbound.authorities] + peers.map(\.profile)
        ).filter { !keys.contains($0) }
    }

    /// Those below the folder, each once, without `.`.
    static func inside(_ names: [String?]) -> [String] {
        var seen: Set<String> = []
        return names.compactMap { name in
            guard let name, !name.hasPrefix("/") else { return nil }
            let parts = name.split(separator: "/").filter { $0 != "." }
            let path = parts.joined(separator: "/")
            return parts.isEmpty || parts.contains("..") || !seen.insert(path).inserted ? nil : path
        }
    }

    /// Copies files from below one folder to below another; those that are not there are passed over.
    static func copy(_ names: [String], from source: String, to target: String) throws {
        for name in names {
            let from = source + "/" + name
            let to = URL(fileURLWithPath: target + "/" + name)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: from, isDirectory: &isFolder), !isFolder.boolValue else {
                continue
            }
            let folder = to.deletingLastPathComponent().path
            try DurableFiles.makeFolder(folder)
            _ = try DurableFiles.copy(from, to: to.path)
            try DurableFiles.synchronize(folder: folder)
        }
    }

    /// All files below a folder; none where it is not there.
    static func below(_ folder: String) -> [String] {
        (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    }
}
