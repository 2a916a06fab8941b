import DICOMData
import HTTPSupport
import Testing

@testable import DICOMwebAPI

/// Which form a client gets. PS3.18 §8.7.3, §8.7.5.
@Suite("Media types of instances and frames")
struct MediaTypeTests {
    /// The form, and the way of each instance.
    private func instance(_ accept: String?, _ stored: [TransferSyntax], single: Bool = false) throws -> String? {
        let wishes = try DICOMwebMediaType.wishes(accept)
        return DICOMwebMediaType.instanceForm(wishes, stored: stored, isSingle: single).map { form in
            let ways = stored.map { syntax in
                switch form.way(of: syntax) {
                case .stored: "stored"
                case .recoded: "recoded"
                case .transcoded(let made): made.uid
                }
            }
            return ([form.isMultipart ? "multipart" : "single"] + ways).joined(separator: " ")
        }
    }

    private func frame(
        _ accept: String?, _ stored: TransferSyntax, frames: Int = 1, canMake: [TransferSyntax] = []
    ) throws -> String? {
        let wishes = try DICOMwebMediaType.wishes(accept)
        let form = DICOMwebMediaType.frameForm(wishes, stored: stored, frames: frames) { canMake.contains($0) }
        guard let form else { return nil }
        #expect(form.transcoded.map { form.contentType.hasSuffix($0.uid) } ?? true)
        return (form.isMultipart ? "multipart " : "single ") + form.contentType
    }

    /// What the encoders write, and native.
    private static let made: [TransferSyntax] = [
        .explicitVRLittleEndian, .jpegBaseline, .jpegLosslessSV1, .jpegLSLossless, .jpegLSNearLossless,
        .jpeg2000Lossless, .jpeg2000, .rleLossless,
    ]

