import HTTPSupport
import Workflow

/// Messages of the journal as JSON, without any value of them.
package enum MessageView {
    /// The heads of messages in the order in which they are given.
    package static func list(_ messages: [JournaledMessage]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("total", messages.count)
            json.array("messages") { json in
                for message in messages { json.object { head(message, &$0) } }
            }
        }
        return json.bytes
    }

    /// One message's head, and the place, disposition, targets and count of each of its values.
    package static func whole(_ message: JournaledMessage) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            head(message, &json)
            guard let coverage = message.coverage else { return }
            json.array("values") { json in
                for entry in coverage.entries {
                    json.object { json in
                        json.member("place", entry.place)
                        json.member("disposition", entry.disposition.rawValue)
                        if !entry.targets.isEmpty { json.member("targets", entry.targets) }
                        json.member("count", entry.count)
                    }
                }
            }
        }
        return json.bytes
    }

    private static func head(_ message: JournaledMessage, _ json: inout JSONText) {
        json.member("id", message.id.value)
        json.member("receivedAt", HTTPDate.instant(microseconds: message.receivedAt.microseconds))
        json.member("sender", message.sender)
        json.member("controlID", message.controlID)
        json.member("type", message.type)
        json.member("disposition", message.disposition.rawValue)
        if let note = message.note { json.member("note", note) }
        if let peer = message.peer { json.member("peer", peer) }
        json.member("bytes", message.raw.count)
        guard let coverage = message.coverage else { return }
        json.object("coverage") { json in
            json.member("mapped", coverage.count(.mapped))
            json.member("kept", coverage.count(.kept))
            json.member("unmapped", coverage.count(.unmapped))
            if coverage.omitted > 0 { json.member("omitted", coverage.omitted) }
        }
    }
}
