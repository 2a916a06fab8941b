import Access
import FHIRModel
import Testing

@testable import FHIRResources

/// Rows as audit messages and as events for another server. PS3.15 §A.5; IHE ITI-20.
@Suite("What audit repositories are fed with")
struct AuditMessageTests {
    private static func xml(_ record: AuditRecord) -> String {
        String(decoding: AuditEventTests.event(record).auditMessage, as: UTF8.self)
    }

    /// The names of elements in order, each closed where it must be. Throws for what is not well formed, as far as this
    /// looks: no text outside of elements, no bare `<` or `&`, quotes in pairs.
    private static func elements(_ text: String) throws -> [String] {
        var open: [String] = []
        var found: [String] = []
        var rest = try #require(text.split(separator: "?>", maxSplits: 1).last)
        while let start = rest.firstIndex(of: "<") {
            let end = try #require(rest[start...].firstIndex(of: ">"))
            let inner = rest[rest.index(after: start)..<end]
            #expect(!inner.dropFirst().contains("<"))
            #expect(inner.count(where: { $0 == "\"" }) % 2 == 0)
            if inner.hasPrefix("/") {
                #expect(open.popLast() == String(inner.dropFirst()))
            } else {
                let name = String(inner.prefix { $0 != " " && $0 != "/" })
                found.append(name)
                if !inner.hasSuffix("/") { open.append(name) }
            }
            rest = rest[rest.index(after: end)...]
        }
        #expect(open == [] && rest.isEmpty)
        return found
    }

