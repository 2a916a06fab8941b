import HTTPTypes

/// How content is coded on its way. RFC 9110 §8.4.1.
///
/// Deflate is refused: half of its senders mean another format than the one the standard names (RFC 9110 §8.4.1.2).
enum ContentCoding: Sendable, Hashable {
    /// Not at all.
    case identity
    /// RFC 1952.
    case gzip

    /// How a request says that its body is coded. Throws `.unsupportedMediaType`, with Accept-Encoding, for other codings
    /// and for several on top of each other. RFC 9110 §15.5.16.
    init(of headers: HTTPFields) throws(HTTPFailure) {
        guard let text = headers[.contentEncoding] else {
            self = .identity
            return
        }
        switch text.lowercased() {
        case "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        default: throw Self.refusal(but: "gzip")
        }
    }

    /// The refusal of a body because of its coding.
    /// - Parameter coding: what would have been taken.
    static func refusal(but coding: String) -> HTTPFailure {
        HTTPFailure(
            .unsupportedMediaType, "The body is in a Content-Encoding that is not read here; \(coding) is",
            headers: [.acceptEncoding: coding])
    }

    /// The codings that an Accept-Encoding header lists: gzip where it may be sent and is liked no less than the content
    /// as it is. Elements that cannot be read are passed over. RFC 9110 §12.5.3.
    ///
    /// Content as it is also goes to those who refuse it (`identity;q=0`) where there is no gzip of it: it is of more use
    /// to them than an error.
    static func best(of header: String) -> ContentCoding {
        var weights: [String: Int] = [:]
        var reader = HeaderReader(header)
        var elements = 0
        repeat {
            elements += 1
            if let (name, weight) = element(reader), weights[name] == nil { weights[name] = weight }
        } while elements < elementsMax && reader.skipToNextElement()
        let gzip = weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? 0
        return gzip > 0 && gzip >= weights["identity"] ?? 0 ? .gzip : .identity
    }

    /// More elements of a header than this are not read.
    private static let elementsMax = 32

    /// The coding and its weight in thousandths at the front of a list.
    private static func element(_ list: HeaderReader) -> (name: String, weight: Int)? {
        var reader = list
        reader.skipSpace()
        guard let name = reader.token()?.lowercased() else { return nil }
        reader.skipSpace()
        var weight = 1000
        if reader.take(UInt8(ascii: ";")) {
            reader.skipSpace()
            guard reader.token()?.lowercased() == "q", reader.take(UInt8(ascii: "=")),
                let known = reader.token().flatMap(AcceptHeader.Range.thousandths)
            else { return nil }
            weight = known
            reader.skipSpace()
        }
        return reader.isAtEnd || reader.peek == UInt8(ascii: ",") ? (name, weight) : nil
    }
}
