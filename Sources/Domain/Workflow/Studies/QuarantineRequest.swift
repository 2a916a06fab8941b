/// What a person asks of images that were kept aside, or about which was decided.
package struct QuarantineRequest: Sendable, Hashable {
    package enum Ask: Sendable, Hashable {
        case accept, reject, undo
        case relink(Target)
        /// One word for routes, commands and the audit trail.
        package var name: String {
            switch self {
            case .accept: "accept"
            case .reject: "reject"
            case .undo: "undo"
            case .relink: "relink"
            }
        }
    }
    /// What images are given to.
    package enum Target: Sendable, Hashable {
        case order(Name)
        case patient(Name)
    }
    /// A logical id, or a number with the system of its authority.
    package enum Name: Sendable, Hashable {
        case id(EntityID)
        case number(system: String, value: String)

        /// From an id, or from `system|value` as of a token in FHIR search.
        package init(_ text: String) {
            guard let bar = text.firstIndex(of: "|") else {
                self = .id(EntityID(text))
                return
            }
            self = .number(system: String(text[..<bar]), value: String(text[text.index(after: bar)...]))
        }
    }

    package var ask: Ask
    package var studyInstanceUID: String
    /// Nil for the whole study.
    package var seriesInstanceUID: String?
    /// One instance of it alone.
    package var sopInstanceUID: String?
    /// Why, in the person's words: required, at most ``QuarantineDecision/reasonBytesMax`` bytes.
    package var reason: String
    /// Of a rejection: what it is coded as; nil for what is told in words alone.
    package var title: RejectionTitle?

    package init(
        _ ask: Ask, studyInstanceUID: String, seriesInstanceUID: String? = nil, sopInstanceUID: String? = nil,
        reason: String, title: RejectionTitle? = nil
    ) {
        self.title = title
        self.ask = ask
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.sopInstanceUID = sopInstanceUID
        self.reason = reason
    }
}

extension QuarantineService {
    /// Why a decision was refused; nothing was changed. Each description says what to do next.
    package enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        case reasonMissing
        case reasonTooLong
        /// Nothing of that UID is known.
        case unknown
        /// It was rejected.
        case isRejected
        /// Nothing of it is kept aside.
        case notKeptAside
        /// No decision to undo.
        case notDecided
        /// The images name no registered patient, or none that is one.
        case namesNoPatient
        case namesSeveralPatients([EntityID])
        case namesSeveralOrders([EntityID])
        case unknownTarget
        case ambiguousTarget([EntityID])
        /// Other series of the study are certainly another patient's.
        case studyOfAnotherPatient(seriesInstanceUID: String)
        /// A single instance was to be linked apart from its series.
        case instanceAlone
        /// It is an archive's, and what lies here a copy of a part of it or under a decision.
        case ofArchive

        /// Whether what was asked about is not there.
        package var isUnknown: Bool { self == .unknown }

        package var description: String {
            func list(_ ids: [EntityID]) -> String { ids.prefix(10).map(\.value).joined(separator: ", ") }
            return switch self {
            case .reasonMissing: "a reason is missing: say why, it is kept with the decision"
            case .reasonTooLong: "the reason is longer than \(QuarantineDecision.reasonBytesMax) bytes"
            case .unknown: "no such study, series or instance is kept: list the quarantine for what is"
            case .isRejected: "it was rejected: undo that first"
            case .notKeptAside: "nothing of it is kept aside: relink it, or reject it, if its link is wrong"
            case .notDecided: "there is no decision to undo"
            case .namesNoPatient:
                "the images name no registered patient: register the patient, or relink to an order or patient"
            case .namesSeveralPatients(let ids):
                "the images name more than one patient: relink to one of Patient \(list(ids))"
            case .namesSeveralOrders(let ids):
                "the images name more than one order: relink to one of ServiceRequest \(list(ids))"
            case .unknownTarget: "no such order or patient: give a logical id, or a number as system|value"
            case .ambiguousTarget(let ids): "the number names more than one: give the id of one of \(list(ids))"
            case .studyOfAnotherPatient(let uid):
                "one study is one patient's, and series \(uid) of it is another's: relink the whole study, or reject what is not of that patient"
            case .instanceAlone:
                "a single instance goes where its series goes: accept it there, reject it, or relink the whole series"
            case .ofArchive:
                "an archive keeps it, and only a whole copy of a study can go from here: have the archive reject it, or reject it in the quarantine"
            }
        }
    }
}
