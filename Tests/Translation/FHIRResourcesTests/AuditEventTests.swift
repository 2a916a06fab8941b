import Access
import Basics
import FHIRModel
import FHIRSearch
import Testing
import Workflow

@testable import FHIRResources

@Suite("AuditEvents of the rows of the audit trail")
struct AuditEventTests {
    static let base = "https://hilum.example/fhir"

    static func record(
        _ category: AuditRecord.Category = .rest, _ interaction: String = "read", _ action: AuditRecord.Action = .read,
        _ outcome: AuditRecord.Outcome = .success,
        by principal: Principal = Principal(kind: .client, id: "app"), address: String? = "192.0.2.7",
        entity: String? = nil, patient: String? = nil, query: String? = nil, detail: String? = nil
    ) -> AuditRecord {
        AuditRecord(
            category: category, interaction: interaction, action: action, outcome: outcome, principal: principal,
            sourceAddress: address, requestID: "req-1", tokenID: "jti-1", entity: entity, patientID: patient,
            query: query, detail: detail)
    }

    static func event(_ record: AuditRecord, _ shape: AuditEvent.Shape = .whole, number: Int64 = 7) -> AuditEvent {
        AuditEvent(
            AuditRow(number: number, time: 1_700_000_000_000_000, record: record), base: base, shape: shape)
    }

    private static let interactions: [(AuditRecord.Category, String, AuditRecord.Action)] = [
        (.rest, "read", .read), (.rest, "vread", .read), (.rest, "create", .create), (.rest, "update", .update),
        (.rest, "patch", .update), (.rest, "delete", .delete), (.rest, "get", .execute), (.rest, "put", .execute),
        (.rest, "history-instance", .read), (.query, "search-type", .execute), (.query, "C-FIND", .execute),
        (.query, "quarantine", .execute), (.transfer, "store", .create), (.transfer, "C-MOVE", .read),
        (.transfer, "forward", .read), (.export, "$export", .execute), (.export, "export-file", .read),
        (.export, "audit-export", .read), (.message, "ADT^A04", .execute), (.message, "ORU^R01", .execute),
        (.message, "OMI^O23", .execute), (.message, "N-SET", .update), (.message, "", .execute),
        (.authentication, "token", .execute), (.authentication, "sign-in", .execute),
        (.authentication, "sign-out", .execute), (.security, "client register", .create),
        (.security, "A-ASSOCIATE", .execute), (.security, "break-glass", .execute), (.application, "start", .execute),
        (.application, "stop", .execute),
        (.application, "retention", .delete),
    ]
    private static let principals = [
        Principal(kind: .client, id: "app"), Principal(kind: .person, id: "acc|app"),
        Principal(kind: .person, id: "acc"), Principal(kind: .person, id: "https://ehr.test/auth|u1|viewer"),
        Principal(kind: .client, id: "https://ehr.test/auth|viewer"),
        Principal(kind: .applicationEntity, id: "CT 1"), Principal(kind: .messageSender, id: "RIS|SITE"),
        Principal(kind: .operator, id: "root"), .server, .anonymous,
    ]

    @Test("R4 auditevent.html: every kind of row, by everybody, in both shapes, is a valid resource")
    func everyKind() throws {
        let validator = StructureValidator()
        for (category, interaction, action) in Self.interactions {
            for principal in Self.principals {
                for (entity, query, detail) in [
                    (nil, nil, nil), ("Patient/p1", nil, "12 instances"), ("Observation/o1/_history/3", nil, nil),
                    ("instance:1.2.3 study:1.2", nil, nil), ("message:4711", nil, "a\u{1}b"), ("export:e1/0", "", nil),
                    ("Patient", "name=x&_page=secret", nil), ("../etc\u{7}", nil, "403"),
                ] as [(String?, String?, String?)] {
                    for shape in [AuditEvent.Shape.whole, .ofPatient] {
                        for outcome in [AuditRecord.Outcome.success, .minorFailure] {
                            let event = Self.event(
                                Self.record(
                                    category, interaction, action, outcome, by: principal, entity: entity,
                                    patient: entity == nil ? nil : "p1", query: query, detail: detail), shape)
                            let resource = try Resource(event.json)
                            let wrong = validator.issues(in: resource).filter {
                                $0.severity == .error || $0.severity == .fatal
                            }
                            #expect(wrong.isEmpty, "\(category) \(interaction) \(principal.kind) \(wrong)")
                            Self.checkElements(event.json, "\(category) \(interaction) \(principal.kind)")
                        }
                    }
                }
            }
        }
    }

