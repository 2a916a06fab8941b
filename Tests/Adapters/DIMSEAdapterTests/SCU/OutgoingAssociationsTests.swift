import DICOMData
import DICOMNetwork
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// Associations that this side asks for: kept, counted, limited in time, and refused with a reason. PS3.8 §7.1.
@Suite(.timeLimit(.minutes(10)), .takingTurns) struct OutgoingAssociationsTests {
    private static let verification = [
        (abstractSyntax: UID.verification, transferSyntaxes: [TransferSyntax.implicitVRLittleEndian.uid])
    ]

    private func pool(_ change: (inout OutgoingAssociations.Limits) -> Void = { _ in }) -> OutgoingAssociations {
        var limits = OutgoingAssociations.Limits()
        change(&limits)
        return OutgoingAssociations(limits: limits)
    }

    /// Answers every command with success until the association is released.
    @Sendable private static func obliging(_ reader: inout PDUReader, _ writer: RawAcceptor.Writer) async throws {
        _ = try await reader.accept(writer)
        while let (context, command) = try await reader.command(writer) {
            try await writer.write(data(response(to: command, .success), context: context))
        }
    }

    /// Waits until an association has ended and its pool knows: it is told of that in the same turn of the event loop.
    private func end(of association: SCUAssociation) async throws {
        _ = await association.ended()
        try await association.channel.eventLoop.submit {}.get()
    }

    @Test("One after another use the same association; after the idle time it is released")
    func reused() async throws {
        let calls = Mutex(0)
        try await RawAcceptor.run { reader, writer in
            calls.withLock { $0 += 1 }
            try await Self.obliging(&reader, writer)
        } _: { port in
            let pool = pool { $0.idle = .hours(1) }
            for number in 0..<3 {
                try await pool.with(RawAcceptor.destination(port), contexts: Self.verification) { lease in
                    #expect(lease.isReused == (number > 0))
                    let status = try await lease.association.echo()
                    #expect(status == .success)
                }
            }
            #expect(calls.withLock { $0 } == 1)
            #expect(pool.counts.used == 0)
            // Other contexts are another association.
            let contexts = Self.verification + Self.verification
            try await pool.with(RawAcceptor.destination(port), contexts: contexts) { lease in
                #expect(!lease.isReused)
                #expect(lease.association.negotiated.contexts.count == contexts.count)
            }
            #expect(calls.withLock { $0 } == 2)
            await pool.close()
            let hasty = self.pool { $0.idle = .milliseconds(50) }
            let kept = try await hasty.with(RawAcceptor.destination(port), contexts: Self.verification) {
                $0.association
            }
            try await end(of: kept)
            #expect(hasty.counts.idle == 0 && hasty.counts.used == 0)
        }
    }

    @Test("An association that its peer ends while it is kept is nobody's any more")
    func endedWhileKept() async throws {
        try await RawAcceptor.run { reader, writer in
            _ = try await reader.accept(writer)
            if let (context, command) = try await reader.command(writer) {
                try await writer.write(data(response(to: command, .success), context: context))
            }
            try await writer.write(PDU.abort(.byUser).encoded())
        } _: { port in
            let pool = pool { $0.idle = .hours(1) }
            for _ in 0..<3 {
                let ended = try await pool.with(RawAcceptor.destination(port), contexts: Self.verification) { lease in
                    #expect(!lease.isReused)
                    let status = try await lease.association.echo()
                    #expect(status == .success)
                    return lease.association
                }
                try await end(of: ended)
                #expect(pool.counts.idle == 0)
            }
        }
    }

    @Test("Who comes with a user identity, or serves the peer, is given no association that was opened without")
    func own() async throws {
        let users = Mutex<[UserIdentity?]>([])
        try await RawAcceptor.run { reader, writer in
            let request = try await reader.accept(writer)
            users.withLock { $0.append(request.userInformation.userIdentity) }
            while let (context, command) = try await reader.command(writer) {
                try await writer.write(data(response(to: command, .success), context: context))
            }
        } _: { port in
            let pool = pool { $0.idle = .hours(1) }
            let plain = RawAcceptor.destination(port)
            var named = plain
            named.identity = ProposedIdentity(.userName("doe"))
            var serving = SCUAssociation.Terms()
            serving.services = [VerificationSCP()]
            for (destination, terms) in [
                (plain, SCUAssociation.Terms()), (named, SCUAssociation.Terms()), (plain, SCUAssociation.Terms()),
                (plain, serving),
            ] {
                try await pool.with(destination, contexts: Self.verification, terms: terms) { lease in
                    #expect(!lease.isReused)
                    let status = try await lease.association.echo()
                    #expect(status == .success)
                }
            }
            await pool.close()
        }
        let seen = users.withLock { $0 }
        #expect(seen.map { $0?.kind } == [nil, 1, nil, nil])
    }

    @Test("A peer is asked for no association in the place of one that it has not agreed to end")
    func placeUntilReleased() async throws {
        let (asked, asks) = AsyncStream.makeStream(of: Void.self)
        let (agreed, agrees) = AsyncStream.makeStream(of: Void.self)
        let calls = Mutex(0)
        try await RawAcceptor.run { reader, writer in
            let number = calls.withLock { calls in
                calls += 1
                return calls
            }
            _ = try await reader.accept(writer)
            guard number == 1 else {
                _ = try await reader.command(writer)
                return
            }
            guard case .releaseRequest? = try await reader.next() else { return }
            asks.yield()
            for await _ in agreed { break }
            try await writer.write(PDU.releaseResponse.encoded())
            _ = try await reader.next()
        } _: { port in
            let pool = pool {
                $0.associationsPerPeerMax = 1
                $0.idle = .milliseconds(1)
                $0.release = .hours(1)
            }
            let destination = RawAcceptor.destination(port)
            try await pool.with(destination, contexts: Self.verification) { _ in }
            for await _ in asked { break }
            #expect(pool.counts.used == 1)
            await #expect(throws: SCUError.noPlace) {
                try await pool.with(destination, contexts: Self.verification, wait: .milliseconds(1)) { _ in }
            }
            #expect(calls.withLock { $0 } == 1)
            agrees.yield()
            try await pool.with(destination, contexts: Self.verification) { lease in #expect(!lease.isReused) }
            #expect(calls.withLock { $0 } == 2)
        }
    }

    @Test("Who finds all places of a peer taken waits for one, and no longer than it may")
    func places() async throws {
        try await RawAcceptor.run(Self.obliging) { port in
            let pool = pool {
                $0.associationsPerPeerMax = 1
                $0.wait = .milliseconds(100)
                $0.idle = .hours(1)
            }
            let destination = RawAcceptor.destination(port)
            try await pool.with(destination, contexts: Self.verification) { _ in
                await #expect(throws: SCUError.noPlace) {
                    try await pool.with(destination, contexts: Self.verification) { _ in }
                }
                // What is said of the peer comes before what is said of all.
                var roomy = destination
                roomy.associationsMax = 2
                try await pool.with(roomy, contexts: Self.verification) { _ in }
            }
            #expect(pool.counts.used == 0)
            #expect(pool.counts.waiting == 0)
            await pool.close()
        }
    }

    @Test("An interruption, a cancelled task and the end of the server end the wait for a place")
    func giveUp() async throws {
        try await RawAcceptor.run(Self.obliging) { port in
            let pool = pool { $0.associationsPerPeerMax = 1 }
            let destination = RawAcceptor.destination(port)
            try await pool.with(destination, contexts: Self.verification) { _ in
                var terms = SCUAssociation.Terms()
                let interruption = Interruption()
                terms.interruption = interruption
                let interrupted = Task { [terms] in
                    try await pool.with(destination, contexts: Self.verification, terms: terms) { _ in }
                }
                try await until { pool.counts.waiting == 1 }
                interruption.interrupt()
                await #expect(throws: SCUError.cancelled) { try await interrupted.value }
                let task = Task { try await pool.with(destination, contexts: Self.verification) { _ in } }
                try await until { pool.counts.waiting == 1 }
                task.cancel()
                await #expect(throws: SCUError.cancelled) { try await task.value }
            }
            await pool.close()
            #expect(pool.counts.idle == 0)
            await #expect(throws: SCUError.cancelled) {
                try await pool.with(destination, contexts: Self.verification) { _ in }
            }
        }
    }

    @Test(
        "The time for all of it ends it: with a peer that says nothing, that never answers, and that drips",
        arguments: ["silent", "mute", "drips"])
    func overallTime(kind: String) async throws {
        try await RawAcceptor.run { reader, writer in
            if kind == "silent" {
                while try await reader.next() != nil {}
                return
            }
            _ = try await reader.accept(writer)
            guard let (context, command) = try await reader.command(writer) else { return }
            if kind == "drips" {
                let bytes = data(response(to: command, .success), context: context).readableBytesView
                for byte in bytes.dropLast() {
                    try await writer.write(ByteBuffer(bytes: [byte]))
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            while try await reader.next() != nil {}
        } _: { port in
            let pool = pool()
            await #expect(throws: SCUError.timedOut) {
                try await pool.with(
                    RawAcceptor.destination(port), contexts: Self.verification, within: .milliseconds(300)
                ) { _ = try await $0.association.echo() }
            }
            #expect(pool.counts.used == 0)
            #expect(pool.counts.idle == 0)
        }
    }

    @Test("PS3.8 Table 9-21: a rejection tells its cause, and whether another attempt may succeed")
    func rejections() async throws {
        let rejects: [(AssociateReject, Bool, String)] = [
            (.callingAETitleNotRecognized, false, "permanent: calling AE title not recognized (1/1/3)"),
            (.calledAETitleNotRecognized, false, "permanent: called AE title not recognized (1/1/7)"),
            (.applicationContextNotSupported, false, "permanent: application context name not supported (1/1/2)"),
            (.protocolVersionNotSupported, false, "permanent: protocol version not supported (1/2/2)"),
            (.temporaryCongestion, true, "transient: temporary congestion (2/3/1)"),
            (.localLimitExceeded, true, "transient: local limit exceeded (2/3/2)"),
            (AssociateReject(result: 9, source: 9, reason: 9), false, "permanent: a reason without a name (9/9/9)"),
        ]
        for (reject, isTransient, text) in rejects {
            #expect("\(reject)" == text)
            try await RawAcceptor.run { reader, writer in
                _ = try await reader.next()
                try await writer.write(PDU.associateReject(reject).encoded())
            } _: { port in
                let pool = pool()
                do {
                    try await pool.with(RawAcceptor.destination(port), contexts: Self.verification) { _ in }
                    Issue.record("accepted")
                } catch let error as SCUError {
                    #expect(error == .rejected(reject))
                    #expect(error.isTransient == isTransient)
                    let outcome = DeliveryOutcome.noAssociation(error, with: "PACS")
                    let expected: DeliveryOutcome =
                        isTransient
                        ? .overloaded("PACS rejects the association, \(text)", retryAfterSeconds: nil)
                        : .unreachable("PACS rejects the association, \(text)")
                    #expect(outcome == expected)
                }
                #expect(pool.counts.used == 0)
            }
        }
    }

    @Test("PS3.7 §D.3.3.7: identities of type 1 to 5 are proposed; one that must be confirmed is not used unconfirmed")
    func identities() async throws {
        let credentials: [(ProposedIdentity.Credential, UserIdentity)] = [
            (.userName("doe"), UserIdentity(kind: 1, positiveResponseRequested: true, primary: Array("doe".utf8))),
            (
                .userNameAndPasscode("doe", passcode: "secret"),
                UserIdentity(
                    kind: 2, positiveResponseRequested: true, primary: Array("doe".utf8),
                    secondary: Array("secret".utf8))
            ),
            (.kerberosTicket { [1, 2] }, UserIdentity(kind: 3, positiveResponseRequested: true, primary: [1, 2])),
            (.samlAssertion { [3] }, UserIdentity(kind: 4, positiveResponseRequested: true, primary: [3])),
            (
                .jsonWebToken { "a.b.c" },
                UserIdentity(kind: 5, positiveResponseRequested: true, primary: Array("a.b.c".utf8))
            ),
        ]
        for (credential, expected) in credentials {
            for confirms in [true, false] {
                try await RawAcceptor.run { reader, writer in
                    guard case .associateRequest(let request)? = try await reader.next() else { return }
                    #expect(request.userInformation.userIdentity == expected)
                    try await writer.write(RawAcceptor.accept(request, identityResponse: confirms ? [] : nil))
                    while try await reader.command(writer) != nil {}
                } _: { port in
                    var destination = RawAcceptor.destination(port)
                    destination.identity = ProposedIdentity(credential, mustBeConfirmed: true)
                    let pool = pool()
                    if confirms {
                        try await pool.with(destination, contexts: Self.verification) { lease in
                            #expect(lease.association.negotiated.userIdentityResponse == [])
                        }
                    } else {
                        await #expect(throws: SCUError.identityNotConfirmed) {
                            try await pool.with(destination, contexts: Self.verification) { _ in }
                        }
                    }
                    // What was opened for a user is not kept.
                    #expect(pool.counts.idle == 0)
                    #expect(pool.counts.used == 0)
                }
            }
        }
        let long = ProposedIdentity(.userName(String(repeating: "x", count: UserIdentity.bytesMax + 1)))
        await #expect(throws: ProposedIdentity.TooLong.self) { try await long.userIdentity() }
    }

    @Test("No P-DATA-TF is longer than the peer takes, nor than is said of it")
    func sendLength() async throws {
        for (limit, expected) in [(nil, 4096), (2048, 2048), (1 << 20, 4096)] as [(UInt32?, Int)] {
            let longest = Mutex(0)
            try await RawAcceptor.run { reader, writer in
                guard case .associateRequest(let request)? = try await reader.next() else { return }
                try await writer.write(RawAcceptor.accept(request, maximumLength: 4096))
                while case .data(let values)? = try await reader.next() {
                    for value in values {
                        // PDV length, context and control beside the fragment. PS3.8 §9.3.5.
                        let length = value.fragment.readableBytes + 6
                        longest.withLock { $0 = max($0, length) }
                        guard !value.isCommand, value.isLast else { continue }
                        let command = CommandSet.cStoreRequest(
                            messageID: 1, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3")
                        try await writer.write(data(response(to: command, .success)))
                    }
                }
                try await writer.write(PDU.releaseResponse.encoded())
            } _: { port in
                var destination = RawAcceptor.destination(port)
                destination.sendLengthMax = limit
                let syntax = TransferSyntax.implicitVRLittleEndian.uid
                let association = try await SCUAssociation.open(
                    destination, contexts: [(RecordingSCP.sopClass, [syntax])])
                let status = try await association.store(
                    sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3", transferSyntax: syntax,
                    dataSet: ByteBuffer(repeating: 1, count: 20_000))
                #expect(status == .success)
                try await association.release()
            }
            #expect(longest.withLock { $0 } == expected)
        }
    }
}
