import DICOMNetwork
import NIOCore
import TestSupport
import Testing

/// PS3.7 §6.3, §9.3, Annexes C and E.
@Suite struct CommandSetTests {
    private func decoded(_ bytes: [UInt8]) throws -> CommandSet { try CommandSet(decoding: ByteBuffer(bytes: bytes)) }

    @Test("PS3.7 §6.3.1: truncated, foreign, repeated and descending elements are refused at their offset")
    func malformed() {
        let status: [UInt8] = [0, 0, 0, 9, 2, 0, 0, 0, 0, 0]
        #expect(throws: Never.self) { _ = try decoded(status) }
        for length in 1..<status.count {
            #expect(throws: DIMSEError.commandInvalid(offset: 0)) { _ = try decoded(Array(status.prefix(length))) }
        }
        #expect(throws: DIMSEError.commandInvalid(offset: 10)) { _ = try decoded(status + status) }
        #expect(throws: DIMSEError.commandInvalid(offset: 10)) { _ = try decoded(status + [0, 0, 0, 1, 0, 0, 0, 0]) }
        #expect(throws: DIMSEError.commandInvalid(offset: 0)) { _ = try decoded([8, 0, 0, 9, 2, 0, 0, 0, 0, 0]) }
        #expect(throws: DIMSEError.commandInvalid(offset: 0)) {
            _ = try decoded([0, 0, 0, 9, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0])
        }
    }

    @Test("PS3.7 §E.1: encoding writes the right group length, ascending, and reads back")
    func identity() throws {
        var command = CommandSet.cStoreRequest(messageID: 7, sopClassUID: "1.2.3", sopInstanceUID: "1.2.3.4")
        command.set(.moveOriginatorAETitle, text: "ABC")
        let bytes = Array(command.encoded().readableBytesView)
        #expect(Array(bytes.prefix(8)) == [0, 0, 0, 0, 4, 0, 0, 0])
        #expect(Int(bytes[8]) + Int(bytes[9]) << 8 == bytes.count - 12)
        #expect(try decoded(bytes) == command)
        #expect(command.uid(.affectedSOPClassUID) == "1.2.3")
        #expect(command.text(.moveOriginatorAETitle) == "ABC")
        #expect(command[.moveOriginatorAETitle]?.count == 4)
    }

    @Test("Typed access: a value of the wrong size or with other characters is none")
    func typedAccess() {
        var command = CommandSet()
        command[.status] = [1]
        #expect(command.uint16(.status) == nil)
        command[.status] = [1, 2, 3, 4]
        #expect(command.uint16(.status) == nil)
        for bad in ["", "../../etc", "1.2 3", String(repeating: "1", count: 65)] {
            command[.affectedSOPInstanceUID] = Array(bad.utf8)
            #expect(command.uid(.affectedSOPInstanceUID) == nil)
        }
        command[.affectedSOPInstanceUID] = Array(String(repeating: "1", count: 64).utf8)
        #expect(command.uid(.affectedSOPInstanceUID) != nil)
        command[.affectedSOPInstanceUID] = nil
        #expect(command[.affectedSOPInstanceUID] == nil)
    }

    @Test("PS3.7 §9.3: each kind of message is refused without the elements it must have")
    func requiredElements() throws {
        let store = CommandSet.cStoreRequest(messageID: 1, sopClassUID: "1.2", sopInstanceUID: "1.2.3")
        for element: CommandSet.Element in [.commandField, .messageID, .commandDataSetType] {
            var command = store
            command[element] = nil
            #expect(throws: DIMSEError.elementMissing(element)) { _ = try DIMSEMessage(contextID: 1, command: command) }
        }
        let request = try DIMSEMessage(contextID: 1, command: store)
        var response = CommandSet.response(to: request, status: .outOfResources)
        #expect(try DIMSEMessage(contextID: 1, command: response).status == .outOfResources)
        response[.status] = nil
        #expect(throws: DIMSEError.elementMissing(.status)) { _ = try DIMSEMessage(contextID: 1, command: response) }
        let cancel = try DIMSEMessage(contextID: 1, command: .cCancelRequest(messageIDBeingRespondedTo: 9))
        #expect(cancel.messageID == 9)
        #expect(!cancel.hasDataSet)
        #expect(cancel.field == .cCancelRequest)
    }

    @Test("PS3.7 §C.5.22: an unknown command field is a message, and its response field is that with bit 15 set")
    func unknownField() throws {
        var command = CommandSet.cEchoRequest(messageID: 3)
        command.set(.commandField, uint16: 0x0777)
        let message = try DIMSEMessage(contextID: 1, command: command)
        #expect(message.field == nil)
        let response = CommandSet.response(to: message, status: .unrecognizedOperation)
        #expect(response.uint16(.commandField) == 0x8777)
        #expect(response.uint16(.status) == 0x0211)
        #expect(response.uint16(.messageIDBeingRespondedTo) == 3)
    }

    @Test("PS3.7 §C.1: the class of a status")
    func statusKinds() {
        #expect(DIMSEStatus.success.kind == .success)
        #expect(DIMSEStatus.pending.kind == .pending)
        #expect(DIMSEStatus.pendingKeysUnsupported.kind == .pending)
        #expect(DIMSEStatus.cancelled.kind == .cancel)
        #expect(DIMSEStatus.coercionOfDataElements.kind == .warning)
        #expect(DIMSEStatus.attributeListError.kind == .warning)
        #expect(DIMSEStatus.outOfResources.kind == .failure)
        #expect(DIMSEStatus.cannotUnderstand.kind == .failure)
        #expect(DIMSEStatus(rawValue: 0x0042).kind == .failure)
        #expect(!DIMSEStatus.pending.isFinal)
        #expect(DIMSEStatus.cancelled.isFinal)
        #expect(DIMSEStatus.sopClassNotSupported.description == "0122")
    }
}

