import DICOMData
import DICOMNetwork
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import DIMSEAdapter

/// PS3.4 §C.4.1 as SCU, and peers that answer what was not asked.
@Suite(.takingTurns) struct FindSCUTests {
    /// A pending response with an identifier.
    @Sendable private static func match(
        _ number: Int, to command: CommandSet, _ context: UInt8, _ writer: RawAcceptor.Writer
    ) async throws {
        var set = DataSet()
        set.set(.studyInstanceUID, string: "1.2.\(number)")
        let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set)
        try await writer.write(data(response(to: command, .pending, hasDataSet: true), context: context))
        try await writer.write(data(bytes, context: context, isCommand: false))
    }

    private var identifier: DataSet {
        var set = DataSet()
        set.set(.queryRetrieveLevel, string: "STUDY")
        set.setEmpty(.studyInstanceUID)
        return set
    }

    /// Asks a peer, and gives what it found and what ended that; none for an orderly end.
    private func found(
        limits: FindSCU.Limits = FindSCU.Limits(), timers: DIMSETimers = .unhurried, stopAfter: Int = .max,
        _ serve: @Sendable @escaping (CommandSet, UInt8, inout PDUReader, RawAcceptor.Writer) async throws -> Void
    ) async throws -> (uids: [String], error: SCUError?) {
        let result = Mutex<([String], SCUError?)>(([], nil))
        let identifier = identifier
        try await RawAcceptor.run { reader, writer in
            _ = try await reader.accept(writer)
            guard let (context, command) = try await reader.command(writer) else { return }
            try await serve(command, context, &reader, writer)
            while try await reader.command(writer) != nil {}
        } _: { port in
            var destination = RawAcceptor.destination(port)
            destination.timers = timers
            let pool = OutgoingAssociations()
            do {
                try await pool.with(destination, contexts: FindSCU.contexts(UID.studyRootFind)) { lease in
                    let find = try FindSCU(lease.association, sopClassUID: UID.studyRootFind)
                    for try await match in try find.matches(identifier, limits: limits) {
                        let count = result.withLock { result in
                            result.0.append(match.string(.studyInstanceUID) ?? "")
                            return result.0.count
                        }
                        if count == stopAfter { break }
                    }
                }
            } catch let error as SCUError {
                result.withLock { $0.1 = error }
            }
            #expect(pool.counts.used == 0)
            await pool.close()
        }
        return result.withLock { $0 }
    }

    @Test("Matches come one by one; a failure comes after them, with its status and comment")
    func matches() async throws {
        let whole = try await found { command, context, _, writer in
            for number in 1...3 { try await Self.match(number, to: command, context, writer) }
            try await writer.write(data(response(to: command, .success), context: context))
        }
        #expect(whole.uids == ["1.2.1", "1.2.2", "1.2.3"])
        #expect(whole.error == nil)
        let failing = try await found { command, context, _, writer in
            try await Self.match(1, to: command, context, writer)
            var last = response(to: command, .outOfResources)
            last.set(.errorComment, text: "full")
            try await writer.write(data(last, context: context))
        }
        #expect(failing.uids == ["1.2.1"])
        #expect(failing.error == .failed(.outOfResources, comment: "full"))
        #expect(failing.error?.isTransient == true)
    }

    @Test("More than is taken, in number or bytes: the peer is told to stop, and the caller that there is more")
    func overLimit() async throws {
        for isOfBytes in [false, true] {
            var limits = FindSCU.Limits()
            if isOfBytes { limits.bytes = 40 } else { limits.matches = 2 }
            let cancels = Mutex(0)
            let found = try await found(limits: limits) { command, context, reader, writer in
                for number in 1...5 { try await Self.match(number, to: command, context, writer) }
                let cancel = try await reader.command(writer)?.command
                if cancel?.uint16(.commandField) == CommandField.cCancelRequest.rawValue,
                    cancel?.uint16(.messageIDBeingRespondedTo) == command.uint16(.messageID)
                {
                    cancels.withLock { $0 += 1 }
                }
                try await writer.write(data(response(to: command, .cancelled), context: context))
            }
            #expect(found.uids == ["1.2.1", "1.2.2"])
            #expect(found.error == .responsesOverLimit)
            #expect(cancels.withLock { $0 } == 1)
        }
    }

    @Test("A peer without an end, also after it was told to stop, is left when the time for its response is over")
    func endless() async throws {
        var limits = FindSCU.Limits()
        limits.matches = 3
        var timers = DIMSETimers()
        // Three matches come within it, however loaded the machine is.
        timers.response = .seconds(10)
        let found = try await found(limits: limits, timers: timers) { command, context, _, writer in
            try await Self.withoutEnd(command, context, writer) { try await Task.sleep(for: .milliseconds(100)) }
        }
        #expect(found.uids == ["1.2.1", "1.2.2", "1.2.3"])
        #expect(found.error == .timedOut)
    }

    @Test("One that answers without a pause after it was told to stop is left before that")
    func flooding() async throws {
        var limits = FindSCU.Limits()
        limits.matches = 3
        let found = try await found(limits: limits) { command, context, _, writer in
            try await Self.withoutEnd(command, context, writer) {}
        }
        #expect(found.uids == ["1.2.1", "1.2.2", "1.2.3"])
        #expect(found.error == .aborted(.byUser))
    }

    /// Writes matches until the connection is gone.
    @Sendable private static func withoutEnd(
        _ command: CommandSet, _ context: UInt8, _ writer: RawAcceptor.Writer, pause: () async throws -> Void
    ) async throws {
        var number = 0
        while true {
            number += 1
            try await match(number, to: command, context, writer)
            try await pause()
        }
    }

    @Test("Who stops reading has the query cancelled, and the association is not given to others")
    func stops() async throws {
        let wasCancelled = Mutex(false)
        let found = try await found(stopAfter: 1) { command, context, reader, writer in
            try await Self.match(1, to: command, context, writer)
            let next = try await reader.command(writer)?.command
            wasCancelled.withLock { $0 = next?.uint16(.commandField) == CommandField.cCancelRequest.rawValue }
        }
        #expect(found.uids == ["1.2.1"])
        #expect(found.error == nil)
    }

    @Test("What answers nothing that was asked ends the association: field, number, context, pending where none may be")
    func notAsked() async throws {
        typealias Answer = @Sendable (CommandSet, UInt8) -> ByteBuffer
        let answers: [Answer] = [
            { data(response(to: $0, .success, field: .cStoreResponse), context: $1) },
            { data(response(to: $0, .success, field: .cFindRequest), context: $1) },
            { data(response(to: $0, .success, messageID: 4711), context: $1) },
            { data(response(to: $0, .success), context: $1 + 2) },
            // A data set that no command announced.
            { data([1, 2], context: $1, isCommand: false) },
            // A response in the middle of the data set of another.
            { command, context in
                var bytes = data(response(to: command, .pending, hasDataSet: true), context: context)
                var more = data(response(to: command, .success), context: context)
                bytes.writeBuffer(&more)
                return bytes
            },
        ]
        for (number, answer) in answers.enumerated() {
            let found = try await found { command, context, _, writer in
                try await writer.write(answer(command, context))
            }
            guard case .aborted? = found.error else {
                Issue.record("answer \(number): \(String(describing: found.error))")
                continue
            }
        }
        // No C-ECHO has pending answers.
        try await RawAcceptor.run { reader, writer in
            _ = try await reader.accept(writer)
            guard let (context, command) = try await reader.command(writer) else { return }
            try await writer.write(data(response(to: command, .pending), context: context))
            while try await reader.next() != nil {}
        } _: { port in
            let association = try await SCUAssociation.open(
                RawAcceptor.destination(port),
                contexts: [(UID.verification, [TransferSyntax.implicitVRLittleEndian.uid])])
            await #expect(throws: SCUError.aborted(.byUser)) { try await association.echo() }
        }
    }

    @Test("An identifier that cannot be read, or is not there, ends the query")
    func unreadable() async throws {
        for hasDataSet in [true, false] {
            let found = try await found { command, context, _, writer in
                try await writer.write(data(response(to: command, .pending, hasDataSet: hasDataSet), context: context))
                if hasDataSet {
                    try await writer.write(data([8, 0, 5, 0, 0xFF, 0xFF], context: context, isCommand: false))
                }
            }
            #expect(found.uids.isEmpty)
            #expect(found.error == .responseNotUnderstood)
        }
    }

    @Test(
        "A peer that aborts or hangs up at any time ends what waits for it, and holds no place",
        arguments: [true, false],
        ["connected", "associated", "asked", "half a command", "half a data set", "releasing"])
    func ends(aborts: Bool, when: String) async throws {
        let end: @Sendable (inout PDUReader, RawAcceptor.Writer) async throws -> Void = { reader, writer in
            guard aborts else { return }
            try await writer.write(PDU.abort(.reasonNotSpecified).encoded())
            // Closing with something unread would take the abort back.
            while try await reader.next() != nil {}
        }
        let identifier = identifier
        try await RawAcceptor.run { reader, writer in
            guard case .associateRequest(let request)? = try await reader.next() else { return }
            if when == "connected" { return try await end(&reader, writer) }
            try await writer.write(RawAcceptor.accept(request))
            if when == "associated" { return try await end(&reader, writer) }
            guard let (context, command) = try await reader.command(writer) else { return }
            let pending = response(to: command, .pending, hasDataSet: true)
            switch when {
            case "asked": break
            case "half a command":
                let half = pending.encoded().readableBytesView.prefix(20)
                try await writer.write(data(half, context: context, isCommand: true, isLast: false))
            case "half a data set":
                try await writer.write(data(pending, context: context))
                try await writer.write(data([8, 0], context: context, isCommand: false, isLast: false))
            default:
                try await writer.write(data(response(to: command, .success), context: context))
                _ = try await reader.next()
            }
            try await end(&reader, writer)
        } _: { port in
            let pool = OutgoingAssociations()
            do {
                try await pool.with(
                    RawAcceptor.destination(port), contexts: FindSCU.contexts(UID.studyRootFind)
                ) { lease in
                    let find = try FindSCU(lease.association, sopClassUID: UID.studyRootFind)
                    for try await _ in try find.matches(identifier) {}
                }
                #expect(when == "releasing")
            } catch let error as SCUError {
                #expect(error == (aborts ? .abortedByPeer(.reasonNotSpecified) : .connectionLost))
            }
            await pool.close()
            #expect(pool.counts.used == 0)
            #expect(pool.counts.idle == 0)
        }
    }
}
