import Access
import FHIRModel
import HTTPSupport
import HTTPTypes
import SQLStore
import Testing

@testable import FHIRAPI

/// Resources as pages: who is shown what, audit rows, hostile names, and that programs notice nothing of them. CWE-79,
/// CWE-862; FHIR R4 http.html#mime-type.
@Suite("FHIR pages")
struct FHIRPagesTests {
    /// Three people by their cookies.
    struct Sessions: PersonSessions {
        func person(cookies: String?) async throws -> SignedInPerson? {
            let roles: [String: SignedInPerson.Role] = ["anna": .administrator, "pat": .patient, "olga": .operator]
            guard let cookies, let role = roles[cookies] else { return nil }
            return SignedInPerson(
                accountID: cookies, role: role, displayName: cookies, fhirUser: nil,
                patientIDs: role == .patient ? ["a"] : [], sessionID: "s", signedInAt: 0)
        }
        func signInPath(returningTo path: String) -> String { "/sign-in?return=" + PercentCoding.encoded(path) }
        func csrfToken(of person: SignedInPerson) -> String { "" }
        func isCSRFToken(_ token: String, of person: SignedInPerson) -> Bool { false }
    }

    private struct Tokens: TokenVerifying {
        func accessContext(bearerToken: String, requestID: String, sourceAddress: String?) async throws
            -> AccessContext?
        { bearerToken == "good" ? FHIRServer.access("system/*.cruds") : nil }
    }

    struct Site {
        let server: FHIRServer
        let responder: APIResponder

        init(_ server: FHIRServer, hasPages: Bool = true, countingTime: Int64 = 600_000_000) throws {
            self.server = server
            responder = APIResponder(
                table: try RouteTable([
                    FHIRRoutes(
                        service: server.service, blobs: server.blobs,
                        pages: hasPages ? FHIRPages(sessions: Sessions(), countingTime: countingTime) : nil
                    ).group
                ]),
                authenticator: BearerAuthenticator(tokens: Tokens(), audit: server.store, realm: "fhir"),
                newRequestID: { "r" })
        }

        /// As a browser asks.
        func page(
            _ target: String, as name: String? = "anna", method: HTTPRequest.Method = .get
        ) async throws -> CollectedResponse {
            var headers: HTTPFields = [.accept: FHIRPagesTests.browser]
            if let name { headers[.cookie] = name }
            return try await responder.answer(method, target, headers: headers, sourceAddress: "192.0.2.7")
        }

        func rows() async throws -> [JSONValue] {
            try await server.store.database.read { connection in
                try AuditChain.rows(after: 0, limit: 1000, connection).map {
                    JSONValue(try JSONDocument(parsing: $0.record))
                }
            }
        }
    }

    static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    private static let evil = #"<script>alert('x')</script>\"&"#
    private static let everything = [
        "/fhir", "/fhir/Patient", "/fhir/Patient?_include=*&gender=female", "/fhir/Patient/a",
        "/fhir/Patient/a/_history",
        "/fhir/Patient/a/_history/1", "/fhir/Patient/a/_history/2?_compare=1", "/fhir/Patient/_history",
        "/fhir/_history", "/fhir/Observation?_include=Observation:subject", "/fhir/Observation/o-a", "/fhir/AuditEvent",
    ]

    private static func fill(_ server: FHIRServer) async {
        for patient in ["a", "b"] {
            for family in ["First", "CANARY\(patient.uppercased())" + evil] {
                let answer = await server.send(
                    .put, "Patient/\(patient)",
                    body: """
                        {"resourceType":"Patient","gender":"female","id":"\(patient)","text":{"status":"generated",\
                        "div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><b>told of \(patient)</b></div>"},\
                        "name":[{"family":"\(family)"}],"birthDate":"1970-01"}
                        """)
                #expect([200, 201].contains(answer.status))
            }
            let answer = await server.send(
                .put, "Observation/o-\(patient)",
                body: """
                    {"resourceType":"Observation","id":"o-\(patient)","subject":{"display":"\(evil)",\
                    "reference":"Patient/\(patient)"},"code":{"text":"CANARY\(patient.uppercased())"},"status":"final"}
                    """)
            #expect(answer.status == 201)
        }
    }

