import DICOMData

/// Objects and messages that the tests send. Every name and number in them is invented.
enum Samples {
    static let ctImageStorage = "1.2.840.10008.5.1.4.1.1.2"

    /// A one-frame CT image of 16-bit pixels in 10 rows, as an Explicit VR Little Endian data set.
    static func dataSet(
        study: String, instance: String, byte: UInt8 = 7, pixelBytes: Int = 2000
    ) throws -> [UInt8] {
        try dataSet(study: study, instance: instance, pixels: [UInt8](repeating: byte, count: pixelBytes), rows: 10)
    }

    private static func dataSet(study: String, instance: String, pixels: [UInt8], rows: Int) throws -> [UInt8] {
        try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(
            values(study: study, instance: instance, pixels: pixels, rows: rows))
    }

    private static func values(study: String, instance: String, pixels: [UInt8], rows: Int) -> DataSet {
        var set = DataSet()
        set.set(.sopClassUID, string: ctImageStorage)
        set.set(.sopInstanceUID, string: instance)
        set.set(.studyInstanceUID, string: study)
        set.set(.seriesInstanceUID, string: study + ".1")
        set.set(.patientID, string: "J-1")
        set.set(.rows, int: rows)
        set.set(.columns, int: pixels.count / 2 / rows)
        set.set(.bitsAllocated, int: 16)
        set.set(.samplesPerPixel, int: 1)
        set[.pixelData] = DataElement(.pixelData, .OW, bytes: pixels)
        return set
    }

    /// The same as a Part 10 file.
    static func file(study: String, instance: String, byte: UInt8 = 7, pixelBytes: Int = 2000) throws -> [UInt8] {
        try file(study: study, instance: instance, pixels: [UInt8](repeating: byte, count: pixelBytes), rows: 10)
    }

    /// A Part 10 file with pixels of its own.
    static func file(study: String, instance: String, pixels: [UInt8], rows: Int) throws -> [UInt8] {
        try meta(instance: instance) + dataSet(study: study, instance: instance, pixels: pixels, rows: rows)
    }

    /// A small Part 10 file with some elements changed.
    static func file(study: String, instance: String, _ change: (inout DataSet) -> Void) throws -> [UInt8] {
        var set = values(study: study, instance: instance, pixels: [UInt8](repeating: 7, count: 20), rows: 10)
        change(&set)
        return try meta(instance: instance) + DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set)
    }

    static func meta(instance: String) throws -> [UInt8] {
        try FileMeta(sopClassUID: ctImageStorage, sopInstanceUID: instance, transferSyntax: .explicitVRLittleEndian)
            .encoded()
    }

    /// How many elements the data set of such a file has.
    static func elements(study: String, instance: String) throws -> Int {
        values(study: study, instance: instance, pixels: [7, 7], rows: 1).elements.count
    }

    /// Parts of application/dicom. RFC 2387.
    static func multipart(_ parts: [[UInt8]], boundary: String = "cut", isClosed: Bool = true) -> [UInt8] {
        var out: [UInt8] = []
        for part in parts {
            out += Array("\r\n--\(boundary)\r\nContent-Type: application/dicom\r\n\r\n".utf8) + part
        }
        return out + (isClosed ? Array("\r\n--\(boundary)--\r\n".utf8) : [])
    }

    /// ADT^A04 for a patient. HL7 v2.5.1 §3.3.4.
    static func message(
        _ controlID: String, patient: String = "J-1", type: String = "ADT^A04^ADT_A01", processing: String = "P",
        application: String = ServerFolder.sender.application, name: String = "JOURNEY^TEST", note: Int = 0
    ) -> [UInt8] {
        var lines = [
            "MSH|^~\\&|\(application)|\(ServerFolder.sender.facility)|HILUM|HILUM|20261121070000||\(type)|\(controlID)|\(processing)|2.5.1||||||UNICODE UTF-8",
            "EVN|A04|20261121070000", "PID|1||\(patient)^^^HOSP^MR||\(name)||19700101|F", "PV1|1|O|RADIOLOGY",
        ]
        if note > 0 { lines.append("ZZZ|" + String(repeating: "x", count: note)) }
        return Array((lines.joined(separator: "\r") + "\r").utf8)
    }

    /// A Patient of extensions inside one another: an object and two for each level open at a time.
    static func nested(_ levels: Int, _ innermost: String) -> String {
        var text = innermost
        for _ in 0..<levels { text = "\"extension\":[{\"url\":\"urn:x\",\(text)}]" }
        return "{\"resourceType\":\"Patient\",\(text)}"
    }

    /// A Patient of the REST door.
    static func patient(_ value: String, id: String? = nil, family: String = "JOURNEY", padding: Int = 0) -> String {
        let id = id.map { "\"id\":\"\($0)\"," } ?? ""
        return
            "{\"resourceType\":\"Patient\",\(id)\"identifier\":[{\"system\":\"urn:journey\",\"value\":\"\(value)\"}],\"name\":[{\"family\":\"\(family)\"}]}"
            + String(repeating: " ", count: padding)
    }
}
