/// A piece of HTML that cannot be broken out of: texts and values of attributes are escaped as they go in, names of
/// elements and attributes are literals of the program. HTML Living Standard §13.3.
package struct HTML: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// As it is sent.
    package private(set) var markup: String

    private init(markup: String) { self.markup = markup }

    /// Text, escaped; also what is interpolated into it.
    package init(stringLiteral text: String) { self = .text(text) }

    /// Text, escaped.
    package static func text(_ text: String) -> HTML {
        var markup = ""
        escape(text, to: &markup)
        return HTML(markup: markup)
    }

    /// Pieces one behind the other.
    package static func all(_ pieces: [HTML]) -> HTML { HTML(markup: pieces.map(\.markup).joined()) }

    /// Nothing.
    package static let none = HTML(markup: "")

    /// An element with its content. Those that have none by the standard, such as `input`, have no end tag.
    package static func element(
        _ name: StaticString, _ attributes: [HTMLAttribute] = [], _ content: HTML...
    ) -> HTML {
        element(name, attributes, content)
    }

    /// The same with pieces that were collected before.
    package static func element(_ name: StaticString, _ attributes: [HTMLAttribute] = [], _ content: [HTML]) -> HTML {
        let name = "\(name)"
        precondition(
            !["script", "style"].contains(name.lowercased()),
            "what these hold cannot be escaped; link to a file of ours")
        var markup = "<" + name
        for attribute in attributes { markup += attribute.markup }
        markup += ">"
        if Self.voidElements.contains(name) {
            precondition(content.isEmpty, "\(name) has no content")
            return HTML(markup: markup)
        }
        for piece in content { markup += piece.markup }
        return HTML(markup: markup + "</\(name)>")
    }

    /// A foreign document in a frame of its own, where no script runs, no form is sent and nothing is loaded: the page's policy
    /// is the document's too. HTML Living Standard §4.8.5 (sandbox, srcdoc); CSP Level 3 §7.8.
    /// - Parameters:
    ///   - foreign: markup of whoever wrote it, as it came.
    ///   - title: of the frame, for who does not see it.
    package static func frame(of foreign: String, title: String) -> HTML {
        var markup = "<iframe sandbox=\"\" referrerpolicy=\"no-referrer\" title=\""
        escape(title, to: &markup)
        markup += "\" srcdoc=\""
        escape(foreign, to: &markup)
        return HTML(markup: markup + "\"></iframe>")
    }

    /// A script that is a file of this server, run once the page is read; nothing for any other path.
    static func script(_ path: String) -> HTML {
        guard LocalPath.isLocal(path) else { return .none }
        let attributes = [HTMLAttribute("src", path), .flag("defer")].map(\.markup).joined()
        return HTML(markup: "<script" + attributes + "></script>")
    }

    /// HTML Living Standard §13.1.2.
    private static let voidElements: Set<String> = ["br", "hr", "img", "input", "link", "meta"]

    /// A whole document, with its declaration.
    static func document(_ attributes: [HTMLAttribute], _ content: HTML...) -> String {
        "<!DOCTYPE html>\n" + element("html", attributes, content).markup + "\n"
    }

    /// Appends a text with what has a meaning in HTML, within elements and within quoted values, as references. What no
    /// document may hold becomes U+FFFD.
    static func escape(_ text: String, to markup: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": markup += "&amp;"
            case "<": markup += "&lt;"
            case ">": markup += "&gt;"
            case "\"": markup += "&quot;"
            case "'": markup += "&#39;"
            case "\t", "\n", "\r": markup.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": markup.unicodeScalars.append("\u{FFFD}")
            // What changes the order in which other text is shown.
            case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": markup.unicodeScalars.append("\u{FFFD}")
            default: markup.unicodeScalars.append(scalar)
            }
        }
    }
}

/// An attribute of an element, with a leading space.
package struct HTMLAttribute: Sendable, Hashable {
    let markup: String

    /// - Parameters:
    ///   - name: of those that run scripts and those that hold styles, none: the policy of pages forbids them.
    ///   - value: any text; a URL that a browser would not take for a page becomes `#`. See ``isLink(_:)``.
    package init(_ name: StaticString, _ value: String) {
        let name = Self.checked(name)
        let isURL = ["href", "xlink:href", "action", "formaction", "src", "data"].contains(name.lowercased())
        var text = " " + name + "=\""
        HTML.escape(isURL && !Self.isLink(value) ? "#" : value, to: &text)
        markup = text + "\""
    }

    private init(flag: String) { markup = " " + flag }

    /// An attribute that is there or not, such as `required`.
    package static func flag(_ name: StaticString) -> HTMLAttribute { HTMLAttribute(flag: checked(name)) }

    private static func checked(_ name: StaticString) -> String {
        let name = "\(name)"
        // Browsers tell no case apart.
        let small = name.lowercased()
        precondition(
            !small.hasPrefix("on") && small != "style" && small != "srcdoc", "pages hold no scripts and no styles")
        return name
    }

    /// Whether a text is a path of this server, a place within the page, or a page by http or https: never `javascript:`
    /// or `data:`, and no path that a browser takes for another host.
    static func isLink(_ url: String) -> Bool {
        if url.hasPrefix("#") || url.hasPrefix("https://") || url.hasPrefix("http://") { return true }
        return LocalPath.isLocal(url)
    }
}

/// Paths of this server that came from outside, to which a browser may be sent.
package enum LocalPath {
    /// Longer ones are none, in bytes.
    package static let bytesMax = 8 * 1024

    /// Whether a text is a path of this server, with or without a query, however a browser reads it: it begins with one
    /// slash, is of visible ASCII, and holds no reverse slash, which browsers take for a slash. URL Standard §4.4;
    /// CWE-601.
    package static func isLocal(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...bytesMax).contains(bytes.count), bytes.first == UInt8(ascii: "/"),
            bytes.dropFirst().first != UInt8(ascii: "/")
        else { return false }
        return bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
    }
}
