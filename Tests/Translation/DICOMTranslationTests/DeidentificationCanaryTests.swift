import DICOMData
import Testing

@testable import DICOMTranslation

/// No value of a listed attribute is found again in the bytes of the result, wherever it stood. PS3.15 §E.1.1.
@Suite("De-identification: nothing of the original is left")
struct DeidentificationCanaryTests {
    static let options: [DeidentificationOptions] = [
        [], .retainSafePrivate, .retainUIDs, .retainDeviceIdentity, .retainInstitutionIdentity,
        .retainPatientCharacteristics, .retainFullDates, .retainModifiedDates, .cleanDescriptors,
        .cleanStructuredContent, .cleanGraphics, [.cleanDescriptors, .cleanStructuredContent, .cleanGraphics],
        [.retainModifiedDates, .retainDeviceIdentity, .retainPatientCharacteristics, .cleanDescriptors],
    ]

    /// The attributes of the table that an object can have; an encapsulated document is refused.
    static let tags = ConfidentialityProfile.tags.filter {
        DataDictionary.attribute($0) != nil && $0.group > 2 && $0 != .encapsulatedDocument
    }

    /// Bytes for a value that occur nowhere else; nil for VRs of so few bytes that they would.
    static func canary(_ tag: DICOMData.Tag, _ vr: VR, _ salt: Int) -> [UInt8]? {
        switch vr {
        case .UI: Array("1.2.3.\(salt).\(tag.rawValue)".utf8)
        case .SQ, .US, .SS: nil
        case .FL, .UL, .SL, .AT: [0xA7, UInt8(salt), UInt8(tag.element >> 8) ^ 0x5A, UInt8(tag.element & 0xFF) ^ 0xA5]
        default: Array("QZ\(salt)\(tag.hex)".utf8)
        }
    }

    /// Every listed attribute with its canary; sequences hold one as the UID of an instance.
    static func object(_ salt: Int, vr wanted: VR? = nil) -> (dataSet: DataSet, canaries: [DICOMData.Tag: [UInt8]]) {
        var dataSet = DataSet()
        var canaries: [DICOMData.Tag: [UInt8]] = [:]
        for tag in tags {
            let vr = DataDictionary.vr(tag) ?? .UN
            if vr == .SQ {
                let bytes = Array("1.2.3.\(salt).\(tag.rawValue)".utf8)
                var item = DataSet()
                item[.referencedSOPInstanceUID] = DataElement(.referencedSOPInstanceUID, wanted ?? .UI, bytes: bytes)
                canaries[tag] = bytes
                dataSet.set(tag, .SQ, items: [item])
            } else if let bytes = canary(tag, vr, salt) {
                canaries[tag] = bytes
                dataSet[tag] = DataElement(tag, wanted ?? vr, bytes: bytes)
            }
        }
        return (dataSet, canaries)
    }

    /// Canaries at the top, in an item, in an item of UN, with UN for each VR, and in private elements.
    static func whole() throws -> (dataSet: DataSet, canaries: [(tag: DICOMData.Tag, bytes: [UInt8])]) {
        var (dataSet, first) = object(1)
        var (item, second) = object(2)
        let (unknown, third) = object(3, vr: .UN)
        item.set(.perFrameFunctionalGroupsSequence, items: [unknown])
        var (hidden, fourth) = object(4)
        hidden.setPrivate(group: 0x0029, creator: "QZ CREATOR", element: 1, .LO, bytes: Array("QZPRIVATE1".utf8))
        let encoder = DataSetEncoder(transferSyntax: .implicitVRLittleEndian)
        let encoded = try encoder.encode(hidden)
        dataSet.set(.sharedFunctionalGroupsSequence, items: [item])
        // An item in the value of an element of UN. PS3.5 §6.2.2.
        dataSet[.dimensionIndexSequence] = DataElement(
            .dimensionIndexSequence, .UN,
            bytes: encoder.elementHeader(.item, .SQ, length: UInt32(encoded.count)) + encoded)
        dataSet.setPrivate(group: 0x0019, creator: "QZ CREATOR", element: 7, .UN, bytes: Array("QZPRIVATE2".utf8))
        dataSet.setPrivate(group: 0x0019, creator: "QZ CREATOR", element: 8, .SQ, bytes: [])
        dataSet[DICOMData.Tag(0x0019, 0x1009)] = DataElement(DICOMData.Tag(0x0019, 0x1009), .SQ, .items([unknown]))
        dataSet[DICOMData.Tag(0x0008, 0xFFF1)] = DataElement(
            DICOMData.Tag(0x0008, 0xFFF1), .LO, bytes: Array("QZUNKNOWN1".utf8))
        dataSet[DICOMData.Tag(0x5002, 0x3000)] = DataElement(
            DICOMData.Tag(0x5002, 0x3000), .OB, bytes: Array("QZCURVE001".utf8))
        dataSet[DICOMData.Tag(0x6002, 0x3000)] = DataElement(
            DICOMData.Tag(0x6002, 0x3000), .OB, bytes: Array("QZOVERLAY1".utf8))
        let canaries = [first, second, third, fourth].flatMap { $0.map { (tag: $0.key, bytes: $0.value) } }
        return (dataSet, canaries)
    }

