import Access
import Admission
import DICOMData
import DICOMNetwork
import DIMSEAdapter
import NIOSSL
import TestSupport
import Testing
import Workflow

/// Whom a DIMSE door takes, for what and from where.
@Suite(.takingTurns) struct DoorTests {
    private static let verification = (
        abstractSyntax: UID.verification, transferSyntaxes: [TransferSyntax.implicitVRLittleEndian.uid]
    )

    private static func isServed(_ test: TestListener, called: String = "HILUM") async throws -> Bool {
        var destination = test.destination
        destination.calledAETitle = title(called)
        let association = try await SCUAssociation.open(destination, contexts: [verification])
        let isAccepted = !association.negotiated.contexts.isEmpty
        try await association.release()
        return isAccepted
    }

    @Test("Each title answers what is allowed at it, of what the caller may; other titles are not recognized")
    func titles() async throws {
        try await TestListener.run(
            peers: [Peer(kind: .applicationEntity, name: "CT1", may: [.echo, .store])],
            configure: {
                $0.aeTitles = [title("HILUM"), title("ARCHIVE"), title("WORKLIST")]
                $0.rolesByTitle = [title("ARCHIVE"): [.echo, .query], title("WORKLIST"): [.worklist]]
            }
        ) { test async throws in
            #expect(try await Self.isServed(test))
            #expect(try await Self.isServed(test, called: "ARCHIVE"))
            #expect(try await !Self.isServed(test, called: "WORKLIST"))
            await #expect(throws: SCUError.rejected(.calledAETitleNotRecognized)) {
                try await Self.isServed(test, called: "OTHER")
            }
        }
    }

    @Test("A peer that is bound to addresses comes from them, and where a door asks for it every peer is bound")
    func addresses() async throws {
        var here = Peer(kind: .applicationEntity, name: "CT1")
        here.networks = ["10.0.0.0/8", "127.0.0.1"].compactMap { IPNetwork($0) }
        var elsewhere = here
        elsewhere.networks.removeLast()
        let unbound = Peer(kind: .applicationEntity, name: "CT1")
        for (peer, binding, isServed) in [
            (here, PeerBinding.name, true), (here, .address, true), (here, .certificate, false),
            (elsewhere, .name, false), (unbound, .name, true), (unbound, .address, false),
        ] {
            try await TestListener.run(peers: [peer], configure: { $0.binding = binding }) { test async throws in
                if isServed {
                    #expect(try await Self.isServed(test))
                } else {
                    await #expect(throws: SCUError.rejected(.callingAETitleNotRecognized)) {
                        try await Self.isServed(test)
                    }
                }
            }
        }
    }

    @Test("A peer of its own limit has that many associations at a time")
    func ownLimit() async throws {
        var peer = Peer(kind: .applicationEntity, name: "CT1")
        peer.connectionsMax = 1
        try await TestListener.run(peers: [peer]) { test async throws in
            let first = try await SCUAssociation.open(test.destination, contexts: [Self.verification])
            await #expect(throws: SCUError.rejected(.localLimitExceeded)) {
                try await SCUAssociation.open(test.destination, contexts: [Self.verification])
            }
            try await first.release()
            #expect(try await Self.isServed(test))
        }
    }
}
