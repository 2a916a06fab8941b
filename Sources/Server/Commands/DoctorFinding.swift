/// Something that `hilum doctor` found, and what to do about it.
struct DoctorFinding: Equatable {
    enum Kind {
        case good
        /// Something to decide, but no problem.
        case note
        case bad
    }
    var kind: Kind
    var text: String
    /// Empty for what is good.
    var fix = ""
}

extension Doctor {
    mutating func tell(_ findings: [DoctorFinding]) {
        for finding in findings {
            switch finding.kind {
            case .good: good(finding.text)
            case .note: note(finding.text, fix: finding.fix)
            case .bad: bad(finding.text, fix: finding.fix)
            }
        }
    }
}
