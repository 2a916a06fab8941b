import Access
import DIMSEAdapter
import NIOPosix
import OutboundAdapter
import Workflow

/// As whom this server calls application entities, as `identities` of the configuration says. PS3.7 §D.3.3.7.
struct PeerIdentities: Sendable {
    private struct Kept {
        var credential: ProposedIdentity.Credential
        var configured: IdentitiesConfiguration.Identity
    }

    /// Bytes of a ticket, assertion or token; more than an association request holds is none.
    static let fileBytesMax = 64 << 10
    private let kept: [String: Kept]

    /// Throws ``ConfigurationError`` for a passcode or a key that is not there, or that others may read.
    init(
        _ configuration: ServerConfiguration, _ folder: ServerFolder, clock: any Workflow.Clock = SystemClock(),
        entropy: any Entropy = SystemEntropy()
    ) throws {
        kept = try configuration.identities.byTitle.reduce(into: [:]) { kept, entry in
            let (title, configured) = entry
            let place = "identities.\(title)"
            let credential: ProposedIdentity.Credential
            switch configured.proof {
            case .user(let name, nil): credential = .userName(name)
            case .user(let name, let file?):
                let path = folder.resolve(file)
                let text = String(decoding: try ServerFolder.readSecret(path), as: UTF8.self)
                let passcode = String(text.prefix { !$0.isNewline })
                guard !passcode.isEmpty else {
                    throw ConfigurationError("\(place).passcode-file: \(path) holds no passcode in its first line")
                }
                credential = .userNameAndPasscode(name, passcode: passcode)
            case .kerberos(let file):
                let path = folder.resolve(file)
                credential = .kerberosTicket { try await Self.read(path) }
            case .saml(let file):
                let path = folder.resolve(file)
                credential = .samlAssertion { try await Self.read(path) }
            case .jwt(let file):
                let path = folder.resolve(file)
                credential = .jsonWebToken {
                    String(decoding: try await Self.read(path), as: UTF8.self).filter { !$0.isWhitespace }
                }
            case .token(let token):
                let source = AccessTokenSource(
                    .init(
                        tokenURL: token.url, clientID: token.client, scope: token.scope,
                        key: try RoutingComposition.key(token, at: "\(place).token.key", folder), keyID: token.keyID),
                    sender: HTTPSSender(OutboundComposition.outbound(configuration, folder)),
                    now: { clock.now() }, newID: { entropy.newID().value })
                credential = .jsonWebToken {
                    do { return try await source.token() } catch let error as CancellationError { throw error } catch {
                        throw ProposedIdentity.Unavailable("no access token of \(token.url)")
                    }
                }
            }
            kept[title] = Kept(credential: credential, configured: configured)
        }
    }

    /// Who the user is at a peer; nil where nothing is configured. What proves a user is not told in clear text beyond
    /// this machine unless that is accepted: the association is not asked for.
    func identity(at peer: Peer) -> ProposedIdentity? {
        guard peer.kind == .applicationEntity, let kept = kept[peer.name] else { return nil }
        var identity = ProposedIdentity(kept.credential, mustBeConfirmed: kept.configured.mustBeConfirmed)
        if case .userName = kept.credential { return identity }
        if peer.tls == .off, !kept.configured.isClearTextAccepted, !DoorConfiguration.isLoopback(peer.host ?? "") {
            identity.credential = .jsonWebToken {
                throw ProposedIdentity.Unavailable(
                    "it would be told in clear text: hilum peer set --tls on, or clear-text: accepted")
            }
        }
        return identity
    }

    /// A ticket, assertion or token as it is now.
    private static func read(_ path: String) async throws -> [UInt8] {
        do {
            let bytes = try await NIOThreadPool.singleton.runIfActive { try ServerFolder.readSecret(path) }
            guard !bytes.isEmpty, bytes.count <= fileBytesMax else {
                throw ProposedIdentity.Unavailable("\(path) is empty, or has more than \(fileBytesMax) bytes")
            }
            return bytes
        } catch let error as ConfigurationError { throw ProposedIdentity.Unavailable(error.description) }
    }
}
