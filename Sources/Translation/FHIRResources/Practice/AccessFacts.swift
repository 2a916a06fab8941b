import Access
import FHIRModel

/// What one current version says of who may see whom: whose care a patient is in, as whom somebody acts, whom a patient has
/// refused, labels of a patient, a study or an order, and where a station is. What a store keeps of it, rights ask within
/// their queries. Decision 0034.
package struct AccessFacts: Sendable, Hashable {
    /// From and before which something holds, in microseconds since 1970 UTC.
    package struct Span: Sendable, Hashable {
        package var since: Int64
        package var until: Int64

        package init(since: Int64 = .min, until: Int64 = .max) {
            self.since = since
            self.until = until
        }

        package static let always = Span()
        var isEmpty: Bool { since >= until }

        func intersection(_ other: Span) -> Span {
            Span(since: max(since, other.since), until: min(until, other.until))
        }
    }

    /// A patient in the care of somebody, by a reference or, as messages name people, by an identifier.
    package struct CareLink: Sendable, Hashable {
        /// The logical id.
        package var patient: String
        /// A relative reference, or `|system|value` of an identifier.
        package var actor: String
        package var span: Span
    }

    /// What somebody has to do with whom they act as.
    package enum Bond: Int64, Sendable, Hashable {
        /// They are the actor: what it has in care is theirs.
        case acts = 0
        /// They belong to it, in whatever state that is: what it has in care is not theirs, but what is refused to it is
        /// refused to them.
        case belongs = 1
        /// They work for the organization at that time: a refusal to ``everyone`` that lets it pass lets them pass.
        case works = 2
    }

    /// That a person, by a relative reference, is an actor or belongs to one.
    package struct Actor: Sendable, Hashable {
        package var person: String
        package var actor: String
        package var bond: Bond
        package var span: Span
    }

    /// That a patient refuses to be seen.
    package struct Refusal: Sendable, Hashable {
        package var patient: String
        /// To whom; ``everyone`` for all who work here.
        package var actor: String
        /// A resource type; ``everything`` for all.
        package var type: String
        /// Whether it speaks of emergencies, so that an emergency does not pass it.
        package var isOfEmergencies: Bool
        package var span: Span
        /// To whom a refusal to ``everyone`` is none: people, each by the relative reference that they act by, and who works
        /// for these organizations.
        package var permitted: Set<String> = []
    }

    /// That a station is at a site.
    package struct Station: Sendable, Hashable {
        /// A relative reference to a Location or an Organization.
        package var site: String
        /// The AE title.
        package var title: String
    }

    package var careLinks: Set<CareLink> = []
    package var actors: Set<Actor> = []
    package var refusals: Set<Refusal> = []
    package var labels: Set<SecurityLabel> = []
    package var stations: Set<Station> = []

    package static let everyone = "*"
    package static let everything = "*"
    /// Rows of one resource; a resource with more grants no more, and one that refuses more refuses all.
    static let rowsMax = 1_000

    /// What a version may say something of.
    package enum Kind: Sendable, Hashable, CaseIterable { case careLinks, actors, refusals, labels, stations }

    /// What versions of one type say, and how it is read.
    private struct Speaker: Sendable {
        let kinds: Set<Kind>
        let read: @Sendable (inout AccessFacts, FactReader, _ id: String, JSONNode) -> Void

        init(
            _ kinds: Set<Kind>, _ read: @escaping @Sendable (inout AccessFacts, FactReader, String, JSONNode) -> Void
        ) {
            self.kinds = kinds
            self.read = read
        }
    }

    private static let speakers: [String: Speaker] = [
        "Patient": Speaker([.careLinks, .labels]) { facts, reader, id, root in
            facts.careLinks = reader.ofPatient(id, root)
            facts.labels = reader.labels(root)
        },
        "ServiceRequest": Speaker([.careLinks, .labels]) { facts, reader, _, root in
            facts.careLinks = reader.ofOrder(root)
            facts.labels = reader.labels(root)
        },
        "Encounter": Speaker([.careLinks]) { facts, reader, _, root in facts.careLinks = reader.ofEncounter(root) },
        "CareTeam": Speaker([.careLinks]) { facts, reader, _, root in facts.careLinks = reader.ofTeam(root) },
        "Practitioner": Speaker([.actors]) { facts, reader, id, root in
            facts.actors = reader.ofPractitioner(id, root)
        },
        "PractitionerRole": Speaker([.actors]) { facts, reader, id, root in facts.actors = reader.ofRole(id, root) },
        "Consent": Speaker([.refusals]) { facts, reader, _, root in facts.refusals = reader.ofConsent(root) },
        "Device": Speaker([.stations]) { facts, reader, _, root in facts.stations = reader.ofDevice(root) },
        "ImagingStudy": Speaker([.labels]) { facts, reader, _, root in facts.labels = reader.labels(root) },
    ]

    /// Of what versions of a type may say something.
    package static func kinds(of type: String) -> Set<Kind> { speakers[type]?.kinds ?? [] }
    /// Those types, in a fixed order.
    package static let types: [String] = speakers.keys.sorted()

    /// - Parameters:
    ///   - id: the logical id, which the document need not have yet.
    ///   - base: the server's own address.
    ///   - zone: the site's clock, for times without one.
    package init(_ type: String, _ id: String, _ document: JSONDocument, base: String, zone: LocalZone) {
        Self.speakers[type]?.read(&self, FactReader(base: base, zone: zone), id, document.root)
        if careLinks.count > Self.rowsMax { careLinks = Set(careLinks.prefix(Self.rowsMax)) }
        actors = Self.bounded(actors)
        refusals = Self.joined(refusals)
        if stations.count > Self.rowsMax { stations = Set(stations.prefix(Self.rowsMax)) }
        if refusals.count > Self.rowsMax {
            refusals = Set(
                refusals.map {
                    Refusal(
                        patient: $0.patient, actor: Self.everyone, type: Self.everything,
                        isOfEmergencies: refusals.contains(where: \.isOfEmergencies), span: .always)
                })
        }
    }

    /// Of too many those stay first by which more is refused.
    private static func bounded(_ actors: Set<Actor>) -> Set<Actor> {
        if actors.count <= rowsMax { return actors }
        let refusing = actors.filter { $0.bond == .belongs }.prefix(rowsMax)
        return Set(refusing).union(actors.filter { $0.bond != .belongs }.prefix(rowsMax - refusing.count))
    }

    /// What is refused more than once alike is refused to all whom one of them does not let pass.
    private static func joined(_ refusals: Set<Refusal>) -> Set<Refusal> {
        var permitted: [Refusal: Set<String>] = [:]
        for refusal in refusals {
            var alike = refusal
            alike.permitted = []
            permitted[alike] = permitted[alike]?.intersection(refusal.permitted) ?? refusal.permitted
        }
        return Set(
            permitted.map { refusal, permitted in
                var refusal = refusal
                refusal.permitted = permitted
                return refusal
            })
    }
}

