import DICOMNetwork
import DIMSEAdapter
import NIOCore
import NIOSSL
import TestSupport
import Testing

@testable import hilum

/// What `hilum peer test` says of failures, which an operator reads.
@Suite(.takingTurns) struct PeerCheckWordsTests {
    @Test("A failure of an association is said in words, with its codes")
    func associations() {
        let said: [(SCUError, String)] = [
            (.abortedByPeer(.byUser), "it aborted the association (A-ABORT 0)"),
            (
                .abortedByPeer(.unexpectedPDU),
                "it aborted the association, for what it takes for a fault of the protocol (A-ABORT 2/2)"
            ),
            (.aborted(.unrecognizedPDU), "what it says is no DICOM"),
            (
                .aborted(.invalidPDUParameterValue),
                "it does not keep to the protocol, so that the association was aborted (A-ABORT 2/6)"
            ),
            (.connectionLost, "it ended the connection"), (.timedOut, "no answer in time"),
        ]
        for (error, words) in said { #expect(PeerCheck.words(error) == words) }
    }

    @Test("A failure of the connection is said in words")
    func connections() {
        #expect(PeerCheck.words(ChannelError.connectTimeout(.seconds(1))) == "no answer in time")
        #expect(PeerCheck.words(ChannelError.eof) == "it ended the connection")
        #expect(PeerCheck.words(IOError(errnoCode: 111, reason: "connect")) == "Connection refused")
    }

    @Test("A failed handshake tells BoringSSL's reason and none of its files")
    func handshakes() {
        let text =
            "sslError([Error: 268435581 error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at ssl.cc:12])"
        #expect(PeerCheck.reasons(text) == "certificate verify failed")
        #expect(PeerCheck.reasons("uncleanShutdown") == "uncleanShutdown")
        #expect(PeerCheck.words(NIOSSLError.handshakeFailed(.sslError([]))) == "the handshake failed (sslError([]))")
    }
}
