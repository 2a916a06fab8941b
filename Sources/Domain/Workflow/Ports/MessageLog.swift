import Access

/// Which messages of the journal are asked for; what is nil is any.
package struct MessageQuery: Sendable, Hashable {
    package var disposition: JournaledMessage.Disposition?
    package var sender: String?
    package var controlID: String?
    /// A patient number in it, as it is written there; of messages since there were keys.
    package var patient: String?
    /// The same of an accession number.
    package var accession: String?
    /// Received at this time or later.
    package var since: UTCInstant?
    /// Received before this time.
    package var until: UTCInstant?
    /// The most messages in the answer.
    package var limit: Int
    package init(
        disposition: JournaledMessage.Disposition? = nil, sender: String? = nil, controlID: String? = nil, limit: Int
    ) {
        self.disposition = disposition
        self.sender = sender
        self.controlID = controlID
        self.limit = limit
    }
}

/// The port to the journal of messages, for the operator. Messages name patients of every kind: only an access without
/// limits sees any.
package protocol MessageLog: Sendable {
    func message(_ id: EntityID, access: AccessContext) async throws -> JournaledMessage?
    /// Newest first.
    func messages(_ query: MessageQuery, access: AccessContext) async throws -> [JournaledMessage]
}
