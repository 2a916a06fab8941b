import Access
import HTTPSupport
import HTTPTypes
import Synchronization
import Testing
import Workflow

@testable import OpsAPI

/// The pages for operators: rights, audit rows, forms of others, hostile names, paging. CWE-79, CWE-352, CWE-862.
struct OperationsPagesTests {
    /// Every page with something in the place of its parameters.
    private static func pages(_ fixture: OperationsFixture) -> [String] {
        fixture.group.routes.filter { $0.method == .get }.map {
            $0.template.replacing("{study}", with: "1.2").replacing("{id}", with: "m1")
        }
    }

    private static let evil = "<script>alert('x')</script>\"&\u{202E}"

    @Test("CWE-862: every page and form is an operator's alone, and whoever else asks is told of nothing")
    func rights() async throws {
        let fixture = try OperationsFixture(series: [OperationsFixture.series(name: "Secret^Name")])
        fixture.journal.all.withLock { $0 = [OperationsFixture.message(1)] }
        let pages = Self.pages(fixture)
        #expect(pages.count == 16)
        for page in pages {
            let nobody = try await fixture.get(page + "?patient=P-1", as: nil)
            #expect(nobody.status == 303, "\(page)")
            // What was searched for is not told on.
            #expect(nobody[.location] == "/sign-in?return=" + PercentCoding.encoded(page), "\(page)")
            let other = try await fixture.get(page, as: "anna")
            #expect(other.status == 403, "\(page)")
            #expect(!other.text.contains("Secret") && !other.text.contains("C1"), "\(page)")
        }
        let forms = fixture.group.routes.filter { $0.method == .post }.map {
            $0.template.replacing("{study}", with: "1.2").replacing("{number}", with: "7")
        }
        #expect(forms.count == 8)
        for form in forms {
            #expect(try await fixture.post(form, ["reason": "r", "sure": "yes"], as: nil).status == 303, "\(form)")
            #expect(try await fixture.post(form, ["reason": "r", "sure": "yes"], as: "anna").status == 403, "\(form)")
        }
        #expect(fixture.journal.asked.withLock { $0.isEmpty } && fixture.rows.asked.withLock { $0.isEmpty })
        #expect(fixture.outbox.ordered.withLock { $0.isEmpty } && fixture.quarantine.requests.withLock { $0.isEmpty })
        #expect(fixture.refusals == [String?](repeating: "not-operator", count: pages.count + forms.count))
    }

    @Test("Every page is in the audit trail before it is shown, by the operator's name, and is closed without it")
    func audit() async throws {
        let fixture = try OperationsFixture(series: [OperationsFixture.series(name: "Secret^Name")])
        fixture.journal.all.withLock { $0 = [OperationsFixture.message(1)] }
        for page in Self.pages(fixture) {
            let before = fixture.interactions.count
            let answer = try await fixture.get(page)
            #expect(answer.status == 200, "\(page)")
            #expect(fixture.interactions.count == before + 1, "\(page)")
            #expect(answer[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
            #expect(answer[.cacheControl] == "no-store")
            #expect(!answer.text.contains("<script") && !answer.text.contains("style="), "\(page)")
        }
        let last = try #require(fixture.trail.records.withLock { $0.last })
        #expect(last.principal.kind == .person && last.principal.id == "olga" && last.sourceAddress == "192.0.2.7")
        fixture.trail.isFull.withLock { $0 = true }
        for page in Self.pages(fixture) {
            let answer = try await fixture.get(page)
            #expect(answer.status == 503, "\(page)")
            #expect(!answer.text.contains("Secret") && !answer.text.contains("C1"), "\(page)")
        }
    }

