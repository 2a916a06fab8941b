import ArgumentParser
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The bound of FHIR reads: the same HTTP stack with a handler that answers a constant body.
struct BoundHTTPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bound-http", abstract: "An empty handler on Hummingbird; prints its port.", shouldDisplay: false)

    /// Bytes of the body.
    static let bodySize = 1800

    @Option(help: "The loopback port; 0 takes a free one.") var port = 0

    func run() async throws {
        let body = ByteBuffer(repeating: 0x20, count: Self.bodySize)
        var logger = Logger(label: "bound-http")
        logger.logLevel = .error
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "application/fhir+json"],
                    body: ResponseBody(byteBuffer: body))
            },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port), serverName: "bound"),
            onServerRunning: { channel in
                FileHandle.standardOutput.write(Data("\(channel.localAddress?.port ?? 0)\n".utf8))
            }, eventLoopGroupProvider: .singleton, logger: logger)
        try await application.runService()
    }
}
