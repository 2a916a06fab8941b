/// A value of a record beyond its core, kept under the name of what it says.
///
/// The core of a patient, visit, order or finding is what rules and matching need; the rest of what hospitals say of
/// them is carried by name, so that one more of it is one more name and no new form of the record.
package enum AttributeValue: Sendable, Hashable, Codable {
    case text(String)
    case concepts([CodedConcept])
    case identifiers([Identifier])
    case parties([PartyReference])
    case addresses([PostalAddress])
    case telecoms([ContactPoint])
    case names([HumanName])
    case dateTime(PartialDateTime)
    case flag(Bool)
    case number(Int)
    case values([Observation.Value])
    /// Who stands with a patient: next of kin, employer, guarantor.
    case contacts([ContactPerson])
}

/// A person or organisation that stands with a patient.
package struct ContactPerson: Sendable, Hashable, Codable {
    package var identifiers: [Identifier] = []
    package var names: [HumanName] = []
    package var relationships: [CodedConcept] = []
    package var addresses: [PostalAddress] = []
    package var telecoms: [ContactPoint] = []
    package var organization: String?
    package var sex: Patient.Sex?
    package var birthDate: PartialDateTime?
    package var start: PartialDateTime?
    package var end: PartialDateTime?
    package init() {}
    /// True when nothing is said of the person.
    package var isEmpty: Bool { self == ContactPerson() }
}

/// The attributes of a record by name; the names are those of the record's own list.
package typealias Attributes = [String: AttributeValue]

extension Attributes {
    /// Applies what an update says: sets, clears, or leaves as it was.
    package mutating func apply(_ changes: [String: Change<AttributeValue>]) {
        for (name, change) in changes {
            switch change {
            case .keep: continue
            case .clear: self[name] = nil
            case .set(let value): self[name] = value
            }
        }
    }

    package func concepts(_ name: String) -> [CodedConcept] {
        if case .concepts(let values)? = self[name] { return values }
        return []
    }
    package func parties(_ name: String) -> [PartyReference] {
        if case .parties(let values)? = self[name] { return values }
        return []
    }
    package func identifiers(_ name: String) -> [Identifier] {
        if case .identifiers(let values)? = self[name] { return values }
        return []
    }
    package func text(_ name: String) -> String? {
        if case .text(let value)? = self[name] { return value }
        return nil
    }
    package func dateTime(_ name: String) -> PartialDateTime? {
        if case .dateTime(let value)? = self[name] { return value }
        return nil
    }
    package func values(_ name: String) -> [Observation.Value] {
        if case .values(let values)? = self[name] { return values }
        return []
    }
}
