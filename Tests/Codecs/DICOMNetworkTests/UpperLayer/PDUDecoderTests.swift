import DICOMNetwork
import NIOCore
import TestSupport
import Testing

/// PS3.8 §9.3, PS3.7 Annex D.
@Suite struct PDUDecoderTests {
    private func bytes(_ pdu: PDU) -> [UInt8] { Array(pdu.encoded().readableBytesView) }

    // MARK: hostile input

    @Test("PS3.8 §9.3.1: an unknown PDU type is A-ABORT 2/1, and the rest of the stream is ignored")
    func unknownType() throws {
        let result = decode(Array("GET / HTTP/1.1\r\n\r\n".utf8) + bytes(.releaseRequest))
        #expect(result.pdus.isEmpty)
        #expect(result.error == .unrecognizedType(0x47))
        #expect(result.error?.abort == .unrecognizedPDU)
        var decoder = PDUDecoder()
        var buffer = ByteBuffer(bytes: [0, 0, 0, 0, 0, 0])
        #expect(throws: PDUError.unrecognizedType(0)) { try decoder.next(from: &buffer) }
        buffer = PDU.releaseRequest.encoded()
        let after = try decoder.next(from: &buffer)
        #expect(after == nil)
        #expect(buffer.readableBytes == 0)
    }

    @Test("PS3.8 §9.3.5: a P-DATA-TF of 1 MiB is read, one byte more is refused from its header alone")
    func dataLengthLimit() {
        let max = NetworkLimits().dataPDULengthMax
        let fragment = [UInt8](repeating: 7, count: Int(max) - 6)
        let whole = bytes(.data([Samples.value(fragment)]))
        #expect(decode(whole).pdus.count == 1)
        let result = decode([4, 0] + withUnsafeBytes(of: (max + 1).bigEndian, Array.init))
        #expect(result.error == .lengthOverLimit(type: 4, length: max + 1, limit: max))
        #expect(result.error?.abort == .invalidPDUParameterValue)
        #expect(decode([4, 0, 0xFF, 0xFF, 0xFF, 0xFF]).error != nil)
    }

