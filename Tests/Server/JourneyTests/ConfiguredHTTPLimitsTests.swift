import DICOMData
import FHIRModel
import NIOHTTP1
import Testing

extension JourneyTests {
    /// `limits` of `hilum.yaml` at the doors for applications: each is lowered, met, and passed by one.
    @Suite(
        .server(limits: [
            "http-header-bytes": 4096, "http-header-fields": 20, "http-target-bytes": 1000,
            "http-query-parameters": 10, "http-body-bytes": 20_000, "json-depth": 10, "json-tokens": 100,
            "json-string-bytes": 1024, "json-number-bytes": 18, "bundle-entries": 2,
            "bundle-answer-bytes": 1800, "search-page-entries": 3,
            "search-values": 3, "search-chain-depth": 1, "search-has-depth": 1, "search-includes": 2,
            "search-included-entries": 2, "search-include-rounds": 1, "object-bytes": 4000, "stow-part-bytes": 6000,
            "stow-parts": 3, "dicom-depth": 2, "dicom-deflate-ratio": 1032, "dicom-elements": 100,
            "dicom-header-bytes": 1600,
        ]), .serialized)
    struct ConfiguredHTTPLimitsTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private func get(_ target: String, fields: [String] = []) async throws -> Int {
            let lines = ["GET \(target) HTTP/1.1", "Host: x"] + fields
            return try await Wire.http(context.server, lines.joined(separator: "\r\n") + "\r\n\r\n").status
        }

        /// The status of a create, with the issue code of a refusal.
        private func create(_ json: String, type: String = "Patient") async throws -> (status: Int, issue: String?) {
            let reply = try await context.fhir(.POST, "/\(type)", json)
            return (reply.status, reply.issue)
        }

        @Test("RFC 9110 §5.4, RFC 6585 §5: header bytes and fields at the limit are taken, one more is 431")
        func headers() async throws {
            // Each field counts its name, its value and 4 bytes; Host is part of the target.
            func large(_ count: Int) -> [String] { ["X-L: " + String(repeating: "a", count: count - 3 - 4)] }
            #expect(try await get("/fhir/metadata", fields: large(4096)) == 200)
            #expect(try await get("/fhir/metadata", fields: large(4097)) == 431)
            func many(_ count: Int) -> [String] { (0..<count).map { "X-\($0): a" } }
            #expect(try await get("/fhir/metadata", fields: many(20)) == 200)
            #expect(try await get("/fhir/metadata", fields: many(21)) == 431)
        }

        @Test("RFC 9110 §15.5.15: a target at the limit is looked up, one byte more is 414")
        func target() async throws {
            func target(_ count: Int) -> String { "/x?" + String(repeating: "a", count: count - 3) }
            #expect(try await get(target(1000)) == 404)
            #expect(try await get(target(1001)) == 414)
        }

        @Test("Query parameters at the limit are taken, one more is 400: QIDO-RS, search by GET and by POST")
        func parameters() async throws {
            func query(_ part: String, _ count: Int) -> String {
                (0..<count).map { _ in part }.joined(separator: "&")
            }
            for (count, status) in [(10, 200), (11, 400)] {
                let found = try await context.web.send(
                    .GET, "/dicomweb/studies?" + query("limit=1", count), token: context.token)
                #expect(found.status == status)
                #expect(try await context.fhir(.GET, "/Patient?" + query("_id=a", count)).status == status)
                let form = try await context.web.send(
                    .POST, "/fhir/Patient/_search", token: context.token,
                    headers: [("Content-Type", "application/x-www-form-urlencoded")],
                    body: Array(query("_id=a", count).utf8))
                #expect(form.status == status, "\(form.text)")
            }
        }

        @Test("A body at the limit is taken, one byte more is 413")
        func body() async throws {
            let bare = Samples.patient("B").utf8.count
            #expect(try await create(Samples.patient("B", padding: 20_000 - bare)).status == 201)
            #expect(try await create(Samples.patient("B", padding: 20_001 - bare)).status == 413)
        }