/// Reads the facts of each type.
struct FactReader {
    let base: String
    let zone: LocalZone

    // MARK: Care

    /// Orders that stand; those that were taken back, or were none yet, grant nothing. FHIR R4 valueset-request-status.html.
    private static let orderStates: Set<String> = ["active", "on-hold", "completed"]
    /// What is an order and no plan or proposal. FHIR R4 valueset-request-intent.html.
    private static let orderIntents: Set<String> = [
        "order", "original-order", "reflex-order", "filler-order", "instance-order",
    ]
    /// FHIR R4 valueset-encounter-status.html.
    private static let encounterStates: Set<String> = [
        "planned", "arrived", "triaged", "in-progress", "onleave", "finished",
    ]

    func ofPatient(_ id: String, _ root: JSONNode) -> Set<AccessFacts.CareLink> {
        guard root["active"]?.bool ?? true else { return [] }
        return links([id], Self.items(root["generalPractitioner"]).compactMap { actor($0) }, .always)
    }

    func ofOrder(_ root: JSONNode) -> Set<AccessFacts.CareLink> {
        guard let status = root["status"]?.string, Self.orderStates.contains(status),
            let intent = root["intent"]?.string, Self.orderIntents.contains(intent),
            root["doNotPerform"]?.bool != true
        else { return [] }
        let people = [root["requester"]].compactMap { $0 } + Self.items(root["performer"])
        return links(patients(root["subject"]), people.compactMap { actor($0) }, .always)
    }

    func ofEncounter(_ root: JSONNode) -> Set<AccessFacts.CareLink> {
        guard let status = root["status"]?.string, Self.encounterStates.contains(status) else { return [] }
        let patients = patients(root["subject"])
        return Self.items(root["participant"]).reduce(into: []) { links, participant in
            guard let individual = participant["individual"], let actor = actor(individual),
                let span = span(participant["period"])
            else { return }
            links.formUnion(self.links(patients, [actor], span))
        }
    }

    func ofTeam(_ root: JSONNode) -> Set<AccessFacts.CareLink> {
        guard root["status"]?.string == "active", let whole = span(root["period"]) else { return [] }
        let patients = patients(root["subject"])
        return Self.items(root["participant"]).reduce(into: []) { links, participant in
            guard let member = participant["member"], let actor = actor(member),
                let own = span(participant["period"])
            else { return }
            links.formUnion(self.links(patients, [actor], own.intersection(whole)))
        }
    }

    private func links(
        _ patients: [String], _ actors: [String], _ span: AccessFacts.Span
    ) -> Set<AccessFacts.CareLink> {
        guard !span.isEmpty else { return [] }
        return Set(
            patients.flatMap { patient in
                actors.map { AccessFacts.CareLink(patient: patient, actor: $0, span: span) }
            })
    }

    // MARK: Actors

    func ofPractitioner(_ id: String, _ root: JSONNode) -> Set<AccessFacts.Actor> {
        let isActive = root["active"]?.bool ?? true
        let person = "Practitioner/" + id
        return Set(Self.items(root["identifier"]).compactMap { numbered(person, $0, isActive ? .always : nil) })
    }

