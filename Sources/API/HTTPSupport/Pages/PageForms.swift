/// Forms and their fields, as all pages have them: each field has a label, hints and errors are said with it.
package struct PageForms: Sendable {
    /// Of every label and word here.
    package let language: PageLanguage
    private let token: String

    /// - Parameter token: of the forms that change something, for the session or the browser that is shown them.
    package init(language: PageLanguage, token: String) {
        self.language = language
        self.token = token
    }

    /// A form that is sent to a path of this server.
    package func form(_ path: String, _ content: [HTML], isCard: Bool = true) -> HTML {
        var attributes: [HTMLAttribute] = [.init("method", "post"), .init("action", path)]
        if isCard { attributes.append(.init("class", "card")) }
        return .element("form", attributes, [csrf] + content)
    }

    /// What each form carries that changes something.
    package var csrf: HTML { hidden("csrf", token) }

    /// A field that carries what was given before.
    package func hidden(_ name: String, _ value: String) -> HTML {
        .element("input", [.init("type", "hidden"), .init("name", name), .init("value", value)])
    }

    /// A field with its label.
    /// - Parameters:
    ///   - autocomplete: what a password manager may fill in. HTML Living Standard §4.10.18.7.
    ///   - hint: said with the field.
    ///   - id: where the page has several of the name.
    package func field(
        _ name: String, _ label: PageText, type: String = "text", autocomplete: String, value: String = "",
        hint: PageText? = nil, isFirst: Bool = false, isWrong: Bool = false, id: String? = nil
    ) -> HTML {
        let id = id ?? name
        var attributes: [HTMLAttribute] = [
            .init("id", id), .init("name", name), .init("type", type), .init("autocomplete", autocomplete),
            .init("autocapitalize", "none"), .init("spellcheck", "false"), .init("maxlength", "512"), .flag("required"),
        ]
        if type != "password", !value.isEmpty { attributes.append(.init("value", value)) }
        if isFirst { attributes.append(.flag("autofocus")) }
        if isWrong { attributes.append(.init("aria-invalid", "true")) }
        if hint != nil { attributes.append(.init("aria-describedby", id + "-hint")) }
        return .all([
            .element("label", [.init("for", id)], language.html(label)),
            .element("input", attributes),
            hint.map {
                .element("p", [.init("id", id + "-hint"), .init("class", "quiet")], language.html($0))
            } ?? .none,
        ])
    }

    /// - Parameter about: which of several things of one kind it is for.
    package func button(_ label: PageText, isPlain: Bool = false, about: String? = nil) -> HTML {
        var attributes: [HTMLAttribute] = [.init("type", "submit")]
        if isPlain { attributes.append(.init("class", "plain")) }
        // In a list each button says to a screen reader which row it is for.
        if let about { attributes.append(.init("aria-label", "\(language[label]): \(about)")) }
        return .element("button", attributes, language.html(label))
    }

    /// A form of one button.
    /// - Parameter hidden: what the form carries, such as an id that no path can hold.
    package func act(
        _ path: String, _ label: PageText, isPlain: Bool = true, about: String? = nil, hidden fields: [HTML] = []
    ) -> HTML {
        form(path, fields + [button(label, isPlain: isPlain, about: about)], isCard: false)
    }

    /// What went wrong, said at once.
    package func bad(_ text: PageText?) -> HTML {
        text.map { .element("p", [.init("class", "bad"), .init("role", "alert")], language.html($0)) } ?? .none
    }

    /// What was done.
    package func good(_ text: PageText?) -> HTML {
        text.map { .element("p", [.init("class", "good"), .init("role", "status")], language.html($0)) } ?? .none
    }

    /// A link by itself.
    package func link(_ path: String, _ text: PageText) -> HTML {
        .element("p", [], .element("a", [.init("href", path)], language.html(text)))
    }

    /// A table with a heading for each column and for each row.
    package func table(_ headings: [PageText], _ rows: [[HTML]]) -> HTML {
        let head = headings.map { HTML.element("th", [.init("scope", "col")], language.html($0)) }
        let body = rows.map { row in
            HTML.element(
                "tr", [],
                row.enumerated().map { index, cell in
                    index == 0
                        ? .element("th", [.init("scope", "row")], cell) : .element("td", [], cell)
                })
        }
        return .element(
            "div", [.init("class", "scroll"), .init("tabindex", "0")],
            .element(
                "table", [], .element("thead", [], .element("tr", [], head)), .element("tbody", [], body)))
    }

    // MARK: Filters

    /// A form that changes nothing: its fields are the query of a page.
    package func filter(_ path: String, _ fields: [HTML]) -> HTML {
        .element(
            "form", [.init("method", "get"), .init("action", path), .init("class", "card filter")],
            [.element("div", [], fields), button(.filterButton)])
    }

    /// A field that may be left empty, with its label.
    /// - Parameter id: where the page has several of the name.
    package func entry(
        _ name: String, _ label: PageText, value: String = "", id: String? = nil, isRequired: Bool = false
    ) -> HTML {
        let id = id ?? name
        var attributes: [HTMLAttribute] = [
            .init("id", id), .init("name", name), .init("type", "text"), .init("autocomplete", "off"),
            .init("autocapitalize", "none"), .init("spellcheck", "false"), .init("maxlength", "512"),
        ]
        if isRequired { attributes.append(.flag("required")) }
        if !value.isEmpty { attributes.append(.init("value", value)) }
        return .element(
            "div", [], .element("label", [.init("for", id)], language.html(label)), .element("input", attributes))
    }

    /// One of several values, each with what it is called.
    package func choice(
        _ name: String, _ label: PageText, _ values: [(value: String, title: String)], chosen: String? = nil,
        id: String? = nil
    ) -> HTML {
        let id = id ?? name
        let options = values.map { value, title in
            HTML.element(
                "option", [.init("value", value)] + (value == chosen ? [.flag("selected")] : []), .text(title))
        }
        return .element(
            "div", [], .element("label", [.init("for", id)], language.html(label)),
            .element("select", [.init("id", id), .init("name", name)], options))
    }

    /// A box to tick without which the form is not sent.
    package func confirmation(_ name: String, _ label: PageText, id: String) -> HTML {
        .element(
            "p", [],
            .element(
                "input",
                [
                    .init("type", "checkbox"), .init("id", id), .init("name", name), .init("value", "yes"),
                    .flag("required"),
                ]
            ), " ", .element("label", [.init("for", id)], language.html(label)))
    }
}
