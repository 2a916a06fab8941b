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
        }
    }

    private func frame(_ accept: String?, _ stored: TransferSyntax, frames: Int = 1) throws -> String? {
        let wishes = try DICOMwebMediaType.wishes(accept)
        return DICOMwebMediaType.frameForm(wishes, stored: stored, frames: frames).map {
            ($0.isMultipart ? "multipart " : "single ") + $0.contentType
        }
    }

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

    @Test("transfer-syntax: any sends as stored, one must be what is stored or Explicit VR Little Endian (§8.7.3.5.2)")
    func transferSyntax() throws {
        let base = #"multipart/related; type="application/dicom"; transfer-syntax="#
        #expect(try instance(base + "*", [.jpeg2000Lossless]) == "multipart")
        #expect(try instance(base + TransferSyntax.jpegBaseline.uid, [.jpegBaseline]) == "multipart")
        #expect(try instance(base + TransferSyntax.jpegBaseline.uid, [.jpeg2000Lossless]) == nil)
        #expect(
            try instance(base + TransferSyntax.explicitVRLittleEndian.uid, [.implicitVRLittleEndian])
                == "multipart recoded")
        #expect(try instance(base + TransferSyntax.explicitVRLittleEndian.uid, [.jpegBaseline]) == nil)
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
        // Without a decoder, plain octets of a compressed frame cannot be made.
        #expect(try frame(octets, .jpegBaseline) == nil)
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
