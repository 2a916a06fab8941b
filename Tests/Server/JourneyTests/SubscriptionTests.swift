import FHIRModel
import Foundation
import NIOHTTP1
import TestSupport
import Testing

extension JourneyTests {
    /// FHIR R4 subscription.html: rest-hook over real sockets, from the registration to the last retry.
    @Suite(.serialized) struct SubscriptionTests {
        private static func subscription(
            _ criteria: String, _ endpoint: String, payload: String? = "application/fhir+json",
            headers: [String] = [], more: String = ""
        ) -> String {
            let payload = payload.map { ",\"payload\":\"\($0)\"" } ?? ""
            let list = headers.map { "\"\($0)\"" }.joined(separator: ",")
            let header = headers.isEmpty ? "" : ",\"header\":[\(list)]"
            return """
                {"resourceType":"Subscription","status":"requested","reason":"a test","criteria":"\(criteria)",\
                "channel":{"type":"rest-hook","endpoint":"\(endpoint)"\(payload)\(header)}\(more)}
                """
        }

        private static func patient(_ family: String, active: Bool = true) -> String {
            "{\"resourceType\":\"Patient\",\"active\":\(active),\"name\":[{\"family\":\"\(family)\"}]}"
        }

        private static func put(_ context: ServerTrait.Context, _ id: String, _ family: String, active: Bool = true)
            async throws
        {
            let json =
                "{\"resourceType\":\"Patient\",\"id\":\"\(id)\",\"active\":\(active),"
                + "\"name\":[{\"family\":\"\(family)\"}]}"
            let reply = try await context.fhir(.PUT, "/Patient/\(id)", json)
            guard reply.status / 100 == 2 else { throw JourneyFailure("PUT Patient: \(reply.status) \(reply.text)") }
        }

        /// The id of a Subscription that was taken.
        private static func subscribe(_ context: ServerTrait.Context, _ json: String) async throws -> String {
            let reply = try await context.fhir(.POST, "/Subscription", json)
            guard reply.status == 201, let id = try reply.json()["id"]?.string else {
                throw JourneyFailure("POST Subscription: \(reply.status) \(reply.text)")
            }
            return id
        }

        private static func status(_ context: ServerTrait.Context, _ id: String) async throws -> (String, String?) {
            let json = try await context.fhir(.GET, "/Subscription/\(id)").json()
            return (json["status"]?.string ?? "", json["error"]?.string)
        }

        private static func wait(
            _ context: ServerTrait.Context, _ id: String, for wanted: String
        ) async throws -> String? {
            var seen: (status: String, error: String?) = ("", nil)
            try await waitUntil("Subscription/\(id) is \(wanted), not \(seen.status) (\(seen.error ?? ""))") {
                seen = try await status(context, id)
                return seen.status == wanted
            }
            return seen.error
        }

        /// The outbox is looked at every 15 s.
        private static func waitUntilDegraded(_ context: ServerTrait.Context) async throws {
            try await waitUntil("the outbox is degraded") {
                try await context.web.send(.GET, "/health/ready").text.contains("\"outbox\":\"degraded\"")
            }
        }

        @Test(
            "R4 subscription: a hook is called once to show that it is there, then for each version that matches, in order, with the resource and its header; its secret is read back by nobody"
        )
        func notified() async throws {
            let folder = try await ServerFolder.withHooks()
            defer { folder.remove() }
            try await HookServer.with { hook in
                try await folder.serve { context in
                    try await Self.put(context, "before", "Before")
                    let id = try await Self.subscribe(
                        context,
                        Self.subscription(
                            "Patient?active=true&name=Wanted", hook.url,
                            headers: ["Authorization: Bearer s3cret-s3cret"]))
                    #expect(try await Self.wait(context, id, for: "active") == nil)
                    let first = try #require(hook.calls.first)
                    #expect(first.method == "POST")
                    #expect(first.isHandshake)
                    #expect(first.body.isEmpty)
                    #expect(first.uri == "/hook")

                    try await Self.put(context, "p1", "Wanted")
                    try await Self.put(context, "p2", "Other")
                    try await Self.put(context, "p3", "Wanted", active: false)
                    // No notification when an update no longer meets the criteria, nor of a deletion.
                    try await Self.put(context, "p1", "Other")
                    try await Self.put(context, "p4", "Wanted-4")
                    _ = try await context.fhir(.DELETE, "/Patient/p4")
                    for number in 5..<15 { try await Self.put(context, "p5", "Wanted-\(number)") }
                    try await hook.wait("12 notifications") { $0.count >= 13 }
                    let told = hook.taken
                    let families = try told.map {
                        try JSONValue(JSONDocument(parsing: $0.body, limits: .stored))["name"]?[0]?["family"]?.string
                    }
                    #expect(families == ["Wanted", "Wanted-4"] + (5..<15).map { "Wanted-\($0)" })
                    #expect(Set(told.map(\.eventID)).count == 12)
                    for call in told {
                        #expect(call.headers["Authorization"] == ["Bearer s3cret-s3cret"])
                        #expect(call.headers.first(name: "Content-Type")?.hasPrefix("application/fhir+json") == true)
                        #expect(call.headers["Hilum-Subscription"] == ["Subscription/\(id)"])
                    }
                    let stored = try await context.fhir(.GET, "/Patient/p5/_history/1")
                    #expect(told[2].body == stored.body)

                    for path in ["/Subscription/\(id)", "/Subscription/\(id)/_history", "/Subscription"] {
                        let reply = try await context.fhir(.GET, path)
                        #expect(reply.status == 200)
                        #expect(reply.text.contains("Authorization: ********"))
                        #expect(!reply.text.contains("s3cret"))
                    }
                }
                let log = try String(contentsOfFile: folder.logFile, encoding: .utf8)
                #expect(!log.contains("s3cret"))
                #expect(!log.contains("Wanted"))
            }
        }

