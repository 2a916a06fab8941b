import Access
import Admission
import HTTPSupport
import NIOSSL
import Workflow

/// One door: an entry of `doors`, or one of the short forms `http`, `dimse` and `mllp`, which make one door each.
///
/// What it is as by default is TLS on this machine alone, with the certificate that `hilum init` made.
struct DoorConfiguration: Sendable {
    /// Whether connections begin with TLS.
    enum TLSUse: String, Sendable, CaseIterable {
        case required
        /// TLS or clear text on one port, as the first byte says; of DIMSE and MLLP.
        case optional
        case off
    }

    /// What is asked of those who connect.
    enum ClientCertificates: String, Sendable, CaseIterable {
        case none
        /// Whoever shows one is known by it.
        case optional
        case required
    }

    /// An AE title that is answered.
    struct Title: Sendable, Hashable {
        var title: String
        /// What may be asked of it, of those that the caller may; nil for all.
        var services: Set<Peer.Role>?
        /// AE titles of the archives that are asked and fetched from for whoever calls it; nil for all, empty for none.
        var archives: Set<String>?
    }

    let kind: Admission.Door
    /// How errors, the log and metrics name it: `doors[2]`, or `mllp` for a short form.
    var place: String
    var host = "127.0.0.1"
    /// 0 takes a free port.
    var port: Int
    var tls = TLSUse.required
    /// The word of the operator that clear text beyond this machine is meant.
    var acceptsClearText = false
    /// PEM files of the hospital's own PKI, the certificate with its chain; nil for those that `hilum init` made.
    var certificate: String?
    /// The PEM file of the certificate's key, mode 0600.
    var key: String?
    /// A PEM file of those who issue the certificates of peers; nil for the local authority.
    var clientAuthorities: String?
    var clientCertificates: ClientCertificates
    var minimumVersion = TLSVersion.tlsv12
    /// What TLS 1.2 may agree on.
    var suites = TLSContexts.suitesOfTLS12
    /// From which there may be connections; empty for everywhere.
    var networks: [IPNetwork] = []

    /// The base that clients see, without a path. Of an HTTP door.
    var publicURL: String?
    /// Of an HTTP door.
    var proxies = TrustedProxies.none

    /// Callers may come that are no peers. Of a DIMSE or MLLP door.
    var acceptsUnknownPeers = false
    /// How a peer must be bound to count as known. Of a DIMSE or MLLP door.
    var binding = PeerBinding.name

    /// Of a DIMSE door; never empty there.
    var titles: [Title] = []
    /// AE titles by modality: who does the steps that name no station. Of the short form `dimse`.
    var worklistStations: [String: [String]]?

    /// The door of a protocol for which nothing was said.
    init(_ kind: Admission.Door) {
        self.init(kind, place: kind.rawValue)
    }

    init(_ kind: Admission.Door, place: String) {
        self.kind = kind
        self.place = place
        port =
            switch kind {
            case .http: 8443
            case .dimse: 11112
            case .mllp: 2575
            }
        clientCertificates = kind == .http ? .none : .optional
        if kind == .dimse { titles = [Title(title: "HILUM")] }
    }

    /// Whether what is said at it can be read on a network.
    var isClearTextBeyondThisMachine: Bool { tls != .required && !Self.isLoopback(host) }

    /// Whether an address or name is of this machine alone.
    static func isLoopback(_ host: String) -> Bool { host == "localhost" || IPAddress(host)?.isLoopback == true }

    /// Throws ``ConfigurationError`` for what does not go together, with the place.
    func check() throws {
        guard (0...65535).contains(port) else {
            throw ConfigurationError("\(place).port: \(port) is not a port (0 to 65535)")
        }
        if kind == .http, tls == .optional {
            throw ConfigurationError("\(place).tls: an http door is `required` or `off`; give each its own port")
        }
        guard (certificate == nil) == (key == nil) else {
            throw ConfigurationError("\(place): certificate and key are given together, or neither")
        }
        if tls == .off, let unused = [certificate, clientAuthorities].compactMap(\.self).first {
            throw ConfigurationError("\(place).tls: off has no use for \(unused)")
        }
        if clientCertificates == .none, clientAuthorities != nil {
            throw ConfigurationError("\(place).client-authorities: with client-certificates: none nobody is asked")
        }
        if tls != .required, clientCertificates == .required {
            throw ConfigurationError(
                "\(place).client-certificates: required, and tls: \(tls.rawValue) lets connections in without one")
        }
        if suites.isEmpty { throw ConfigurationError("\(place).suites: at least one") }
        if isClearTextBeyondThisMachine {
            guard acceptsClearText else {
                throw ConfigurationError(
                    "\(place).tls: \(tls.rawValue) at \(host) lets patient data be read on the network; if that is meant, "
                        + "write `clear-text: accepted` at this door")
            }
            if kind == .http, networks.isEmpty {
                throw ConfigurationError(
                    "\(place).networks: an http door in clear text at \(host) needs the networks of its proxies")
            }
        }
        for title in titles where !Self.isAETitle(title.title) {
            throw ConfigurationError(
                "\(place): `\(title.title)` is no AE title: 1 to 16 printable characters without space or backslash (PS3.5 §6.2)"
            )
        }
        if Set(titles.map(\.title)).count != titles.count {
            throw ConfigurationError("\(place).ae-titles: a title is named twice")
        }
        for title in titles {
            for name in (title.archives ?? []).sorted() where !Self.isAETitle(name) {
                throw ConfigurationError(
                    "\(place).ae-titles.\(title.title).archives: `\(name)` is no AE title (PS3.5 §6.2)")
            }
        }
    }

    /// Whether a text is an AE title as it is configured here: without spaces. PS3.5 §6.2.
    static func isAETitle(_ title: String) -> Bool {
        (1...16).contains(title.utf8.count) && title.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 92 }
    }
}
