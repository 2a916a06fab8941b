import DICOMData
import Workflow

/// Query keys of QIDO and C-FIND as one ``StudyQuery``. PS3.4 §C.2.2.2, PS3.18 §8.3.4.
package enum QueryKeys {
    /// What is wrong with a query.
    package enum Problem: Error, Sendable, Hashable {
        /// The attribute is no matching key at this level.
        case unsupported(Tag)
        /// A value that its VR does not allow.
        case badValue(Tag)
    }

    /// The tags that can be matched, and their key.
    package static let matchable: [(tag: Tag, key: StudyQuery.Key, level: StudyQueryLevel)] = [
        (.studyDate, .studyDate, .study), (.studyTime, .studyTime, .study),
        (.accessionNumber, .accessionNumber, .study), (.modalitiesInStudy, .modalitiesInStudy, .study),
        (.referringPhysicianName, .referringPhysicianName, .study), (.patientName, .patientName, .study),
        (.patientID, .patientID, .study), (.issuerOfPatientID, .issuerOfPatientID, .study),
        (.studyInstanceUID, .studyInstanceUID, .study), (.studyID, .studyID, .study),
        (.studyDescription, .studyDescription, .study), (.patientBirthDate, .patientBirthDate, .study),
        (.patientSex, .patientSex, .study), (.modality, .modality, .series),
        (.seriesInstanceUID, .seriesInstanceUID, .series), (.seriesNumber, .seriesNumber, .series),
        (.seriesDescription, .seriesDescription, .series), (.bodyPartExamined, .bodyPartExamined, .series),
        (.performedProcedureStepStartDate, .performedProcedureStepStartDate, .series),
        (.performedProcedureStepStartTime, .performedProcedureStepStartTime, .series),
        (.sopClassUID, .sopClassUID, .instance), (.sopInstanceUID, .sopInstanceUID, .instance),
        (.instanceNumber, .instanceNumber, .instance),
    ]

    /// Keys inside Request Attributes Sequence, at series level.
    package static let requestAttributes: [(tag: Tag, key: StudyQuery.Key)] = [
        (.scheduledProcedureStepID, .scheduledProcedureStepID), (.requestedProcedureID, .requestedProcedureID),
    ]

    package static func key(for tag: Tag) -> (key: StudyQuery.Key, level: StudyQueryLevel)? {
        matchable.first { $0.tag == tag }.map { ($0.key, $0.level) }
    }

    /// The match that one key value asks for; nil for universal matching (empty or `*`).
    ///
    /// `""` (two quotes) matches absent or empty values (PS3.18 §8.3.4.4 emptyvaluematching).
    package static func match(_ value: String, for tag: Tag) throws(Problem) -> StudyQuery.Match? {
        let text = value.trimmed
        if text.isEmpty || text == "*" { return nil }
        if text == "\"\"" { return .empty }
        switch DataDictionary.vr(tag) ?? .UN {
        case .UI:
            let uids = text.split(whereSeparator: { $0 == "\\" || $0 == "," }).map { String($0).trimmed }
            guard !uids.isEmpty, uids.allSatisfy({ UID.isSafe($0) }) else { throw .badValue(tag) }
            return uids.count == 1 ? .exact(uids[0]) : .anyOf(uids)
        case .DA, .TM, .DT:
            guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 || $0 == 46 || $0 == 58 || $0 == 43 })
            else {
                throw .badValue(tag)
            }
            let plain = String(text.filter { $0 != ":" })
            guard plain.contains("-") else { return .exact(plain) }
            let (low, high) = WorklistKeys.range(plain)
            guard low != nil || high != nil else { throw .badValue(tag) }
            return .range(low: low, high: high)
        case .IS, .DS, .US, .UL, .SS, .SL:
            guard Int(text) != nil else { throw .badValue(tag) }
            return .exact(text)
        case .PN:
            return .wildcard(text, ignoringCase: true)
        default:
            if text.contains("\\") {
                return .anyOf(text.split(separator: "\\").map { String($0).trimmed })
            }
            return text.contains("*") || text.contains("?") ? .wildcard(text, ignoringCase: false) : .exact(text)
        }
    }
}
