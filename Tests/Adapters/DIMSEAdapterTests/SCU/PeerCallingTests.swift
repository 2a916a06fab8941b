import DICOMNetwork
import NIOCore
import NIOSSL
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// How a peer is called, by what is kept of it.
@Suite(.takingTurns) struct PeerCallingTests {
    private func problem(_ peer: Peer, _ calling: PeerCalling = PeerCalling()) -> String? {
        do throws(PeerCalling.Problem) {
            _ = try calling.destination(peer, as: title("HILUM"))
            return nil
        } catch {
            return error.description
        }
    }

    @Test("What cannot be called says why; what is kept of a peer is how it is called")
    func destinations() throws {
        var peer = Peer(kind: .applicationEntity, name: "PACS")
        #expect(problem(peer) == "PACS has no host and port")
        peer.host = "pacs.example"
        peer.port = 104
        #expect(problem(Peer(kind: .applicationEntity, name: "a\\b", host: "h", port: 1)) == "a\\b is no AE title")
        for tls in [Peer.TLS.on, .pinned(fingerprint: "ab")] {
            peer.tls = tls
            #expect(problem(peer) == "this server has no TLS to call PACS by")
        }
        peer.connectionsMax = 3
        peer.pduLengthMax = 8192
        var calling = PeerCalling()
        calling.tls = try NIOSSLContext(configuration: .makeClientConfiguration())
        var withoutNames = TLSConfiguration.makeClientConfiguration()
        withoutNames.certificateVerification = .noHostnameVerification
        calling.pinningTLS = { [context = try NIOSSLContext(configuration: withoutNames)] in context }
        calling.digest = { _ in "ab" }
        calling.timers.response = .seconds(7)
        calling.identity = { ProposedIdentity(.userName($0.name)) }
        for tls in [Peer.TLS.off, .on, .pinned(fingerprint: "ab")] {
            peer.tls = tls
            let destination = try calling.destination(peer, as: title("HILUM"))
            #expect(destination.host == "pacs.example")
            #expect(destination.port == 104)
            #expect(destination.calledAETitle == title("PACS"))
            #expect(destination.callingAETitle == title("HILUM"))
            #expect((destination.tls == nil) == (tls == .off))
            #expect((destination.tls === calling.tls) == (tls == .on))
            #expect((destination.serverName == nil) == (tls != .on))
            #expect((destination.pinned == nil) == (tls == .off || tls == .on))
            #expect(destination.associationsMax == 3)
            #expect(destination.sendLengthMax == 8192)
            #expect(destination.identity != nil)
            #expect(destination.timers.response == .seconds(7))
        }
        // An address is verified as one, and told to nobody as a name.
        peer.tls = .on
        peer.host = "127.0.0.1"
        #expect(try calling.destination(peer, as: title("HILUM")).serverName == nil)
    }
}
