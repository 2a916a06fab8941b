import Access
import FHIRModel
import FHIRResources
import Testing
import Workflow

@testable import SQLStore

/// What a person decides about images that were kept aside, on both databases. Case S4; IHE RAD TF-1 §4 (PIR), IOCM.
@Suite("Quarantine decisions on both databases")
struct QuarantineTests {
    typealias Support = WorkflowSupport
    static let study = "1.2.3"
    static let desk = AccessContext(
        principal: Principal(kind: .operator, id: "ann"), scopes: [], isUnrestricted: true, requestID: "t")

    /// Patients 100 and 200, an order of each (accession A1 and A2), ids by number.
    static func with(
        _ kind: SQLDialect, _ body: (RelationalStore, [String: EntityID]) async throws -> Void
    ) async throws {
        try await Support.with(kind) { (store) async throws in
            let ids = try await store.work { unit -> [String: EntityID] in
                var ids: [String: EntityID] = [:]
                for (number, accession) in [("100", "A1"), ("200", "A2")] {
                    ids[number] = try PatientService().apply(Support.patient(number), in: unit).patientID
                    ids[accession] = try order(number, accession, in: unit)
                }
                return ids
            }
            try await body(store, ids)
        }
    }

    @discardableResult
    static func order(_ patient: String, _ accession: String, in unit: any UnitOfWork) throws -> EntityID {
        var order = OrderUpdate(control: .new, patient: Support.patient(patient))
        order.placer = Identifier(system: "urn:placer", value: "P" + accession, kind: .placer)
        order.accession = Identifier(system: "urn:acc", value: accession, kind: .accession)
        order.code = Support.concept("CT")
        return try OrderService().apply(order, in: unit).orderID
    }

    static func image(
        _ sop: String, series: String = "1.2.3.1", patient: String = "100", accession: String? = nil,
        blob: String? = nil
    ) -> ReceivedInstance {
        var received = Support.received(sop, study: study, series: series) { ofStudy, ofSeries in
            (ofStudy.patientID, ofSeries.patientID) = (patient, patient)
            (ofStudy.accessionNumber, ofSeries.accessionNumber) = (accession, accession)
            (ofStudy.accessionSystem, ofSeries.accessionSystem) = ("urn:acc", "urn:acc")
            ofStudy.patientName = "NAME^OF \(patient)"
        }
        if let blob { received.instance.blobID = BlobID(blob) }
        return received
    }

    @discardableResult
    static func send(_ store: RelationalStore, _ images: ReceivedInstance...) async throws
        -> [StudyService.Outcome]
    {
        let outcomes = try await store.work { unit in try images.map { try StudyService().register($0, in: unit) } }
        try await store.publish(study, access: Support.server)
        return outcomes
    }

    @discardableResult
    static func decide(
        _ store: RelationalStore, _ ask: QuarantineRequest.Ask, series: String? = nil, instance: String? = nil
    ) async throws -> [QuarantinedSeries] {
        let result = try await store.decide(
            QuarantineRequest(
                ask, studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: instance, reason: "as told"),
            access: desk)
        try await store.publish(study, access: Support.server)
        return result
    }

    static func link(_ store: RelationalStore, _ series: String = "1.2.3.1") async throws -> Reconciliation? {
        try await store.look { try $0.series(series, in: study)?.reconciliation }
    }

    /// What every door shows of the study: instances by QIDO and by WADO, the ImagingStudy's subject and count.
    static func shown(_ store: RelationalStore) async throws -> String {
        var query = StudyQuery(level: .instance)
        query.keys[.studyInstanceUID] = .exact(study)
        let found = try await store.studies(query, access: Support.server).matches.count
        let read = try await store.instances(
            studyInstanceUID: study, seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 99,
            access: Support.server)
        let headers = try await store.headers(
            studyInstanceUID: study, seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 99,
            access: Support.server)
        #expect(found == read.count)
        #expect(found == headers.count)
        let entry = try await store.look { unit in try unit.study(study)?.id }
        var resource = "none"
        if let entry, let stored = try await store.currentVersion("ImagingStudy", entry.value) { resource = stored }
        return "\(found) \(resource)"
    }

