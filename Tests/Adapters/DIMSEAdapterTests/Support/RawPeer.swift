import DICOMNetwork
import NIOCore
import NIOPosix

/// A peer that sends any bytes it likes and reads what comes back, PDU by PDU.
enum RawPeer {
    /// Connects, lets `body` write, reads on to the end (a PDU that ends the association, or the peer's close), and
    /// gives back every PDU. With `hangsUp` it closes as soon as `body` is done.
    static func exchange(
        port: Int, hangsUp: Bool = false,
        _ body: @Sendable (NIOAsyncChannelOutboundWriter<ByteBuffer>, inout PDUReader) async throws -> Void
    ) async throws -> [PDU] {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var reader = PDUReader(inbound: inbound.makeAsyncIterator())
            try await body(outbound, &reader)
            while !hangsUp, !reader.isAtEnd, try await reader.next() != nil {}
            return reader.all
        }
    }
}

/// The PDUs that a connection brings.
struct PDUReader {
    var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var decoder = PDUDecoder()
    private var buffer = ByteBuffer()
    private(set) var all: [PDU] = []

    init(inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.inbound = inbound }

    /// Whether the last PDU was one after which nothing can come.
    var isAtEnd: Bool {
        switch all.last {
        case .abort, .associateReject, .releaseResponse: true
        default: false
        }
    }

    /// The next PDU; nil when the peer has closed.
    mutating func next() async throws -> PDU? {
        while true {
            if let pdu = try decoder.next(from: &buffer) {
                all.append(pdu)
                return pdu
            }
            do {
                guard var bytes = try await inbound.next() else { return nil }
                buffer.writeBuffer(&bytes)
            } catch {
                // A reset ends the connection as well as a close.
                return nil
            }
        }
    }
}

extension AssociateRequest {
    /// Of CT1 to HILUM, each context in Implicit VR Little Endian.
    static func of(
        _ contexts: [(UInt8, String)], called: String = "HILUM", calling: String = "CT1"
    ) -> AssociateRequest {
        AssociateRequest(
            calledAETitle: title(called), callingAETitle: title(calling),
            presentationContexts: contexts.map {
                ProposedPresentationContext(id: $0.0, abstractSyntax: $0.1, transferSyntaxes: ["1.2.840.10008.1.2"])
            }, userInformation: UserInformation(maximumLength: 16384, implementationClassUID: "1.2.3"))
    }

    /// The answer that accepts every context in its first transfer syntax, and every role.
    func accepted(maximumLength: UInt32 = 16384, identityResponse: [UInt8]? = nil) -> AssociateAccept {
        var information = UserInformation(maximumLength: maximumLength, implementationClassUID: "1.2.3")
        information.roleSelections = userInformation.roleSelections
        information.userIdentityResponse = identityResponse
        return AssociateAccept(
            calledAETitle: calledAETitle, callingAETitle: callingAETitle,
            presentationContexts: presentationContexts.map {
                PresentationContextResult(
                    id: $0.id, result: .acceptance, transferSyntax: $0.transferSyntaxes.first ?? "")
            }, userInformation: information)
    }
}

/// An A-ASSOCIATE-RQ of CT1 to HILUM.
func associateRequest(
    _ contexts: [(UInt8, String)] = [(1, "1.2.840.10008.1.1")], called: String = "HILUM", calling: String = "CT1"
) -> ByteBuffer {
    PDU.associateRequest(.of(contexts, called: called, calling: calling)).encoded()
}

/// One P-DATA-TF with one PDV.
func data(_ bytes: some Sequence<UInt8>, context: UInt8 = 1, isCommand: Bool, isLast: Bool = true) -> ByteBuffer {
    PDU.data([
        PresentationDataValue(
            contextID: context, isCommand: isCommand, isLast: isLast, fragment: ByteBuffer(bytes: bytes))
    ]).encoded()
}

func data(_ command: CommandSet, context: UInt8 = 1) -> ByteBuffer {
    data(command.encoded().readableBytesView, context: context, isCommand: true)
}

/// The status of the response in a P-DATA-TF; nil when it is none.
func status(of pdu: PDU?) -> DIMSEStatus? {
    guard case .data(let values) = pdu, let value = values.first, value.isCommand,
        let command = try? CommandSet(decoding: value.fragment)
    else { return nil }
    return command.uint16(.status).map(DIMSEStatus.init(rawValue:))
}
