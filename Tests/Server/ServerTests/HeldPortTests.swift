import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import hilum

/// Case D20: the port that is told is the one that was bound.
@Suite(.takingTurns) struct HeldPortTests {
    private static func listen(_ port: Int) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: port).get()
    }

    @Test("D20: a held port is given to nobody who asks for any, and its listener takes it over")
    func held() async throws {
        let port = try HeldPort(0, host: "127.0.0.1")
        // More than there are ports to choose from in a row: none of them is this one.
        for _ in 0..<500 {
            let other = try HeldPort(0, host: "127.0.0.1")
            #expect(other.number != port.number)
        }
        let listener = try await Self.listen(port.number)
        #expect(listener.localAddress?.port == port.number)
        // From here on it is taken for everybody.
        #expect(throws: HeldPort.Refusal.self) { _ = try HeldPort(port.number, host: "127.0.0.1") }
        try await listener.close()
    }

    @Test("D20: the doors' free ports are chosen once and differ; a port of two doors is named")
    func doors() throws {
        var configuration = ServerConfiguration()
        for index in configuration.doors.indices { configuration.doors[index].port = 0 }
        var ports = try HeldPorts(choosing: &configuration)
        let chosen = configuration.doors.map(\.port)
        #expect(Set(chosen).count == 3)
        #expect(!chosen.contains(0))
        try ports.takeConfigured(configuration)
        var same = configuration
        same.doors[2].port = 0
        var others = try HeldPorts(choosing: &same)
        same.doors[1].port = same.doors[2].port
        #expect(throws: ConfigurationError.self) { try others.takeConfigured(same) }
    }

    @Test("A host that is none, and an IPv6 address, are no special case")
    func hosts() throws {
        #expect(throws: HeldPort.Refusal.self) { _ = try HeldPort(0, host: "no such host.invalid") }
        #expect(try HeldPort(0, host: "localhost").number > 0)
    }
}
