/// What an object says of its patient beside their number, as its sender wrote it. PS3.3 §C.7.1.1.
package struct PatientWords: Sendable, Hashable, Codable {
    /// (0010,0010), with its groups.
    package var name: String?
    /// (0010,0030).
    package var birthDate: String?
    /// (0010,0040).
    package var sex: String?

    package init(name: String? = nil, birthDate: String? = nil, sex: String? = nil) {
        self.name = name
        self.birthDate = birthDate
        self.sex = sex
    }

    /// Those of a study.
    package init(_ study: StudyAttributes) {
        self.init(name: study.patientName, birthDate: study.patientBirthDate, sex: study.patientSex)
    }

    /// Whether two values of PN name somebody differently: by a group that both have, whatever the case of its letters.
    /// PS3.5 §6.2.1.
    static func differ(_ told: String, _ known: String) -> Bool {
        zip(groups(told), groups(known)).contains { !$0.isEmpty && !$1.isEmpty && $0 != $1 }
    }

    private static func groups(_ name: String) -> [[String]] {
        name.split(separator: "=", omittingEmptySubsequences: false).map { group in
            var parts = group.split(separator: "^", omittingEmptySubsequences: false).map { part in
                part.split(separator: " ").joined(separator: " ").lowercased()
            }
            while parts.last?.isEmpty == true { parts.removeLast() }
            return parts
        }
    }
}
