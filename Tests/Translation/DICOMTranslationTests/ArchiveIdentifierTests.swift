import Testing
import Workflow

@testable import DICOMData
@testable import DICOMTranslation

/// What an archive is asked, what is read of its answer, and what of that is what was looked for. PS3.4 §C.4.1, §C.2.2.2.
@Suite("Queries of archives")
struct ArchiveIdentifierTests {
    private static func archive(_ more: Set<SearchKey> = [], characterSet: String? = nil) -> Peer {
        var peer = Peer(kind: .applicationEntity, name: "PACS", host: "h", port: 104, offers: [.find])
        peer.archive = ArchiveCapabilities(keys: ArchiveCapabilities.least.union(more))
        peer.characterSet = characterSet
        return peer
    }

    @Test("Keys that it has to match are sent, others are asked back empty and looked for in the answer")
    func keys() throws {
        let keys = SearchKeys([
            .patientID: .exact("1"), .modalitiesInStudy: .exact("CT"), .studyDescription: .wildcard("a*"),
            .studyDate: .dates(from: "20260101", to: nil), .studyTime: .times(from: "100000.000000", to: nil),
            .accessionNumber: .anyOf([.exact("1.2"), .exact("1.3")]), .studyID: .empty,
        ])
        let set = try #require(ArchiveIdentifier.studies(keys, at: Self.archive()))
        #expect(set.string(.queryRetrieveLevel) == "STUDY")
        #expect(set.string(.patientID) == "1" && set.string(.studyDate) == "20260101-")
        for tag in [
            Tag.modalitiesInStudy, .studyDescription, .studyTime, .accessionNumber, .studyID, .issuerOfPatientID,
        ] {
            #expect(set.contains(tag) && set.string(tag) == nil, "\(tag)")
        }
        let more = try #require(ArchiveIdentifier.studies(keys, at: Self.archive([.modalitiesInStudy])))
        #expect(more.string(.modalitiesInStudy) == "CT")
    }

    @Test("A name by its sound is looked for in the answer, and sent as it is written where nothing else narrows")
    func similarNames() throws {
        let name = KeyMatch.similarName("Smith^John")
        let narrow = SearchKeys([.patientName: name, .studyDate: .dates(from: "20260101", to: nil)])
        let days = try #require(ArchiveIdentifier.studies(narrow, at: Self.archive()))
        #expect(days.contains(.patientName) && days.string(.patientName) == nil)
        #expect(!ArchiveIdentifier.asksLess(narrow, at: Self.archive()))
        let alone = SearchKeys([.patientName: name])
        let names = try #require(ArchiveIdentifier.studies(alone, at: Self.archive()))
        #expect(names.string(.patientName) == "Smith^John")
        #expect(ArchiveIdentifier.asksLess(alone, at: Self.archive()))
        // Not a name that every archive matches.
        let referring = SearchKeys([.referringPhysicianName: name])
        #expect(ArchiveIdentifier.studies(referring, at: Self.archive()) == nil)
        #expect(ArchiveIdentifier.studies(referring, at: Self.archive([.referringPhysicianName])) != nil)
    }

    @Test("Of a period the days are sent; a list of UIDs is one key; nothing that narrows is no query")
    func narrow() throws {
        let moment = SearchPeriod.Moment(date: "20260101", time: "100000.000000")
        let period = SearchKeys(
            periods: [SearchPeriod(date: .studyDate, time: .studyTime, from: moment, to: nil)])
        let days = try #require(ArchiveIdentifier.studies(period, at: Self.archive()))
        #expect(days.string(.studyDate) == "20260101-" && days.string(.studyTime) == nil)
        let list = SearchKeys([.studyInstanceUID: .anyOf([.exact("1.2"), .exact("1.3")])])
        let uids = try #require(ArchiveIdentifier.studies(list, at: Self.archive()))
        #expect(uids.strings(.studyInstanceUID) == ["1.2", "1.3"])
        #expect(ArchiveIdentifier.studies(SearchKeys(), at: Self.archive()) == nil)
        #expect(ArchiveIdentifier.studies(SearchKeys([.patientSex: .exact("F")]), at: Self.archive()) == nil)
        var other = Self.archive()
        other.archive = nil
        #expect(ArchiveIdentifier.studies(list, at: other) == nil)
    }

