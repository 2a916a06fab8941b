import Access
import NIOSSL
import OutboundAdapter

/// Whom the configuration names beside this server, and by what this server proves itself to them: whether each secret, key
/// and authority is there and can be used. Nobody is called.
struct OutsideDoctor {
    let configuration: ServerConfiguration
    let folder: ServerFolder

    var findings: [DoctorFinding] {
        ofSignIn + ofServers + ofRegistration + ofImports + ofIdentities + ofAuthorities + ofViewer
    }

    /// What is called by HTTPS, and where it stands.
    var urls: [(place: String, url: String)] {
        var urls: [(place: String, url: String)] = []
        for provider in configuration.signIn.providers {
            urls.append(("sign-in.providers.\(provider.name)", provider.issuer))
        }
        for server in configuration.authorizationServers {
            urls.append(("authorization-servers", server.introspection?.url ?? server.keySetURL ?? server.issuer))
        }
        for issuer in configuration.registration.statementIssuers {
            urls.append(("registration.statement-issuers", issuer.keySetURL))
        }
        for source in configuration.imports.sources {
            urls.append((source.place, source.base))
            urls.append((source.place, source.token.url))
        }
        for (title, identity) in configuration.identities.byTitle.sorted(by: { $0.key < $1.key }) {
            if case .token(let token) = identity.proof { urls.append(("identities.\(title)", token.url)) }
        }
        return urls
    }

    private var outside: OutsideComposition { OutsideComposition(configuration, folder) }

    private func finding(_ place: String, _ good: String, _ use: () throws -> Void) -> DoctorFinding {
        do {
            try use()
            return DoctorFinding(kind: .good, text: "\(place): \(good)")
        } catch {
            let text = "\(error)"
            return DoctorFinding(
                kind: .bad, text: text.hasPrefix(place) ? text : "\(place): \(text)",
                fix: "correct `\(place)`, or put the file that it names there, for its owner alone (chmod 600)")
        }
    }

    private var ofIdentities: [DoctorFinding] {
        let titles = configuration.identities.byTitle.keys.sorted()
        guard !titles.isEmpty else { return [] }
        return [
            finding("identities", "\(titles.joined(separator: ", ")) are told who the user is") {
                _ = try PeerIdentities(configuration, folder)
            }
        ]
    }

    private var ofSignIn: [DoctorFinding] {
        configuration.signIn.providers.map { provider in
            let place = "sign-in.providers.\(provider.name)"
            return finding(place, "people may sign in at \(provider.issuer)") {
                _ = try outside.client(provider.client, place)
            }
        }
    }

    private var ofServers: [DoctorFinding] {
        configuration.authorizationServers.map { server in
            finding("authorization-servers", "tokens of \(server.issuer) are taken") {
                if let introspection = server.introspection {
                    _ = try outside.client(introspection.client, "authorization-servers.introspection")
                }
            }
        }
    }

    private var ofRegistration: [DoctorFinding] {
        let registration = configuration.registration
        guard registration.isDynamic else {
            guard registration.initialTokenFile != nil || !registration.statementIssuers.isEmpty else { return [] }
            return [
                DoctorFinding(
                    kind: .note, text: "registration: nobody may ask, for `dynamic` is not true",
                    fix: "set registration.dynamic to true, or leave the other keys out")
            ]
        }
        let who = registration.initialTokenFile == nil ? "anybody" : "who has the initial token"
        return [
            finding("registration", "\(who) may ask; an operator decides within \(registration.waitDays) days") {
                if let file = registration.initialTokenFile {
                    _ = try outside.secret(in: file, "registration.initial-token")
                }
            }
        ]
    }

    private var ofImports: [DoctorFinding] {
        configuration.imports.sources.map { source in
            finding(source.place, "files below \(source.base) are fetched with a token") {
                _ = try RoutingComposition.key(source.token, at: source.place + ".key", folder)
            }
        }
    }

    private var ofAuthorities: [DoctorFinding] {
        guard let file = configuration.outbound.authorities else { return [] }
        let path = folder.resolve(file)
        return [
            finding("outbound.authorities", "\(path) is trusted beside the system's") {
                guard let found = try? NIOSSLCertificate.fromPEMFile(path), !found.isEmpty else {
                    throw ConfigurationError("outbound.authorities: \(path): no certificate in PEM can be read there")
                }
            }
        ]
    }

    private var ofViewer: [DoctorFinding] {
        guard !configuration.viewer.isServed, !configuration.viewer.frameOrigins.isEmpty else { return [] }
        return [
            DoctorFinding(
                kind: .note, text: "viewer.frame-origins: no page is there to be framed, for `serve` is false",
                fix: "leave frame-origins out, or set viewer.serve to true")
        ]
    }
}

extension DoctorCommand {
    /// The same, and whether what is called may be called.
    func checkOutside(_ configuration: ServerConfiguration, _ server: ServerFolder, _ doctor: inout Doctor) async {
        let outside = OutsideDoctor(configuration: configuration, folder: server)
        doctor.tell(outside.findings)
        let outbound = OutboundComposition.outbound(configuration, server)
        for (place, url) in outside.urls {
            do throws(OutboundRefusal) { try await outbound.check(url) } catch {
                doctor.bad(
                    "\(place): \(url): \(error.rawValue)",
                    fix: "correct the URL, or name its network in outbound.allow-networks")
            }
        }
    }
}
