import Access
import HTTPSupport

/// An OpenID provider of the site, at which people may sign in instead of here: whose word counts, and for what.
package struct OutsideProvider: Sendable {
    /// A role for those of whom a claim holds a value.
    package struct RoleRule: Sendable, Hashable {
        package let value: String
        package let role: SignedInPerson.Role
        package init(value: String, role: SignedInPerson.Role) {
            self.value = value
            self.role = role
        }
    }

    /// In paths, and in the audit trail: `a-z 0-9 -`.
    package let name: String
    /// On the button.
    package let title: String
    /// As it names itself, byte for byte.
    package let issuer: String
    package let client: OutsideClient
    /// Beside `openid`.
    package var scopes: [String] = []
    package var algorithms: [SignatureAlgorithm] = [.rs256, .es256]
    /// The claim that names an account which is here already, for the first sign-in; nil where an operator links each. A claim
    /// `email` counts only with `email_verified`.
    package var accountClaim: String?
    /// Whether an account is made for who has none.
    package var makesAccounts = false
    /// The claim that tells the role of an account that is made.
    package var roleClaim: String?
    /// The first that fits counts.
    package var roles: [RoleRule] = []
    /// For those whom no rule fits; nil makes no account for them.
    package var otherRole: SignedInPerson.Role?
    /// The claim that tells who that is in the record, of an account that is made.
    package var fhirUserClaim: String?
    /// Methods of `amr` and classes of `acr` that stand for a second factor here. RFC 8176.
    package var strongMethods: [String] = []
    package var strongClasses: [String] = []

    package init(name: String, title: String, issuer: String, client: OutsideClient) {
        self.name = name
        self.title = title
        self.issuer = issuer
        self.client = client
    }

    /// Where its answers come to: a path of its own, so that one provider's answer is not taken for another's. RFC 9700 §4.4.2.
    var answerPath: String { "/account/sign-in/outside/\(name)/answer" }

    // MARK: What its claims say

    /// Whether the person has given a second factor there.
    func isStrong(_ claims: JOSEValue) -> Bool {
        if let methods = claims["amr"]?.elements?.compactMap(\.text), methods.contains(where: strongMethods.contains) {
            return true
        }
        return claims["acr"]?.text.map(strongClasses.contains) ?? false
    }

    /// The name of an account that is here already; nil for none.
    func accountName(_ claims: JOSEValue) -> String? {
        guard let accountClaim, let text = claims[accountClaim]?.text else { return nil }
        if accountClaim == "email", claims["email_verified"] != .boolean(true) { return nil }
        let name = text.lowercased()
        return Account.isName(name) ? name : nil
    }

    func role(_ claims: JOSEValue) -> SignedInPerson.Role? {
        var values: Set<String> = []
        if let roleClaim, let claim = claims[roleClaim] {
            values = Set(([claim] + (claim.elements ?? [])).compactMap(\.text))
        }
        return roles.first { values.contains($0.value) }?.role ?? otherRole
    }

    /// Who the person is in the record of this server: a relative reference of a type that fits the role.
    func fhirUser(_ claims: JOSEValue, as role: SignedInPerson.Role, fhirBaseURL: String) -> String? {
        guard let fhirUserClaim, var text = claims[fhirUserClaim]?.text else { return nil }
        if text.hasPrefix(fhirBaseURL + "/") { text = String(text.dropFirst(fhirBaseURL.count + 1)) }
        guard Account.isFHIRUser(text), let type = LaunchReference.parts(text)?.type else { return nil }
        switch role {
        case .referrer, .reader, .administrator:
            return ["Practitioner", "PractitionerRole"].contains(type) ? text : nil
        case .patient: return ["Patient", "RelatedPerson"].contains(type) ? text : nil
        case .operator: return nil
        }
    }

    /// For people: `name`, shortened; nil for none that can be shown.
    func displayName(_ claims: JOSEValue) -> String? {
        guard let text = claims["name"]?.text, !text.isEmpty, text.utf8.count <= Account.displayNameBytesMax else {
            return nil
        }
        return text
    }
}
