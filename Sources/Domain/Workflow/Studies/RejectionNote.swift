import Access

/// Why images are rejected: the document titles of a rejection note. PS3.16 CID 7011, IHE RAD IOCM.
///
/// Whatever the title, what is rejected is in no answer. They differ in what is done when it is sent again.
package enum RejectionTitle: String, Sendable, Hashable, Codable, CaseIterable {
    case quality = "113001"
    case patientSafety = "113037"
    case worklistEntry = "113038"
    case retentionExpired = "113039"

    /// The Code Value, of the coding scheme DCM.
    package var code: String { rawValue }
    package var meaning: String {
        switch self {
        case .quality: "Rejected for Quality Reasons"
        case .patientSafety: "Rejected for Patient Safety Reasons"
        case .worklistEntry: "Incorrect Modality Worklist Entry"
        case .retentionExpired: "Data Retention Policy Expired"
        }
    }
    /// Whether what is sent again is taken as new: nothing was wrong with it. What was wrong stays hidden, however often
    /// it comes.
    package var takesAgain: Bool { self == .retentionExpired }

    /// From a code value, with or without its scheme: `113001` or `113001^DCM`. Nil for another.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "^", omittingEmptySubsequences: false)
        guard parts.count == 1 || (parts.count == 2 && parts[1] == "DCM"), let code = parts.first else { return nil }
        self.init(rawValue: String(code))
    }
}

/// What a Key Object Selection says that is a rejection note: which instances, and why. IHE RAD TF-2 §4.66.
package struct RejectionNote: Sendable, Hashable {
    /// References of one note at most; one with more is refused, for it could not be followed whole.
    package static let referencesMax = 10_000
    /// Studies and series that the references of one note lie in at most: each is settled by itself, in the commit that
    /// stores the note.
    package static let studiesMax = 100
    package static let seriesMax = 1_000

    package var title: RejectionTitle
    package var references: [Reference]

    package struct Reference: Sendable, Hashable {
        package var studyInstanceUID: String
        package var seriesInstanceUID: String
        package var sopInstanceUID: String
        package init(studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String) {
            self.studyInstanceUID = studyInstanceUID
            self.seriesInstanceUID = seriesInstanceUID
            self.sopInstanceUID = sopInstanceUID
        }
    }
    package init(title: RejectionTitle, references: [Reference]) {
        self.title = title
        self.references = references
    }
}

/// Where an instance lies that is here.
package struct InstanceWhereabouts: Sendable, Hashable {
    package var studyInstanceUID: String
    package var seriesInstanceUID: String
    /// Whether it is in no answer.
    package var isRejected: Bool
    package init(studyInstanceUID: String, seriesInstanceUID: String, isRejected: Bool) {
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.isRejected = isRejected
    }
    package init(_ instance: Instance, isRejected: Bool) {
        self.init(
            studyInstanceUID: instance.studyInstanceUID, seriesInstanceUID: instance.seriesInstanceUID,
            isRejected: isRejected)
    }
}

/// A note that came before an instance which it rejects: kept until that comes, or for the time of rejected images.
package struct AwaitedRejection: Sendable, Hashable, Codable {
    package var studyInstanceUID: String
    package var seriesInstanceUID: String
    package var sopInstanceUID: String
    package var title: RejectionTitle
    /// The SOP Instance UID of the note.
    package var noteUID: String
    /// Kind and id of who sent the note, joined by a colon.
    package var sentBy: String
    package var sentAt: UTCInstant
    package init(
        _ reference: RejectionNote.Reference, title: RejectionTitle, noteUID: String, sentBy: String, sentAt: UTCInstant
    ) {
        studyInstanceUID = reference.studyInstanceUID
        seriesInstanceUID = reference.seriesInstanceUID
        sopInstanceUID = reference.sopInstanceUID
        self.title = title
        self.noteUID = noteUID
        self.sentBy = sentBy
        self.sentAt = sentAt
    }
}

/// The port of whoever deletes images through an API.
package protocol RejectionDesk: Sendable {
    /// Rejects a study, a series or an instance with a title, or lets the copy go where it is an archive's. Throws
    /// ``QuarantineService/Refusal``; what the caller may not reject is unknown.
    func reject(_ request: QuarantineRequest, access: AccessContext) async throws -> RejectionOutcome
}

/// What became of images that somebody deleted.
package enum RejectionOutcome: Sendable, Hashable {
    /// In no answer any more, and kept as long as rejected images are.
    case rejected
    /// The copy is gone; the archive of this AE title has the study still.
    case letGo(archive: String)
}
