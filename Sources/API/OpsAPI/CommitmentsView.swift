import HTTPSupport
import Workflow

/// What destinations of the site were asked to keep, and how it stands. PS3.4 §J.3.
enum CommitmentsView {
    static func json(_ transactions: [CommitmentTransaction]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("total", transactions.count)
            json.array("commitments") { json in
                for transaction in transactions {
                    json.object { json in
                        json.member("transactionUID", transaction.uid)
                        json.member("destination", transaction.destination)
                        json.member("peer", transaction.peer)
                        json.member("studyInstanceUID", transaction.studyInstanceUID)
                        json.member("state", transaction.state.rawValue)
                        json.member("instances", transaction.count)
                        json.member("failed", transaction.failed)
                        json.member("attempts", transaction.asks)
                        json.member("createdAt", HTTPDate.instant(microseconds: transaction.createdAt.microseconds))
                        if let due = transaction.dueAt {
                            json.member("dueAt", HTTPDate.instant(microseconds: due.microseconds))
                        }
                        if let reported = transaction.reportedAt {
                            json.member("reportedAt", HTTPDate.instant(microseconds: reported.microseconds))
                        }
                    }
                }
            }
        }
        return json.bytes
    }
}
