import Basics
import Cryptography
import HTTPTypes
import Hummingbird

/// The one stylesheet of all pages. Its path holds a digest of it, so that a browser may keep it for ever.
package enum Stylesheet {
    /// Changes with the text.
    package static let path = "/assets/hilum-" + name + ".css"
    private static let name = Hexadecimal.encode(SHA256.digest(bytes).prefix(8))
    /// As it is served.
    package static let bytes = Array(text.utf8)

    /// Serves it. Another digest than today's is 404: a page that asks for it is older than the server.
    package static let route = Route(.get, "/assets/{file}", operationID: "getStylesheet", access: .open, isBrief: true)
    {
        request in
        guard "/assets/" + request.parameters["file"] == path else {
            throw HTTPFailure(.notFound, "There is nothing at this path")
        }
        return .bytes(
            bytes, contentType: "text/css; charset=utf-8",
            headers: [.cacheControl: "public, max-age=31536000, immutable"])
    }

    /// Colours are pairs of at least 4.5 to 1, in light and dark. WCAG 2.2 §1.4.3, §1.4.10, §2.4.7, §2.5.8.
    private static let text = """
        :root {
          color-scheme: light dark;
          --ground: #f6f7f9; --surface: #ffffff; --text: #17202a; --quiet: #4c5a67; --line: #c3ccd5;
          --accent: #0b5d7a; --on-accent: #ffffff; --bad: #a3131f; --bad-ground: #fdecee; --good: #14603a;
          --good-ground: #e6f5ec;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #10161c; --surface: #19222b; --text: #e8edf2; --quiet: #aab6c2; --line: #3c4a57;
            --accent: #6cc5e6; --on-accent: #06202b; --bad: #ff9aa2; --bad-ground: #3a161b; --good: #7fd6a4;
            --good-ground: #12321f;
          }
        }
        * { box-sizing: border-box; }
        html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        body { margin: 0; background: var(--ground); color: var(--text); overflow-wrap: anywhere; }
        header, main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
        .wide header, .wide main { max-width: 90rem; }
        .wide td { overflow-wrap: anywhere; min-width: 5.5rem; }
        header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; }
        .brand { margin: 0; font-weight: 700; font-size: 1.125rem; color: var(--accent); }
        nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0; padding: 0; list-style: none; }
        a { color: var(--accent); }
        .skip { position: absolute; left: -100vw; }
        .skip:focus { left: 1rem; top: 1rem; background: var(--surface); padding: .5rem; }
        h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 1rem; }
        h2 { font-size: 1.125rem; margin: 0 0 .75rem; }
        section, form.card { background: var(--surface); border: 1px solid var(--line); border-radius: .5rem;
          padding: 1rem; margin: 0 0 1rem; }
        form { margin: 0; }
        label { display: block; font-weight: 600; margin: .75rem 0 .25rem; }
        input[type="checkbox"] + label, input[type="radio"] + label { display: inline; font-weight: 400; }
        fieldset { border: 1px solid var(--line); border-radius: .375rem; padding: .25rem 1rem; margin: 1rem 0; }
        fieldset p { margin: .5rem 0; }
        legend { font-weight: 600; padding: 0 .25rem; }
        select, input[type="text"], input[type="password"], input[type="search"] { display: block; width: 100%; max-width: 24rem;
          min-height: 2.75rem; padding: .5rem; font: inherit; color: inherit; background: var(--ground);
          border: 1px solid var(--quiet); border-radius: .375rem; }
        input[type="checkbox"], input[type="radio"] { width: 1.25rem; height: 1.25rem; accent-color: var(--accent); }
        button { min-height: 2.75rem; padding: .5rem 1.25rem; margin: 1rem .5rem 0 0; font: inherit; font-weight: 600;
          color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent); border-radius: .375rem;
          cursor: pointer; }
        button.plain { color: var(--accent); background: transparent; }
        td button { margin: 0 0 .25rem; min-height: 2rem; padding: .25rem .75rem; }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        .quiet { color: var(--quiet); font-size: .875rem; }
        .bad, .good { padding: .75rem 1rem; border-radius: .375rem; border-left: .25rem solid; }
        .bad { color: var(--bad); background: var(--bad-ground); }
        .good { color: var(--good); background: var(--good-ground); }
        .codes { font-family: ui-monospace, Menlo, Consolas, monospace; columns: 12rem 2; padding-left: 1.25rem; }
        code { font-family: ui-monospace, Menlo, Consolas, monospace; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; overflow-wrap: break-word; }
        section > :last-child { margin-bottom: 0; }
        th, td { text-align: left; vertical-align: top; padding: .5rem; border-bottom: 1px solid var(--line); }
        .filter > div { display: flex; flex-wrap: wrap; gap: 0 1rem; }
        td form { display: inline; }
        dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .25rem 1rem; margin: 0; }
        dt { font-weight: 600; }
        dd { margin: 0; }
        .symbol { display: block; width: 14rem; max-width: 100%; background: #ffffff; }
        iframe { display: block; width: 100%; height: 16rem; border: 1px solid var(--line); background: #ffffff;
          color-scheme: light; }
        pre { overflow: auto; max-height: 40rem; margin: .5rem 0; font: .8125rem/1.4 ui-monospace, Menlo, Consolas, monospace; }
        details { margin: .5rem 0; }
        summary { cursor: pointer; font-weight: 600; min-height: 1.5rem; }
        .plain { list-style: none; margin: 0; padding: 0; }
        .columns { columns: 14rem; }
        .tree dl { border-left: 2px solid var(--line); padding-left: .75rem; }
        .tree .plain > li + li { margin-top: .25rem; }
        @media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { padding-left: .75rem; } }
        @media (max-width: 30rem) { button { width: 100%; margin-right: 0; } td button { width: auto; } }
        @media (prefers-contrast: more) { :root { --quiet: var(--text); --line: var(--text); } }
        """
}
