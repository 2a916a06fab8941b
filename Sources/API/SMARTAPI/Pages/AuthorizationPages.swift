import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// The pages of an authorization: what an application asks for, for whom, and what went wrong. No script, nothing inline.
struct AuthorizationPages: Sendable {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    private static let frameOptions = HTTPField.Name("X-Frame-Options")!

    /// Told above the form.
    enum Notice: String, Sendable {
        case choosePatient = "Choose the patient whom this is for."
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
        let csrf: String
        /// Carried on; see ``AuthorizationEndpoint``.
        let mark: String
    }

    func problem(_ message: String, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        page(
            "This cannot go on", forms: ["'none'"], status: status, headers: headers,
            "<p role=\"alert\">\(HTMLText.escaped(message))</p>")
    }

    func consent(_ consent: Consent) -> Response {
        let name = HTMLText.escaped(consent.asked.client.name)
        let person = HTMLText.escaped(consent.person.displayName)
        var main = "<section><p><strong>\(name)</strong> asks you, \(person), for access.</p>"
        if let notice = consent.notice { main += "<p role=\"alert\">\(HTMLText.escaped(notice.rawValue))</p>" }
        if consent.offer.needsPatient, consent.person.role == .practitioner { main += finder(consent) }
        main += "<form method=\"post\" action=\"/auth/consent\">" + carried(consent)
        main += hidden("csrf", consent.csrf) + hidden("find", consent.find)
        main += patients(consent) + scopes(consent)
        let address = HTMLText.escaped(RedirectURI.policySource(consent.asked.addressee.redirectURI) ?? "")
        main += "<p>The answer goes to <code>\(address)</code>.</p><p>"
        if !consent.offer.needsPatient || !consent.choices.isEmpty {
            main += "<button type=\"submit\" name=\"decision\" value=\"allow\">Allow</button> "
        }
        main += "<button class=\"plain\" type=\"submit\" name=\"decision\" value=\"deny\">Do not allow</button></p>"
        main += "</form></section>"
        let answers = RedirectURI.policySource(consent.asked.addressee.redirectURI)
        return page("Allow \(consent.asked.client.name)?", forms: ["'self'"] + (answers.map { [$0] } ?? []), main)
    }

    /// Another form, by GET: it changes nothing.
    private func finder(_ consent: Consent) -> String {
        "<form method=\"get\" action=\"/auth/authorize\" role=\"search\">" + carried(consent)
            + "<p><label for=\"find\">Find a patient of yours by name</label> "
            + "<input type=\"search\" id=\"find\" name=\"find\" maxlength=\"100\" autocomplete=\"off\" "
            + "value=\"\(HTMLText.escaped(consent.find))\"> <button type=\"submit\">Find</button></p></form>"
    }

    private func patients(_ consent: Consent) -> String {
        guard consent.offer.needsPatient else {
            return consent.choices.first.map {
                "<p>For the patient <strong>\(HTMLText.escaped($0.label))</strong>.</p>"
            } ?? ""
        }
        if consent.choices.isEmpty { return "<p>There is no patient to choose.</p>" }
        var text = "<fieldset><legend>For which patient?</legend>"
        let isOnly = consent.choices.count == 1 && consent.person.role == .patient
        for choice in consent.choices {
            let id = HTMLText.escaped(choice.id)
            text +=
                "<p><input type=\"radio\" name=\"patient\" id=\"p-\(id)\" value=\"\(id)\"\(isOnly ? " checked" : "")>"
                + " <label for=\"p-\(id)\">\(HTMLText.escaped(choice.label))</label></p>"
        }
        return text + "</fieldset>"
    }

    private func scopes(_ consent: Consent) -> String {
        var rows: [(value: String, words: String)] = consent.offer.scopes.resources.map {
            ($0.text, ScopeWords.sentence($0))
        }
        for scope in consent.offer.scopes.others {
            if let words = ScopeWords.sentence(scope) { rows.append((scope.rawValue, words)) }
        }
        var text = "<fieldset><legend>It may, as far as you leave it ticked</legend>"
        for (number, row) in rows.enumerated() {
            let value = HTMLText.escaped(row.value)
            text +=
                "<p><input type=\"checkbox\" name=\"keep\" id=\"s\(number)\" value=\"\(value)\" checked> "
                + "<label for=\"s\(number)\">\(HTMLText.escaped(row.words)) <small>(\(value))</small></label></p>"
        }
        return text + "</fieldset>"
    }

    private func carried(_ consent: Consent) -> String {
        consent.asked.parameters.map { hidden($0.name, $0.value) }.joined() + hidden("asked", consent.mark)
    }

    private func hidden(_ name: String, _ value: String) -> String {
        "<input type=\"hidden\" name=\"\(name)\" value=\"\(HTMLText.escaped(value))\">"
    }

    private func page(
        _ title: String, forms: [String], status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ main: String
    ) -> Response {
        // The frame is that of ``Page``.
        let html =
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
            + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            + "<meta name=\"color-scheme\" content=\"light dark\"><title>\(HTMLText.escaped(title)) – Hilum</title>"
            + "<link rel=\"stylesheet\" href=\"\(HTMLText.escaped(Stylesheet.path))\"></head>"
            + "<body><a class=\"skip\" href=\"#main\">Skip to the content</a>"
            + "<header><p class=\"brand\">Hilum</p></header>"
            + "<main id=\"main\"><h1>\(HTMLText.escaped(title))</h1>\(main)</main></body></html>"
        var headers = headers
        headers[.contentSecurityPolicy] = SecurityHeaders.pagePolicy(forms: forms)
        headers[Self.frameOptions] = "DENY"
        headers[.cacheControl] = "no-store"
        return .bytes(Array(html.utf8), contentType: "text/html; charset=utf-8", status: status, headers: headers)
    }
}
