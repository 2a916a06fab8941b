/// The way in for contents that are too large to hold, under the same policy as ``Outbound``.
package protocol OutboundDownloads: Sendable {
    /// GET. Hands the head and then the content to `take`, which reads as much of it as it wants; what is left is not read.
    ///
    /// Throws ``OutboundRefusal`` for a URL or address that is not allowed, ``OutboundFailure`` where there is no answer,
    /// and what `take` throws. A redirect is an answer and is not followed.
    /// - Parameter headers: sent as they are, beside Host and what the connection needs.
    func download(
        _ url: String, headers: [OutboundHeader], _ take: (DownloadHead, any DownloadContent) async throws -> Void
    ) async throws
}

/// The content of an answer, as its bytes come. Read by one task at a time.
package protocol DownloadContent {
    /// The next bytes, at least one; nil at the end. Throws ``OutboundFailure`` `.broken` for a content that is shorter than
    /// its head says, and `.noAnswer` after a time without a byte.
    func next() async throws -> [UInt8]?
}

/// The head of an answer whose content is read piece by piece. RFC 9110 §15, §8.
package struct DownloadHead: Sendable, Hashable {
    package let status: Int
    /// As they were sent, names in lower case.
    private let fields: [String: String]

    /// - Parameter fields: of two with one name the last counts.
    package init(status: Int, fields: [(name: String, value: String)]) {
        self.status = status
        self.fields = Dictionary(fields.map { ($0.name.lowercased(), $0.value) }) { $1 }
    }

    /// - Parameter name: in lower case.
    package subscript(name: String) -> String? { fields[name] }

    /// Content-Length. Nil where it is absent or no number.
    package var length: Int64? { self["content-length"].flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil } }

    /// Where the content of a 206 begins, and how long the whole is where that is told. Nil for what is no such field.
    /// RFC 9110 §14.4.
    package var contentRange: (first: Int64, whole: Int64?)? {
        guard let text = self["content-range"], text.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Int64(parts[0].prefix { $0 != "-" }), first >= 0 else { return nil }
        return (first, Int64(parts[1]).flatMap { $0 >= 0 ? $0 : nil })
    }

    /// Retry-After in seconds; nil where it is absent, a date or no number. RFC 9110 §10.2.3.
    package var retryAfterSeconds: Int64? {
        self["retry-after"].flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}
