import HTTPTypes
import Hummingbird

/// A page for people: one frame around each, the same for all of Hilum.
///
/// No script runs but a file of this server that a page names; styles are one file of this server. A page is never within
/// a frame of another site, and its forms lead to this server alone, unless it says where else. CSP Level 3 §6.
package struct Page: Sendable {
    /// Of the head and the first heading.
    package var title: String
    /// Of the frame; what is in ``content`` is said in it, too.
    package var language: PageLanguage
    /// What is in the main part, below the heading.
    package var content: [HTML]
    /// Whose links are shown above; empty shows none.
    package var navigation: [Link] = []
    /// Whether there are wide tables, for which a column of text is too narrow.
    package var isWide = false
    /// Whether there is a form; of a page without one none leads anywhere.
    package var hasForms = true
    /// Where else than to this server a form, or the answer to it, may lead: origins such as `https://app.example` (see
    /// ``CrossOriginPolicy/isOrigin(_:)``), and the own schemes of applications on a device, such as `com.example.app:`. What
    /// is neither is left out.
    package var formOrigins: [String] = []
    /// The path of a script of this server; nil, as almost always, for a page on which none may run.
    package var script: String?
    /// Goes on to a path of this server at once, by itself.
    package var continuesTo: String?
    /// Goes on to a page of another site at once, by itself: an https URL that the site's configuration stands for.
    package var leavesTo: String?

    /// A path of this server and what it is called.
    package struct Link: Sendable, Hashable {
        /// With its query, as it stands in the page.
        package let path: String
        /// In the language of the page.
        package let title: String

        /// - Parameter path: of this server.
        package init(_ path: String, _ title: String) {
            self.path = path
            self.title = title
        }
    }

    /// A page without navigation, whose forms lead to this server.
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
        if let onward {
            head.append(.element("meta", [.init("http-equiv", "refresh"), .init("content", "0;url=" + onward)]))
        }
        if let script { head.append(.script(script)) }
        let links = navigation.map { link in
            HTML.element("li", [], .element("a", [.init("href", link.path)], .text(link.title)))
        }
        let text = HTML.document(
            [.init("lang", language.tag)], .element("head", [], head),
            .element(
                "body", isWide ? [.init("class", "wide")] : [],
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

    /// The answer. Never kept by a cache, and its address told to this server alone, unless `headers` say otherwise.
    package func response(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        let targets = formOrigins.filter { CrossOriginPolicy.isOrigin($0) || Self.isOwnScheme($0) }
        headers[.contentSecurityPolicy] = SecurityHeaders.pagePolicy(
            forms: hasForms ? ["'self'"] + targets : ["'none'"], hasScript: script != nil)
        // With `no-referrer` a browser would not say which site a form comes from. Fetch Standard §3.2.
        headers[.referrerPolicy] = headers[.referrerPolicy] ?? "same-origin"
        headers[.xFrameOptions] = "DENY"
        headers[.cacheControl] = headers[.cacheControl] ?? "no-store"
        return .bytes(bytes, contentType: Self.contentType, status: status, headers: headers)
    }

    /// Where the page goes on to by itself, if it is where it may.
    private var onward: String? {
        if let continuesTo, LocalPath.isLocal(continuesTo) { return continuesTo }
        return leavesTo.flatMap { Self.isSecure($0) ? $0 : nil }
    }

    /// Whether a text is an https URL without a character that a browser would take for another one.
    private static func isSecure(_ url: String) -> Bool {
        url.prefix(8).lowercased() == "https://" && url.utf8.count <= 16 * 1024
            && url.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
    }

    fileprivate static let contentType = "text/html; charset=utf-8"

    /// Whether a text is a scheme of an application's own with its colon: a domain name turned around, so it has a dot, which
    /// no scheme of browsers has. RFC 8252 §7.1.
    private static func isOwnScheme(_ text: String) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard let first = text.utf8.first, letters.contains(first), text.utf8.last == UInt8(ascii: ":") else {
            return false
        }
        let scheme = text.utf8.dropLast()
        return scheme.contains(UInt8(ascii: "."))
            && scheme.allSatisfy { byte in
                letters.contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || "+-.".utf8.contains(byte)
            }
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

    /// What an error of a layer below is; nil for the unexpected.
    package func failure(for error: any Error) -> HTTPFailure? { translate(error) }

    /// A page in English with what the failure says and the request's id, whatever is accepted.
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
        return (Page.contentType, page.bytes)
    }
}
