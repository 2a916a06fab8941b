import Foundation

/// The package as it lies on disk: its root is found from this file, symbolic links resolved.
struct PackageTree {
    let root: URL

    /// The tree this test was built from.
    static let here = PackageTree(
        root: URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent())

    /// One file: its path from the root, with `/` between names, and its text (empty where it is not UTF-8).
    struct File {
        let path: String
        let text: String

        var name: String { String(path.split(separator: "/").last ?? "") }
        var components: [String] { path.split(separator: "/").map(String.init) }
    }

    /// Folders that are made, not written: never part of a check.
    private static let made: Set<String> = [
        ".git", ".build", ".build-tools", ".swiftpm", ".venv", "__pycache__", "run",
    ]

    /// Every file below a folder of the package, sorted by path; only those whose name ends as given.
    func files(under folder: String, ending suffixes: [String] = [""]) -> [File] {
        let keys: [URLResourceKey] = [.isDirectoryKey]
        let start = folder.isEmpty ? root : root.appendingPathComponent(folder)
        guard let walk = FileManager.default.enumerator(at: start, includingPropertiesForKeys: keys) else { return [] }
        var found: [File] = []
        for case let url as URL in walk {
            if Self.made.contains(url.lastPathComponent) || url.lastPathComponent.hasPrefix(".build-") {
                walk.skipDescendants()
                continue
            }
            let isFolder = (try? url.resourceValues(forKeys: Set(keys)).isDirectory) ?? false
            guard !isFolder, suffixes.contains(where: { url.lastPathComponent.hasSuffix($0) }) else { continue }
            let path = String(url.path.dropFirst(root.path.count + 1))
            let text = (try? Data(contentsOf: url)).flatMap { String(data: $0, encoding: .utf8) } ?? ""
            found.append(File(path: path, text: text))
        }
        return found.sorted { $0.path < $1.path }
    }

    /// The names of the folders directly in a folder, sorted.
    func folders(in folder: String) -> [String] {
        let start = root.appendingPathComponent(folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: start.path)) ?? []
        return names.filter { name in
            var isFolder: ObjCBool = false
            let path = start.appendingPathComponent(name).path
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }.sorted()
    }

    /// `Package.swift`.
    var manifest: String {
        (try? String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8)) ?? ""
    }
}
