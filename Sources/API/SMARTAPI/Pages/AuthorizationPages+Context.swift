import Access
import HTTPSupport
import Hummingbird

/// The page on which a person chooses what of a patient's record an application is opened for. No script, nothing inline.
extension AuthorizationPages {
    /// Says of a form that it is this page's.
    static let contextStep = "context"

    /// One list of the page.
    struct ContextQuestion: Sendable {
        let type: ContextType
        let choices: [ContextChoice]
        /// The day, `YYYY-MM-DD`, by which those of the list began; nil for the latest.
        let until: String?
        /// The logical id that was chosen before, empty for none; nil where nothing was.
        let chosen: String?
    }

    /// What the page shows.
    struct Context: Sendable {
        let person: SignedInPerson
        let asked: AuthorizationRequest
        let patient: PatientChoice
        /// The scopes that the person has left ticked on the page before.
        let kept: [String]
        let questions: [ContextQuestion]
        let notice: Notice?
        let csrf: String
        /// Carried on; see ``AuthorizationEndpoint``.
        let mark: String
    }

    func context(_ context: Context) -> Response {
        let forms = PageForms(language: .english, token: context.csrf)
        let name = context.asked.client.name
        let target = RedirectURI.policySource(context.asked.addressee.redirectURI)
        let form = forms.form(
            "/auth/consent",
            [
                carried(context.asked, mark: context.mark, forms), forms.hidden("step", Self.contextStep),
                forms.hidden("patient", context.patient.id),
                .all(context.kept.map { forms.hidden("keep", $0) }), .all(context.questions.map(question)),
                .element("p", [], "The answer goes to ", .element("code", [], .text(target ?? "")), "."),
                .element(
                    "p", [], decision("allow", "Open"), " ", decision("deny", "Do not allow", isPlain: true)),
            ], isCard: false)
        var page = Page(
            "What is \(name) opened for?", .english,
            [
                .element(
                    "section", [],
                    .element("p", [], "For the patient ", .element("strong", [], .text(context.patient.label)), "."),
                    context.notice.map { .element("p", [.init("role", "alert")], .text($0.rawValue)) } ?? .none,
                    form)
            ])
        page.formOrigins = [target].compactMap { $0 }
        return answer(page)
    }

    private func question(_ question: ContextQuestion) -> HTML {
        let field = question.type.field
        let none = row(
            "radio", field, id: field + "-none", value: "",
            isChecked: question.chosen == "" || (question.chosen == nil && question.choices.isEmpty), "None")
        let rows = question.choices.map { choice in
            row(
                "radio", field, id: field + ":" + choice.id, value: choice.id, isChecked: choice.id == question.chosen,
                .text(choice.label))
        }
        let isLong = question.choices.count >= AuthorizationEndpoint.choicesMax || question.until != nil
        return .element(
            "fieldset", [],
            [.element("legend", [], .text(question.type == .encounter ? "Which visit?" : "Which study?"))] + rows
                + [none, isLong ? earlier(question) : .none])
    }

    /// The way to those that are not among the latest.
    private func earlier(_ question: ContextQuestion) -> HTML {
        let name = question.type.field + "-until"
        return .element(
            "p", [], .element("label", [.init("for", name)], "The latest that began by"), " ",
            .element(
                "input",
                [.init("type", "date"), .init("id", name), .init("name", name), .init("value", question.until ?? "")]),
            " ", decision(AuthorizationEndpoint.lookDecision, "Show", isPlain: true))
    }
}
