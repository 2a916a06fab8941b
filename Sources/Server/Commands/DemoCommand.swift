import ArgumentParser
import Foundation
import Workflow

/// `hilum demo`: a server of its own, and one imaging order played through it.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start a server on this machine and play one imaging order through it, over the real protocols.",
        discussion: """
            HL7 v2 by MLLP, DICOM by DIMSE, DICOMweb, FHIR and SMART, all with TLS on loopback. Every answer is checked; \
            the first wrong one ends the demo with exit code 1. Afterwards the server keeps running until Ctrl-C.
            """)

    @Flag(help: "End after the story instead of leaving the server running.") var once = false
    @Option(help: "Also store every DICOM file below this folder by C-STORE.") var dicom: String?
    @Option(help: "Also send every message in the .hl7 and .txt files below this folder by MLLP.") var hl7: String?
    @Option(help: "Make the server's folder here and keep it; otherwise it is temporary.") var keep: String?

    func run() async throws {
        let path =
            keep ?? FileManager.default.temporaryDirectory.path + "/hilum-demo-"
            + SystemEntropy().newID().value.prefix(8)
        do {
            let run = DemoRun(
                folder: ServerFolder(path), isTemporary: keep == nil, isOnce: once,
                ownFiles: try DemoOwnFiles(dicom: dicom, hl7: hl7))
            try await run.run()
        } catch let failure as DemoFailure {
            FileHandle.standardError.write(Data("\nThe demo failed. \(failure.description)\n".utf8))
            throw ExitCode.failure
        }
    }
}
