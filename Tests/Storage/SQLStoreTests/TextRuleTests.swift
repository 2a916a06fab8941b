import Access
import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// S8, D18: what text the store takes is one rule, and both databases give the same answer.
@Suite struct TextRuleTests {
    private static let long = String(repeating: "ä", count: TextRule.keyBytesMax / 2)

    private static func refusal(
        _ store: RelationalStore, _ body: @escaping @Sendable (any UnitOfWork) throws -> Void
    ) async throws -> TextRule.Refusal? {
        do {
            try await store.work(body)
            return nil
        } catch let refusal as TextRule.Refusal { return refusal }
    }

    @Test(
        "S8: an identifier of the limit is kept and found; one byte more is refused by its place",
        arguments: TestDatabases.all)
    func identifiers(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            _ = try await store.work { try PatientService().apply(Support.patient(Self.long), in: $0) }
            #expect(try await store.look { try $0.patients(identifiedBy: Support.mrn(Self.long)).count } == 1)
            let patient = try await Self.refusal(store) {
                _ = try PatientService().apply(Support.patient(Self.long + "x"), in: $0)
            }
            #expect(patient == .init(field: .patientIdentifier, reason: .tooLong))
            let name = try await Self.refusal(store) {
                _ = try PatientService().apply(Support.patient("1", family: Self.long + "x"), in: $0)
            }
            #expect(name == .init(field: .patientName, reason: .tooLong))
            for (field, fill): (TextRule.Field, @Sendable (inout OrderUpdate) -> Void) in [
                (.placer, { $0.placer = Identifier(system: "urn:pl", value: Self.long + "x") }),
                (.filler, { $0.filler = Identifier(system: "urn:fi", value: Self.long + "x") }),
                (.filler, { $0.filler = Identifier(system: "urn:" + Self.long, value: "1") }),
            ] {
                let found = try await Self.refusal(store) { unit in
                    var order = OrderUpdate(control: .new, patient: Support.patient("7"))
                    order.code = Support.concept("CT")
                    fill(&order)
                    _ = try OrderService().apply(order, in: unit)
                }
                #expect(found == .init(field: field, reason: .tooLong))
            }
            #expect(try await store.look { try $0.patients(identifiedBy: Support.mrn("7")).isEmpty })
            let image = try await Self.refusal(store) { unit in
                let received = Support.received("1.1", study: "1.2", series: "1.2.1") { study, series in
                    study.accessionNumber = Self.long + "x"
                    series.accessionNumber = study.accessionNumber
                }
                _ = try StudyService().register(received, in: unit)
            }
            #expect(image == .init(field: .accession, reason: .tooLong))
            #expect(try await store.look { try $0.study("1.2") == nil })
        }
    }

    @Test(
        "D18: NUL in what is kept or looked for is never taken, and never a passing failure",
        arguments: TestDatabases.all)
    func nul(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            #expect(
                try await Self.refusal(store) { unit in
                    try unit.save(Patient(id: EntityID("p"), identifiers: [Support.mrn("a\0b")]))
                } == .init(field: .patientIdentifier, reason: .containsNUL))
            do {
                _ = try await store.look { try $0.patients(identifiedBy: Support.mrn("a\0b")) }
                Issue.record("looked for NUL")
            } catch let error as StoreError { #expect(error.code == .unacceptable) }
        }
    }

    @Test("What only PostgreSQL's index refuses is no passing failure either", arguments: TestDatabases.all)
    func index(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            // Of no pattern, so that it cannot be compressed into the index.
            let text = (0..<400).map { _ in store.entropy.newID().value }.joined()
            let result = try await store.database.write { transaction -> Bool in
                do {
                    _ = try transaction.connection.savepoint {
                        try transaction.connection.run(
                            "INSERT INTO assertions (issuer, jti, expires) VALUES (?, ?, ?)",
                            [.text("i"), .text(text), .int(1)])
                    }
                    return true
                } catch let error as SQLStoreError {
                    #expect(error.code == .unacceptable)
                    return false
                }
            }
            #expect(result == (kind == .sqlite))
        }
    }

    @Test(
        "S8: an image with names and ids of 4,000 characters is kept, and found by their beginning",
        arguments: TestDatabases.all)
    func image(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            // Of no pattern, so that it cannot be compressed into the index; of two bytes a character.
            let text = (0..<4_000).map { "\(["ä", "ö", "ü", "é", "ß"][($0 * $0 / 7 + $0 % 11) % 5])" }.joined()
            let tail = store.entropy.newID().value
            let long = text + tail
            try await store.work { unit in
                let received = Support.received("1.1", study: "1.2", series: "1.2.1") { study, series in
                    study.patientName = long + "^A"
                    study.referringPhysicianName = long
                    study.studyID = long
                    study.studyDescription = long
                    series.modality = long
                    series.requestAttributes = [
                        RequestAttributes(
                            scheduledProcedureStepID: long, requestedProcedureID: long, accessionNumber: "7")
                    ]
                }
                _ = try StudyService().register(received, in: unit)
            }
            let stored = try await store.look { try $0.study("1.2") }
            #expect(stored?.attributes.patientName == long + "^A")
            let first = String(long.prefix(12))
            let matches: [(SearchKey, KeyMatch)] = [
                (.patientName, .name(first + "*")), (.patientName, .name(long + "^A")),
                (.patientName, .name(long + "*")), (.referringPhysicianName, .name(first + "*")),
                (.studyID, .wildcard(first + "*")), (.studyID, .exact(long)), (.modalitiesInStudy, .exact(long)),
                (.modalitiesInStudy, .wildcard(first + "*")), (.studyDescription, .exact(long)),
            ]
            for (key, match) in matches {
                var keys = SearchKeys()
                keys.matches[key] = match
                let query = StudyQuery(level: .study, keys: keys)
                #expect(try await store.studies(query, access: Support.server).matches.count == 1, "\(key)")
            }
            for (key, match) in [
                (SearchKey.scheduledProcedureStepID, KeyMatch.exact(long)),
                (.requestedProcedureID, .wildcard(first + "*")),
            ] {
                var keys = SearchKeys()
                keys.matches[key] = match
                let query = StudyQuery(level: .series, keys: keys)
                #expect(try await store.studies(query, access: Support.server).matches.count == 1, "\(key)")
            }
            var other = SearchKeys()
            other.matches[.patientName] = .name("x" + first + "*")
            let query = StudyQuery(level: .study, keys: other)
            #expect(try await store.studies(query, access: Support.server).matches.isEmpty)
        }
    }

    @Test("Descriptive text is mended, an identifier never")
    func mended() {
        #expect(TextRule.mended("CT\0Thorax") == "CT Thorax")
        #expect(TextRule.mended("CT Thorax") == "CT Thorax")
    }
}
