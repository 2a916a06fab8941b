import DICOMData
import DICOMNetwork
import DIMSEAdapter
import FHIRModel
import Foundation
import HL7v2
import MLLPAdapter
import NIOCore

/// After the stages: the user's own messages and images. What the server answers is reported, never a failure.
extension DemoStory {
    /// Contexts of one association. PS3.8 §9.3.2.2: at most 128.
    private static let contextsMax = 128
    /// Lines of detail a list is given.
    private static let linesMax = 40

    func playOwnFiles() async throws {
        guard !ownFiles.letters.isEmpty || !ownFiles.images.isEmpty || !ownFiles.leftOut.isEmpty else { return }
        narrator.line()
        narrator.line("+  Your own files")
        try await sendLetters()
        try await storeImages()
        list(ownFiles.leftOut)
    }

    private func sendLetters() async throws {
        guard !ownFiles.letters.isEmpty else { return }
        var codes: [String: Int] = [:]
        var refusals: [String] = []
        var client = try await connectMLLP()
        for letter in ownFiles.letters {
            let name = URL(fileURLWithPath: letter.file).lastPathComponent
            do {
                let answer = try await client.send(letter.bytes)
                codes[answer.code, default: 0] += 1
                if !answer.isAccepted { refusals.append("\(name): \(answer.code) \(Self.reason(answer.bytes))") }
            } catch MLLPClient.Failure.messageIllegal(let error) {
                codes["not sent", default: 0] += 1
                refusals.append("\(name): not sent: \(error.message)")
            } catch let failure as MLLPClient.Failure {
                codes["no answer", default: 0] += 1
                refusals.append("\(name): no answer: \(failure)")
                await client.close()
                client = try await connectMLLP()
            }
        }
        await client.close()
        let counts = codes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        narrator.fact("MLLP: \(ownFiles.letters.count) messages: \(counts)")
        list(refusals)
    }

    /// MSA-3, or the text of the first ERR.
    private static func reason(_ acknowledgment: [UInt8]) -> String {
        guard let message = try? Parser().parse(acknowledgment) else { return "" }
        return message["MSA"]?[3].text ?? message["ERR"]?[8].text ?? message["ERR"]?[3][1][2].text ?? ""
    }

    private func storeImages() async throws {
        guard !ownFiles.images.isEmpty else { return }
        var statuses: [String: Int] = [:]
        var refusals: [String] = []
        var studies: [String] = []
        var pairs: [(abstractSyntax: String, transferSyntaxes: [String])] = []
        for image in ownFiles.images
        where !pairs.contains(where: {
            $0.abstractSyntax == image.sopClassUID && $0.transferSyntaxes == [image.transferSyntax]
        }) {
            pairs.append((image.sopClassUID, [image.transferSyntax]))
        }
        for start in stride(from: 0, to: pairs.count, by: Self.contextsMax) {
            let contexts = Array(pairs[start..<min(start + Self.contextsMax, pairs.count)])
            var association = try await associate(contexts)
            for image in ownFiles.images
            where contexts.contains(where: {
                $0.abstractSyntax == image.sopClassUID && $0.transferSyntaxes == [image.transferSyntax]
            }) {
                let answer: String
                do {
                    let (status, study) = try await store(image, on: association)
                    answer = Self.text(status)
                    if let study, status == .success, !studies.contains(study) { studies.append(study) }
                } catch let error as SCUError {
                    if case .noPresentationContext = error {
                        answer = "context refused"
                    } else {
                        answer = "\(error)"
                        association = try await associate(contexts)
                    }
                } catch {
                    answer = "\(error)"
                }
                statuses[answer, default: 0] += 1
                if answer != Self.text(.success) {
                    refusals.append("\(URL(fileURLWithPath: image.path).lastPathComponent): \(answer)")
                }
            }
            try await association.release()
        }
        let counts = statuses.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
        narrator.fact("C-STORE: \(ownFiles.images.count) files: \(counts)")
        list(refusals)
        try await tellWhere(studies)
    }

    /// A status with its meaning. PS3.4 §B.2.3, PS3.7 Annex C.
    private static func text(_ status: DIMSEStatus) -> String {
        switch status {
        case .success: "0000"
        case .duplicateSOPInstance: "0111 (the UID is in use for other content)"
        case .outOfResources: "A700 (out of resources)"
        case .dataSetDoesNotMatchSOPClass: "A900 (identifiers are missing or disagree)"
        case .cannotUnderstand: "C000 (not understood)"
        default: status.description
        }
    }

    private func store(
        _ image: DemoOwnFiles.Image, on association: SCUAssociation
    ) async throws -> (DIMSEStatus, study: String?) {
        let bytes = [UInt8](FileManager.default.contents(atPath: image.path) ?? Data())
        let begin = try bytes.withUnsafeBytes { bytes throws(DICOMDataError) in try FileMeta.decode(bytes).end }
        // The command names what the data set says it is; the meta information of some files disagrees. PS3.4 §B.2.1.
        let header = (try? Part10File.decode(bytes, externalValuesAbove: 1 << 16))?.dataSet
        let status = try await association.store(
            sopClassUID: header?.uid(.sopClassUID) ?? image.sopClassUID,
            sopInstanceUID: header?.uid(.sopInstanceUID) ?? image.sopInstanceUID, transferSyntax: image.transferSyntax,
            dataSet: ByteBuffer(bytes: bytes[begin...]))
        let study = header?.uid(.studyInstanceUID)
        return (status, study)
    }

    /// Which studies have an ImagingStudy, and which wait in the quarantine.
    private func tellWhere(_ studies: [String]) async throws {
        var lines: [String] = []
        for study in studies.prefix(Self.linesMax) {
            let place = try await eventually("a place for study \(study)") { () async throws -> String? in
                if let found = try await self.imagingStudies(study).first {
                    let order = found.text("basedOn.0.reference").map { "based on \($0)" } ?? "without an order"
                    return "ImagingStudy/\(found.text("id") ?? "?"), \(order)"
                }
                return try await self.quarantine().first { $0.contains(study) }.map(Self.quarantined)
            }
            lines.append("study \(study): \(place)")
        }
        list(lines)
        if lines.contains(where: { $0.contains("quarantine") }) {
            narrator.fact(
                "  (what waits for an unknown patient or accession leaves the quarantine when its ADT or ORM arrives)"
            )
        }
    }

    private static func quarantined(_ entry: String) -> String {
        "in quarantine: " + ((try? JSONDocument(parsing: entry))?.root.text("reason") ?? entry)
    }

    private func list(_ lines: [String]) {
        for line in lines.prefix(Self.linesMax) { narrator.fact("  " + line) }
        if lines.count > Self.linesMax { narrator.fact("  … and \(lines.count - Self.linesMax) more") }
    }
}
