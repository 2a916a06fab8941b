import Access
import Basics
import Cryptography

/// Makes the handle by which an application opens once, for whoever may prepare launches: the order of an EHR, or the call of
/// its hook. SMART 2.2 app-launch §Launch app: EHR launch.
struct LaunchPreparation: Sendable {
    /// How long a handle waits for the person to sign in and answer, in seconds.
    static let lifetime: Int64 = 600

    let fhirBaseURL: String
    let authorizations: any AuthorizationStore
    /// Microseconds since the epoch.
    let now: @Sendable () -> Int64
    /// Strong random bytes.
    let randomBytes: @Sendable (Int) -> [UInt8]

    /// Whether an EHR may launch an application at all.
    static func mayLaunch(_ client: Client) -> Bool {
        client.revokedAt == nil && !client.redirectURIs.isEmpty && client.launchScopes.contains(.launch)
    }

    /// Keeps a launch, and gives its handle with the URL that opens the application by it; that is nil where no launch page is
    /// registered. Throws the store's error.
    ///
    /// - Parameters:
    ///   - fhirUser: for whom it is alone, as a relative reference; nil for whoever signs in.
    ///   - preparer: the id of the client that prepares it.
    func prepare(
        _ client: Client, for fhirUser: String? = nil, _ context: LaunchContext, by preparer: String
    ) async throws -> (handle: String, url: String?) {
        let handle = Base64URL.encode(randomBytes(32))
        try await authorizations.save(
            PreparedLaunch(
                digest: SHA256.digest(handle.utf8), clientID: client.id, fhirUser: fhirUser, context: context,
                preparedBy: preparer, expires: now() + Self.lifetime * 1_000_000))
        let url = client.launchURL.map { RedirectURI.adding([("iss", fhirBaseURL), ("launch", handle)], to: $0) }
        return (handle, url)
    }
}
