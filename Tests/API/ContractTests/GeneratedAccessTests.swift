import FHIRModel
import HTTPSupport
import HTTPTypes
import SQLStore
import TestSupport
import Testing

/// Who may see patient a is told the same whether patient b is there or not: by every answer, its total, its pages and what
/// is read for it. FHIR R4 compartmentdefinition.html; SMART 2.2 §Scopes for requesting FHIR Resources; house decision 5.
@Suite(.serialized) struct GeneratedAccessTests {
    private static let asks = 150

    @Test(
        "Generated requests of every kind: the answers of a world with another patient are those of one without",
        arguments: ServedRoutes.databases)
    func noOther(_ kind: SQLDialect) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let items = PatientWorld.items(&random)
        var maker = AccessAskMaker(items, random)
        try await PatientWorld.with(kind, items, isWhole: true) { whole in
            try await PatientWorld.with(kind, items, isWhole: false) { own in
                var found = 0
                for _ in 0..<Self.asks {
                    let ask = maker.next()
                    for caller in PatientWorld.callers.keys.sorted() {
                        let note = "seed \(seed), \(caller): \(ask)"
                        let told = try await told(whole, ask, caller)
                        #expect(try await told == self.told(own, ask, caller), "\(note)")
                        for canary in PatientWorld.canaries {
                            // What was asked with may be answered with.
                            let asked = ask.target.contains(canary) || ask.body.contains(canary)
                            #expect(asked || !told.contains { $0.contains(canary) }, "\(note) tells \(canary)")
                        }
                        if told.first?.hasPrefix("200") == true { found += 1 }
                        #expect(!told.contains { $0.hasPrefix("500") }, "\(note)")
                    }
                }
                #expect(found > Self.asks, "seed \(seed): most that is asked has no answer")
                for item in items {
                    let ask = AccessAsk(target: "/fhir/\(item.type)/\(item.id)")
                    let status = try await whole.send(ask, as: "app").status
                    let expected = item.owners.contains("a") ? [200] : [403, 404]
                    #expect(expected.contains(status), "seed \(seed): \(ask)")
                }
            }
        }
    }

    /// An answer and those behind it by its links, in a form that can be compared.
    private func told(_ world: PatientWorld, _ ask: AccessAsk, _ caller: String) async throws -> [String] {
        var answer = try await world.send(ask, as: caller)
        var told = [Self.text(answer)]
        while let next = Self.next(answer), told.count < 60 {
            answer = try await world.send(AccessAsk(target: next), as: caller)
            told.append(Self.text(answer))
        }
        return told
    }

    /// The path of the further page.
    private static func next(_ answer: CollectedResponse) -> String? {
        guard let document = try? JSONDocument(parsing: answer.body) else { return nil }
        let link = JSONValue(document)["link"]?.array?.first { $0["relation"]?.string == "next" }
        guard let url = link?["url"]?.string, url.hasPrefix(PatientWorld.base) else { return nil }
        return String(url.dropFirst(PatientWorld.base.count))
    }

    private static func text(_ answer: CollectedResponse) -> String {
        var head = "\(answer.status)"
        for name in [HTTPField.Name.contentType, .eTag, .location, .contentLocation, .warning] {
            var value = answer.headers[name] ?? "-"
            // The tag of an image is of the file in which it lies, whose name is another in each store.
            if name == .eTag, value != "-", value.wholeMatch(of: /W\/"[0-9]+"/) == nil { value = "tag" }
            head += " " + value
        }
        guard answer.headers[.contentType]?.contains("json") == true,
            let document = try? JSONDocument(parsing: answer.body)
        else { return head + " " + answer.body.map { String($0, radix: 16) }.joined(separator: " ") }
        return head + " " + text(JSONValue(document))
    }

    /// Members that say when something was written, or that hold the token of a page.
    private static let passing: Set<String> = ["lastUpdated", "timestamp", "lastModified"]

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return "\(flag)"
        case .number(let text): return text
        case .string(let text): return "\"" + (text.contains("_page=") ? withoutToken(text) : text) + "\""
        case .array(let elements):
            // What is included has no order.
            let isIncluded = elements.map { $0["search"]?["mode"]?.string == "include" }
            let texts = elements.map { text($0) }
            let matches = zip(texts, isIncluded).filter { !$0.1 }.map(\.0)
            let included = zip(texts, isIncluded).filter(\.1).map(\.0).sorted()
            return "[" + (matches + included).joined(separator: ",") + "]"
        case .object(let members):
            let kept = members.members.filter { !passing.contains($0.name) }
            return "{" + kept.map { "\"\($0.name)\":\(text($0.value))" }.joined(separator: ",") + "}"
        }
    }

    private static func withoutToken(_ url: String) -> String {
        url.split(separator: "&").map { part in
            guard let mark = part.firstRange(of: "_page=") else { return String(part) }
            return part[..<mark.upperBound] + "TOKEN"
        }.joined(separator: "&")
    }

    // MARK: What is read

    /// With `:p` for a patient's letter, and `:n` for the number in the patient's UIDs.
    private static let reads = [
        "/fhir/Observation/o-:p", "/fhir/Patient/:p", "/fhir/Observation/o-:p/_history/1",
        "/fhir/Observation/o-:p/_history/2", "/fhir/Observation/o-:p/_history", "/fhir/Patient/:p/_history?_count=1",
        "/fhir/Observation?_id=o-:p", "/fhir/Patient?_id=:p", "/fhir/Observation?patient=Patient/:p",
        "/fhir/Observation?patient=:p&_total=accurate", "/fhir/Observation?subject=Patient/:p&_sort=-date&_count=2",
        "/fhir/Observation?subject:Patient.identifier=urn:example:patient%7CN:p",
        "/fhir/Observation?has-member=Observation/o-:p",
        "/fhir/Observation?_id=o-:p&_include=Observation:subject&_revinclude=Procedure:reason-reference",
        "/fhir/Patient?identifier=urn:example:patient%7CN:p&_revinclude=Observation:subject",
        "/fhir/Patient?_id=:p&_has:Observation:subject:status=final", "/fhir/Observation?_id=o-:p&_summary=count",
        "/dicomweb/studies?StudyInstanceUID=1.2.826.0.:n", "/dicomweb/studies?PatientID=N:p",
        "/dicomweb/studies/1.2.826.0.:n/series", "/dicomweb/studies/1.2.826.0.:n/metadata",
        "/dicomweb/studies/1.2.826.0.:n/series/1.2.826.0.:n.1/instances/1.2.826.0.:n.1.1/frames/1",
        "/dicomweb/studies/1.2.826.0.:n/series/1.2.826.0.:n.1/instances/1.2.826.0.:n.1.1/rendered",
    ]

    private static func observation(_ patient: String, _ status: String) -> PatientWorld.Item {
        .init(
            type: "Observation", id: "o-" + patient, owners: [patient],
            json: #"{"resourceType":"Observation","id":"o-\#(patient)","status":"\#(status)","code":{"text":"x"},"#
                + #""subject":{"reference":"Patient/\#(patient)"}}"#)
    }

    @Test(
        "For another's id the same statements are run, with as many rows, as for an id that nobody has",
        arguments: ServedRoutes.databases)
    func timing(_ kind: SQLDialect) async throws {
        var random = SeededGenerator(seed: 1)
        let items =
            PatientWorld.items(&random).filter { $0.type == "Patient" }
            + ["a", "b"].flatMap { [Self.observation($0, "preliminary"), Self.observation($0, "final")] }
        let log = ReadLog()
        try await PatientWorld.with(
            kind, items, isWhole: true, configure: { $0.beforeReaders = { LoggedConnection($0, log) } }
        ) { world in
            for caller in PatientWorld.callers.keys.sorted() {
                for read in Self.reads {
                    func entries(_ patient: String) async throws -> (read: [ReadLog.Entry], status: Int) {
                        let target = read.replacing(":p", with: patient)
                            .replacing(":n", with: RouteAccessTests.number(patient))
                        _ = log.take()
                        let status = try await world.send(AccessAsk(target: target), as: caller).status
                        return (log.take(), status)
                    }
                    // What is learned once, and kept, is learned before.
                    _ = try await entries("a")
                    let (unknown, own, other) = try await (entries("x"), entries("a"), entries("b"))
                    #expect(other.read == unknown.read, "\(kind) \(caller): \(read)")
                    #expect(other.status == unknown.status, "\(kind) \(caller): \(read)")
                    // What was read before may be in memory for who may see it.
                    #expect(
                        own.status == 200 || !own.read.isEmpty,
                        "\(kind) \(caller): \(read) reads nothing that is seen here")
                }
            }
        }
    }

    @Test(
        "CWE-208: for another's id that was deleted as many statements are run as for an id that nobody has",
        arguments: ServedRoutes.databases)
    func deleted(_ kind: SQLDialect) async throws {
        var random = SeededGenerator(seed: 1)
        let items =
            PatientWorld.items(&random).filter { $0.type == "Patient" }
            + ["a", "b"].flatMap { [Self.observation($0, "preliminary"), Self.observation($0, "final")] }
        let log = ReadLog()
        try await PatientWorld.with(
            kind, items, isWhole: true, configure: { $0.beforeReaders = { LoggedConnection($0, log) } }
        ) { world in
            for patient in ["a", "b"] {
                var removal = AccessAsk(target: "/fhir/Observation/o-" + patient)
                removal.method = .delete
                #expect(try await [200, 204].contains(world.send(removal, as: "server").status))
            }
            for caller in PatientWorld.callers.keys.sorted() {
                for rest in ["", "/_history/1", "/_history/3", "/_history"] {
                    func read(_ patient: String) async throws -> (statements: Int, status: Int) {
                        _ = log.take()
                        let ask = AccessAsk(target: "/fhir/Observation/o-" + patient + rest)
                        let status = try await world.send(ask, as: caller).status
                        return (log.take().count, status)
                    }
                    _ = try await read("b")
                    let (unknown, own, other) = try await (read("x"), read("a"), read("b"))
                    #expect(other.statements == unknown.statements, "\(kind) \(caller): \(rest)")
                    #expect(other.status == unknown.status && unknown.statements > 0, "\(kind) \(caller): \(rest)")
                    #expect(own.status != unknown.status, "\(kind) \(caller): \(rest)")
                }
            }
        }
    }
}
