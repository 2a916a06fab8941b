import DICOMData
import FHIRModel
import NIOHTTP1
import Testing

extension JourneyTests {
    /// STOW-RS of metadata with bulk data beside it, by the running server. PS3.18 §10.5.1.2.
    @Suite(.server, .serialized) struct MetadataStoreTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private struct Part {
            var type: String
            var location: String?
            var body: [UInt8]
        }

        private func send(_ kind: String, _ parts: [Part], study: String = "") async throws -> WebClient.Reply {
            var body: [UInt8] = []
            for part in parts {
                body += Array("\r\n--cut\r\nContent-Type: \(part.type)\r\n".utf8)
                if let location = part.location { body += Array("Content-Location: \(location)\r\n".utf8) }
                body += Array("\r\n".utf8) + part.body
            }
            body += Array("\r\n--cut--\r\n".utf8)
            return try await context.stow(
                body: body, study: study, type: "multipart/related; type=\"\(kind)\"; boundary=cut")
        }

        private func image(_ study: String, _ change: (inout DataSet) -> Void = { _ in }) -> DataSet {
            var set = DataSet()
            set.set(.sopClassUID, string: "1.2.840.10008.5.1.4.1.1.7")
            set.set(.sopInstanceUID, string: study + ".1.1")
            set.set(.studyInstanceUID, string: study)
            set.set(.seriesInstanceUID, string: study + ".1")
            set.set(.modality, string: "OT")
            set.set(.patientID, string: "M-1")
            set.set(.patientName, string: "Ärztin^Ö")
            for (tag, value) in [
                (DICOMData.Tag.samplesPerPixel, 1), (.rows, 600), (.columns, 500), (.bitsAllocated, 8),
                (.bitsStored, 8),
                (.highBit, 7), (.pixelRepresentation, 0),
            ] { set.set(tag, int: value) }
            set.set(.photometricInterpretation, string: "MONOCHROME2")
            set[.pixelData] = DataElement(.pixelData, .OB, .external(ExternalValue(offset: 0, length: 300_000)))
            change(&set)
            return set
        }

        private func json(_ sets: DataSet..., uri: String) throws -> Part {
            Part(
                type: "application/dicom+json", location: nil,
                body: try DICOMJSON.encode(sets, bulkDataURI: { _, element in element.bytes == nil ? uri : nil }))
        }

        private static let pixels = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }

        @Test("Metadata in JSON and XML with pixels beside it is stored, and retrieved as it was sent")
        func images() async throws {
            for (kind, study) in [("json", "1.2.826.0.1.81"), ("xml", "1.2.826.0.1.82")] {
                let set = image(study)
                let text =
                    kind == "json"
                    ? try json(set, uri: "bulk/1").body
                    : try NativeDICOMModel.encode(set, bulkDataURI: { _, _ in "bulk/1" })
                let parts = [
                    Part(type: "application/dicom+\(kind)", location: nil, body: text),
                    Part(type: "application/octet-stream", location: "bulk/nobody", body: [1, 2, 3]),
                    Part(type: "application/octet-stream", location: "bulk/1", body: Self.pixels),
                ]
                let stored = try await send("application/dicom+\(kind)", parts)
                #expect(stored.status == 200, "\(kind): \(stored.text)")
                let object = "/dicomweb/studies/\(study)/series/\(study).1/instances/\(study).1.1"
                let frame = try await context.web.send(
                    .GET, object + "/frames/1", token: context.token,
                    headers: [("Accept", "application/octet-stream")])
                #expect(frame.status == 200)
                #expect(frame.body == Self.pixels)
                let metadata = try await context.web.send(.GET, object + "/metadata", token: context.token)
                let name = try metadata.json()[0]?["00100010"]?["Value"]?[0]?["Alphabetic"]?.string
                #expect(name == "Ärztin^Ö")
                let file = try await context.web.send(
                    .GET, object, token: context.token, headers: [("Accept", "application/dicom")])
                #expect(file.status == 200)
                let again = try await context.stow([file.body])
                #expect(again.status == 200, "the file is not what was stored: \(again.text)")
                #expect(try await send("application/dicom+\(kind)", parts).status == 200)
            }
        }

        @Test("Of several instances those that cannot be made fail alone, with their reason, and nothing is fetched")
        func failures() async throws {
            let study = "1.2.826.0.1.83"
            let other = image(study) {
                $0.set(.sopInstanceUID, string: study + ".1.2")
                $0.set(.rows, int: 601)
            }
            let reply = try await send(
                "application/dicom+json",
                [
                    try json(image(study), other, uri: "b"),
                    Part(type: "application/octet-stream", location: "b", body: Self.pixels),
                ])
            #expect(reply.status == 202, "\(reply.text)")
            let failed = try reply.json()["00081198"]?["Value"]?[0]
            #expect(failed?["00081155"]?["Value"]?[0]?.string == study + ".1.2")
            #expect(reply.text.contains("\(0xA900)"), "\(reply.text)")
            #expect(try await context.visible(study: study) == 1)

            let elsewhere = try await send(
                "application/dicom+json", [try json(image("1.2.826.0.1.84"), uri: "http://127.0.0.1:1/pixels")])
            #expect(elsewhere.status == 409, "\(elsewhere.text)")
            #expect(elsewhere.text.contains("\(0xC000)"), "\(elsewhere.text)")
            let wrong = try await send(
                "application/dicom+json",
                [
                    try json(image("1.2.826.0.1.84"), uri: "b"),
                    Part(type: "application/octet-stream", location: "b", body: Self.pixels),
                ], study: "1.2.826.0.1.85")
            #expect(wrong.status == 409, "\(wrong.text)")
        }

        @Test("A body that is no metadata is 400, another type 415")
        func refused() async throws {
            let octets = Part(type: "application/octet-stream", location: "b", body: [1])
            #expect(try await send("application/dicom+json", [octets]).status == 400)
            #expect(
                try await send(
                    "application/dicom+json", [Part(type: "application/dicom+json", location: nil, body: [0x7B])]
                ).status == 400)
            #expect(
                try await send(
                    "application/dicom+xml",
                    [Part(type: "application/dicom+xml", location: nil, body: Array("<!DOCTYPE a><a/>".utf8))]
                ).status == 400)
            #expect(try await send("application/json", [octets]).status == 415)
        }

        @Test("A PDF becomes an object of its class, and is rendered as itself")
        func document() async throws {
            let study = "1.2.826.0.1.86"
            let pdf = Array("%PDF-1.4\n%%EOF".utf8)
            let set = image(study) { set in
                let described: [DICOMData.Tag] = [
                    .sopClassUID, .samplesPerPixel, .rows, .columns, .bitsAllocated, .bitsStored, .highBit,
                    .pixelRepresentation, .photometricInterpretation, .pixelData,
                ]
                set.removeAll { described.contains($0.tag) }
                set.set(.modality, string: "DOC")
                set[.encapsulatedDocument] = DataElement(
                    .encapsulatedDocument, .OB, .external(ExternalValue(offset: 0, length: 0)))
            }
            let stored = try await send(
                "application/dicom+json",
                [try json(set, uri: "d"), Part(type: "application/pdf", location: "d", body: pdf)])
            #expect(stored.status == 200, "\(stored.text)")
            let object = "/dicomweb/studies/\(study)/series/\(study).1/instances/\(study).1.1"
            let rendered = try await context.web.send(
                .GET, object + "/rendered", token: context.token, headers: [("Accept", "application/pdf")])
            #expect(rendered.status == 200)
            #expect(rendered.body == pdf)
        }
    }
}
