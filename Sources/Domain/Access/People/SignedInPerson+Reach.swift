extension SignedInPerson {
    /// Whose data the person may see at all: a patient those they are or act for, a practitioner what names them in their
    /// compartment, an operator nobody's. FHIR R4 compartmentdefinition.html.
    package var reach: [Compartment] {
        switch role {
        case .patient: patientIDs.map { .patient($0) }
        case .practitioner: fhirUser.flatMap(Compartment.init(reference:)).map { [$0] } ?? []
        case .operator: []
        }
    }

    /// Whether the person may be given a patient in context whom an EHR names: a practitioner whom the EHR shows, a patient
    /// only those they are or act for.
    package func mayBeGiven(patient id: String) -> Bool {
        switch role {
        case .patient: patientIDs.contains(id)
        case .practitioner: true
        case .operator: false
        }
    }

    /// What the person themself may look for, to choose a patient from.
    package func access(requestID: String, sourceAddress: String?) -> AccessContext {
        let permissions: Permissions = [.read, .search]
        return AccessContext(
            principal: principal(client: nil),
            scopes: [Scope(level: .user, resourceType: "*", permissions: permissions)], reach: reach,
            requestID: requestID, sourceAddress: sourceAddress)
    }

    /// The person by themself, or by an application.
    package func principal(client: String?) -> Principal { .person(accountID, client: client, name: displayName) }
}

extension Compartment {
    /// The compartment of the resource that a relative reference names: `Practitioner/1`. Nil for anything else.
    package init?(reference: String) {
        guard let parts = LaunchReference.parts(reference) else { return nil }
        self.init(type: parts.type, id: parts.id)
    }

    /// The focal resource as a relative reference.
    package var reference: String { type + "/" + id }
}
