import NIOCore

/// The bytes between the parts of a multipart/related response. RFC 2387; PS3.18 §8.6.1.2.
///
/// The caller writes `partHead`, then the part's content, for each part, then `end`.
package struct MultipartFraming: Sendable {
    package let boundary: String
    private var isFirst = true

    /// `boundary`: 1 to 70 characters of RFC 2046's `bchars` that do not occur in any part; a random id does.
    package init(boundary: String) { self.boundary = boundary }

    /// The Content-Type of the whole: `multipart/related; type="…"; boundary=…`.
    package func contentType(ofParts type: MediaType, transferSyntax: String? = nil) -> String {
        var text = "multipart/related; type=" + HeaderReader.quoted(type.essence)
        if let transferSyntax { text += "; transfer-syntax=" + transferSyntax }
        return text + "; boundary=" + (HeaderReader.isToken(boundary) ? boundary : HeaderReader.quoted(boundary))
    }

    /// The delimiter and headers in front of a part. Control characters in a value are dropped, so that a value
    /// can never end the header.
    package mutating func partHead(_ fields: [(String, String)]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString(isFirst ? "--" : "\r\n--")
        isFirst = false
        buffer.writeString(boundary)
        buffer.writeString("\r\n")
        for (name, value) in fields {
            buffer.writeString(name)
            buffer.writeString(": ")
            buffer.writeBytes(value.utf8.filter { $0 >= 0x20 && $0 != 0x7F })
            buffer.writeString("\r\n")
        }
        buffer.writeString("\r\n")
        return buffer
    }

    /// The closing delimiter; of a body without parts when no part was begun.
    package var end: ByteBuffer { ByteBuffer(string: (isFirst ? "--" : "\r\n--") + boundary + "--\r\n") }
}
