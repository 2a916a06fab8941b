import Access
import HTTPSupport
import NIOCore
import Workflow

/// Why a file cannot be imported, or not to its end: said to whoever asked for it.
struct ImportFileError: Error, Sendable, Hashable {
    let words: String
    init(_ words: String) { self.words = words }
}

/// The content of one file as it comes: inflated, held to its limits, from a line of it on. Used by one task at a time.
///
/// A file that was read in part is asked for from where it was left, by a range where that can be; else what is behind
/// is passed over. Either way it has to be the file that it was. RFC 9110 §13.1.5, §14.2.
final class ImportContent {
    private let content: any DownloadContent
    private let limits: ImportLimits
    private let gzip: GzipReader?
    /// What came and was not looked at yet.
    private var chunk: ArraySlice<UInt8> = []
    /// Uncompressed bytes that are passed over yet.
    private var behind: Int64
    /// Bytes as they came, and uncompressed ones of this answer.
    private var received: Int64 = 0
    private var inflated: Int64 = 0
    /// Uncompressed bytes of the file so far.
    private var offset: Int64
    /// Spent on waiting for the source.
    private var waited = Duration.zero

    /// Opens an answer and notes what it says of the file. Throws ``ImportFileError``.
    init(_ head: DownloadHead, _ content: any DownloadContent, of input: inout ImportInput, limits: ImportLimits) throws
    {
        self.content = content
        self.limits = limits
        guard [200, 206].contains(head.status) else { throw Self.refusal(head.status) }
        let range = head.status == 206 ? head.contentRange : nil
        let coding = head["content-encoding"]?.lowercased() ?? "identity"
        let type = head["content-type"]?.split(separator: ";").first?.lowercased() ?? ""
        let isCompressed =
            ["gzip", "x-gzip"].contains(coding) || ["application/gzip", "application/x-gzip"].contains(type)
            || input.url.prefix { $0 != "?" }.lowercased().hasSuffix(".gz")
        guard isCompressed || ["identity", ""].contains(coding) else {
            throw ImportFileError("the file is sent in a coding that was not asked for; gzip and none are read")
        }
        if head.status == 206, range?.first != input.offset || isCompressed {
            throw ImportFileError("the source sent another part of the file than was asked for")
        }
        let length = head.status == 206 ? range?.whole : head.length
        let isFirst = input.state == .waiting
        if isFirst {
            input.entityTag = head["etag"]
            input.lastModified = head["last-modified"]
            input.length = length
            input.isCompressed = isCompressed
        } else if input.entityTag != head["etag"] || input.lastModified != head["last-modified"]
            || (input.isCompressed == isCompressed && Self.differ(input.length, length))
        {
            throw ImportFileError(
                "the file changed while it was read: its ETag, Last-Modified or length is another; import it again")
        }
        behind = head.status == 206 ? 0 : input.offset
        offset = head.status == 206 ? input.offset : 0
        gzip = isCompressed ? try GzipReader() : nil
        if let length, !isCompressed, length > Int64(limits.fileBytesMax) { throw Self.tooLong(limits) }
    }

    private static func differ(_ one: Int64?, _ other: Int64?) -> Bool {
        guard let one, let other else { return false }
        return one != other
    }

    private static func refusal(_ status: Int) -> ImportFileError {
        switch status {
        case 300..<400:
            ImportFileError("the source answers \(status): redirects are not followed; name the place itself")
        case 401, 403:
            ImportFileError(
                "the source answers \(status): it wants a token, which hilum.yaml gives for it (imports.sources)")
        case 416: shorter
        default: ImportFileError("the source answers \(status)")
        }
    }

    private static let shorter = ImportFileError(
        "the file changed while it was read: it is shorter now; import it again")

    private static func tooLong(_ limits: ImportLimits) -> ImportFileError {
        ImportFileError("the file has more than \(limits.fileBytesMax) bytes")
    }

    /// What an answer has to say for the file to be asked for again later: 408, 429 and failures of the source.
    static func isTransient(_ status: Int) -> Bool { [408, 429, 500, 502, 503, 504].contains(status) }

    /// Hands further bytes to `take`, as many as are looked at at once. Throws ``ImportFileError``, `OutboundFailure`.
    /// - Returns: false at the end of the file.
    func read(_ take: ([UInt8]) -> Void) async throws -> Bool {
        if chunk.isEmpty {
            guard try await receive() else { return false }
        }
        // In small steps: what they inflate to is looked at after each.
        let step = chunk.prefix(gzip == nil ? 64 << 10 : 4 << 10)
        chunk = chunk.dropFirst(step.count)
        guard let gzip else {
            try pass(Array(step), take)
            return true
        }
        var failure: (any Error)?
        do {
            try gzip.decoder.add(ByteBuffer(bytes: step)) { piece in
                if failure != nil { return }
                do { try pass(Array(piece.readableBytesView), take) } catch { failure = error }
            }
        } catch { throw ImportFileError("the file's gzip data are broken") }
        if let failure { throw failure }
        return true
    }

    /// Waits for the next bytes of the source. False at the end.
    private func receive() async throws -> Bool {
        let begun = ContinuousClock.now
        let next = try await content.next()
        waited += ContinuousClock.now - begun
        guard let next else {
            do { try gzip?.decoder.finish() } catch {
                throw ImportFileError("the file's gzip data end too early")
            }
            guard behind == 0 else { throw Self.shorter }
            return false
        }
        received += Int64(next.count)
        let seconds = waited.components.seconds
        if seconds > limits.graceSeconds, received < seconds * Int64(limits.bytesPerSecondMin) {
            throw ImportFileError("the file comes at less than \(limits.bytesPerSecondMin) bytes a second")
        }
        chunk = next[...]
        return true
    }

    private func pass(_ bytes: [UInt8], _ take: ([UInt8]) -> Void) throws {
        offset += Int64(bytes.count)
        inflated += Int64(bytes.count)
        guard offset <= Int64(limits.fileBytesMax) else { throw Self.tooLong(limits) }
        if gzip != nil, inflated > limits.inflatedBytesFree, inflated > received * Int64(limits.inflationMax) {
            throw ImportFileError("the file inflates to more than \(limits.inflationMax) times its size")
        }
        if behind >= Int64(bytes.count) {
            behind -= Int64(bytes.count)
        } else {
            take(behind > 0 ? Array(bytes[Int(behind)...]) : bytes)
            behind = 0
        }
    }

    private final class GzipReader {
        var decoder: GzipDecoder
        init() throws { decoder = try GzipDecoder() }
    }
}
