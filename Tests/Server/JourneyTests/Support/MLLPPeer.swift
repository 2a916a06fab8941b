import HL7v2
import NIOCore
import NIOSSL

/// An HL7 sender on a bare connection. MLLP Release 1.
struct MLLPPeer {
    /// One acknowledgment.
    struct Answer: Sendable {
        let bytes: [UInt8]
        /// MSA-1.
        let code: String
        /// MSA-2.
        let controlID: String
        /// ERR-3.1, HL7 v2.5.1 table 0357; empty without an ERR.
        let condition: String

        init(_ bytes: [UInt8]) throws {
            let message = try Parser().parse(bytes)
            self.bytes = bytes
            code = message["MSA"]?[1].text ?? ""
            controlID = message["MSA"]?[2].text ?? ""
            condition = message["ERR"]?[3].text.map { String($0.prefix { $0 != "^" }) } ?? ""
        }
    }

    var wire: Wire
    private var decoder = MLLPDecoder()
    private var answers: [[UInt8]] = []

    private init(wire: Wire) { self.wire = wire }

    static func connect<T: Sendable>(
        _ server: HilumServer, tls: NIOSSLContext? = nil, _ body: @Sendable (inout MLLPPeer) async throws -> T
    ) async throws -> T {
        try await Wire.connect(port: server.endpoints.mllp.port, tls: tls) { wire in
            var peer = MLLPPeer(wire: wire)
            return try await body(&peer)
        }
    }

    static func frame(_ message: [UInt8]) -> [UInt8] { [0x0B] + message + [0x1C, 0x0D] }

    /// The next acknowledgment; nil when the server has closed.
    mutating func next() async throws -> Answer? {
        while answers.isEmpty {
            guard await wire.more() else { return nil }
            for case .message(let bytes) in decoder.decode(wire.received.readableBytesView) { answers.append(bytes) }
            wire.received.clear()
        }
        return try Answer(answers.removeFirst())
    }

    mutating func ask(_ message: [UInt8]) async throws -> Answer? {
        try await wire.send(Self.frame(message))
        return try await next()
    }

    /// One message on a connection of its own.
    static func send(_ message: [UInt8], to server: HilumServer, tls: NIOSSLContext? = nil) async throws -> Answer? {
        try await connect(server, tls: tls) { try await $0.ask(message) }
    }
}
