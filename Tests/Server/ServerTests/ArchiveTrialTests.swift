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
        let isEmpty: Bool
        private let state = Mutex<[DataSet]>([])
        var asked: [DataSet] { state.withLock { $0 } }

        init(heeds: Set<DICOMData.Tag>, refuses: Set<DICOMData.Tag> = [], isEmpty: Bool = false) {
            self.heeds = heeds
            self.refuses = refuses
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
            let record = isSeries ? Self.series + Self.study : Self.study
            for (tag, value) in record {
                guard let asked = identifier.string(tag), !asked.isEmpty else { continue }
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

    private static let required: Set<DICOMData.Tag> = [
        .studyInstanceUID, .seriesInstanceUID, .studyDate, .studyTime, .accessionNumber, .patientID, .patientName,
        .studyID, .modality, .seriesNumber,
    ]

    private func learn(
        _ archive: FakeArchive, knowing keys: Set<SearchKey> = ArchiveCapabilities.least
    ) async throws -> ArchiveTrial.Lesson {
        var peer = Peer(kind: .applicationEntity, name: "PACS")
        peer.archive = ArchiveCapabilities(keys: keys)
        return try await ArchiveTrial(peer: peer, today: 20_787) { try archive.find($0, $1) }.learn()
    }

    private func text(_ lesson: ArchiveTrial.Lesson) -> String { lesson.findings.map(\.line).joined(separator: "\n") }

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
