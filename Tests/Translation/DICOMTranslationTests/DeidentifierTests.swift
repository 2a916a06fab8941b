import DICOMData
import Testing

@testable import DICOMTranslation

/// PS3.15 Annex E: what stays together, what stays, and what is said of it.
@Suite("De-identification: objects")
struct DeidentifierTests {
    static func deidentifier(
        _ options: DeidentificationOptions, key: UInt8 = 7, _ change: (inout DeidentificationProfile) -> Void = { _ in }
    ) throws -> Deidentifier {
        var profile = DeidentificationProfile(options: options)
        change(&profile)
        return Deidentifier(
            profile: profile, pseudonyms: try #require(Pseudonyms(key: [UInt8](repeating: key, count: 32))))
    }

    static func object(instance: String = "1.2.3.9.1", date: String = "20240315") -> DataSet {
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 100")
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: instance)
        set.set(.studyInstanceUID, string: "1.2.3.9")
        set.set(.seriesInstanceUID, string: "1.2.3.9.0")
        set.set(.frameOfReferenceUID, string: "1.2.840.10008.1.4.1.1")
        set.set(.patientName, string: "Müller^Änne")
        set.set(.patientID, string: "P100")
        set.set(.issuerOfPatientID, string: "ADT")
        set.set(.accessionNumber, string: "A-55")
        set.set(.studyDate, string: date)
        set.set(.studyTime, string: "101500")
        set.set(.studyDescription, string: "CT Chest Müller 12.03.24 with contrast")
        return set
    }

    @Test("PS3.15 §E.1.1: instances of a study stay one study of one patient, and references follow")
    func study() throws {
        let deidentifier = try Self.deidentifier([])
        let first = Self.object()
        var second = Self.object(instance: "1.2.3.9.2")
        second.set(.patientName, string: "MUELLER^ANNE")
        var reference = DataSet()
        reference.set(.referencedSOPClassUID, string: UID.ctImageStorage)
        reference.set(.referencedSOPInstanceUID, string: "1.2.3.9.1")
        second.set(.sourceImageSequence, items: [reference])
        let untouched = second
        let one = try deidentifier.deidentified(first).get()
        let two = try deidentifier.deidentified(second).get()
        #expect(second == untouched)
        for tag: DICOMData.Tag in [.studyInstanceUID, .seriesInstanceUID, .patientID, .patientName, .accessionNumber] {
            #expect(one.string(tag) != nil && one.string(tag) == two.string(tag), "\(tag)")
            #expect(one.string(tag) != first.string(tag), "\(tag)")
        }
        #expect(one.uid(.sopInstanceUID) != two.uid(.sopInstanceUID))
        #expect(two.item(.sourceImageSequence)?.uid(.referencedSOPInstanceUID) == one.uid(.sopInstanceUID))
        #expect(two.item(.sourceImageSequence)?.uid(.referencedSOPClassUID) == UID.ctImageStorage)
        // Well-known frames of reference are the standard's own.
        #expect(one.uid(.frameOfReferenceUID) == "1.2.840.10008.1.4.1.1")
        #expect(one.uid(.studyInstanceUID).map { UID.isValid($0) && $0.hasPrefix("2.25.") } == true)
        #expect((one.string(.accessionNumber)?.utf8.count ?? 0) == 16)
        #expect(try deidentifier.deidentified(first).get() == one)
    }

    @Test("Pseudonyms are of a key and of who issued the id; a short key is none")
    func keys() throws {
        let one = try Self.deidentifier([]).deidentified(Self.object()).get()
        let other = try Self.deidentifier([], key: 8).deidentified(Self.object()).get()
        #expect(one.string(.patientID) != other.string(.patientID))
        #expect(one.uid(.studyInstanceUID) != other.uid(.studyInstanceUID))
        var elsewhere = Self.object()
        elsewhere.set(.issuerOfPatientID, string: "OTHER")
        #expect(try Self.deidentifier([]).deidentified(elsewhere).get().string(.patientID) != one.string(.patientID))
        #expect(Pseudonyms(key: [UInt8](repeating: 1, count: 15)) == nil)
    }

