import ArgumentParser
import FHIRModel
import Foundation

/// The files that a command names.
struct ImportFiles {
    /// For files whose names tell none.
    let type: String?

    /// In the order in which they are named; those of a folder by name. Throws a `ValidationError` for what is not there,
    /// and for a file whose type nothing tells.
    func files(_ sources: [String]) throws -> [(type: String, url: String)] {
        try sources.flatMap { source -> [(type: String, url: String)] in
            if source.hasPrefix("https://") { return [(try type(of: source, isLocal: false), source)] }
            if source.contains("://") { throw ValidationError("\(source): only https is fetched") }
            let path = URL(fileURLWithPath: source).standardizedFileURL.path
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw ValidationError("\(source) is not there")
            }
            let paths =
                isFolder.boolValue
                ? try FileManager.default.contentsOfDirectory(atPath: path).filter(Self.isNDJSON).sorted()
                    .map { path + "/" + $0 } : [path]
            return try paths.map { (try type(of: $0, isLocal: true), LocalDownloads.scheme + $0) }
        }
    }

    private static func isNDJSON(_ name: String) -> Bool {
        [".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz"].contains { name.lowercased().hasSuffix($0) }
    }

    /// By a part of the name, as in `Patient.ndjson` and `1.Patient.000.ndjson`, else as the command says, else by the
    /// first line.
    private func type(of place: String, isLocal: Bool) throws -> String {
        let name = place.prefix { $0 != "?" }.split(separator: "/").last ?? ""
        for part in name.split(whereSeparator: { ".-_".contains($0) })
        where FHIRDefinitions.r4.isResourceType(String(part)) {
            return String(part)
        }
        if let type { return type }
        if isLocal, let found = Self.firstType(place) { return found }
        throw ValidationError("\(place): its name tells no resource type; name one with --type")
    }

    /// Of a plain file's first line, where it is a resource.
    private static func firstType(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        let bytes = [UInt8](file.readData(ofLength: 1 << 20))
        return NDJSON.lines(bytes).first.flatMap { try? Resource(parsing: Array($0)) }?.resourceType
    }

    /// Bytes of all files; 0 where some are elsewhere or compressed.
    static func byteCount(_ files: [(type: String, url: String)]) -> Int64 {
        var sum: Int64 = 0
        for (_, url) in files {
            guard url.hasPrefix(LocalDownloads.scheme), !url.hasSuffix(".gz"),
                let attributes = try? FileManager.default.attributesOfItem(
                    atPath: String(url.dropFirst(LocalDownloads.scheme.count))),
                let size = (attributes[.size] as? NSNumber)?.int64Value
            else { return 0 }
            sum += size
        }
        return sum
    }
}
