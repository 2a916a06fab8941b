import DICOMData
import DICOMNetwork
import DIMSEAdapter
import Foundation
import NIOCore

/// The old PACS of the demo: DCMTK's dcmqrscp as a child process, on loopback and in clear text.
final class DemoArchive: Sendable {
    static let title = "OLD_PACS"
    static let program = "dcmqrscp"

    let port: Int
    private let process: Process

    private init(port: Int, process: Process) {
        self.port = port
        self.process = process
    }

    /// Starts one that keeps its images in a folder of its own. Nil where the program is not installed.
    ///
    /// Throws ``DemoFailure`` where it does not answer.
    static func start(in folder: String) async throws -> DemoArchive? {
        guard let path = SystemProgram.inPath(program) else { return nil }
        let place = folder + "/demo/\(title)"
        try FileManager.default.createDirectory(atPath: place + "/images", withIntermediateDirectories: true)
        let port: Int
        do { port = try HeldPort(0, host: "127.0.0.1").number } catch {
            throw DemoFailure("there is no port for \(title): \(error.text)")
        }
        try configuration(port: port, images: place + "/images")
            .write(toFile: place + "/dcmqrscp.cfg", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-c", place + "/dcmqrscp.cfg", "\(port)"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let archive = DemoArchive(port: port, process: process)
        do { try await archive.awaitAnswer() } catch {
            archive.stop()
            throw error
        }
        return archive
    }

    /// Ends it. It has taken over from the demo that SIGTERM is ignored, and keeps nothing that is needed.
    func stop() { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// C-STORE of a series into it.
    func store(_ series: PhantomSeries) async throws {
        let syntax = TransferSyntax.explicitVRLittleEndian
        let association = try await associate([(UID.ctImageStorage, [syntax.uid])])
        for slice in 0..<series.sliceCount {
            let bytes = try DataSetEncoder(transferSyntax: syntax).encode(series.dataSet(ofSlice: slice))
            let status = try await association.store(
                sopClassUID: UID.ctImageStorage, sopInstanceUID: series.sopInstanceUID(ofSlice: slice),
                transferSyntax: syntax.uid, dataSet: ByteBuffer(bytes: bytes))
            try DemoFailure.require(status == .success, "\(Self.title) answered C-STORE with \(status)")
        }
        try await association.release()
    }

    private func associate(
        _ contexts: [(abstractSyntax: String, transferSyntaxes: [String])]
    ) async throws -> SCUAssociation {
        guard let called = AETitle(Self.title), let calling = AETitle(DemoSite.modalityTitle) else {
            throw DemoFailure("\(Self.title) is no AE title")
        }
        return try await SCUAssociation.open(
            SCUAssociation.Destination(
                host: "127.0.0.1", port: port, calledAETitle: called, callingAETitle: calling), contexts: contexts)
    }

    /// Until it answers a C-ECHO.
    private func awaitAnswer() async throws {
        let end = ContinuousClock.now + .seconds(10)
        while true {
            if let association = try? await associate([
                (UID.verification, [TransferSyntax.implicitVRLittleEndian.uid])
            ]), try await association.echo() == .success {
                try await association.release()
                return
            }
            guard process.isRunning, ContinuousClock.now < end else {
                throw DemoFailure("\(Self.program) does not answer at 127.0.0.1:\(port)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func configuration(port: Int, images: String) -> String {
        """
        NetworkTCPPort  = \(port)
        MaxPDUSize      = 16384
        MaxAssociations = 16
        HostTable BEGIN
        HostTable END
        VendorTable BEGIN
        VendorTable END
        AETable BEGIN
        \(title) "\(images)" RW (200, 1024mb) ANY
        AETable END

        """
    }
}