    @Test("The instances of one series are asked for by the three UIDs, with what every archive has to match there")
    func instances() {
        let keys = SearchKeys([
            .patientID: .exact("1"), .modality: .exact("CT"), .instanceNumber: .exact("7"),
            .sopClassUID: .exact("1.2.840.10008.5.1.4.1.1.2"),
        ])
        let set = ArchiveIdentifier.instances(keys, of: "1.2", series: "1.2.3", at: Self.archive())
        #expect(set.string(.queryRetrieveLevel) == "IMAGE")
        #expect(set.string(.studyInstanceUID) == "1.2" && set.string(.seriesInstanceUID) == "1.2.3")
        #expect(set.string(.instanceNumber) == "7")
        for tag in [Tag.sopInstanceUID, .sopClassUID, .rows, .numberOfFrames] {
            #expect(set.contains(tag) && set.string(tag) == nil, "\(tag)")
        }
        #expect(!set.contains(.patientID) && !set.contains(.modality))
        let more = ArchiveIdentifier.instances(keys, of: "1.2", series: "1.2.3", at: Self.archive([.sopClassUID]))
        #expect(more.string(.sopClassUID) == "1.2.840.10008.5.1.4.1.1.2")
    }

    @Test("Text goes in a character set that the archive reads; what that lacks is not sent")
    func characterSets() throws {
        func sent(_ name: String, _ characterSet: String? = nil) throws -> (set: String?, name: String?) {
            let keys = SearchKeys([.patientName: .name(name), .patientID: .exact("1")])
            let set = try #require(ArchiveIdentifier.studies(keys, at: Self.archive(characterSet: characterSet)))
            #expect(set.string(.patientID) == "1")
            return (set.string(.specificCharacterSet), set.string(.patientName))
        }
        #expect(try sent("Doe*") == (nil, "Doe*"))
        #expect(try sent("Müller*") == ("ISO_IR 100", "Müller*"))
        #expect(try sent("山田*") == ("ISO_IR 192", "山田*"))
        #expect(try sent("Müller*", "ISO_IR 192") == ("ISO_IR 192", "Müller*"))
        #expect(try sent("山田*", "ISO_IR 100").name == nil)
        let name = SearchKeys([.patientName: .name("山田*")])
        #expect(ArchiveIdentifier.studies(name, at: Self.archive(characterSet: "ISO_IR 100")) == nil)
    }

    private static let reader = ArchiveAnswerReader(
        authorities: AssigningAuthorities(
            authorities: [.init(system: "urn:hosp", namespace: "HOSP")], defaultPatientSystem: "urn:p",
            defaultAccessionSystem: "urn:a"))

    private static func answer(_ fill: (inout DataSet) -> Void = { _ in }) -> DataSet {
        var set = DataSet()
        set.set(.queryRetrieveLevel, string: "STUDY")
        set.set(.studyInstanceUID, string: "1.2.3")
        set.set(.patientID, string: "1")
        fill(&set)
        return set
    }

