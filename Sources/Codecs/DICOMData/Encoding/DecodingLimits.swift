/// What a decoder takes at most from outside. Lengths are besides always checked against the bytes that are there.
package struct DecodingLimits: Sendable, Hashable {
    /// Sequences inside sequences. Real objects reach 7 or 8 (enhanced multi-frame, structured reports more rarely 12).
    package var depthMax = 16
    /// Elements of a whole data set, items included: 10,000 frames of an enhanced object with 100 each.
    package var elementsMax = 1_000_000
    /// Elements that make room for others whose tags come too late, and items that are read anew in another character set,
    /// over the whole data set: some files are out of order, but one that is written backwards costs the square of its
    /// elements. PS3.5 §7.1.
    package var disorderMax = 10_000_000
    /// Items of sequences, and fragments, each counted over the whole data set.
    package var itemsMax = 1_000_000
    /// Bytes that a streaming reader keeps: the data set without pixel data and large bulk values.
    package var bufferedBytesMax = 256 << 20
    /// Output bytes per input byte of a deflated data set. PS3.5 §A.5.
    package var deflateRatioMax = 100
    /// Output bytes that are never held against the ratio, since small inputs of one repeated byte are legitimate.
    package var deflateFreeBytes = 1 << 20
    /// Bytes of an inflated data set.
    package var inflatedBytesMax = 2 << 30

    package init() {}
    package static let `default` = DecodingLimits()
    /// For what this server has stored, under whatever limits it took it: the greatest that a site may set. Deflate
    /// makes at most 1032 bytes of one (RFC 1951 §3.2.5: 258 bytes for two bits).
    package static let stored: DecodingLimits = {
        var limits = DecodingLimits()
        limits.depthMax = 64
        limits.elementsMax = 10_000_000
        limits.itemsMax = 10_000_000
        limits.disorderMax = 1_000_000_000
        limits.deflateRatioMax = 1032
        return limits
    }()
}
