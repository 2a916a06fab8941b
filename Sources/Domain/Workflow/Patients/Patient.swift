/// A person registered with the hospital.
package struct Patient: Sendable, Hashable, Codable {
    package enum Sex: String, Sendable, Hashable, Codable { case male, female, other, unknown }

    package var id: EntityID
    /// At least one; those of a merged-away patient stay as not current.
    package var identifiers: [Identifier]
    package var names: [HumanName]
    /// Other names the person goes or went by (PID-9).
    package var aliases: [HumanName] {
        get { otherNames ?? [] }
        set { otherNames = newValue.isEmpty ? nil : newValue }
    }
    /// A date, at any precision.
    package var birthDate: PartialDateTime?
    package var sex: Sex?
    package var addresses: [PostalAddress]
    /// Those of the home field (PID-13), then those of the work field (PID-14).
    package var telecoms: [ContactPoint] { didSet { if telecoms != oldValue { workTelecomCount = nil } } }
    package var maritalStatus: CodedConcept?
    /// BCP 47 or the sender's code.
    package var language: CodedConcept?
    package var isDeceased: Bool?
    package var deceasedAt: PartialDateTime?
    package var isActive: Bool
    /// The survivor of the merge that retired this patient.
    package var mergedInto: EntityID?
    /// When that merge happened at its source.
    package var mergedAt: UTCInstant?
    /// When the newest applied event happened at its source.
    package var eventTime: UTCInstant?
    /// When each value was last stated by a registration; decides, value by value, what is stale.
    package var registered: StatedTimes?
    /// The same for what orders and results said in passing; a registration wins over them whatever its time.
    package var mentioned: StatedTimes?
    /// Nil for none: a record of an earlier version has no such member.
    private var otherNames: [HumanName]?
    /// How many of `telecoms`, from the end, the work field gave; nil where their use tells.
    private var workTelecomCount: Int?

    /// The telecoms by the field that gave them.
    package var telecomsByField: (home: [ContactPoint], work: [ContactPoint]) {
        get {
            guard let count = workTelecomCount, count <= telecoms.count else {
                return (telecoms.filter { $0.use != .work }, telecoms.filter { $0.use == .work })
            }
            return (Array(telecoms.dropLast(count)), Array(telecoms.suffix(count)))
        }
        set {
            telecoms = newValue.home + newValue.work
            workTelecomCount = newValue.work.count
        }
    }
    /// By the names of ``Attribute``. Nil in what was stored before there were any.
    package var attributes: Attributes?
    /// Allergies, diagnoses, measurements, insurances and guarantors that registrations tell of.
    package var statements: [ClinicalStatement]?

    /// The names of attributes.
    package enum Attribute {
        package static let mothersMaidenName = "mothersMaidenName"
        package static let race = "race"
        package static let ethnicity = "ethnicity"
        package static let religion = "religion"
        package static let birthPlace = "birthPlace"
        package static let birthTime = "birthTime"
        package static let disability = "disability"
        package static let congregation = "congregation"
        package static let tribes = "tribes"
        package static let isMultipleBirth = "isMultipleBirth"
        package static let birthOrder = "birthOrder"
        package static let citizenship = "citizenship"
        package static let nationality = "nationality"
        package static let species = "species"
        package static let breed = "breed"
        package static let contacts = "contacts"
        package static let practitioners = "practitioners"
        package static let organizations = "organizations"
        /// Numbers that do not identify: accounts, the alternate ids of old versions, licences.
        package static let furtherIdentifiers = "furtherIdentifiers"
    }

    package init(
        id: EntityID, identifiers: [Identifier], names: [HumanName] = [], aliases: [HumanName] = [],
        birthDate: PartialDateTime? = nil, sex: Sex? = nil,
        addresses: [PostalAddress] = [], telecoms: [ContactPoint] = [], maritalStatus: CodedConcept? = nil,
        language: CodedConcept? = nil, isDeceased: Bool? = nil, deceasedAt: PartialDateTime? = nil,
        isActive: Bool = true,
        mergedInto: EntityID? = nil, eventTime: UTCInstant? = nil
    ) {
        self.id = id
        self.identifiers = identifiers
        self.names = names
        otherNames = aliases.isEmpty ? nil : aliases
        self.birthDate = birthDate
        self.sex = sex
        self.addresses = addresses
        self.telecoms = telecoms
        self.maritalStatus = maritalStatus
        self.language = language
        self.isDeceased = isDeceased
        self.deceasedAt = deceasedAt
        self.isActive = isActive
        self.mergedInto = mergedInto
        self.eventTime = eventTime
    }
}

/// What one registration or update event says about a patient.
package struct PatientUpdate: Sendable, Hashable, Codable {
    /// The identifiers that the event names, record numbers first; all are added to the record.
    package var identifiers: [Identifier]
    package var names: Change<[HumanName]> = .keep
    package var aliases: Change<[HumanName]> = .keep
    package var birthDate: Change<PartialDateTime> = .keep
    package var sex: Change<Patient.Sex> = .keep
    package var addresses: Change<[PostalAddress]> = .keep
    /// All but those of use work (PID-13).
    package var homeTelecoms: Change<[ContactPoint]> = .keep
    /// Those of use work (PID-14).
    package var workTelecoms: Change<[ContactPoint]> = .keep
    package var maritalStatus: Change<CodedConcept> = .keep
    package var language: Change<CodedConcept> = .keep
    package var isDeceased: Change<Bool> = .keep
    package var deceasedAt: Change<PartialDateTime> = .keep
    package var attributes: [String: Change<AttributeValue>] = [:]
    package var statements: [StatementUpdate] = []
    /// When it happened at the source; of each value the newest statement stands.
    package var eventTime: UTCInstant?
    package init(identifiers: [Identifier], eventTime: UTCInstant? = nil) {
        self.identifiers = identifiers
        self.eventTime = eventTime
    }
}
