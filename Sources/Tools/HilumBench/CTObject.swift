import DICOMData
import NIOCore

/// A CT image of 528 000 bytes as a Part 10 file: noise, so that nothing in it compresses.
///
/// The digits of its UIDs are replaced in place, which makes a new object without encoding one.
struct CTObject: Sendable {
    /// Bytes of the Part 10 file.
    static let size = 528_000
    /// Objects of one study; then the worker begins a new one.
    static let studySize = 200

    /// The file. Its data set begins at `dataSetOffset`.
    private(set) var file: [UInt8]
    let dataSetOffset: Int
    private let places: [Kind: [Int]]

    private enum Kind: UInt8, CaseIterable {
        case study = 1
        case series = 2
        case object = 3
        var prefix: String { "2.25.\(rawValue)" }
    }
    private static let digits = 18
    private static func uid(_ kind: Kind, _ number: Int) -> String {
        let text = "\(number)"
        return kind.prefix + String(repeating: "0", count: digits - text.count) + text
    }

    /// Throws ``DICOMDataError``.
    init() throws {
        var noise = SplitMix(state: 7)
        func make(_ padding: Int) throws -> [UInt8] {
            var set = DataSet()
            set.set(.sopClassUID, string: UID.ctImageStorage)
            set.set(.sopInstanceUID, string: Self.uid(.object, 0))
            set.set(.studyInstanceUID, string: Self.uid(.study, 0))
            set.set(.seriesInstanceUID, string: Self.uid(.series, 0))
            set.set(.imageType, strings: ["ORIGINAL", "PRIMARY", "AXIAL"])
            set.set(.studyDate, string: "20260102")
            set.set(.studyTime, string: "101500")
            set.set(.modality, string: "CT")
            set.set(.patientName, string: "Bench^Marta")
            set.set(.patientID, string: "BENCH-1")
            set.set(.patientBirthDate, string: "19600504")
            set.set(.patientSex, string: "F")
            set.set(.studyDescription, string: "Benchmark")
            set.set(.seriesDescription, string: "Noise")
            set.set(.studyID, string: "1")
            set.set(.seriesNumber, int: 1)
            set.set(.instanceNumber, int: 1)
            set.set(.imageOrientationPatient, ints: [1, 0, 0, 0, 1, 0])
            set.set(.imagePositionPatient, doubles: [-180, -180, 12.5])
            set.set(.pixelSpacing, doubles: [0.7, 0.7])
            set.set(.samplesPerPixel, int: 1)
            set.set(.photometricInterpretation, string: "MONOCHROME2")
            set.set(.rows, int: 512)
            set.set(.columns, int: 512)
            set.set(.bitsAllocated, int: 16)
            set.set(.bitsStored, int: 16)
            set.set(.highBit, int: 15)
            set.set(.pixelRepresentation, int: 0)
            set.set(.pixelData, .OW, bytes: noise.bytes(512 * 512 * 2))
            set.set(Tag(0xFFFC, 0xFFFC), .OB, bytes: [UInt8](repeating: 0, count: padding))
            return try Part10File(dataSet: set, transferSyntax: .explicitVRLittleEndian).encode()
        }
        let bare = try make(0).count
        file = try make(Self.size - bare)
        dataSetOffset = try Part10File.decode(file).dataSetOffset
        var places: [Kind: [Int]] = [:]
        for kind in Kind.allCases {
            let text = Array(Self.uid(kind, 0).utf8)
            var from = 0
            // The object's UID stands in the file meta information and in the data set, all before the pixels.
            while let place = Array(file[..<4096]).firstRange(of: text, from: from) {
                places[kind, default: []].append(place + kind.prefix.utf8.count)
                from = place + text.count
            }
        }
        self.places = places
        guard file.count == Self.size, dataSetOffset > 0, places[.study]?.count == 1, places[.series]?.count == 1,
            places[.object]?.count == 2
        else { throw BenchFailure("the object could not be made: \(file.count) bytes, \(places)") }
    }

    /// Becomes object `number` of all, at most 18 digits; ``studySize`` numbers are one study.
    mutating func become(_ number: Int) {
        write(.object, number)
        write(.series, number / Self.studySize)
        write(.study, number / Self.studySize)
    }

    private mutating func write(_ kind: Kind, _ number: Int) {
        for place in places[kind] ?? [] {
            var rest = number
            for digit in (0..<Self.digits).reversed() {
                file[place + digit] = 0x30 + UInt8(rest % 10)
                rest /= 10
            }
        }
    }

    /// The data set alone, and what makes it that of another object: bytes that are changed where they lie, since a load
    /// that copies half a megabyte for each object takes the processor away from what it measures.
    var dataSet: ByteBuffer { ByteBuffer(bytes: file[dataSetOffset...]) }
    func become(_ number: Int, in dataSet: inout ByteBuffer) {
        for (kind, number) in [
            (Kind.object, number), (.series, number / Self.studySize), (.study, number / Self.studySize),
        ] {
            let digits = Self.uid(kind, number).utf8.dropFirst(kind.prefix.utf8.count)
            for place in places[kind] ?? [] where place >= dataSetOffset {
                dataSet.setBytes(digits, at: place - dataSetOffset)
            }
        }
    }

    static func sopInstanceUID(_ number: Int) -> String { uid(.object, number) }

    /// Where WADO-RS has object `number`. PS3.18 §10.4.
    static func path(_ number: Int) -> String {
        let study = number / studySize
        return "/dicomweb/studies/\(uid(.study, study))/series/\(uid(.series, study))/instances/\(uid(.object, number))"
    }
}

/// A small generator of noise with a fixed seed.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// `count` is a multiple of 8.
    mutating func bytes(_ count: Int) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(count)
        while out.count < count {
            var word = next()
            for _ in 0..<8 {
                out.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return out
    }
}