    @Test("BALP §OAuth: who comes by an outside server is named by what it calls them, and never as one known here")
    func outsiders() {
        func agents(_ kind: Principal.Kind, _ id: String) -> [String] {
            Self.event(Self.record(by: Principal(kind: kind, id: id))).agents.dropLast().map {
                "\($0.identifierSystem ?? "-") \($0.identifierValue)"
            }
        }
        #expect(
            agents(.person, "https://ehr.test/auth|u1|viewer") == [
                "https://ehr.test/auth u1", "https://ehr.test/auth viewer",
            ])
        #expect(agents(.client, "https://ehr.test/auth|viewer") == ["https://ehr.test/auth viewer"])
        // What holds the bar that parts them is kept escaped, and told as its issuer spells it.
        #expect(
            agents(.person, "https://ehr.test/a%25b|auth0%7C7%257C|v") == [
                "https://ehr.test/a%b auth0|7%7C", "https://ehr.test/a%b v",
            ])
        #expect(agents(.person, "acc|app") == ["urn:hilum:account acc", "urn:hilum:client app"])
        #expect(agents(.client, "app|x") == ["urn:hilum:client app|x"])
    }

    @Test("HL7 v3 ActReason BTG: what is opened in an emergency says so; what was not opened is no override")
    func emergencies() {
        for shape in [AuditEvent.Shape.whole, .ofPatient] {
            for (outcome, codes) in [
                (AuditRecord.Outcome.success, ["110127", "break-glass"]), (.minorFailure, ["break-glass"]),
            ] {
                let event = Self.event(
                    Self.record(
                        .security, "break-glass", .execute, outcome, by: Principal(kind: .person, id: "acc"),
                        entity: "Patient/p1", patient: "p1", detail: "BTG"), shape)
                let purpose = event.json["purposeOfEvent"]?[0]?["coding"]?[0]
                #expect(purpose?["code"]?.string == "BTG")
                #expect(purpose?["system"]?.string == "http://terminology.hl7.org/CodeSystem/v3-ActReason")
                #expect(event.type.code == "110113" && event.subtypes.map(\.code) == codes)
            }
        }
        #expect(Self.event(Self.record(.security, "peer add", .create)).json["purposeOfEvent"] == nil)
    }

    /// What has to be there, and sev-1: never a name beside a query.
    private static func checkElements(_ event: JSONValue, _ what: String) {
        #expect(event["type"]?["code"]?.string?.isEmpty == false, "\(what)")
        #expect(event["recorded"]?.string?.hasPrefix("2023-11-14T22:13:20") == true, "\(what)")
        #expect(event["source"]?["observer"]?["display"]?.string == "Hilum", "\(what)")
        let agents = event["agent"]?.array ?? []
        #expect(!agents.isEmpty, "\(what)")
        #expect(agents.filter { $0["requestor"]?.bool == true }.count == 1, "\(what)")
        for entity in event["entity"]?.array ?? [] {
            #expect(entity["name"] == nil || entity["query"] == nil, "\(what)")
            #expect(entity["what"] != nil || entity["name"] != nil || entity["query"] != nil, "\(what)")
        }
    }

    @Test("IHE BALP 1.1: successful reads, changes and searches follow their profile, with a patient the patient's")
    func profiles() {
        let start = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
        for (interaction, action, name) in [
            ("read", AuditRecord.Action.read, "Read"), ("vread", .read, "Read"), ("create", .create, "Create"),
            ("update", .update, "Update"), ("patch", .update, "Update"), ("delete", .delete, "Delete"),
        ] {
            for patient in [nil, "p1"] {
                let event = Self.event(
                    Self.record(.rest, interaction, action, entity: "Observation/o1/_history/2", patient: patient))
                #expect(event.profile == start + (patient == nil ? "" : "Patient") + name)
                let client = event.agents.first
                #expect(client?.type.code == (name == "Read" ? "110152" : "110153"), "\(interaction)")
                #expect(event.agents.last?.type.code == (name == "Read" ? "110153" : "110152"), "\(interaction)")
                #expect(event.type.code == "rest")
                #expect(event.subtypes.map(\.code) == [interaction])
                #expect(event.entities.map(\.type.code) == ["2"] + (patient == nil ? [] : ["1"]) + ["XrequestId"])
            }
        }
        let query = Self.event(
            Self.record(.query, "search-type", .execute, entity: "Observation", patient: "p1", query: "patient=p1"))
        #expect(query.profile == start + "PatientQuery")
        #expect(query.subtypes.map(\.code) == ["search", "search-type"])
        let words = query.json["entity"]?[0]?["query"]?.string
        #expect(words == Base64.encode(Array("Observation?patient=p1".utf8)))
        // A refusal, and a row without the caller's address, are no such event.
        #expect(Self.event(Self.record(.rest, "read", .read, .minorFailure, entity: "Patient/p1")).profile == nil)
        #expect(Self.event(Self.record(address: nil, entity: "Patient/p1")).profile == nil)
    }

    @Test("PS3.16 CID 400 to 403: what is no interaction of FHIR has DICOM's codes")
    func codes() {
        for (category, interaction, type, subtype) in [
            (AuditRecord.Category.transfer, "C-GET", "110104", nil as String?), (.query, "C-FIND", "110112", nil),
            (.export, "$export", "110106", nil), (.export, "audit-export", "110101", nil),
            (.message, "ADT^A04", "110110", nil), (.message, "OMI^O23", "110109", nil),
            (.message, "ORU^R01", "110111", nil), (.message, "N-SET", "110111", nil),
            (.message, "SIU^S12", "receive", nil),
            (.authentication, "sign-in", "110114", "110122"), (.authentication, "sign-out", "110114", "110123"),
            (.authentication, "token", "110114", "ITI-71"), (.security, "A-ASSOCIATE", "110113", nil),
            (.application, "start", "110100", "110120"), (.application, "stop", "110100", "110121"),
            (.application, "audit-cut", "110101", nil),
        ] {
            let event = Self.event(Self.record(category, interaction, .execute))
            #expect(event.type.code == type, "\(interaction)")
            #expect(event.subtypes.map(\.code) == [subtype, interaction].compactMap { $0 }, "\(interaction)")
        }
        let study = Self.event(Self.record(.transfer, "store", .create, entity: "instance:1.2.3 study:1.2")).entities[0]
        #expect(study.identifier == AuditEvent.Identifier(system: "urn:dicom:uid", value: "urn:oid:1.2"))
        #expect(study.role?.code == "3")
        // The reads of a series in one sitting, which name no instance. Decision 0065.
        let images = Self.event(Self.record(.transfer, "instances", .read, entity: "study:1.2 series:1.3"))
        #expect(images.type.code == "110104")
        #expect(images.entities[0].identifier?.value == "urn:oid:1.2")
        #expect(images.entities[0].name == "series:1.3")
    }

    @Test("Neither shape holds what lets somebody in; the patient's has no address, words, reason or request")
    func secrets() {
        let record = Self.record(
            .query, "search-type", .execute, entity: "Patient", patient: "p1",
            query: "name=Other&access_token=sesame&Password=sesame&_page=sesame", detail: "reason-x")
        let whole = String(decoding: JSONWriter.compact(Self.event(record).json), as: UTF8.self)
        let query = Self.event(record).entities.first?.query ?? ""
        #expect(query.contains("name=Other") && !query.contains("sesame"))
        #expect(whole.contains("192.0.2.7") && whole.contains("reason-x") && whole.contains("req-1"))
        let own = String(decoding: JSONWriter.compact(Self.event(record, .ofPatient).json), as: UTF8.self)
        for hidden in ["192.0.2.7", "reason-x", "req-1", "jti-1", "Other", Base64.encode(Array(query.utf8))] {
            #expect(!own.contains(hidden), "\(hidden)")
        }
        #expect(own.contains("Patient/p1") && own.contains("\"app\""))
    }

    @Test("A person by an application is the one who asks; the application is named beside")
    func person() {
        let event = Self.event(Self.record(by: Principal(kind: .person, id: "acc|app"), entity: "Patient/p1"))
        #expect(event.agents.map(\.name) == ["acc", "app", "Hilum"])
        #expect(event.agents.map(\.requestor) == [true, false, false])
        #expect(event.agents.map { $0.network?.address } == [nil, "192.0.2.7", Self.base])
    }

    @Test("Ids lead back to rows; nothing else does")
    func ids() {
        for number in [1, 42, Int64.max] { #expect(AuditEvent.number(AuditEvent.id(number)) == number) }
        for id in [
            "trail-", "trail-0", "trail--1", "trail-01", "trail-+1", "7", "Trail-7", "trail-9223372036854775808",
        ] {
            #expect(AuditEvent.number(id) == nil, "\(id)")
        }
    }
}
