import Access
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import ViewerAPI

@Suite struct ViewerRoutesTests {
    @Test("Every module that a script imports and every file that the page names is served")
    func files() throws {
        var named: Set<String> = ["main.js", "viewer.css"]
        for (name, file) in ViewerAssets.files where name.hasSuffix(".js") {
            let text = String(decoding: file.bytes, as: UTF8.self)
            let imports = text.matches(of: /(?:from |new URL\()"\.\/([a-z]+\.js)"/).map { String($0.1) }
            named.formUnion(imports)
            #expect(!text.contains("from \"http"), "\(name) imports from elsewhere")
        }
        #expect(named == Set(ViewerAssets.files.keys))
        #expect(ViewerAssets.page.contains("{{assets}}/main.js"))
        #expect(ViewerAssets.page.contains("{{assets}}/viewer.css"))
    }

    @Test("CSP: the page has no script, style or handler within itself")
    func nothingInline() {
        #expect(ViewerAssets.page.firstMatch(of: /<script(?![^>]* src=)/) == nil)
        #expect(ViewerAssets.page.firstMatch(of: /<style/) == nil)
        #expect(ViewerAssets.page.firstMatch(of: /[ ](style|on[a-z]+)=/) == nil)
    }

    @Test("CSP: pages of the configured origins may hold it in a frame; what is no origin lets nobody in")
    func frames() async throws {
        func ancestors(_ origins: [String]) async throws -> Substring? {
            let routes = ViewerRoutes(fhirBaseURL: "https://hilum.test/fhir", frameOrigins: origins)
            let responder = APIResponder(
                table: try RouteTable([routes.group]),
                authenticator: BearerAuthenticator(tokens: NoTokens(), audit: NoTrail(), realm: "r"),
                newRequestID: { "r" })
            let page = try await responder.answer(.get, "/viewer")
            #expect(page.status == 200 && page[.cacheControl] == "no-store")
            // A window that a frame opened for the sign-in has to reach the frame: see record 0063.
            #expect(page[HTTPField.Name("Cross-Origin-Opener-Policy")!] == nil)
            return page[.contentSecurityPolicy]?.split(separator: "; ").last
        }
        #expect(try await ancestors([]) == "frame-ancestors 'self'")
        #expect(
            try await ancestors(["https://ehr.example", "*", "https://a.example; script-src *", "https://b.example/x"])
                == "frame-ancestors 'self' https://ehr.example")
    }

    @Test("CSP: workers are files of this server; a worker's own policy lets it import scripts and ask for nothing")
    func workers() async throws {
        let responder = APIResponder(
            table: try RouteTable([ViewerRoutes(fhirBaseURL: "https://hilum.test/fhir").group]),
            authenticator: BearerAuthenticator(tokens: NoTokens(), audit: NoTrail(), realm: "r"),
            newRequestID: { "r" })
        let page = try await responder.answer(.get, "/viewer")
        #expect(page[.contentSecurityPolicy]?.split(separator: "; ").contains("worker-src 'self'") == true)
        let files = "/viewer/\(ViewerAssets.version)/"
        let worker = try await responder.answer(.get, files + ViewerAssets.worker)
        #expect(worker.status == 200 && worker[.contentType] == "text/javascript; charset=utf-8")
        #expect(worker[.contentSecurityPolicy] == "default-src 'none'; script-src 'self'")
        let other = try await responder.answer(.get, files + "main.js")
        #expect(other.status == 200 && other[.contentSecurityPolicy] == nil)
        let text = String(decoding: ViewerAssets.files[ViewerAssets.worker]?.bytes ?? [], as: UTF8.self)
        #expect(!text.contains("fetch(") && !text.contains("token("))
    }

    @Test("What the scripts look for in the page is there")
    func elements() {
        let text = String(decoding: ViewerAssets.files["main.js"]?.bytes ?? [], as: UTF8.self)
        let looked = Set(text.matches(of: /find\("([a-z-]+)"\)/).map { String($0.1) })
        #expect(looked.count > 20)
        for name in looked { #expect(ViewerAssets.page.contains("id=\"\(name)\""), "\(name)") }
    }

    @Test("A version is told by the files")
    func version() { #expect(ViewerAssets.version.count == 16) }
}
