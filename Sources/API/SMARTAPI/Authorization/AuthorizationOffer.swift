import Access

/// What one person may give to the application of one request: the scopes that are left of it, and for whom.
struct AuthorizationOffer: Sendable {
    /// At least one resource, or `openid`.
    let scopes: GrantedScopes
    /// What the EHR has named; empty for a standalone launch.
    let context: LaunchContext
    /// Of the launch that is used up with the answer.
    let launch: [UInt8]?
    /// Whether the person has to choose a patient first, for some of the scopes, for `launch/patient` or for what of the
    /// patient's record they choose then.
    let needsPatient: Bool
    /// What of the patient's record the person may choose then; empty for a launch by an EHR, which has chosen.
    let contextTypes: [ContextType]

    /// - Parameters:
    ///   - prepared: what the request's handle stands for; nil for a standalone launch.
    ///   - givesOnlineAccess: whether there is somebody to tell when a session ends.
    init?(
        _ request: AuthorizationRequest, _ person: SignedInPerson, prepared: PreparedLaunch?, givesOnlineAccess: Bool
    ) {
        let registered = GrantedScopes(resources: request.client.scopes, others: request.client.launchScopes)
        var scopes = request.scopes.granted(from: registered)
        var context = prepared?.context ?? LaunchContext()
        scopes.resources.removeAll { scope in
            switch scope.level {
            // Nobody lends out what only the operator gives.
            case .system: true
            case .user: !person.seesAnybody
            case .patient: person.role == .operator
            }
        }
        let hasIdentity = scopes.others.contains(.openid) && person.fhirUser != nil
        scopes.others.removeAll { scope in
            switch scope {
            case .launch: prepared == nil
            case .launchPatient: person.role == .operator
            // An EHR says all that is open there; beside it nothing is chosen.
            case .launchEncounter: prepared == nil ? person.role == .operator : !context.names(.encounter)
            case .launchImagingStudy: prepared == nil ? person.role == .operator : !context.names(.imagingStudy)
            case .fhirUser: !hasIdentity
            case .onlineAccess: !givesOnlineAccess
            case .openid, .offlineAccess: false
            }
        }
        guard !scopes.resources.isEmpty || scopes.others.contains(.openid) else { return nil }
        if prepared == nil { context.needPatientBanner = true }
        self.scopes = scopes
        self.context = context
        launch = prepared?.digest
        let others = scopes.others
        contextTypes = prepared == nil ? ContextType.allCases.filter { others.contains($0.scope) } : []
        needsPatient = context.patient == nil && (Self.asksForPatient(scopes) || !contextTypes.isEmpty)
    }

    /// Whether scopes have no meaning without a patient. SMART 2.2 §Scopes for requesting clinical data.
    static func asksForPatient(_ scopes: GrantedScopes) -> Bool {
        scopes.others.contains(.launchPatient) || scopes.resources.contains { $0.level == .patient }
    }

    /// Scopes that a person may leave out, each by its text; the others say what the launch is.
    var droppable: [String] {
        scopes.resources.map(\.text)
            + scopes.others.filter { [.openid, .onlineAccess, .offlineAccess].contains($0) }.map(\.rawValue)
    }

    /// What is left when a person has chosen; nil for nothing.
    func chosen(_ kept: Set<String>) -> GrantedScopes? {
        let dropped = Set(droppable).subtracting(kept)
        var left = scopes
        left.resources.removeAll { dropped.contains($0.text) }
        left.others.removeAll { dropped.contains($0.rawValue) }
        if !left.others.contains(.openid) { left.others.removeAll { $0 == .fhirUser } }
        return left.resources.isEmpty && !left.others.contains(.openid) ? nil : left
    }
}