    @Test(
        "PS3.18 §8.7.3.4: without a transfer syntax it is Explicit VR Little Endian, quoted or not, in any case",
        arguments: [
            #"multipart/related; type="application/dicom""#, "multipart/related;type=application/dicom",
            #"MULTIPART/RELATED; TYPE="Application/DICOM""#, "*/*", "multipart/related",
        ])
    func instances(_ accept: String) throws {
        let explicit = TransferSyntax.explicitVRLittleEndian
        #expect(try instance(accept, [explicit]) == "multipart stored")
        #expect(try instance(accept, [.implicitVRLittleEndian]) == "multipart recoded")
        #expect(
            try instance(accept, [.explicitVRBigEndian, .deflatedExplicitVRLittleEndian, .jpegLSLossless])
                == "multipart recoded recoded \(explicit.uid)")
    }

    @Test(
        "PS3.18 §8.7.3.4: without a transfer syntax what is kept without loss goes decoded, each by its own syntax",
        arguments: [
            TransferSyntax.rleLossless, .jpegLossless, .jpegLosslessSV1, .jpegLSLossless, .jpeg2000Lossless,
            .jpeg2000Part2Lossless, .htj2kLossless, .htj2kLosslessRPCL, .encapsulatedUncompressed,
            // Of these the data set tells.
            .jpegLSNearLossless, .jpeg2000, .jpeg2000Part2, .htj2k,
        ])
    func decodedByDefault(_ stored: TransferSyntax) throws {
        let explicit = TransferSyntax.explicitVRLittleEndian.uid
        #expect(try instance("application/dicom", [stored], single: true) == "single \(explicit)")
        #expect(try instance(nil, [.jpegBaseline, stored]) == "multipart stored \(explicit)")
        #expect(try instance("application/dicom; transfer-syntax=*", [stored], single: true) == "single stored")
        let form = DICOMwebMediaType.InstanceForm(isMultipart: false, wanted: .standard)
        #expect(form.way(of: stored, isTried: true) == .stored)
    }

    @Test("PS3.18 §8.7.3.4: without a transfer syntax what always lost, or cannot be decoded, goes as it is stored")
    func storedByDefault() throws {
        let others = ["1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95"]
        let syntaxes = try [.jpegBaseline, .jpegExtended] + others.map { try #require(TransferSyntax(uid: $0)) }
        for syntax in syntaxes {
            #expect(try instance("application/dicom", [syntax], single: true) == "single stored", "\(syntax)")
            #expect(try instance("*/*", [syntax, .implicitVRLittleEndian]) == "multipart stored recoded")
        }
    }

    @Test("Implicit VR and Big Endian never travel, whatever is asked (PS3.18 §8.7.3)")
    func neverImplicit() throws {
        for syntax in [TransferSyntax.implicitVRLittleEndian, .explicitVRBigEndian] {
            #expect(
                try instance("multipart/related; type=\"application/dicom\"; transfer-syntax=*", [syntax])
                    == "multipart recoded")
            #expect(
                try instance("multipart/related; type=\"application/dicom\"; transfer-syntax=\(syntax.uid)", [syntax])
                    == nil)
        }
    }

    @Test("transfer-syntax: any sends as stored, one is what is stored or can be made of it (§8.7.3.5.2)")
    func transferSyntax() throws {
        let base = #"multipart/related; type="application/dicom"; transfer-syntax="#
        #expect(
            try instance(base + "*", [.jpeg2000Lossless, .deflatedExplicitVRLittleEndian]) == "multipart stored stored")
        #expect(try instance(base + TransferSyntax.jpegBaseline.uid, [.jpegBaseline]) == "multipart stored")
        #expect(
            try instance(base + TransferSyntax.jpegBaseline.uid, [.jpeg2000Lossless])
                == "multipart 1.2.840.10008.1.2.4.50")
        // No encoder; no image decoder; no way over the web.
        for (wanted, stored) in [
            (TransferSyntax.htj2kLossless, TransferSyntax.jpegBaseline), (.implicitVRLittleEndian, .jpegBaseline),
            (.deflatedExplicitVRLittleEndian, .jpegBaseline), (.explicitVRBigEndian, .explicitVRLittleEndian),
        ] {
            #expect(try instance(base + wanted.uid, [stored]) == nil, "\(wanted)")
        }
        #expect(
            try instance(base + TransferSyntax.explicitVRLittleEndian.uid, [.implicitVRLittleEndian])
                == "multipart recoded")
        let explicit = TransferSyntax.explicitVRLittleEndian.uid
        #expect(try instance(base + explicit, [.jpegBaseline], single: true) == "multipart \(explicit)")
        if let video = TransferSyntax(uid: "1.2.840.10008.1.2.4.102") {
            #expect(try instance(base + explicit, [video]) == nil)
            // Of several some can be made; the others say what they are.
            #expect(
                try instance(base + explicit, [video, .jpegBaseline, .implicitVRLittleEndian])
                    == "multipart stored \(explicit) recoded")
        }
        #expect(throws: HTTPFailure.self) {
            try DICOMwebMediaType.wishes(#"multipart/related; transfer-syntax="1.2,1.3""#)
        }
    }

    @Test("A single part is for one instance alone; q=0 excludes; the better q wins (§8.7.5)")
    func quality() throws {
        #expect(try instance("application/dicom", [.explicitVRLittleEndian], single: true) == "single stored")
        #expect(try instance("application/dicom", [.explicitVRLittleEndian]) == nil)
        #expect(try instance("application/dicom;q=0", [.explicitVRLittleEndian], single: true) == nil)
        #expect(
            try instance(
                #"multipart/related;type="application/dicom";q=0.5, application/dicom"#, [.explicitVRLittleEndian],
                single: true) == "single stored")
        #expect(try instance("image/png", [.explicitVRLittleEndian]) == nil)
    }

    @Test("Frames: octets for native pixels, the compressed type or stored octets for the rest")
    func frames() throws {
        let octets = #"multipart/related; type="application/octet-stream""#
        let explicit = "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1"
        #expect(try frame(octets, .explicitVRLittleEndian) == "multipart \(explicit)")
        #expect(try frame(octets, .implicitVRLittleEndian) == "multipart \(explicit)")
        #expect(try frame("application/octet-stream", .explicitVRLittleEndian) == "single \(explicit)")
        #expect(try frame("application/octet-stream", .explicitVRLittleEndian, frames: 2) == nil)
        #expect(try frame("*/*", .explicitVRLittleEndian, frames: 2) == "multipart \(explicit)")
        // Of pixels that cannot be decoded there are no plain octets.
        #expect(try frame(octets, .jpegBaseline) == nil)
        #expect(try frame(octets, .jpegBaseline, canMake: Self.made) == "multipart \(explicit)")
        #expect(
            try frame(octets + "; transfer-syntax=1.2.840.10008.1.2.1", .jpegBaseline, canMake: Self.made)
                == "multipart \(explicit)")
        #expect(
            try frame(octets + "; transfer-syntax=1.2.840.10008.1.2.4.80", .jpegBaseline, canMake: Self.made) == nil)
        #expect(
            try frame(octets + "; transfer-syntax=*", .jpegBaseline)
                == "multipart application/octet-stream;transfer-syntax=1.2.840.10008.1.2.4.50")
        #expect(
            try frame(#"multipart/related; type="image/jpeg""#, .jpegBaseline)
                == "multipart image/jpeg;transfer-syntax=1.2.840.10008.1.2.4.50")
        #expect(try frame(#"multipart/related; type="image/jp2""#, .jpegBaseline) == nil)
        #expect(
            try frame(#"multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.70"#, .jpegBaseline)
                == nil)
    }

    @Test(
        "Each compressed syntax has the media type of its table (Tables 8.7.3-2 to -5)",
        arguments: [
            (TransferSyntax.jpegBaseline, "image/jpeg"), (.jpegExtended, "image/jpeg"),
            (.jpegLosslessSV1, "image/jpeg"),
            (.jpegLSLossless, "image/jls"), (.jpegLSNearLossless, "image/jls"), (.jpeg2000Lossless, "image/jp2"),
            (.jpeg2000, "image/jp2"),
            (.jpeg2000Part2, "image/jpx"), (.htj2k, "image/jphc"), (.rleLossless, "image/dicom-rle"),
        ])
    func compressed(_ syntax: TransferSyntax, _ expected: String) throws {
        #expect(try frame("*/*", syntax) == "multipart \(expected);transfer-syntax=\(syntax.uid)")
    }

    @Test(
        "Table 8.7.3-5: a media type without a transfer syntax has its default, which loses nothing",
        arguments: [
            ("image/jpeg", "1.2.840.10008.1.2.4.70"), ("image/jls", "1.2.840.10008.1.2.4.80"),
            ("image/jp2", "1.2.840.10008.1.2.4.90"), ("image/dicom-rle", "1.2.840.10008.1.2.5"),
        ])
    func defaults(_ type: String, _ syntax: String) throws {
        for stored in [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .htj2kLossless] {
            for wild in ["", "; transfer-syntax=*"] {
                #expect(
                    try frame("multipart/related; type=\"\(type)\"" + wild, stored, canMake: Self.made)
                        == "multipart \(type);transfer-syntax=\(syntax)")
            }
            #expect(try frame(type, stored, canMake: Self.made) == "single \(type);transfer-syntax=\(syntax)")
            #expect(try frame(type, stored, frames: 2, canMake: Self.made) == nil)
            #expect(try frame(type, stored) == nil)
        }
    }

    @Test("Table 8.7.3-5: the default is meant also where another of the same media type is stored without loss")
    func otherOfTheType() throws {
        let explicit = "application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1"
        #expect(
            try frame("image/jpeg", .jpegLossless, canMake: Self.made)
                == "single image/jpeg;transfer-syntax=1.2.840.10008.1.2.4.70")
        #expect(
            try frame("application/octet-stream", .encapsulatedUncompressed, canMake: Self.made) == "single \(explicit)"
        )
        for (accept, stored, type) in [
            ("image/jpeg; transfer-syntax=*", TransferSyntax.jpegLossless, "image/jpeg"),
            // No encoder.
            ("image/jphc", .htj2kLosslessRPCL, "image/jphc"), ("*/*", .jpegLossless, "image/jpeg"),
            // With loss.
            ("image/jpeg", .jpegExtended, "image/jpeg"), ("image/jp2", .jpeg2000, "image/jp2"),
        ] {
            #expect(
                try frame(accept, stored, canMake: Self.made)?.hasSuffix("\(type);transfer-syntax=\(stored.uid)")
                    == true)
        }
    }

    @Test("All pixel data: video is a stream, native pixels are a value, other frames are parts (§10.4.3.3.6)")
    func pixelData() throws {
        func forms(
            _ accept: String?, _ stored: TransferSyntax, frames: Int = 2
        ) throws -> [DICOMwebMediaType.PixelDataForm] {
            DICOMwebMediaType.pixelDataForms(
                try DICOMwebMediaType.wishes(accept), stored: stored, isEncapsulated: stored.isEncapsulated,
                frames: frames
            ) { Self.made.contains($0) }
        }
        #expect(try forms("application/octet-stream", .implicitVRLittleEndian) == [.value(isMultipart: false)])
        #expect(
            try forms("multipart/related; type=\"application/octet-stream\"", .explicitVRLittleEndian)
                == [.value(isMultipart: true)])
        let jls = DICOMwebMediaType.FrameForm(
            contentType: "image/jls;transfer-syntax=1.2.840.10008.1.2.4.80", isMultipart: true,
            transcoded: .jpegLSLossless)
        let octets = "application/octet-stream;q=0.5"
        #expect(
            try forms("multipart/related; type=image/jls, \(octets)", .explicitVRLittleEndian)
                == [.frames(jls), .value(isMultipart: false)])
        let rle = DICOMwebMediaType.FrameForm(
            contentType: "image/dicom-rle;transfer-syntax=1.2.840.10008.1.2.5", isMultipart: true)
        #expect(try forms(nil, .rleLossless) == [.frames(rle)])
        // Several frames are no single part.
        #expect(try forms("image/dicom-rle", .rleLossless).isEmpty)
        if let video = TransferSyntax(uid: "1.2.840.10008.1.2.4.102") {
            let type = "video/mp4;transfer-syntax=\(video.uid)"
            #expect(try forms("video/*", video) == [.video(contentType: type, isMultipart: false)])
        }
    }

    @Test("Table 8.7.3-5: what loses values is made where it is named, and never under another media type")
    func named() throws {
        for (type, syntax) in [
            ("image/jpeg", TransferSyntax.jpegBaseline), ("image/jls", .jpegLSNearLossless), ("image/jp2", .jpeg2000),
        ] {
            let wish = "; transfer-syntax=\(syntax.uid)"
            #expect(
                try frame(type + wish, .explicitVRLittleEndian, canMake: Self.made)
                    == "single \(type);transfer-syntax=\(syntax.uid)")
            #expect(try frame("image/dicom-rle" + wish, .explicitVRLittleEndian, canMake: Self.made) == nil)
        }
        for type in ["image/jpx", "image/jphc", "image/png", "video/mp4", "text/html"] {
            #expect(try frame(type, .explicitVRLittleEndian, canMake: Self.made) == nil)
        }
        #expect(
            try frame("image/*", .explicitVRLittleEndian, canMake: [.jpeg2000Lossless, .rleLossless])
                == "single image/jp2;transfer-syntax=1.2.840.10008.1.2.4.90")
        #expect(
            try frame("image/*", .jpegBaseline, canMake: Self.made)
                == "single image/jpeg;transfer-syntax=1.2.840.10008.1.2.4.50")
    }

    @Test("§8.7.5: the better wish wins, also where it has to be made; the next where it cannot be")
    func preferred() throws {
        let accept = "image/jls;q=0.9, application/octet-stream;q=0.5, image/jpeg"
        #expect(
            try frame(accept, .rleLossless, canMake: Self.made)
                == "single image/jpeg;transfer-syntax=1.2.840.10008.1.2.4.70")
        #expect(
            try frame(accept, .rleLossless, canMake: [.jpegLSLossless, .explicitVRLittleEndian])
                == "single image/jls;transfer-syntax=1.2.840.10008.1.2.4.80")
        #expect(
            try frame(accept, .rleLossless, canMake: [.explicitVRLittleEndian])
                == "single application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1")
        let several = try DICOMwebMediaType.wishes("image/jls, image/dicom-rle;q=0.2")
        let forms = DICOMwebMediaType.frameForms(several, stored: .rleLossless, frames: 1) { Self.made.contains($0) }
        #expect(forms.map(\.transcoded) == [.jpegLSLossless, nil])
    }

    @Test("A refusal tells what there is (§8.7.3)")
    func available() {
        let text = DICOMwebMediaType.availableFrames(stored: .jpegBaseline) {
            [.explicitVRLittleEndian, .jpegBaseline, .rleLossless].contains($0)
        }
        #expect(
            text == "available: multipart/related; type=\"image/jpeg\"; transfer-syntax=1.2.840.10008.1.2.4.50, "
                + "multipart/related; type=\"application/octet-stream\"; transfer-syntax=1.2.840.10008.1.2.1, "
                + "multipart/related; type=\"image/dicom-rle\"; transfer-syntax=1.2.840.10008.1.2.5")
    }

    @Test("Query attributes are digits, keywords, or a path of them (§8.3.4.1)")
    func attributes() {
        #expect(DICOMwebRoutes.tags("00100020") == [.patientID])
        #expect(DICOMwebRoutes.tags("PatientID") == [.patientID])
        #expect(
            DICOMwebRoutes.tags("RequestAttributesSequence.ScheduledProcedureStepID")
                == [.requestAttributesSequence, .scheduledProcedureStepID])
        for text in ["", "Nonsense", "PatientID.", ".PatientID", "0010002", "PatientID..PatientID"] {
            #expect(DICOMwebRoutes.tags(text).isEmpty, "\(text)")
        }
    }
}
