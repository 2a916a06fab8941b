import DICOMData
import DICOMPixels
import NIOHTTP1
import PixelCodecs
import Testing

extension JourneyTests {
    /// A compressed image is stored and asked for in other transfer syntaxes, through the processes for pixels.
    /// PS3.18 §8.7.3, §10.4.
    @Suite(.server, .serialized) struct TranscodingJourneyTests {
        let context: ServerTrait.Context
        private static let study = "1.2.88"
        private static let explicit = "1.2.840.10008.1.2.1"

        init() throws { context = try ServerTrait.context() }

        private func frame(_ number: Int) throws -> NativeFrame {
            let values = (0..<20 * 30).map { index in (index * 7 + number * 901) % 4_096 }
            return try #require(
                NativeFrame(
                    rows: 20, columns: 30, samplesPerPixel: 1, sampleBytes: 2, bitsStored: 12, isSigned: false,
                    photometricInterpretation: "MONOCHROME2",
                    bytes: values.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }))
        }

        /// Three frames in a syntax.
        private func file(_ instance: String, _ syntax: TransferSyntax, isDamaged: Bool = false) throws -> [UInt8] {
            var set = DataSet()
            set.set(.sopClassUID, string: Samples.ctImageStorage)
            set.set(.sopInstanceUID, string: instance)
            set.set(.studyInstanceUID, string: Self.study)
            set.set(.seriesInstanceUID, string: Self.study + ".1")
            set.set(.patientID, string: "J-1")
            set.set(.samplesPerPixel, int: 1)
            set.set(.photometricInterpretation, string: "MONOCHROME2")
            set.set(.numberOfFrames, int: 3)
            set.set(.rows, int: 20)
            set.set(.columns, int: 30)
            set.set(.bitsAllocated, int: 16)
            set.set(.bitsStored, int: 12)
            set.set(.highBit, int: 11)
            set.set(.pixelRepresentation, int: 0)
            var fragments = try (1...3).map { try FrameEncoder.encode(try frame($0), as: syntax).bytes }
            if isDamaged { fragments[0] = Array(fragments[0].prefix(40)) }
            set[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: fragments)))
            return try Part10File(dataSet: set, transferSyntax: syntax).encode()
        }

        private func get(_ path: String, _ accept: String) async throws -> WebClient.Reply {
            try await context.web.send(
                .GET, "/dicomweb/studies/\(Self.study)/series/\(Self.study).1/instances/" + path,
                token: context.token, headers: [("Accept", accept)])
        }

        @Test("Frames and instances come decoded, and in other compressions, through processes of their own")
        func transcoded() async throws {
            let native = try (1...3).map { try frame($0).bytes }
            for (index, syntax) in [TransferSyntax.jpegLSLossless, .jpeg2000Lossless, .rleLossless].enumerated() {
                let uid = "\(Self.study).1.\(index)"
                #expect(try await context.stow([try file(uid, syntax)]).status == 200)
                let octets = try await get("\(uid)/frames/2", "application/octet-stream")
                #expect(octets.status == 200 && octets.body == native[1])
                let whole = try await get(uid, "application/dicom; transfer-syntax=\(Self.explicit)")
                #expect(
                    whole.headers.first(name: "Content-Type") == "application/dicom;transfer-syntax=\(Self.explicit)")
                let file = try Part10File.decode(whole.body)
                #expect(file.dataSet.bytes(.pixelData) == native.flatMap { $0 })
                let jpeg = try await get("\(uid)/frames/3", "image/jpeg")
                #expect(
                    jpeg.headers.first(name: "Content-Type")
                        == "image/jpeg;transfer-syntax=\(TransferSyntax.jpegLosslessSV1.uid)")
                let image = try #require(ImagePixel(file.dataSet))
                let back = try FrameDecoder.decode(jpeg.body, image, transferSyntax: .jpegLosslessSV1)
                #expect(back.bytes == native[2])
                // The same where nothing is named; as it is stored for who takes any.
                #expect(try await get(uid, "application/dicom").body == whole.body)
                let stored = try await get(uid, "application/dicom; transfer-syntax=*")
                #expect(try Part10File.decode(stored.body).meta.transferSyntax() == syntax)
            }
        }

        @Test("A damaged frame is 409 in words, what is not written 406 with what there is, and the server goes on")
        func refused() async throws {
            let uid = "\(Self.study).1.9"
            #expect(try await context.stow([try file(uid, .jpegLSLossless, isDamaged: true)]).status == 200)
            let damaged = try await get("\(uid)/frames/1", "application/octet-stream")
            #expect(damaged.status == 409 && damaged.text.contains("damaged"), "\(damaged.status) \(damaged.text)")
            #expect(try await get("\(uid)/frames/2", "application/octet-stream").body == (try frame(2).bytes))
            #expect(try await get(uid, "application/dicom; transfer-syntax=\(Self.explicit)").status == 409)
            let unnamed = try await get(uid, "application/dicom")
            #expect(
                unnamed.headers.first(name: "Content-Type")
                    == "application/dicom;transfer-syntax=\(TransferSyntax.jpegLSLossless.uid)")
            let none = try await get("\(uid)/frames/2", "image/jphc")
            #expect(none.status == 406 && none.text.contains("available: ") && none.text.contains("image/jls"))
            #expect(try await context.allDoorsServe())
        }
    }
}
