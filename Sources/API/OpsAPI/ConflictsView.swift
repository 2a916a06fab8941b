import HTTPSupport
import Workflow

/// Other content that came under SOP Instance UIDs in use, for the person who finds out which is right.
enum ConflictsView {
    static func json(_ conflicts: [InstanceConflict]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("total", conflicts.count)
            json.array("conflicts") { json in
                for item in conflicts {
                    json.object { json in
                        json.member("outcome", item.outcome.rawValue)
                        json.member("sopInstanceUID", item.sopInstanceUID)
                        json.member("studyInstanceUID", item.studyInstanceUID)
                        json.member("seriesInstanceUID", item.seriesInstanceUID)
                        json.member("peer", item.peer)
                        if let difference = item.difference { json.member("difference", difference) }
                        json.member("count", item.count)
                        json.member("receivedAt", HTTPDate.instant(microseconds: item.time.microseconds))
                        if let old = item.superseded {
                            json.member("supersededBlob", old.blobID.value)
                            json.member(
                                "supersededReceivedAt", HTTPDate.instant(microseconds: old.receivedAt.microseconds))
                        }
                    }
                }
            }
        }
        return json.bytes
    }
}
