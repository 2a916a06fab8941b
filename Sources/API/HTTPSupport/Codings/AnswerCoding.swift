import HTTPTypes

/// Which answers leave compressed: text, from 1 KiB, to whoever asks for it. DICOM objects never do: their pixels are
/// compressed by their transfer syntax, or are to be had without a step in between.
///
/// The length of a compressed answer tells whoever chose some of its words about the others (BREACH). Nobody can choose
/// words of another caller's answers: a request of an API has rights by its bearer token, never by what a browser sends
/// along by itself, such as a cookie. Pages do go by cookies, so HTML is never compressed.
enum AnswerCoding {
    /// An answer below this goes into one packet as it is.
    static let bytesMin = 1024
    /// An answer from memory up to this is compressed where its connection is served, which takes some tenths of a
    /// millisecond; a longer one takes the usual way.
    static let memoryBytesMax = 16 << 10

    /// The `type` of bodies whose parts are data sets as text; parts of any other are objects, frames or pictures.
    private static let textParts = ["type=\"application/dicom+xml\"", "type=\"application/dicom+json\""]

    /// Whether an answer is in a form that is compressed at all.
    static func isText(_ status: HTTPResponse.Status, _ headers: HTTPFields) -> Bool {
        guard status != .partialContent, !headers.contains(.contentEncoding), let type = headers[.contentType] else {
            return false
        }
        let essence = type.prefix { $0 != ";" && $0 != " " }
        guard essence != "text/html" else { return false }
        if essence == "multipart/related" { return textParts.contains { type.contains($0) } }
        return essence.hasPrefix("text/") || essence.hasSuffix("json") || essence.hasSuffix("xml")
    }
}

extension HTTPFields {
    /// Tells caches that an answer depends on what codings were asked for. RFC 9110 §12.5.5.
    mutating func varyByCoding() { self[.vary] = self[.vary].map { $0 + ", Accept-Encoding" } ?? "Accept-Encoding" }
}
