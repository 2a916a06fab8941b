/// The limits of this module, all in one place. Each is checked while reading; one past it is refused.
package struct HL7Limits: Sendable, Hashable {
    /// The longest message, in bytes as received. 4 MiB holds a report with an embedded document of 3 MiB;
    /// the offset index is 32 bits wide, so no value above 1 GiB takes effect.
    package var messageBytesMax: Int
    /// The most segments in a message. A long report has some hundred OBX.
    package var segmentsMax: Int
    /// The most fields in a segment. The longest standard segment has about sixty.
    package var fieldsMax: Int
    /// The most repetitions in a field. Report text may come as one repetition a line.
    package var repetitionsMax: Int

    package init(
        messageBytesMax: Int = 4 << 20, segmentsMax: Int = 1000, fieldsMax: Int = 1000, repetitionsMax: Int = 10_000
    ) {
        self.messageBytesMax = min(messageBytesMax, 1 << 30)
        self.segmentsMax = segmentsMax
        self.fieldsMax = fieldsMax
        self.repetitionsMax = repetitionsMax
    }

    /// The most repetitions of a field that is a list (identifiers, names, codes): what is made of each is kept and looked
    /// for. Lines of text (OBX-5, NTE-3) are bounded by `repetitionsMax` alone.
    package static let listedRepetitionsMax = 200
    /// The largest count that a formatting escape such as `\.sp9\` is obeyed for; a larger one is kept as text.
    package static let formattingRepeatMax = 80
    /// The most bytes that removing escapes may produce for one value, in bytes; what would pass it is kept as text.
    package static let unescapedBytesMax = 8 << 20
    /// The most bytes of a message that are searched for a header to answer a broken message, in bytes.
    package static let headerRecoveryBytesMax = 4096
    /// The longest value copied from a sender's header into an acknowledgment, in bytes.
    package static let echoedValueBytesMax = 227
    /// The most complaints kept about the values of one message; a sender that errs in each of a thousand segments is
    /// told enough by these.
    package static let tracedFaultsMax = 100
    /// The most ERR entries in one acknowledgment.
    package static let acknowledgedErrorsMax = 20
}
