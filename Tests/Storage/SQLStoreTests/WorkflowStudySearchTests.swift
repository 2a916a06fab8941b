import Access
import Testing
import Workflow

@testable import SQLStore

/// Study queries on both databases. PS3.4 §C.2.2.2, PS3.18 §8.3.4.
@Suite("Workflow: study queries on both databases")
struct WorkflowStudySearchTests {
    typealias Support = WorkflowSupport
    typealias Match = KeyMatch

    /// Study A: two CT series (3 instances) and one MR; B: one US; C: undated, attributes absent.
    private func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { (unit) throws in
                _ = try PatientService().apply(Support.patient("100"), in: unit)
                func store(
                    _ sop: String, _ study: String, _ series: String, _ number: Int?, _ seriesNumber: Int?,
                    _ modality: String?
                ) throws {
                    _ = try StudyService().register(
                        Support.received(
                            sop, study: study, series: series, number: number, seriesNumber: seriesNumber,
                            modality: modality
                        ) { of, ofSeries in
                            switch study {
                            case "A":
                                of.studyDate = "20261121"
                                of.studyTime = "101530.5"
                                of.patientName = "Doe^Jane=山田=やまだ"
                                of.referringPhysicianName = "Ref^One"
                                of.studyID = "S_1"
                                of.studyDescription = "CT [head] 100%"
                                of.patientBirthDate = "19700501"
                                of.patientSex = "F"
                                of.issuerOfPatientID = "HOSP"
                            case "B":
                                of.studyDate = "20261122"
                                of.studyTime = "10"
                                of.patientName = "ROE^R"
                                of.studyID = "S11"
                                of.studyDescription = "CT head 1000"
                            default: of.studyDescription = ""
                            }
                            ofSeries.seriesDescription = "series \(series)"
                            ofSeries.bodyPartExamined = modality == "MR" ? "HEAD" : nil
                            ofSeries.performedProcedureStepStartDate = of.studyDate
                            ofSeries.performedProcedureStepStartTime = of.studyTime
                            ofSeries.scheduledProcedureStepID = "SPS-\(series)"
                            ofSeries.requestedProcedureID = "RP-\(study)"
                        }, in: unit)
                }
                try store("a11", "A", "A1", 2, 2, "CT")
                try store("a12", "A", "A1", 1, 2, "CT")
                try store("a13", "A", "A1", nil, 2, "CT")
                try store("a2", "A", "A2", 1, 10, "CT")
                try store("a3", "A", "A3", 1, nil, "MR")
                try store("b1", "B", "B1", 1, 1, "US")
                try store("c1", "C", "C1", 1, 1, nil)
            }
            try await body(store)
        }
    }

    private func find(
        _ store: RelationalStore, _ level: StudyQueryLevel, _ matches: [SearchKey: Match] = [:], limit: Int = 100,
        offset: Int = 0
    ) async throws -> [String] {
        let page = try await store.studies(
            StudyQuery(level: level, keys: SearchKeys(matches), limit: limit, offset: offset), access: Support.server)
        return page.matches.map { match in
            switch level {
            case .study: match.study.studyInstanceUID
            case .series: match.series?.seriesInstanceUID ?? "?"
            case .instance: match.instance?.sopInstanceUID ?? "?"
            }
        }
    }

    @Test(
        "Studies come newest first and undated last, series and instances by number, the same on both databases",
        arguments: TestDatabases.all)
    func order(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            #expect(try await find(store, .study) == ["B", "A", "C"])
            #expect(try await find(store, .series) == ["B1", "A1", "A2", "A3", "C1"])
            #expect(try await find(store, .instance) == ["b1", "a12", "a11", "a13", "a2", "a3", "c1"])
        }
    }

    @Test("Study keys match exactly, by wildcard, range, list and absence", arguments: TestDatabases.all)
    func studyKeys(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            let cases: [(SearchKey, Match, [String])] = [
                (.studyDate, .exact("20261121"), ["A"]),
                (.studyDate, .dates(from: "20261121", to: "20261122"), ["B", "A"]),
                (.studyDate, .dates(from: "20261122", to: nil), ["B"]),
                (.studyDate, .dates(from: nil, to: "20261121"), ["A"]),
                (.studyDate, .dates(from: nil, to: nil), ["B", "A"]), (.studyDate, .empty, ["C"]),
                // The upper bound 10 reaches to the end of that hour.
                (.studyTime, .times(from: "100000.000000", to: "105959.999999"), ["B", "A"]),
                (.studyTime, .times(from: "101500.000000", to: "101530.999999"), ["A"]),
                (.studyTime, .times(from: "101600.000000", to: nil), []),
                (.studyInstanceUID, .exact("A"), ["A"]),
                (.studyInstanceUID, .anyOf([.exact("C"), .exact("A"), .exact("X")]), ["A", "C"]),
                (.studyInstanceUID, .anyOf([]), []), (.studyID, .wildcard("S?1"), ["B", "A"]),
                (.studyID, .wildcard("S_1"), ["A"]),
                (.studyID, .wildcard("s*"), []),
                (.studyDescription, .wildcard("*[head]*"), ["A"]),
                (.studyDescription, .wildcard("*100%"), ["A"]),
                (.studyDescription, .wildcard("*\\*"), []),
                (.studyDescription, .exact("CT [head] 100%"), ["A"]), (.studyDescription, .empty, ["C"]),
                (.patientBirthDate, .exact("19700501"), ["A"]), (.patientSex, .exact("F"), ["A"]),
                (.patientSex, .anyOf([.exact("F"), .exact("M")]), ["A"]), (.issuerOfPatientID, .exact("HOSP"), ["A"]),
                (.patientID, .exact("100"), ["B", "A", "C"]),
                (.patientID, .wildcard("1*"), ["B", "A", "C"]),
                (.accessionNumber, .empty, ["B", "A", "C"]), (.accessionNumber, .exact("x"), []),
                (.referringPhysicianName, .name("ref*"), ["A"]),
                (.modalitiesInStudy, .exact("MR"), ["A"]),
                (.modalitiesInStudy, .anyOf([.exact("MR"), .exact("US")]), ["B", "A"]),
                (.modalitiesInStudy, .wildcard("?S"), ["B"]),
                // Keys of lower levels match the study that has any.
                (.modality, .exact("CT"), ["A"]), (.seriesNumber, .exact("10"), ["A"]),
                (.seriesInstanceUID, .exact("B1"), ["B"]),
                (.sopInstanceUID, .exact("c1"), ["C"]), (.instanceNumber, .exact("2"), ["A"]),
            ]
            for (key, match, expected) in cases {
                #expect(try await find(store, .study, [key: match]) == expected, "\(key) \(match)")
            }
        }
    }

    @Test(
        "Names match by any component group, without case, and not by a part of a group (PS3.4 §C.2.2.2.1)",
        arguments: TestDatabases.all)
    func names(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            let cases: [(String, [String])] = [
                ("doe^jane", ["A"]), ("DOE*", ["A"]), ("山田", ["A"]), ("やまだ", ["A"]), ("やま*", ["A"]), ("jane", []),
                ("doe", []),
                ("Doe^Jane=山田=やまだ", ["A"]), ("roe^r^^^", ["B"]), ("?oe*", ["B", "A"]), ("*", ["B", "A"]),
            ]
            for (name, expected) in cases {
                #expect(
                    try await find(store, .study, [.patientName: .name(name)]) == expected,
                    "\(name)")
            }
            #expect(
                try await find(store, .study, [.patientName: .anyOf([.name("roe^r"), .name("doe^jane")])]) == [
                    "B", "A",
                ])
        }
    }

    @Test(
        "Series and instance keys match at their levels; number keys take lists, ranges and wildcards too",
        arguments: TestDatabases.all)
    func lowerKeys(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            let series: [(SearchKey, Match, [String])] = [
                (.modality, .exact("CT"), ["A1", "A2"]), (.modality, .empty, ["C1"]),
                (.seriesNumber, .exact("10"), ["A2"]),
                (.seriesNumber, .exact("x"), []),
                (.seriesNumber, .anyOf([.exact("2"), .exact("10"), .exact("x")]), ["A1", "A2"]),
                (.seriesNumber, .wildcard("1*"), ["B1", "A2", "C1"]),
                (.seriesNumber, .empty, ["A3"]),
                (.seriesDescription, .wildcard("*A?"), ["A1", "A2", "A3"]),
                (.bodyPartExamined, .exact("HEAD"), ["A3"]),
                (.performedProcedureStepStartDate, .dates(from: "20261122", to: nil), ["B1"]),
                (
                    .performedProcedureStepStartTime, .times(from: "101500.000000", to: "101559.999999"),
                    ["A1", "A2", "A3"]
                ),
                (.scheduledProcedureStepID, .exact("SPS-A2"), ["A2"]), (.requestedProcedureID, .exact("RP-B"), ["B1"]),
                // Every series of a study that has an MR.
                (.modalitiesInStudy, .exact("MR"), ["A1", "A2", "A3"]), (.sopInstanceUID, .exact("a12"), ["A1"]),
                (.studyDate, .exact("20261122"), ["B1"]),
            ]
            for (key, match, expected) in series {
                #expect(try await find(store, .series, [key: match]) == expected, "\(key) \(match)")
            }
            let instances: [(SearchKey, Match, [String])] = [
                (.instanceNumber, .exact("1"), ["b1", "a12", "a2", "a3", "c1"]), (.instanceNumber, .empty, ["a13"]),
                (.sopInstanceUID, .anyOf([.exact("a2"), .exact("b1")]), ["b1", "a2"]),
                (.modality, .exact("MR"), ["a3"]),
                (.sopClassUID, .exact("1.2.840.10008.5.1.4.1.1.2"), ["b1", "a12", "a11", "a13", "a2", "a3", "c1"]),
            ]
            for (key, match, expected) in instances {
                #expect(try await find(store, .instance, [key: match]) == expected, "\(key) \(match)")
            }
            #expect(
                try await find(
                    store, .instance,
                    [.studyInstanceUID: .exact("A"), .seriesInstanceUID: .exact("A1"), .instanceNumber: .exact("2")])
                    == ["a11"])
        }
    }

    @Test("Every key may be asked with every kind of match at every level", arguments: TestDatabases.all)
    func everyKey(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            let kinds: [Match] = [
                .exact("1"), .wildcard("1*"), .wildcard("?a*"),
                .anyOf([.exact("1"), .exact("2")]),
                .dates(from: "1", to: "2"), .times(from: nil, to: nil), .empty, .name("1*"),
                .anyOf([.wildcard("*1"), .empty]),
            ]
            for level in [StudyQueryLevel.study, .series, .instance] {
                for key in SearchKey.allCases {
                    for match in kinds { _ = try await find(store, level, [key: match]) }
                }
            }
        }
    }

    @Test("Pages follow each other without gap or repeat, and say whether more come", arguments: TestDatabases.all)
    func paging(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            let all = try await find(store, .instance)
            var paged: [String] = []
            for offset in stride(from: 0, to: all.count, by: 2) {
                let page = try await store.studies(
                    StudyQuery(level: .instance, limit: 2, offset: offset), access: Support.server)
                #expect(page.hasMore == (offset + 2 < all.count))
                paged += page.matches.compactMap(\.instance?.sopInstanceUID)
            }
            #expect(paged == all)
            #expect(try await find(store, .study, offset: 99).isEmpty)
        }
    }

    @Test("The counts are those of the rows", arguments: TestDatabases.all)
    func counts(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            let query = StudyQuery(level: .series, keys: SearchKeys([.seriesInstanceUID: .exact("A1")]))
            let match = try #require(try await store.studies(query, access: Support.server).matches.first)
            #expect(match.modalitiesInStudy == ["CT", "MR"])
            #expect(match.numberOfStudyRelatedSeries == 3)
            #expect(match.numberOfStudyRelatedInstances == 5)
            #expect(match.numberOfSeriesRelatedInstances == 3)
        }
    }

    @Test("Instances page by the last one seen, over series", arguments: TestDatabases.all)
    func instancePages(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            func pages(_ between: (Instance) async throws -> Void) async throws -> [String] {
                var after: Instance?
                var seen: [String] = []
                repeat {
                    let page = try await store.instances(
                        studyInstanceUID: "A", seriesInstanceUID: nil, sopInstanceUID: nil, after: after?.place,
                        limit: 2, access: Support.server)
                    seen += page.map(\.sopInstanceUID)
                    after = page.last
                    if let after { try await between(after) }
                } while after != nil
                return seen
            }
            #expect(try await pages { _ in } == ["a12", "a11", "a13", "a2", "a3"])
            let one = try await store.instances(
                studyInstanceUID: "A", seriesInstanceUID: "A1", sopInstanceUID: "a11", after: nil, limit: 9,
                access: Support.server)
            #expect(one.map(\.sopInstanceUID) == ["a11"])
            let foreign = try await store.instances(
                studyInstanceUID: "B", seriesInstanceUID: "A1", sopInstanceUID: "a11", after: nil, limit: 9,
                access: Support.server)
            #expect(foreign.isEmpty)
            // The last one seen may be gone when the next page is asked for.
            let seen = try await pages { last in try await store.work { try $0.removeInstance(last) } }
            #expect(seen == ["a12", "a11", "a13", "a2", "a3"])
            #expect(try await pages { _ in } == ["a12", "a13"])
        }
    }

    @Test("Quarantine lists series newest first with their reason and count", arguments: TestDatabases.all)
    func quarantine(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            #expect(try await store.quarantine(.waiting, limit: 9, access: Support.server).isEmpty)
            for (sop, series, patient) in [("q1", "Q1", "900"), ("q2", "Q2", nil), ("q3", "Q2", nil)]
                as [(String, String, String?)]
            {
                try await store.work { (unit) throws in
                    _ = try StudyService().register(
                        Support.received(sop, study: "Q", series: series) { of, ofSeries in
                            of.patientID = patient
                            ofSeries.patientID = patient
                        }, in: unit)
                }
            }
            let kept = try await store.quarantine(.waiting, limit: 9, access: Support.server)
            #expect(kept.map(\.series.seriesInstanceUID) == ["Q2", "Q1"])
            #expect(kept.map(\.reason) == [.missingPatientID, .unknownPatient])
            #expect(kept.map(\.instances) == [2, 1])
            #expect(try await store.quarantine(.waiting, limit: 1, access: Support.server).count == 1)
            try await store.work { _ = try PatientService().apply(Support.patient("900"), in: $0) }
            #expect(
                try await store.quarantine(.waiting, limit: 9, access: Support.server).map(\.series.seriesInstanceUID)
                    == ["Q2"])
        }
    }

    @Test(
        "A caller without the scope of ImagingStudy, or with a narrowed one, finds nothing",
        arguments: TestDatabases.all)
    func access(_ kind: SQLDialect) async throws {
        try await with(kind) { (store) async throws in
            let query = StudyQuery(level: .study)
            #expect(
                try await store.studies(query, access: ResourceStoreTests.access("system/ImagingStudy.rs")).matches
                    .count == 3)
            for scope in ["system/Patient.rs", "system/ImagingStudy.r", "system/ImagingStudy.rs?status=available"] {
                #expect(
                    try await store.studies(query, access: ResourceStoreTests.access(scope)).matches.isEmpty, "\(scope)"
                )
            }
            #expect(
                try await store.instances(
                    studyInstanceUID: "A", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                    access: ResourceStoreTests.access("system/ImagingStudy.s")
                ).isEmpty)
        }
    }
}
