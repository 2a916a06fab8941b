import Workflow

/// What one entry of the outbox tells a Subscription: that a version of a resource matches, or, at its begin, nothing.
package struct SubscriptionNotice: Sendable, Hashable {
    /// Of such entries.
    package static let kind = "rest-hook"
    private static let form = "1"

    package struct Version: Sendable, Hashable {
        package let type: String
        package let id: String
        package let number: Int64
        package init(type: String, id: String, number: Int64) {
            self.type = type
            self.id = id
            self.number = number
        }
    }

    package let subscription: EntityID
    package let epoch: Int64
    /// Nil for the first call, by which an endpoint shows that it is there.
    package let version: Version?

    package init(_ subscription: SubscriptionRecord, _ version: Version? = nil) {
        self.subscription = subscription.id
        epoch = subscription.epoch
        self.version = version
    }

    /// Words apart by blanks; ids and types hold none.
    package var draft: OutboxDraft {
        var words = [Self.form, subscription.value, String(epoch)]
        if let version { words += [version.type, version.id, String(version.number)] }
        return OutboxDraft(
            destination: SubscriptionRecord.destination(subscription), kind: Self.kind,
            payload: Array(words.joined(separator: " ").utf8))
    }

    /// Nil for what no `draft` wrote.
    package init?(payload: [UInt8]) {
        let words = String(decoding: payload, as: UTF8.self).split(separator: " ").map(String.init)
        guard words.count == 3 || words.count == 6, words[0] == Self.form, let epoch = Int64(words[2]) else {
            return nil
        }
        subscription = EntityID(words[1])
        self.epoch = epoch
        if words.count == 6 {
            guard let number = Int64(words[5]) else { return nil }
            version = Version(type: words[3], id: words[4], number: number)
        } else {
            version = nil
        }
    }
}
