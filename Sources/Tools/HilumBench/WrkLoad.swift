import Foundation

/// GET requests by `wrk`, for Hilum and its bounds alike.
struct WrkLoad {
    let connections: Int
    let folder: String

    /// Requests a second. Throws ``BenchFailure`` when one failed or had another status than 2xx.
    func get(_ url: String, headers: [String], seconds: Double) async throws -> Double {
        // wrk takes whole seconds.
        let time = max(1, Int(seconds.rounded()))
        let words =
            ["-t2", "-c\(connections)", "-d\(time)s", "--timeout", "10s"] + headers.flatMap { ["-H", $0] } + [url]
        let (text, code) = try await ChildProcess(try ChildProcess.find("wrk"), words, log: folder + "/wrk.log").all()
        guard code == 0, !text.contains("Non-2xx"), !text.contains("Socket errors") else {
            throw BenchFailure("wrk \(url) ended with \(code):\n\(text)")
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("Requests/sec:") }
        guard let rate = line?.split(separator: " ").last.flatMap({ Double($0) }), rate > 0 else {
            throw BenchFailure("wrk \(url) told no rate:\n\(text)")
        }
        return rate
    }
}

/// nginx with sendfile on one file: the bound of retrieval.
struct NginxBound {
    let port: Int
    let child: ChildProcess
    static let file = "object.dcm"

    /// Starts it in a folder of its own and waits until it answers.
    static func start(folder: String, content: [UInt8]) async throws -> NginxBound {
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "/root", withIntermediateDirectories: true)
        try Data(content).write(to: URL(fileURLWithPath: "\(folder)/root/\(file)"))
        let port = try LoopbackAddress.freePort()
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        let settings = """
            \(geteuid() == 0 ? "user root;" : "")
            daemon off;
            worker_processes auto;
            pid \(folder)/nginx.pid;
            error_log \(folder)/error.log;
            events { worker_connections 256; }
            http {
                \(temporary.joined(separator: " "))
                access_log off;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 1000000000;
                default_type application/dicom;
                server { listen 127.0.0.1:\(port); root \(folder)/root; }
            }
            """
        try settings.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
        let child = try ChildProcess(
            try ChildProcess.find("nginx"),
            ["-p", folder, "-c", folder + "/nginx.conf", "-e", folder + "/error.log"], log: folder + "/nginx.log")
        for _ in 0..<200 {
            if (try? BlockingSocket(port: port)) != nil { return NginxBound(port: port, child: child) }
            try await Task.sleep(for: .milliseconds(20))
        }
        await child.end()
        throw BenchFailure("nginx did not listen; see its configuration in \(folder)")
    }
}
