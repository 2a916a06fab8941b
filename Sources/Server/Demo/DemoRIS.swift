import HL7v2
import Logging
import MLLPAdapter
import NIOCore
import NIOPosix
import Synchronization
import Workflow

/// The RIS of the demo: an MLLP server in this process that keeps what it is told and answers AA.
final class DemoRIS: Sendable {
    static let application = "DEMO_RIS"
    static let facility = DemoSite.sendingFacility
    /// Its name in the site profile.
    static let destination = "demo-ris"

    private let ports = AsyncStream.makeStream(of: Int.self)
    private let messages = Mutex<[Message]>([])

    /// What it was told so far, in the order in which it came.
    var told: [Message] { messages.withLock { $0 } }

    /// Listens on loopback until its task is cancelled.
    func listen() async {
        defer { ports.continuation.finish() }
        let listener = MLLPListener(
            configuration: MLLPConfiguration(port: 0), group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "demo.ris") { _ in SwiftLogNoOpLogHandler() },
            bound: { [ports] in ports.continuation.yield($0.port ?? 0) },
            refuseOversized: { Self.answer(.reject, to: .recovered(from: $0)) },
            refuseForNow: { Self.answer(.reject, to: .recovered(from: $0)) }
        ) { [self] bytes, _, isLetIn in
            isLetIn()
            guard let message = try? Parser().parse(bytes) else {
                return .answers([Self.answer(.error, to: .recovered(from: bytes))])
            }
            messages.withLock { $0.append(message) }
            return .answers([Self.answer(.accept, to: message.header)])
        }
        // What keeps it from listening is that no port comes.
        try? await listener.run()
    }

    /// The port once it listens. Throws ``DemoFailure`` where it cannot.
    func port() async throws -> Int {
        try DemoFailure.unwrap(
            await ports.stream.first { $0 > 0 }, "the port of \(Self.application) could not be opened")
    }

    private static func answer(_ code: Acknowledgment.Code, to header: MessageHeader) -> [UInt8] {
        let time = SystemClock().now().microseconds / 1_000_000
        return Acknowledgment(code, to: header).bytes(
            controlID: String(SystemEntropy().newID().value.prefix(20)), now: Timestamp(utcEpochSeconds: Int(time)))
    }
}
