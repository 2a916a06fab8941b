import HTTPSupport
import Workflow

/// Copies of archives' studies: what is being fetched, what is held and what could not be had.
enum FetchesView {
    static func json(_ copies: [ArchiveCopy]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("total", copies.count)
            json.array("fetches") { json in
                for copy in copies {
                    json.object { json in
                        json.member("studyInstanceUID", copy.studyInstanceUID)
                        json.member("archive", copy.archive)
                        json.member("state", copy.state.rawValue)
                        json.member("attempts", copy.attempts)
                        json.member("requestedAt", HTTPDate.instant(microseconds: copy.requestedAt.microseconds))
                        if copy.state == .waiting {
                            json.member("nextAttemptAt", HTTPDate.instant(microseconds: copy.nextAt.microseconds))
                        }
                        if let ended = copy.endedAt {
                            json.member("endedAt", HTTPDate.instant(microseconds: ended.microseconds))
                        }
                        json.member("usedAt", HTTPDate.instant(microseconds: copy.usedAt.microseconds))
                        if let reason = copy.reason { json.member("reason", reason) }
                        if copy.expected > 0 { json.member("expectedInstances", copy.expected) }
                        json.member("instances", copy.instances)
                        json.member("bytes", Int(clamping: copy.bytes))
                        if let failure = copy.failure { json.member("failure", failure) }
                    }
                }
            }
        }
        return json.bytes
    }
}
