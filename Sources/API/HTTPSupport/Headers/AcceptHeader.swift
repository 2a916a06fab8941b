/// The media ranges a client accepts, with their weights. RFC 9110 §12.5.1.
package struct AcceptHeader: Sendable, Hashable {
    /// One range and its weight in thousandths, 0 to 1000; parameters after `q` are dropped.
    package struct Range: Sendable, Hashable {
        package let type: MediaType
        package let quality: Int
    }

    /// In the order of the header.
    package let ranges: [Range]

    /// More ranges than this are not read.
    static let rangesMax = 64

    /// Reads a header, or the `accept` query parameter that DICOMweb allows in its place. PS3.18 §8.3.3.1.
    /// Nil or empty text accepts everything; an element that is not a media range is passed over.
    package init(_ text: String?) {
        guard let text, !text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
            self.ranges = [Range(type: MediaType(type: "*", subtype: "*"), quality: 1000)]
            return
        }
        var ranges: [Range] = []
        var reader = HeaderReader(text)
        while !reader.isAtEnd, ranges.count < AcceptHeader.rangesMax {
            var element = reader
            if let type = MediaType(&element) {
                element.skipSpace()
                if element.isAtEnd || element.peek == UInt8(ascii: ","), let range = Range(type) {
                    ranges.append(range)
                }
            }
            guard reader.skipToNextElement() else { break }
        }
        self.ranges = ranges
    }

    /// The weight of an offered type: that of the most specific range that includes it. Zero is "not acceptable".
    ///
    /// A range's own parameters must all be among the offer's, in any letter case, except those `ignoring` names.
    package func quality(of offer: MediaType, ignoring: Set<String> = []) -> Int {
        var best = (specificity: -1, quality: 0)
        for range in ranges where range.type.includes(offer) {
            let wanted = range.type.parameters.filter { !ignoring.contains($0.name) }
            guard wanted.allSatisfy({ want in offer[want.name]?.lowercased() == want.value.lowercased() }) else {
                continue
            }
            let specificity = range.type.type == "*" ? 0 : range.type.subtype == "*" ? 1 : 2 + wanted.count
            if specificity > best.specificity { best = (specificity, range.quality) }
        }
        return best.quality
    }

    /// The best of the offers, the earlier one of equals; nil when none is acceptable.
    package func best(of offers: [MediaType], ignoring: Set<String> = []) -> MediaType? {
        var best: (offer: MediaType, quality: Int)?
        for offer in offers {
            let quality = quality(of: offer, ignoring: ignoring)
            if quality > (best?.quality ?? 0) { best = (offer, quality) }
        }
        return best?.offer
    }
}

extension AcceptHeader.Range {
    /// Splits the weight off a range. Nil when `q` is not a weight. RFC 9110 §12.4.2.
    init?(_ type: MediaType) {
        guard let index = type.parameters.firstIndex(where: { $0.name == "q" }) else {
            self.init(type: type, quality: 1000)
            return
        }
        guard let quality = AcceptHeader.Range.thousandths(type.parameters[index].value) else { return nil }
        let own = type.parameters[..<index].map { ($0.name, $0.value) }
        self.init(type: MediaType(type: type.type, subtype: type.subtype, parameters: own), quality: quality)
    }

    /// A weight as it is written, `0` to `1` with at most three digits behind the point. RFC 9110 §12.4.2.
    static func thousandths(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard (1...5).contains(bytes.count), bytes[0] == UInt8(ascii: "0") || bytes[0] == UInt8(ascii: "1") else {
            return nil
        }
        var value = Int(bytes[0] - 48) * 1000
        if bytes.count > 1 {
            guard bytes[1] == UInt8(ascii: ".") else { return nil }
            var weight = 100
            for byte in bytes[2...] {
                guard (48...57).contains(byte) else { return nil }
                value += Int(byte - 48) * weight
                weight /= 10
            }
        }
        return value <= 1000 ? value : nil
    }
}
