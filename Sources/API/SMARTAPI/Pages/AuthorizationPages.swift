import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The pages of an authorization: what an application asks for, for whom, and what went wrong. No script, nothing inline.
struct AuthorizationPages: Sendable {
    /// Told above the form.
    enum Notice: String, Sendable {
        case choosePatient = "Choose the patient whom this is for."
        case chooseContext = "Choose what this is for, or none."
    }

    /// What a page of consent shows.
    struct Consent: Sendable {
        let person: SignedInPerson
        let asked: AuthorizationRequest
        let offer: AuthorizationOffer
        /// To choose from; where the EHR has named the patient, that one.
        let choices: [PatientChoice]
        /// The name that was looked for.
        let find: String
        let notice: Notice?
        /// Whether the answer may stand for the next time.
        let mayRemember: Bool
        let csrf: String
        /// Carried on; see ``AuthorizationEndpoint``.
        let mark: String
    }

    func problem(_ message: String, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        var page = Page(
            "This cannot go on", .english, [.element("p", [.init("role", "alert")], .text(message))])
        page.hasForms = false
        return answer(page, status: status, headers: headers)
    }

    func consent(_ consent: Consent) -> Response {
        let forms = PageForms(language: .english, token: consent.csrf)
        let name = consent.asked.client.name
        let target = RedirectURI.policySource(consent.asked.addressee.redirectURI)
        let isAnswerable = !consent.offer.needsPatient || !consent.choices.isEmpty
        let form = forms.form(
            "/auth/consent",
            [
                carried(consent.asked, mark: consent.mark, forms), forms.hidden("find", consent.find),
                patients(consent), scopes(consent),
                consent.mayRemember
                    ? row(
                        "checkbox", "remember", id: "remember", value: "yes", isChecked: false,
                        "Do not ask again as long as it asks for no more than this")
                    : .none,
                .element("p", [], "The answer goes to ", .element("code", [], .text(target ?? "")), "."),
                .element(
                    "p", [], isAnswerable ? .all([decision("allow", "Allow"), " "]) : .none,
                    decision("deny", "Do not allow", isPlain: true)),
            ], isCard: false)
        var page = Page(
            "Allow \(name)?", .english,
            [
                .element(
                    "section", [],
                    .element(
                        "p", [], .element("strong", [], .text(name)),
                        " asks you, \(consent.person.displayName), for access."),
                    consent.notice.map { .element("p", [.init("role", "alert")], .text($0.rawValue)) } ?? .none,
                    consent.offer.needsPatient && consent.person.role.practice != nil ? finder(consent, forms) : .none,
                    form)
            ])
        page.formOrigins = [target].compactMap { $0 }
        return answer(page)
    }

    /// Another form, by GET: it changes nothing.
    private func finder(_ consent: Consent, _ forms: PageForms) -> HTML {
        .element(
            "form", [.init("method", "get"), .init("action", "/auth/authorize"), .init("role", "search")],
            carried(consent.asked, mark: consent.mark, forms),
            .element(
                "p", [], .element("label", [.init("for", "find")], "Find a patient of yours by name"), " ",
                .element(
                    "input",
                    [
                        .init("type", "search"), .init("id", "find"), .init("name", "find"), .init("maxlength", "100"),
                        .init("autocomplete", "off"), .init("value", consent.find),
                    ]),
                " ", .element("button", [.init("type", "submit")], "Find")))
    }

    private func patients(_ consent: Consent) -> HTML {
        guard consent.offer.needsPatient else {
            guard let patient = consent.choices.first else { return .none }
            return .element("p", [], "For the patient ", .element("strong", [], .text(patient.label)), ".")
        }
        if consent.choices.isEmpty { return .element("p", [], "There is no patient to choose.") }
        let isOnly = consent.choices.count == 1 && consent.person.role == .patient
        let rows = consent.choices.map { choice in
            row("radio", "patient", id: "p-" + choice.id, value: choice.id, isChecked: isOnly, .text(choice.label))
        }
        return .element("fieldset", [], [.element("legend", [], "For which patient?")] + rows)
    }

    private func scopes(_ consent: Consent) -> HTML {
        var scopes: [(value: String, words: String)] = consent.offer.scopes.resources.map {
            ($0.text, ScopeWords.sentence($0))
        }
        for scope in consent.offer.scopes.others {
            if let words = ScopeWords.sentence(scope) { scopes.append((scope.rawValue, words)) }
        }
        let rows = scopes.enumerated().map { number, scope in
            row(
                "checkbox", "keep", id: "s\(number)", value: scope.value, isChecked: true,
                "\(scope.words) ", .element("small", [], "(\(scope.value))"))
        }
        return .element("fieldset", [], [.element("legend", [], "It may, as far as you leave it ticked")] + rows)
    }

    func row(
        _ type: String, _ name: String, id: String, value: String, isChecked: Bool, _ label: HTML...
    ) -> HTML {
        var attributes: [HTMLAttribute] = [
            .init("type", type), .init("name", name), .init("id", id), .init("value", value),
        ]
        if isChecked { attributes.append(.flag("checked")) }
        return .element(
            "p", [], .element("input", attributes), " ",
            .element("label", [.init("for", id)], label))
    }

    func decision(_ value: String, _ words: String, isPlain: Bool = false) -> HTML {
        var attributes: [HTMLAttribute] = [
            .init("type", "submit"), .init("name", "decision"), .init("value", value),
        ]
        if isPlain { attributes.append(.init("class", "plain")) }
        return .element("button", attributes, .text(words))
    }

    /// The request and the mark of it, which every form takes on.
    func carried(_ asked: AuthorizationRequest, mark: String, _ forms: PageForms) -> HTML {
        .all(asked.parameters.map { forms.hidden($0.name, $0.value) } + [forms.hidden("asked", mark)])
    }

    /// The addresses of these pages hold the request, and are told to nobody.
    func answer(_ page: Page, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.referrerPolicy] = "no-referrer"
        return page.response(status: status, headers: headers)
    }
}
