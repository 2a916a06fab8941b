import Access
import DICOMData
import DICOMNetwork
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import DIMSEAdapter

/// PS3.4 §C.4.2 and §C.4.3 as SCU, and peers that send what was not asked for.
@Suite(.takingTurns) struct RetrieveSCUTests {
    /// Keeps what is whole.
    private final class MemorySink: InstanceSink {
        struct Full: Error {}
        struct State {
            var stored: [String: [UInt8]] = [:]
            var aborted = 0
        }
        let state = Mutex(State())
        let bytesMax: Int
        let status: DIMSEStatus
        init(bytesMax: Int = .max, status: DIMSEStatus = .success) {
            self.bytesMax = bytesMax
            self.status = status
        }

        func begin(_ head: InstanceHead) throws -> any InstanceWriting { Writing(sink: self, head: head) }

        private final class Writing: InstanceWriting {
            let sink: MemorySink
            let head: InstanceHead
            let bytes = Mutex<[UInt8]>([])
            init(sink: MemorySink, head: InstanceHead) {
                self.sink = sink
                self.head = head
            }
            func append(_ bytes: UnsafeRawBufferPointer) throws {
                let count = self.bytes.withLock { all in
                    all.append(contentsOf: bytes)
                    return all.count
                }
                if count > sink.bytesMax { throw Full() }
            }
            func finish() async -> DIMSEStatus {
                let bytes = bytes.withLock { $0 }
                sink.state.withLock { $0.stored[head.sopInstanceUID] = bytes }
                return sink.status
            }
            func abort() { sink.state.withLock { $0.aborted += 1 } }
        }
    }

    /// What the peer stores: by the command's UID, and as the data set says.
    private struct Object: Sendable {
        var uid: String
        var bytes: [UInt8]
    }

