import Access
import Admission
import DICOMData
import DICOMNetwork
import Logging
import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// Associations that are begun and broken off over and over leave nothing behind: no place, no connection, no object.
@Suite(.timeLimit(.minutes(10)), .takingTurns) struct SlotLeakTests {
    private static let request = AssociateRequest.of([(1, UID.verification)])
    private static let accept = request.accepted()

    /// One association of either side that comes as far as `stage` and is aborted by the peer, by this side, or by the
    /// loss of its connection. Nil when all of it is gone afterwards, else what is left.
    private func cycle(_ number: Int) throws -> String? {
        let isRequestor = number.isMultiple(of: 2)
        weak var kept: DIMSEExchange?
        weak var keptHandler: AssociationHandler?
        let channel = EmbeddedChannel()
        var hasFailed = !isRequestor
        func run() throws {
            let loop = channel.embeddedEventLoop
            let (_, continuation) = AsyncStream.makeStream(of: DIMSEExchange.Work.self)
            let promise = isRequestor ? loop.makePromise(of: NegotiatedAssociation.self) : nil
            let exchange = DIMSEExchange(
                services: [:], eventLoop: loop, timers: DIMSETimers(), work: continuation,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), associated: promise)
            let handler = AssociationHandler(
                user: exchange, request: isRequestor ? Self.request : nil, timers: DIMSETimers(),
                limits: NetworkLimits())
            (kept, keptHandler) = (exchange, handler)
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/peer")).wait()
            if number / 2 % 3 > 0 {
                try channel.writeInbound(
                    isRequestor ? PDU.associateAccept(Self.accept) : PDU.associateRequest(Self.request))
            }
            if isRequestor, number / 2 % 3 == 2 {
                exchange.invoke(contextID: 1, dataSet: nil, bounds: ResponseBounds()) { .cEchoRequest(messageID: $0) }
                    .assumeIsolated().whenFailure { _ in hasFailed = true }
            } else {
                hasFailed = true
            }
            switch number / 6 % 3 {
            case 0: try channel.writeInbound(PDU.abort(.byUser))
            case 1: exchange.abort()
            default: break
            }
        }
        try run()
        _ = try channel.finish(acceptAlreadyClosed: true)
        // Timers that were set are cancelled, or find nobody.
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        if kept != nil { return "\(number): the exchange" }
        if keptHandler != nil { return "\(number): the handler" }
        return hasFailed ? nil : "\(number): a request"
    }

    @Test("Each end of each stage of either side lets go of everything, thousands of times")
    func objects() throws {
        for number in 0..<3_600 {
            if let left = try cycle(number) {
                Issue.record("\(left)")
                return
            }
        }
    }

    @Test("Peers that hang up or abort at any time give their places back: the last one allowed is had again and again")
    func listener() async throws {
        let admission = Admission()
        try await TestListener.run(
            admission: admission,
            configure: {
                $0.limits.associationsMax = 1
                $0.limits.associationsPerPeerMax = 1
            }
        ) { test in
            for number in 0..<500 {
                let stage = number % 5
                _ = try await RawPeer.exchange(port: test.port, hangsUp: stage != 4) { writer, reader in
                    if stage == 0 { return }
                    try await writer.write(associateRequest())
                    if stage == 1 { return }
                    _ = try await reader.next()
                    if stage == 2 { return }
                    try await writer.write(data([0, 0], isCommand: true, isLast: false))
                    if stage == 3 { return }
                    try await writer.write(PDU.abort(.byUser).encoded())
                }
                // The server learns of it in its own time.
                try await until { test.listener.associations == 0 }
            }
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(UID.verification, [TransferSyntax.implicitVRLittleEndian.uid])])
            #expect(try await association.echo() == .success)
            try await association.release()
            try await until { admission.connections(.dimse) == 0 }
        }
    }

    @Test("Associations that we ask for and that fail at any stage give their place back")
    func outgoing() async throws {
        try await RawAcceptor.run { reader, writer in
            guard case .associateRequest(let request)? = try await reader.next() else { return }
            switch Int(request.callingAETitle.value.suffix(1)) ?? 0 {
            case 0: return
            case 1: try await writer.write(PDU.abort(.byUser).encoded())
            case 2: try await writer.write(PDU.associateReject(.localLimitExceeded).encoded())
            case 3: try await writer.write(PDU.releaseResponse.encoded())
            default:
                try await writer.write(RawAcceptor.accept(request))
                _ = try await reader.command(writer)
                try await writer.write(PDU.abort(.byUser).encoded())
            }
            while try await reader.next() != nil {}
        } _: { port in
            var limits = OutgoingAssociations.Limits()
            limits.associationsMax = 1
            limits.wait = .minutes(2)
            let pool = OutgoingAssociations(limits: limits)
            for number in 0..<200 {
                var destination = RawAcceptor.destination(port)
                destination.callingAETitle = title("HILUM\(number % 5)")
                do {
                    try await pool.with(
                        destination, contexts: [(UID.verification, [TransferSyntax.implicitVRLittleEndian.uid])]
                    ) { _ = try await $0.association.echo() }
                    Issue.record("cycle \(number) succeeded")
                } catch let error as SCUError {
                    #expect(error != .noPlace, "cycle \(number)")
                }
                #expect(pool.counts.used == 0 && pool.counts.idle == 0 && pool.counts.waiting == 0, "cycle \(number)")
            }
        }
    }
}