    @Test("CWE-79: what other systems wrote is text on every page, and no message's or delivery's content is shown")
    func hostileNames() async throws {
        let fixture = try OperationsFixture(series: [OperationsFixture.series(name: Self.evil, aside: Self.evil)]) {
            $0.peers = { [Peer(kind: .applicationEntity, name: Self.evil)] }
            $0.fetches = { _, _, _ in
                [
                    ArchiveCopy(
                        of: Self.evil, at: Self.evil, expected: 0, now: UTCInstant(microseconds: 0))
                ]
            }
            $0.exports = { _ in
                [
                    ExportJob(
                        id: EntityID("unguessable"), ownerID: Self.evil, scopes: [], request: "/fhir/secret",
                        types: ["Patient"], since: nil, until: nil, snapshot: 0,
                        transactionTime: UTCInstant(microseconds: 0), state: .running, progress: 40,
                        createdAt: UTCInstant(microseconds: 0))
                ]
            }
            $0.imports = { _ in
                [
                    ImportJob(
                        id: EntityID("unguessable"), ownerID: Self.evil, scopes: [], origin: .client,
                        request: "/fhir/secret", key: "k", source: nil, types: ["Patient"], ids: .keep, inputs: 1,
                        createdAt: UTCInstant(microseconds: 0))
                ]
            }
            $0.authorities = { _ in
                [Self.evil].compactMap {
                    UnknownAuthority(namespace: $0, universalID: $0, universalIDType: $0)
                }
            }
            $0.commitments = { _, _ in
                [
                    CommitmentTransaction(
                        uid: "1", destination: Self.evil, peer: Self.evil, studyInstanceUID: "2", count: 1,
                        createdAt: UTCInstant(microseconds: 0))
                ]
            }
            $0.conflicts = { _, _ in
                [
                    InstanceConflict(
                        sopInstanceUID: "1", studyInstanceUID: "2", seriesInstanceUID: "3", outcome: .refused,
                        difference: Self.evil, peer: Self.evil, time: UTCInstant(microseconds: 0))
                ]
            }
        }
        fixture.journal.all.withLock { $0 = [OperationsFixture.message(1, controlID: Self.evil)] }
        let access = AccessContext(
            principal: Principal(kind: .client, id: Self.evil), scopes: [], requestID: "r", sourceAddress: Self.evil)
        fixture.rows.found.withLock {
            $0.rows = [
                AuditRow(
                    number: 1, time: 0,
                    record: AuditRecord(
                        category: .query, interaction: Self.evil, action: .execute, outcome: .success, access: access,
                        entity: Self.evil, query: Self.evil, detail: Self.evil))
            ]
        }
        let safe = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\u{FFFD}"
        for page in [
            "/quarantine", "/quarantine/1.2", "/messages", "/messages/m1", "/peers", "/fetches", "/exports",
            "/imports", "/conflicts", "/commitments", "/authorities", "/audit",
        ] {
            let text = try await fixture.get("/operations" + page).text
            #expect(text.contains(safe), "\(page)")
            #expect(!text.contains("<script") && !text.contains("\u{202E}"), "\(page)")
            #expect(!text.contains("PID|secret") && !text.contains("unguessable") && !text.contains("/fhir/secret"))
        }
        // What is typed into a field comes back as its value and no further.
        let echoed = try await fixture.get("/operations/messages?patient=%22%3E%3Cscript%3E").text
        #expect(echoed.contains("value=\"&quot;&gt;&lt;script&gt;\"") && !echoed.contains("<script"))
        let queues = try await fixture.get("/operations/queues").text
        #expect(queues.contains("410 &quot;Gone&quot;") && !queues.contains("secret"))
    }

