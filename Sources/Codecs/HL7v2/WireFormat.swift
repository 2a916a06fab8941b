/// How one destination wants its messages written.
package struct WireFormat: Sendable, Hashable {
    /// What becomes of a character that the destination's character set does not have.
    package enum Unencodable: String, Sendable, Hashable {
        /// The message is not written.
        case refuse
        /// `?` stands for it, and the loss is told.
        case replace
    }

    /// What becomes of words for which a field has no room.
    package enum Overlong: String, Sendable, Hashable {
        /// The message is not written.
        case refuse
        /// They end in `…` (`...` where the set has none), and the loss is told. Keys are never cut.
        case cut
    }

    package var delimiters: Delimiters
    /// MSH-12.
    package var version: String
    /// MSH-18. Only sets in which ASCII stands for itself and for nothing else (`CharacterSet.isTransparent`).
    package var characterSet: CharacterSet
    package var unencodable: Unencodable
    package var overlong: Overlong
    /// How many characters a field has room for, where the destination differs from its version.
    package var lengths: FieldLengths

    package init(
        version: String = "2.5.1", delimiters: Delimiters = .standard, characterSet: CharacterSet = .utf8,
        unencodable: Unencodable = .refuse, overlong: Overlong = .cut, lengths: [FieldLengths.Place: Int] = [:]
    ) {
        self.version = version
        self.delimiters = delimiters
        self.characterSet = characterSet
        self.unencodable = unencodable
        self.overlong = overlong
        self.lengths = FieldLengths(version: version, ofDestination: lengths)
    }
}

extension CharacterSet {
    /// Whether no byte of another character is a byte of ASCII: delimiters can be found without decoding. True of ASCII,
    /// the ISO 8859 sets and UTF-8.
    package var isTransparent: Bool {
        switch self {
        case .isoIR14, .isoIR87, .isoIR159, .gb18030, .ksX1001, .big5: false
        default: true
        }
    }
}
