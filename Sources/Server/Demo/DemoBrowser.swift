import NIOHTTP1

/// A browser as far as the pages need one without scripts: cookies, redirects, and forms with what they hold.
struct DemoBrowser {
    /// The last page.
    private(set) var page = ""
    /// Its address.
    private(set) var address = ""
    private let http: DemoHTTPClient
    private var cookies: [String: String] = [:]

    /// Redirects in a row.
    private static let redirectsMax = 10

    init(_ http: DemoHTTPClient) { self.http = http }

    /// Opens a page of any server; follows redirects. Throws ``DemoFailure`` for an answer that is no page.
    mutating func open(_ url: String) async throws { try await send(.GET, url, body: nil) }

    /// Sends a form of the page with what it holds, and with these fields.
    mutating func submit(_ path: String, _ fields: [(String, String)]) async throws {
        guard page.contains("action=\"\(path)\"") else {
            throw DemoFailure("\(address) has no form for \(path):\n\(page.prefix(600))")
        }
        let given = Set(fields.map(\.0))
        let all = Self.inputs(of: page).filter { !given.contains($0.0) } + fields
        try await send(.POST, http.base + path, body: Array(DemoHTTPClient.form(all).utf8))
    }

    /// Goes on where a page does so by itself.
    mutating func goOn() async throws {
        guard let start = page.firstRange(of: "content=\"0;url=") else {
            throw DemoFailure("\(address) does not go on:\n\(page.prefix(600))")
        }
        let path = Self.unescaped(page[start.upperBound...].prefix { $0 != "\"" })
        try await open(http.base + path)
    }

    private mutating func send(_ method: HTTPMethod, _ url: String, body: [UInt8]?) async throws {
        var (method, url, body) = (method, url, body)
        for _ in 0..<Self.redirectsMax {
            var headers: [(String, String)] = []
            // Cookies are of the server alone.
            if url.hasPrefix(http.base + "/"), !cookies.isEmpty {
                headers.append(("Cookie", cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")))
            }
            if body != nil { headers.append(("Content-Type", "application/x-www-form-urlencoded")) }
            let reply = try await http.send(method, url, headers: headers, body: body).expect(200, 303)
            for field in reply.headers[canonicalForm: "set-cookie"] {
                let parts = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 || field.contains("Max-Age=0"), let name = parts.first else { continue }
                cookies[String(name)] = field.contains("Max-Age=0") ? nil : String(parts[1])
            }
            guard reply.status == 303 else {
                page = String(decoding: reply.body, as: UTF8.self)
                address = url
                return
            }
            let location = try DemoFailure.unwrap(reply.header("Location"), "\(url) leads nowhere")
            (method, body) = (.GET, nil)
            url = location.hasPrefix("/") ? http.base + location : location
        }
        throw DemoFailure("\(url): more than \(Self.redirectsMax) redirects")
    }

    /// What the fields of a page hold and would be sent: hidden ones, and boxes that are ticked.
    private static func inputs(of page: String) -> [(String, String)] {
        page.ranges(of: "<input ").compactMap { range in
            let tag = page[range.upperBound...].prefix { $0 != ">" }
            func value(_ name: String) -> String? {
                tag.firstRange(of: "\(name)=\"").map { unescaped(tag[$0.upperBound...].prefix { $0 != "\"" }) }
            }
            let type = value("type")
            guard let name = value("name"), type == "hidden" || (type == "checkbox" && tag.contains(" checked")) else {
                return nil
            }
            return (name, value("value") ?? "")
        }
    }

    private static func unescaped(_ text: some StringProtocol) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")].reduce(String(text)) {
            $0.replacing($1.0, with: $1.1)
        }
    }
}
