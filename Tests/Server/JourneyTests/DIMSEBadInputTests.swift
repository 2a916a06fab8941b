import DICOMNetwork
import NIOCore
import Testing

extension JourneyTests {
    /// PS3.8 §9 and PS3.7 over a socket.
    @Suite(.server, .serialized) struct DIMSEBadInputTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        /// What the server answers to bytes on a new connection, until it closes or says the last word.
        private func answers(to bytes: ByteBuffer, associates: Bool) async throws -> PDU? {
            try await DIMSEPeer.connect(context.server) { peer in
                if associates { try await peer.associate() }
                try await peer.wire.send(bytes)
                return try await peer.next()
            }
        }

        @Test("PS3.8 §9.3: lengths that lie, unknown types and data before an association are an A-ABORT")
        func beforeAssociation() async throws {
            let request = try Array(DIMSEPeer.associateRequest().readableBytesView)
            var tooLong = request
            tooLong.replaceSubrange(2..<6, with: [0xFF, 0xFF, 0xFF, 0xFF])
            var itemLies = request
            // The length of the application context item behind the 74 fixed bytes.
            itemLies.replaceSubrange(76..<78, with: [0xFF, 0xFF])
            for bytes in [
                tooLong, itemLies, [9, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 3], [1, 0, 0, 0, 0, 0],
                Array("GET / HTTP/1.1\r\n\r\n".utf8),
            ] {
                guard case .abort = try await answers(to: ByteBuffer(bytes: bytes), associates: false) else {
                    Issue.record("no A-ABORT to \(bytes.prefix(12))")
                    continue
                }
            }
            #expect(try await DIMSEPeer.isEchoed(context.server))
        }

        @Test("PS3.8 Table 9-21: an unknown called title is 1/1/7, an unknown calling title 1/1/3")
        func titles() async throws {
            #expect(
                try await answers(to: DIMSEPeer.associateRequest(called: "OTHER"), associates: false)
                    == .associateReject(.calledAETitleNotRecognized))
            #expect(
                try await answers(to: DIMSEPeer.associateRequest(calling: "STRANGER"), associates: false)
                    == .associateReject(.callingAETitleNotRecognized))
            #expect(try await DIMSEPeer.isEchoed(context.server))
        }

        @Test("PS3.8 §9.3.2.2: 128 presentation contexts are taken, 129 are not")
        func contexts() async throws {
            let all = (0..<128).map { (UInt8($0 * 2 + 1), DIMSEPeer.verification, DIMSEPeer.implicit) }
            let taken = try await answers(to: DIMSEPeer.associateRequest(contexts: all), associates: false)
            guard case .associateAccept(let accept) = taken else {
                Issue.record("128 contexts: \(String(describing: taken))")
                return
            }
            #expect(accept.presentationContexts.count == 128)
            let past = try await answers(to: DIMSEPeer.associateRequest(contexts: all + [all[0]]), associates: false)
            guard case .abort = past else {
                Issue.record("129 contexts: \(String(describing: past))")
                return
            }
        }

        @Test("PS3.8 §9.2.3: within an association each fault is an A-ABORT that names it")
        func withinAssociation() async throws {
            let cases: [(ByteBuffer, Abort)] = [
                (ByteBuffer(bytes: [9, 0, 0, 0, 0, 0]), .unrecognizedPDU),
                (ByteBuffer(bytes: [4, 0, 0, 0x10, 0, 1]), .invalidPDUParameterValue),
                (ByteBuffer(bytes: [4, 0, 0, 0, 0, 6, 0, 0, 0, 99, 1, 3]), .invalidPDUParameterValue),
                (DIMSEPeer.data(.cEchoRequest(messageID: 1), context: 77), .invalidPDUParameterValue),
                (try DIMSEPeer.associateRequest(), .unexpectedPDU),
            ]
            for (bytes, abort) in cases {
                #expect(try await answers(to: bytes, associates: true) == .abort(abort))
            }
            #expect(try await DIMSEPeer.isEchoed(context.server))
        }

        @Test(
            "An A-ABORT or a lost connection in the middle of a C-STORE leaves nothing to be seen",
            arguments: [true, false])
        func abortInTheMiddle(aborts: Bool) async throws {
            let dataSet = try Samples.dataSet(study: "1.2.20", instance: "1.2.20.1")
            try await DIMSEPeer.connect(context.server) { peer in
                try await peer.associate()
                try await peer.beginStore("1.2.20.1")
                try await peer.wire.send(
                    DIMSEPeer.data(dataSet.prefix(1500), context: 3, isCommand: false, isLast: false))
                guard aborts else { return }
                try await peer.wire.send(PDU.abort(.byUser).encoded())
                // The server closes the connection when it has read the A-ABORT.
                #expect(try await peer.next() == nil)
            }
            #expect(try await context.visible(study: "1.2.20") == 0)
            #expect(try await DIMSEPeer.isEchoed(context.server))
            #expect(try await context.visible(study: "1.2.20") == 0)
        }

        @Test(
            "PS3.4 Table B.2-1: a data set cut short is C000, another UID than the command's A900, and then one is stored"
        )
        func badDataSets() async throws {
            let dataSet = try Samples.dataSet(study: "1.2.21", instance: "1.2.21.1")
            try await DIMSEPeer.connect(context.server) { peer in
                try await peer.associate()
                #expect(try await peer.store("1.2.21.1", Array(dataSet.dropLast(100))) == 0xC000)
                #expect(try await peer.store("1.2.21.1", [1, 2, 3]) == 0xC000)
                #expect(try await peer.store("1.2.21.9", dataSet) == 0xA900)
                #expect(try await peer.echo() == 0)
                try await peer.release()
            }
            #expect(try await context.visible(study: "1.2.21") == 0)
            try await DIMSEPeer.connect(context.server) { peer in
                try await peer.associate()
                #expect(try await peer.store("1.2.21.1", dataSet) == 0)
                #expect(try await peer.store("1.2.21.1", dataSet) == 0)
                #expect(
                    try await peer.store(
                        "1.2.21.1", Samples.dataSet(study: "1.2.21", instance: "1.2.21.1", byte: 9)) == 0x0111)
                try await peer.release()
            }
            #expect(try await context.visible(study: "1.2.21") == 1)
            #expect(try await context.allDoorsServe())
        }
    }
}
