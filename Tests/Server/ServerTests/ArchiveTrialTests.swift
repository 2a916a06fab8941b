import DICOMData
import DICOMNetwork
import Synchronization
import Testing
import Workflow

@testable import hilum

/// What `hilum peer test` learns of an archive. PS3.4 §C.2.2.2, §C.4.1.
@Suite struct ArchiveTrialTests {
    /// An archive of one study with one series, that heeds some keys and refuses others.
    private final class FakeArchive: Sendable {
        let heeds: Set<DICOMData.Tag>
        let refuses: Set<DICOMData.Tag>
        /// Keys by which nothing is found at all.
        let misses: Set<DICOMData.Tag>
        /// A key over which the association ends.
        let breaksOn: DICOMData.Tag?
        let refusesSeries: Bool
        let isEmpty: Bool
        private let state = Mutex<[DataSet]>([])
        var asked: [DataSet] { state.withLock { $0 } }

        init(
            heeds: Set<DICOMData.Tag>, refuses: Set<DICOMData.Tag> = [], misses: Set<DICOMData.Tag> = [],
            breaksOn: DICOMData.Tag? = nil, refusesSeries: Bool = false, isEmpty: Bool = false
        ) {
            self.heeds = heeds
            self.refuses = refuses
            self.misses = misses
            self.breaksOn = breaksOn
            self.refusesSeries = refusesSeries
            self.isEmpty = isEmpty
        }

        private static let study: [(DICOMData.Tag, String)] = [
            (.studyInstanceUID, "1.2.3"), (.studyDate, "20261129"), (.studyTime, "101500"),
            (.accessionNumber, "A-17"), (.modalitiesInStudy, "CT\\SR"), (.patientID, "P-17"),
            (.patientName, "SECRET^NAME"), (.patientSex, "O"), (.studyDescription, "HEAD * OF"), (.studyID, "S1"),
        ]
        private static let series: [(DICOMData.Tag, String)] = [
            (.seriesInstanceUID, "1.2.3.4"), (.modality, "CT"), (.seriesNumber, "3"), (.bodyPartExamined, "HEAD"),
        ]

        func find(_ identifier: DataSet, _ limit: Int) throws -> ArchiveTrial.Answer {
            state.withLock { $0.append(identifier) }
            let isSeries = identifier.string(.queryRetrieveLevel) == "SERIES"
            if isSeries, refusesSeries { return .init(status: .dataSetDoesNotMatchSOPClass, matches: []) }
            let record = isSeries ? Self.series + Self.study : Self.study
            for (tag, value) in record {
                guard let asked = identifier.string(tag), !asked.isEmpty else { continue }
                if tag == breaksOn { throw Gone() }
                if misses.contains(tag) { return .init(status: .success, matches: []) }
                if refuses.contains(tag) { return .init(status: .dataSetDoesNotMatchSOPClass, matches: []) }
                guard heeds.contains(tag), !asked.contains("-") || tag == .accessionNumber else { continue }
                if !value.split(separator: "\\").contains(Substring(asked)) {
                    return .init(status: .success, matches: [])
                }
            }
            if isEmpty { return .init(status: .success, matches: []) }
            var match = DataSet()
            for (tag, value) in record { match.set(tag, string: value) }
            return .init(status: .success, matches: [match])
        }
    }

    private struct Gone: Error {}

    private static let required: Set<DICOMData.Tag> = [
        .studyInstanceUID, .seriesInstanceUID, .studyDate, .studyTime, .accessionNumber, .patientID, .patientName,
        .studyID, .modality, .seriesNumber,
    ]

    private func learn(
        _ archive: FakeArchive, knowing keys: Set<SearchKey> = ArchiveCapabilities.least
    ) async throws -> ArchiveLesson {
        var peer = Peer(kind: .applicationEntity, name: "PACS")
        peer.archive = ArchiveCapabilities(keys: keys)
        return try await ArchiveTrial(peer: peer, today: 20_787) { try archive.find($0, $1) }.learn()
    }

    private func text(_ lesson: ArchiveLesson) -> String { lesson.findings.map(\.line).joined(separator: "\n") }