    @Test("An answer is a study of the archive, with the patient's authority as the site understands it")
    func study() throws {
        let match = try #require(
            Self.reader.study(
                Self.answer {
                    $0.set(.issuerOfPatientID, string: "HOSP")
                    $0.set(.modalitiesInStudy, strings: ["MR", "CT", "MR"])
                    $0.set(.numberOfStudyRelatedInstances, int: 7)
                }, from: Self.archive()))
        #expect(match.archive == "PACS" && match.study.studyInstanceUID == "1.2.3")
        #expect(match.study.attributes.patientIDSystem == "urn:hosp" && match.modalitiesInStudy == ["CT", "MR"])
        let shown = StudyMatchDataSet.dataSet(match, level: .study, retrieveBase: "https://h")
        #expect(shown.string(.instanceAvailability) == "NEARLINE" && shown.string(.retrieveAETitle) == "PACS")
        #expect(shown.int(.numberOfStudyRelatedInstances) == 7 && !shown.contains(.retrieveURL))
        #expect(shown.contains(.numberOfStudyRelatedSeries) && shown.int(.numberOfStudyRelatedSeries) == nil)
    }

    @Test("Text without a word of its character set is in that of the archive")
    func unlabelled() throws {
        let set = Self.answer { $0[.patientName] = DataElement(.patientName, .PN, bytes: [0x4D, 0xFC, 0x6C]) }
        let match = try #require(Self.reader.study(set, from: Self.archive(characterSet: "ISO_IR 100")))
        #expect(match.study.attributes.patientName == "Mül")
    }

    @Test("Of another level, another study, without a UID, or with an id that nobody can have: no answer")
    func rubbish() throws {
        let archive = Self.archive()
        #expect(Self.reader.study(Self.answer { $0.set(.queryRetrieveLevel, string: "SERIES") }, from: archive) == nil)
        for uid in ["", "../1", "1.2.x"] {
            #expect(Self.reader.study(Self.answer { $0.set(.studyInstanceUID, string: uid) }, from: archive) == nil)
        }
        let long = String(repeating: "x", count: 2_000)
        #expect(Self.reader.study(Self.answer { $0.set(.patientID, string: long) }, from: archive) == nil)
        #expect(Self.reader.study(DataSet(), from: archive) == nil)
        let study = try #require(Self.reader.study(Self.answer(), from: archive))
        let series = Self.answer {
            $0.set(.queryRetrieveLevel, string: "SERIES")
            $0.set(.seriesInstanceUID, string: "1.2.3.4")
        }
        #expect(Self.reader.series(series, of: study, from: archive)?.series?.seriesInstanceUID == "1.2.3.4")
        var foreign = series
        foreign.set(.studyInstanceUID, string: "1.9")
        #expect(Self.reader.series(foreign, of: study, from: archive) == nil)
        #expect(Self.reader.series(Self.answer(), of: study, from: archive) == nil)
    }

    @Test("An answer counts when all of the query holds for it; what it does not tell of is not known to hold")
    func filter() throws {
        func verdict(
            _ matches: [SearchKey: KeyMatch], at level: StudyQueryLevel = .instance,
            _ fill: (inout DataSet) -> Void = { _ in }
        ) throws -> StudyMatchFilter.Verdict {
            let match = try #require(Self.reader.study(Self.answer(fill), from: Self.archive()))
            return StudyMatchFilter(SearchKeys(matches), of: ArchiveCapabilities(), at: level).verdict(match)
        }
        // Of the levels below its own an answer tells nothing.
        #expect(try verdict([.modality: .exact("CT")], at: .study) == .unknown)
        #expect(try verdict([.modality: .exact("CT")], at: .series) == .differs)
        #expect(try verdict([.sopInstanceUID: .exact("1.9")], at: .series) == .unknown)
        #expect(try verdict([.patientID: .exact("2"), .modality: .exact("CT")], at: .study) == .differs)
        #expect(try verdict([.patientID: .exact("1")]) { _ in } == .matches)
        #expect(try verdict([.patientID: .exact("2")]) { _ in } == .differs)
        #expect(try verdict([.studyInstanceUID: .exact("1.9")]) { _ in } == .differs)
        #expect(try verdict([.patientName: .name("doe*")]) { $0.set(.patientName, string: "DOE^J") } == .matches)
        // Every archive tells the name; not every one the modalities.
        #expect(try verdict([.patientName: .name("doe*")]) { _ in } == .differs)
        #expect(try verdict([.patientName: .empty]) { _ in } == .matches)
        #expect(try verdict([.modalitiesInStudy: .exact("CT")]) { _ in } == .unknown)
        #expect(try verdict([.modalitiesInStudy: .empty]) { _ in } == .unknown)
        #expect(
            try verdict([.modalitiesInStudy: .exact("CT")]) { $0.set(.modalitiesInStudy, strings: ["MR", "CT"]) }
                == .matches)
        #expect(
            try verdict([.studyDate: .dates(from: "20260101", to: "20260131")]) {
                $0.set(.studyDate, string: "2026.01.05")
            }
                == .matches)
        #expect(
            try verdict([.studyTime: .times(from: "100000.000000", to: nil)]) { $0.set(.studyTime, string: "0930") }
                == .differs)
    }
}
