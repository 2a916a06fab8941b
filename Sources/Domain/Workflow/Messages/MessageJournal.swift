/// A message from a hospital system, kept raw before it is acknowledged.
package struct JournaledMessage: Sendable, Hashable {
    package enum Disposition: String, Sendable, Hashable {
        /// Its effect was committed together with it.
        case applied
        /// Kept, answered with an error; has no effect.
        case failed
        /// Nothing new in it (stale, or of no interest); answered positively.
        case ignored
    }
    package var id: EntityID
    /// `MSH-3|MSH-4` of the sender as text.
    package var sender: String
    /// MSH-10.
    package var controlID: String
    /// MSH-9 as `ADT^A04`.
    package var type: String
    /// SHA-256 or another fixed digest of the raw bytes, hex: tells a re-send from a reused control id.
    package var digest: String
    package var raw: [UInt8]
    package var disposition: Disposition
    /// Why it failed or what was noted, in words without clinical values.
    package var note: String?
    /// The acknowledgement as sent; a duplicate is answered with these bytes.
    package var acknowledgement: [UInt8]
    package var receivedAt: UTCInstant
    package var peer: String?
    /// What became of its values; nil for one that had no effect, and for those of before version 0.2.
    package var coverage: MessageCoverage?
    /// By what it is looked for; not read back.
    package var keys = MessageKeys()
    /// Of whom it is: the patients that it had an effect on, or told nothing new of; none of a failed one, and of those of
    /// before they were kept.
    package var patientIDs: [EntityID] = []
    package init(
        id: EntityID, sender: String, controlID: String, type: String, digest: String, raw: [UInt8],
        disposition: Disposition,
        note: String?, acknowledgement: [UInt8], receivedAt: UTCInstant, peer: String?, coverage: MessageCoverage? = nil
    ) {
        self.id = id
        self.sender = sender
        self.controlID = controlID
        self.type = type
        self.digest = digest
        self.raw = raw
        self.disposition = disposition
        self.note = note
        self.acknowledgement = acknowledgement
        self.receivedAt = receivedAt
        self.peer = peer
        self.coverage = coverage
    }
}
