import Access
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMTranslation

/// Objects that say whose they are as the site knows it. PS3.18 §10.4, PS3.3 §C.12.1.1.9.
@Suite("Objects of whom they are known to be")
struct ObjectSubjectDataSetTests {
    private static let time = UTCInstant(microseconds: 1_767_225_600_000_000)
    private static let authorities = AssigningAuthorities(
        authorities: [.init(system: "urn:mrn", namespace: "HOSP", universalID: "1.2.3")],
        defaultPatientSystem: "urn:mrn", defaultAccessionSystem: "urn:acc")

    /// The subject of an object of number 100 that belongs to number 200.
    static func subject(name: String = "Smith", isOfAnother: Bool = false) throws -> ObjectSubject {
        let former = isOfAnother ? [] : [Identifier(system: "urn:mrn", value: "100", isCurrent: false)]
        let patient = Patient(
            id: EntityID("p"), identifiers: [Identifier(system: "urn:mrn", value: "200")] + former,
            names: [HumanName(family: name, given: ["Jane"])], sex: .female)
        return try #require(
            ObjectSubject(
                InstanceIdentity(patientID: "100", patientIDSystem: "urn:mrn"), PatientWords(name: "Doe^Jane"),
                patient: patient, order: nil, authorities: authorities, since: time))
    }

    static func image(_ change: (inout DataSet) -> Void = { _ in }) -> DataSet {
        RoutingTableTests.object { set in
            set.set(.patientName, string: "Doe^Jane")
            set.set(.patientID, string: "100")
            set.set(.patientBirthDate, string: "19700101")
            set.set(.patientSex, string: "F")
            set.set(.otherPatientNames, string: "Roe^Rita")
            set.set(.rows, int: 4)
            set.set(.columns, int: 4)
            set.set(.bitsAllocated, int: 16)
            set.set(.pixelRepresentation, int: 0)
            set.set(.samplesPerPixel, int: 1)
            set.set(.photometricInterpretation, string: "MONOCHROME2")
            set[.pixelData] = DataElement(.pixelData, .OW, bytes: (0..<32).map { UInt8($0 + 1) })
            change(&set)
        }
    }

    /// A file as ingest keeps it, with its header and whose it is.
    private static func stored(
        _ dataSet: DataSet, _ syntax: TransferSyntax, _ subject: ObjectSubject?, valuesInFileAbove: Int = 64
    ) throws -> (header: InstanceHeader, blob: Blob) {
        let file = try Part10File(dataSet: dataSet, transferSyntax: syntax).encode()
        var scanner = InstanceScanner(externalValuesAbove: valuesInFileAbove)
        try scanner.consume(file)
        let scanned = try scanner.finish()
        let (kept, bulk) = StoredHeader.split(scanned)
        var instance = Instance(
            studyInstanceUID: dataSet.uid(.studyInstanceUID) ?? "", seriesInstanceUID: "1.2.3.1",
            sopInstanceUID: dataSet.uid(.sopInstanceUID) ?? "", sopClassUID: UID.ctImageStorage, instanceNumber: nil,
            transferSyntaxUID: syntax.uid, rows: nil, columns: nil, bitsAllocated: nil, numberOfFrames: 1,
            blobID: BlobID("b"), size: Int64(file.count), dataSetOffset: Int64(scanned.dataSetOffset),
            pixelDataOffset: nil, pixelDataLength: nil, receivedAt: time, receivedFrom: "CT1")
        instance.subject = subject
        let header = InstanceHeader(
            instance: instance,
            header: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true).encode(kept),
            bulk: bulk, frameIndex: scanned.pixelData.map(FrameIndex.encode) ?? [])
        return (header, Blob(bytes: file))
    }

    private static func sent(
        _ header: InstanceHeader, _ blob: Blob, in syntax: TransferSyntax
    ) async throws -> DataSet {
        let recoded = try await RecodedDataSet(try StoredHeader(header), in: syntax) { range in
            try await blob.read(offset: range.lowerBound, length: range.count)
        }
        return try DataSetDecoder(transferSyntax: syntax).decode(recoded.pieces.flatMap { blob.bytes(of: $0) })
    }

    @Test(
        "Header and object say the same patient, and what was said before; pixels stay",
        arguments: [
            (TransferSyntax.explicitVRLittleEndian, TransferSyntax.explicitVRLittleEndian),
            (.implicitVRLittleEndian, .explicitVRLittleEndian), (.implicitVRLittleEndian, .implicitVRLittleEndian),
            (.explicitVRBigEndian, .explicitVRLittleEndian),
        ])
    func native(_ stored: TransferSyntax, _ sent: TransferSyntax) async throws {
        let image = Self.image()
        let (header, blob) = try Self.stored(image, stored, try Self.subject())
        let object = try await Self.sent(header, blob, in: sent)
        let metadata = try StoredHeader(header).dataSet
        for tag in [DICOMData.Tag.patientName, .patientID, .issuerOfPatientID, .patientBirthDate, .patientSex] {
            #expect(object.string(tag) == metadata.string(tag), "\(tag)")
        }
        #expect(object.string(.patientName) == "Smith^Jane")
        #expect(object.string(.patientID) == "200")
        #expect(object.string(.issuerOfPatientID) == "HOSP")
        #expect(object.item(.issuerOfPatientIDQualifiersSequence)?.string(.universalEntityID) == "1.2.3")
        // The record does not know it, and it is the same person's.
        #expect(object.string(.patientBirthDate) == "19700101")
        #expect(object.string(.otherPatientNames) == "Roe^Rita")
        #expect(object[.pixelData]?.bytes == image[.pixelData]?.bytes)
        let record = try #require(object.item(.originalAttributesSequence))
        let former = try #require(record.item(.modifiedAttributesSequence))
        #expect(former.string(.patientName) == "Doe^Jane" && former.string(.patientID) == "100")
        #expect(!former.contains(.patientSex))
        #expect(record.string(.reasonForTheAttributeModification) == "COERCE")
        #expect(record.string(.sourceOfPreviousValues) == "CT1")
    }

    @Test("Compressed pixels go in their own syntax, as they lie in the file")
    func compressed() async throws {
        let value = EncapsulatedValue(offsetTable: [0], fragments: [[UInt8](repeating: 9, count: 200), [1, 2]])
        let image = Self.image { $0[.pixelData] = DataElement(.pixelData, .OB, .fragments(value)) }
        let (header, blob) = try Self.stored(image, .jpegBaseline, try Self.subject())
        #expect(StoredHeader.remadeSyntax(of: .jpegBaseline) == .jpegBaseline)
        let object = try await Self.sent(header, blob, in: .jpegBaseline)
        #expect(object[.pixelData] == image[.pixelData])
        #expect(object.string(.patientID) == "200")
    }

    @Test("A deflated object is inflated")
    func deflated() async throws {
        let image = Self.image()
        let (header, blob) = try Self.stored(image, .deflatedExplicitVRLittleEndian, try Self.subject())
        #expect(StoredHeader.remadeSyntax(of: .deflatedExplicitVRLittleEndian) == .explicitVRLittleEndian)
        let budget = MemoryBudget()
        let held = budget.reservation()
        let whole = try await InstanceRewriting.inflated(try StoredHeader(header), from: blob, holding: held)
        #expect(budget.used > 0)
        held.release()
        #expect(whole.string(.patientName) == "Smith^Jane")
        #expect(whole[.pixelData]?.bytes == image[.pixelData]?.bytes)
        // One that is cut off is no object.
        let cut = Blob(bytes: Array(blob.bytes.dropLast(20)))
        await #expect(throws: (any Error).self) {
            _ = try await InstanceRewriting.inflated(
                try StoredHeader(header), from: cut, holding: MemoryBudget.unlimited.reservation())
        }
        await #expect(throws: InstanceRewriting.Refusal.noMemory) {
            _ = try await InstanceRewriting.inflated(
                try StoredHeader(header), from: blob, holding: MemoryBudget(bytesMax: 64).reservation())
        }
    }

    @Test("Of another person nothing stays, and the reason is a correction")
    func another() throws {
        let subject = try Self.subject(isOfAnother: true)
        let stated = subject.stated(in: Self.image(), source: nil)
        #expect(stated.contains(.patientBirthDate) && stated.string(.patientBirthDate) ?? "" == "")
        #expect(stated[.otherPatientNames] == nil)
        let record = try #require(stated.item(.originalAttributesSequence))
        #expect(record.string(.reasonForTheAttributeModification) == "CORRECT")
        #expect(record.item(.modifiedAttributesSequence)?.string(.otherPatientNames) == "Roe^Rita")
        // Said again it is the same.
        #expect(subject.stated(in: stated, source: nil) == stated)
    }

    @Test("Remarks, allergies, relatives, visits and trials of another person go, what was seen of a body stays")
    func ofPerson() throws {
        let gone = [
            DICOMData.Tag.medicalAlerts, .allergies, .responsiblePerson, .patientComments, .admissionID,
            DICOMData.Tag(0x0010, 0x2150), DICOMData.Tag(0x0010, 0x1080), DICOMData.Tag(0x0012, 0x0040),
            DICOMData.Tag(0x0038, 0x0300),
        ]
        let image = Self.image { set in
            for tag in gone { set.set(tag, string: "OTHERS") }
            set.set(.patientWeight, string: "70")
            set.set(.pregnancyStatus, int: 4)
        }
        let stated = try Self.subject(isOfAnother: true).stated(in: image, source: nil)
        let former = try #require(stated.item(.originalAttributesSequence)?.item(.modifiedAttributesSequence))
        for tag in gone {
            #expect(stated[tag] == nil, "\(tag)")
            #expect(former.string(tag) == "OTHERS", "\(tag)")
        }
        #expect(stated.contains(.patientWeight) && stated.contains(.pregnancyStatus))
        // They are the same person's.
        let same = try Self.subject().stated(in: image, source: nil)
        for tag in gone { #expect(same.string(tag) == "OTHERS", "\(tag)") }
    }

    @Test("The accession number and request of another person's order go, and are kept as what was said before")
    func requests() throws {
        let image = Self.image { set in
            set.set(.accessionNumber, string: "A1")
            var item = DataSet()
            item.set(.requestedProcedureID, string: "R1")
            set.set(.requestAttributesSequence, items: [item])
        }
        let patient = Patient(id: EntityID("p"), identifiers: [Identifier(system: "urn:mrn", value: "200")])
        let subject = ObjectSubject(
            InstanceIdentity(
                patientID: "100", patientIDSystem: "urn:mrn", accessionNumber: "A1", accessionSystem: "urn:acc"),
            PatientWords(), patient: patient, order: nil, authorities: Self.authorities, since: Self.time)
        let stated = try #require(subject).stated(in: image, source: nil)
        #expect(stated.contains(.accessionNumber) && stated.string(.accessionNumber) ?? "" == "")
        #expect(!stated.contains(.requestAttributesSequence))
        let former = try #require(stated.item(.originalAttributesSequence)?.item(.modifiedAttributesSequence))
        #expect(former.string(.accessionNumber) == "A1")
        #expect(former.item(.requestAttributesSequence)?.string(.requestedProcedureID) == "R1")
    }

    @Test("A birth date that is corrected goes from the alternative calendar, too")
    func calendars() throws {
        let image = Self.image { set in
            set.set(DICOMData.Tag(0x0010, 0x0033), .LO, string: "1389/10/23")
            set.set(DICOMData.Tag(0x0010, 0x0035), .CS, string: "ISLAMIC")
        }
        func stated(_ birthDate: String?) throws -> DataSet {
            let patient = Patient(
                id: EntityID("p"), identifiers: [Identifier(system: "urn:mrn", value: "100")],
                names: [HumanName(family: "Smith", given: ["Jane"])],
                birthDate: birthDate.map { PartialDateTime($0) })
            let subject = ObjectSubject(
                InstanceIdentity(patientID: "100", patientIDSystem: "urn:mrn"), PatientWords(name: "Doe^Jane"),
                patient: patient, order: nil, authorities: Self.authorities, since: Self.time)
            return try #require(subject).stated(in: image, source: nil)
        }
        let corrected = try stated("1970-01-02")
        #expect(corrected.string(.patientBirthDate) == "19700102")
        #expect(
            !corrected.contains(DICOMData.Tag(0x0010, 0x0033)) && !corrected.contains(DICOMData.Tag(0x0010, 0x0035)))
        for birthDate in ["1970-01-01", nil] {
            #expect(try stated(birthDate).string(DICOMData.Tag(0x0010, 0x0033)) == "1389/10/23")
        }
    }

    @Test("PS3.5 §6.1.2.3: a name beyond the object's character set takes its text to UTF-8")
    func characterSets() throws {
        let image = Self.image { set in
            set.set(.specificCharacterSet, string: "ISO_IR 100")
            set.set(.institutionName, string: "Städtisch")
        }
        let latin = try Self.subject(name: "Müller").stated(in: image, source: nil)
        #expect(latin.string(.specificCharacterSet) == "ISO_IR 100" && latin.string(.patientName) == "Müller^Jane")
        let stated = try Self.subject(name: "Ковалёв").stated(in: image, source: nil)
        #expect(stated.string(.specificCharacterSet) == "ISO_IR 192")
        #expect(stated.string(.patientName) == "Ковалёв^Jane" && stated.string(.institutionName) == "Städtisch")
        #expect(
            stated.item(.originalAttributesSequence)?.item(.modifiedAttributesSequence)?.string(.patientName)
                == "Doe^Jane")
        // Text that was left in the file is in its sender's set.
        var large = image
        large[.patientComments] = DataElement(.patientComments, .LT, .external(ExternalValue(offset: 9, length: 40)))
        let kept = try Self.subject(name: "Ковž").stated(in: large, source: nil)
        #expect(kept.string(.specificCharacterSet) == "ISO_IR 100" && kept.string(.patientName) == "????^Jane")
    }

    @Test("A header that cannot be read is an error, whoever it is of")
    func malformed() throws {
        var (header, _) = try Self.stored(Self.image(), .explicitVRLittleEndian, try Self.subject())
        header.header = Array(header.header.dropLast(3))
        #expect(throws: StoreError.self) { _ = try StoredHeader(header) }
    }

    @Test("A destination is sent it so without any rule, and as it is stored where nothing is to be said otherwise")
    func forwarded() async throws {
        for syntax in [TransferSyntax.explicitVRLittleEndian, .deflatedExplicitVRLittleEndian] {
            let (header, blob) = try Self.stored(Self.image(), syntax, try Self.subject())
            let rewritten = try #require(try await InstanceRewriting().rewritten(header, from: blob, at: Self.time))
            let recoded = try await rewritten.encoded(in: .explicitVRLittleEndian, from: blob)
            let object = try DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(
                recoded.pieces.flatMap { blob.bytes(of: $0) })
            #expect(object.string(.patientID) == "200" && object.string(.patientName) == "Smith^Jane")
            #expect(PassingOn.hops(object) == 1)
            let (plain, same) = try Self.stored(Self.image(), syntax, nil)
            #expect(try await InstanceRewriting().rewritten(plain, from: same, at: Self.time) == nil)
        }
    }
}
