/// What a destination was last told of one thing: decides whether a change is news to it, and whether the thing is new.
package struct Told: Sendable, Hashable {
    /// As in ``OutboxDraft``.
    package var destination: String
    /// What it is of, such as `order/<id>`.
    package var subject: String
    /// The state it was told in, in the words of its kind; empty for none.
    package var state: String
    /// Of the content that was told.
    package var digest: String
    /// What is needed to take it back once it is gone, in the form of its kind; nil for nothing.
    package var detail: String?

    package init(destination: String, subject: String, state: String = "", digest: String, detail: String? = nil) {
        self.destination = destination
        self.subject = subject
        self.state = state
        self.digest = digest
        self.detail = detail
    }
}

/// What destinations were told, in a unit of work: kept if and only if the unit is.
package protocol ToldUnit: AnyObject {
    /// Nil where nothing was told.
    func told(_ subject: String, to destination: String) throws -> Told?
    func save(_ told: Told) throws
    func forget(_ told: Told) throws
    /// Has what a destination is to be told under one ordering key leave under another from now on, in the order of the
    /// commits with what is there.
    func joinTelling(of orderingKey: String, into other: String, to destination: String) throws
}