    private static func object(
        _ uid: String, named: String? = nil, study: String = "1.2", series: String = "1.2.1", pixels: Int = 10
    ) throws -> Object {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: uid)
        set.set(.studyInstanceUID, string: study)
        set.set(.seriesInstanceUID, string: series)
        // In front of the series, so that it is looked for further on; and behind it.
        set.set(.patientComments, string: String(repeating: "x", count: min(pixels, 60_000)))
        set[.pixelData] = DataElement(.pixelData, .OW, bytes: [UInt8](repeating: 7, count: pixels))
        return Object(
            uid: named ?? uid, bytes: try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set))
    }

    private static func identifier(series: String? = nil, instances: [String] = []) -> DataSet {
        var set = DataSet()
        set.set(.queryRetrieveLevel, string: instances.isEmpty ? series == nil ? "STUDY" : "SERIES" : "IMAGE")
        set.set(.studyInstanceUID, string: "1.2")
        if let series { set.set(.seriesInstanceUID, string: series) }
        if !instances.isEmpty { set.set(.sopInstanceUID, strings: instances) }
        return set
    }

    /// One C-GET at a peer that stores these objects; the statuses that it was answered.
    private func get(
        _ objects: [Object], _ identifier: DataSet = identifier(), into sink: MemorySink,
        limits: GetSCU.Limits = GetSCU.Limits()
    ) async throws -> (statuses: [DIMSEStatus], counts: InstanceReceiver.Counts, outcome: RetrieveOutcome?) {
        let statuses = Mutex<[DIMSEStatus]>([])
        let result = Mutex<(InstanceReceiver.Counts, RetrieveOutcome?)>((InstanceReceiver.Counts(), nil))
        try await RawAcceptor.run { reader, writer in
            let request = try await reader.accept(writer)
            guard let storage = request.presentationContexts.last?.id,
                let (context, get) = try await reader.command(writer)
            else { return }
            for (number, object) in objects.enumerated() {
                var command = CommandSet.cStoreRequest(
                    messageID: UInt16(number + 100), sopClassUID: UID.ctImageStorage, sopInstanceUID: object.uid)
                // As it is, also where it is no UID.
                command.set(.affectedSOPInstanceUID, text: object.uid)
                try await writer.write(data(command, context: storage))
                var rest = object.bytes[...]
                repeat {
                    let part = rest.prefix(1_000)
                    rest = rest.dropFirst(1_000)
                    try await writer.write(data(part, context: storage, isCommand: false, isLast: rest.isEmpty))
                } while !rest.isEmpty
                guard let answer = try await reader.command(writer)?.command else { return }
                if let status = answer.uint16(.status) {
                    statuses.withLock { $0.append(DIMSEStatus(rawValue: status)) }
                }
                try await writer.write(data(response(to: get, .pending), context: context))
            }
            try await writer.write(data(response(to: get, .success), context: context))
            while try await reader.command(writer) != nil {}
        } _: { port in
            let classes = [UID.ctImageStorage]
            let receiver = try InstanceReceiver(identifier, storageClasses: classes, limits: limits, into: sink)
            let pool = OutgoingAssociations()
            let outcome = try? await pool.with(
                RawAcceptor.destination(port),
                contexts: GetSCU.contexts(of: [(UID.ctImageStorage, [TransferSyntax.explicitVRLittleEndian.uid])]),
                terms: GetSCU.terms(receiver, of: classes)
            ) { try await GetSCU($0.association, receiver).get() }
            #expect(pool.counts.used == 0)
            #expect(pool.counts.idle == 0)
            result.withLock { $0 = (receiver.counts, outcome) }
        }
        let (counts, outcome) = result.withLock { $0 }
        return (statuses.withLock { $0 }, counts, outcome)
    }

    @Test("C-GET takes what was asked for, as it comes, of any length", arguments: [0, 5_000, 300_000])
    func takes(pixels: Int) async throws {
        let sink = MemorySink()
        let objects = try (1...3).map { try Self.object("1.2.1.\($0)", pixels: pixels) }
        let got = try await get(objects, into: sink)
        #expect(got.statuses == [.success, .success, .success])
        #expect(got.outcome?.status == .success)
        #expect(got.counts.taken == 3)
        #expect(got.counts.bytes == objects.reduce(0) { $0 + Int64($1.bytes.count) })
        sink.state.withLock { state in
            #expect(state.stored == Dictionary(uniqueKeysWithValues: objects.map { ($0.uid, $0.bytes) }))
            #expect(state.aborted == 0)
        }
    }

    @Test("What was not asked for is refused: another study, series or instance, the same twice, a name that is no UID")
    func unasked() async throws {
        let sink = MemorySink()
        let good = try Self.object("1.2.1.1")
        let objects = [
            try Self.object("1.2.1.9", study: "1.3"), try Self.object("1.2.1.8", series: "1.2.2"), good, good,
            try Self.object("1.2.1.5", named: "1.2.1.6"), try Self.object("1.2.1.7", named: "../../etc/passwd"),
            Object(uid: "1.2.1.4", bytes: [8, 0, 0x18, 0, 0x55, 0x49, 0x20, 0, 0x31, 0x2E, 0x32, 0x2E]),
            Object(uid: "1.2.1.3", bytes: []),
        ]
        let got = try await get(objects, Self.identifier(series: "1.2.1"), into: sink)
        #expect(
            got.statuses == [
                .notAuthorized, .notAuthorized, .success, .notAuthorized, .notAuthorized, .invalidSOPInstance,
                .cannotUnderstand, .notAuthorized,
            ])
        #expect(got.counts.taken == 1)
        #expect(sink.state.withLock { Array($0.stored.keys) } == ["1.2.1.1"])
        let named = try await get(
            [good, try Self.object("1.2.1.2")], Self.identifier(instances: ["1.2.1.2"]), into: sink)
        #expect(named.statuses == [.notAuthorized, .success])
        // One that goes on with it is left.
        var limits = GetSCU.Limits()
        limits.unasked = 2
        let many = try (1...5).map { try Self.object("1.2.1.\($0)", study: "1.3") }
        let left = try await get(many, into: sink, limits: limits)
        #expect(left.outcome == nil)
        #expect(left.counts.unasked == 3)
    }

    @Test("No more instances or bytes than may come; a sink without space is A700 and the rest goes on")
    func limits() async throws {
        var limits = GetSCU.Limits()
        limits.instances = 1
        let objects = try [Self.object("1.2.1.1", pixels: 100), Self.object("1.2.1.2", pixels: 20_000)]
        let few = try await get(objects, into: MemorySink(), limits: limits)
        #expect(few.statuses == [.success, .notAuthorized])
        limits = GetSCU.Limits()
        limits.bytes = 10_000
        let little = try await get(objects, into: MemorySink(), limits: limits)
        #expect(little.statuses == [.success, .outOfResources])
        let sink = MemorySink(bytesMax: 5_000)
        let full = try await get(objects.reversed(), into: sink)
        #expect(full.statuses == [.outOfResources, .success])
        #expect(sink.state.withLock { $0.aborted } == 1)
        let failing = try await get(objects, into: MemorySink(status: .processingFailure))
        #expect(failing.statuses == [.processingFailure, .processingFailure])
        #expect(failing.counts.failed == 2)
        #expect(throws: InstanceReceiver.NoStudy.self) {
            try InstanceReceiver(DataSet(), storageClasses: [], into: sink)
        }
    }

    @Test(
        "A front of a megabyte that comes in pieces of four bytes is looked through in no time",
        .timeLimit(.minutes(10)))
    func smallPieces() throws {
        var set = DataSet()
        set.set(Tag(0x0009, 0x0010), .LO, bytes: Array("TEST".utf8))
        set.set(Tag(0x0009, 0x1010), .UN, bytes: [UInt8](repeating: 7, count: 1_000_000))
        for (tag, uid) in [
            (Tag.sopClassUID, UID.ctImageStorage), (.sopInstanceUID, "1.2.1.1"), (.studyInstanceUID, "1.2"),
            (.seriesInstanceUID, "1.2.1"),
        ] { set.set(tag, string: uid) }
        set[.pixelData] = DataElement(.pixelData, .OW, bytes: [UInt8](repeating: 7, count: 100_000))
        let syntax = TransferSyntax.explicitVRLittleEndian
        let bytes = try DataSetEncoder(transferSyntax: syntax).encode(set)
        let sink = MemorySink()
        let receiver = try InstanceReceiver(Self.identifier(), storageClasses: [UID.ctImageStorage], into: sink)
        let operation = receiver.begin(
            DIMSERequest(
                message: try DIMSEMessage(
                    contextID: 1,
                    command: .cStoreRequest(
                        messageID: 1, sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.1.1")),
                context: PresentationContext(
                    id: 1, abstractSyntax: UID.ctImageStorage, transferSyntax: syntax.uid),
                association: AssociationInfo(
                    id: "1", calledAETitle: title("PACS"), callingAETitle: title("HILUM"),
                    access: AccessContext(
                        principal: Principal(kind: .applicationEntity, id: "PACS"), scopes: [], requestID: "1",
                        sourceAddress: nil))))
        for start in stride(from: 0, to: bytes.count, by: 4) {
            bytes[start..<min(start + 4, bytes.count)].withUnsafeBytes { operation.receive($0) }
        }
        #expect(receiver.counts.bytes == Int64(bytes.count))
        operation.abandon()
        // It was asked for, so that it was on its way into the sink.
        #expect(sink.state.withLock { $0.aborted } == 1)
    }

    @Test("Instances that fail count among those that may come")
    func failing() async throws {
        var limits = GetSCU.Limits()
        limits.instances = 2
        let objects = try (1...3).map { try Self.object("1.2.1.\($0)") }
        let got = try await get(objects, into: MemorySink(status: .processingFailure), limits: limits)
        #expect(got.statuses == [.processingFailure, .processingFailure, .notAuthorized])
    }

    @Test("C-MOVE tells how far it is and how it ended, with what failed as far as that is UIDs")
    func move() async throws {
        let seen = Mutex<[RetrieveProgress]>([])
        try await RawAcceptor.run { reader, writer in
            _ = try await reader.accept(writer)
            guard let (context, command) = try await reader.command(writer) else { return }
            #expect(command.text(.moveDestination) == "DEST")
            for done in 1...2 {
                var pending = response(to: command, .pending)
                pending.set(.numberOfRemainingSuboperations, uint16: UInt16(2 - done))
                pending.set(.numberOfCompletedSuboperations, uint16: UInt16(done))
                try await writer.write(data(pending, context: context))
            }
            var last = response(to: command, .subOperationsWarning, hasDataSet: true)
            last.set(.numberOfCompletedSuboperations, uint16: 1)
            last.set(.numberOfFailedSuboperations, uint16: 1)
            last.set(.errorComment, text: "one is gone")
            var list = DataSet()
            list.set(.failedSOPInstanceUIDList, strings: ["1.2.3", "../x"])
            try await writer.write(data(last, context: context))
            try await writer.write(
                data(
                    try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(list), context: context,
                    isCommand: false))
            while try await reader.command(writer) != nil {}
        } _: { port in
            let pool = OutgoingAssociations()
            let outcome = try await pool.with(RawAcceptor.destination(port), contexts: MoveSCU.contexts()) { lease in
                try await MoveSCU(lease.association).move(Self.identifier(), to: title("DEST")) { progress in
                    seen.withLock { $0.append(progress) }
                }
            }
            #expect(outcome.status == .subOperationsWarning)
            #expect(outcome.comment == "one is gone")
            #expect(outcome.failed == ["1.2.3"])
            #expect(outcome.progress.remaining == nil)
            #expect(outcome.progress.failed == 1)
            await pool.close()
        }
        #expect(seen.withLock { $0.map(\.remaining) } == [1, 0])
    }
}
