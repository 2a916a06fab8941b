extension SignedInPerson {
    /// The patients whom a patient is or acts for; none for anybody else.
    package var reach: [Compartment] { role == .patient ? patientIDs.map { .patient($0) } : [] }

    /// What somebody sees who works here; nil for a patient and an operator.
    ///
    /// - Parameter launched: logical ids of patients whom an EHR has shown to the person.
    package func practice(
        launched: [String] = [], at time: Int64, _ policy: AccessPolicy = .standard
    ) -> Practice? {
        role.practice.map {
            Practice(
                $0, accountID: accountID, fhirUser: fhirUser, launched: launched, time: time, policy: policy)
        }
    }

    /// Whether scopes of the user level may speak of anybody.
    package var seesAnybody: Bool { role.practice != nil || !reach.isEmpty }

    /// Whether the person may be given a patient in context whom an EHR names: somebody who works here, whom the EHR shows,
    /// a patient only those they are or act for.
    package func mayBeGiven(patient id: String) -> Bool {
        switch role {
        case .patient: patientIDs.contains(id)
        case .referrer, .reader, .administrator: true
        case .operator: false
        }
    }

    /// What the person themself may look for, to choose a patient from.
    ///
    /// - Parameter launched: logical ids of patients whom an EHR shows to the person now.
    package func access(
        requestID: String, sourceAddress: String?, launched: [String] = [], at time: Int64,
        policy: AccessPolicy = .standard
    ) -> AccessContext {
        let permissions: Permissions = [.read, .search]
        return AccessContext(
            principal: principal(client: nil),
            scopes: [Scope(level: .user, resourceType: "*", permissions: permissions)], reach: reach,
            practice: practice(launched: launched, at: time, policy), requestID: requestID, sourceAddress: sourceAddress
        )
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

    /// The logical id of the Patient that a relative reference names: `Patient/1`. Nil for anything else.
    package static func patientID(reference: String) -> String? {
        Compartment(reference: reference).flatMap { $0 == .patient($0.id) ? $0.id : nil }
    }

    /// The focal resource as a relative reference.
    package var reference: String { type + "/" + id }
}
