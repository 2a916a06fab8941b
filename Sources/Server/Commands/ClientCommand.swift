import Access
import ArgumentParser
import Foundation
import HTTPSupport
import OutboundAdapter
import SMARTAPI
import SQLStore
import Workflow

/// `hilum client …`: the applications that may ask for tokens.
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Register, list and revoke SMART clients.",
        subcommands: [Register.self, List.self, Revoke.self])

    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a client: a backend service by its keys, or an application that people launch.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "A name for people.") var name: String
        @Option(help: "A file with the client's JWK Set (public keys: RSA for RS384, P-384 for ES384).") var jwks:
            String?
        @Option(name: .customLong("jwks-url"), help: "Where the client publishes its JWK Set.") var jwksURL: String?
        @Flag(name: .customLong("public"), help: "A launched application that can keep no secret; PKCE protects it.")
        var isPublic = false
        @Flag(name: .customLong("secret"), help: "Make a secret for a launched application, and print it once.")
        var hasSecret = false
        @Option(
            name: .customLong("redirect-uri"),
            help: "Where answers to a launched application go, each exactly as it will ask; may be repeated.")
        var redirectURIs: [String] = []
        @Option(help: "The page that an EHR opens to launch the application.") var launch: String?
        @Option(
            help: """
                The scopes it may be granted, separated by spaces: "system/*.rs" for a backend service, \
                "launch openid fhirUser offline_access patient/*.rs" for a launched application.
                """)
        var scope: String
        @Option(
            name: .customLong("id-token-alg"), help: "What its id_tokens are signed by: ES256, or RS256 for older ones."
        )
        var identityAlgorithm = IdentityAlgorithm.es256.rawValue
        @Option(help: "The client id, of A-Z a-z 0-9 . _ ~ -; a random one when left out.") var id: String?

        func run() async throws {
            if let id { try RegistrationCheck.checkID(id) }
            let scopes = try LaunchedClientCheck.scopes(scope, isLaunched: !redirectURIs.isEmpty)
            let proofs = [jwks != nil, jwksURL != nil, isPublic, hasSecret].count { $0 }
            guard let identityAlgorithm = IdentityAlgorithm(rawValue: identityAlgorithm) else {
                throw ValidationError("--id-token-alg is ES256 or RS256")
            }
            guard proofs == 1 else { throw ValidationError("give one of --jwks, --jwks-url, --public and --secret") }
            try LaunchedClientCheck.check(
                redirectURIs: redirectURIs, launch: launch, isPublic: isPublic, hasSecret: hasSecret, scopes: scopes)
            var keys: String?
            if let jwks {
                guard let data = FileManager.default.contents(atPath: jwks) else {
                    throw ValidationError("\(jwks): cannot be read")
                }
                keys = String(decoding: data, as: UTF8.self)
                try RegistrationCheck.checkKeys(keys ?? "")
            }
            let server = ServerFolder(folder)
            if let jwksURL {
                try await RegistrationCheck.checkURL(jwksURL, try ServerConfiguration.load(from: server), server)
            }
            let clientID = id ?? SystemEntropy().newID().value
            let secret = hasSecret ? ClientSecret.made() : nil
            try await StoreComposition.with(server) { store in
                if id != nil, try await store.client(id: clientID) != nil {
                    throw ValidationError("a client \(clientID) is registered already")
                }
                try await store.save(
                    Client(
                        id: clientID, name: name, jwks: keys, jwksURL: jwksURL, scopes: scopes.resources,
                        launchScopes: scopes.others, redirectURIs: redirectURIs, launchURL: launch,
                        secretDigest: secret?.digest, isPublic: isPublic, identityAlgorithm: identityAlgorithm,
                        registeredAt: SystemClock().now().microseconds),
                    recording: .ofCommand("client register", .create, "client:" + clientID, detail: scopes.text))
            }
            print("client_id: \(clientID)")
            if let secret { print("client_secret: \(secret.text)") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List clients.")
        @Argument(help: "The server folder.") var folder: String
        func run() async throws {
            try await StoreComposition.with(ServerFolder(folder)) { store in
                let waiting = Set(try await store.waiting(at: SystemClock().now().microseconds).map(\.client.id))
                for client in try await store.clients() {
                    let state = Self.state(of: client, waiting: waiting)
                    let proof =
                        client.isPublic
                        ? "public" : client.secretDigest != nil ? "secret" : client.jwksURL ?? "inline keys"
                    let scopes = GrantedScopes(resources: client.scopes, others: client.launchScopes)
                    let line = [client.id, state, client.name, proof, scopes.text] + client.redirectURIs
                    print(line.joined(separator: "\t"))
                }
            }
        }

        /// - Parameter waiting: the ids of those that have asked and that no operator has decided about.
        static func state(of client: Client, waiting: Set<String>) -> String {
            waiting.contains(client.id) ? "waiting" : client.revokedAt == nil ? "active" : "revoked"
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a client; its tokens stop working within a minute.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The client id.") var id: String
        func run() async throws {
            try await StoreComposition.with(ServerFolder(folder)) { store in
                guard let client = try await store.client(id: id), client.revokedAt == nil,
                    try await store.revoke(
                        clientID: id, at: SystemClock().now().microseconds,
                        recording: .ofCommand("client revoke", .update, "client:" + id))
                else { throw ValidationError("no active client \(id)") }
            }
            print("revoked \(id)")
        }
    }
}

/// What is checked of a client's id and keys when it registers, so that the error comes now and not at the first token.
enum RegistrationCheck {
    /// Refuses an id that could be taken for another's: the audit trail names a client beside a person and an issuer, with
    /// bars between them, and paths name it too. RFC 3986 §2.3.
    static func checkID(_ id: String) throws {
        guard (1...255).contains(id.utf8.count), PercentCoding.encoded(id) == id, ![".", ".."].contains(id)
        else {
            throw ValidationError("--id: 1 to 255 of A-Z a-z 0-9 . _ ~ -")
        }
    }

    /// Refuses a URL that the server would not dial. A name that has no address now is registered with a warning: it
    /// is judged again at each fetch.
    static func checkURL(_ url: String, _ configuration: ServerConfiguration, _ folder: ServerFolder) async throws {
        do {
            try await OutboundComposition.outbound(configuration, folder).check(url)
        } catch .unresolvable {
            FileHandle.standardError.write(Data("warning: --jwks-url: \(OutboundRefusal.unresolvable.rawValue)\n".utf8))
        } catch {
            throw ValidationError("--jwks-url: \(error.rawValue)")
        }
    }

    static func checkKeys(_ text: String) throws {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let keys = object["keys"] as? [[String: Any]], !keys.isEmpty
        else { throw ValidationError("the file is no JWK Set: {\"keys\": [...]} with at least one key") }
        for key in keys {
            let kid = key["kid"] as? String ?? ""
            guard !kid.isEmpty else { throw ValidationError("a key has no kid") }
            if key["d"] != nil || key["k"] != nil {
                throw ValidationError("key \(kid) holds private material: give the public part only")
            }
            switch (key["kty"] as? String, key["crv"] as? String) {
            case ("RSA", _):
                guard let modulus = key["n"] as? String, modulus.utf8.count >= 342 else {
                    throw ValidationError("key \(kid): RSA keys must have 2048 bits or more")
                }
            case ("EC", "P-384"): continue
            default: throw ValidationError("key \(kid): RSA (RS384) or EC P-384 (ES384) is needed")
            }
        }
    }
}
