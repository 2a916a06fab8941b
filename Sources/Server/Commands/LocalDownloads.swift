import Access
import Dispatch
import Foundation
import Glibc

/// Files of this machine as they would come from a server, by `file:` URLs; every other URL by the way out.
struct LocalDownloads: OutboundDownloads {
    static let scheme = "file://"
    private static let pieceBytes = 256 << 10

    let others: any OutboundDownloads

    func download(
        _ url: String, headers: [OutboundHeader], _ take: (DownloadHead, any DownloadContent) async throws -> Void
    ) async throws {
        guard url.hasPrefix(Self.scheme) else { return try await others.download(url, headers: headers, take) }
        let path = String(url.dropFirst(Self.scheme.count))
        guard let file = FileHandle(forReadingAtPath: path),
            let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let size = (attributes[.size] as? NSNumber)?.int64Value
        else { return try await take(DownloadHead(status: 404, fields: []), Content(nil)) }
        defer { try? file.close() }
        // The time to the microsecond: what was written anew since is another file.
        let changed = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        var fields = [("ETag", "\"\(size)-\(Int64(changed * 1_000_000))\"")]
        if path.hasSuffix(".gz") { fields.append(("Content-Type", "application/gzip")) }
        var status = 200
        let range = headers.first { $0.name.lowercased() == "range" }?.value
        if let first = range.flatMap({ Int64($0.dropFirst("bytes=".count).dropLast()) }) {
            guard first <= size else { return try await take(DownloadHead(status: 416, fields: []), Content(nil)) }
            try file.seek(toOffset: UInt64(first))
            status = 206
            fields.append(("Content-Range", "bytes \(first)-\(max(first, size - 1))/\(size)"))
        } else {
            fields.append(("Content-Length", "\(size)"))
        }
        try await take(DownloadHead(status: status, fields: fields), Content(file))
    }

    private final class Content: DownloadContent {
        private let file: FileHandle?

        init(_ file: FileHandle?) { self.file = file }

        func next() async throws -> [UInt8]? {
            guard let file else { return nil }
            let descriptor = file.fileDescriptor
            let bytes = await withCheckedContinuation { (done: CheckedContinuation<[UInt8]?, Never>) in
                DispatchQueue.global().async {
                    var room = [UInt8](repeating: 0, count: LocalDownloads.pieceBytes)
                    let count = room.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
                    done.resume(returning: count < 0 ? nil : Array(room.prefix(count)))
                }
            }
            guard let bytes else { throw OutboundFailure.broken }
            return bytes.isEmpty ? nil : bytes
        }
    }
}
