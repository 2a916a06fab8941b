import DICOMData
import Foundation
import HL7v2
import Testing

@testable import hilum

/// What `hilum demo --dicom --hl7` takes from folders.
@Suite struct OwnFilesTests {
    /// Runs with a folder of these files, and removes it.
    func with(_ files: [String: [UInt8]], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/hilum-own-files-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, bytes) in files {
            let path = URL(fileURLWithPath: folder + "/" + name)
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: path)
        }
        try body(folder)
    }

    @Test("HL7 v2.5.1 §2.10.3: a file may hold several messages, with any line ends; what is no message is left out")
    func letters() throws {
        let one = "MSH|^~\\&|A|B|C|D|2026||ADT^A04|1|P|2.5.1\rPID|1\r"
        let two =
            "MSH|^~\\&|E|F|C|D|2026||ADT^A04|2|P|2.5.1\r\nPID|1\r\nMSH|^~\\&|E|F|C|D|2026||ADT^A04|3|P|2.5.1\nPID|1\n"
        let files = [
            "1.hl7": Array(one.utf8), "sub/2.txt": Array(two.utf8), "3.txt": Array("no message".utf8),
            "4.xml": Array(one.utf8),
        ]
        try with(files) { folder in
            let own = try DemoOwnFiles(dicom: nil, hl7: folder)
            let ids = own.letters.compactMap { try? Parser().parse($0.bytes).header.controlID }
            #expect(ids == [Array("1".utf8), Array("2".utf8), Array("3".utf8)])
            #expect(own.senders.map { "\($0.application)|\($0.facility)" } == ["A|B", "E|F", "E|F"])
            #expect(own.leftOut.count == 1)
            #expect(own.leftOut.first?.contains("3.txt") == true)
        }
    }

    @Test("PS3.10 §7.1: Part 10 files are known by their meta information, not by their name; others are left out")
    func images() throws {
        let set = PhantomSeries(
            of: PhantomTests.study, number: 1, description: "", phantom: CTPhantom(sliceCount: 1, sliceSpacing: 5)
        ).dataSet(ofSlice: 0)
        let file = try Part10File(dataSet: set, transferSyntax: .implicitVRLittleEndian).encode()
        let files = [
            "a/b/IM0001": file, "short.dcm": Array(file.prefix(140)), "empty.dcm": [], "text.dcm": Array("text".utf8),
        ]
        try with(files) { folder in
            let own = try DemoOwnFiles(dicom: folder, hl7: nil)
            #expect(own.images.count == 1)
            #expect(own.leftOut.count == 3)
            let image = try #require(own.images.first)
            #expect(image.sopClassUID == UID.ctImageStorage)
            #expect(image.sopInstanceUID == set.uid(.sopInstanceUID))
            #expect(image.transferSyntax == TransferSyntax.implicitVRLittleEndian.uid)
        }
    }

    @Test("A folder that is not there is an error before anything is started")
    func missingFolder() {
        #expect(throws: DemoFailure.self) { try DemoOwnFiles(dicom: nil, hl7: "/nowhere/at/all") }
        #expect(throws: DemoFailure.self) { try DemoOwnFiles(dicom: "/nowhere/at/all", hl7: nil) }
    }
}
