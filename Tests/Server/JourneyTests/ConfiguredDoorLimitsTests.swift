import DICOMNetwork
import NIOCore
import Testing

/// Of an A-ASSOCIATE-RQ with 40 contexts, in bytes after the PDU's own six.
private let requestBytes = 2_340

/// A limit of two at once, by one peer or in all.
private enum TwoAtOnce {
    /// Two associations are accepted and go on, a third is rejected. PS3.8 Table 9-21.
    static func associations(_ server: HilumServer) async throws {
        try await DIMSEPeer.connect(server) { first in
            try await first.associate()
            try await DIMSEPeer.connect(server) { second in
                try await second.associate()
                try await DIMSEPeer.connect(server) { third in
                    try await third.wire.send(DIMSEPeer.associateRequest())
                    #expect(try await third.next() == .associateReject(.localLimitExceeded))
                }
                #expect(try await second.echo() == 0)
                try await second.release()
            }
            #expect(try await first.echo() == 0)
            // The place of the second is free.
            #expect(try await DIMSEPeer.isEchoed(server))
        }
    }

    /// Two MLLP connections are served, a third is closed; then one place is free again.
    static func connections(_ server: HilumServer) async throws {
        try await MLLPPeer.connect(server) { first in
            let begin = try await first.ask(Samples.message("T-1"))
            #expect(begin?.code == "AA")
            try await MLLPPeer.connect(server) { second in
                let beside = try await second.ask(Samples.message("T-2"))
                #expect(beside?.code == "AA")
                try await MLLPPeer.connect(server) { third in
                    // The server may close before the message is sent.
                    try? await third.wire.send(MLLPPeer.frame(Samples.message("T-3")))
                    let none = try await third.next()
                    #expect(none?.code == nil)
                }
            }
            let after = try await first.ask(Samples.message("T-4"))
            #expect(after?.code == "AA")
            // The server learns of the second's close when it gets to it; each attempt waits for the server.
            var answer: MLLPPeer.Answer?
            for _ in 0..<1000 where answer == nil {
                answer = try? await MLLPPeer.send(Samples.message("T-5"), to: server)
            }
            #expect(answer?.code == "AA")
        }
    }
}

extension JourneyTests {
    /// `limits` of `hilum.yaml` at the doors for hospital systems: each is lowered, met, and passed by one.
    @Suite(
        .server(limits: [
            "dimse-associations-per-peer": 2, "dimse-pdu-bytes-offered": 8192, "dimse-pdu-bytes": 20_000,
            "dimse-contexts": 20, "mllp-message-bytes": 2048, "mllp-segments": 6, "mllp-fields": 60,
            "mllp-repetitions": 5, "mllp-connections-per-peer": 2,
        ]), .serialized)
    struct ConfiguredDoorLimitsTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        @Test(
            "PS3.8 Table 9-21: associations of a peer at the limit are accepted, one more is 2/3/2, a freed one again")
        func associations() async throws { try await TwoAtOnce.associations(context.server) }

        @Test(
            "PS3.8 §D.1: the offered length is the configured one; a PDU at the limit is read, one byte more is A-ABORT"
        )
        func dataUnits() async throws {
            try await DIMSEPeer.connect(context.server) { peer in
                try await peer.wire.send(DIMSEPeer.associateRequest())
                guard case .associateAccept(let accept) = try await peer.next() else {
                    Issue.record("not accepted")
                    return
                }
                #expect(accept.userInformation.maximumLength == 8192)
                // The PDV's length, context and control byte take 6 of the bytes that the limit counts.
                try await peer.beginStore("1.2.60.1")
                try await peer.wire.send(
                    DIMSEPeer.data(repeatElement(0, count: 19_994), context: 3, isCommand: false))
                // All zeros are padding, so the data set has no UIDs. PS3.4 Table B.2-1.
                #expect(try await peer.status() == 0xA900)
                try await peer.beginStore("1.2.60.1")
                try await peer.wire.send(
                    DIMSEPeer.data(repeatElement(0, count: 19_995), context: 3, isCommand: false))
                guard case .abort = try await peer.next() else {
                    Issue.record("no A-ABORT")
                    return
                }
            }
        }

        @Test("PS3.8 §9.3.2: presentation contexts at the limit are taken, one more is A-ABORT")
        func contexts() async throws {
            let contexts = (0..<21).map { (UInt8($0 * 2 + 1), DIMSEPeer.verification, DIMSEPeer.implicit) }
            for count in [20, 21] {
                let answer = try await DIMSEPeer.connect(context.server) { peer in
                    try await peer.wire.send(DIMSEPeer.associateRequest(contexts: Array(contexts.prefix(count))))
                    return try await peer.next()
                }
                switch answer {
                case .associateAccept(let accept):
                    #expect(count == 20)
                    #expect(accept.presentationContexts.count == 20)
                case .abort: #expect(count == 21)
                default: Issue.record("\(count): \(String(describing: answer))")
                }
            }
        }

