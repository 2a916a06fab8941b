import ArgumentParser

/// The command line. Each subcommand is one file in Commands.
@main
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
