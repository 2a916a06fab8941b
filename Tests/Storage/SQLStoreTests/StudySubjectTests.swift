import Access
import Testing
import Workflow

@testable import SQLStore

/// Whose studies are in answers to queries, and by whom they are found, after updates, merges and decisions. PS3.4
/// §C.2.2, PS3.18 §10.6.
@Suite("Studies are found and answered as whose they are")
struct StudySubjectTests {
    private typealias Support = WorkflowSupport

    private static let authorities = AssigningAuthorities(
        authorities: [.init(system: "urn:mrn", namespace: "HOSP")], defaultPatientSystem: "urn:mrn",
        defaultAccessionSystem: "urn:acc")

    private static func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await TestDatabases.with(kind) { database in
            try await body(Support.store(database, authorities: authorities))
        }
    }

    /// One image of study 1.2, of the first or another series.
    private static func put(
        _ sop: String, series: String = "1.2.1", number: String = "100", _ store: RelationalStore
    ) async throws {
        try await store.work { unit in
            let received = Support.received(sop, study: "1.2", series: series) { study, series in
                (study.patientID, series.patientID) = (number, number)
                study.patientName = "DOE^JANE"
                study.patientBirthDate = "19700101"
                study.patientSex = "F"
                series.patientWords = PatientWords(study)
            }
            _ = try StudyService().register(received, in: unit)
        }
    }

    private static func register(_ value: String, family: String = "Doe", _ store: RelationalStore) async throws {
        _ = try await store.work { unit in
            var update = Support.patient(value, family: family)
            update.birthDate = .set(PartialDateTime("1970-01-01"))
            update.sex = .set(.female)
            return try PatientService().apply(update, in: unit)
        }
    }

    private static func merge(_ prior: String, into surviving: String, _ store: RelationalStore) async throws {
        _ = try await store.work {
            try PatientService().merge(
                prior: [Support.mrn(prior)], into: Support.patient(surviving, family: "Roe"), in: $0)
        }
    }

    private static let levels: [StudyQueryLevel] = [.study, .series, .instance]

    /// What answers say of the study, the same at each level.
    private static func said(_ store: RelationalStore) async throws -> StudyAttributes {
        var said: [StudyAttributes] = []
        for level in levels {
            let page = try await store.studies(StudyQuery(level: level), access: Support.server)
            said.append(try #require(page.matches.first).study.attributes)
        }
        #expect(Set(said).count == 1)
        return said[0]
    }

    /// Whether keys find the study, at each level.
    private static func finds(_ keys: [SearchKey: KeyMatch], _ store: RelationalStore) async throws -> Bool {
        var found: Set<Bool> = []
        for level in levels {
            let page = try await store.studies(
                StudyQuery(level: level, keys: SearchKeys(keys)), access: Support.server)
            #expect(page.remaining == 0)
            found.insert(!page.matches.isEmpty)
        }
        #expect(found.count == 1)
        return found == [true]
    }

    /// The rows beside those of what was sent, but for the words of names.
    private static func known(_ store: RelationalStore) async throws -> [String] {
        try await store.database.read { connection in
            try connection.all(
                """
                SELECT value FROM study_values WHERE \(StudyValueKind.known)
                AND kind <> \(StudyValueKind.knownPatientNameWord.rawValue) ORDER BY kind, value
                """
            ) { try $0.text(0) }
        }
    }

    @Test(
        "A08: answers say the new name, by which the study is found too, as by what was sent",
        arguments: TestDatabases.all)
    func updated(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await Self.register("100", store)
            try await Self.put("1.1", store)
            #expect(try await Self.said(store).patientName == "DOE^JANE")
            #expect(try await Self.known(store) == [])
            try await Self.register("100", family: "Smith", store)
            let said = try await Self.said(store)
            #expect(said.patientName == "Smith^Jane" && said.patientID == "100" && said.patientBirthDate == "19700101")
            #expect(try await Self.known(store) == ["smith^jane"])
            for name in ["smith^*", "SMITH^JANE", "doe^jane", "d*"] {
                #expect(try await Self.finds([.patientName: .name(name)], store), "\(name)")
            }
            #expect(try await !Self.finds([.patientName: .name("roe*")], store))
            for name in ["jane smyth", "Doe", "jayne"] {
                #expect(try await Self.finds([.patientName: .similarName(name)], store), "\(name)")
            }
            #expect(try await !Self.finds([.patientName: .similarName("roe")], store))
            // A later object of the study, and one of another series, leave the rows as they are.
            try await Self.put("1.2", store)
            try await Self.put("1.3", series: "1.2.2", store)
            #expect(try await Self.known(store) == ["smith^jane"])
            // Named as it was: what was sent contradicts nothing any more.
            try await Self.register("100", store)
            #expect(try await Self.said(store).patientName == "DOE^JANE")
            #expect(try await Self.known(store) == [])
            #expect(try await !Self.finds([.patientName: .name("smith*")], store))
        }
    }

    @Test(
        "A40: the surviving number finds the study, with its issuer, as the retired one does",
        arguments: TestDatabases.all)
    func merged(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await Self.register("100", store)
            try await Self.put("1.1", store)
            try await Self.merge("100", into: "200", store)
            let said = try await Self.said(store)
            #expect(said.patientID == "200" && said.patientIDSystem == "urn:mrn" && said.issuerOfPatientID == "HOSP")
            #expect(said.patientName == "Roe^Jane")
            for keys: [SearchKey: KeyMatch] in [
                [.patientID: .exact("200")], [.patientID: .exact("100")], [.patientName: .name("roe^jane")],
                [.patientID: .exact("200"), .issuerOfPatientID: .exact("HOSP")],
                [.patientID: .anyOf([.exact("7"), .exact("200")]), .patientName: .name("doe*")],
                [.patientID: .wildcard("2*"), .patientBirthDate: .dates(from: "19700101", to: "19700101")],
            ] { #expect(try await Self.finds(keys, store), "\(keys)") }
            #expect(try await !Self.finds([.issuerOfPatientID: .exact("OTHER")], store))
            // Another merge takes the first survivor's place.
            try await Self.merge("200", into: "300", store)
            #expect(try await Self.said(store).patientID == "300")
            #expect(try await Self.finds([.patientID: .exact("300")], store))
            #expect(try await !Self.finds([.patientID: .exact("200")], store))
            // Rows of keys that are made anew have these beside them.
            try await store.work { try $0.rebuildKeys(ofStudy: "1.2") }
            for number in ["100", "300"] { #expect(try await Self.finds([.patientID: .exact(number)], store)) }
        }
    }

    @Test("A corrected date of birth and sex are answered and found", arguments: TestDatabases.all)
    func corrected(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await Self.register("100", store)
            try await Self.put("1.1", store)
            _ = try await store.work { unit in
                var update = Support.patient("100")
                update.birthDate = .set(PartialDateTime("1970-01-02"))
                update.sex = .set(.male)
                return try PatientService().apply(update, in: unit)
            }
            let said = try await Self.said(store)
            #expect(said.patientBirthDate == "19700102" && said.patientSex == "M" && said.patientID == "100")
            for day in ["19700101", "19700102"] {
                #expect(try await Self.finds([.patientBirthDate: .dates(from: day, to: day)], store))
            }
            #expect(try await Self.finds([.patientSex: .exact("M"), .patientName: .name("doe*")], store))
            #expect(try await !Self.finds([.patientBirthDate: .dates(from: "19700103", to: nil)], store))
        }
    }

    @Test(
        "Images that were another's are found by whom they were given to, until that is undone",
        arguments: TestDatabases.all)
    func relinked(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await Self.register("100", store)
            try await Self.register("200", family: "Roe", store)
            try await Self.put("1.1", store)
            func decide(_ ask: QuarantineRequest.Ask) async throws {
                _ = try await store.decide(
                    QuarantineRequest(ask, studyInstanceUID: "1.2", reason: "wrong patient"), access: Support.server)
            }
            try await decide(.relink(.patient(.number(system: "urn:mrn", value: "200"))))
            let said = try await Self.said(store)
            #expect(said.patientID == "200" && said.patientName == "Roe^Jane")
            #expect(try await Self.finds([.patientID: .exact("200"), .patientName: .name("roe*")], store))
            #expect(try await Self.finds([.patientID: .exact("100"), .patientName: .name("doe*")], store))
            try await decide(.undo)
            #expect(try await Self.said(store).patientID == "100")
            #expect(try await !Self.finds([.patientID: .exact("200")], store))
            #expect(try await Self.known(store) == [])
        }
    }

    @Test(
        "Who may see one patient alone finds by these values what is theirs, and nothing else",
        arguments: TestDatabases.all)
    func scoped(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await Self.register("100", store)
            try await Self.register("200", family: "Roe", store)
            try await Self.put("1.1", store)
            let other = try await store.work { unit in
                try #require(try unit.patients(identifiedBy: Support.mrn("200")).first).id
            }
            let limited = CompartmentTests.access("patient/*.rs", patient: other.value)
            func finds(_ number: String) async throws -> [String?] {
                let keys = SearchKeys([.patientID: .exact(number)])
                return try await store.studies(StudyQuery(level: .study, keys: keys), access: limited).matches
                    .map(\.study.attributes.patientName)
            }
            try await Self.register("100", family: "Smith", store)
            for number in ["100", "200"] { #expect(try await finds(number) == []) }
            _ = try await store.decide(
                QuarantineRequest(
                    .relink(.patient(.id(other))), studyInstanceUID: "1.2", reason: "wrong patient"),
                access: Support.server)
            for number in ["100", "200"] { #expect(try await finds(number) == ["Roe^Jane"]) }
        }
    }

    @Test("What nobody is linked to is answered and found as it was sent", arguments: TestDatabases.all)
    func unlinked(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await Self.put("1.1", store)
            #expect(try await Self.said(store).patientName == "DOE^JANE")
            // Registered under another name, it is linked.
            try await Self.register("100", family: "Smith", store)
            #expect(try await Self.said(store).patientName == "Smith^Jane")
            #expect(try await Self.finds([.patientName: .name("smith^jane")], store))
        }
    }

    @Test("Studies from before are found after the upkeep, which ends", arguments: TestDatabases.all)
    func upkeep(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { database in
            let old = Support.store(database)
            try await Self.register("100", old)
            try await Self.put("1.1", old)
            try await Self.merge("100", into: "200", old)
            while try await old.upkeepStep() {}
            #expect(
                try await old.studies(StudyQuery(level: .study), access: Support.server).matches.first?.study.attributes
                    .patientID == "100")
            let store = Support.store(database, authorities: Self.authorities)
            #expect(try await Self.said(store).patientID == "200")
            #expect(try await !Self.finds([.patientID: .exact("200")], store))
            while try await store.upkeepStep() {}
            #expect(try await Self.finds([.patientID: .exact("200")], store))
            #expect(try await !store.upkeepStep())
            // Another name of the authority is another issuer.
            var authorities = Self.authorities
            authorities.authorities[0].namespace = "CLINIC"
            let renamed = Support.store(database, authorities: authorities)
            while try await renamed.upkeepStep() {}
            #expect(try await Self.finds([.issuerOfPatientID: .exact("CLINIC")], renamed))
            #expect(try await !Self.finds([.issuerOfPatientID: .exact("HOSP")], renamed))
        }
    }
}
