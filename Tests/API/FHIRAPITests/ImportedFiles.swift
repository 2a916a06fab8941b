import Access
import Synchronization
import Workflow

/// Files as some server would send them, whatever a test wants of it.
final class ImportedFiles: OutboundDownloads {
    struct File: Sendable {
        var status = 200
        var fields: [(name: String, value: String)] = []
        var bytes: [UInt8] = []
        /// Bytes after which the content breaks off, once for each.
        var breaks: [Int] = []
        /// What is thrown in place of an answer.
        var refusal: OutboundRefusal?
        /// What happens before each piece, told how many bytes came before; an error ends the content.
        var before: @Sendable (Int) async throws -> Void = { _ in }
        /// Whether a range is answered.
        var takesRanges = true
        /// Bytes that one range is answered with at most.
        var partBytes = Int.max
        /// Whether a part comes without Last-Modified, as one by If-Range should.
        var hasTerseParts = false
        /// Whether the last piece comes again for ever.
        var isEndless = false

        init(_ text: String = "", tag: String? = nil) {
            bytes = Array(text.utf8)
            if let tag { fields.append(("ETag", tag)) }
        }
    }

    private struct State {
        var files: [String: [File]] = [:]
        var requests: [(url: String, headers: [OutboundHeader])] = []
    }
    private let state = Mutex(State())
    let pieceBytes: Int

    init(pieceBytes: Int = 37) { self.pieceBytes = pieceBytes }

    /// What is sent of a URL: the first one once, the last one from then on.
    subscript(url: String) -> [File] {
        get { state.withLock { $0.files[url] ?? [] } }
        set { state.withLock { $0.files[url] = newValue } }
    }

    var requests: [(url: String, headers: [OutboundHeader])] { state.withLock { $0.requests } }

    func download(
        _ url: String, headers: [OutboundHeader], _ take: (DownloadHead, any DownloadContent) async throws -> Void
    ) async throws {
        let (file, breakAfter) = state.withLock { state -> (File?, Int?) in
            state.requests.append((url, headers))
            guard var all = state.files[url], var first = all.first else { return (nil, nil) }
            let breakAfter = first.breaks.isEmpty ? nil : first.breaks.removeFirst()
            all[0] = first
            if all.count > 1, breakAfter == nil || first.breaks.isEmpty { all.removeFirst() }
            state.files[url] = all
            return (first, breakAfter)
        }
        guard let file else { return try await take(DownloadHead(status: 404, fields: []), Content(File(), nil, 1)) }
        if let refusal = file.refusal { throw refusal }
        var (status, fields, sent) = (file.status, file.fields, file)
        let range = headers.first { $0.name == "Range" }?.value
        if file.takesRanges, status == 200, let first = range.flatMap({ Int($0.dropFirst(6).dropLast()) }) {
            status = 206
            sent.bytes = Array(file.bytes.dropFirst(first).prefix(file.partBytes))
            if file.hasTerseParts { fields.removeAll { $0.name == "Last-Modified" } }
            fields.append(
                ("Content-Range", "bytes \(first)-\(first + sent.bytes.count - 1)/\(file.bytes.count)"))
        } else if !file.isEndless {
            fields.append(("Content-Length", "\(file.bytes.count)"))
        }
        try await take(DownloadHead(status: status, fields: fields), Content(sent, breakAfter, pieceBytes))
    }

    private final class Content: DownloadContent {
        private let file: File
        private let breakAfter: Int?
        private let pieceBytes: Int
        private var sent = 0

        init(_ file: File, _ breakAfter: Int?, _ pieceBytes: Int) {
            self.file = file
            self.breakAfter = breakAfter
            self.pieceBytes = pieceBytes
        }

        func next() async throws -> [UInt8]? {
            try await file.before(sent)
            if let breakAfter, sent >= breakAfter { throw OutboundFailure.broken }
            if file.isEndless { return file.bytes }
            guard sent < file.bytes.count else { return nil }
            let piece = Array(file.bytes[sent..<min(sent + pieceBytes, file.bytes.count)])
            sent += piece.count
            return piece
        }
    }
}