    @Test("What finds a study by its own value and not by another is matched, and asked for from then on")
    func heeded() async throws {
        let archive = FakeArchive(heeds: Self.required.union([.modalitiesInStudy, .patientSex, .bodyPartExamined]))
        let lesson = try await learn(archive)
        #expect(
            lesson.keys == ArchiveCapabilities.least.union([.modalitiesInStudy, .patientSex, .bodyPartExamined]))
        #expect(lesson.findings.allSatisfy { $0.outcome != .fail }, "\(text(lesson))")
        #expect(text(lesson).contains("it matches") && text(lesson).contains("ModalitiesInStudy"))
        // Of no value: a wildcard in it, or none in the answer.
        #expect(text(lesson).contains("told nothing of ReferringPhysicianName"))
        #expect(text(lesson).contains("StudyDescription"))
    }

    @Test("What is not heeded is not asked for, also where it was said by hand; what every archive must match stays")
    func ignored() async throws {
        let archive = FakeArchive(heeds: Self.required.subtracting([.accessionNumber]))
        let lesson = try await learn(
            archive, knowing: ArchiveCapabilities.least.union([.modalitiesInStudy, .patientSex]))
        #expect(lesson.keys == ArchiveCapabilities.least)
        #expect(text(lesson).contains("does not heed AccessionNumber, ModalitiesInStudy, PatientSex, BodyPartExamined"))
    }

    @Test("What cannot be told keeps what was known of it")
    func untold() async throws {
        let known = ArchiveCapabilities.least.union([.studyDescription, .referringPhysicianName])
        let lesson = try await learn(FakeArchive(heeds: Self.required), knowing: known)
        #expect(lesson.keys == known)
    }

    @Test("A key that is refused with a status is named; one that every archive must match is a failure")
    func refused() async throws {
        let lesson = try await learn(
            FakeArchive(heeds: Self.required, refuses: [.modalitiesInStudy, .patientID]),
            knowing: ArchiveCapabilities.least.union([.modalitiesInStudy]))
        #expect(lesson.keys == ArchiveCapabilities.least)
        let refused = lesson.findings.filter { $0.text.contains("A900") }
        #expect(refused.map(\.outcome).sorted { $0.rawValue < $1.rawValue } == [.fail, .note], "\(text(lesson))")
        let none = try await learn(FakeArchive(heeds: Self.required, refuses: [.studyDate]))
        #expect(none.keys == nil && none.findings.map(\.outcome) == [.fail])
    }

    @Test("A key by which not even the archive's own value finds the study is not one that it matches")
    func missed() async throws {
        let lesson = try await learn(
            FakeArchive(heeds: Self.required, misses: [.patientSex, .studyID]),
            knowing: ArchiveCapabilities.least.union([.patientSex]))
        #expect(lesson.keys == ArchiveCapabilities.least)
        let missed = lesson.findings.filter { $0.text.contains("does not find a study") }
        #expect(missed.map(\.text).contains { $0.contains("PatientSex") }, "\(text(lesson))")
        #expect(missed.first { $0.text.contains("StudyID") }?.fix?.contains("finds nothing there") == true)
    }

    @Test("Where series are refused, that is said, and of their keys nothing; those of studies are learned")
    func seriesRefused() async throws {
        let known = ArchiveCapabilities.least.union([.bodyPartExamined])
        let lesson = try await learn(
            FakeArchive(heeds: Self.required.union([.patientSex]), refusesSeries: true), knowing: known)
        #expect(lesson.keys == known.union([.patientSex]))
        let failed = lesson.findings.filter { $0.outcome == .fail }.map(\.text)
        #expect(failed.count == 1 && failed[0].contains("series of a study"), "\(text(lesson))")
        #expect(!text(lesson).contains("BodyPartExamined"), "\(text(lesson))")
    }

    @Test("A query without an answer ends the trial, and names its key")
    func unanswered() async throws {
        let archive = FakeArchive(heeds: Self.required, breaksOn: .patientSex)
        let error = await #expect(throws: ArchiveTrial.Unanswered.self) { try await learn(archive) }
        #expect(error?.what == "a C-FIND with PatientSex")
        #expect(error?.reason is Gone)
    }

    @Test("Of an archive without studies nothing is learned, and it is asked for days at a time")
    func empty() async throws {
        let archive = FakeArchive(heeds: Self.required, isEmpty: true)
        let lesson = try await learn(archive)
        #expect(lesson.keys == nil && lesson.findings.map(\.outcome) == [.note])
        #expect(archive.asked.map { $0.string(.studyDate) } == ["20261123-", "20260901-", "20161202-"])
    }

    @Test("No value of a patient is in what is said")
    func nothingTold() async throws {
        let lesson = try await learn(FakeArchive(heeds: Self.required, refuses: [.patientName]))
        for value in ["SECRET", "P-17", "A-17", "1.2.3"] { #expect(!text(lesson).contains(value)) }
    }
}
