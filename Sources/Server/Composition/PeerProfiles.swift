import Foundation
import HL7Translation
import Logging
import Synchronization
import Workflow

/// The profiles that messages are read by: that of the site, and over it those of senders, from `peers:` of the site
/// profile or from a file of their own (`hilum peer set --profile FILE`), which is read again when it changes.
final class PeerProfiles: Sendable {
    /// What tells one state of a file from another.
    private struct Stamp: Equatable {
        var path: String
        var modified: Date?
        var size: Int?
        var file: Int?
    }
    private struct Loaded {
        var stamp: Stamp
        var profile: SiteProfile
        /// Of a later state of the file that could not be read.
        var refused: Stamp?
    }

    private let site: SiteProfile
    private let folder: ServerFolder
    private let logger: Logger
    private let loaded = Mutex<[String: Loaded]>([:])

    init(_ site: SiteProfile, _ folder: ServerFolder, logger: Logger) {
        self.site = site
        self.folder = folder
        self.logger = logger
    }

    /// That of a sender, `MSH-3.1|MSH-4.1`.
    func profile(of sender: String) -> SiteProfile {
        loaded.withLock { $0[sender]?.profile } ?? site.peers[sender] ?? site
    }

    /// Has a sender's profile as its file is now. A file that cannot be read any more leaves the profile as it was, and
    /// the log says so; throws ``ConfigurationError`` where there was none.
    func use(_ peer: Peer) throws {
        guard let name = peer.profile else {
            loaded.withLock { $0[peer.name] = nil }
            return
        }
        let stamp = stamp(folder.resolve(name))
        let known = loaded.withLock { $0[peer.name] }
        if let known, known.stamp == stamp || known.refused == stamp { return }
        do {
            let profile = try Self.read(name, folder, over: site)
            loaded.withLock { $0[peer.name] = Loaded(stamp: stamp, profile: profile) }
        } catch {
            guard known?.stamp.path == stamp.path else { throw error }
            loaded.withLock { $0[peer.name]?.refused = stamp }
            logger.error(
                "a sender's profile is not taken; the old one stays",
                metadata: ["peer": "\(peer.name)", "error": "\(error)"])
        }
    }

    /// Reads a file. Throws ``ConfigurationError`` with its place.
    static func read(_ name: String, _ folder: ServerFolder, over site: SiteProfile) throws -> SiteProfile {
        let path = folder.resolve(name)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(path) cannot be read")
        }
        do { return try SiteProfile(yaml: String(decoding: data, as: UTF8.self), over: site) } catch {
            throw ConfigurationError("\(path): \(error)")
        }
    }

    private func stamp(_ path: String) -> Stamp {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return Stamp(
            path: path, modified: attributes?[.modificationDate] as? Date, size: attributes?[.size] as? Int,
            file: attributes?[.systemFileNumber] as? Int)
    }
}
