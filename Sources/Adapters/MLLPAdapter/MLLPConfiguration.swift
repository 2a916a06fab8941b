import Access
import Admission
import HL7v2
import NIOCore

/// Where and how the MLLP listener serves, with its limits.
package struct MLLPConfiguration: Sendable {
    package var host: String
    /// 0 lets the system choose; IANA's port for HL7 is 2575.
    package var port: Int
    /// nil serves clear text. Whether a client certificate is optional or required is part of its context
    /// (`TLSConfiguration.certificateVerification`).
    package var tls: DoorTLS?
    /// From which there may be connections; empty for everywhere.
    package var networks: [IPNetwork] = []
    /// What it takes at most.
    package var limits: MLLPLimits

    package init(
        host: String = "127.0.0.1", port: Int = 2575, tls: DoorTLS? = nil, limits: MLLPLimits = MLLPLimits()
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.limits = limits
    }
}

/// What a listener takes at most.
package struct MLLPLimits: Sendable, Hashable {
    /// The longest message, in bytes without its frame.
    package var messageBytesMax = HL7Limits().messageBytesMax
    /// How long a frame may stay open, from its start block to its end block; a further start block does not begin the
    /// time anew.
    package var openFrame: TimeAmount = .seconds(30)
    /// How long a connection may go without a whole message.
    package var idle: TimeAmount = .minutes(30)
    /// The defaults.
    package init() {}
}

/// The other end of a connection.
package struct MLLPPeer: Sendable, Hashable {
    /// The IP address as text, without the port; empty for a socket that has none.
    package var address: String
    /// The certificate the peer showed, DER; nil without TLS or without a client certificate.
    package var certificate: [UInt8]?

    package init(address: String, certificate: [UInt8]? = nil) {
        self.address = address
        self.certificate = certificate
    }
}
