import DICOMData
import Foundation
import HL7v2

/// The user's own files: what lies in the folders of `--dicom` and `--hl7`.
struct DemoOwnFiles: Sendable {
    /// A message and the file it came from.
    struct Letter: Sendable {
        let file: String
        let bytes: [UInt8]
    }

    /// A Part 10 file by its meta information.
    struct Image: Sendable {
        let path: String
        let sopClassUID: String
        let sopInstanceUID: String
        let transferSyntax: String
    }

    /// Files larger than this are left out, in bytes.
    static let fileBytesMax = 1 << 30
    /// Bytes read of a file to find its meta information.
    private static let headBytes = 64 << 10

    var letters: [Letter] = []
    var images: [Image] = []
    /// Files that are neither, with the reason.
    var leftOut: [String] = []

    /// Throws ``DemoFailure`` when a folder is not there.
    init(dicom: String?, hl7: String?) throws {
        if let hl7 { try readLetters(hl7) }
        if let dicom { try readImages(dicom) }
    }

    /// MSH-3 and MSH-4 of the messages.
    var senders: [(application: String, facility: String)] {
        letters.compactMap { letter in
            guard let header = try? Parser().parse(letter.bytes).header else { return nil }
            return (
                String(decoding: header.sendingApplication, as: UTF8.self),
                String(decoding: header.sendingFacility, as: UTF8.self)
            )
        }
    }

    private mutating func readLetters(_ folder: String) throws {
        for path in try Self.files(below: folder) where path.hasSuffix(".hl7") || path.hasSuffix(".txt") {
            let bytes = [UInt8](FileManager.default.contents(atPath: path) ?? Data())
            var reader = BatchFileReader()
            do throws(HL7Error) {
                for event in try reader.read(bytes) + reader.finish() {
                    if case .message(let message) = event { letters.append(Letter(file: path, bytes: message)) }
                }
            } catch {
                leftOut.append("\(path): no HL7 v2: \(error.message)")
            }
        }
    }

    private mutating func readImages(_ folder: String) throws {
        for path in try Self.files(below: folder) {
            guard let handle = FileHandle(forReadingAtPath: path) else {
                leftOut.append("\(path): cannot be read")
                continue
            }
            let head = [UInt8]((try? handle.read(upToCount: Self.headBytes)) ?? Data())
            try? handle.close()
            let meta = try? head.withUnsafeBytes { bytes throws(DICOMDataError) in
                try FileMeta.decode(bytes, isWhole: bytes.count < Self.headBytes).meta
            }
            guard let meta, let sopClass = meta.sopClassUID, let instance = meta.sopInstanceUID,
                let syntax = meta.transferSyntaxUID
            else {
                leftOut.append("\(path): no Part 10 file")
                continue
            }
            guard sopClass != UID.mediaStorageDirectory else {
                leftOut.append("\(path): a DICOMDIR lists instances and is none")
                continue
            }
            images.append(Image(path: path, sopClassUID: sopClass, sopInstanceUID: instance, transferSyntax: syntax))
        }
    }

    /// Regular files below a folder, in the order of their names.
    private static func files(below folder: String) throws -> [String] {
        guard let found = FileManager.default.enumerator(atPath: folder) else {
            throw DemoFailure("\(folder) is no folder")
        }
        var paths: [String] = []
        while let name = found.nextObject() as? String {
            let path = folder + "/" + name
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                attributes[.type] as? FileAttributeType == .typeRegular,
                (attributes[.size] as? Int ?? 0) <= fileBytesMax
            else { continue }
            paths.append(path)
        }
        guard !paths.isEmpty || FileManager.default.fileExists(atPath: folder) else {
            throw DemoFailure("\(folder) is not there")
        }
        return paths.sorted()
    }
}