        @Test(
            "R4 subscription: what was read back and written again keeps its secret; another endpoint does not get it")
        func secrets() async throws {
            let folder = try await ServerFolder.withHooks()
            defer { folder.remove() }
            try await HookServer.with { hook in
                try await folder.serve { context in
                    let id = try await Self.subscribe(
                        context,
                        Self.subscription("Patient?name=A", hook.url, payload: nil, headers: ["X-Key: s3cret"]))
                    _ = try await Self.wait(context, id, for: "active")
                    var json = try await context.fhir(.GET, "/Subscription/\(id)").text
                    json = json.replacingOccurrences(of: "Patient?name=A", with: "Patient?name=B")
                    #expect(try await context.fhir(.PUT, "/Subscription/\(id)", json).status == 200)
                    _ = try await Self.wait(context, id, for: "active")
                    try await Self.put(context, "a", "A")
                    try await Self.put(context, "b", "B")
                    try await hook.wait("one notification") { calls in calls.contains { !$0.isHandshake } }
                    #expect(hook.taken.map(\.body) == [[]])
                    #expect(hook.calls.filter { $0.headers["X-Key"] != ["s3cret"] }.isEmpty)
                    let elsewhere = json.replacingOccurrences(of: "/hook", with: "/elsewhere")
                    let reply = try await context.fhir(.PUT, "/Subscription/\(id)", elsewhere)
                    #expect(reply.status == 422)
                    #expect(reply.text.contains("Subscription.channel.header[0]"))
                    // Another client may not change it, whatever its scopes.
                    let other = try SMARTClient(id: "other", scope: "system/*.cruds")
                    try await other.register(in: folder.path)
                    let foreign = try await context.web.send(
                        .PUT, "/fhir/Subscription/\(id)", token: other.token(from: context.web),
                        headers: [("Content-Type", "application/fhir+json")], body: Array(json.utf8))
                    #expect(foreign.status == 403)
                    // A patch is applied to what is read, and keeps what is not.
                    for status in ["off", "requested"] {
                        let patched = try await context.web.send(
                            .PATCH, "/fhir/Subscription/\(id)", token: context.token,
                            headers: [("Content-Type", "application/json-patch+json")],
                            body: Array("[{\"op\":\"replace\",\"path\":\"/status\",\"value\":\"\(status)\"}]".utf8))
                        #expect(patched.status == 200, "\(patched.text)")
                    }
                    _ = try await Self.wait(context, id, for: "active")
                    #expect(hook.calls.last?.headers["X-Key"] == ["s3cret"])
                    #expect(try await context.fhir(.DELETE, "/Subscription/\(id)").status / 100 == 2)
                    let count = hook.calls.count
                    try await Self.put(context, "b2", "B")
                    let second = try await Self.subscribe(
                        context, Self.subscription("Patient?name=C", hook.url, payload: nil))
                    _ = try await Self.wait(context, second, for: "active")
                    #expect(hook.calls.count == count + 1)
                }
            }
        }

