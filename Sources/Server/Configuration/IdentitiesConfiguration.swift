/// `identities`: who the user is at application entities that this server calls, by their AE title. PS3.7 §D.3.3.7.
struct IdentitiesConfiguration: Decodable, Sendable {
    /// What proves it; files are paths within the server folder or absolute, of mode 0600.
    enum Proof: Sendable {
        /// Type 1, and with a passcode type 2.
        case user(String, passcodeFile: String?)
        /// Type 3: a service ticket, read at each association.
        case kerberos(file: String)
        /// Type 4: an assertion, read at each association.
        case saml(file: String)
        /// Type 5: a JSON Web Token, read at each association.
        case jwt(file: String)
        /// Type 5: an access token that another server gives for a signed assertion.
        case token(RoutingConfiguration.Destination.Token)
    }

    struct Identity: Sendable {
        var proof: Proof
        /// Whether the peer must say that it has verified the user.
        var mustBeConfirmed = false
        /// Whether it is told to a peer in clear text beyond this machine too.
        var isClearTextAccepted = false
    }

    static let identitiesMax = 256
    /// Of a user name, in UTF-8.
    static let userBytesMax = 256

    var byTitle: [String: Identity] = [:]

    /// Passcodes and keys, for backups; tickets, assertions and tokens do not last.
    var keyFiles: [String] {
        byTitle.values.compactMap { identity in
            switch identity.proof {
            case .user(_, let passcodeFile): passcodeFile
            case .token(let token): token.key
            case .kerberos, .saml, .jwt: nil
            }
        }.sorted()
    }

    init() {}

    /// Throws ``ConfigurationError``, with the place and what is meant.
    init(from decoder: any Decoder) throws {
        let listed = try [String: IdentityKeys](from: decoder)
        guard listed.count <= Self.identitiesMax else {
            throw ConfigurationError("identities: at most \(Self.identitiesMax)")
        }
        for title in listed.keys.sorted() where !DoorConfiguration.isAETitle(title) {
            throw ConfigurationError("identities: `\(title)` is no AE title (PS3.5 §6.2)")
        }
        byTitle = listed.mapValues(\.identity)
    }

    private struct IdentityKeys: Decodable {
        var identity: Identity

        enum CodingKeys: String, CodingKey, CaseIterable {
            case user, token, confirmed
            case passcodeFile = "passcode-file"
            case kerberosFile = "kerberos-file"
            case samlFile = "saml-file"
            case jwtFile = "jwt-file"
            case clearText = "clear-text"
        }

        init(from decoder: any Decoder) throws {
            let place = "identities." + (decoder.codingPath.last?.stringValue ?? "")
            let keys = try StrictKeys(decoder, CodingKeys.self, place)
            let ways: [CodingKeys] = [.user, .kerberosFile, .samlFile, .jwtFile, .token]
            let named = ways.filter(keys.has)
            guard let way = named.first, named.count == 1 else {
                throw ConfigurationError("\(place): one of \(ways.map(\.rawValue).joined(separator: ", "))")
            }
            guard way == .user || !keys.has(.passcodeFile) else {
                throw ConfigurationError("\(place).passcode-file: belongs to `user`")
            }
            identity = Identity(proof: try Self.proof(way, keys))
            identity.mustBeConfirmed = try keys.stated(.confirmed) ?? false
            identity.isClearTextAccepted = try keys.accepts(.clearText)
        }

        private static func proof(_ way: CodingKeys, _ keys: StrictKeys<CodingKeys>) throws -> Proof {
            switch way {
            case .kerberosFile: return .kerberos(file: try keys.needed(way))
            case .samlFile: return .saml(file: try keys.needed(way))
            case .jwtFile: return .jwt(file: try keys.needed(way))
            case .token:
                guard let token: TokenKeys = try keys.stated(way) else {
                    throw ConfigurationError("\(keys.place).token: is needed")
                }
                return .token(token.token)
            case .user, .confirmed, .passcodeFile, .clearText:
                let name = try keys.needed(.user)
                guard name.utf8.count <= userBytesMax else {
                    throw ConfigurationError("\(keys.place).user: at most \(userBytesMax) bytes")
                }
                return .user(name, passcodeFile: keys.has(.passcodeFile) ? try keys.needed(.passcodeFile) : nil)
            }
        }
    }
}
