/// A scope that asks for no resource but for identity, context or time. SMART 2.2 §Scopes.
package enum LaunchScope: String, Sendable, Hashable, CaseIterable {
    /// With ``fhirUser``: an id_token.
    case openid
    case fhirUser
    /// The context that an EHR has named.
    case launch
    /// A patient, chosen by the person where no EHR has named one.
    case launchPatient = "launch/patient"
    /// An encounter of the patient, chosen by the person where no EHR has launched the application.
    case launchEncounter = "launch/encounter"
    /// An imaging study of the patient, chosen the same way, as an element of `fhirContext`.
    case launchImagingStudy = "launch/imagingstudy"
    /// A refresh token as long as the person's session lives.
    case onlineAccess = "online_access"
    /// A refresh token that outlives the person's session.
    case offlineAccess = "offline_access"
}

/// The scopes of a registration, a request or a grant, those for resources and the others.
package struct GrantedScopes: Sendable, Hashable {
    package var resources: [Scope]
    /// Each once.
    package var others: [LaunchScope]

    package init(resources: [Scope], others: [LaunchScope]) {
        self.resources = resources
        self.others = others
    }

    /// Reads words between spaces; a word that is no scope is passed over. A role of a context (`launch/imagingstudy?role=…`)
    /// is left out: what there is of the type is given, whatever it is for. SMART 2.2 §Requesting context with scopes.
    package init(_ text: String) {
        resources = []
        others = []
        var seen: Set<Scope> = []
        for word in text.split(separator: " ") {
            let name = word.hasPrefix("launch/") ? word.prefix { $0 != "?" } : word
            if let other = LaunchScope(rawValue: String(name)) {
                if !others.contains(other) { others.append(other) }
            } else if let scope = Scope(String(word)), seen.insert(scope).inserted {
                resources.append(scope)
            }
        }
    }

    /// The words with a space between them.
    package var text: String { (others.map(\.rawValue) + resources.map(\.text)).joined(separator: " ") }
    package var isEmpty: Bool { resources.isEmpty && others.isEmpty }

    /// The part of what is asked for that a registration or an earlier grant allows.
    package func granted(from allowed: GrantedScopes) -> GrantedScopes {
        GrantedScopes(
            resources: resources.granted(from: allowed.resources), others: others.filter(allowed.others.contains))
    }
}
