import DICOMData
import Workflow

/// What a Query/Retrieve information model begins with. PS3.4 §C.6.
package enum QueryRetrieveRoot: Sendable, Hashable { case patient, study }

/// Query/Retrieve Level (0008,0052). PS3.4 §C.3, Table C.6-1 to C.6-5.
package enum QueryRetrieveLevel: String, Sendable, Hashable, CaseIterable {
    case patient = "PATIENT"
    case study = "STUDY"
    case series = "SERIES"
    case image = "IMAGE"

    /// From the top.
    var depth: Int {
        switch self {
        case .patient: 0
        case .study: 1
        case .series: 2
        case .image: 3
        }
    }

    package var uniqueKey: Tag {
        switch self {
        case .patient: .patientID
        case .study: .studyInstanceUID
        case .series: .seriesInstanceUID
        case .image: .sopInstanceUID
        }
    }

    /// The level of the index that answers it; patients are those of their studies.
    package var ofIndex: StudyQueryLevel {
        switch self {
        case .patient, .study: .study
        case .series: .series
        case .image: .instance
        }
    }

    /// The level of an identifier; nil where it is absent, unknown, or not of the model.
    init?(_ identifier: DataSet, root: QueryRetrieveRoot) {
        guard let text = identifier.string(.queryRetrieveLevel), let level = Self(rawValue: text),
            root == .patient || level != .patient
        else { return nil }
        self = level
    }

    /// The levels above it in a model, from the top.
    func levelsAbove(_ root: QueryRetrieveRoot) -> [Self] {
        Self.allCases.filter { $0.depth < depth && (root == .patient || $0 != .patient) }
    }
}

/// Why an identifier does not fit its SOP class: A900H, with the attribute that is at fault. PS3.4 §C.4.1.1.4.
package struct IdentifierProblem: Error, Sendable, Hashable {
    package enum Reason: Sendable, Hashable {
        /// No level of the information model is named.
        case level
        /// The unique key of this level or of one above it is absent, or has not the one value it must have.
        case uniqueKey
        /// A value that its VR does not allow.
        case value
    }
    package let reason: Reason
    package let tag: Tag

    package init(_ reason: Reason, _ tag: Tag) {
        self.reason = reason
        self.tag = tag
    }

    /// For Error Comment: names the attribute, never its value.
    package var comment: String {
        switch reason {
        case .level: "(0008,0052) is no level of this information model"
        case .uniqueKey: "\(tag) needs one value at this level"
        case .value: "\(tag) has no value of its VR"
        }
    }
}
