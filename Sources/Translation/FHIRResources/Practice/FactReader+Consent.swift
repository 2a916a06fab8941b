import Access
import FHIRModel

/// Refusals in Consent. FHIR R4 consent.html.
///
/// What a provision asks beyond what is understood here is left out, so that a refusal refuses more than it says and never
/// less: codes, labels and periods of the data, actions. An exception that permits again opens what it names and what is
/// understood whole (``ConsentException``).
extension FactReader {
    private static let scopes = "http://terminology.hl7.org/CodeSystem/consentscope"
    /// Consents that do not speak of who may see data. FHIR R4 valueset-consent-scope.html.
    private static let otherScopes: Set<String> = ["adr", "research", "treatment"]
    static let reasons = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    /// Purposes for which nobody who works here comes with a scope of the user level. HL7 v3 PurposeOfUse.
    private static let otherPurposes: Set<String> = [
        "HMARKT", "HRESCH", "CLINTRCH", "CLINTRCHNPC", "CLINTRCHPC", "PRECLINTRCH", "DSRCH", "POARCH", "TRANSRCH",
        "HPAYMT", "CLMATTCH", "COVAUTH", "COVERAGE", "ELIGDTRM", "ELIGVER", "ENROLLM", "MILDCRG", "REMITADV",
    ]
    static let emergencies: Set<String> = ["BTG", "ETREAT", "ERTREAT"]
    static let resourceTypes = "http://hl7.org/fhir/resource-types"
    /// Provisions within provisions that are read; what lies deeper refuses all that it might.
    private static let depthMax = 16
    /// Exceptions of one provision that are read; further ones open nothing.
    private static let exceptionsMax = 100

    func ofConsent(_ root: JSONNode) -> Set<AccessFacts.Refusal> {
        guard root["status"]?.string == "active", !isOfOther(root["scope"]) else { return [] }
        guard let text = root["patient"]?["reference"]?.string, let patient = Self.patient(text),
            let provision = root["provision"]
        else { return [] }
        var found: Set<AccessFacts.Refusal> = []
        collect(provision, patient, actors: [AccessFacts.everyone], span: .always, depth: 0, into: &found)
        return found
    }

    /// Whatever server the reference says it is on: one that was written by an earlier address of this one counts.
    private static func patient(_ text: String) -> String? {
        switch Reference(text) {
        case .relative("Patient", let id, _), .absolute(_, "Patient", let id, _): id
        default: nil
        }
    }

    private func isOfOther(_ scope: JSONNode?) -> Bool {
        let codings = Self.items(scope?["coding"])
        return !codings.isEmpty
            && codings.allSatisfy {
                $0["system"]?.string == Self.scopes && Self.otherScopes.contains($0["code"]?.string ?? "")
            }
    }

    private func collect(
        _ provision: JSONNode, _ patient: String, actors parents: Set<String>, span parent: AccessFacts.Span,
        depth: Int, into found: inout Set<AccessFacts.Refusal>
    ) {
        // A period that cannot be read is no limit.
        let span = (self.span(provision["period"]) ?? .always).intersection(parent)
        guard !span.isEmpty else { return }
        let actors = refused(provision["actor"]) ?? parents
        // As of R4 a provision without a type inherits none: what it says beside is no refusal.
        if provision["type"]?.string == "deny", let purposes = Purposes(provision["purpose"]) {
            var own: Set<AccessFacts.Refusal> = []
            for actor in actors {
                for type in types(provision) {
                    own.insert(
                        AccessFacts.Refusal(
                            patient: patient, actor: actor, type: type, isOfEmergencies: purposes.areEmergencies,
                            span: span))
                }
            }
            for exception in Self.items(provision["provision"]).prefix(Self.exceptionsMax) {
                guard let exception = ConsentException(exception, self) else { continue }
                own = Set(own.flatMap { exception.rest(of: $0) })
                if own.count > AccessFacts.rowsMax { break }
            }
            found.formUnion(own)
        }
        let inner = Self.items(provision["provision"])
        guard depth < Self.depthMax else {
            if !inner.isEmpty {
                found.insert(
                    AccessFacts.Refusal(
                        patient: patient, actor: AccessFacts.everyone, type: AccessFacts.everything,
                        isOfEmergencies: false, span: span))
            }
            return
        }
        for item in inner {
            collect(item, patient, actors: actors, span: span, depth: depth + 1, into: &found)
        }
    }

    /// To whom it is refused; nil where nobody is named. Somebody who cannot be told stands for all, one who never works
    /// here for nobody.
    private func refused(_ node: JSONNode?) -> Set<String>? {
        let all = Self.items(node)
        guard !all.isEmpty else { return nil }
        var named: Set<String> = []
        for item in all {
            guard let reference = item["reference"] else { return [AccessFacts.everyone] }
            if let actor = anyone(reference) {
                named.insert(actor)
            } else if !isNoStaff(reference) {
                return [AccessFacts.everyone]
            }
        }
        return named
    }

    private static let others: Set<String> = ["Patient", "RelatedPerson", "Device"]

    private func isNoStaff(_ reference: JSONNode) -> Bool {
        guard let text = reference["reference"]?.string else {
            return reference["identifier"] != nil && Self.others.contains(reference["type"]?.string ?? "")
        }
        guard case .relative(let type, _, _) = Reference(text).relative(to: base) else { return false }
        return Self.others.contains(type)
    }

    /// The types that are refused.
    private func types(_ provision: JSONNode) -> Set<String> {
        let classes = Self.items(provision["class"])
        let data = Self.items(provision["data"])
        guard !classes.isEmpty || !data.isEmpty else { return [AccessFacts.everything] }
        var types: Set<String> = []
        for coding in classes {
            guard coding["system"]?.string == Self.resourceTypes, let code = coding["code"]?.string,
                FHIRDefinitions.r4.isResourceType(code)
            else { return [AccessFacts.everything] }
            types.insert(code)
        }
        for item in data {
            // Of a single resource all of its type: the refusal is asked of a patient, not of each resource.
            guard item["meaning"]?.string == "instance", let text = item["reference"]?["reference"]?.string,
                case .relative(let type, _, _) = Reference(text).relative(to: base)
            else { return [AccessFacts.everything] }
            types.insert(type)
        }
        return types
    }

    /// For what it is refused, where that is what people who work here do.
    private struct Purposes {
        let areEmergencies: Bool

        init?(_ node: JSONNode?) {
            let codings = FactReader.items(node)
            let codes = codings.map { coding -> String? in
                coding["system"]?.string == FactReader.reasons ? coding["code"]?.string : nil
            }
            if !codes.isEmpty, codes.allSatisfy({ $0.map(FactReader.otherPurposes.contains) ?? false }) { return nil }
            areEmergencies = codes.contains { $0.map(FactReader.emergencies.contains) ?? false }
        }
    }
}