    @Test("CWE-352: a form of another site, session or without its token changes nothing and is in the audit trail")
    func foreignForms() async throws {
        let fixture = try OperationsFixture(series: [OperationsFixture.series(name: "A^B")])
        for path in ["/operations/queues/7/replay", "/operations/quarantine/1.2/reject"] {
            #expect(try await fixture.post(path, ["reason": "r"], token: "").status == 403)
            #expect(try await fixture.post(path, ["reason": "r"], token: "token of anna").status == 403)
            #expect(try await fixture.post(path, ["reason": "r"], site: "cross-site").status == 403)
            #expect(try await fixture.post(path, ["reason": "r"], site: "same-site").status == 403)
        }
        #expect(
            fixture.refusals == [
                "csrf", "csrf", "cross-site", "cross-site", "csrf", "csrf", "cross-site", "cross-site",
            ])
        #expect(fixture.outbox.ordered.withLock { $0.isEmpty } && fixture.quarantine.requests.withLock { $0.isEmpty })
    }

    @Test("What is parked is replayed and given up as by the JSON routes; all of a destination only with a tick")
    func queues() async throws {
        let fixture = try OperationsFixture()
        let page = try await fixture.get("/operations/queues?state=parked")
        for part in [
            "action=\"/operations/queues/7/replay\"", "action=\"/operations/queues/7/discard\"",
            "name=\"csrf\" value=\"token of olga\"", "subscription/1", "/ops/outbox",
        ] { #expect(page.text.contains(part), "\(part)") }
        #expect(
            fixture.outbox.asked.withLock { $0 } == [OutboxQuery(state: .parked, limit: ListPage.size + 1)])

        let replayed = try await fixture.post("/operations/queues/7/replay", ["state": "parked"])
        #expect(replayed.status == 303 && replayed[.location] == "/operations/queues?state=parked")
        #expect(try await fixture.post("/operations/queues/7/discard").status == 303)
        #expect(try await fixture.post("/operations/queues/404/discard").status == 404)
        #expect(try await fixture.post("/operations/queues/x/discard").status == 404)
        #expect(try await fixture.post("/operations/queues/replay").status == 400)
        #expect(try await fixture.post("/operations/queues/discard", ["destination": "a b"]).status == 400)
        #expect(try await fixture.post("/operations/queues/replay", ["destination": "a b"]).status == 303)
        #expect(
            try await fixture.post("/operations/queues/discard", ["destination": "a b", "sure": "yes"]).status == 303)
        #expect(
            fixture.outbox.ordered.withLock { $0 } == [
                "replay entry(7)", "discard entry(7)", "discard entry(404)", "replay parked(destination: \"a b\")",
                "discard parked(destination: \"a b\")",
            ])
        #expect(try await fixture.get("/operations/queues?state=lost").status == 400)
    }

    @Test("S4: a study's page shows what the images say; each decision reaches the desk, and a refusal says what to do")
    func decisions() async throws {
        let fixture = try OperationsFixture(series: [OperationsFixture.series(name: "A^B", aside: "1.2.3.9")])
        let page = try await fixture.get("/operations/quarantine/1.2").text
        for part in [
            "A^B", "P-1 (urn:mrn)", "The accession number names no order.", "<option value=\"1.2.3 1.2.3.9\">",
            "formaction=\"/operations/quarantine/1.2/reject\"", "formaction=\"/operations/quarantine/1.2/undo\"",
            "action=\"/operations/quarantine/1.2/relink\"",
        ] { #expect(page.contains(part), "\(part)") }
        #expect(try await fixture.get("/operations/quarantine/9.9").status == 404)

        let path = "/operations/quarantine/1.2/"
        let accepted = try await fixture.post(path + "accept", ["of": "", "reason": "asked the ward"])
        #expect(accepted.status == 303 && accepted[.location] == "/operations/quarantine/1.2")
        #expect(try await fixture.post(path + "reject", ["of": "1.2.3 1.2.3.9", "reason": "r"]).status == 303)
        #expect(try await fixture.post(path + "undo", ["of": "1.2.3", "reason": "r"]).status == 303)
        #expect(try await fixture.post(path + "relink", ["order": "urn:acc|A1", "reason": "r"]).status == 303)
        let neither = try await fixture.post(path + "relink", ["reason": "r"])
        #expect(neither.status == 400 && neither.text.contains("Give either an order or a patient."))
        let asked = fixture.quarantine.requests.withLock { $0 }
        #expect(
            asked == [
                QuarantineRequest(.accept, studyInstanceUID: "1.2", reason: "asked the ward"),
                QuarantineRequest(
                    .reject, studyInstanceUID: "1.2", seriesInstanceUID: "1.2.3", sopInstanceUID: "1.2.3.9",
                    reason: "r"),
                QuarantineRequest(.undo, studyInstanceUID: "1.2", seriesInstanceUID: "1.2.3", reason: "r"),
                QuarantineRequest(
                    .relink(.order(.number(system: "urn:acc", value: "A1"))), studyInstanceUID: "1.2", reason: "r"),
            ])

        fixture.quarantine.refusal.withLock { $0 = .notDecided }
        let refused = try await fixture.post(path + "undo", ["reason": "r"])
        #expect(refused.status == 409)
        #expect(refused.text.contains("there is no decision to undo") && refused.text.contains("role=\"alert\""))
        fixture.quarantine.refusal.withLock { $0 = .unknown }
        #expect(try await fixture.post(path + "undo", ["reason": "r"]).status == 404)
    }

    @Test("Lists are paged, keep what they are narrowed to, and ask for no more than they show and one")
    func paging() async throws {
        let fixture = try OperationsFixture()
        fixture.journal.all.withLock { $0 = (1...120).map { OperationsFixture.message($0) } }
        func rows(_ text: String) -> Int { text.split(separator: "/operations/messages/m").count - 1 }
        let first = try await fixture.get("/operations/messages?sender=RIS%7CEAST&patient=&since=1970-01-01").text
        #expect(rows(first) == 50)
        #expect(first.contains("href=\"/operations/messages?sender=RIS%7CEAST&amp;since=1970-01-01&amp;page=2\""))
        let third = try await fixture.get("/operations/messages?page=3").text
        #expect(rows(third) == 20 && !third.contains("page=4"))
        let asked = fixture.journal.asked.withLock { $0 }
        #expect(asked.map(\.limit) == [51, 151])
        #expect(asked[0].patient == nil && asked[0].sender == "RIS|EAST")
        for bad in ["page=0", "page=20", "page=x", "disposition=lost", "since=soon"] {
            #expect(try await fixture.get("/operations/messages?" + bad).status == 400, "\(bad)")
        }
        fixture.journal.all.withLock { $0 = [] }
        #expect(try await fixture.get("/operations/messages").text.contains("Nothing is found by this."))
        #expect(try await fixture.get("/operations/quarantine").text.contains("No series is in this state."))
        #expect(try await fixture.get("/operations/peers").text.contains("No peer is set up"))
    }

    @Test(
        "The trail is searched by patient, person, interaction and time, and further back from the last row looked at")
    func auditSearch() async throws {
        let fixture = try OperationsFixture()
        fixture.rows.found.withLock { $0.next = 17 }
        let page = try await fixture.get(
            "/operations/audit?patient=p1&who=CT1&interaction=C-STORE&since=1970-01-02&until=&before=99")
        var wanted = AuditQuery(limit: 50)
        (wanted.patientID, wanted.principal, wanted.interaction) = ("p1", "CT1", "C-STORE")
        (wanted.since, wanted.before) = (86_400_000_000, 99)
        #expect(fixture.rows.asked.withLock { $0 } == [wanted])
        #expect(
            page.text.contains(
                "?patient=p1&amp;who=CT1&amp;interaction=C-STORE&amp;since=1970-01-02&amp;before=17\""))
        #expect(try await fixture.get("/operations/audit?before=0").status == 400)
        // The search itself is a row that names whose rows were looked for.
        #expect(fixture.trail.records.withLock { $0.first?.entity } == "Patient/p1")
    }

    @Test("The first page says what fails and what to do, and how long each certificate lasts")
    func overview() async throws {
        let fixture = try OperationsFixture(series: [OperationsFixture.series(name: "Secret^Name")]) {
            $0.doors = {
                [
                    .init(place: "http", kind: "http", address: "127.0.0.1:8443", tls: "required", daysLeft: 12),
                    .init(
                        place: "mllp", kind: "mllp", address: "127.0.0.1:2575", tls: "required", daysLeft: -1,
                        isRefused: true),
                ]
            }
            $0.storage = {
                var figures = StorageFigures()
                figures.freeBytes = 20 << 30
                figures.isOwn = false
                return figures
            }
        }
        let fine = try await fixture.get("/operations").text
        #expect(!fine.contains("fails: the server is not ready") && !fine.contains("Secret"))
        for part in [
            "Days until it ends: 12", "has ended: put a new one", "What lies in its files now is not used",
            "href=\"/operations/quarantine\"",
        ] { #expect(fine.contains(part), "\(part)") }
        fixture.isBroken.turnOn()
        let broken = try await fixture.get("/operations").text
        for part in ["fails: the server is not ready", "A door does not accept", "is limited", "look at the queues"] {
            #expect(broken.contains(part), "\(part)")
        }
        let storage = try await fixture.get("/operations/storage").text
        for part in ["20.0 GiB", "is not known to be this database&#39;s", "not known"] {
            #expect(storage.contains(part), "\(part)")
        }
    }

    @Test("An authority that no profile names is told with its names, where its identifiers are, and what to do")
    func authorities() async throws {
        let named = try #require(
            UnknownAuthority(namespace: "WARD", universalID: "1.2.3", universalIDType: "ISO"))
        let fixture = try OperationsFixture { $0.authorities = { _ in [named] } }
        let page = try await fixture.get("/operations/authorities").text
        for part in ["WARD", "1.2.3", "ISO", "urn:oid:1.2.3", "identifiers.authorities"] {
            #expect(page.contains(part), "\(part)")
        }
        #expect(try await fixture.get("/operations").text.contains("href=\"/operations/authorities\""))
        let none = try OperationsFixture()
        #expect(try await none.get("/operations/authorities").text.contains("is in the site profile."))
    }

    @Test("Each peer is told with when it was last let in, of its own kind")
    func contacts() async throws {
        let fixture = try OperationsFixture {
            $0.peers = { [Peer(kind: .applicationEntity, name: "CT1"), Peer(kind: .messageSender, name: "CT1")] }
        }
        let text = try await fixture.get("/operations/peers").text
        #expect(text.split(separator: "1970-01-01 00:01").count == 2)
        #expect(text.split(separator: "not in the newest 20,000 rows").count == 2)
        #expect(text.contains("href=\"/operations/audit?who=CT1\""))
    }

    @Test("Sizes have one digit behind the point and a unit of 1024")
    func sizes() {
        #expect(
            [-1, 0, 1023, 1024, 1536, 20 << 30].map { ByteCount.text($0) }
                == ["0 B", "0 B", "1023 B", "1.0 KiB", "1.5 KiB", "20.0 GiB"])
        #expect(ByteCount.text(.max) == "8192.0 PiB")
    }
}
