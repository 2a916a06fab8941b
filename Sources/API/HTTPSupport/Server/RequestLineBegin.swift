import NIOCore

/// The begin of the request line of a head that is long, kept while the decoder reads it: where the head is too large to
/// become a request, it says at least for whom it was. RFC 9112 §3.
struct RequestLineBegin {
    /// Heads up to this size, which come in one piece, are read by every configuration: nothing of them is kept.
    static let longHeadBytes = 4 << 10
    /// Longer than any method with any path that has a route, in bytes.
    private static let bytesMax = 512

    private var bytes: [UInt8] = []
    private var isEnded = false
    /// Bytes of the line so far, also of what is not kept.
    private(set) var count = 0

    /// Takes bytes that go on with the head; empty lines before it are passed over. RFC 9112 §2.2.
    mutating func append(_ more: ByteBufferView) {
        guard !isEnded else { return }
        var more = more[...]
        if bytes.isEmpty { more = more.drop { $0 == 0x0D || $0 == 0x0A } }
        if let end = more.firstIndex(of: 0x0A) {
            more = more[..<end]
            isEnded = true
        }
        count += more.count
        bytes += more.prefix(Self.bytesMax - bytes.count)
    }

    /// The path of the target as far as it was kept; nil where it is not in origin-form, or nothing of it was.
    var path: String? {
        let parts = bytes.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count > 1, parts[1].first == UInt8(ascii: "/") else { return nil }
        return String(validating: parts[1].prefix { $0 != UInt8(ascii: "?") && $0 != 0x0D }, as: UTF8.self)
    }
}