        @Test("HL7 v2: a message's bytes, segments, fields and repetitions at the limit are AA, one more is refused")
        func messages() async throws {
            @Sendable func segments(_ count: Int) -> [UInt8] {
                Samples.message("L-S\(count)", note: 1) + (5..<count).flatMap { _ in Array("ZZZ|a\r".utf8) }
            }
            @Sendable func fields(_ count: Int) -> [UInt8] {
                Samples.message("L-F\(count)") + Array(("ZZZ" + String(repeating: "|a", count: count) + "\r").utf8)
            }
            @Sendable func repetitions(_ count: Int) -> [UInt8] {
                Samples.message("L-R\(count)")
                    + Array(("ZZZ|" + (0..<count).map { _ in "a" }.joined(separator: "~") + "\r").utf8)
            }
            @Sendable func bytes(_ count: Int) -> [UInt8] {
                let bare = Samples.message("L-B\(count)", note: 1).count
                return Samples.message("L-B\(count)", note: count - bare + 1)
            }
            #expect(bytes(2048).count == 2048)
            try await MLLPPeer.connect(context.server) { peer in
                for (name, atLimit, past, code) in [
                    ("segments", segments(6), segments(7), "AE"), ("fields", fields(60), fields(61), "AE"),
                    ("repetitions", repetitions(5), repetitions(6), "AE"), ("bytes", bytes(2048), bytes(2049), "AR"),
                ] {
                    let taken = try await peer.ask(atLimit)
                    #expect(taken?.code == "AA", "\(name)")
                    let refused = try await peer.ask(past)
                    #expect(refused?.code == code, "\(name)")
                }
                let last = try await peer.ask(Samples.message("L-END"))
                #expect(last?.code == "AA")
            }
        }

        @Test("MLLP connections of one address at the limit are served, one more is closed, a freed one again")
        func connections() async throws {
            try await TwoAtOnce.connections(context.server)
            #expect(try await context.allDoorsServe())
        }
    }

    /// Limits over all peers, and how long the doors for hospital systems wait.
    @Suite(
        .server(limits: [
            "dimse-associations": 2, "dimse-associate-bytes": requestBytes, "dimse-artim-seconds": 3,
            "dimse-idle-seconds": 3, "http-body-grace-seconds": 2, "mllp-connections": 2, "mllp-frame-seconds": 3,
            "mllp-idle-seconds": 4,
        ]), .serialized)
    struct ConfiguredDoorTimesTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private static func request(_ extra: Int) throws -> ByteBuffer {
            // A transfer syntax with a longer UID makes the request longer by as much.
            let long = DIMSEPeer.implicit + String(repeating: "1", count: extra)
            let contexts = (0..<40).map {
                (UInt8($0 * 2 + 1), DIMSEPeer.verification, $0 == 0 ? long : DIMSEPeer.implicit)
            }
            return try DIMSEPeer.associateRequest(contexts: contexts)
        }

        /// How long it takes; what is compared with it lies far below the default of the limit.
        private func seconds(_ body: () async throws -> Void) async throws -> Double {
            let clock = ContinuousClock()
            let begin = clock.now
            try await body()
            let time = clock.now - begin
            return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        }

        @Test("PS3.8 §9.3.2: an A-ASSOCIATE-RQ at the limit is accepted, one byte more is A-ABORT")
        func request() async throws {
            let bare = try Self.request(0).readableBytes - 6
            for (extra, isTaken) in [(requestBytes - bare, true), (requestBytes - bare + 1, false)] {
                let answer = try await DIMSEPeer.connect(context.server) { peer in
                    try await peer.wire.send(Self.request(extra))
                    return try await peer.next()
                }
                if isTaken, case .associateAccept = answer { continue }
                if !isTaken, case .abort = answer { continue }
                Issue.record("\(extra) more than \(bare): \(String(describing: answer))")
            }
        }

        @Test("Associations and MLLP connections over all peers at the limit are served, one more is not")
        func totals() async throws {
            try await TwoAtOnce.associations(context.server)
            try await TwoAtOnce.connections(context.server)
        }

        @Test("PS3.8 §9.1.4: no association request, and an idle association, are ended in their time")
        func associationTimes() async throws {
            let silent = try await seconds {
                try await DIMSEPeer.connect(context.server) { peer in
                    while try await peer.next() != nil {}
                }
            }
            #expect((2.9..<25).contains(silent), "\(silent) s")
            let idle = try await seconds {
                try await DIMSEPeer.connect(context.server) { peer in
                    try await peer.associate()
                    guard case .abort = try await peer.next() else {
                        Issue.record("no A-ABORT of an idle association")
                        return
                    }
                }
            }
            #expect((2.9..<50).contains(idle), "\(idle) s")
        }

        @Test("RFC 9110 §15.5.9: a body that stops is answered 408 and ended in its time, FHIR and STOW-RS alike")
        func stoppedBody() async throws {
            for (path, type) in [
                ("/fhir/Patient", "application/fhir+json"), ("/dicomweb/studies", "application/dicom"),
                ("/dicomweb/studies", "multipart/related; type=\"application/dicom\"; boundary=cut"),
            ] {
                let head =
                    "POST \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(context.token)\r\n"
                    + "Content-Type: \(type)\r\nContent-Length: 9000\r\n\r\n{"
                let time = try await seconds {
                    try await Wire.connect(port: context.server.httpPort) { wire in
                        try await wire.send(Array(head.utf8))
                        let answer = await wire.httpAnswer()
                        #expect(answer.status == 408, "\(type): \(answer.text)")
                        while await wire.more() {}
                    }
                }
                #expect((1.9..<25).contains(time), "\(type): \(time) s")
            }
        }

        @Test("MLLP: an open frame and a silent connection are ended in their time")
        func messageTimes() async throws {
            let open = try await seconds {
                try await MLLPPeer.connect(context.server) { peer in
                    try await peer.wire.send([0x0B] + Array("MSH|^~\\&|EHR".utf8))
                    while try await peer.next() != nil {}
                }
            }
            #expect((2.9..<25).contains(open), "\(open) s")
            let silent = try await seconds {
                try await MLLPPeer.connect(context.server) { peer in
                    let only = try await peer.ask(Samples.message("T-9"))
                    #expect(only?.code == "AA")
                    while try await peer.next() != nil {}
                }
            }
            #expect((3.9..<60).contains(silent), "\(silent) s")
            #expect(try await context.allDoorsServe())
        }
    }
}
