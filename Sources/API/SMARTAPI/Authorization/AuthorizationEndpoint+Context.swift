import Access
import Basics
import HTTPSupport
import Hummingbird

/// The second page of a launch without an EHR: which study and which encounter of the patient it is for, or none. What is not
/// chosen is left out of the answer. SMART 2.2 §Requesting context with scopes, §fhirContext.
extension AuthorizationEndpoint {
    /// The decision that allows nothing and shows others to choose from.
    static let lookDecision = "look"

    /// Puts what the person has chosen into the context; the scope of what they have not is left out of the grant.
    ///
    /// - Parameter patient: the logical id of the patient in context, whom the person may see.
    /// - Returns: the page to choose on, where something is to be chosen; nil to go on.
    func choose(
        _ asked: AuthorizationRequest, _ person: SignedInPerson, _ offer: AuthorizationOffer, patient: String,
        _ fields: QueryParameters, _ request: APIRequest, scopes: inout GrantedScopes, context: inout LaunchContext
    ) async throws -> Response? {
        let access = access(of: person, request)
        let looks = fields["decision"] == Self.lookDecision
        // An empty text is none.
        var chosen: [ContextType: String] = [:]
        for type in offer.contextTypes {
            guard let id = fields[type.field] else { continue }
            if id.isEmpty {
                chosen[type] = id
            } else if LaunchReference.isID(id),
                try await subjects.isChoice(id, of: type, patient: patient, access: access)
            {
                chosen[type] = id
            }
        }
        if looks || chosen.count < offer.contextTypes.count {
            let questions = try await questions(asked, person, offer, patient: patient, fields, chosen, request)
            // Who has nothing to choose from is not asked.
            if looks || questions.contains(where: { !$0.choices.isEmpty || $0.until != nil }) {
                let isUnanswered = !looks && fields["step"] == AuthorizationPages.contextStep
                return pages.context(
                    .init(
                        person: person, asked: asked,
                        patient: try await subjects.patients(ids: [patient], access: access).first
                            ?? PatientChoice(id: patient, label: patient),
                        kept: fields.values("keep").filter(Set(offer.droppable).contains), questions: questions,
                        notice: isUnanswered ? .chooseContext : nil, csrf: sessions.csrfToken(of: person),
                        mark: mark(asked, at: person.signedInAt)))
            }
        }
        for type in offer.contextTypes {
            if let id = chosen[type], !id.isEmpty {
                context.set(type, id)
            } else {
                scopes.others.removeAll { $0 == type.scope }
            }
        }
        return nil
    }

    /// What there is to choose from; each list that is shown has a row of the audit trail first.
    private func questions(
        _ asked: AuthorizationRequest, _ person: SignedInPerson, _ offer: AuthorizationOffer, patient: String,
        _ fields: QueryParameters, _ chosen: [ContextType: String], _ request: APIRequest
    ) async throws -> [AuthorizationPages.ContextQuestion] {
        let access = access(of: person, request)
        var questions: [AuthorizationPages.ContextQuestion] = []
        for type in offer.contextTypes {
            let until = Self.day(fields[type.field + "-until"])
            let choices = try await subjects.choices(
                of: type, patient: patient, until: until, limit: Self.choicesMax, access: access)
            try await record(
                request, person, asked.client, .success, interaction: "launch-context", category: .query,
                patientID: patient, query: until.map { "date=le" + $0 }, detail: type.rawValue)
            questions.append(.init(type: type, choices: choices, until: until, chosen: chosen[type]))
        }
        return questions
    }

    /// A date of the calendar as `YYYY-MM-DD`; nil for anything else.
    static func day(_ text: String?) -> String? {
        guard let text, text.utf8.count == 10 else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), year > 0,
            (1...12).contains(month), (1...CivilDate.length(year: year, month: month)).contains(day)
        else { return nil }
        return text
    }
}

extension ContextType {
    /// The field of a page in which one is chosen.
    var field: String {
        switch self {
        case .imagingStudy: "study"
        case .encounter: "encounter"
        }
    }
}
