import Access
import Testing
import Workflow

@testable import SQLStore

/// Rejection notes and deletions: what they hide from every reader of the imaging index, what brings it back, and what is
/// sent again, on both databases. IHE RAD TF-2 §4.66.4.1.3.
@Suite("Rejection notes on both databases")
struct RejectionNoteTests {
    typealias Support = WorkflowSupport
    typealias Quarantine = QuarantineTests
    private static let study = QuarantineTests.study

    private static func reference(
        _ sop: String, series: String = "1.2.3.1", study: String = study
    ) -> RejectionNote.Reference {
        RejectionNote.Reference(studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: sop)
    }

    private static func note(
        _ title: RejectionTitle, _ references: RejectionNote.Reference..., uid: String = "9.1",
        series: String = "1.2.3.9"
    ) -> ReceivedInstance {
        var received = Quarantine.image(uid, series: series, accession: "A1")
        received.instance.sopClassUID = "1.2.840.10008.5.1.4.1.1.88.59"
        received.series.modality = "KO"
        received.rejection = RejectionNote(title: title, references: references)
        return received
    }

    private static func count(_ store: RelationalStore) async throws -> String {
        try await Quarantine.shown(store).split(separator: " ").first.map(String.init) ?? ""
    }

    private static func delete(
        _ store: RelationalStore, _ title: RejectionTitle, series: String? = nil, instance: String? = nil,
        access: AccessContext = QuarantineTests.desk
    ) async throws -> RejectionOutcome {
        let outcome = try await store.reject(
            QuarantineRequest(
                .reject, studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: instance,
                reason: title.meaning, title: title), access: access)
        try await store.publish(study, access: Support.server)
        return outcome
    }