    private static func filled(_ body: (Site) async throws -> Void) async throws {
        try await FHIRServer.with { (server) async throws in
            await fill(server)
            try await body(try Site(server))
        }
    }

    @Test("Nobody signed in: led to the sign-in and back, without what was searched for; programs are told 401 as ever")
    func signedOut() async throws {
        try await Self.filled { site in
            for target in Self.everything {
                let answer = try await site.page(target, as: nil)
                #expect(answer.status == 303, "\(target)")
                let path = String(target.prefix { $0 != "?" })
                #expect(answer[.location] == "/sign-in?return=" + PercentCoding.encoded(path), "\(target)")
            }
            for accept in ["application/fhir+json", "*/*", "application/fhir+json, text/html"] {
                let answer = try await site.responder.answer(
                    .get, "/fhir/Patient/a", headers: [.accept: accept, .cookie: "anna"])
                #expect(answer.status == 401 && answer[.wwwAuthenticate] != nil, "\(accept)")
            }
            let changed = try await site.responder.answer(
                .delete, "/fhir/Patient/a", headers: [.accept: Self.browser, .cookie: "anna"])
            #expect(changed.status == 401)
            let metadata = try await site.page("/fhir/metadata", as: nil)
            #expect(metadata.status == 200 && metadata.text.contains("/fhir/ImagingStudy\""))
        }
    }

