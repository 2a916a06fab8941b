import FHIRModel
import HL7v2
import NIOHTTP1
import Testing

extension JourneyTests {
    /// HL7 v2.5.1 §2.9 and MLLP Release 1 over a socket.
    @Suite(.server, .serialized) struct MLLPBadInputTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        @Test("Garbage before a frame is passed over, and every frame after it is answered")
        func garbage() async throws {
            try await MLLPPeer.connect(context.server) { peer in
                try await peer.wire.send(Array("GET / HTTP/1.1\r\n\r\n".utf8) + [0x1C, 0x0D, 0x00, 0xFF])
                let first = try await peer.ask(Samples.message("G-1"))
                #expect(first?.code == "AA")
                #expect(first?.controlID == "G-1")
                try await peer.wire.send([0x0B] + Array("half a mess".utf8))
                #expect(try await peer.ask(Samples.message("G-2"))?.controlID == "G-2")
            }
        }

        @Test("No MSH, NUL bytes, UTF-16 and broken delimiters are AR, and the connection goes on")
        func unreadable() async throws {
            let plain = Samples.message("U-1", patient: "J-UNREAD")
            let text = String(decoding: plain, as: UTF8.self)
            let messages: [[UInt8]] = [
                Array("PID|1||J-UNREAD^^^HOSP^MR\r".utf8), Array("MSH".utf8), Array("hello".utf8),
                plain + [0x00], [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] },
                Array(text.replacing("|^~\\&|", with: "|^^^^|").utf8),
                Array(text.replacing("|^~\\&|", with: "||").utf8),
            ]
            try await MLLPPeer.connect(context.server) { peer in
                for message in messages {
                    let answer = try await peer.ask(message)
                    #expect(answer?.code == "AR", "\(String(decoding: message.prefix(30), as: UTF8.self))")
                }
                #expect(try await peer.ask(Samples.message("U-2"))?.code == "AA")
            }
            #expect(try await context.patients("urn:hilum:site:mrn", "J-UNREAD") == 0)
        }

        @Test(
            "Table 0357: unknown type is AR 200, processing id T AR 202, an unknown sender AR; nothing is carried out")
        func refused() async throws {
            try await MLLPPeer.connect(context.server) { peer in
                let type = try await peer.ask(Samples.message("R-1", patient: "J-REFUSED", type: "XYZ^Z01"))
                #expect(type?.code == "AR")
                #expect(type?.condition == "200")
                let event = try await peer.ask(Samples.message("R-2", patient: "J-REFUSED", type: "ADT^Z99"))
                #expect(event?.code == "AR")
                #expect(event?.condition == "201")
                let training = try await peer.ask(Samples.message("R-3", patient: "J-REFUSED", processing: "T"))
                #expect(training?.code == "AR")
                #expect(training?.condition == "202")
                let stranger = try await peer.ask(
                    Samples.message("R-4", patient: "J-REFUSED", application: "STRANGER"))
                #expect(stranger?.code == "AR")
                #expect(stranger?.controlID == "R-4")
                #expect(try await peer.ask(Samples.message("R-5"))?.code == "AA")
            }
            #expect(try await context.patients("urn:hilum:site:mrn", "J-REFUSED") == 0)
        }

        @Test("Limit of a frame: 4 MiB are taken, one byte more is AR, and the connection goes on")
        func size() async throws {
            let bare = Samples.message("S-1", patient: "J-SIZE", note: 1).count
            let room = (4 << 20) - bare + 1
            try await MLLPPeer.connect(context.server) { peer in
                let past = try await peer.ask(Samples.message("S-1", patient: "J-SIZE", note: room + 1))
                #expect(past?.code == "AR")
                #expect(past?.controlID == "S-1")
                #expect(try await peer.ask(Samples.message("S-2", patient: "J-SIZE", note: room))?.code == "AA")
            }
            #expect(try await context.patients("urn:hilum:site:mrn", "J-SIZE") == 1)
        }

        @Test("Two messages in one write are answered in order; a message that comes byte by byte is answered once")
        func framing() async throws {
            try await MLLPPeer.connect(context.server) { peer in
                try await peer.wire.send(
                    MLLPPeer.frame(Samples.message("F-1")) + MLLPPeer.frame(Samples.message("F-2")))
                #expect(try await peer.next()?.controlID == "F-1")
                #expect(try await peer.next()?.controlID == "F-2")
                for byte in MLLPPeer.frame(Samples.message("F-3")) { try await peer.wire.send([byte]) }
                #expect(try await peer.next()?.controlID == "F-3")
            }
        }

        @Test(
            "The same message again gets the same bytes as its first answer and has one effect, on eight connections too"
        )
        func duplicates() async throws {
            let message = Samples.message("D-1", patient: "J-AGAIN")
            let server = context.server
            let first = try #require(try await MLLPPeer.send(message, to: server))
            #expect(first.code == "AA")
            let answers = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                for _ in 0..<8 { group.addTask { try await MLLPPeer.send(message, to: server)?.bytes } }
                return try await group.reduce(into: [[UInt8]?]()) { $0.append($1) }
            }
            #expect(answers.count == 8)
            #expect(answers.allSatisfy { $0 == first.bytes })
            let found = try await context.fhir(.GET, "/Patient?identifier=urn:hilum:site:mrn%7CJ-AGAIN").json()
            #expect(found["entry"]?.array?.count == 1)
            #expect(found["entry"]?[0]?["resource"]?["meta"]?["versionId"]?.string == "1")
            #expect(try await context.allDoorsServe())
        }
    }
}
