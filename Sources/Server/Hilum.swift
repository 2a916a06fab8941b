import ArgumentParser
import Dispatch
import Foundation

/// What the system starts.
@main
enum Program {
    /// A process for pixels runs on this thread, before there is any other: those that asynchronous work brings along wait
    /// by calls that its sandbox forbids, and would try again and again without end.
    static func main() {
        if let code = PixelsCommand.serve(CommandLine.arguments) { exit(code) }
        Task {
            await Hilum.main()
            exit(0)
        }
        dispatchMain()
    }
}

/// The command line. Each subcommand is one file in Commands.
struct Hilum: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hilum",
        abstract:
            "A FHIR R4 facade and imaging API server: HL7 v2 and DICOM on one side, FHIR and DICOMweb on the other.",
        version: HilumVersion.text,
        subcommands: [
            InitCommand.self, ServeCommand.self, DemoCommand.self, ClientCommand.self, UserCommand.self,
            PeerCommand.self, MessageCommand.self, QuarantineCommand.self, AuthorityCommand.self, OutboxCommand.self,
            RouteCommand.self, PrefetchCommand.self, ImportCommand.self, AuditCommand.self,
            DoctorCommand.self, BackupCommand.self,
            RestoreCommand.self,
            VerifyCommand.self,
            AdoptCommand.self, SetAsideCommand.self, KeyCommand.self,
            TokenCommand.self, PixelsCommand.self, VersionCommand.self,
        ])
}

/// The version of this program, as `hilum version`, the CapabilityStatement and the DICOM implementation name say it.
enum HilumVersion {
    static let text = "0.1.0"
}

/// `hilum version`.
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")
    func run() async throws { print("hilum \(HilumVersion.text)") }
}
