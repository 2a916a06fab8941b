import FHIRModel

/// What a provision of type `permit` within a refusal opens again: that to whom, when, for what and of which types it names.
/// FHIR R4 consent.html (Consent.provision.provision: exceptions to a rule).
///
/// Out of a refusal to all it lets pass whom it names by the reference that they act by, and who works for an organization
/// that it names by a reference; nobody beside them. Closed stays whatever it does not name as a whole: single resources,
/// codes, labels and periods of the data, actions, and whom it names otherwise of a refusal to more than them; an
/// organization also where it is named for a part of what people come for. One that names nothing opens nothing, and so does
/// one whose period is malformed.
struct ConsentException {
    /// As they stand in refusals; nil for all to whom it is refused.
    private let actors: Set<String>?
    /// Those of them who are named by reference, and those of these who are people.
    private let named: Set<String>
    private let people: Set<String>
    /// Nil for all.
    private let types: Set<String>?
    private let span: AccessFacts.Span
    /// Whether it opens to who treats, and to who comes in an emergency.
    private let isOfTreatment: Bool
    private let isOfEmergencies: Bool

    /// Elements that are understood; any other narrows it in a way that cannot be told.
    private static let understood: Set<String> = ["id", "type", "period", "actor", "purpose", "class", "provision"]
    /// HL7 v3 PurposeOfUse: what people who work here come for.
    private static let treatment = "TREAT"
    /// People and organizations of one exception; further ones stay refused.
    private static let namedMax = 100

    /// Nil for what opens nothing.
    init?(_ node: JSONNode, _ reader: FactReader) {
        guard node["type"]?.string == "permit", node.members.allSatisfy({ Self.understood.contains($0.name) }),
            ["period", "actor", "purpose", "class"].contains(where: { node[$0] != nil }),
            let span = reader.span(node["period"]), !span.isEmpty
        else { return nil }
        self.span = span
        let named = FactReader.items(node["actor"])
        if node["actor"] == nil {
            actors = nil
        } else {
            actors = Set(named.compactMap { $0["reference"].flatMap { reader.anyone($0) } })
        }
        // An identifier stands with a bar before it.
        let byReference = (actors ?? []).filter { !$0.hasPrefix("|") }
        self.named = Set(byReference.sorted().prefix(Self.namedMax))
        people = self.named.filter { !$0.hasPrefix("Organization/") }
        if node["class"] == nil {
            types = nil
        } else {
            types = Set(
                FactReader.items(node["class"]).compactMap { coding in
                    guard coding["system"]?.string == FactReader.resourceTypes, let code = coding["code"]?.string,
                        FHIRDefinitions.r4.isResourceType(code)
                    else { return nil }
                    return code
                })
        }
        let purposes = FactReader.items(node["purpose"]).map { coding in
            coding["system"]?.string == FactReader.reasons ? coding["code"]?.string ?? "" : ""
        }
        isOfTreatment = node["purpose"] == nil || purposes.contains(Self.treatment)
        isOfEmergencies = node["purpose"] == nil || purposes.contains { FactReader.emergencies.contains($0) }
    }

    /// What is still refused of a refusal.
    func rest(of refusal: AccessFacts.Refusal) -> [AccessFacts.Refusal] {
        let common = refusal.span.intersection(span)
        // Nobody is refused in emergencies alone.
        let remains = refusal.isOfEmergencies && !isOfEmergencies
        let isOpened = isOfTreatment && !remains
        let isToAllOfIt = actors?.contains(refusal.actor) ?? true
        // Those alone of a refusal to all, where it is another one for them.
        let passing =
            isToAllOfIt || refusal.actor != AccessFacts.everyone || !isOpened && remains == refusal.isOfEmergencies
            ? [] : (isOpened ? named : people).subtracting(refusal.permitted)
        guard isToAllOfIt || !passing.isEmpty, !common.isEmpty else { return [refusal] }
        var rest: [AccessFacts.Refusal] = []
        /// The refusal with some of it.
        func keep(_ type: String, _ span: AccessFacts.Span, _ isOfEmergencies: Bool, but passing: Set<String> = []) {
            guard !span.isEmpty else { return }
            rest.append(
                .init(
                    patient: refusal.patient, actor: refusal.actor, type: type, isOfEmergencies: isOfEmergencies,
                    span: span, permitted: refusal.permitted.union(passing)))
        }
        let opened: Set<String>
        if refusal.type != AccessFacts.everything {
            opened = types?.contains(refusal.type) ?? true ? [refusal.type] : []
            if opened.isEmpty { return [refusal] }
        } else if let types {
            if types.isEmpty { return [refusal] }
            opened = types
            for type in FHIRDefinitions.r4.resourceTypes where !types.contains(type) {
                keep(type, refusal.span, refusal.isOfEmergencies)
            }
        } else {
            opened = [AccessFacts.everything]
        }
        for type in opened {
            keep(type, .init(since: refusal.span.since, until: common.since), refusal.isOfEmergencies)
            keep(type, .init(since: common.until, until: refusal.span.until), refusal.isOfEmergencies)
            if isToAllOfIt {
                if !isOpened { keep(type, common, remains) }
                continue
            }
            keep(type, common, refusal.isOfEmergencies, but: passing)
            if isOpened { continue }
            for person in passing {
                rest.append(
                    .init(
                        patient: refusal.patient, actor: person, type: type, isOfEmergencies: remains, span: common))
            }
        }
        return rest
    }
}