        @Test("JSON depth, tokens, a string's and a number's bytes at the limit are taken, one more is 400")
        func json() async throws {
            #expect(try await create(Samples.nested(4, "\"valueCoding\":{\"code\":\"a\"}")).status == 201)
            #expect(try await create(Samples.nested(5, "\"valueBoolean\":true")).status == 400)
            // Object, two names, a type; an array, an object, a name, an array; then the given names.
            func names(_ count: Int) -> String {
                "{\"resourceType\":\"Patient\",\"name\":[{\"given\":["
                    + (0..<count).map { _ in "\"a\"" }.joined(separator: ",") + "]}]}"
            }
            #expect(try await create(names(92)).status == 201)
            #expect(try await create(names(93)).status == 400)
            #expect(try await create(Samples.patient("S", family: String(repeating: "f", count: 1024))).status == 201)
            #expect(try await create(Samples.patient("S", family: String(repeating: "f", count: 1025))).status == 400)
            func decimal(_ text: String) -> String {
                "{\"resourceType\":\"Patient\",\"extension\":[{\"url\":\"urn:x\",\"valueDecimal\":\(text)}]}"
            }
            #expect(try await create(decimal("1.0000000000000000")).status == 201)
            #expect(try await create(decimal("1.00000000000000000")).status == 400)
        }

        @Test("A Bundle with as many entries as may be is stored, one more is 413 too-costly")
        func bundle() async throws {
            func bundle(_ count: Int) -> String {
                "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
                    + (0..<count).map { "{\"fullUrl\":\"urn:\($0)\"}" }.joined(separator: ",") + "]}"
            }
            #expect(try await create(bundle(2), type: "Bundle").status == 201)
            let past = try await create(bundle(3), type: "Bundle")
            #expect(past.status == 413)
            #expect(past.issue == "too-costly")
        }

        @Test("The answers to a batch or transaction end at the limit: 413 too-costly")
        func bundleAnswers() async throws {
            let patient = Samples.patient("A", id: "answer", family: String(repeating: "f", count: 1000))
            #expect(try await context.fhir(.PUT, "/Patient/answer", patient).status == 201)
            let read = "{\"request\":{\"method\":\"GET\",\"url\":\"Patient/answer\"}}"
            func send(_ type: String, _ count: Int) async throws -> WebClient.Reply {
                let reads = Array(repeating: read, count: count).joined(separator: ",")
                return try await context.fhir(
                    .POST, "", "{\"resourceType\":\"Bundle\",\"type\":\"\(type)\",\"entry\":[\(reads)]}")
            }
            #expect(try await send("transaction", 1).status == 200)
            let past = try await send("transaction", 2)
            #expect(past.status == 413)
            #expect(past.issue == "too-costly")
            let entries = try await send("batch", 2).json()["entry"]?.array ?? []
            let statuses = entries.compactMap { $0["response"]?["status"]?.string?.prefix(3) }
            #expect(statuses.sorted() == ["200", "413"])
        }

        @Test("FHIR R4 search.html: values, chains, _has and includes at the limit are searched, one more is 400")
        func searchShape() async throws {
            let chained = ["Observation?subject:Patient.name=x", "DiagnosticReport?result.subject:Patient.name=x"]
            let has = "_has:Observation:patient:"
            let reverse = ["Patient?\(has)code=x", "Patient?\(has)_has:DiagnosticReport:result:status=final"]
            let include = "_include=Observation:subject"
            for (atLimit, past) in [
                ("Patient?_id=a,b,c", "Patient?_id=a,b,c,d"), (chained[0], chained[1]), (reverse[0], reverse[1]),
                (
                    "Observation?\(include)&_include=Observation:encounter",
                    "Observation?\(include)&_include=Observation:encounter&_include=Observation:device"
                ),
            ] {
                let found = try await context.fhir(.GET, "/" + atLimit)
                #expect(found.status == 200, "\(atLimit): \(found.text)")
                let refused = try await context.fhir(.GET, "/" + past)
                #expect(refused.status == 400, "\(past): \(refused.text)")
                #expect(refused.issue == "too-costly", "\(past): \(refused.text)")
            }
        }