    @Test("An A-ASSOCIATE PDU of 384 KiB is read, one byte more is refused from its header alone", arguments: [1, 2])
    func associateLengthLimit(type: UInt8) {
        let fixed = [UInt8](repeating: 0x20, count: 68)
        // Six unknown items fill the PDU: 68 + 6 × 4 + 5 × 65,520 + 65,524 = 393,216.
        let filler = [65520, 65520, 65520, 65520, 65520, 65524].flatMap { length -> [UInt8] in
            [0x7F, 0, UInt8(length >> 8), UInt8(length & 0xFF)] + [UInt8](repeating: 0, count: length)
        }
        #expect(decode([type, 0, 0, 6, 0, 0] + fixed + filler).pdus.count == 1)
        #expect(
            decode([type, 0, 0, 6, 0, 1]).error == .lengthOverLimit(type: type, length: 393_217, limit: 393_216))
    }

    @Test("PS3.8 §9.3.4, §9.3.6 to §9.3.8: fixed PDUs are 4 bytes long, no less and no more", arguments: [3, 5, 6, 7])
    func fixedLength(type: UInt8) {
        #expect(decode([type, 0, 0, 0, 0, 4, 0, 0, 0, 0]).pdus.count == 1)
        for wrong: UInt8 in [0, 3, 5] {
            #expect(decode([type, 0, 0, 0, 0, wrong]).error == .lengthInvalid(type: type, length: UInt32(wrong)))
        }
    }

    @Test("PS3.8 §9.3.5.1: a PDV shorter than its header, beyond its PDU, or absent is refused")
    func valueLengthLies() {
        #expect(decode([4, 0, 0, 0, 0, 6, 0, 0, 0, 1, 1, 3]).error == .valueLengthTooSmall(offset: 6))
        #expect(decode([4, 0, 0, 0, 0, 6, 0, 0, 0, 0, 1, 3]).error == .valueLengthTooSmall(offset: 6))
        #expect(decode([4, 0, 0, 0, 0, 6, 0, 0, 0, 3, 1, 3]).error == .itemOverrun(offset: 6))
        #expect(decode([4, 0, 0, 0, 0, 6, 0xFF, 0xFF, 0xFF, 0xFF, 1, 3]).error == .itemOverrun(offset: 6))
        #expect(decode([4, 0, 0, 0, 0, 3, 0, 0, 0]).error == .itemOverrun(offset: 6))
        #expect(decode([4, 0, 0, 0, 0, 9, 0, 0, 0, 2, 1, 3, 0, 0, 0]).error == .itemOverrun(offset: 12))
        #expect(decode([4, 0, 0, 0, 0, 0]).error == .valueCount(0))
    }

    @Test("PS3.8 §E.2: a PDV of length 2 has an empty fragment and is legal")
    func emptyFragment() {
        let result = decode([4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 2])
        #expect(result.pdus == [.data([Samples.value([])])])
    }

    @Test("A P-DATA-TF holds at most 1024 PDVs")
    func valueCountLimit() {
        let values = [PresentationDataValue](repeating: Samples.value([]), count: 1025)
        #expect(decode(bytes(.data(Array(values.prefix(1024))))).pdus.count == 1)
        #expect(decode(bytes(.data(values))).error == .valueCount(1025))
    }

    @Test("PS3.8 §9.3.2.2: 128 presentation contexts are read, 129 are refused")
    func contextCount() {
        let contexts = (0..<128).map {
            ProposedPresentationContext(
                id: UInt8($0 * 2 + 1), abstractSyntax: "1.2.\($0)", transferSyntaxes: [Samples.implicit])
        }
        let full = Samples.request(contexts: contexts)
        #expect(decode(bytes(.associateRequest(full))).pdus == [.associateRequest(full)])
        let over = Samples.request(contexts: contexts + [contexts[0]])
        #expect(decode(bytes(.associateRequest(over))).error == .tooManyContexts(limit: 128))
    }

    @Test("PS3.8 §9.3.2.2: context identifiers are odd and unique", arguments: [0, 2, 254, 1])
    func contextIDs(id: UInt8) {
        let one = ProposedPresentationContext(id: 1, abstractSyntax: "1.2", transferSyntaxes: ["1.3"])
        let other = ProposedPresentationContext(id: id, abstractSyntax: "1.2", transferSyntaxes: ["1.3"])
        let result = decode(bytes(.associateRequest(Samples.request(contexts: [one, other]))))
        guard case .contextIDInvalid(id, _) = result.error else {
            Issue.record("\(String(describing: result))")
            return
        }
    }

    @Test("An A-ASSOCIATE-RQ cut short at any byte, its length told true, gives an error or a request, never a trap")
    func associateTruncated() {
        let whole = bytes(.associateRequest(Samples.fullRequest))
        for length in 0..<(whole.count - 6) {
            var cut = Array(whole.prefix(6 + length))
            cut.replaceSubrange(2..<6, with: withUnsafeBytes(of: UInt32(length).bigEndian, Array.init))
            let result = decode(cut)
            #expect((result.pdus.count == 1) != (result.error != nil))
            if length < 68 { #expect(result.error == .lengthInvalid(type: 1, length: UInt32(length))) }
        }
    }

    @Test("PS3.8 §9.3.2: repeated application context, user information or abstract syntax is A-ABORT 2/5")
    func repeatedItems() {
        let whole = bytes(.associateRequest(Samples.request()))
        let context: [UInt8] = [0x10, 0, 0, 1, 0x31]
        let information: [UInt8] = [0x50, 0, 0, 0]
        for item in [context, information] {
            var more = whole + item
            more.replaceSubrange(2..<6, with: withUnsafeBytes(of: UInt32(more.count - 6).bigEndian, Array.init))
            #expect(decode(more).error?.abort == .unexpectedPDUParameter)
        }
        let none = ProposedPresentationContext(id: 1, abstractSyntax: "", transferSyntaxes: [])
        var bare = bytes(.associateRequest(Samples.request(contexts: [none])))
        // Fixed fields end at 74, the application context item is 25 bytes, the context's own header 8: the empty
        // abstract syntax sub-item becomes one of unknown type.
        #expect(bare[107] == 0x30)
        bare[107] = 0x3F
        #expect(decode(bare).error?.abort == .unexpectedPDUParameter)
    }

    // MARK: what is tolerated

    @Test("PS3.7 §D.3.3: unknown items and sub-items are passed over")
    func unknownItems() {
        var whole = bytes(.associateRequest(Samples.request()))
        whole += [0x60, 0, 0, 2, 1, 2]
        whole.replaceSubrange(2..<6, with: withUnsafeBytes(of: UInt32(whole.count - 6).bigEndian, Array.init))
        #expect(decode(whole).pdus == [.associateRequest(Samples.request())])
        // A user information item of unknown sub-items alone.
        let fixed = Array(bytes(.associateRequest(Samples.request(contexts: []))).prefix(74))
        var bare = fixed + [0x50, 0, 0, 10, 0x5A, 0, 0, 2, 9, 9, 0xEE, 0, 0, 0]
        bare.replaceSubrange(2..<6, with: withUnsafeBytes(of: UInt32(bare.count - 6).bigEndian, Array.init))
        guard case .associateRequest(let request) = decode(bare).pdus.first else {
            Issue.record("no request")
            return
        }
        #expect(request.userInformation == UserInformation(maximumLength: nil, implementationClassUID: ""))
        #expect(request.applicationContextName == "")
    }

    @Test("UIDs padded with NUL and AE titles padded with NUL or led by spaces read without the padding")
    func padding() {
        let context = ProposedPresentationContext(
            id: 1, abstractSyntax: "1.2.840.10008.1.1\0", transferSyntaxes: ["1.2.840.10008.1.2 "])
        var whole = bytes(.associateRequest(Samples.request(contexts: [context])))
        whole.replaceSubrange(10..<26, with: Array("  HILUM".utf8) + [UInt8](repeating: 0, count: 9))
        guard case .associateRequest(let request) = decode(whole).pdus.first else {
            Issue.record("no request")
            return
        }
        #expect(request.calledAETitle.value == "HILUM")
        #expect(request.presentationContexts.first?.abstractSyntax == Samples.verification)
        #expect(request.presentationContexts.first?.transferSyntaxes == [Samples.implicit])
    }

    // MARK: properties

    @Test("decode ∘ encode is the identity", arguments: Samples.pdus.indices)
    func identity(index: Int) {
        let pdu = Samples.pdus[index]
        let result = decode(bytes(pdu))
        #expect(result.pdus == [pdu])
        #expect(result.error == nil)
    }

    @Test("PS3.8 §9.3: any split of the stream gives the same PDUs")
    func anySplit() {
        let stream = Samples.pdus.flatMap(bytes)
        #expect(decode(stream.indices.map { stream[$0...$0] }).pdus == Samples.pdus)
        for cut in stream.indices { #expect(decode([stream[..<cut], stream[cut...]]).pdus == Samples.pdus) }
    }

    @Test("Random and mutated bytes never trap, and any split of them gives the same result")
    func fuzz() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("PDUDecoderTests.fuzz seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<3000 {
            var stream = bytes(Samples.pdus.randomElement(using: &random) ?? .releaseRequest)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let byte = UInt8.random(in: 0...255, using: &random)
                let position = Int.random(in: stream.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: stream[position] = byte
                case 1: stream.insert(byte, at: position)
                default: if stream.count > 1 { stream.remove(at: position) }
                }
            }
            let whole = decode(stream)
            let cut = Int.random(in: 0...stream.count, using: &random)
            let split = decode([stream[..<cut], stream[cut...]])
            #expect(whole.pdus == split.pdus, "seed \(seed)")
            #expect(whole.error == split.error, "seed \(seed)")
            // What was understood is written and read back as the same value.
            for pdu in whole.pdus where bytes(pdu).count <= 65542 {
                #expect(decode(bytes(pdu)).pdus.count == 1, "seed \(seed)")
            }
        }
    }
}
