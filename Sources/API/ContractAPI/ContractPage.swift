import HTTPSupport
import HTTPTypes
import Hummingbird

/// The contract as pages: the documents, and each with its operations by tag and path, with an anchor for each operation.
struct ContractPage {
    let language: PageLanguage

    func overview(_ documents: [ContractDocument]) -> Response {
        let rows = documents.map { document -> [HTML] in
            [
                Self.link("/openapi/" + document.name, document.title), "\(document.operations.count)",
                Self.link("/openapi/\(document.name).yaml", document.name + ".yaml"),
            ]
        }
        return response(
            page(
                language[.contractTitle],
                [
                    .element("p", [], text(.contractLead)),
                    section(.contractFiles, table([.contractFiles, .contractOperations, .contractFile], rows)),
                ]))
    }

    func document(_ document: ContractDocument) -> Response { response(page(of: document)) }

    func page(of document: ContractDocument) -> Page {
        var content: [HTML] = [
            .element(
                "section", [], Self.prose(document.words),
                .element(
                    "p", [], text(.contractFile), ": ",
                    Self.link("/openapi/\(document.name).yaml", document.name + ".yaml"), " · ",
                    .text(document.version)))
        ]
        for tag in document.tags {
            let own = document.operations.filter { $0.tag == tag }
            content.append(
                .element(
                    "section", [], .element("h2", [], .text(tag)),
                    table(
                        [.contractMethod, .contractPath, .contractOperations],
                        own.map { operation in
                            [
                                .text(operation.method), Self.link("#" + operation.id, operation.path),
                                Self.line(operation.summary),
                            ]
                        })))
        }
        content += document.operations.map(operation)
        if !document.shapes.isEmpty {
            content.append(
                .element(
                    "section", [],
                    [.element("h2", [], text(.contractSchemas))] + document.shapes.map(shape)))
        }
        return page(document.title, content)
    }

    // MARK: Parts

    private func operation(_ operation: ContractDocument.Operation) -> HTML {
        var parts: [HTML] = [
            .element("h2", [], .element("code", [], .text("\(operation.method) \(operation.path)"))),
            .element("p", [], Self.line(operation.summary)), Self.prose(operation.words),
        ]
        if operation.isDeprecated { parts.append(.element("p", [.init("class", "bad")], text(.contractDeprecated))) }
        let access: HTML =
            if !operation.needsToken {
                text(.contractOpen)
            } else if operation.scopes.isEmpty {
                text(.contractToken)
            } else {
                .all([text(.contractScopes), " ", .element("code", [], .text(operation.scopes.joined(separator: " ")))])
            }
        parts.append(.element("p", [], .element("strong", [], text(.contractAccess)), ": ", access))
        if !operation.parameters.isEmpty {
            parts.append(.element("h3", [], text(.contractParameters)))
            parts.append(
                table([.nameLabel, .contractPlace, .kindLabel, .noteLabel], operation.parameters.map { row($0) }))
        }
        if !operation.body.isEmpty {
            parts.append(.element("h3", [], text(.contractBody)))
            parts.append(
                table(
                    [.contractMedia, .kindLabel],
                    operation.body.map { [.element("code", [], .text($0.media)), .text($0.shape)] }))
        }
        parts.append(.element("h3", [], text(.contractAnswers)))
        parts.append(
            table(
                [.outcomeLabel, .noteLabel, .contractMedia],
                operation.answers.map { answer in
                    [
                        answer.status == "default" ? text(.contractOther) : .text(answer.status),
                        Self.line(answer.words), .text(answer.media.joined(separator: ", ")),
                    ]
                }))
        return .element("section", [.init("id", operation.id)], parts)
    }

    private func shape(_ shape: ContractDocument.Shape) -> HTML {
        .all([
            .element("h3", [.init("id", "shape-" + shape.name)], .text(shape.name)), Self.prose(shape.words),
            shape.members.isEmpty
                ? .none
                : table(
                    [.nameLabel, .kindLabel, .noteLabel],
                    shape.members.map { member in
                        let row = row(member)
                        return [row[0], row[2], row[3]]
                    }),
        ])
    }

    private func row(_ parameter: ContractDocument.Parameter) -> [HTML] {
        [
            .element("code", [], .text(parameter.name)), .text(parameter.place),
            .all([
                .text(parameter.shape),
                parameter.isRequired
                    ? .element("span", [.init("class", "quiet")], " ", text(.contractRequired)) : .none,
            ]), Self.line(parameter.words),
        ]
    }

    // MARK: Pieces

    private func page(_ title: String, _ content: [HTML]) -> Page {
        var page = Page(title, language, content)
        page.isWide = true
        page.hasForms = false
        page.navigation = [
            .init("/openapi", language[.contractTitle]), .init("/fhir/metadata", language[.capabilityTitle]),
        ]
        return page
    }

    /// It may be kept, and is asked for again.
    private func response(_ page: Page) -> Response { page.response(headers: [.cacheControl: "no-cache"]) }

    private func text(_ key: PageText) -> HTML { language.html(key) }

    private func section(_ title: PageText, _ content: HTML...) -> HTML {
        .element("section", [], [.element("h2", [], text(title))] + content)
    }

    private func table(_ headings: [PageText], _ rows: [[HTML]]) -> HTML {
        PageForms(language: language, token: "").table(headings, rows)
    }

    private static func link(_ path: String, _ title: String) -> HTML {
        .element("a", [.init("href", path)], .text(title))
    }

    /// Paragraphs, as empty lines part them.
    private static func prose(_ words: String) -> HTML {
        var paragraphs: [[Substring]] = [[]]
        for row in words.split(separator: "\n", omittingEmptySubsequences: false) {
            if row.allSatisfy({ $0 == " " }) {
                paragraphs.append([])
            } else {
                paragraphs[paragraphs.count - 1].append(row)
            }
        }
        return .all(
            paragraphs.filter { !$0.isEmpty }.map { .element("p", [], line($0.joined(separator: " "))) })
    }

    /// A text in which what stands between backticks is code.
    private static func line(_ words: String) -> HTML {
        let parts = words.split(separator: "`", omittingEmptySubsequences: false)
        // One that is not closed is itself.
        guard parts.count % 2 == 1 else { return .text(words) }
        return .all(
            parts.enumerated().map { index, part in
                index % 2 == 0 ? .text(String(part)) : .element("code", [], .text(String(part)))
            })
    }
}
