import Access
import SMARTAPI

/// Whose hooks are answered: whether the callers are registered, and what a card opens.
struct HookDoctor {
    typealias Finding = ArchiveDoctor.Finding

    let hooks: CDSHooksConfiguration
    /// All that are registered, the revoked ones too.
    let clients: [Client]
    /// The server folder, as commands name it.
    let folder: String

    var findings: [Finding] {
        let live = clients.filter { $0.revokedAt == nil }
        var findings: [Finding] = []
        for (issuer, id) in hooks.clients.sorted(by: { $0.key < $1.key }) {
            if let client = live.first(where: { $0.id == id }), Self.mayCall(client) { continue }
            findings.append(
                Finding(
                    kind: .bad,
                    text: "cds-hooks: \(issuer): \(id) is no client with keys that reads Patient and ImagingStudy",
                    fix: "`hilum client register \(folder) --id \(id)` with --jwks or --jwks-url and "
                        + "--scope \"system/Patient.rs system/ImagingStudy.rs\""))
        }
        if live.first(where: { $0.id == hooks.applicationID })?.launchURL == nil {
            findings.append(
                Finding(
                    kind: .note, text: "cds-hooks: \(hooks.applicationID) has no launch page, so cards have no link",
                    fix:
                        "start the server once with the viewer, or name a launched application in cds-hooks.application"
                ))
        }
        if findings.isEmpty {
            findings.append(
                Finding(kind: .good, text: "cds-hooks: \(hooks.clients.count) callers, who open \(hooks.applicationID)")
            )
        }
        return findings
    }

    /// Whether a caller can prove itself, and reads what a card is made of.
    private static func mayCall(_ client: Client) -> Bool {
        (client.jwks != nil || client.jwksURL != nil)
            && ["Patient", "ImagingStudy"].allSatisfy { type in
                client.scopes.contains {
                    $0.level == .system && $0.constraints.isEmpty && ["*", type].contains($0.resourceType)
                        && $0.permissions.isSuperset(of: [.read, .search])
                }
            }
    }
}

extension DoctorCommand {
    func checkHooks(
        _ configuration: ServerConfiguration, _ clients: [Client], _ folder: String, _ doctor: inout Doctor
    ) {
        guard let hooks = configuration.cdsHooks?.hooks else { return }
        doctor.tell(HookDoctor(hooks: hooks, clients: clients, folder: folder).findings)
    }
}
