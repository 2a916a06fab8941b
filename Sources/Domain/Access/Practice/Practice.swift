/// Whose data somebody sees who works here: what their scopes of the user level speak of, and what bounds those of the
/// patient level. Decision 0034.
///
/// Names no patient but those whom an EHR has shown: who is a patient of a practice is asked of the store in the query
/// itself, so that a new order grants at once and a cancelled one no longer.
package struct Practice: Sendable, Hashable {
    /// As what somebody works here.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        /// Sees the patients they care for: by an order, an encounter, a care team, the patient's own practitioner, a grant.
        case referrer
        /// Sees the patients of the worklist of their desk: of its modalities, at its stations.
        case reader
        /// Sees everything but the objects of images, and these of patients whom they were granted.
        case administrator
    }

    package let role: Role
    package let accountID: String
    /// A relative reference, `Practitioner/1` or `PractitionerRole/2`; nil where nothing in the record stands for them.
    package let fhirUser: String?
    /// Logical ids of patients whom an EHR has shown by a launch.
    package let launched: [String]
    /// When it is asked, in microseconds since 1970 UTC.
    package let time: Int64
    /// Until when what is within it has to be: ``time``, or later where a right is asked for all of the time to then.
    package let until: Int64
    package let policy: AccessPolicy

    package init(
        _ role: Role, accountID: String, fhirUser: String?, launched: [String] = [], time: Int64, until: Int64? = nil,
        policy: AccessPolicy = .standard
    ) {
        self.role = role
        self.accountID = accountID
        self.fhirUser = fhirUser
        self.launched = launched
        self.time = time
        self.until = max(time, until ?? time)
        self.policy = policy
    }

    /// The same, asked from its time on for so many microseconds.
    func lasting(_ microseconds: Int64) -> Practice {
        let (end, isOver) = time.addingReportingOverflow(microseconds)
        return Practice(
            role, accountID: accountID, fhirUser: fhirUser, launched: launched, time: time, until: isOver ? .max : end,
            policy: policy)
    }

    /// Types of which nobody's data is: who works here, where, and how things are reached. Whoever works here sees them.
    package static let directory: Set<String> = [
        "Practitioner", "PractitionerRole", "Organization", "OrganizationAffiliation", "Location", "HealthcareService",
        "Endpoint",
    ]
    /// Types that hold what belongs to a patient without saying to whom, so that no refusal could be heeded.
    private static let unowned: Set<String> = ["Binary", "Bundle", "MessageHeader", "Parameters", "Subscription"]

    /// What the conditions of one permission on one type are: all of one list, for at least one of the lists. Never the
    /// whole type for a change.
    func rules(_ permission: Permissions, of type: String, isPixels: Bool) -> [[VisibilityRule.Condition]] {
        let hidden = policy.hiddenLabels(from: role)
        let unlabelled: [VisibilityRule.Condition] = hidden.isEmpty ? [] : [.carriesNone(of: hidden)]
        let isChange = !permission.isDisjoint(with: .changes)
        if Self.directory.contains(type) { return isChange ? [] : [unlabelled] }
        // The trail holds no clinical data, and is the administrator's to look after.
        if type == "AuditEvent" { return role == .administrator && !isChange ? [[]] : [] }
        if Self.unowned.contains(type) { return [] }
        var sources: Set<PatientReach.Source> = [.grants, .emergency, .launched]
        switch role {
        case .referrer: sources.insert(.care)
        case .reader: sources.insert(.worklist)
        case .administrator: if !isPixels { sources = [.everyone] }
        }
        let own = PatientReach(
            self, sources, refusals: policy.heedsRefusals(role) ? .all : .none, hiddenLabels: hidden, type: type)
        var rules = [[.reach(own)] + unlabelled]
        if role != .administrator || isPixels, !policy.emergencyPasses.isEmpty {
            let passed = policy.emergencyPasses
            let labels = passed.contains(.labels) ? [] : hidden
            let emergency = PatientReach(
                self, [.emergency],
                refusals: !policy.heedsRefusals(role) ? .none : passed.contains(.refusals) ? .ofEmergencies : .all,
                hiddenLabels: labels, type: type)
            rules.append([.reach(emergency)] + (labels.isEmpty ? [] : [.carriesNone(of: labels)]))
        }
        return rules
    }
}

/// Which patients are within a practice, for resources of one type: a condition on a patient's logical id.
package struct PatientReach: Sendable, Hashable {
    /// By what a patient comes within it.
    package enum Source: String, Sendable, Hashable, CaseIterable {
        case care, worklist, grants, emergency, launched, everyone
    }
    /// Which refusals of a patient count.
    package enum Refusals: String, Sendable, Hashable {
        case none
        /// Those that speak of emergencies.
        case ofEmergencies
        case all
    }

    package let accountID: String
    package let fhirUser: String?
    package let launched: [String]
    /// From when to when a patient has to be within it all the time; the same moment where it is asked for that alone.
    package private(set) var time: Int64
    package private(set) var until: Int64
    package let sources: Set<Source>
    package let refusals: Refusals
    /// A patient or a study that carries one of these is not within it.
    package let hiddenLabels: [SecurityLabel]
    /// The resource type that is looked for: a refusal may be of some types alone.
    package let type: String

    init(
        _ practice: Practice, _ sources: Set<Source>, refusals: Refusals, hiddenLabels: [SecurityLabel], type: String
    ) {
        accountID = practice.accountID
        fhirUser = practice.fhirUser
        launched = practice.launched
        time = practice.time
        until = practice.until
        self.sources = sources
        self.refusals = refusals
        self.hiddenLabels = hiddenLabels
        self.type = type
    }

    /// The same without the time of asking.
    var timeless: PatientReach {
        var reach = self
        (reach.time, reach.until) = (0, 0)
        return reach
    }

    /// Every patient but those who are cut out.
    package var isEveryone: Bool { sources.contains(.everyone) }
}
