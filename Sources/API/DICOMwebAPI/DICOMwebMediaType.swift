import HTTPSupport

/// Which form of an instance or frame a client gets. PS3.18 §8.7.3.
enum DICOMwebMediaType {
    /// The accept ranges of a request that speak of a payload type, with what they say of it.
    struct Wish {
        var media: MediaType
        var isMultipart: Bool
        /// Nil: the default of the media type; `*`: any.
        var transferSyntax: String?
        var quality: Int
    }

    /// The wishes of an Accept header or its query parameter, best first.
    static func wishes(_ text: String?) throws(HTTPFailure) -> [Wish] {
        var wishes: [Wish] = []
        for range in AcceptHeader(text).ranges where range.quality > 0 {
            let syntax = range.type["transfer-syntax"]
            if let syntax, syntax.contains(",") { throw HTTPFailure(.malformed, "transfer-syntax takes one value") }
            if range.type.essence == "multipart/related" {
                guard let inner = range.type["type"].flatMap({ MediaType($0) }) else {
                    wishes.append(
                        Wish(
                            media: MediaType(type: "*", subtype: "*"), isMultipart: true, transferSyntax: syntax,
                            quality: range.quality))
                    continue
                }
                wishes.append(
                    Wish(
                        media: inner, isMultipart: true, transferSyntax: syntax ?? inner["transfer-syntax"],
                        quality: range.quality))
            } else {
                wishes.append(
                    Wish(media: range.type, isMultipart: false, transferSyntax: syntax, quality: range.quality))
            }
        }
        // A stable order among equals: as the client wrote them.
        return wishes.enumerated().sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }.map(
            \.element)
    }
}
