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
        help: "Speak clear text at every door; refused unless every host in the configuration is this machine.")
    var plainLoopback = false
    @Flag(
        name: .customLong("unencrypted-network"),
        help: ArgumentHelp(
            "Speak clear text at every door, also beyond this machine. Patient data is readable on the network; `doors` says it for one.",
            visibility: .default)
    )
    var unencryptedNetwork = false

    func run() async throws {
        let server = ServerFolder(folder)
        var configuration = try ServerConfiguration.load(from: server)
        // The configuration was read, so that it is one.
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = EscapedLogHandler(label: label)
            handler.logLevel = level
            return handler
        }
        Descriptors.raise()
        if plainLoopback || unencryptedNetwork {
            do { configuration = try configuration.inClearText(isAccepted: unencryptedNetwork) } catch {
                throw ValidationError("\(error)")
            }
        }
        try await ServerComposition.run(configuration, folder: server, logger: Logger(label: "hilum"))
    }
}
