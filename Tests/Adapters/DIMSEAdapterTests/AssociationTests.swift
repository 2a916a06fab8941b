import Access
import Admission
import DICOMData
import DICOMNetwork
import DIMSEAdapter
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing
import Workflow

/// PS3.8 §9.2 to §9.3 over loopback sockets.
@Suite(.takingTurns) struct AssociationTests {
    private let verification: (abstractSyntax: String, transferSyntaxes: [String]) =
        (UID.verification, [TransferSyntax.implicitVRLittleEndian.uid])

    @Test("PS3.7 §9.1.5: associate, echo twice, release")
    func echo() async throws {
        try await TestListener.run { test in
            let association = try await SCUAssociation.open(test.destination, contexts: [verification])
            #expect(association.negotiated.sendLengthMax == 131072)
            #expect(try await association.echo() == .success)
            #expect(try await association.echo() == .success)
            #expect(test.listener.associations == 1)
            try await association.release()
            await #expect(throws: SCUError.released) { try await association.echo() }
        }
    }

    @Test("PS3.8 Table 9-21: unknown calling title is 1/1/3 and audited, wrong called title 1/1/7, no directory 2/3/1")
    func rejections() async throws {
        try await TestListener.run { test in
            for (called, calling, reject) in [
                ("HILUM", "STRANGER", AssociateReject.callingAETitleNotRecognized),
                ("OTHER", "CT1", .calledAETitleNotRecognized), ("HILUM", "BROKEN", .temporaryCongestion),
            ] {
                var destination = test.destination
                destination.calledAETitle = title(called)
                destination.callingAETitle = title(calling)
                await #expect(throws: SCUError.rejected(reject)) {
                    try await SCUAssociation.open(destination, contexts: [verification])
                }
            }
            // The row is written after the answer; the refusals come one after the other.
            let association = try await SCUAssociation.open(test.destination, contexts: [verification])
            try await association.release()
            #expect(test.audit.records.contains { $0.detail == "1/1/3" && $0.principal.id == "STRANGER" })
        }
    }

    @Test("A named option serves unknown callers; their title must still be one")
    func unknownCallers() async throws {
        try await TestListener.run(peers: [], configure: { $0.servesUnknownCallers = true }) { test in
            let association = try await SCUAssociation.open(test.destination, contexts: [verification])
            #expect(try await association.echo() == .success)
            try await association.release()
        }
    }

    @Test("Unknown callers that are served may store, but not look through what is stored")
    func rightsOfUnknownCallers() async throws {
        let query = QuerySCP(index: StudyIndex(), audit: MemoryAudit())
        try await TestListener.run(
            services: [RecordingSCP(), query], peers: [], configure: { $0.servesUnknownCallers = true }
        ) { test in
            let syntaxes = [TransferSyntax.implicitVRLittleEndian.uid]
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(UID.studyRootFind, syntaxes), (RecordingSCP.sopClass, syntaxes)])
            #expect(association.negotiated.contexts.map(\.abstractSyntax) == [RecordingSCP.sopClass])
            try await association.release()
        }
    }

    @Test("Limits: the 20th association of a peer is served, the 21st is 2/3/2, another peer still gets in")
    func limitPerPeer() async throws {
        let peers = ["CT1", "CT2"].map { Peer(kind: .applicationEntity, name: $0) }
        try await TestListener.run(peers: peers) { test in
            var open: [SCUAssociation] = []
            for _ in 0..<20 { open.append(try await SCUAssociation.open(test.destination, contexts: [verification])) }
            await #expect(throws: SCUError.rejected(.localLimitExceeded)) {
                try await SCUAssociation.open(test.destination, contexts: [verification])
            }
            var other = test.destination
            other.callingAETitle = title("CT2")
            open.append(try await SCUAssociation.open(other, contexts: [verification]))
            for association in open { try await association.release() }
        }
    }

    @Test("Limits: over the global number of associations is 2/3/2, over that of connections is closed unheard")
    func limitGlobal() async throws {
        var limits = AdmissionLimits()
        limits.dimse.connectionsMax = 2
        try await TestListener.run(
            admission: Admission(limits: limits), configure: { $0.limits.associationsMax = 1 }
        ) { test in
            let first = try await SCUAssociation.open(test.destination, contexts: [verification])
            let pdus = try await RawPeer.exchange(port: test.port) { writer, reader in
                try await writer.write(associateRequest())
                #expect(try await reader.next() == .associateReject(.localLimitExceeded))
                // Both connections are open now.
                await #expect(throws: (any Error).self) {
                    try await SCUAssociation.open(test.destination, contexts: [verification])
                }
            }
            #expect(pdus.count == 1)
            try await first.release()
        }
    }

    @Test("X16: contexts of a service that the peer may not use are rejected by the user, and that is audited")
    func roles() async throws {
        let peer = Peer(kind: .applicationEntity, name: "CT1", may: [.echo])
        try await TestListener.run(services: [VerificationSCP(), RecordingSCP()], peers: [peer]) { test in
            let pdus = try await RawPeer.exchange(port: test.port) { writer, reader in
                try await writer.write(
                    associateRequest([(1, "1.2.840.10008.1.1"), (3, RecordingSCP.sopClass), (5, "1.2.3")]))
                guard case .associateAccept(let accept) = try await reader.next() else {
                    Issue.record("not accepted")
                    return
                }
                #expect(
                    accept.presentationContexts.map(\.result) == [
                        .acceptance, .userRejection, .abstractSyntaxNotSupported,
                    ])
                // A command on the context all the same ends the association.
                try await writer.write(
                    data(
                        .cStoreRequest(messageID: 1, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2"),
                        context: 3))
            }
            #expect(pdus.count == 2)
            #expect(test.audit.records.map(\.detail) == ["not authorized: store"])
        }
    }

    @Test("X17: titles guessed in a row are held back by address, and leave two audit rows and not one each")
    func guessedTitles() async throws {
        var limits = CallerThrottle.limitsDefault
        limits.burst = 5
        let peers = ["CT1", "CT2"].map { Peer(kind: .applicationEntity, name: $0) }
        try await TestListener.run(peers: peers, strangers: limits) { test in
            // One that was let in before from here.
            try await SCUAssociation.open(test.destination, contexts: [verification]).release()
            var answers: [PDU] = []
            for number in 0..<50 {
                answers += try await RawPeer.exchange(port: test.port) { writer, _ in
                    try await writer.write(associateRequest(calling: "GUESS\(number)"))
                }
            }
            #expect(
                answers
                    == Array(repeating: .associateReject(.callingAETitleNotRecognized), count: 5)
                    + Array(repeating: .associateReject(.temporaryCongestion), count: 45))
            #expect(test.audit.records.count == 5)
            #expect(test.audit.records.last?.detail?.contains("no more for now") == true)
            // Known or not, a title that was not here before gets the same answer; one that was is served.
            var other = test.destination
            other.callingAETitle = title("CT2")
            await #expect(throws: SCUError.rejected(.temporaryCongestion)) {
                try await SCUAssociation.open(other, contexts: [verification])
            }
            try await SCUAssociation.open(test.destination, contexts: [verification]).release()
        }
    }

    @Test("D10: a request of 128 contexts with 20 transfer syntaxes each is accepted")
    func largeRequest() async throws {
        let long = "1.2.840.10008." + String(repeating: "1", count: 48)
        let syntaxes = (0..<19).map { "\(long)\($0 % 10)" } + ["1.2.840.10008.1.2"]
        let request = PDU.associateRequest(
            AssociateRequest(
                calledAETitle: title("HILUM"), callingAETitle: title("CT1"),
                presentationContexts: (0..<128).map {
                    ProposedPresentationContext(
                        id: UInt8(2 * $0 + 1), abstractSyntax: "1.2.840.10008.1.1", transferSyntaxes: syntaxes)
                }, userInformation: UserInformation(maximumLength: 16384, implementationClassUID: "1.2.3"))
        ).encoded()
        #expect(request.readableBytes > 160_000)
        try await TestListener.run { test in
            _ = try await RawPeer.exchange(port: test.port, hangsUp: true) { writer, reader in
                try await writer.write(request)
                guard case .associateAccept(let accept) = try await reader.next() else {
                    Issue.record("not accepted")
                    return
                }
                #expect(accept.presentationContexts.map(\.result) == Array(repeating: .acceptance, count: 128))
            }
        }
    }

    @Test("X8: a request that there is no memory for is rejected as temporary congestion")
    func noMemoryForRequest() async throws {
        let memory = MemoryBudget(bytesMax: 1 << 16)
        try await TestListener.run(memory: memory) { test in
            let pdus = try await RawPeer.exchange(port: test.port) { writer, _ in
                var begun = ByteBuffer(bytes: [1, 0, 0, 4, 0, 0])
                begun.writeRepeatingByte(0, count: 200_000)
                try? await writer.write(begun)
            }
            #expect(pdus == [.associateReject(.temporaryCongestion)] || pdus.isEmpty)
            #expect(memory.refusals == 1)
        }
        #expect(memory.used == 0)
    }

    @Test("X7: cancellations and bytes that drip are no progress: the association ends after the idle time")
    func noProgress() async throws {
        let drips: [@Sendable () -> ByteBuffer] = [
            { data(.cCancelRequest(messageIDBeingRespondedTo: 9)) },
            { data([0, 0], isCommand: true, isLast: false) },
        ]
        for drip in drips {
            try await TestListener.run(configure: {
                $0.timers.idle = .milliseconds(200)
                $0.timers.artim = .seconds(2)
                $0.timers.messageBytesPerSecondMin = 1024
            }) { test in
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "127.0.0.1", port: test.port).get()
                try await channel.writeAndFlush(associateRequest()).get()
                let repeated = channel.eventLoop.scheduleRepeatedTask(
                    initialDelay: .milliseconds(20), delay: .milliseconds(20)
                ) { _ in channel.writeAndFlush(drip(), promise: nil) }
                try await channel.closeFuture.get()
                repeated.cancel()
            }
        }
    }

    // MARK: hostile peers

    @Test("PS3.8 §9.1.4: a connection that says nothing, or drips a request, is closed when ARTIM runs out")
    func artim() async throws {
        try await TestListener.run(configure: { $0.timers.artim = .milliseconds(60) }) { test in
            #expect(try await RawPeer.exchange(port: test.port) { _, _ in }.isEmpty)
            let drip = try await RawPeer.exchange(port: test.port) { writer, _ in
                for byte in associateRequest().readableBytesView.prefix(40) {
                    // The listener may have closed by now.
                    try? await writer.write(ByteBuffer(bytes: [byte]))
                }
            }
            #expect(drip.isEmpty)
        }
    }

    @Test("Bytes that are no PDU get an A-ABORT, and the listener goes on serving")
    func garbage() async throws {
        try await TestListener.run { test in
            let pdus = try await RawPeer.exchange(port: test.port) { writer, _ in
                try await writer.write(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: hilum\r\n\r\n"))
            }
            #expect(pdus == [.abort(.byUser)])
            let late = try await RawPeer.exchange(port: test.port) { writer, reader in
                try await writer.write(associateRequest())
                _ = try await reader.next()
                try await writer.write(ByteBuffer(bytes: [9, 0, 0, 0, 0, 0]))
            }
            #expect(late.last == .abort(.unrecognizedPDU))
            let association = try await SCUAssociation.open(test.destination, contexts: [verification])
            #expect(try await association.echo() == .success)
            try await association.release()
        }
    }

    @Test("PDU over 1 MiB, PDV of another context, data before a command: each its own A-ABORT")
    func badData() async throws {
        try await TestListener.run { test in
            let cases: [(ByteBuffer, Abort)] = [
                (ByteBuffer(bytes: [4, 0, 0, 0x10, 0, 1]), .invalidPDUParameterValue),
                (data(.cEchoRequest(messageID: 1), context: 3), .invalidPDUParameterValue),
                (data([1, 2], isCommand: false), .byUser), (data([1, 2], isCommand: true), .byUser),
                (associateRequest(), .unexpectedPDU),
            ]
            for (bytes, abort) in cases {
                let pdus = try await RawPeer.exchange(port: test.port) { writer, reader in
                    try await writer.write(associateRequest())
                    _ = try await reader.next()
                    try await writer.write(bytes)
                }
                #expect(pdus.last == .abort(abort))
            }
        }
    }

    @Test("Mutated streams of any cut never stop the listener, and no association stays behind")
    func fuzz() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("AssociationTests.fuzz seed \(seed)")
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let store = CommandSet.cStoreRequest(messageID: 1, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3")
        let whole: [UInt8] = [
            associateRequest([(1, RecordingSCP.sopClass), (3, UID.verification)]), data(store),
            data([UInt8](repeating: 1, count: 500), isCommand: false), data(.cEchoRequest(messageID: 2), context: 3),
            PDU.releaseRequest.encoded(),
        ].flatMap { Array($0.readableBytesView) }
        var streams: [(bytes: [UInt8], cut: Int)] = []
        for _ in 0..<120 {
            var bytes = whole
            for _ in 0...random(3) { bytes[random(bytes.count)] = UInt8(random(256)) }
            streams.append((bytes, random(bytes.count)))
        }
        let inputs = streams
        let scp = RecordingSCP()
        try await TestListener.run(services: [scp, VerificationSCP()]) { test in
            for (bytes, cut) in inputs {
                _ = try await RawPeer.exchange(port: test.port, hangsUp: true) { writer, _ in
                    // The listener may close in between.
                    try? await writer.write(ByteBuffer(bytes: bytes[..<cut]))
                    try? await writer.write(ByteBuffer(bytes: bytes[cut...]))
                }
            }
            let association = try await SCUAssociation.open(test.destination, contexts: [verification])
            #expect(try await association.echo() == .success)
            try await association.release()
        }
    }

    @Test("PS3.7 §D.3.3.3: a second request before the answer to the first is an A-ABORT")
    func tooManyOutstanding() async throws {
        let gate = Gate()
        let scp = RecordingSCP { responder in
            await gate.wait()
            try await responder.send(.success)
        }
        try await TestListener.run(services: [scp]) { test in
            let store = CommandSet.cStoreRequest(
                messageID: 1, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3")
            let pdus = try await RawPeer.exchange(port: test.port) { writer, reader in
                try await writer.write(associateRequest([(1, RecordingSCP.sopClass)]))
                _ = try await reader.next()
                try await writer.write(data(store))
                try await writer.write(data([1, 2], isCommand: false))
                try await writer.write(data(store))
            }
            #expect(pdus.last == .abort(.byUser))
            gate.open()
        }
    }

    @Test("A peer that goes silent in the middle of a message is aborted when the idle time is over")
    func idle() async throws {
        let scp = RecordingSCP()
        try await TestListener.run(services: [scp], configure: { $0.timers.idle = .seconds(10) }) { test in
            let pdus = try await RawPeer.exchange(port: test.port) { writer, reader in
                try await writer.write(associateRequest([(1, RecordingSCP.sopClass)]))
                _ = try await reader.next()
                try await writer.write(
                    data(.cStoreRequest(messageID: 1, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3")))
                try await writer.write(data([1, 2, 3, 4], isCommand: false, isLast: false))
            }
            #expect(pdus.last == .abort(.byUser))
        }
        scp.state.withLock {
            #expect($0.abandoned == 1)
            #expect($0.received.isEmpty)
            #expect($0.ended == ["CT1"])
        }
    }

    @Test("PS3.7 §C.5.22: an unknown command is answered 0211, and the association goes on")
    func unknownCommand() async throws {
        try await TestListener.run { test in
            let association = try await SCUAssociation.open(test.destination, contexts: [verification])
            let context = try #require(association.negotiated.contexts.first)
            let responses = try await association.request(context, nil) { id in
                var command = CommandSet.cEchoRequest(messageID: id)
                command.set(.commandField, uint16: CommandField.nDeleteRequest.rawValue)
                return command
            }
            #expect(responses.map(\.message.status) == [.unrecognizedOperation])
            #expect(try await association.echo() == .success)
            try await association.release()
        }
    }

    // MARK: the data path

    @Test(
        "A data set arrives byte for byte, whatever its size; one that is not answered gets 0110",
        arguments: [0, 2, 131_066, 131_068, 700_000])
    func dataPath(size: Int) async throws {
        let scp = RecordingSCP { responder in
            if size > 2 { try await responder.send(.success) }
        }
        try await TestListener.run(services: [scp]) { test in
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(RecordingSCP.sopClass, ["1.2.840.10008.1.2"])])
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            let status = try await association.store(
                sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3", transferSyntax: "1.2.840.10008.1.2",
                dataSet: ByteBuffer(bytes: content))
            #expect(status == (size > 2 ? .success : .processingFailure))
            try await association.release()
            scp.state.withLock { #expect($0.received == [content]) }
        }
        scp.state.withLock { #expect(!$0.ended.isEmpty) }
    }

    @Test("PS3.8 §E: a message in one-byte TCP segments and pipelined with its release is the same message")
    func tinySegments() async throws {
        try await TestListener.run { test in
            let pdus = try await RawPeer.exchange(port: test.port) { writer, reader in
                for byte in associateRequest().readableBytesView { try await writer.write(ByteBuffer(bytes: [byte])) }
                _ = try await reader.next()
                for byte in data(.cEchoRequest(messageID: 7)).readableBytesView {
                    try await writer.write(ByteBuffer(bytes: [byte]))
                }
                #expect(status(of: try await reader.next()) == .success)
                try await writer.write(PDU.releaseRequest.encoded())
                #expect(try await reader.next() == .releaseResponse)
            }
            #expect(pdus.count == 3)
        }
    }

    @Test("An SCU stops waiting for a silent SCP")
    func responseTimeout() async throws {
        let gate = Gate()
        let scp = RecordingSCP { _ in await gate.wait() }
        try await TestListener.run(services: [scp]) { test in
            var destination = test.destination
            destination.timers.response = .milliseconds(60)
            let association = try await SCUAssociation.open(
                destination, contexts: [(RecordingSCP.sopClass, ["1.2.840.10008.1.2"])])
            await #expect(throws: SCUError.timedOut) {
                try await association.store(
                    sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3",
                    transferSyntax: "1.2.840.10008.1.2", dataSet: ByteBuffer(bytes: [1, 2]))
            }
            gate.open()
        }
    }

    // MARK: the end of the server

    @Test("Graceful shutdown: what is under way is answered, what is idle is aborted, nobody new gets in")
    func drain() async throws {
        let gate = Gate()
        let started = Gate()
        let scp = RecordingSCP { responder in
            started.open()
            await gate.wait()
            try await responder.send(.success)
        }
        try await TestListener.run(services: [scp, VerificationSCP()], configure: { $0.timers.drain = .minutes(5) }) {
            test in
            let idle = try await SCUAssociation.open(test.destination, contexts: [verification])
            let busy = try await SCUAssociation.open(
                test.destination, contexts: [(RecordingSCP.sopClass, ["1.2.840.10008.1.2"])])
            async let status = busy.store(
                sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3", transferSyntax: "1.2.840.10008.1.2",
                dataSet: ByteBuffer(bytes: [1, 2]))
            await started.wait()
            await test.shutDown()
            // The idle association is told so; the busy one is not.
            #expect(await idle.ended() == .abortedByPeer(.byUser))
            await #expect(throws: (any Error).self) {
                try await SCUAssociation.open(test.destination, contexts: [verification])
            }
            gate.open()
            #expect(try await status == .success)
        }
    }

    @Test("Graceful shutdown: after the drain time the rest is aborted")
    func drainDeadline() async throws {
        let gate = Gate()
        let started = Gate()
        let scp = RecordingSCP { responder in
            started.open()
            await gate.wait()
        }
        try await TestListener.run(services: [scp], configure: { $0.timers.drain = .milliseconds(100) }) { test in
            let busy = try await SCUAssociation.open(
                test.destination, contexts: [(RecordingSCP.sopClass, ["1.2.840.10008.1.2"])])
            async let status = busy.store(
                sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3", transferSyntax: "1.2.840.10008.1.2",
                dataSet: ByteBuffer(bytes: [1, 2]))
            await started.wait()
            await test.shutDown()
            do {
                _ = try await status
                Issue.record("answered")
            } catch {
                #expect(error is SCUError)
            }
            gate.open()
        }
    }
}
