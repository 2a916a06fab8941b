import DICOMNetwork
import NIOCore
import NIOSSL

/// A DICOM peer on a bare connection: it can send any bytes, and reads PDU by PDU. PS3.8 §9.3.
struct DIMSEPeer {
    static let verification = "1.2.840.10008.1.1"
    static let implicit = "1.2.840.10008.1.2"
    static let explicit = "1.2.840.10008.1.2.1"

    var wire: Wire
    private var decoder = PDUDecoder()
    private var messageID: UInt16 = 0

    private init(wire: Wire) { self.wire = wire }

    static func connect<T: Sendable>(
        _ server: HilumServer, tls: NIOSSLContext? = nil, _ body: @Sendable (inout DIMSEPeer) async throws -> T
    ) async throws -> T {
        try await Wire.connect(port: server.endpoints.dimse.port, tls: tls) { wire in
            var peer = DIMSEPeer(wire: wire)
            return try await body(&peer)
        }
    }

    /// The next PDU; nil when the peer has closed.
    mutating func next() async throws -> PDU? {
        while true {
            if let pdu = try decoder.next(from: &wire.received) { return pdu }
            guard await wire.more() else { return nil }
        }
    }

    /// Asks for contexts 1 (verification) and 3 (CT images), unless others are named.
    static func associateRequest(
        called: String = "HILUM", calling: String = ServerFolder.modality, contexts: [(UInt8, String, String)]? = nil
    ) throws -> ByteBuffer {
        guard let called = AETitle(called), let calling = AETitle(calling) else {
            throw JourneyFailure("\(called) or \(calling) is no AE title")
        }
        let proposed = contexts ?? [(1, verification, implicit), (3, Samples.ctImageStorage, explicit)]
        return PDU.associateRequest(
            AssociateRequest(
                calledAETitle: called, callingAETitle: calling,
                presentationContexts: proposed.map {
                    ProposedPresentationContext(id: $0.0, abstractSyntax: $0.1, transferSyntaxes: [$0.2])
                }, userInformation: UserInformation(maximumLength: 16384, implementationClassUID: "1.2.3"))
        ).encoded()
    }

    /// Associates; throws when the answer is no acceptance.
    mutating func associate() async throws {
        try await wire.send(Self.associateRequest())
        guard case .associateAccept = try await next() else { throw JourneyFailure("the association was not accepted") }
    }

    static func data(_ bytes: some Sequence<UInt8>, context: UInt8, isCommand: Bool, isLast: Bool = true) -> ByteBuffer
    {
        PDU.data([
            PresentationDataValue(
                contextID: context, isCommand: isCommand, isLast: isLast, fragment: ByteBuffer(bytes: bytes))
        ]).encoded()
    }

    static func data(_ command: CommandSet, context: UInt8) -> ByteBuffer {
        data(command.encoded().readableBytesView, context: context, isCommand: true)
    }

    /// The status of the response that comes; nil for anything else.
    mutating func status() async throws -> UInt16? {
        guard case .data(let values) = try await next(), let value = values.first, value.isCommand else { return nil }
        return try CommandSet(decoding: value.fragment).uint16(.status)
    }

    mutating func echo() async throws -> UInt16? {
        messageID += 1
        try await wire.send(Self.data(.cEchoRequest(messageID: messageID), context: 1))
        return try await status()
    }

    /// Sends the command of a C-STORE of a CT image and no data set yet.
    mutating func beginStore(_ instance: String) async throws {
        messageID += 1
        try await wire.send(
            Self.data(
                .cStoreRequest(
                    messageID: messageID, sopClassUID: Samples.ctImageStorage, sopInstanceUID: instance), context: 3))
    }

    mutating func store(_ instance: String, _ dataSet: [UInt8]) async throws -> UInt16? {
        try await beginStore(instance)
        var rest = dataSet[...]
        repeat {
            let piece = rest.prefix(16000)
            rest = rest.dropFirst(piece.count)
            try await wire.send(Self.data(piece, context: 3, isCommand: false, isLast: rest.isEmpty))
        } while !rest.isEmpty
        return try await status()
    }

    mutating func release() async throws {
        try await wire.send(PDU.releaseRequest.encoded())
        guard try await next() == .releaseResponse else { throw JourneyFailure("the release was not answered") }
    }

    /// Whether a good peer gets its C-ECHO answered.
    static func isEchoed(_ server: HilumServer, tls: NIOSSLContext? = nil) async throws -> Bool {
        try await connect(server, tls: tls) { peer in
            try await peer.associate()
            let status = try await peer.echo()
            try await peer.release()
            return status == 0
        }
    }
}