    @Test("accept: the series is its patient's although its accession number is unknown", arguments: TestDatabases.all)
    func accept(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            try await Self.send(store, Self.image("1.1", accession: "A9"))
            #expect(try await Self.link(store) == .quarantined(.unknownAccession))
            let patient = try #require(ids["100"])
            let after = try await Self.decide(store, .accept)
            #expect(after.map(\.state) == [.decided])
            #expect(after.first?.decision?.decidedBy == "operator:ann")
            #expect(after.first?.decision?.reason == "as told")
            #expect(try await Self.link(store) == .unscheduled(patientID: patient))
            #expect(try await Self.shown(store) == "1 Patient/\(patient.value) 1")
            #expect(try await store.quarantine(.waiting, limit: 9, access: Support.server).isEmpty)

            // A later order of that number is another link: told, not taken.
            let order = try await store.work { try Self.order("100", "A9", in: $0) }
            #expect(try await Self.link(store) == .unscheduled(patientID: patient))
            let waiting = try await store.quarantine(.waiting, limit: 9, access: Support.server)
            #expect(waiting.first?.decision?.contradiction == .matched(patientID: patient, orderID: order))
            try await Self.decide(store, .undo)
            #expect(try await Self.link(store) == .matched(patientID: patient, orderID: order))
            #expect(try await store.quarantine(nil, limit: 9, access: Support.server).isEmpty)
        }
    }

    @Test(
        "An image is of the patient that it is linked to, whatever it says; of nobody while that is contradicted",
        arguments: TestDatabases.all)
    func patientOfImage(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            let (hundred, two) = try (#require(ids["100"]), #require(ids["200"]))
            try await Self.send(store, Self.image("1.1"), Self.image("1.2", patient: "200"))
            try await Self.send(store, Self.image("1.3", series: "1.2.3.2", patient: "300"))
            func patient(_ uid: String, _ access: AccessContext = Support.server) async throws -> PatientOfInstance {
                let instance = try #require(try await store.look { try $0.instance(uid) })
                return try await store.patient(of: instance, access: access)
            }
            let one = try #require(try await store.look { try $0.patient(hundred) })
            #expect(try await patient("1.1") == .linked(one))
            #expect(try await patient("1.2") == .uncertain)
            #expect(try await patient("1.3") == .asSent)
            try await Self.decide(store, .relink(.patient(.id(two))), series: "1.2.3.1")
            guard case .linked(let other) = try await patient("1.1") else {
                Issue.record("not linked")
                return
            }
            #expect(other.id == two)
            // Who may see no image is told of no patient.
            let nobody = AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "t", sourceAddress: nil)
            #expect(try await patient("1.1", nobody) == .uncertain)
        }
    }

    @Test(
        "relink: to a named order or patient, by id or number; it holds against messages and merges",
        arguments: TestDatabases.all)
    func relink(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            let (one, two, order) = try (#require(ids["100"]), #require(ids["200"]), #require(ids["A2"]))
            try await Self.send(store, Self.image("1.1", patient: "300"))
            #expect(try await Self.link(store) == .quarantined(.unknownPatient))
            for target in [
                QuarantineRequest.Target.order(.id(order)), .order(.number(system: "urn:acc", value: "A2")),
                .order(.number(system: "urn:placer", value: "PA2")),
            ] {
                try await Self.decide(store, .relink(target))
                #expect(try await Self.link(store) == .matched(patientID: two, orderID: order))
            }
            #expect(try await Self.shown(store) == "1 Patient/\(two.value) 1")
            // What is stored stays; later images of the series go with it, and those of the right identity too.
            try await Self.send(
                store, Self.image("1.2", patient: "300"), Self.image("1.3", patient: "200", accession: "A2"))
            #expect(try await Self.shown(store) == "3 Patient/\(two.value) 3")
            #expect(try await store.look { try $0.series("1.2.3.1", in: Self.study)?.attributes.patientID } == "300")

            // The patient whom the images name is registered.
            let three = try await store.work { try PatientService().apply(Support.patient("300"), in: $0).patientID }
            #expect(try await Self.link(store) == .matched(patientID: two, orderID: order))
            let now = try await store.quarantine(.waiting, limit: 9, access: Support.server).first?.decision
            #expect(now?.contradiction == three.map { .unscheduled(patientID: $0) })
            // The decision follows a merge of its patient.
            try await store.work {
                _ = try PatientService().merge(
                    prior: [Support.mrn("200")], into: Support.patient("100"), in: $0)
            }
            #expect(try await Self.link(store) == .matched(patientID: one, orderID: order))
            try await Self.decide(store, .relink(.patient(.number(system: "urn:mrn", value: "200"))))
            #expect(try await Self.link(store) == .unscheduled(patientID: one))
            try await Self.decide(store, .undo)
            #expect(try await Self.link(store) == three.map { .unscheduled(patientID: $0) })
        }
    }

    @Test(
        "reject: in no answer, also what comes later of the series; undo puts everything back",
        arguments: TestDatabases.all)
    func reject(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            let patient = try #require(ids["100"])
            try await Self.send(store, Self.image("1.1", accession: "A1"), Self.image("1.2", accession: "A1"))
            try await Self.send(
                store, Self.image("2.1", series: "1.2.3.2", patient: "200"),
                Self.image("2.2", series: "1.2.3.2", patient: "200"))
            #expect(try await Self.link(store, "1.2.3.2") == .quarantined(.patientMismatch))
            _ = try await store.instances(
                studyInstanceUID: Self.study, seriesInstanceUID: nil, sopInstanceUID: "2.1", after: nil, limit: 9,
                access: Support.server)

            try await Self.decide(store, .reject, series: "1.2.3.2")
            #expect(try await Self.shown(store) == "2 Patient/\(patient.value) 2")
            #expect(
                store.remembered(
                    studyInstanceUID: Self.study, seriesInstanceUID: "1.2.3.2", sopInstanceUID: "2.1",
                    access: Support.server) == nil)
            #expect(try await store.look { try $0.instance("2.1") } == nil)
            var byName = StudyQuery(level: .study)
            byName.keys[.patientName] = .name("NAME^OF 200")
            #expect(try await store.studies(byName, access: Support.server).matches.isEmpty)
            #expect(try await store.referenced([BlobID("blob-2.1")]) == [BlobID("blob-2.1")])
            let listed = try await store.quarantine(.rejected, limit: 9, access: Support.server)
            #expect(listed.map(\.instances) == [2])
            #expect(listed.first?.reason == .rejected)

            // Sent again, new, and other content under a rejected UID.
            let outcomes = try await Self.send(
                store, Self.image("2.1", series: "1.2.3.2", patient: "200"),
                Self.image("2.3", series: "1.2.3.2", patient: "200"),
                Self.image("2.1", series: "1.2.3.2", patient: "200", blob: "other"))
            #expect(outcomes == [.duplicate, .stored(.quarantined(.rejected)), .conflict])
            #expect(try await Self.shown(store) == "2 Patient/\(patient.value) 2")

            // The rest too: nothing of the study is left, and its resource is gone; then all of it comes back.
            let id = try await store.look { try $0.study(Self.study)?.id }
            try await Self.decide(store, .reject)
            #expect(try await Self.shown(store) == "0 none")
            #expect(try await store.currentVersion("ImagingStudy", try #require(id).value) == "deleted")
            #expect(try await store.studies(StudyQuery(level: .study), access: Support.server).matches.isEmpty)
            await #expect(throws: QuarantineService.Refusal.isRejected) { try await Self.decide(store, .accept) }
            try await Self.decide(store, .undo)
            #expect(try await store.look { try $0.study(Self.study)?.id } == id)
            #expect(try await Self.shown(store) == "5 Patient/\(patient.value) 2")
            #expect(try await Self.link(store, "1.2.3.2") == .quarantined(.patientMismatch))
            #expect(try await Self.link(store)?.orderID == ids["A1"])
            #expect(try await store.studies(byName, access: Support.server).matches.count == 0)
            let sops = try await store.headers(
                studyInstanceUID: Self.study, seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9,
                access: Support.server
            ).map { String(decoding: $0.header, as: UTF8.self) }
            #expect(sops == ["1.1", "1.2", "2.1", "2.2", "2.3"])
            #expect(
                store.remembered(
                    studyInstanceUID: Self.study, seriesInstanceUID: "1.2.3.2", sopInstanceUID: "2.1",
                    access: Support.server)?.blobID == BlobID("blob-2.1"))
        }
    }

    @Test("Of all states the newest come first, however few are asked for", arguments: TestDatabases.all)
    func newest(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, _) async throws in
            func listed(_ limit: Int) async throws -> [String] {
                try await store.quarantine(nil, limit: limit, access: Support.server).map(\.series.seriesInstanceUID)
            }
            for series in ["1.2.3.1", "1.2.3.2", "1.2.3.3"] {
                try await Self.send(store, Self.image("i" + series, series: series, patient: "300"))
            }
            try await Self.decide(store, .reject, series: "1.2.3.2")
            #expect(try await listed(1) == ["1.2.3.2"])
            try await Self.send(store, Self.image("late", series: "1.2.3.0", patient: "300"))
            #expect(try await listed(2) == ["1.2.3.0", "1.2.3.2"])
            #expect(try await listed(9).count == 4)
        }
    }

    @Test(
        "A single instance is accepted into its series or rejected; undo keeps it aside again",
        arguments: TestDatabases.all)
    func instances(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            let patient = try #require(ids["100"])
            try await Self.send(
                store, Self.image("1.1", accession: "A1"), Self.image("1.2", patient: "200"),
                Self.image("1.3", patient: "300"))
            #expect(try await Self.shown(store) == "3 Patient/\(patient.value) 1")
            await #expect(throws: QuarantineService.Refusal.instanceAlone) {
                try await Self.decide(store, .relink(.patient(.id(patient))), instance: "1.2")
            }
            try await Self.decide(store, .accept, instance: "1.2")
            #expect(try await Self.shown(store) == "3 Patient/\(patient.value) 2")
            try await Self.decide(store, .reject, instance: "1.3")
            #expect(try await Self.shown(store) == "2 Patient/\(patient.value) 2")
            // Neither a registration nor a change of the order overturns it.
            try await store.work {
                _ = try PatientService().apply(Support.patient("300"), in: $0)
                _ = try Self.order("100", "A1", in: $0)
            }
            #expect(try await Self.shown(store) == "2 Patient/\(patient.value) 2")
            #expect(try await store.quarantine(.rejected, limit: 9, access: Support.server).map(\.instances) == [1])
            try await Self.decide(store, .undo, instance: "1.3")
            #expect(try await Self.shown(store) == "3 Patient/\(patient.value) 2")
            try await Self.decide(store, .undo)
            #expect(try await Self.shown(store) == "3 Patient/\(patient.value) 1")
            let asides = try await store.look { try $0.series("1.2.3.1", in: Self.study)?.asides }
            #expect(asides?.map(\.sopInstanceUID).sorted() == ["1.2", "1.3"])
        }
    }

    @Test(
        "One study is one patient's: what would part it, and what cannot be, is refused with what to do",
        arguments: TestDatabases.all)
    func refusals(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            let two = try #require(ids["200"])
            try await Self.send(
                store, Self.image("1.1", accession: "A1"), Self.image("2.1", series: "1.2.3.2", patient: "200"))
            typealias Refusal = QuarantineService.Refusal
            await #expect(throws: Refusal.studyOfAnotherPatient(seriesInstanceUID: "1.2.3.1")) {
                try await Self.decide(store, .accept, series: "1.2.3.2")
            }
            await #expect(throws: Refusal.studyOfAnotherPatient(seriesInstanceUID: "1.2.3.1")) {
                try await Self.decide(store, .relink(.patient(.id(two))), series: "1.2.3.2")
            }
            await #expect(throws: Refusal.notKeptAside) { try await Self.decide(store, .accept, series: "1.2.3.1") }
            await #expect(throws: Refusal.notDecided) { try await Self.decide(store, .undo) }
            await #expect(throws: Refusal.unknown) { try await Self.decide(store, .reject, series: "9") }
            await #expect(throws: Refusal.unknownTarget) {
                try await Self.decide(store, .relink(.order(.id(EntityID("none")))))
            }
            for (reason, refusal) in [
                (" ", Refusal.reasonMissing), (String(repeating: "x", count: 1_001), .reasonTooLong),
            ] {
                await #expect(throws: refusal) {
                    try await store.decide(
                        QuarantineRequest(.accept, studyInstanceUID: Self.study, reason: reason), access: Self.desk)
                }
            }
            // The whole study may change hands, as after a wrong choice at the worklist.
            try await Self.decide(store, .relink(.order(.number(system: "urn:acc", value: "A2"))))
            #expect(try await Self.shown(store) == "2 Patient/\(two.value) 2")
            try await Self.decide(store, .undo)
            #expect(try await Self.link(store)?.orderID == ids["A1"])
            #expect(try await Self.link(store, "1.2.3.2") == .quarantined(.patientMismatch))
        }
    }

    @Test("Rejected images go when the site does not keep them any longer, in steps", arguments: TestDatabases.all)
    func retention(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, _) async throws in
            try await Self.send(
                store, Self.image("1.1", accession: "A1"), Self.image("1.2", accession: "A1"),
                Self.image("1.3", accession: "A1"))
            try await Self.decide(store, .reject)
            let decided = try #require(
                try await store.quarantine(.rejected, limit: 9, access: Support.server).first?.decision?.decidedAt)
            #expect(try await store.remove(.rejected, before: decided, limit: 2).removed == 0)
            let later = decided.advanced(bySeconds: 1)
            var removed: [Int] = []
            while true {
                let step = try await store.remove(.rejected, before: later, limit: 2)
                removed.append(step.removed)
                if !step.hasMore { break }
            }
            #expect(removed == [2, 1, 0])
            #expect(try await store.referenced([BlobID("blob-1.1")]).isEmpty)
            await #expect(throws: QuarantineService.Refusal.unknown) { try await Self.decide(store, .undo) }
            #expect(try await Self.send(store, Self.image("1.1", accession: "A1")).count == 1)
            #expect(try await Self.link(store)?.orderID != nil)
        }
    }

    @Test("A report follows the images: it leaves the order that lost them", arguments: TestDatabases.all)
    func reports(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, ids) async throws in
            try await Self.send(store, Self.image("1.1", accession: "A1"))
            let report = try await store.work { unit -> EntityID in
                var update = ReportUpdate(
                    patient: Support.patient("100"), status: .final, code: Support.concept("CT"))
                update.placer = Identifier(system: "urn:placer", value: "PA1", kind: .placer)
                return try ReportService().apply(update, in: unit).reportID
            }
            #expect(try await store.look { try $0.report(report)?.studyInstanceUIDs } == [Self.study])
            try await Self.decide(store, .relink(.order(.id(try #require(ids["A2"])))))
            #expect(try await store.look { try $0.report(report)?.studyInstanceUIDs } == [])
        }
    }
}

extension RelationalStore {
    /// Subject and count of instances of a stored ImagingStudy, or `deleted`; nil for none.
    func currentVersion(_ type: String, _ id: String) async throws -> String? {
        try await readUnit(WorkflowSupport.server) { unit in
            guard let current = try unit.currentResource(type, id) else { return nil }
            if current.isDeleted { return "deleted" }
            let resource = JSONValue(try JSONDocument(parsing: current.bytes, limits: .stored))
            let count = resource["numberOfInstances"]?.numberText ?? "-"
            return "\(resource["subject"]?["reference"]?.string ?? "-") \(count)"
        }
    }
}
