import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// Studies of archives as rows and as resources, on both databases.
@Suite("Studies of archives on both databases")
struct RemoteStudyTests {
    typealias Support = WorkflowSupport

    private static func match(
        _ uid: String, patient: String = "100", date: String? = "20260105", instances: Int = 4
    ) -> StudyMatch {
        var attributes = StudyAttributes()
        attributes.patientID = patient
        attributes.patientIDSystem = "urn:mrn"
        attributes.studyDate = date
        attributes.studyDescription = "CT chest"
        attributes.accessionNumber = "A" + uid
        attributes.accessionSystem = "urn:acc"
        var match = StudyMatch(
            study: Study(
                id: EntityID(uid), studyInstanceUID: uid, reconciliation: .quarantined(.unknownPatient),
                attributes: attributes, updatedAt: .distantPast),
            modalitiesInStudy: ["CT", "SR"], numberOfStudyRelatedSeries: 2, numberOfStudyRelatedInstances: instances)
        match.archive = "PACS"
        return match
    }

    private static func say(_ matches: [StudyMatch], _ store: RelationalStore) async throws {
        let survey = ArchiveSurvey(archive: "PACS", question: .others, matches: matches, isWhole: true)
        try await store.work { unit in
            let service = RemoteStudyService()
            try service.apply(try service.steps(survey, in: unit), of: "PACS", in: unit)
        }
    }

    private static func resource(_ id: EntityID, _ store: RelationalStore) async throws -> JSONValue? {
        guard let stored = try await store.read("ImagingStudy", id.value, access: Support.server), !stored.isDeleted
        else { return nil }
        return JSONValue(try JSONDocument(parsing: stored.bytes, limits: .stored))
    }

    private static func availability(_ resource: JSONValue?) -> String? {
        resource?["extension"]?.array?.first {
            $0["url"]?.string?.hasSuffix("extension-ImagingStudy.availability") == true
        }?["valueCode"]?.string
    }