    @Test("What a note refers to is in no answer, the note is; undo puts it back", arguments: TestDatabases.all)
    func note(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, ids) async throws in
            let patient = "Patient/\(try #require(ids["100"]).value)"
            try await Quarantine.send(
                store, Quarantine.image("1.1", accession: "A1"), Quarantine.image("1.2", accession: "A1"))
            #expect(try await Quarantine.shown(store) == "2 \(patient) 2")
            // A reference to where it does not lie rejects nothing.
            try await Quarantine.send(
                store, Self.note(.patientSafety, Self.reference("1.1"), Self.reference("1.2", series: "1.2.3.7")))
            #expect(try await Quarantine.shown(store) == "2 \(patient) 2")
            let kept = try #require(try await store.quarantine(.rejected, limit: 9, access: Support.server).first)
            #expect(kept.instanceDecisions["1.1"]?.title == .patientSafety)
            #expect(kept.instances == 1)
            #expect(try await store.look { try $0.instance("1.1") } == nil)
            // Sent again: a success for its sender, and still nowhere.
            #expect(try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1")) == [.duplicate])
            #expect(try await Self.count(store) == "2")
            try await Quarantine.decide(store, .undo, instance: "1.1")
            #expect(try await Quarantine.shown(store) == "3 \(patient) 3")
            // The same note again is a duplicate, and decides nothing a second time.
            #expect(
                try await Quarantine.send(store, Self.note(.patientSafety, Self.reference("1.1"))) == [.duplicate])
            #expect(try await Self.count(store) == "3")
        }
    }

    @Test("The last images of a study leave with their ImagingStudy", arguments: TestDatabases.all)
    func whole(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1"))
            #expect(try await Self.delete(store, .worklistEntry) == .rejected)
            #expect(try await Quarantine.shown(store) == "0 none")
            // What comes of the study later goes the same way; only the retention of policies takes it.
            try await Quarantine.send(store, Quarantine.image("1.2", accession: "A1"))
            #expect(try await Quarantine.shown(store) == "0 none")
            await #expect(throws: QuarantineService.Refusal.isRejected) {
                _ = try await Self.delete(store, .worklistEntry)
            }
            try await Quarantine.decide(store, .undo)
            #expect(try await Self.count(store) == "2")
        }
    }

    @Test(
        "A note of thousands of references hides what is here, and keeps what has not come",
        arguments: TestDatabases.all)
    func many(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            let images = (1...30).map { Quarantine.image("1.\($0)", accession: "A1") }
            for image in images { try await Quarantine.send(store, image) }
            var note = Self.note(.quality, Self.reference("1.1"))
            // Here, here in another series, and not here.
            note.rejection = RejectionNote(
                title: .quality,
                references: (1...20).map { Self.reference("1.\($0)") }
                    + (21...25).map { Self.reference("1.\($0)", series: "1.2.3.7") }
                    + (100..<2_200).map { Self.reference("1.\($0)") } + [Self.reference("1.1")])
            try await Quarantine.send(store, note)
            #expect(try await Self.count(store) == "11")
            let kept = try await store.quarantine(.rejected, limit: 9, access: Support.server)
            #expect(kept.map(\.instances) == [20])
            for (uid, isAwaited) in [("1.1", false), ("1.21", false), ("1.100", true), ("1.2199", true)] {
                let awaited = try await store.look { try $0.awaitedRejection(of: uid) }
                #expect((awaited != nil) == isAwaited, "\(uid)")
            }
            let places = try await store.look { try $0.places(of: ["1.1", "1.21", "1.100", "9.1"]) }
            #expect(places.mapValues(\.isRejected) == ["1.1": true, "1.21": false, "9.1": false])
            #expect(places["9.1"]?.seriesInstanceUID == "1.2.3.9")
        }
    }

    @Test(
        "The row of a deletion names the patient, also where nothing of the study is left", arguments: TestDatabases.all
    )
    func rows(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, ids) async throws in
            let patient = try #require(ids["100"]).value
            try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1"))
            _ = try await Self.delete(store, .retentionExpired)
            try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1"))
            let found = try await store.auditRows(AuditQuery(limit: 100), access: Quarantine.desk)
            let rows = found.rows.map(\.record).filter { $0.interaction.hasPrefix("quarantine-") }
            #expect(rows.map(\.interaction) == ["quarantine-undo", "quarantine-reject"])
            #expect(rows.allSatisfy { $0.patientIDs.contains(patient) })
        }
    }

    @Test(
        "Of instances that a note rejected before they came each is undone by itself, or all with their series",
        arguments: TestDatabases.all, [false, true])
    func decisions(_ kind: SQLDialect, _ isOfEarlierVersion: Bool) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            let uids = ["1.1", "1.2", "1.3"]
            var note = Self.note(.quality, Self.reference("1.1"))
            note.rejection?.references = uids.map { Self.reference($0) }
            try await Quarantine.send(store, note)
            for uid in uids { try await Quarantine.send(store, Quarantine.image(uid, accession: "A1")) }
            #expect(try await Self.count(store) == "1")
            if isOfEarlierVersion {
                // As it stood before migration 45: with the series.
                try await store.work { unit in
                    let unit = try #require(unit as? SQLUnitOfWork)
                    let kept = try #require(try unit.rejectedSeries("1.2.3.1", in: Self.study))
                    let whole = try QuarantineService().whole(kept, in: unit)
                    #expect(whole.instances.keys.sorted() == uids && kept.instances.isEmpty)
                    try unit.connection.run(
                        "UPDATE rejected_series SET detail = ?",
                        [
                            try DetailColumn.encode(
                                whole, .rejectedSeries, StudyTable.seriesKey("1.2.3.1", Self.study))
                        ])
                    try unit.connection.run("DELETE FROM rejected_decisions")
                }
            }
            func kept() async throws -> [String] {
                try await store.quarantine(.rejected, limit: 9, access: Support.server).flatMap {
                    $0.instanceDecisions.keys.sorted()
                }
            }
            #expect(try await kept() == uids)
            try await Quarantine.decide(store, .undo, instance: "1.2")
            #expect(try await Self.count(store) == "2")
            #expect(try await kept() == ["1.1", "1.3"])
            _ = try await Self.delete(store, .patientSafety, instance: "1.2")
            #expect(try await kept() == uids)
            let titles = try await store.quarantine(.rejected, limit: 9, access: Support.server).first?
                .instanceDecisions.mapValues(\.title)
            #expect(titles == ["1.1": .quality, "1.2": .patientSafety, "1.3": .quality])
            try await Quarantine.decide(store, .undo)
            #expect(try await Self.count(store) == "4")
            #expect(try await kept() == [])
            let left = try await store.look { unit in
                try unit.rejections(of: "1.2.3.1", in: Self.study, sopInstanceUIDs: nil).count
            }
            #expect(left == 0)
        }
    }

    @Test("What has expired is taken as new when it is sent again, one by one", arguments: TestDatabases.all)
    func expired(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            try await Quarantine.send(
                store, Quarantine.image("1.1", accession: "A1"), Quarantine.image("1.2", accession: "A1"))
            #expect(try await Self.delete(store, .retentionExpired) == .rejected)
            #expect(try await Quarantine.shown(store) == "0 none")
            #expect(try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1")) == [.duplicate])
            #expect(try await Self.count(store) == "1")
            #expect(try await store.quarantine(.rejected, limit: 9, access: Support.server).map(\.instances) == [1])
            // Quality is another matter: what was wrong stays so.
            _ = try await Self.delete(store, .quality, instance: "1.1")
            #expect(try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1")) == [.duplicate])
            #expect(try await Self.count(store) == "0")
        }
    }

    @Test("A note that comes first rejects what comes after it, but for what has expired", arguments: TestDatabases.all)
    func first(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            try await Quarantine.send(
                store, Self.note(.quality, Self.reference("1.1"), Self.reference("1.3"), Self.reference("9.1")),
                Self.note(.retentionExpired, Self.reference("1.2"), uid: "9.2"))
            let outcomes = try await Quarantine.send(
                store, Quarantine.image("1.1", accession: "A1"), Quarantine.image("1.2", accession: "A1"))
            #expect(outcomes.first == .stored(.quarantined(.rejected)))
            #expect(try await Self.count(store) == "3")
            #expect(try await store.look { try $0.awaitedRejection(of: "1.1") } == nil)
            // In another series than the note says it is another object.
            try await Quarantine.send(store, Quarantine.image("1.3", series: "1.2.3.4", accession: "A1"))
            #expect(try await Self.count(store) == "4")
            // Undone before it came: it is not rejected when it comes.
            try await Quarantine.send(store, Self.note(.quality, Self.reference("1.5"), uid: "9.3"))
            try await Quarantine.decide(store, .undo, instance: "1.5")
            try await Quarantine.send(store, Quarantine.image("1.5", accession: "A1"))
            #expect(try await Self.count(store) == "6")
            // One that never comes is forgotten with what is rejected.
            try await Quarantine.send(store, Self.note(.quality, Self.reference("1.6"), uid: "9.4"))
            let sent = try #require(try await store.look { try $0.awaitedRejection(of: "1.6") }).sentAt
            while try await store.remove(.rejected, before: sent, limit: 9).hasMore {}
            #expect(try await store.look { try $0.awaitedRejection(of: "1.6") } != nil)
            while try await store.remove(.rejected, before: sent.advanced(bySeconds: 1), limit: 9).hasMore {}
            #expect(try await store.look { try $0.awaitedRejection(of: "1.6") } == nil)
        }
    }

    @Test(
        "An archive's copy of a note decides nothing, and its copy of an image is let go", arguments: TestDatabases.all)
    func archives(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            var note = Self.note(.quality, Self.reference("1.1"))
            note.instance.archive = "ARCHIVE"
            try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1"), note)
            #expect(try await Self.count(store) == "2")
            // Sent here to be kept it decides as any.
            var kept = Self.note(.quality, Self.reference("1.1"))
            kept.instance.archive = nil
            #expect(try await Quarantine.send(store, kept) == [.duplicate])
            #expect(try await Self.count(store) == "1")
            try await Quarantine.decide(store, .undo, instance: "1.1")
            #expect(try await Self.count(store) == "2")
            note = Self.note(.quality, Self.reference("1.1"), uid: "9.8", series: "1.2.3.8")
            note.instance.archive = "ARCHIVE"
            try await Quarantine.send(store, note)
            #expect(try await Self.count(store) == "3")
            // A series of the study is kept here, another is a copy: that one is nobody's to delete here.
            await #expect(throws: QuarantineService.Refusal.ofArchive) {
                _ = try await Self.delete(store, .quality, series: "1.2.3.8")
            }
            await #expect(throws: QuarantineService.Refusal.ofArchive) { _ = try await Self.delete(store, .quality) }
            #expect(try await Self.delete(store, .quality, series: "1.2.3.1") == .rejected)
            #expect(try await Self.count(store) == "2")
        }
    }

    @Test("A note whose file is healed decides nothing a second time", arguments: TestDatabases.all)
    func healed(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            let note = Self.note(.quality, Self.reference("1.1"))
            try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1"), note)
            #expect(try await Self.count(store) == "1")
            try await Quarantine.decide(store, .undo, instance: "1.1")
            try await store.work { unit in
                let stored = try #require(try unit.instance("9.1"))
                var again = note
                again.instance.blobID = BlobID("sent-again")
                guard case .stored = try StudyService().heal(again, insteadOf: stored, in: unit) else {
                    Issue.record("not healed")
                    return
                }
            }
            try await store.publish(Self.study, access: Support.server)
            #expect(try await Self.count(store) == "2")
        }
    }

    @Test("Who may not delete all of ImagingStudy deletes nothing, and learns nothing", arguments: TestDatabases.all)
    func rights(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            try await Quarantine.send(store, Quarantine.image("1.1", accession: "A1"))
            for scope in [
                "system/ImagingStudy.crus", "patient/ImagingStudy.d", "system/ImagingStudy.d?status=available",
            ] {
                let access = AccessContext(
                    principal: Principal(kind: .client, id: "c"), scopes: [try #require(Scope(scope))], requestID: "t")
                await #expect(throws: QuarantineService.Refusal.unknown) {
                    _ = try await Self.delete(store, .quality, access: access)
                }
            }
            #expect(try await Self.count(store) == "1")
            let access = AccessContext(
                principal: Principal(kind: .client, id: "c"),
                scopes: [try #require(Scope("system/ImagingStudy.d"))], requestID: "t")
            #expect(try await Self.delete(store, .quality, access: access) == .rejected)
            #expect(try await Self.count(store) == "0")
        }
    }

    @Test("Retention names each series that it removes, when the last of it is gone", arguments: TestDatabases.all)
    func retention(_ kind: SQLDialect) async throws {
        try await Quarantine.with(kind) { (store, _) async throws in
            try await Quarantine.send(
                store, Quarantine.image("1.1", accession: "A1"), Quarantine.image("1.2", accession: "A1"))
            _ = try await Self.delete(store, .quality)
            let decided = try #require(
                try await store.quarantine(.rejected, limit: 9, access: Support.server).first?.decision?.decidedAt)
            var named: [[String]] = []
            while true {
                let step = try await store.remove(.rejected, before: decided.advanced(bySeconds: 1), limit: 2)
                if !step.hasMore { break }
                named.append(step.entities)
            }
            #expect(named == [[], ["series:1.2.3.1 study:1.2.3"]])
        }
    }
}
