import HTTPTypes
import Hummingbird

/// A page for people: one frame around each, the same for all of Hilum.
///
/// No script is needed and none is allowed; styles are one file of this server. A page is never within a frame of
/// another site, and its forms lead to this server alone, unless it says where else. CSP Level 3 §6.
package struct Page: Sendable {
    /// Of the head and the first heading.
    package var title: String
    package var language: PageLanguage
    /// What is in the main part, below the heading.
    package var content: [HTML]
    /// Whose links are shown above; empty shows none.
    package var navigation: [Link] = []
    /// Where else than to this server a form may lead in the end: origins such as `https://app.example`.
    package var formOrigins: [String] = []
    /// Goes on to a path of this server at once, by itself.
    package var continuesTo: String?

    /// A path of this server and what it is called.
    package struct Link: Sendable, Hashable {
        package let path: String
        package let title: String
        package init(_ path: String, _ title: String) {
            self.path = path
            self.title = title
        }
    }

    package init(_ title: String, _ language: PageLanguage, _ content: [HTML]) {
        self.title = title
        self.language = language
        self.content = content
    }

    /// The document, as UTF-8.
    package var bytes: [UInt8] {
        var head: [HTML] = [
            .element("meta", [.init("charset", "utf-8")]),
            .element("meta", [.init("name", "viewport"), .init("content", "width=device-width, initial-scale=1")]),
            .element("meta", [.init("name", "color-scheme"), .init("content", "light dark")]),
            .element("title", [], .text(title + " – Hilum")),
            .element("link", [.init("rel", "stylesheet"), .init("href", Stylesheet.path)]),
        ]
        if let path = continuesTo, LocalPath.isLocal(path) {
            head.append(
                .element("meta", [.init("http-equiv", "refresh"), .init("content", "0;url=" + path)]))
        }
        let links = navigation.map { link in
            HTML.element("li", [], .element("a", [.init("href", link.path)], .text(link.title)))
        }
        let text = HTML.document(
            [.init("lang", language.tag)], .element("head", [], head),
            .element(
                "body", [],
                .element("a", [.init("class", "skip"), .init("href", "#main")], language.html(.skipToContent)),
                .element(
                    "header", [], .element("p", [.init("class", "brand")], "Hilum"),
                    links.isEmpty
                        ? .none
                        : .element(
                            "nav", [.init("aria-label", language[.navigation])], .element("ul", [], links))),
                .element(
                    "main", [.init("id", "main")], .element("h1", [], .text(title)), .all(content))))
        return Array(text.utf8)
    }

    /// The answer. Never kept by a cache, unless `headers` say so.
    package func response(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        let origins = formOrigins.filter(CrossOriginPolicy.isOrigin).map { " " + $0 }.joined()
        headers[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'\(origins); "
            + "frame-ancestors 'none'"
        // With `no-referrer` a browser would not say which site a form comes from. Fetch Standard §3.2.
        headers[.referrerPolicy] = "same-origin"
        headers[.xFrameOptions] = "DENY"
        headers[.cacheControl] = headers[.cacheControl] ?? "no-store"
        return .bytes(bytes, contentType: "text/html; charset=utf-8", status: status, headers: headers)
    }
}

extension HTTPField.Name {
    /// RFC 7034.
    static let xFrameOptions = HTTPField.Name("X-Frame-Options")!
}

/// Errors of pages, as pages.
package struct PageErrorBody: ErrorBody {
    private let translate: @Sendable (any Error) -> HTTPFailure?

    /// - Parameter translate: what errors of layers below are; nil for the unexpected.
    package init(translate: @escaping @Sendable (any Error) -> HTTPFailure? = { _ in nil }) {
        self.translate = translate
    }

    package func failure(for error: any Error) -> HTTPFailure? { translate(error) }

    package func body(of failure: HTTPFailure, requestID: String, accept: String?) -> (
        contentType: String, bytes: [UInt8]
    ) {
        let language = PageLanguage.english
        let title =
            switch failure.code {
            case .notFound: language[.notFoundTitle]
            case .tooManyRequests, .unavailable: language[.tryAgainTitle]
            default: language[.refusedTitle]
            }
        let page = Page(
            title, language,
            [
                .element("p", [], .text(failure.message)),
                .element("p", [.init("class", "quiet")], "\(language[.requestIDLabel]) \(requestID)"),
            ])
        return ("text/html; charset=utf-8", page.bytes)
    }
}
