import Foundation

/// What the numbers were measured on.
struct Machine {
    /// UTC, ISO 8601.
    let date: String
    let line: String

    init(folder: String) {
        date = ISO8601DateFormatter().string(from: Date())
        let processor = Self.file("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } }
        let memory = Self.kibibytes("MemTotal", in: "/proc/meminfo").map { "\($0 >> 20) GiB" } ?? "unknown memory"
        let kernel = Self.file("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines)
        let load = Self.file("/proc/loadavg").split(separator: " ").first.map(String.init) ?? "?"
        line =
            "\(processor ?? "unknown processor"), \(ProcessInfo.processInfo.activeProcessorCount) cores, \(memory),"
            + " Linux \(kernel), \(Self.fileSystem(of: folder)), load \(load) at the start"
    }

    /// A line such as "VmRSS:  1234 kB" of a file of /proc.
    static func kibibytes(_ name: String, in path: String) -> Int? {
        let line = file(path).split(separator: "\n").first { $0.hasPrefix(name + ":") }
        let words = line?.split { $0 == " " || $0 == "\t" } ?? []
        return words.count > 1 ? Int(words[1]) : nil
    }

    private static func file(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    /// The type of the file system that holds a path: of the longest mount point above it.
    private static func fileSystem(of path: String) -> String {
        var best = (length: -1, type: "unknown file system")
        for mount in file("/proc/mounts").split(separator: "\n") {
            let words = mount.split(separator: " ")
            guard words.count > 2 else { continue }
            let point = words[1] == "/" ? "/" : words[1] + "/"
            if (path + "/").hasPrefix(point), point.count >= best.length { best = (point.count, String(words[2])) }
        }
        return best.type
    }
}
