import DICOMNetwork
import DIMSEAdapter
import NIOCore
import NIOPosix

/// An application entity that is called, and answers with any bytes it likes.
enum RawAcceptor {
    typealias Writer = NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// Listens on a free port while `body` runs; each connection is served by `serve`, and closed when that returns.
    static func run(
        _ serve: @Sendable @escaping (inout PDUReader, Writer) async throws -> Void,
        _ body: (Int) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let port = server.channel.localAddress?.port ?? 0
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.executeThenClose { connections in
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await connection in connections {
                            group.addTask {
                                try? await connection.executeThenClose { inbound, outbound in
                                    var reader = PDUReader(inbound: inbound.makeAsyncIterator())
                                    try await serve(&reader, outbound)
                                }
                            }
                        }
                    }
                }
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(port)) } catch { result = .failure(error) }
            group.cancelAll()
            while await group.nextResult() != nil {}
            try result.get()
        }
    }

    /// The A-ASSOCIATE-AC that accepts every context in its first transfer syntax, and every role.
    static func accept(
        _ request: AssociateRequest, maximumLength: UInt32 = 16384, identityResponse: [UInt8]? = nil
    ) -> ByteBuffer {
        PDU.associateAccept(request.accepted(maximumLength: maximumLength, identityResponse: identityResponse))
            .encoded()
    }

    /// Where it is called.
    static func destination(_ port: Int) -> SCUAssociation.Destination {
        var destination = SCUAssociation.Destination(
            host: "127.0.0.1", port: port, calledAETitle: title("PACS"), callingAETitle: title("HILUM"))
        destination.timers = .unhurried
        return destination
    }
}

extension PDUReader {
    /// Reads an A-ASSOCIATE-RQ and accepts it.
    mutating func accept(_ writer: RawAcceptor.Writer) async throws -> AssociateRequest {
        guard case .associateRequest(let request)? = try await next() else { throw SCUError.connectionLost }
        try await writer.write(RawAcceptor.accept(request))
        return request
    }

    /// The next command, past data sets; nil at the end, and at a release, which is answered.
    mutating func command(_ writer: RawAcceptor.Writer) async throws -> (contextID: UInt8, command: CommandSet)? {
        while let pdu = try await next() {
            switch pdu {
            case .data(let values):
                for value in values where value.isCommand {
                    return (value.contextID, try CommandSet(decoding: value.fragment))
                }
            case .releaseRequest:
                try await writer.write(PDU.releaseResponse.encoded())
                return nil
            default: return nil
            }
        }
        return nil
    }
}

/// A response to a command that was read.
func response(
    to command: CommandSet, _ status: DIMSEStatus, field: CommandField? = nil, messageID: UInt16? = nil,
    hasDataSet: Bool = false
) -> CommandSet {
    var response = CommandSet()
    response.set(.affectedSOPClassUID, uid: command.uid(.affectedSOPClassUID))
    response.set(.commandField, uint16: field?.rawValue ?? (command.uint16(.commandField) ?? 0) | 0x8000)
    response.set(.messageIDBeingRespondedTo, uint16: messageID ?? command.uint16(.messageID) ?? 0)
    response.set(.commandDataSetType, uint16: hasDataSet ? 0 : DIMSEMessage.noDataSet)
    response.set(.status, uint16: status.rawValue)
    return response
}
