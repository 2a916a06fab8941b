import Admission
import ArgumentParser
import Foundation
import Logging

/// `hilum serve DIR`: runs the server in the foreground until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server. SIGTERM lets work in progress end, then exits 0.")

    @Argument(help: "The folder that `hilum init` made.") var folder: String
    @Flag(
        name: .customLong("plain-loopback"),
        help: "Speak clear text instead of TLS; refused unless every host in the configuration is this machine.")
    var plainLoopback = false
    @Flag(
        name: .customLong("unencrypted-network"),
        help: ArgumentHelp(
            "Speak clear text also beyond this machine. Patient data is readable on the network.", visibility: .default)
    )
    var unencryptedNetwork = false

    func run() async throws {
        let server = ServerFolder(folder)
        let configuration = try ServerConfiguration.load(from: server)
        guard let level = Logger.Level(rawValue: configuration.logLevel) else {
            throw ValidationError(
                "log-level: \(configuration.logLevel) is none of trace, debug, info, notice, warning, error")
        }
        LoggingSystem.bootstrap { label in
            var handler = EscapedLogHandler(label: label)
            handler.logLevel = level
            return handler
        }
        Descriptors.raise()
        if plainLoopback && !unencryptedNetwork {
            for (name, host) in [
                ("http.host", configuration.http.host), ("dimse.host", configuration.dimse.host),
                ("mllp.host", configuration.mllp.host),
            ] where !Self.isLoopback(host) {
                throw ValidationError("\(name) is \(host): --plain-loopback needs 127.0.0.1, localhost or ::1")
            }
        }
        try await ServerComposition.run(
            configuration, folder: server, isTLS: !(plainLoopback || unencryptedNetwork), logger: Logger(label: "hilum")
        )
    }

    static func isLoopback(_ host: String) -> Bool { host.hasPrefix("127.") || host == "localhost" || host == "::1" }
}
