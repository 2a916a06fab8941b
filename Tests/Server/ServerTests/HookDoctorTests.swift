import Access
import SMARTAPI
import Testing

@testable import hilum

/// What `hilum doctor` says of `cds-hooks`.
struct HookDoctorTests {
    private static func client(
        _ id: String, _ scopes: String, keys: String? = "{}", launch: String? = nil, revoked: Int64? = nil
    ) -> Client {
        Client(
            id: id, name: id, jwks: keys, jwksURL: nil,
            scopes: scopes.split(separator: " ").compactMap { Scope(String($0)) }, launchURL: launch, registeredAt: 0,
            revokedAt: revoked)
    }

    private static func kinds(_ clients: [Client]) -> [ArchiveDoctor.Finding.Kind] {
        let hooks = CDSHooksConfiguration(clients: ["https://ehr.test": "ehr"], applicationID: "app")
        let findings = HookDoctor(hooks: hooks, clients: clients, folder: "F").findings
        #expect(findings.allSatisfy { $0.kind == .good || !$0.fix.isEmpty })
        return findings.map(\.kind)
    }

    @Test("A caller that is not registered, is revoked, has no keys or reads too little is told with what to do")
    func callers() {
        let app = Self.client("app", "", launch: "https://app.test/launch")
        #expect(Self.kinds([app, Self.client("ehr", "system/*.rs")]) == [.good])
        #expect(Self.kinds([app, Self.client("ehr", "system/Patient.rs system/ImagingStudy.cruds")]) == [.good])
        for caller in [
            Self.client("else", "system/*.rs"), Self.client("ehr", "system/*.rs", revoked: 1),
            Self.client("ehr", "system/*.rs", keys: nil), Self.client("ehr", "system/Patient.rs"),
            Self.client("ehr", "system/*.r"), Self.client("ehr", "patient/*.rs"),
            Self.client("ehr", "system/Patient.rs?gender=male system/ImagingStudy.rs"),
        ] {
            #expect(Self.kinds([app, caller]) == [.bad], "\(caller.scopes)")
        }
    }

    @Test("An application without a launch page leaves the cards without a link")
    func application() {
        #expect(Self.kinds([Self.client("ehr", "system/*.rs")]) == [.note])
        #expect(Self.kinds([Self.client("ehr", "system/*.rs"), Self.client("app", "")]) == [.note])
    }
}