        @Test("R4 subscription: what cannot be carried out is refused with its element, and nothing is kept of it")
        func refusals() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await folder.serve { context in
                let hook = "https://hook.example/x"
                func json(_ criteria: String, _ endpoint: String = hook, payload: String? = nil, headers: [String] = [])
                    -> String
                { Self.subscription(criteria, endpoint, payload: payload, headers: headers) }
                let long = String(repeating: "a", count: 100 << 10)
                let cases: [(String, String)] = [
                    (json("Patient?name=\(long)"), "Subscription.criteria"),
                    (json("Nothing?name=a"), "Subscription.criteria"),
                    (json("Patient?nothing=a"), "Subscription.criteria"),
                    (json("Patient?birthdate=never"), "Subscription.criteria"),
                    (json("Patient?name=a&_sort=name"), "Subscription.criteria"),
                    (json("Patient?_include=Patient:organization"), "Subscription.criteria"),
                    (json("Patient?name=%zz"), "Subscription.criteria"),
                    (json("Subscription?status=active"), "Subscription.criteria"),
                    (json("Patient?name=a", "http://hook.example/x"), "Subscription.channel.endpoint"),
                    (json("Patient?name=a", "https://127.0.0.1/x"), "Subscription.channel.endpoint"),
                    (json("Patient?name=a", "https://[::1]/x"), "Subscription.channel.endpoint"),
                    (json("Patient?name=a", "https://169.254.169.254/x"), "Subscription.channel.endpoint"),
                    (json("Patient?name=a", "https://u:p@hook.example/"), "Subscription.channel.endpoint"),
                    (json("Patient?name=a", payload: "application/fhir+xml"), "Subscription.channel.payload"),
                    (json("Patient?name=a", payload: "text/plain"), "Subscription.channel.payload"),
                    (json("Patient?name=a", headers: ["X-A: b\\r\\nX-C: d"]), "Subscription.channel.header[0]"),
                    (json("Patient?name=a", headers: ["X-A: b", "Host: c"]), "Subscription.channel.header[1]"),
                    (json("Patient?name=a", headers: ["X-A: b", "x-a: c"]), "Subscription.channel.header[1]"),
                    (
                        json("Patient?name=a", headers: Array(repeating: "X: y", count: 17)),
                        "Subscription.channel.header"
                    ),
                    (
                        json("Patient?name=a").replacingOccurrences(of: "rest-hook", with: "websocket"),
                        "Subscription.channel.type"
                    ),
                    (
                        json("Patient?name=a").replacingOccurrences(of: "rest-hook", with: "email"),
                        "Subscription.channel.type"
                    ),
                    (
                        Self.subscription("Patient?name=a", hook, more: ",\"end\":\"2020-01-01T00:00:00Z\""),
                        "Subscription.end"
                    ),
                ]
                for (body, element) in cases {
                    let reply = try await context.fhir(.POST, "/Subscription", body)
                    #expect(reply.status == 422, "\(body.prefix(300)): \(reply.status) \(reply.text)")
                    #expect(reply.text.contains("\"\(element)\""), "\(body.prefix(300)): \(reply.text)")
                    #expect(reply.text.utf8.count < 2_000)
                }
                #expect(try await context.fhir(.GET, "/Subscription").json()["total"]?.numberText == "0")
                // What leads to this machine only by its name is found out when it is called.
                let id = try await Self.subscribe(context, json("Patient?name=a", "https://localhost:1/x"))
                let error = try await Self.wait(context, id, for: "error")
                #expect(error?.contains("outbound.allow-networks") == true)
                // Who may not read what is watched may not watch it.
                let narrow = try SMARTClient(id: "narrow", scope: "system/Subscription.cruds system/Patient.rs")
                try await narrow.register(in: folder.path)
                let refused = try await context.web.send(
                    .POST, "/fhir/Subscription", token: narrow.token(from: context.web),
                    headers: [("Content-Type", "application/fhir+json")],
                    body: Array(json("Observation?code=1").utf8))
                #expect(refused.status == 403)
            }
        }

