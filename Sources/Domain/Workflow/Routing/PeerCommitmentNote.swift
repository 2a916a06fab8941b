/// What the outbox has for a destination that is asked for commitment: a transaction that it is to be asked for, or what
/// it does not keep, which waits for an operator. PS3.4 §J.3.
package struct PeerCommitmentNote: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        case ask
        /// Why, in words, and what is sent anew when the entry is replayed.
        case refused(reason: String, instances: [ForwardedInstance])
    }

    /// The name of the destination.
    package let destination: String
    package let transactionUID: String
    package let content: Content

    package init(destination: String, transactionUID: String, content: Content) {
        self.destination = destination
        self.transactionUID = transactionUID
        self.content = content
    }

    /// What the outbox calls the destination, and the kind of its entries.
    package static func outboxName(_ destination: String) -> String { "commit/" + destination }

    /// As it is put into the outbox: lines; of what is refused each study and series once, before its instances. Some
    /// hundred kilobytes at most.
    package var draft: OutboxDraft {
        var lines = [destination, transactionUID]
        switch content {
        case .ask: lines.append("ask")
        case .refused(let reason, let instances):
            lines += ["refused", DeliveryPolicy.cut(reason)]
            var last: (study: String, series: String)?
            for instance in instances {
                let place = (study: instance.studyInstanceUID, series: instance.seriesInstanceUID)
                if last == nil || last?.study != place.study || last?.series != place.series {
                    lines.append("=\(place.study)=\(place.series)")
                }
                last = place
                lines.append(instance.sopInstanceUID)
            }
        }
        let name = Self.outboxName(destination)
        return OutboxDraft(
            destination: name, orderingKey: transactionUID, kind: name,
            payload: Array(lines.joined(separator: "\n").utf8))
    }

    /// What an entry of the outbox holds; nil for those of others.
    package init?(_ entry: OutboxEntry) {
        let lines = String(decoding: entry.payload, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count >= 3, entry.kind == Self.outboxName(lines[0]) else { return nil }
        destination = lines[0]
        transactionUID = lines[1]
        switch lines[2] {
        case "ask" where lines.count == 3: content = .ask
        case "refused" where lines.count > 4:
            var place: (study: String, series: String)?
            var instances: [ForwardedInstance] = []
            for line in lines[4...] {
                if line.first == "=" {
                    let parts = line.split(separator: "=", omittingEmptySubsequences: false)
                    guard parts.count == 3 else { return nil }
                    place = (String(parts[1]), String(parts[2]))
                } else if let place {
                    instances.append(
                        ForwardedInstance(
                            destination: lines[0], studyInstanceUID: place.study, seriesInstanceUID: place.series,
                            sopInstanceUID: line))
                } else {
                    return nil
                }
            }
            content = .refused(reason: lines[3], instances: instances)
        default: return nil
        }
    }
}