        @Test("A page and what is included in it end at the limit; the rest of a page is behind its link")
        func searchSize() async throws {
            for number in 1...4 {
                let patient = Samples.patient("L\(number)", id: "l\(number)", family: "LIMIT")
                #expect(try await context.fhir(.PUT, "/Patient/l\(number)", patient).status == 201)
                guard number < 4 else { continue }
                let observation = """
                    {"resourceType":"Observation","id":"o\(number)","status":"final","code":{"text":"limit"},\
                    "subject":{"reference":"Patient/l\(number)"}}
                    """
                #expect(try await context.fhir(.PUT, "/Observation/o\(number)", observation).status == 201)
            }
            let page = try await context.fhir(.GET, "/Patient?family=LIMIT&_count=100").json()
            #expect(page["entry"]?.array?.count == 3)
            #expect(page["link"]?.array?.contains { $0["relation"]?.string == "next" } == true)
            let list = """
                {"resourceType":"DiagnosticReport","id":"r1","status":"final","code":{"text":"limit"},\
                "result":[{"reference":"Observation/o1"}]}
                """
            #expect(try await context.fhir(.PUT, "/DiagnosticReport/r1", list).status == 201)
            func modes(_ query: String) async throws -> [String: Int] {
                let entries = try await context.fhir(.GET, query).json()["entry"]?.array ?? []
                return entries.reduce(into: [:]) { $0[$1["search"]?["mode"]?.string ?? "", default: 0] += 1 }
            }
            #expect(
                try await modes("/Observation?_id=o1,o2&_include=Observation:subject") == ["match": 2, "include": 2])
            // One more is left out, and said to be.
            #expect(
                try await modes("/Observation?_id=o1,o2,o3&_include=Observation:subject")
                    == ["match": 3, "include": 2, "outcome": 1])
            // Of the report's observation, not of the observation's patient: that is the second round.
            #expect(
                try await modes(
                    "/DiagnosticReport?_id=r1&_include=DiagnosticReport:result&_include:iterate=Observation:subject")
                    == ["match": 1, "include": 1])
        }

        @Test("PS3.18 §10.5: an object, a part and the parts at the limit are stored, one past it is refused")
        func stow() async throws {
            let bare = try Samples.file(study: "1.2.50", instance: "1.2.50.1", pixelBytes: 2000).count - 2000
            func file(_ bytes: Int, _ instance: String) throws -> [UInt8] {
                // Ten rows of 16-bit pixels: the length changes by 20, the rest is made up by the study's UID.
                try Samples.file(study: "1.2.50", instance: instance, pixelBytes: bytes - bare)
            }
            let atLimit = try file(4000, "1.2.50.1")
            #expect(atLimit.count == 4000)
            #expect(try await context.stow([atLimit]).status == 200)
            let past = try await context.stow([file(4002, "1.2.50.2")])
            #expect(past.status == 409, "\(past.text)")
            #expect(past.text.contains("42752"), "A700: \(past.text)")
            #expect(try await context.stow([[UInt8](repeating: 7, count: 6000)]).status == 409)
            #expect(try await context.stow([[UInt8](repeating: 7, count: 6001)]).status == 413)
            let parts = try (3...6).map { try file(2600, "1.2.50.\($0)") }
            #expect(try await context.stow(Array(parts.prefix(3))).status == 200)
            #expect(try await context.stow(parts).status == 413)
            #expect(try await context.visible(study: "1.2.50") == 4)
            #expect(try await context.allDoorsServe())
        }

        @Test("PS3.5 §A.5: what a raised deflate ratio lets in comes out again, inflated for who asks for that")
        func deflated() async throws {
            var set = DataSet()
            set.set(.sopClassUID, string: Samples.ctImageStorage)
            set.set(.sopInstanceUID, string: "1.2.52.1.1")
            set.set(.studyInstanceUID, string: "1.2.52")
            set.set(.seriesInstanceUID, string: "1.2.52.1")
            set[.pixelData] = DataElement(.pixelData, .OW, bytes: [UInt8](repeating: 0, count: 3 << 20))
            let file = try Part10File(dataSet: set, transferSyntax: .deflatedExplicitVRLittleEndian).encode()
            #expect((3 << 20) / file.count > 100)
            let stored = try await context.stow([file])
            #expect(stored.status == 200, "\(stored.text)")
            let path = "/dicomweb/studies/1.2.52/series/1.2.52.1/instances/1.2.52.1.1"
            let inflated = try await context.web.send(
                .GET, path, token: context.token, headers: [("Accept", "application/dicom")])
            #expect(inflated.status == 200, "\(inflated.text)")
            #expect(try Part10File.decode(inflated.body).dataSet[.pixelData]?.bytes?.count == 3 << 20)
        }

        @Test("PS3.5 §7.5: sequences, elements and header bytes at the limit are read, one more is refused")
        func dataSets() async throws {
            func expect(
                _ status: Int, of instance: String, from location: SourceLocation = #_sourceLocation,
                _ change: (inout DataSet) -> Void
            ) async throws {
                let reply = try await context.stow([Samples.file(study: "1.2.51", instance: instance, change)])
                #expect(reply.status == status, "\(instance): \(reply.text)", sourceLocation: location)
            }
            func nested(_ levels: Int) -> DataSet {
                var set = DataSet()
                set.set(.studyDescription, string: "deep")
                for _ in 0..<levels {
                    var outer = DataSet()
                    outer.set(.requestAttributesSequence, items: [set])
                    set = outer
                }
                return set
            }
            try await expect(200, of: "1.2.51.1") { $0.merge(nested(2)) }
            try await expect(409, of: "1.2.51.2") { $0.merge(nested(3)) }
            let elements = try Samples.elements(study: "1.2.51", instance: "1.2.51.3")
            func many(_ count: Int) -> (inout DataSet) -> Void {
                { set in
                    for number in 0..<(count - elements - 1) {
                        set.setPrivate(group: 0x11, creator: "LIMIT", element: UInt8(number), .LO, bytes: [])
                    }
                }
            }
            try await expect(200, of: "1.2.51.3", many(100))
            try await expect(409, of: "1.2.51.4", many(101))
            // Without the pixels, their header of 12 bytes and the meta information.
            let meta = try Samples.meta(instance: "1.2.51.1600").count
            let bare = try Samples.file(study: "1.2.51", instance: "1.2.51.1600") { _ in }.count - meta - 12 - 20
            for (count, status) in [(1600, 200), (1602, 409)] {
                let text = [UInt8](repeating: 65, count: count - bare - 8)
                try await expect(status, of: "1.2.51.\(count)") { $0.set(.imageComments, .LT, bytes: text) }
            }
            #expect(try await context.allDoorsServe())
        }
    }

    /// How long the HTTP door waits.
    @Suite(
        .server(limits: [
            "http-first-request-seconds": 3, "http-idle-seconds": 8, "http-body-grace-seconds": 3,
            "http-body-bytes-per-second": 1000,
        ]), .serialized)
    struct ConfiguredHTTPTimesTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        @Test(
            "A connection without a request, one without a further one and a body that is too slow are ended in their time"
        )
        func times() async throws {
            let clock = ContinuousClock()
            func seconds(_ send: @Sendable (inout Wire) async throws -> Void) async throws -> Double {
                let begin = clock.now
                try await Wire.connect(port: context.server.httpPort) { wire in
                    try await send(&wire)
                    while await wire.more() {}
                }
                let time = clock.now - begin
                return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
            }
            let silent = try await seconds { try await $0.send(Array("GET /fhir".utf8)) }
            #expect((2.9..<9).contains(silent), "\(silent) s")
            let idle = try await seconds {
                try await $0.send(Array("GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            }
            #expect((7.9..<60).contains(idle), "\(idle) s")
            // 2999 bytes are too few for the first three seconds; 3000 are enough for them, and none too few for the next.
            let token = context.token
            for (count, range) in [(2999, 2.9..<5.9), (3000, 5.9..<25.0)] {
                let head =
                    "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Type: application/fhir+json\r\nContent-Length: 9000\r\n\r\n"
                let slow = try await seconds { wire in
                    try await wire.send(Array(head.utf8) + [UInt8](repeating: 32, count: count))
                }
                #expect(range.contains(slow), "\(count): \(slow) s")
            }
            #expect(try await context.allDoorsServe())
        }
    }
}
