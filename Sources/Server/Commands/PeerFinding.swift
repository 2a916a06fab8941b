/// One thing that was tried with a peer.
struct PeerFinding: Sendable, Codable, Equatable {
    enum Outcome: String, Sendable, Codable { case ok, note, fail }
    /// `address`, `connect`, `tls`, `associate`, `context`, `echo`, `find`, `worklist`, `keys`, `message`.
    var step: String
    var outcome: Outcome
    var text: String
    /// What to change.
    var fix: String?

    var line: String {
        let mark =
            switch outcome {
            case .ok: "ok  "
            case .note: "note"
            case .fail: "FAIL"
            }
        return "\(mark)  \(step): \(text)" + (fix.map { "; to do: \($0)" } ?? "")
    }

    static func ok(_ step: String, _ text: String) -> Self { Self(step: step, outcome: .ok, text: text) }
    static func note(_ step: String, _ text: String, fix: String) -> Self {
        Self(step: step, outcome: .note, text: text, fix: fix)
    }
    static func fail(_ step: String, _ text: String, fix: String) -> Self {
        Self(step: step, outcome: .fail, text: text, fix: fix)
    }
}
