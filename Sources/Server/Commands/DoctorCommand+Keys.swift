import BlobStore
import Foundation
import Workflow

/// The master key, and the store's keys that it seals.
extension DoctorCommand {
    /// Gives the keys, for what else is looked at; nil where they do not open, which is said.
    func checkMasterKey(
        _ configuration: ServerConfiguration, _ server: ServerFolder, _ doctor: inout Doctor
    ) -> StoreKeys? {
        let opened: StoreKeys
        do { opened = try StoreKeys.load(configuration, server) } catch {
            doctor.bad("master key: \(error)", fix: "as it says, or restore it from your backup")
            return nil
        }
        let sources = [configuration.store.masterKey] + configuration.store.previousMasterKeys
        let source = sources[min(opened.master, sources.count - 1)]
        let names = Set(opened.copies.filter { $0.keys?.ring == opened.keys.ring }.compactMap(\.file).flatMap(\.slots))
            .map(\.name).sorted()
        if opened.isOfMasterAlone {
            doctor.note(
                "master key: \(source.words) is the store's only key, \(opened.ring.current.name), which wraps the keys of "
                    + "objects itself",
                fix: "run `hilum key rotate \(server.path)`, so that it can be changed")
        } else {
            doctor.good(
                "master key: \(source.words) opens the store's keys, which are \(opened.keys.keys.count), the newest "
                    + "\(opened.ring.current.name); sealed under \(names.joined(separator: " and "))")
        }
        let rotate = "run `hilum key rotate \(server.path)`"
        if names.count > 1 || opened.master > 0 {
            doctor.note("master key: a change of it is not through", fix: rotate)
        }
        let whole = opened.copies.first { $0.keys?.ring == opened.keys.ring }
        for copy in opened.copies {
            guard let whole, copy.path != whole.path else { continue }
            let fix = "cp \(whole.path) \(copy.path)"
            switch copy.state {
            case .missing: doctor.note("store keys: \(copy.path) is not there, the other copy is", fix: fix)
            case .damaged(let why): doctor.bad("store keys: \(copy.path): \(why)", fix: fix)
            case .closed(let file) where file.ring == opened.keys.ring:
                if file.generation < whole.file?.generation ?? 0 {
                    doctor.note("store keys: \(copy.path) is of before the master key was changed", fix: fix)
                } else {
                    doctor.bad(
                        "store keys: \(copy.path) is of a copy of this store whose master key was changed there",
                        fix: "keep it with that copy; then here " + fix)
                }
            case .open(_, let keys, _) where keys.ring == opened.keys.ring: break
            case .closed, .open: doctor.good("store keys: \(copy.path) is of another store")
            }
        }
        reportOldKeys(configuration, server, &doctor)
        return opened
    }

    private func reportOldKeys(_ configuration: ServerConfiguration, _ server: ServerFolder, _ doctor: inout Doctor) {
        guard case .file(let name) = configuration.store.masterKey else { return }
        for old in StoreKeys.oldMasterKeys(beside: server.resolve(name)) {
            doctor.note(
                "master key: an old one is kept in \(old.path)",
                fix: "remove it once no backup of before its change is kept")
        }
    }
}
