import Access
import Testing
import Workflow

@testable import SQLStore

/// What of an archive's answer is shown, and to whom, on both databases. House decision 5.
@Suite("Matches of archives on both databases")
struct RemoteMatchesTests {
    typealias Support = WorkflowSupport

    private static func match(_ uid: String, patient: String?) -> StudyMatch {
        var attributes = StudyAttributes()
        attributes.patientID = patient
        attributes.patientIDSystem = patient == nil ? nil : "urn:mrn"
        var match = StudyMatch(
            study: Study(
                id: EntityID(uid), studyInstanceUID: uid, reconciliation: .quarantined(.unknownPatient),
                attributes: attributes, updatedAt: .distantPast),
            modalitiesInStudy: [], numberOfStudyRelatedSeries: 0, numberOfStudyRelatedInstances: 0)
        match.archive = "PACS"
        return match
    }

    private static func ofPatient(_ id: String) -> Visibility {
        Visibility(anyOf: [VisibilityRule([.compartment(.patient(id))])])
    }

    @Test("A study that lies here is not shown from elsewhere; the rest as far as its patient may be seen")
    func shown() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                try await store.work { unit in
                    for id in ["a", "b"] {
                        try unit.save(Patient(id: EntityID(id), identifiers: [Support.mrn(id)]))
                    }
                    var held = Self.match("1.1", patient: "a").study
                    held.reconciliation = .unscheduled(patientID: EntityID("b"))
                    try unit.save(held)
                }
                let matches = [
                    Self.match("1.1", patient: "a"), Self.match("1.2", patient: "a"), Self.match("1.3", patient: "b"),
                    Self.match("1.4", patient: "nobody"), Self.match("1.5", patient: nil),
                ]
                func shown(_ visibility: Visibility) async throws -> [StudyMatch] {
                    try await store.look { try RemoteMatches().shown(matches, to: visibility, in: $0) }
                }
                let all = try await shown(.whole)
                #expect(all.map(\.study.studyInstanceUID) == ["1.2", "1.3", "1.4", "1.5"])
                #expect(all.map(\.study.reconciliation.patientID?.value) == ["a", "b", nil, nil])
                #expect(try await shown(Self.ofPatient("a")).map(\.study.studyInstanceUID) == ["1.2"])
                #expect(try await shown(Self.ofPatient("c")).isEmpty)
                #expect(try await shown(.nothing).isEmpty)
                let search = VisibilityRule.Condition.search(ScopeConstraint(name: "status", value: "available"))
                let narrower = Visibility(anyOf: [VisibilityRule([.compartment(.patient("a")), search])])
                #expect(try await shown(narrower).isEmpty)
            }
        }
    }

    @Test("What an archive matches is kept with the peer, and a key of a later version is left out")
    func capabilities() async throws {
        for kind in TestDatabases.all {
            try await Support.with(kind) { store in
                var peer = Peer(kind: .applicationEntity, name: "PACS", host: "h", port: 104, offers: [.find])
                peer.archive = ArchiveCapabilities(keys: ArchiveCapabilities.least.union([.modalitiesInStudy]))
                try await store.save(peer)
                #expect(try await store.peers(offering: .find) == [peer])
                #expect(try await store.peer(kind: .applicationEntity, name: "PACS") == peer)
            }
        }
    }
}