    @Test("PS3.3 §C.7.1.1: the object says that, how and by which options it was de-identified")
    func marks() throws {
        let plain = try Self.deidentifier([]).deidentified(Self.object()).get()
        #expect(plain.string(.patientIdentityRemoved) == "YES")
        #expect(plain.string(.deidentificationMethod) != nil)
        #expect(plain.items(DICOMData.Tag(0x0012, 0x0064)).map { $0.string(.codeValue) } == ["113100"])
        #expect(plain.string(DICOMData.Tag(0x0028, 0x0303)) == "REMOVED")
        let options: DeidentificationOptions = [.retainUIDs, .retainModifiedDates, .retainFullDates, .cleanDescriptors]
        let more = try Self.deidentifier(options).deidentified(Self.object()).get()
        #expect(
            more.items(DICOMData.Tag(0x0012, 0x0064)).map { $0.string(.codeValue) } == [
                "113100", "113105", "113107", "113110",
            ])
        #expect(more.string(DICOMData.Tag(0x0028, 0x0303)) == "MODIFIED")
        #expect(more.uid(.studyInstanceUID) == "1.2.3.9")
    }

    @Test("PS3.15 §E.3.6: modified dates keep the days between them, weeks where asked, and say nothing unreadable")
    func dates() throws {
        func days(_ options: DeidentificationOptions, _ text: String, weeks: Bool = false) throws -> Int? {
            let deidentifier = try Self.deidentifier(options) { $0.keepsWeekday = weeks }
            let made = try deidentifier.deidentified(Self.object(date: text)).get()
            return made.string(.studyDate).flatMap { DICOMDate(text: $0)?.daysSince1970 }
        }
        let day = DICOMDate(year: 2024, month: 3, day: 15)?.daysSince1970 ?? 0
        let shifted = try #require(try days(.retainModifiedDates, "20240315"))
        #expect((1...520).contains(day - shifted))
        #expect(try days(.retainModifiedDates, "20240401") == shifted + 17)
        let week = try #require(try days(.retainModifiedDates, "20240315", weeks: true))
        #expect((day - week) % 7 == 0 && week < day)
        #expect(try days(.retainModifiedDates, "2024-3-1") == nil)
        #expect(try days(.retainFullDates, "20240315") == day)
        #expect(try days([], "20240315") == nil)
        var timed = Self.object()
        timed.set(.acquisitionDateTime, string: "20240315101112.5+0100")
        let made = try Self.deidentifier(.retainModifiedDates).deidentified(timed).get()
        #expect(made.string(.acquisitionDateTime)?.hasSuffix("101112.5+0100") == true)
        #expect(
            made.string(.acquisitionDateTime).flatMap { DICOMDate(text: $0.prefix(8))?.daysSince1970 } == shifted)
        #expect(made.string(.studyTime) == "101500")
        #expect(ShiftedDate.text("202403", .DT, daysBack: 3) == nil)
        #expect(ShiftedDate.text("00010101", .DA, daysBack: 3) == nil)
    }

    @Test("PS3.15 §E.3.5: of descriptors those words stay that identify nobody, also for a patient named like one")
    func descriptors() throws {
        var object = Self.object()
        #expect(
            try Self.deidentifier(.cleanDescriptors).deidentified(object).get().string(.studyDescription)
                == "CT Chest with contrast")
        object.set(.patientName, string: "Chest^With")
        #expect(
            try Self.deidentifier(.cleanDescriptors).deidentified(object).get().string(.studyDescription)
                == "CT contrast")
        let site = try Self.deidentifier(.cleanDescriptors) { $0.safeWords = ["Müller"] }
        #expect(
            try site.deidentified(object).get().string(.studyDescription) == "CT Müller contrast")
        #expect(try Self.deidentifier([]).deidentified(object).get().string(.studyDescription) == nil)
    }

    @Test("Words of a name go from descriptors however the name is written: of UN too")
    func unknownName() throws {
        var object = Self.object()
        object[.patientName] = DataElement(.patientName, .UN, bytes: Array("Chest^With".utf8))
        let made = try Self.deidentifier(.cleanDescriptors).deidentified(object).get()
        #expect(made.string(.studyDescription) == "CT contrast")
    }

    @Test("Names, UIDs and addresses that the table does not list are replaced; what everyone may know stays")
    func unlisted() throws {
        let concatenation = DICOMData.Tag(0x0020, 0x0242)
        let reviewer = DICOMData.Tag(0x0014, 0x0104)
        let scheme = DICOMData.Tag(0x0008, 0x010C)
        let schemeURL = DICOMData.Tag(0x0008, 0x010E)
        var object = Self.object(instance: "1.2.3.9.1")
        object.set(concatenation, string: "1.2.3.9.1")
        object.set(.retrieveURL, string: "https://h/studies/1.2.3.9")
        object.set(reviewer, string: "Müller^Änne")
        object.set(scheme, string: "1.2.3.4")
        object.set(schemeURL, string: "https://example.org/codes")
        object.set(.sopClassUID, string: "1.2.3.4.5")
        var item = object
        item.remove(.patientName)
        object.set(.sharedFunctionalGroupsSequence, items: [item])
        let made = try Self.deidentifier([]).deidentified(object).get()
        for set in [made, try #require(made.item(.sharedFunctionalGroupsSequence))] {
            #expect(set.uid(concatenation) == made.uid(.sopInstanceUID))
            #expect(set.string(.retrieveURL) == "urn:removed")
            #expect(set.string(reviewer) == "Removed")
            #expect(set.uid(scheme) == "1.2.3.4")
            #expect(set.string(schemeURL) == "https://example.org/codes")
            #expect(set.uid(.sopClassUID) == "1.2.3.4.5")
        }
        let kept = try Self.deidentifier(.retainUIDs).deidentified(object).get()
        #expect(kept.uid(concatenation) == "1.2.3.9.1")
        #expect(kept.string(.retrieveURL) == "urn:removed")
    }

    @Test("A code is public when its scheme is and each of its values has the form of a code")
    func publicCodes() {
        func isPublic(_ scheme: String, _ code: String, long: String? = nil) -> Bool {
            var item = DataSet()
            item.set(.codingSchemeDesignator, string: scheme)
            item.set(.codeValue, string: code)
            if let long { item.set(.longCodeValue, string: long) }
            return CodeEntry.isPublic(item)
        }
        #expect(isPublic("DCM", "121071"))
        #expect(isPublic("UCUM", "mm[Hg]"))
        #expect(!isPublic("UCUM", "Anne Smith"))
        #expect(!isPublic("DCM", "121071", long: "Anne Smith"))
        #expect(!isPublic("DCM", "121071\\Smith"))
        #expect(!isPublic("DCM\\SMITH", "121071"))
        #expect(!isPublic("99LOCAL", "121071"))
        #expect(!isPublic("DCM", ""))
    }

    @Test("PS3.15 §E.3.10: private elements go but those called safe, with the creator of their block alone")
    func safePrivate() throws {
        var object = Self.object()
        object.setPrivate(group: 0x0019, creator: "ACME", element: 1, .LO, bytes: Array("safe".utf8))
        object.setPrivate(group: 0x0019, creator: "ACME", element: 2, .LO, bytes: Array("not safe".utf8))
        object.setPrivate(group: 0x0019, creator: "OTHER", element: 1, .LO, bytes: Array("other".utf8))
        object[DICOMData.Tag(0x0021, 0x1001)] = DataElement(
            DICOMData.Tag(0x0021, 0x1001), .LO, bytes: Array("orphan".utf8))
        let listed: (inout DeidentificationProfile) -> Void = {
            $0.safePrivate = [.init(group: 0x0019, creator: "ACME", element: 1)]
        }
        let made = try Self.deidentifier(.retainSafePrivate, listed).deidentified(object).get()
        #expect(
            made.elements.map(\.tag).filter(\.isPrivate) == [
                DICOMData.Tag(0x0019, 0x0010), DICOMData.Tag(0x0019, 0x1001),
            ])
        let without = try Self.deidentifier([], listed).deidentified(object).get()
        #expect(!without.elements.contains { $0.tag.isPrivate })
    }

    @Test(
        "PS3.15 §E.3.4: content is dummies in its form without the option; with it codes, numbers and known words stay")
    func content() throws {
        var meaning = DataSet()
        meaning.set(.codeValue, string: "121071")
        meaning.set(.codingSchemeDesignator, string: "DCM")
        meaning.set(.codeMeaning, string: "Finding of Müller")
        var local = meaning
        local.set(.codingSchemeDesignator, string: "99LOCAL")
        var text = DataSet()
        text.set(.relationshipType, string: "CONTAINS")
        text.set(.valueType, string: "TEXT")
        text.set(.conceptNameCodeSequence, items: [meaning])
        text.set(.textValue, string: "Left lung of Mrs Müller normal")
        var code = DataSet()
        code.set(.valueType, string: "CODE")
        code.set(.conceptNameCodeSequence, items: [local])
        code.set(.numericValue, string: "12.5")
        var object = Self.object()
        object.set(.contentSequence, items: [text, code])
        let plain = try Self.deidentifier([]).deidentified(object).get().items(.contentSequence)
        #expect(plain.map { $0.string(.valueType) } == ["TEXT", "CODE"])
        #expect(plain.first?.string(.relationshipType) == "CONTAINS")
        #expect(plain.first?.string(.textValue) == "Removed")
        #expect(plain.first?.item(.conceptNameCodeSequence)?.string(.codeValue) == "Removed")
        let clean = try Self.deidentifier(.cleanStructuredContent).deidentified(object).get().items(.contentSequence)
        #expect(clean.first?.string(.textValue) == "Left lung of normal")
        #expect(clean.first?.item(.conceptNameCodeSequence)?.string(.codeValue) == "121071")
        #expect(clean.first?.item(.conceptNameCodeSequence)?.string(.codeMeaning) == "of")
        #expect(clean.last?.item(.conceptNameCodeSequence)?.string(.codeValue) == "Removed")
        #expect(clean.last?.string(.numericValue) == "12.5")
    }

    @Test("An encapsulated document is refused; meta information of a file is made anew")
    func files() throws {
        var object = Self.object()
        let file = try Self.deidentifier([]).deidentified(object, as: .explicitVRLittleEndian).get()
        #expect(file.meta.sopInstanceUID == file.dataSet.uid(.sopInstanceUID))
        #expect(file.meta.dataSet.string(.sourceApplicationEntityTitle) == nil)
        object.set(.encapsulatedDocument, .OB, bytes: Array("%PDF".utf8))
        #expect(try Self.deidentifier([]).deidentified(object) == .failure(.encapsulatedDocument))
    }
}
