import Access
import FHIRModel
import FHIRSearch
import Testing

@testable import FHIRResources

@Suite("Which rows answer a search on AuditEvent, and for whom")
struct AuditEventPlanTests {
    private static let parser = SearchQueryParser(baseURL: AuditEventTests.base, now: 1_700_000_000_000_000)

    private static func access(
        _ scopes: String, patient: String? = nil, reach: [Compartment] = []
    ) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: "x"),
            scopes: scopes.split(separator: " ").compactMap { Scope(String($0)) }, patient: patient, reach: reach,
            requestID: "r")
    }

    /// Rows of two patients and of nobody, each with each action.
    private static let rows: [AuditRow] = {
        var rows: [AuditRow] = []
        for patient in ["p1", "p2", nil] {
            for action in [AuditRecord.Action.read, .update, .execute] {
                let number = Int64(rows.count + 1)
                rows.append(
                    AuditRow(
                        number: number, time: number * 1_000_000,
                        record: AuditEventTests.record(
                            .rest, action == .read ? "read" : "update", action, entity: "Observation/o\(number)",
                            patient: patient)))
            }
        }
        return rows
    }()

    private static func plan(_ access: AccessContext, _ text: String = "") throws -> AuditEventPlan {
        let parameters = text.split(separator: "&").map { pair -> SearchQuery.Parameter in
            let halves = pair.split(separator: "=", maxSplits: 1).map { String($0) }
            return SearchQuery.Parameter(name: halves[0], value: halves[1])
        }
        return AuditEventPlan(try parser.parse("AuditEvent", parameters).filters, .search, access, parser)
    }

    private static func seen(_ access: AccessContext, _ text: String = "") throws -> [Int64] {
        let plan = try plan(access, text)
        let found = rows.filter { plan.event($0, base: AuditEventTests.base) != nil }
        // What leads to rows must lead to each that answers.
        for row in found {
            #expect(plan.times.contains(row.time))
            #expect(plan.patients.map { $0.contains(row.record.patientID ?? "") } ?? true)
        }
        if plan.isExact {
            let led = rows.filter { row in
                plan.times.contains(row.time) && plan.patients.map { $0.contains(row.record.patientID ?? "") } ?? true
            }
            #expect(led.count == found.count, "\(text)")
        }
        return found.map(\.number)
    }

    @Test("SMART 2.2: whoever asks sees the rows that their scopes and reach give, whatever they search by")
    func roles() throws {
        let p1 = Compartment.patient("p1")
        let p2 = Compartment.patient("p2")
        let all = Self.rows.map(\.number)
        let roles: [(String, AccessContext, Set<Int64>)] = [
            ("system", Self.access("system/AuditEvent.rs"), Set(all)),
            ("any type", Self.access("system/*.rs"), Set(all)),
            ("version 1", Self.access("system/AuditEvent.read"), Set(all)),
            ("server", .server(requestID: "r"), Set(all)),
            ("read alone", Self.access("system/AuditEvent.r"), []),
            ("other type", Self.access("system/Patient.rs"), []),
            ("conditional", Self.access("system/AuditEvent.rs?action=R"), [1, 4, 7]),
            ("condition not told", Self.access("system/AuditEvent.rs?site=x"), []),
            ("patient", Self.access("patient/AuditEvent.rs", patient: "p1"), [1, 2, 3]),
            ("all of a patient", Self.access("patient/*.rs", patient: "p2"), [4, 5, 6]),
            ("patient and condition", Self.access("patient/AuditEvent.rs?action=U", patient: "p1"), [2]),
            ("no patient", Self.access("patient/AuditEvent.rs"), []),
            ("user of one", Self.access("user/AuditEvent.rs", reach: [p1]), [1, 2, 3]),
            ("user of two", Self.access("user/AuditEvent.rs", reach: [p1, p2]), [1, 2, 3, 4, 5, 6]),
            ("user of nobody", Self.access("user/AuditEvent.rs"), []),
            (
                "practitioner's compartment",
                Self.access("user/AuditEvent.rs", reach: [Compartment(type: "Practitioner", id: "p1")]), []
            ),
        ]
        let searches: [(String, Set<Int64>)] = [
            ("", Set(all)), ("patient=p1", [1, 2, 3]), ("patient=Patient/p2", [4, 5, 6]),
            ("patient=p1,p2", [1, 2, 3, 4, 5, 6]),
            ("patient=nobody", []), ("action=R", [1, 4, 7]), ("action:not=R", [2, 3, 5, 6, 8, 9]),
            ("patient:missing=true", [7, 8, 9]), ("entity=Observation/o5", [5]), ("_id=trail-2", [2]),
            ("date=ge1970-01-01T00:00:05Z", [5, 6, 7, 8, 9]), ("date=lt1970-01-01T00:00:05Z", [1, 2, 3, 4]),
            ("date=1970-01-01T00:00:05Z,1970-01-01T00:00:07Z", [5, 7]),
            ("date=ne1970-01-01T00:00:05Z", Set(all).subtracting([5])),
            ("date=gt1970-01-01T00:00:02Z&date=le1970-01-01T00:00:04Z", [3, 4]),
            ("date=gt1970-01-01T00:00:04Z&date=lt1970-01-01T00:00:02Z", []), ("outcome=0", Set(all)),
            ("type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest", Set(all)),
            ("subtype=read", [1, 4, 7]),
            ("agent-name=AP", Set(all)), ("agent-name:exact=AP", []),
            ("agent:identifier=urn:hilum:client|app", Set(all)),
            ("entity-type=1", [1, 2, 3, 4, 5, 6]), ("patient=p1&action=U", [2]),
        ]
        for (role, access, mayBeSeen) in roles {
            for (search, answers) in searches {
                #expect(
                    try Self.seen(access, search) == mayBeSeen.intersection(answers).sorted(), "\(role): \(search)")
            }
        }
    }

    @Test("Of a row of several patients a rule that lets it not through shows nobody, and none shows another's patient")
    func several() throws {
        var record = AuditEventTests.record(.rest, "read", .read, entity: "Basic/b1")
        record.name(patients: ["p1", "p2"])
        let row = AuditRow(number: 1, time: 1, record: record)
        for (scopes, reach, named) in [
            // The rule of no patient in particular asks for what this row is not.
            ("system/AuditEvent.rs?action=U patient/AuditEvent.rs", [], ["p2"]),
            ("system/AuditEvent.rs?action=R patient/AuditEvent.rs", [], ["p1", "p2"]),
            ("user/AuditEvent.rs?action=U patient/AuditEvent.rs", ["p1"], ["p2"]),
            ("user/AuditEvent.rs patient/AuditEvent.rs", ["p1"], ["p1", "p2"]),
            // What a rule does not show it cannot be asked about either.
            ("patient/AuditEvent.rs?patient=p1", [], []), ("patient/AuditEvent.rs?patient=p2", [], ["p2"]),
        ] as [(String, [String], [String])] {
            let access = Self.access(scopes, patient: "p2", reach: reach.map { .patient($0) })
            let event = try Self.plan(access).event(row, base: AuditEventTests.base)
            #expect(event?.patients ?? [] == named, "\(scopes)")
        }
        let own = Self.access("patient/AuditEvent.rs", patient: "p2")
        #expect(try Self.plan(own, "patient=p1").event(row, base: AuditEventTests.base) == nil)
    }

    @Test("Whoever does not see the whole trail is led by patients alone, and gets the patient's shape")
    func shapes() throws {
        #expect(try Self.plan(Self.access("system/AuditEvent.rs")).shape == .whole)
        #expect(try Self.plan(Self.access("system/AuditEvent.rs")).patients == nil)
        let own = Self.access("patient/AuditEvent.rs", patient: "p1")
        #expect(try Self.plan(own).shape == .ofPatient)
        #expect(try Self.plan(own).patients == ["p1"])
        #expect(try Self.plan(own, "patient=p2").patients == [])
        // A hidden address is not found by either.
        #expect(try Self.seen(own, "entity:identifier=req-1") == [])
        #expect(try Self.seen(Self.access("system/AuditEvent.rs"), "entity:identifier=req-1").count == 9)
    }
}