    @Test("A row is read as it was kept, and found by patient, order, numbers, days and archive")
    func rows() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                func study(_ uid: String, _ link: Reconciliation, archive: String = "PACS", date: String? = "20260105")
                    -> RemoteStudy
                {
                    RemoteStudy(
                        id: EntityID("id-\(uid)"), studyInstanceUID: uid, archive: archive, reconciliation: link,
                        attributes: Self.match(uid, date: date).study.attributes, modalities: ["CT"],
                        numberOfSeries: 2, numberOfInstances: 3, updatedAt: Support.at(7))
                }
                let (patient, order) = (EntityID("p"), EntityID("o"))
                let first = study("1.1", .matched(patientID: patient, orderID: order))
                var second = study("1.2", .unscheduled(patientID: patient), archive: "OTHER", date: nil)
                second.misses = RemoteStudy.missesMax
                second.missedAt = Support.at(9)
                let third = study("1.3", .quarantined(.patientMismatch), date: "20260107")
                try await store.work { [second] unit in for study in [first, second, third] { try unit.save(study) } }
                #expect(try await store.look { try $0.remoteStudy("1.2") } == second)
                #expect(try await store.look { try $0.remoteStudy(id: EntityID("id-1.1")) } == first)
                #expect(try await store.look { try $0.remoteStudy("1.9") } == nil)
                func found(_ selection: RemoteStudySelection) async throws -> [String] {
                    try await store.look { try $0.remoteStudies(selection) }.map(\.studyInstanceUID)
                }
                #expect(try await found(.ofPatient(patient)) == ["1.1", "1.2"])
                #expect(try await found(.ofOrder(order)) == ["1.1"])
                #expect(try await found(.namingPatient(Support.mrn("100"))) == ["1.1", "1.2", "1.3"])
                #expect(try await found(.namingPatient(Support.mrn("10"))) == [])
                #expect(
                    try await found(.namingAccession(Identifier(system: "urn:acc", value: "A1.3"))) == ["1.3"])
                #expect(try await found(.ofNumbers(["7", "100"], at: "PACS")) == ["1.1", "1.3"])
                #expect(try await found(.ofDays(from: "20260105", to: "20260106", at: "PACS")) == ["1.1"])
                #expect(try await found(.ofDays(from: "20260105", to: "20260107", at: "PACS")) == ["1.1", "1.3"])
                #expect(try await found(.notAt(["OTHER"])) == ["1.1", "1.3"])
                #expect(try await found(.notAt(["PACS"])) == [])
                #expect(try await found(.ids(["id-1.3", "p", "id-1.1"].map { EntityID($0) })) == ["1.1", "1.3"])
                #expect(try await found(.ids([])) == [])
                let totals = try await store.remoteTotals()
                #expect(
                    Set(totals) == [
                        RemoteStudyTotal(archive: "PACS", isMissing: false, count: 2),
                        RemoteStudyTotal(archive: "OTHER", isMissing: true, count: 1),
                    ])
                await #expect(throws: StoreError.self) { try await store.look { try $0.save(first) } }
            }
        }
    }

    @Test("An archive's study is an ImagingStudy marked NEARLINE, and the same resource goes on when it is fetched")
    func resources() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                let patient = try #require(
                    try await store.work { try PatientService().apply(Support.patient("100"), in: $0).patientID })
                try await Self.say([Self.match("1.2"), Self.match("1.3", patient: "200")], store)
                let id = try #require(try await store.look { try $0.remoteStudy("1.2")?.id })
                #expect(try await store.look { try $0.remoteStudy("1.3") } == nil)
                var remote = try await Self.resource(id, store)
                #expect(Self.availability(remote) == "NEARLINE" && remote?["status"]?.string == "available")
                #expect(remote?["subject"]?["reference"]?.string == "Patient/\(patient.value)")
                #expect(remote?["numberOfInstances"]?.numberText == "4" && remote?["series"] == nil)
                #expect(remote?["modality"]?.array?.compactMap { $0["code"]?.string } == ["CT", "SR"])
                #expect(remote?["started"]?.string == "2026-01-05")
                // Somebody looks, and its archive tells the series.
                var attributes = SeriesAttributes()
                attributes.modality = "CT"
                attributes.seriesNumber = 3
                let series = RemoteSeries(seriesInstanceUID: "1.2.1", attributes: attributes, numberOfInstances: 4)
                let bare = RemoteSeries(
                    seriesInstanceUID: "1.2.2", attributes: SeriesAttributes(), numberOfInstances: 0)
                for isNew in [true, false] {
                    let told = try await store.work { unit in
                        try RemoteStudyService().tell([series, bare], of: "1.2", at: "PACS", in: unit)
                    }
                    #expect(told == isNew)
                }
                #expect(try await store.look { try $0.remoteStudy("1.2")?.series } == [series, bare])
                remote = try await Self.resource(id, store)
                let listed = remote?["series"]?.array ?? []
                #expect(listed.compactMap { $0["uid"]?.string } == ["1.2.1", "1.2.2"])
                #expect(listed.map { $0["numberOfInstances"]?.numberText } == ["4", nil])
                #expect(listed.map { $0["modality"]?["code"]?.string } == ["CT", "OT"])
                #expect(listed.first?["number"]?.numberText == "3" && listed.first?["instance"] == nil)
                // The archive has more, and other series perhaps.
                try await Self.say([Self.match("1.2", instances: 6)], store)
                remote = try await Self.resource(id, store)
                #expect(remote?["numberOfInstances"]?.numberText == "6" && remote?["series"] == nil)

                // Fetched: all that is here is told of.
                try await store.work { unit in
                    var copy = ArchiveCopy(of: "1.2", at: "PACS", expected: 2, now: unit.time)
                    copy.state = .whole
                    try unit.save(copy)
                    for sop in ["1", "2"] {
                        var received = Support.received(sop, study: "1.2", series: "1.2.1")
                        received.instance.archive = "PACS"
                        _ = try StudyService().register(received, in: unit)
                    }
                    try StudyService().publish("1.2", in: unit)
                }
                let local = try await Self.resource(id, store)
                #expect(Self.availability(local) == "ONLINE" && local?["numberOfInstances"]?.numberText == "2")
                #expect(local?["series"]?.array?.count == 1)

                // Let go: the archive's again, as one version and not by way of a deletion.
                let before = try await store.read("ImagingStudy", id.value, access: Support.server)?.version
                #expect(try await store.work { try ArchiveCopyService().letGo("1.2", in: $0) } == .done)
                let after = try #require(try await store.read("ImagingStudy", id.value, access: Support.server))
                #expect(after.version == (before ?? 0) + 1)
                remote = try await Self.resource(id, store)
                #expect(Self.availability(remote) == "NEARLINE" && remote?["series"] == nil)
                #expect(remote?["numberOfInstances"]?.numberText == "6")
                try await store.publish("1.2", access: Support.server)
                #expect(
                    try await store.read("ImagingStudy", id.value, access: Support.server)?.version == after.version)
            }
        }
    }

    @Test("Gone from its archive it is marked and stays; nobody's any more, or rejected here, it is withdrawn")
    func gone() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                try await store.work { _ = try PatientService().apply(Support.patient("100"), in: $0) }
                try await Self.say([Self.match("1.2"), Self.match("1.3")], store)
                let id = try #require(try await store.look { try $0.remoteStudy("1.2")?.id })
                try await store.work { try RemoteStudyService().forget(allBut: [], in: $0) }
                let gone = try await Self.resource(id, store)
                #expect(Self.availability(gone) == "UNAVAILABLE" && gone?["status"]?.string == "unknown")
                #expect(gone?["endpoint"] == nil)
                try await Self.say([Self.match("1.2")], store)
                #expect(Self.availability(try await Self.resource(id, store)) == "NEARLINE")
                // An order of another patient has its accession number.
                try await store.work { unit in
                    var order = OrderUpdate(control: .new, patient: Support.patient("200"))
                    order.placer = Identifier(system: "urn:placer", value: "P1", kind: .placer)
                    order.accession = Identifier(system: "urn:acc", value: "A1.2", kind: .accession)
                    order.code = Support.concept("CT")
                    _ = try OrderService().apply(order, in: unit)
                }
                #expect(try await Self.resource(id, store) == nil)
                #expect(try await store.look { try $0.remoteStudy("1.2")?.id } == id)

                // Stored here, and rejected by a person: in no answer, though the archive has it.
                let other = try #require(try await store.look { try $0.remoteStudy("1.3")?.id })
                try await store.work { unit in
                    _ = try StudyService().register(Support.received("1", study: "1.3", series: "1.3.1"), in: unit)
                    try StudyService().publish("1.3", in: unit)
                }
                #expect(try await Self.resource(other, store) != nil)
                try await store.work { unit in
                    try QuarantineService().decide(
                        QuarantineRequest(.reject, studyInstanceUID: "1.3", reason: "test"), in: unit)
                }
                #expect(try await Self.resource(other, store) == nil)
                try await Self.say([Self.match("1.3", instances: 99)], store)
                #expect(try await Self.resource(other, store) == nil)
            }
        }
    }

    @Test("An order that comes, and a report that names an unknown study, have archives asked; where there are any")
    func questions() async throws {
        for kind in TestDatabases.all {
            try await TestDatabases.with(kind) { database in
                let store = RelationalStore(
                    database: database, entropy: SeededEntropy(),
                    observers: [FHIRProjector(), ArchiveQuestionObserver()])
                func place(_ number: String) async throws {
                    try await store.work { unit in
                        var order = OrderUpdate(control: .new, patient: Support.patient("100"))
                        order.placer = Identifier(system: "urn:placer", value: number, kind: .placer)
                        order.code = Support.concept("CT")
                        _ = try OrderService().apply(order, in: unit)
                    }
                }
                func causes() async throws -> [String] {
                    try await store.outboxEntries(OutboxQuery(limit: 100), access: Support.server).reversed()
                        .map { ArchiveQuestion($0)?.cause.rawValue ?? "?" }
                }
                try await place("P1")
                #expect(try await causes() == [])
                var peer = Peer(kind: .applicationEntity, name: "PACS", host: "h", port: 104, offers: [.find])
                peer.archive = ArchiveCapabilities()
                try await store.save(peer)
                try await place("P2")
                // The same order again is no new one.
                try await place("P2")
                #expect(try await causes() == ["order"])
                let report: @Sendable (Report.Status) async throws -> Void = { status in
                    try await store.work { unit in
                        var update = ReportUpdate(
                            patient: Support.patient("100"), status: status, code: Support.concept("CT"))
                        update.placer = Identifier(system: "urn:placer", value: "P2", kind: .placer)
                        update.studyInstanceUIDs = ["1.2.9"]
                        update.issued = Support.at(100)
                        _ = try ReportService().apply(update, in: unit)
                    }
                }
                try await report(.preliminary)
                #expect(try await causes().contains("report"))
            }
        }
    }

    @Test("A change of an order gives cause once, where a rule takes now what it did not before and nobody has fetched")
    func changedOrder() async throws {
        var rule = PrefetchRule(name: "mr", causes: [.order])
        rule.modalities = [TextPattern("MR")]
        for kind in TestDatabases.all {
            try await TestDatabases.with(kind) { database in
                let store = RelationalStore(
                    database: database, entropy: SeededEntropy(),
                    observers: [
                        FHIRProjector(), ArchiveQuestionObserver(causes: [.order], rules: PrefetchRules([rule])),
                    ])
                var peer = Peer(kind: .applicationEntity, name: "PACS", host: "h", port: 104, offers: [.find])
                peer.archive = ArchiveCapabilities()
                try await store.save(peer)
                try await store.work { _ = try PatientService().apply(Support.patient("100"), in: $0) }
                try await Self.say([Self.match("1.2")], store)
                func questions() async throws -> Int {
                    try await store.outboxEntries(OutboxQuery(limit: 100), access: Support.server).count
                }
                try await store.work { unit in
                    var order = OrderUpdate(control: .new, patient: Support.patient("100"))
                    order.placer = Identifier(system: "urn:placer", value: "P1", kind: .placer)
                    order.code = Support.concept("CT")
                    _ = try OrderService().apply(order, in: unit)
                }
                #expect(try await questions() == 1)
                func change(_ modality: String) async throws {
                    try await store.work { unit in
                        let placer = Identifier(system: "urn:placer", value: "P1", kind: .placer)
                        guard var order = try unit.orders(identifiedBy: placer, as: .placer).first else { return }
                        order.modality = modality
                        try unit.save(order)
                        unit.emit(.orderChanged(order.id))
                    }
                }
                // Nothing that the rule asks for.
                try await change("CT")
                #expect(try await questions() == 1)
                try await change("MR")
                #expect(try await questions() == 2)
                // What is asked for already is no cause any more.
                try await store.work { unit in
                    _ = try ArchiveCopyService().request("1.2", of: "PACS", expected: 4, reason: "r", in: unit)
                }
                try await change("CT")
                try await change("MR")
                #expect(try await questions() == 2)
            }
        }
    }

    @Test("A label that hides a study hides what its archive answers of it, too")
    func labelled() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                let patient = try #require(
                    try await store.work { try PatientService().apply(Support.patient("100"), in: $0).patientID })
                try await Self.say([Self.match("1.2"), Self.match("1.3")], store)
                let access = PracticeTests.access(.referrer, launched: [patient.value])
                func seen(_ visibility: Visibility) async throws -> [String] {
                    try await store.look { unit in
                        let matches = [Self.match("1.2"), Self.match("1.3")]
                        return try RemoteMatches().shown(matches, to: visibility, in: unit)
                    }.map(\.study.studyInstanceUID)
                }
                for visibility in [access.visibility(.search, of: "ImagingStudy"), access.imageVisibility] {
                    #expect(try await seen(visibility) == ["1.2", "1.3"])
                }
                let id = try #require(try await store.look { try $0.remoteStudy("1.2")?.id })
                try await store.work { unit in
                    let label = SecurityLabel.restricted
                    let document = try JSONDocument(
                        parsing: Array(
                            """
                            {"resourceType":"ImagingStudy","id":"\(id.value)","status":"available",\
                            "meta":{"security":[{"system":"\(label.system)","code":"\(label.code)"}]},\
                            "subject":{"reference":"Patient/\(patient.value)"}}
                            """.utf8))
                    _ = try (unit as? any ResourceUnitOfWork)?.putResource(
                        "ImagingStudy", id.value, document, method: .update)
                }
                for visibility in [access.visibility(.search, of: "ImagingStudy"), access.imageVisibility] {
                    #expect(try await seen(visibility) == ["1.3"])
                }
                #expect(try await seen(.whole) == ["1.2", "1.3"])
            }
        }
    }

    @Test("A client can not delete a study that an archive has")
    func clients() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                try await store.work { _ = try PatientService().apply(Support.patient("100"), in: $0) }
                try await Self.say([Self.match("1.2")], store)
                let id = try #require(try await store.look { try $0.remoteStudy("1.2")?.id })
                await #expect(throws: InteractionError.self) {
                    try await store.work { unit in
                        guard let unit = unit as? any ResourceUnitOfWork,
                            let current = try unit.currentResource("ImagingStudy", id.value)
                        else { return }
                        try FedTypes.named("ImagingStudy")?.remove(id, current, in: unit)
                    }
                }
            }
        }
    }
}