    @Test("CWE-79: what others wrote is text on every page; nothing inline, no script, no frame of another site")
    func hostile() async throws {
        try await Self.filled { site in
            for target in Self.everything + ["/fhir/Patient?name=" + PercentCoding.encoded("<script>\"&1")] {
                let answer = try await site.page(target)
                #expect(answer.status == 200, "\(target): \(answer.text)")
                #expect(answer[.contentType] == "text/html; charset=utf-8")
                #expect(!answer.text.contains("<script") && !answer.text.contains("style="), "\(target)")
                let policy = answer[.contentSecurityPolicy] ?? ""
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "\(target)")
                #expect(!policy.contains("unsafe") && !policy.contains("script-src"), "\(target)")
                #expect(answer[.cacheControl] == "no-store")
            }
            let page = try await site.page("/fhir/Patient/a")
            #expect(page.text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"))
            #expect(page.text.contains("<iframe sandbox=\"\""))
            #expect(page.text.contains("srcdoc=\"&lt;!DOCTYPE html&gt;"))
            #expect(page.text.contains("1970-01") && page.text.contains("Birth date"))
        }
    }

    @Test("CWE-862: a patient sees their own alone, and another's page is that of an unknown id")
    func otherPatients() async throws {
        try await Self.filled { site in
            for target in Self.everything {
                let answer = try await site.page(target, as: "pat")
                #expect(!answer.text.contains("CANARYB") && !answer.text.contains("told of b"), "\(target)")
                #expect(!answer.text.contains("Patient/b"), "\(target)")
            }
            #expect(try await site.page("/fhir/Patient", as: "pat").text.contains("CANARYA"))
            for target in ["/fhir/Patient/", "/fhir/Observation/o-"] {
                for tail in ["", "/_history", "/_history/1"] {
                    let other = try await site.page(target + "b" + tail, as: "pat")
                    let unknown = try await site.page(target + "x" + tail, as: "pat")
                    #expect(other.status == 404 && unknown.status == 404, "\(target)\(tail)")
                    #expect(other.body == unknown.body, "\(target)\(tail)")
                }
            }
            let compared = try await site.page("/fhir/Patient/a/_history/2?_compare=9", as: "pat")
            #expect(compared.status == 404)
            for target in Self.everything {
                let answer = try await site.page(target, as: "olga")
                #expect(answer.status == 403, "\(target): an operator sees nobody's record")
                #expect(!answer.text.contains("CANARY"))
            }
        }
    }

    @Test("Each view leaves the rows of the searches and reads that a program would have asked, by the person's name")
    func audit() async throws {
        try await Self.filled { site in
            for (target, wanted) in [
                ("/fhir/Patient/a", ["read", "search-type"]), ("/fhir/Patient/a/_history/1", ["vread"]),
                ("/fhir/Patient/a/_history/2?_compare=1", ["vread", "vread"]),
                ("/fhir/Patient/a/_history", ["history-instance"]), ("/fhir/Patient/_history", ["history-type"]),
                ("/fhir/Patient?gender=female&name=", ["search-type"]), ("/fhir", ["history-system", "search-type"]),
                ("/fhir/metadata", []),
            ] {
                let before = try await site.rows().count
                #expect(try await site.page(target).status == 200, "\(target)")
                let rows = try await site.rows().dropFirst(before)
                #expect(rows.compactMap { $0["interaction"]?.string } == wanted, "\(target)")
                #expect(rows.allSatisfy { $0["principal"]?.string == "anna" }, "\(target)")
            }
            let before = try await site.rows().count
            #expect(try await site.page("/fhir/Patient/b", as: "pat").status == 404)
            let refused = try await site.rows().dropFirst(before)
            #expect(refused.compactMap { $0["entity"]?.string } == ["Patient/b"])
        }
    }

    @Test("Programs get what they got: the same bytes and fields, and 405 at the base")
    func programs() async throws {
        try await Self.filled { site in
            let plain = try Site(site.server, hasPages: false)
            for target in [
                "/fhir", "/fhir/Patient/a", "/fhir/Patient/a/_history/1", "/fhir/Patient/x", "/fhir/metadata",
                "/fhir/Patient/a?_pretty=true", "/fhir/Patient?bad-date=1&_total=accurate&birthdate=x",
            ] {
                for accept in [nil, "*/*", "application/fhir+json", Self.browser, "text/html"] {
                    var headers: HTTPFields = [.authorization: "Bearer good", .cookie: "anna"]
                    if let accept { headers[.accept] = accept }
                    let with = try await site.responder.answer(.get, target, headers: headers)
                    let without = try await plain.responder.answer(.get, target, headers: headers)
                    #expect(with.status == without.status, "\(target) \(accept ?? "-")")
                    #expect(with.body == without.body && with.headers == without.headers, "\(target) \(accept ?? "-")")
                }
            }
            let base = try await site.responder.answer(.get, "/fhir")
            #expect(base.status == 405 && base[.allow] == "POST")
            let head = try await site.page("/fhir/Patient/a", method: .head)
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test("The form of a search shows each condition that was asked, two of one name as well, and folds the rest away")
    func form() async throws {
        try await Self.filled { site in
            let empty = try await site.page("/fhir/Patient")
            #expect(empty.text.contains("<details open>") && !empty.text.contains("id=\"asked-0\""))
            let asked = try await site.page(
                "/fhir/Patient?birthdate=ge1960&birthdate=le1980&name:exact=" + PercentCoding.encoded("\"><b>")
                    + "&_sort=_id&_page=")
            #expect(asked.status == 200, "\(asked.text)")
            for (index, name, value) in [
                (0, "birthdate", "ge1960"), (1, "birthdate", "le1980"), (2, "name:exact", "&quot;&gt;&lt;b&gt;"),
                (3, "_sort", "_id"),
            ] {
                #expect(asked.text.contains("id=\"asked-\(index)\" name=\"\(name)\""), "\(name)")
                #expect(asked.text.contains("value=\"\(value)\""), "\(name)")
            }
            // What is asked for is not within what is folded away, and not asked for a second time by an empty field.
            let folded = try #require(asked.text.firstRange(of: "<details>"))
            #expect(!asked.text[folded.upperBound...].contains("name=\"birthdate\""))
            #expect(asked.text[folded.upperBound...].contains("name=\"gender\""))
            #expect(!asked.text.contains("<b>"))
        }
    }

    @Test("RFC 9110 §12.5.1: to a browser an error is a page on every path; to programs it stays an OperationOutcome")
    func errors() async throws {
        try await Self.filled { site in
            for (target, status) in [
                ("/fhir/Patient/a/%3Cscript%3E/x/y", 404), ("/fhir/Patient/a/$everything", 501),
                ("/fhir/Encounter/e/Observation", 501), ("/fhir/_export/none", 401), ("/fhir/Patient/b", 404),
                ("/fhir/Patient?birthdate=yesterday", 400), ("/fhir/Unknown", 404),
            ] {
                let page = try await site.page(target, as: "pat")
                #expect(page[.contentType] == "text/html; charset=utf-8", "\(target)")
                #expect(page.text.contains("<html lang=\"en\">"), "\(target)")
                #expect(page.text.contains("width=device-width") && !page.text.contains("<script"), "\(target)")
                #expect(page[.contentSecurityPolicy]?.contains("default-src 'none'") == true, "\(target)")
                #expect(page.status == status, "\(target)")
                let program = try await site.responder.answer(
                    .get, target, headers: [.accept: "application/fhir+json", .cookie: "pat"])
                #expect(program[.contentType]?.hasPrefix("application/fhir+json") == true, "\(target)")
            }
            let token = try await site.responder.answer(
                .get, "/fhir/$nothing", headers: [.accept: Self.browser, .authorization: "Bearer good"])
            #expect(token[.contentType]?.hasPrefix("application/fhir+json") == true)
            let changed = try await site.responder.answer(
                .delete, "/fhir/Patient/a", headers: [.accept: Self.browser, .cookie: "anna"])
            #expect(changed[.contentType]?.hasPrefix("application/fhir+json") == true)
        }
    }

    @Test("One page of a person counts at a time; one that does not shows links, and says not that there is nothing")
    func counting() async throws {
        let places = CountingPlaces()
        #expect(places.enter("a") && !places.enter("a") && places.enter("b"))
        places.leave("a")
        #expect(places.enter("a"))
        try await Self.filled { site in
            let uncounted = try Site(site.server, countingTime: 0)
            let page = try await uncounted.page("/fhir/Patient/a")
            #expect(page.status == 200)
            let counted = page.text.contains("href=\"/fhir/Observation?patient=Patient%2Fa\">")
            #expect(counted && !page.text.contains("Nothing that you may see refers to this."))
            let start = try await uncounted.page("/fhir")
            #expect(!start.text.contains("There is nothing yet that you may see."))
            // The place is given back.
            #expect(try await site.page("/fhir/Patient/a").text.contains("Patient%2Fa\">1</a>"))
            #expect(try await site.page("/fhir/Patient/a").text.contains("Patient%2Fa\">1</a>"))
        }
    }

    @Test("References lead on, what refers here is counted, a search brings its next page, and a wrong date says so")
    func content() async throws {
        try await Self.filled { site in
            let patient = try await site.page("/fhir/Patient/a")
            #expect(patient.text.contains("href=\"/fhir/Observation?patient=Patient%2Fa\">1</a>"))
            #expect(try await site.page("/fhir/Observation/o-a").text.contains("href=\"/fhir/Patient/a\""))
            let first = try await site.page("/fhir/Patient?_count=1&_sort=_id")
            let next = try #require(
                first.text.firstMatch(of: /href="([^"]*)" rel="next"/).map { String($0.output.1) })
            let second = try await site.page(next.replacing("&amp;", with: "&"))
            #expect(second.status == 200 && second.text.contains("CANARYB") && !second.text.contains("CANARYA"))
            let wrong = try await site.page("/fhir/Patient?birthdate=yesterday")
            #expect(wrong.status == 400 && wrong.text.contains("value=\"yesterday\"") && wrong.text.contains("<form"))
            let compared = try await site.page("/fhir/Patient/a/_history/2?_compare=1")
            #expect(compared.text.contains("name[0].family") && compared.text.contains("First"))
            #expect(
                try await site.page("/fhir/Observation?_include=Observation:subject").text.contains("Brought along"))
            #expect(try await site.page("/fhir/Unknown").status == 404)
            _ = await site.server.send(.delete, "Observation/o-b")
            let gone = try await site.page("/fhir/Observation/o-b")
            #expect(gone.status == 410 && gone.text.contains("href=\"/fhir/Observation/o-b/_history\""))
            #expect(try await site.page("/fhir/Observation/o-b/_history").text.contains("deleted"))
            // The deletion as a version leads to the same history, and what came behind it is compared with nothing.
            let version = try await site.page("/fhir/Observation/o-b/_history/2")
            #expect(version.status == 410 && version.text.contains("href=\"/fhir/Observation/o-b/_history\""))
            _ = await site.server.send(
                .put, "Observation/o-b",
                body: #"{"resourceType":"Observation","id":"o-b","code":{"text":"again"},"status":"final"}"#)
            let again = try await site.page("/fhir/Observation/o-b/_history/3?_compare=2")
            #expect(again.status == 200 && again.text.contains("again") && again.text.contains("(deleted)"))
        }
    }
}