    static func contains(_ bytes: [UInt8], _ wanted: [UInt8], at places: [UInt16: [Int]]) -> Bool {
        let key = UInt16(wanted[0]) << 8 | UInt16(wanted[1])
        return (places[key] ?? []).contains { bytes[$0...].starts(with: wanted) }
    }

    @Test(
        "PS3.15 Table E.1-1: what is not retained is found nowhere in the bytes, what is retained is",
        arguments: options)
    func canaries(_ options: DeidentificationOptions) throws {
        let (dataSet, canaries) = try Self.whole()
        #expect(canaries.count > 2000)
        let made = try DeidentifierTests.deidentifier(options).deidentified(dataSet).get()
        let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(made)
        var places: [UInt16: [Int]] = [:]
        for place in 0..<bytes.count - 1 {
            places[UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]), default: []].append(place)
        }
        var left: [DICOMData.Tag] = []
        var lost: [DICOMData.Tag] = []
        for (tag, canary) in canaries {
            let isSequence = DataDictionary.vr(tag) == .SQ
            let action = ConfidentialityProfile.decision(tag, options)?.action
            let isKept = isSequence ? options.contains(.retainUIDs) : action == .keep
            let isFound = Self.contains(bytes, canary, at: places)
            if isFound, !isKept { left.append(tag) }
            if !isFound, action == .keep, !isSequence { lost.append(tag) }
        }
        #expect(left == [])
        // Below sequences that go as a whole there is a further one of each, so that one found is enough.
        #expect(lost == [])
        for text in ["QZPRIVATE", "QZ CREATOR", "QZUNKNOWN", "QZCURVE", "QZOVERLAY"] {
            #expect(!Self.contains(bytes, Array(text.utf8), at: places), "\(text)")
        }
    }

    @Test("Objects of damaged bytes are de-identified or refused, never a trap")
    func damaged() throws {
        let (dataSet, _) = try Self.whole()
        let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(dataSet)
        let all = DeidentificationOptions(rawValue: 0x07FF)
        var state: UInt64 = 20
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        var read = 0
        for round in 0..<60 {
            var input = bytes
            for _ in 0...next(20) { input[next(input.count)] = UInt8(next(256)) }
            guard let object = try? DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(input) else {
                continue
            }
            read += 1
            let result = try DeidentifierTests.deidentifier(round % 2 == 0 ? [] : all).deidentified(object)
            if case .success(let made) = result {
                _ = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(made)
            }
        }
        #expect(read >= 10)
    }

    @Test("PS3.15 §E.3.6: no listed date is left where dates are removed or modified")
    func dates() throws {
        var dataSet = DataSet()
        for tag in Self.tags where DataDictionary.vr(tag) == .DA { dataSet.set(tag, string: "19870513") }
        for tag in Self.tags where DataDictionary.vr(tag) == .DT { dataSet.set(tag, string: "19870513101112") }
        var item = dataSet
        item.set(.patientBirthDate, string: "19870513")
        dataSet.set(.sharedFunctionalGroupsSequence, items: [item])
        #expect(dataSet.elements.count > 100)
        for options in Self.options where !options.contains(.retainFullDates) {
            // Dates of devices are the devices' own.
            if options.contains(.retainDeviceIdentity), !options.contains(.retainModifiedDates) { continue }
            let made = try DeidentifierTests.deidentifier(options).deidentified(dataSet).get()
            let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(made)
            let left = bytes.indices.filter { bytes[$0] == 0x31 && bytes[$0...].starts(with: "19870513".utf8) }
            #expect(left == [], "\(options)")
        }
    }
}
