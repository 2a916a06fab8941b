import Access
import FHIRModel
import Workflow

/// What an AuditEvent says of one row of the audit trail. FHIR R4 auditevent.html; IHE BALP 1.1.
///
/// It is made when it is asked for, and is stored nowhere.
package struct AuditEvent: Sendable, Hashable {
    package static let type = "AuditEvent"

    /// For whom it is made.
    package enum Shape: Sendable, Hashable {
        /// Who sees the whole trail.
        case whole
        /// Who sees the rows of a patient: who did what when with what of theirs. Without addresses, the words of queries,
        /// request and token ids and reasons, which tell of others.
        case ofPatient
    }

    struct Code: Sendable, Hashable {
        let system: String
        let code: String
        let display: String

        init(_ system: String, _ code: String, _ display: String) {
            self.system = system
            self.code = code
            self.display = display
        }
    }

    struct Agent: Sendable, Hashable {
        var type: Code
        var identifierSystem: String?
        var identifierValue: String
        var name: String?
        var requestor: Bool
        /// Address and its code of `network-type`: 2 for an IP address, 5 for a URI.
        var network: Network?
        /// The id of the access token, never the token.
        var tokenID: String?
    }

    struct Network: Sendable, Hashable {
        var address: String
        var type: String
    }

    struct Entity: Sendable, Hashable {
        var type: Code
        var role: Code?
        /// Type and id of a resource of this server.
        var reference: Reference?
        var identifier: Identifier?
        var name: String?
        /// The words of a query, as they are kept. Never beside a name. FHIR R4 auditevent.html, sev-1.
        var query: String?
    }

    struct Reference: Sendable, Hashable {
        var type: String
        var id: String
        var version: String?
    }

    struct Identifier: Sendable, Hashable {
        var system: String?
        var value: String
    }

    /// The row's number.
    package let number: Int64
    /// Microseconds since 1970 UTC.
    package let time: Int64
    /// The logical ids of the patients concerned: as the row names them, of those alone that may be shown.
    package let patients: [String]
    /// In whose records they are now, where they were merged: a search for these finds the event too.
    let survivors: Set<String>
    let shape: Shape
    let type: Code
    let subtypes: [Code]
    /// For what it was done; nil where nobody has said.
    let purpose: Code?
    let action: String
    let outcome: String
    let outcomeText: String?
    let agents: [Agent]
    let entities: [Entity]
    /// The BALP profile that it follows.
    let profile: String?
    /// The FHIR base URL.
    let base: String

    package var id: String { Self.id(number) }

    // MARK: Ids

    private static let idStart = "trail-"

    /// The logical id of a row's event.
    package static func id(_ number: Int64) -> String { idStart + String(number) }

    /// The number of the row of an id; nil for an id that no row has.
    package static func number(_ id: String) -> Int64? {
        guard id.hasPrefix(idStart), let number = Int64(id.dropFirst(idStart.count)), number > 0, self.id(number) == id
        else { return nil }
        return number
    }
}
