/// Everything that decides what one request may see: who asks, with which scopes, in which request.
///
/// Each read of the store takes one (house decision 5); it is made once at the edge that authenticated the caller.
package struct AccessContext: Sendable, Hashable {
    package let principal: Principal
    /// The granted scopes. Ignored when `isUnrestricted`.
    package let scopes: [Scope]
    /// The logical id of the patient in context, whom scopes of the patient level speak of. SMART 2.2 §Launch context.
    package let patient: String?
    /// What the person whom scopes of the user level speak of may see at all; empty for nobody. SMART 2.2 §Scopes.
    package let reach: [Compartment]
    /// As what the person works here, which bounds their scopes of the patient level, too; nil for a patient, and for
    /// whoever is no person.
    package let practice: Practice?
    /// The server's own work, which no scope limits. Never set for a caller on a wire except a configured peer.
    package let isUnrestricted: Bool
    /// Joins the log lines, the audit row and the answer of one request.
    package let requestID: String
    /// The peer's address as text, for the audit trail.
    package let sourceAddress: String?
    /// The `jti` of the access token, for the audit trail; never the token.
    package let tokenID: String?
    /// The outside authorization server that the token is of; nil for this server's own, and without a token.
    package let issuer: String?

    package init(
        principal: Principal, scopes: [Scope], patient: String? = nil, reach: [Compartment] = [],
        practice: Practice? = nil, isUnrestricted: Bool = false, requestID: String, sourceAddress: String? = nil,
        tokenID: String? = nil, issuer: String? = nil
    ) {
        self.principal = principal
        self.scopes = scopes
        self.patient = patient
        self.reach = reach
        self.practice = practice
        self.isUnrestricted = isUnrestricted
        self.requestID = requestID
        self.sourceAddress = sourceAddress
        self.tokenID = tokenID
        self.issuer = issuer
    }

    /// The same, asked from its time on for so many microseconds: what it may see, it may see all of that time, as long as
    /// nothing is written. Nil where it asks no practice.
    package func lasting(_ microseconds: Int64) -> AccessContext? {
        guard let practice else { return nil }
        return AccessContext(
            principal: principal, scopes: scopes, patient: patient, reach: reach,
            practice: practice.lasting(microseconds), isUnrestricted: isUnrestricted, requestID: requestID,
            sourceAddress: sourceAddress, tokenID: tokenID, issuer: issuer)
    }

    /// The server's own work.
    package static func server(requestID: String) -> AccessContext {
        AccessContext(principal: .server, scopes: [], isUnrestricted: true, requestID: requestID)
    }

    /// What the caller may see of a type with one permission, a single letter. Pure; a refusal is a value.
    ///
    /// A scope of the system level reaches every patient, one of the patient level the compartment of the patient in
    /// context and without one nothing, one of the user level the compartments that the person may see. Whoever works here
    /// sees by either what is within their practice.
    package func visibility(_ permission: Permissions, of resourceType: String) -> Visibility {
        visibility(permission, of: resourceType, isPixels: false)
    }

    /// What the caller may read of the objects of images, in terms of the ImagingStudy that they belong to.
    package var imageVisibility: Visibility { visibility(.read, of: "ImagingStudy", isPixels: true) }

    private func visibility(_ permission: Permissions, of resourceType: String, isPixels: Bool) -> Visibility {
        if isUnrestricted { return .whole }
        var rules: [VisibilityRule] = []
        for scope in scopes where scope.permissions.contains(permission) && scope.covers(resourceType) {
            var conditions = scope.constraints.map(VisibilityRule.Condition.search)
            switch scope.level {
            case .system: if conditions.isEmpty { return .whole }
            case .patient:
                guard let patient else { continue }
                conditions.insert(.compartment(.patient(patient)), at: 0)
                guard let practice else { break }
                for own in practice.rules(permission, of: resourceType, isPixels: isPixels) {
                    rules.append(VisibilityRule(conditions + own))
                }
                continue
            case .user:
                for compartment in reach { rules.append(VisibilityRule([.compartment(compartment)] + conditions)) }
                for own in practice?.rules(permission, of: resourceType, isPixels: isPixels) ?? [] {
                    rules.append(VisibilityRule(own + conditions))
                }
                continue
            }
            rules.append(VisibilityRule(conditions))
        }
        return Visibility(anyOf: rules)
    }

    /// Whether images may be stored, and asked for whether they are: never by a scope of the user or patient level.
    package var mayStoreImages: Bool { allows(.create, on: "ImagingStudy") }

    /// Whether an interaction on the type may be begun.
    ///
    /// A change needs the whole type: whether a changed resource still fits a rule could be told only after the change.
    /// For a reading some part of the type is enough, as the store shows no more than that.
    package func allows(_ permission: Permissions, on resourceType: String) -> Bool {
        let visibility = visibility(permission, of: resourceType)
        return permission.isDisjoint(with: .changes) ? !visibility.isNothing : visibility.isWhole
    }
}
