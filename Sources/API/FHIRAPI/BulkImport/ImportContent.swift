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
    /// What was inflated and was not handed over yet: a few bytes may be thousands of times as many.
    private var inflatedPieces: ArraySlice<[UInt8]> = []
    /// Uncompressed bytes that are passed over yet.
    private var behind: Int64
    /// Bytes as they came, and uncompressed ones of this answer.
    private var received: Int64 = 0
    private var inflated: Int64 = 0
    /// Uncompressed bytes of the file so far.
    private var offset: Int64
    /// Of the whole file, where that is told and it comes as it is.
    private let length: Int64?
    private var rate: ImportRate

    /// Opens an answer and notes what it says of the file. Throws ``ImportFileError``.
    init(_ head: DownloadHead, _ content: any DownloadContent, of input: inout ImportInput, limits: ImportLimits) throws
    {
        self.content = content
        self.limits = limits
        rate = ImportRate(limits)
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
        } else if input.entityTag != head["etag"] || Self.isModified(input, head)
            || (input.isCompressed == isCompressed && Self.differ(input.length, length))
        {
            throw ImportFileError(
                "the file changed while it was read: its ETag, Last-Modified or length is another; import it again")
        }
        behind = head.status == 206 ? 0 : input.offset
        offset = head.status == 206 ? input.offset : 0
        gzip = isCompressed ? try GzipReader() : nil
        self.length = isCompressed ? nil : length
        if let length, !isCompressed, length > Int64(limits.fileBytesMax) { throw Self.tooLong(limits) }
    }

    /// A part by If-Range may leave Last-Modified out: its ETag says that the file is the one that it was. RFC 9110
    /// §15.3.7.
    private static func isModified(_ input: ImportInput, _ head: DownloadHead) -> Bool {
        let now = head["last-modified"]
        if head.status == 206, input.entityTag != nil, now == nil { return false }
        return input.lastModified != now
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

    /// Further bytes, at most 64 KiB, or none where what came has none yet; nil at the end of the file. Throws
    /// ``ImportFileError``, `OutboundFailure`.
    func read() async throws -> [UInt8]? {
        if let piece = inflatedPieces.popFirst() { return piece }
        if chunk.isEmpty {
            guard try await receive() else { return nil }
        }
        // In small steps: what they inflate to is looked at after each.
        let step = chunk.prefix(gzip == nil ? 64 << 10 : 4 << 10)
        chunk = chunk.dropFirst(step.count)
        guard let gzip else { return try passed(Array(step)) }
        var (pieces, failure): ([[UInt8]], (any Error)?) = ([], nil)
        do {
            try gzip.decoder.add(ByteBuffer(bytes: step)) { piece in
                if failure != nil { return }
                do { pieces.append(try passed(Array(piece.readableBytesView))) } catch { failure = error }
            }
        } catch { throw ImportFileError("the file's gzip data are broken") }
        if let failure { throw failure }
        inflatedPieces = pieces[...]
        return inflatedPieces.popFirst() ?? []
    }

    /// Waits for the next bytes of the source. False at the end.
    private func receive() async throws -> Bool {
        let begun = ContinuousClock.now
        let next = try await content.next()
        let waited = ContinuousClock.now - begun
        guard let next else {
            do { try gzip?.decoder.finish() } catch {
                throw ImportFileError("the file's gzip data end too early")
            }
            guard behind == 0 else { throw Self.shorter }
            // A part may end before the file does: what follows is asked for next. RFC 9110 §15.3.7.
            if let length, offset < length { throw OutboundFailure.broken }
            return false
        }
        received += Int64(next.count)
        guard rate.isMet(by: next.count, after: waited) else {
            throw ImportFileError("the file comes at less than \(limits.bytesPerSecondMin) bytes a second")
        }
        chunk = next[...]
        return true
    }

    /// Counts bytes of the file, and gives those that were not looked at before.
    private func passed(_ bytes: [UInt8]) throws -> [UInt8] {
        offset += Int64(bytes.count)
        inflated += Int64(bytes.count)
        guard offset <= Int64(limits.fileBytesMax) else { throw Self.tooLong(limits) }
        if gzip != nil, inflated > limits.inflatedBytesFree, inflated > received * Int64(limits.inflationMax) {
            throw ImportFileError("the file inflates to more than \(limits.inflationMax) times its size")
        }
        if behind == 0 { return bytes }
        let skipped = min(behind, Int64(bytes.count))
        behind -= skipped
        return Array(bytes[Int(skipped)...])
    }

    private final class GzipReader {
        var decoder: GzipDecoder
        init() throws { decoder = try GzipDecoder() }
    }
}