    /// As whom somebody acts by a number of theirs, within the time of who has it; nil for a number that names nobody. What
    /// is refused to it is refused to them in whatever state they and the number are.
    private func numbered(
        _ person: String, _ identifier: JSONNode, _ whole: AccessFacts.Span?
    ) -> AccessFacts.Actor? {
        guard let actor = Self.identified(identifier) else { return nil }
        let own = whole.flatMap { whole in span(identifier["period"]).map { $0.intersection(whole) } }
        guard let own, !own.isEmpty else { return .init(person: person, actor: actor, bond: .belongs, span: .always) }
        return .init(person: person, actor: actor, bond: .acts, span: own)
    }

    func ofRole(_ id: String, _ root: JSONNode) -> Set<AccessFacts.Actor> {
        let role = "PractitionerRole/" + id
        let isActive = root["active"]?.bool ?? true
        // A role whose period is malformed stands for nobody, but its refusals still count.
        let span = isActive ? span(root["period"]) : nil
        let person = root["practitioner"].flatMap { actor($0) }.flatMap { $0.hasPrefix("Practitioner/") ? $0 : nil }
        var actors: Set<AccessFacts.Actor> = []
        let organization = root["organization"].flatMap { anyone($0) }
        for own in [person, role].compactMap({ $0 }) {
            if let span, !span.isEmpty, own != role {
                actors.insert(.init(person: own, actor: role, bond: .acts, span: span))
            }
            actors.formUnion(Self.items(root["identifier"]).compactMap { numbered(own, $0, span) })
            // What is refused to a role or to its organization is refused to its person, in whatever state the role is.
            if own != role { actors.insert(.init(person: own, actor: role, bond: .belongs, span: .always)) }
            if let organization {
                actors.insert(.init(person: own, actor: organization, bond: .belongs, span: .always))
                if let span, !span.isEmpty, organization.hasPrefix("Organization/") {
                    actors.insert(.init(person: own, actor: organization, bond: .works, span: span))
                }
            }
            if own == role, let person {
                actors.insert(.init(person: own, actor: person, bond: .belongs, span: .always))
            }
        }
        return actors
    }

    // MARK: Labels

    func labels(_ root: JSONNode) -> Set<SecurityLabel> {
        guard let meta = root["meta"] else { return [] }
        return Set(
            Self.items(meta["security"]).compactMap { coding in
                guard let code = coding["code"]?.string, case let system = coding["system"]?.string ?? "",
                    // Longer than any that a site can name.
                    system.utf8.count + code.utf8.count <= 500, !system.utf8.contains(0), !code.utf8.contains(0)
                else { return nil }
                return SecurityLabel(system: system, code: code)
            })
    }

    // MARK: References

    private static let people: Set<String> = ["Practitioner", "PractitionerRole"]

    /// Who is named: a relative reference to a practitioner or a role, or `|system|value` of an identifier with a system,
    /// which is how messages name people. Nil for anybody else, and for what cannot be told.
    func actor(_ node: JSONNode) -> String? { actor(node, among: Self.people) }

    /// The same of whoever may be refused: organizations as well, by a reference. Which one a number of an organization or a
    /// team names is told nowhere here.
    func anyone(_ node: JSONNode) -> String? { actor(node, among: Self.people.union(["Organization"])) }

    private func actor(_ node: JSONNode, among types: Set<String>) -> String? {
        if let text = node["reference"]?.string {
            guard case .relative(let type, let id, _) = Reference(text).relative(to: base), types.contains(type) else {
                return nil
            }
            return type + "/" + id
        }
        guard let identifier = node["identifier"], Self.people.contains(node["type"]?.string ?? "Practitioner") else {
            return nil
        }
        return Self.identified(identifier)
    }

    /// `|system|value`, which no relative reference is; nil without a system, as values alone name several people.
    private static func identified(_ identifier: JSONNode) -> String? {
        guard let system = identifier["system"]?.string, let value = identifier["value"]?.string, !system.isEmpty,
            !value.isEmpty, system.utf8.count + value.utf8.count <= 500, !system.contains("|"),
            !system.utf8.contains(0), !value.utf8.contains(0)
        else { return nil }
        return "|" + system + "|" + value
    }

    func patients(_ node: JSONNode?) -> [String] {
        guard let text = node?["reference"]?.string,
            case .relative("Patient", let id, _) = Reference(text).relative(to: base)
        else { return [] }
        return [id]
    }

    /// A Period; always where there is none, nil where it is malformed. FHIR R4 datatypes.html#Period: the end is part of it.
    func span(_ period: JSONNode?) -> AccessFacts.Span? {
        guard let period else { return .always }
        var span = AccessFacts.Span()
        if let start = period["start"] {
            guard let time = start.string.flatMap({ FHIRDateTime($0) }) else { return nil }
            span.since = time.range(zone: zone).lower
        }
        if let end = period["end"] {
            guard let time = end.string.flatMap({ FHIRDateTime($0) }) else { return nil }
            span.until = time.range(zone: zone).upper
        }
        return span
    }

    static func items(_ node: JSONNode?) -> [JSONNode] { node.map { Array($0.elements) } ?? [] }
}
