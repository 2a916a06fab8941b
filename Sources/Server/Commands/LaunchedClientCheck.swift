import Access
import ArgumentParser
import SMARTAPI

/// What is checked of an application that people launch when it registers, so that the error comes now and not before a
/// person. RFC 6749 §3.1.2; RFC 9700 §2.1, §4.1.
enum LaunchedClientCheck {
    /// The scopes of a registration. Throws a `ValidationError` for a word that is no scope, and for one of the other kind of
    /// client.
    static func scopes(_ text: String, isLaunched: Bool) throws -> GrantedScopes {
        for word in text.split(separator: " ").map(String.init) where LaunchScope(rawValue: word) == nil {
            guard let scope = Scope(word) else { throw ValidationError("\(word) is no SMART scope") }
            guard isLaunched || scope.level == .system else {
                throw ValidationError("\(word): a backend client is granted system/ scopes only; see --redirect-uri")
            }
            guard !isLaunched || scope.level != .system else {
                throw ValidationError("\(word): a launched application is granted patient/ and user/ scopes only")
            }
        }
        let scopes = GrantedScopes(text)
        guard !scopes.isEmpty else { throw ValidationError("--scope names no scope") }
        guard isLaunched || scopes.others.isEmpty else {
            throw ValidationError("\(scopes.others[0].rawValue): a backend client is not launched; see --redirect-uri")
        }
        return scopes
    }

    /// Throws a `ValidationError` for what does not go together.
    static func check(
        redirectURIs: [String], launch: String?, isPublic: Bool, hasSecret: Bool, scopes: GrantedScopes
    ) throws {
        guard !redirectURIs.isEmpty else {
            guard !isPublic, !hasSecret else {
                throw ValidationError("--public and --secret are for launched applications: give --redirect-uri")
            }
            guard launch == nil else { throw ValidationError("--launch needs --redirect-uri") }
            return
        }
        guard redirectURIs.count <= 20 else { throw ValidationError("at most 20 redirect URIs") }
        for uri in redirectURIs {
            if let problem = RedirectURI.problem(uri, isPublic: isPublic) {
                throw ValidationError("--redirect-uri \(uri): \(problem)")
            }
        }
        if let launch {
            if let problem = RedirectURI.problem(launch, isPublic: false) {
                throw ValidationError("--launch \(launch): \(problem)")
            }
            guard scopes.others.contains(.launch) else {
                throw ValidationError("--launch: the scope launch is needed to be launched by an EHR")
            }
        }
    }
}
