import DICOMData
import HTTPSupport
import Testing

@testable import DICOMwebAPI

/// Which form a client gets. PS3.18 §8.7.3, §8.7.5.
@Suite("Media types of instances and frames")
struct MediaTypeTests {
    private func instance(_ accept: String?, _ stored: [TransferSyntax], single: Bool = false) throws -> String? {
        let wishes = try DICOMwebMediaType.wishes(accept)
        return DICOMwebMediaType.instanceForm(wishes, stored: stored, isSingle: single).map {
            ($0.isMultipart ? "multipart" : "single") + ($0.isRecoded ? " recoded" : "")
                + ($0.transcoded.map { " transcoded " + $0.uid } ?? "")
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
        "Instances: the default is Explicit VR Little Endian, compressed ones go as stored, quoted or not, any case",
        arguments: [
            #"multipart/related; type="application/dicom""#, "multipart/related;type=application/dicom",
            #"MULTIPART/RELATED; TYPE="Application/DICOM""#, "*/*", "multipart/related",
        ])
    func instances(_ accept: String) throws {
        #expect(try instance(accept, [.explicitVRLittleEndian]) == "multipart")
        #expect(try instance(accept, [.jpegBaseline]) == "multipart")
        #expect(try instance(accept, [.implicitVRLittleEndian]) == "multipart recoded")
        #expect(try instance(accept, [.explicitVRBigEndian, .jpegBaseline]) == "multipart recoded")
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
        #expect(try instance(base + "*", [.jpeg2000Lossless]) == "multipart")
        #expect(try instance(base + TransferSyntax.jpegBaseline.uid, [.jpegBaseline]) == "multipart")
        #expect(
            try instance(base + TransferSyntax.jpegBaseline.uid, [.jpeg2000Lossless])
                == "multipart transcoded 1.2.840.10008.1.2.4.50")
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
        #expect(try instance(base + explicit, [.jpegBaseline], single: true) == "multipart transcoded \(explicit)")
        if let video = TransferSyntax(uid: "1.2.840.10008.1.2.4.102") {
            #expect(try instance(base + explicit, [video]) == nil)
            // Of several some can be made; the others say what they are.
            #expect(
                try instance(base + explicit, [video, .jpegBaseline, .implicitVRLittleEndian])
                    == "multipart recoded transcoded \(explicit)")
        }
        #expect(throws: HTTPFailure.self) {
            try DICOMwebMediaType.wishes(#"multipart/related; transfer-syntax="1.2,1.3""#)
        }
    }

    @Test("A single part is for one instance alone; q=0 excludes; the better q wins (§8.7.5)")
    func quality() throws {
        #expect(try instance("application/dicom", [.explicitVRLittleEndian], single: true) == "single")
        #expect(try instance("application/dicom", [.explicitVRLittleEndian]) == nil)
        #expect(try instance("application/dicom;q=0", [.explicitVRLittleEndian], single: true) == nil)
        #expect(
            try instance(
                #"multipart/related;type="application/dicom";q=0.5, application/dicom"#, [.explicitVRLittleEndian],
                single: true) == "single")
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