/// PS3.7 §6.3, PS3.8 Annex E.
@Suite struct MessageAssemblerTests {
    private let store = CommandSet.cStoreRequest(messageID: 1, sopClassUID: "1.2", sopInstanceUID: "1.2.3")
    private var storeBytes: [UInt8] { Array(store.encoded().readableBytesView) }
    private var echoBytes: [UInt8] { Array(CommandSet.cEchoRequest(messageID: 2).encoded().readableBytesView) }

    private func begun(limits: NetworkLimits = NetworkLimits()) throws -> MessageAssembler {
        var assembler = MessageAssembler(contextIDs: [1, 3], limits: limits)
        _ = try assembler.consume(Samples.value(storeBytes, isCommand: true))
        return assembler
    }

    @Test("PS3.8 §9.3.5.1: a PDV of a context that was not accepted ends the association with 2/6")
    func unknownContext() {
        var assembler = MessageAssembler(contextIDs: [1])
        #expect(throws: DIMSEError.contextUnknown(3)) {
            _ = try assembler.consume(Samples.value([], context: 3, isCommand: true))
        }
        #expect(throws: DIMSEError.contextUnknown(0)) { _ = try assembler.consume(Samples.value([], context: 0)) }
        #expect(DIMSEError.contextUnknown(3).abort == .invalidPDUParameterValue)
    }

    @Test("PS3.7 §6.3: interleaved contexts, data before a command and a command before its data ended are refused")
    func order() throws {
        var assembler = MessageAssembler(contextIDs: [1, 3])
        #expect(throws: DIMSEError.fragmentUnexpected(isCommand: false)) {
            _ = try assembler.consume(Samples.value([1, 2]))
        }
        _ = try assembler.consume(Samples.value(Array(storeBytes.prefix(20)), isCommand: true, isLast: false))
        #expect(throws: DIMSEError.interleaved(expected: 1, received: 3)) {
            _ = try assembler.consume(Samples.value(echoBytes, context: 3, isCommand: true))
        }
        #expect(throws: DIMSEError.fragmentUnexpected(isCommand: false)) {
            _ = try assembler.consume(Samples.value([1, 2]))
        }
        assembler = try begun()
        #expect(throws: DIMSEError.fragmentUnexpected(isCommand: true)) {
            _ = try assembler.consume(Samples.value(echoBytes, isCommand: true))
        }
        #expect(throws: DIMSEError.interleaved(expected: 1, received: 3)) {
            _ = try assembler.consume(Samples.value([1], context: 3))
        }
    }

    @Test("A command of 64 KiB is read, one byte more is refused, in one fragment and in many")
    func commandLimit() throws {
        var command = store
        let fixed = command.encoded().readableBytes
        command[.attributeIdentifierList] = [UInt8](repeating: 0, count: 65536 - fixed - 8)
        var bytes = Array(command.encoded().readableBytesView)
        #expect(bytes.count == 65536)
        var assembler = MessageAssembler(contextIDs: [1])
        guard case .command = try assembler.consume(Samples.value(bytes, isCommand: true)) else {
            Issue.record("no command")
            return
        }
        bytes.append(0)
        assembler = MessageAssembler(contextIDs: [1])
        #expect(throws: DIMSEError.commandTooLong(limit: 65536)) {
            _ = try assembler.consume(Samples.value(bytes, isCommand: true))
        }
        assembler = MessageAssembler(contextIDs: [1])
        _ = try assembler.consume(Samples.value(Array(bytes.prefix(60000)), isCommand: true, isLast: false))
        #expect(throws: DIMSEError.commandTooLong(limit: 65536)) {
            _ = try assembler.consume(Samples.value(Array(bytes.dropFirst(60000)), isCommand: true, isLast: false))
        }
    }

    @Test("A data set at its limit is taken, one byte more is refused")
    func dataSetLimit() throws {
        var limits = NetworkLimits()
        limits.dataSetBytesMax = 10
        var assembler = try begun(limits: limits)
        _ = try assembler.consume(Samples.value([UInt8](repeating: 0, count: 6), isLast: false))
        var over = assembler
        let event = try assembler.consume(Samples.value([1, 2, 3, 4]))
        #expect(event == .dataSet(ByteBuffer(bytes: [1, 2, 3, 4]), isLast: true))
        #expect(!assembler.isInMessage)
        #expect(throws: DIMSEError.dataSetTooLong(limit: 10)) {
            _ = try over.consume(Samples.value([1, 2, 3, 4, 5], isLast: false))
        }
    }

    @Test("An endless run of empty fragments ends at the limit; an empty last fragment is legal")
    func emptyFragments() throws {
        var assembler = try begun()
        for _ in 0..<16 { _ = try assembler.consume(Samples.value([], isLast: false)) }
        var legal = assembler
        #expect(try legal.consume(Samples.value([])) == .dataSet(ByteBuffer(), isLast: true))
        #expect(throws: DIMSEError.tooManyEmptyFragments(limit: 16)) {
            _ = try assembler.consume(Samples.value([], isLast: false))
        }
    }

    @Test("Fragmenter to assembler: the message arrives whole for any peer maximum, no PDU longer than it")
    func roundTrip() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("MessageAssemblerTests.roundTrip seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let sendLengthMax = UInt32.random(in: 1024...5000, using: &random)
            let fragmenter = MessageFragmenter(sendLengthMax: sendLengthMax)
            let size =
                [0, 2, fragmenter.fragmentBytesMax, fragmenter.fragmentBytesMax + 2, 20000]
                .randomElement(using: &random) ?? 0
            let content = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            let sent =
                fragmenter.command(store, contextID: 3)
                + fragmenter.dataSet(ByteBuffer(bytes: content), contextID: 3)
            for pdu in sent { #expect(pdu.readableBytes - 6 <= Int(sendLengthMax)) }
            var assembler = MessageAssembler(contextIDs: [3])
            var received: [UInt8] = []
            var commands = 0
            var ends = 0
            for pdu in decode(sent.flatMap { Array($0.readableBytesView) }).pdus {
                guard case .data(let values) = pdu else { continue }
                for value in values {
                    switch try assembler.consume(value) {
                    case .incomplete: break
                    case .command(let message):
                        commands += 1
                        #expect(message.command == store)
                        #expect(message.contextID == 3)
                    case .dataSet(let fragment, let isLast):
                        received += Array(fragment.readableBytesView)
                        ends += isLast ? 1 : 0
                    }
                }
            }
            #expect(received == content, "seed \(seed)")
            #expect(commands == 1, "seed \(seed)")
            #expect(ends == 1, "seed \(seed)")
            #expect(!assembler.isInMessage, "seed \(seed)")
        }
    }

    @Test("PS3.8 §E: a part of a data set fills its PDUs, and only the last byte of the last part ends it")
    func streaming() {
        let fragmenter = MessageFragmenter(sendLengthMax: 1025)
        #expect(fragmenter.fragmentBytesMax == 1018)
        var rest = ByteBuffer(repeating: 1, count: 1020)
        let full = fragmenter.dataSetPDU(of: &rest, contextID: 1, endsHere: true)
        #expect(full.readableBytes == 1030)
        #expect(Array(full.readableBytesView.prefix(12)) == [4, 0, 0, 0, 4, 0, 0, 0, 3, 0xFC, 1, 0])
        var copy = rest
        let more = fragmenter.dataSetPDU(of: &copy, contextID: 1, endsHere: false)
        #expect(Array(more.readableBytesView) == [4, 0, 0, 0, 0, 8, 0, 0, 0, 4, 1, 0, 1, 1])
        let last = fragmenter.dataSetPDU(of: &rest, contextID: 1, endsHere: true)
        #expect(Array(last.readableBytesView) == [4, 0, 0, 0, 0, 8, 0, 0, 0, 4, 1, 2, 1, 1])
        #expect(Array(fragmenter.dataSetPDU(of: &rest, contextID: 1, endsHere: true).readableBytesView).last == 2)
    }

    @Test("Mutated PDVs never trap the assembler")
    func fuzz() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("MessageAssemblerTests.fuzz seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<3000 {
            var assembler = MessageAssembler(contextIDs: [1, 3])
            for _ in 0..<6 {
                var bytes = Bool.random(using: &random) ? storeBytes : echoBytes
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                let value = Samples.value(
                    bytes, context: [1, 1, 1, 3].randomElement(using: &random) ?? 1,
                    isCommand: Bool.random(using: &random), isLast: Bool.random(using: &random))
                guard let event = try? assembler.consume(value) else { break }
                if case .command(let message) = event { #expect(assembler.isInMessage == message.hasDataSet) }
            }
        }
    }
}
