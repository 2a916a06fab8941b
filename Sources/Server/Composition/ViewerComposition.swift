import Access
import SMARTAPI
import SQLStore
import ViewerAPI
import Workflow

/// The application as which the viewer signs in.
enum ViewerComposition {
    /// What the viewer may ask for: images and reports of one patient, or of all whom the person sees who signs in.
    private static let scopes = GrantedScopes(
        "launch launch/patient openid fhirUser online_access patient/Patient.r patient/ImagingStudy.rs "
            + "patient/DiagnosticReport.rs user/Patient.r user/ImagingStudy.rs user/DiagnosticReport.rs")

    /// Registers it where it is not, or is at another address. Who revoked it keeps it revoked.
    static func register(in store: RelationalStore, publicURL: String, now: () -> Int64) async throws {
        let address = publicURL + ViewerRoutes.path
        let known = try await store.client(id: ViewerRoutes.clientID)
        let wanted = Client(
            id: ViewerRoutes.clientID, name: "Hilum viewer", jwks: nil, jwksURL: nil, scopes: scopes.resources,
            launchScopes: scopes.others, redirectURIs: [address], launchURL: address, isPublic: true,
            registeredAt: known?.registeredAt ?? now(), revokedAt: known?.revokedAt)
        guard wanted != known, known?.revokedAt == nil else { return }
        try await store.record(
            AuditRecord(
                category: .security, interaction: "client register", action: known == nil ? .create : .update,
                outcome: .success, access: .server(requestID: "viewer"), entity: "client:" + wanted.id,
                detail: scopes.text))
        try await store.save(wanted)
    }

    /// Who is not asked for consent: by what they agreed before, and by the viewer, unless it is to ask.
    static func consents(
        _ configuration: ServerConfiguration, _ store: RelationalStore, publicURL: String
    ) -> ConsentPolicy {
        let isOwn = configuration.viewer.isServed && !configuration.viewer.asksConsent
        return ConsentPolicy(
            directory: store, days: configuration.consent.rememberedDays,
            own: isOwn
                ? .init(clientID: ViewerRoutes.clientID, redirectURI: publicURL + ViewerRoutes.path) : nil)
    }
}
