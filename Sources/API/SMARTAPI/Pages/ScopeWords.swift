import Access

/// Scopes in words, for the person who is asked to give them.
enum ScopeWords {
    /// Resource types as people name what they hold.
    private static let things = [
        "Patient": "name, birth date and contacts", "ImagingStudy": "imaging studies and their images",
        "DiagnosticReport": "reports", "Observation": "results and measurements", "ServiceRequest": "orders",
        "Encounter": "visits", "Condition": "diagnoses and problems", "AllergyIntolerance": "allergies",
        "MedicationRequest": "prescriptions", "Procedure": "procedures", "DocumentReference": "documents",
        "Coverage": "insurance", "RelatedPerson": "relatives and contacts", "Task": "tasks",
        "Endpoint": "addresses of image servers", "Practitioner": "practitioners", "Organization": "organisations",
        "Appointment": "appointments", "Immunization": "immunisations",
    ]

    static func sentence(_ scope: Scope) -> String {
        let verbs = verbs(scope.permissions)
        let thing = scope.resourceType == "*" ? "all health records" : things[scope.resourceType] ?? scope.resourceType
        let whose =
            switch scope.level {
            case .patient: "of this patient"
            case .user: "that you may see"
            case .system: "of every patient"
            }
        let limits = scope.constraints.map { "\($0.name) is \($0.value)" }.joined(separator: " and ")
        return "\(verbs) \(thing) \(whose)" + (limits.isEmpty ? "" : ", where \(limits)")
    }

    /// Nil for one that is no choice of its own.
    static func sentence(_ scope: LaunchScope) -> String? {
        switch scope {
        case .openid: "Know who you are"
        case .offlineAccess: "Keep this access after you have signed out, until you take it back"
        case .onlineAccess: "Keep this access as long as you are signed in"
        case .fhirUser, .launch, .launchPatient, .launchEncounter, .launchImagingStudy: nil
        }
    }

    private static func verbs(_ permissions: Permissions) -> String {
        var words: [String] = []
        if !permissions.isDisjoint(with: [.read, .search]) {
            words.append(
                permissions.isSuperset(of: [.read, .search])
                    ? "See and search" : permissions.contains(.read) ? "See" : "Search")
        }
        if permissions.contains(.create) { words.append(words.isEmpty ? "Add to" : "add to") }
        if permissions.contains(.update) { words.append(words.isEmpty ? "Change" : "change") }
        if permissions.contains(.delete) { words.append(words.isEmpty ? "Delete" : "delete") }
        guard let last = words.popLast() else { return "" }
        return words.isEmpty ? last : words.joined(separator: ", ") + " and " + last
    }
}
