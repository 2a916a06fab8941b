/// An instance that a destination of the site is to have, as the outbox keeps it until it has: which one, and nothing
/// of what is in it. That is read when it is sent.
package struct ForwardedInstance: Sendable, Hashable {
    /// The name of the destination.
    package let destination: String
    package let studyInstanceUID: String
    package let seriesInstanceUID: String
    package let sopInstanceUID: String
    /// How often it was sent before because the destination did not commit to it. PS3.4 §J.3.
    package let tries: Int

    package init(
        destination: String, studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String,
        tries: Int = 0
    ) {
        self.destination = destination
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.sopInstanceUID = sopInstanceUID
        self.tries = tries
    }

    package init(_ instance: Instance, to destination: String) {
        self.init(
            destination: destination, studyInstanceUID: instance.studyInstanceUID,
            seriesInstanceUID: instance.seriesInstanceUID, sopInstanceUID: instance.sopInstanceUID)
    }

    /// What the outbox calls a destination of instances, and the kind of its entries: each has a courier of its own.
    package static func outboxName(_ destination: String) -> String { "route/" + destination }

    /// As it is put into the outbox. What is sent of one study is sent in order.
    package var draft: OutboxDraft {
        let name = Self.outboxName(destination)
        var lines = [destination, studyInstanceUID, seriesInstanceUID, sopInstanceUID]
        if tries > 0 { lines.append("\(tries)") }
        return OutboxDraft(
            destination: name, orderingKey: studyInstanceUID, kind: name,
            payload: Array(lines.joined(separator: "\n").utf8))
    }

    /// What an entry of the outbox holds; nil for those of others.
    package init?(_ entry: OutboxEntry) {
        let lines = String(decoding: entry.payload, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 4 || lines.count == 5, entry.kind == Self.outboxName(lines[0]) else { return nil }
        guard let tries = lines.count == 5 ? Int(lines[4]) : 0, tries >= 0 else { return nil }
        self.init(
            destination: lines[0], studyInstanceUID: lines[1], seriesInstanceUID: lines[2], sopInstanceUID: lines[3],
            tries: tries)
    }
}
