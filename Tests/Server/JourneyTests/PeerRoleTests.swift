import DICOMNetwork
import NIOCore
import Testing

extension JourneyTests {
    /// X16, X17: what a peer may do, and who is none.
    @Suite(.server, .serialized) struct PeerRoleTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private func add(_ words: String...) async throws -> HilumProgram.Ending {
            try await HilumProgram.run(["peer", "add", context.server.folder.path] + words)
        }

        private func message(_ id: String, type: String, from application: String) -> [UInt8] {
            Array("MSH|^~\\&|\(application)|X|HILUM|H|20260101||\(type)|\(id)|P|2.5.1\rPID|||1\r".utf8)
        }

        @Test("A sender may send the kinds of message that it is configured for; nothing when nothing was said")
        func senderRoles() async throws {
            #expect(try await add("--mllp-app", "ADTONLY", "--mllp-facility", "X", "--may", "adt").code == 0)
            #expect(try await add("--mllp-app", "MUTE", "--mllp-facility", "X").code == 0)
            for (application, type, isLetIn) in [
                ("ADTONLY", "ADT^A08", true), ("ADTONLY", "ORM^O01", false), ("ADTONLY", "ORU^R01", false),
                ("MUTE", "ADT^A08", false), ("MUTE", "OMI^O23", false),
            ] {
                let answer = try await MLLPPeer.send(
                    message("ROLE-\(application)-\(type.prefix(3))", type: type, from: application), to: context.server)
                let text = String(decoding: answer?.bytes ?? [], as: UTF8.self)
                #expect(text.contains("may not send") == !isLetIn, "\(application) \(type): \(text)")
                if !isLetIn { #expect(answer?.code == "AR") }
            }
        }

        @Test("An AE without roles may echo and no more; roles of another kind and unknown ones are refused in words")
        func applicationEntityRoles() async throws {
            let added = try await add("--ae", "ECHOONLY")
            #expect(added.code == 0)
            #expect(added.text.contains("may echo"))
            let results =
                try await DIMSEPeer.connect(context.server) { peer in
                    try await peer.wire.send(DIMSEPeer.associateRequest(calling: "ECHOONLY"))
                    guard case .associateAccept(let accept) = try await peer.next() else { return [] }
                    return accept.presentationContexts.map(\.result)
                } as [PresentationContextResult.Result]
            #expect(results == [.acceptance, .userRejection])
            for may in ["adt", "fly", "", "store,"] {
                let refused = try await add("--ae", "CT9", "--may", may)
                #expect(refused.code != 0, "\(may)")
                #expect(refused.text.contains("is none of"), "\(may)")
            }
            let listed = try await HilumProgram.run(["peer", "list", context.server.folder.path])
            #expect(listed.text.contains("ECHOONLY\t-\tany certificate\techo\n"))
        }
    }
}