    @Test("A.5.1: event, participants, source and objects in their order, for every kind of row")
    func order() throws {
        for (category, interaction, action) in [
            (AuditRecord.Category.rest, "read", AuditRecord.Action.read), (.query, "search-type", .execute),
            (.query, "C-FIND", .execute), (.transfer, "store", .create), (.message, "ADT^A04", .execute),
            (.authentication, "token", .execute), (.security, "peer add", .update), (.application, "start", .execute),
            (.export, "$export", .execute),
        ] {
            let text = Self.xml(
                AuditEventTests.record(
                    category, interaction, action, entity: "instance:1.2.3 study:1.2", patient: "p1",
                    query: "a=b&c=<d>",
                    detail: "x < y & \"z\""))
            let names = try Self.elements(text)
            #expect(names.first == "AuditMessage")
            let order = [
                "EventIdentification", "ActiveParticipant", "AuditSourceIdentification",
                "ParticipantObjectIdentification",
            ]
            let places = names.compactMap { order.firstIndex(of: $0) }
            #expect(places == places.sorted() && Set(places).count == 4, "\(interaction)")
            #expect(names.count(where: { $0 == "EventID" }) == 1)
            #expect(names.count(where: { $0 == "AuditSourceIdentification" }) == 1)
            #expect(text.contains("x &lt; y &amp; &quot;z&quot;"))
            #expect(text.contains("EventDateTime=\"2023-11-14T22:13:20"))
            #expect(
                text.contains(
                    "ParticipantObjectID=\"p1\" ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\""))
        }
    }

    @Test("PS3.16 CID 400: the event's code; a RESTful search is a Query, what is of a patient a Patient Record")
    func codes() {
        for (record, code, type) in [
            (AuditEventTests.record(.query, "search-type", .execute, query: "x=y"), "110112", "search-type"),
            (AuditEventTests.record(.rest, "read", patient: "p1"), "110110", "read"),
            (AuditEventTests.record(.rest, "read"), "rest", "read"),
            (AuditEventTests.record(.transfer, "store", .create), "110104", "store"),
            (AuditEventTests.record(.application, "start", .execute), "110100", "110120"),
            (AuditEventTests.record(.security, "break-glass", .execute, patient: "p1"), "110113", "110127"),
        ] {
            let text = Self.xml(record)
            #expect(text.contains("<EventID csd-code=\"\(code)\""), "\(text)")
            #expect(text.contains("<EventTypeCode csd-code=\"\(type)\""), "\(text)")
        }
        #expect(AuditEventTests.event(AuditEventTests.record(.rest, "read", .read, .minorFailure)).isFailure)
        #expect(!AuditEventTests.event(AuditEventTests.record()).isFailure)
    }

    @Test("A study goes by its UID, a patient by the number, a query in Base64; no character that XML may not hold")
    func objects() throws {
        let study = Self.xml(AuditEventTests.record(.transfer, "retrieve", entity: "study:1.2.840", patient: "p1"))
        #expect(study.contains("ParticipantObjectID=\"1.2.840\""))
        #expect(study.contains("csd-code=\"110180\" codeSystemName=\"DCM\" originalText=\"Study Instance UID\""))
        #expect(study.contains("csd-code=\"2\" codeSystemName=\"RFC-3881\" originalText=\"Patient Number\""))
        let series = Self.xml(AuditEventTests.record(.transfer, "instances", entity: "study:1.2.840 series:1.2.9"))
        #expect(series.contains("ParticipantObjectID=\"1.2.840\""))
        #expect(series.contains("<ParticipantObjectName>series:1.2.9</ParticipantObjectName>"))
        let query = Self.xml(AuditEventTests.record(.query, "C-FIND", .execute, entity: "study", query: "a=b"))
        #expect(query.contains("<ParticipantObjectQuery>c3R1ZHk/YT1i</ParticipantObjectQuery>"))
        let odd = Self.xml(
            AuditEventTests.record(entity: "a\u{0}b\u{1B}<c>'\u{FFFE}", detail: "\u{7F}é\u{10FFFF}"))
        _ = try Self.elements(odd)
        #expect(odd.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0.value != 0xFFFE })
        #expect(odd.contains("&lt;c&gt;") && odd.contains("é"))
    }

    @Test("A.5.2.2: who comes by an outside server is named as it names them, beside its name and the client's")
    func outsiders() {
        let text = Self.xml(
            AuditEventTests.record(by: Principal(kind: .person, id: "https://ehr.test/auth|auth0%7C7|viewer")))
        let names = text.split(separator: "<ActiveParticipant ").dropFirst().map { $0.prefix { $0 != ">" } }
        #expect(names.count == 3)
        #expect(
            names.first?.hasPrefix("UserID=\"auth0|7\" AlternativeUserID=\"https://ehr.test/auth\"") == true, "\(names)"
        )
        #expect(
            names.dropFirst().first?.hasPrefix("UserID=\"viewer\" AlternativeUserID=\"https://ehr.test/auth\"") == true)
        #expect(names.first?.contains("UserIsRequestor=\"true\"") == true)
        #expect(names.dropFirst().first?.contains("UserIsRequestor=\"false\"") == true)
    }

    @Test("ITI-20: for another server an event has no id, its place here as source, and references that lead here")
    func elsewhere() throws {
        let event = AuditEventTests.event(
            AuditEventTests.record(.rest, "read", entity: "Observation/o1", patient: "p1"))
        let json = JSONValue(try JSONDocument(parsing: event.toldElsewhere))
        #expect(json["id"] == nil && json["meta"]?["versionId"] == nil)
        #expect(json["meta"]?["source"]?.string == AuditEventTests.base + "/AuditEvent/trail-7")
        #expect(json["meta"]?["profile"]?[0]?.string?.hasSuffix("PatientRead") == true)
        let references = json["entity"]?.array?.compactMap { $0["what"]?["reference"]?.string }
        #expect(references == [AuditEventTests.base + "/Observation/o1", AuditEventTests.base + "/Patient/p1"])
    }

    @Test("Of a row of several patients each sees themselves alone; who sees the trail sees all")
    func several() {
        var record = AuditEventTests.record(.transfer, "retrieve", entity: "study:1.2")
        record.name(patients: ["p1", "p2"])
        let row = AuditRow(number: 7, time: 1, record: record)
        let whole = AuditEvent(row, base: AuditEventTests.base, shape: .whole)
        #expect(whole.patients == ["p1", "p2"])
        let own = AuditEvent(row, base: AuditEventTests.base, shape: .ofPatient, shown: ["p2"])
        #expect(own.patients == ["p2"])
        #expect(!String(decoding: own.resource.bytes, as: UTF8.self).contains("Patient/p1"))
    }
}