        @Test(
            "R4 subscription: a hook that fails is called again with the same id, and its error shows; a redirect is parked and not followed; then it goes on where it was"
        )
        func retries() async throws {
            let folder = try await ServerFolder.withHooks()
            defer { folder.remove() }
            try await HookServer.with { hook in
                try await folder.serve { context in
                    let id = try await Self.subscribe(context, Self.subscription("Patient?name=A", hook.url))
                    _ = try await Self.wait(context, id, for: "active")
                    hook.answer { _, number in number == 1 ? (500, []) : (200, []) }
                    try await Self.put(context, "a1", "A1")
                    try await hook.wait("a second attempt") { $0.count >= 3 }
                    #expect(hook.calls[1].eventID == hook.calls[2].eventID)
                    #expect(hook.calls.map(\.status) == [200, 500, 200])

                    hook.answer { _, _ in (302, [("Location", "https://127.0.0.1:1/")]) }
                    try await Self.put(context, "a2", "A2")
                    try await Self.put(context, "a3", "A3")
                    let error = try await Self.wait(context, id, for: "error")
                    #expect(error == "the endpoint answered 302; redirects are not followed")
                    let parked = try await context.web.send(.GET, "/ops/outbox?state=parked", token: context.token)
                    #expect(parked.status == 200)
                    #expect(try parked.json()["total"]?.numberText == "1")
                    #expect(!parked.text.contains("A2"))
                    try await Self.waitUntilDegraded(context)
                    let metrics = try await context.web.send(.GET, "/metrics", token: context.token)
                    #expect(
                        String(decoding: metrics.body, as: UTF8.self).contains(
                            "hilum_delivery_attempts_total{kind=\"rest-hook\""))

                    let before = hook.calls.count
                    hook.answer { _, _ in (204, []) }
                    var json = try await context.fhir(.GET, "/Subscription/\(id)").json()
                    json["status"] = "requested"
                    let text = String(decoding: JSONWriter.compact(json), as: UTF8.self)
                    #expect(try await context.fhir(.PUT, "/Subscription/\(id)", text).status == 200)
                    #expect(try await Self.wait(context, id, for: "active") == nil)
                    try await hook.wait("what waited") { calls in calls.dropFirst(before).count { !$0.isHandshake } >= 2
                    }
                    let bodies = hook.calls.dropFirst(before).filter { !$0.isHandshake }.map(\.text)
                    #expect(bodies.count == 2)
                    #expect(bodies.first?.contains("A2") == true)
                    #expect(bodies.last?.contains("A3") == true)
                }
            }
        }

        @Test("A revoked client is told nothing more, and its Subscription is off")
        func revoked() async throws {
            let folder = try await ServerFolder.withHooks()
            defer { folder.remove() }
            let other = try SMARTClient(id: "other", scope: "system/*.cruds")
            try await other.register(in: folder.path)
            try await HookServer.with { hook in
                try await folder.serve { context in
                    let mine = ServerTrait.Context(
                        server: context.server, web: context.web, token: try await other.token(from: context.web))
                    let id = try await Self.subscribe(mine, Self.subscription("Patient?name=A", hook.url))
                    _ = try await Self.wait(context, id, for: "active")
                    try await HilumProgram.must("client", "revoke", folder.path, "other")
                    try await Self.put(context, "a1", "A1")
                    let error = try await Self.wait(context, id, for: "off")
                    #expect(error == "the client that subscribed was revoked")
                    #expect(hook.calls.map(\.isHandshake) == [true])
                }
            }
        }

        @Test(
            "R15: killed at any point, the server tells everything that was committed, in order, at least once, with ids that tell repeats"
        )
        func killed() async throws {
            let folder = try await ServerFolder.withHooks()
            defer { folder.remove() }
            try await HookServer.with { hook in
                var id = ""
                var number = 0
                for round in 0..<4 {
                    let server = try await HilumServer.start(folder, isTLS: false)
                    (id, number) = try await WebClient.with(server) { [id, number] web in
                        let context = ServerTrait.Context(
                            server: server, web: web, token: try await folder.client.token(from: web))
                        var (id, number) = (id, number)
                        if round == 0 {
                            id = try await Self.subscribe(context, Self.subscription("Patient?name=K", hook.url))
                            _ = try await Self.wait(context, id, for: "active")
                        }
                        for _ in 0..<40 {
                            number += 1
                            try await Self.put(context, "k\(number % 7)", "K-\(number)-")
                        }
                        return (id, number)
                    }
                    // In the midst of it: whatever is on its way is.
                    await server.killAtOnce()
                }
                try await folder.serve { [number, id] context in
                    try await hook.wait("all that was committed") { calls in
                        calls.contains { $0.text.contains("K-\(number)-") }
                    }
                    _ = try await Self.wait(context, id, for: "active")
                }
                var seen: Set<String> = []
                let first = hook.taken.filter { seen.insert($0.eventID).inserted }
                let numbers = first.compactMap { call in
                    call.text.split(separator: "K-").dropFirst().first.flatMap { $0.split(separator: "-").first }
                        .flatMap { Int($0) }
                }
                #expect(numbers == Array(1...number))
                // A repeat is the same event with the same content.
                let byEvent = Dictionary(grouping: hook.taken, by: \.eventID)
                for calls in byEvent.values { #expect(Set(calls.map(\.text)).count == 1) }
            }
        }
    }
}
