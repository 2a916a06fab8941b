import Access
import Testing

/// SMART App Launch 2.2 §Scopes; house decision 5.
struct AccessContextTests {
    private func context(_ scopes: String..., patient: String? = nil) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: "c"), scopes: scopes.compactMap { Scope($0) }, patient: patient,
            requestID: "r")
    }

    private func search(_ value: String) -> VisibilityRule.Condition {
        .search(ScopeConstraint(name: "category", value: value))
    }

    @Test("Nothing granted is nothing; a letter grants only itself, on its type")
    func letters() {
        #expect(context().visibility(.read, of: "Patient") == .nothing)
        let reader = context("system/Patient.r")
        #expect(reader.visibility(.read, of: "Patient") == .whole)
        #expect(reader.visibility(.search, of: "Patient") == .nothing)
        #expect(reader.visibility(.read, of: "Observation") == .nothing)
        #expect(reader.visibility(.read, of: "*") == .nothing)
        #expect(reader.allows(.read, on: "Patient"))
        #expect(!reader.allows(.search, on: "Patient"))
    }

    @Test("Scopes of the patient and user level reach nothing without a patient in context")
    func otherLevels() {
        #expect(context("patient/*.cruds", "user/*.cruds").visibility(.read, of: "Patient") == .nothing)
        #expect(context("user/*.cruds", patient: "p").visibility(.read, of: "Patient") == .nothing)
    }

    @Test("SMART 2.2: a scope of the user level reaches each compartment of the person, as it narrows it")
    func userLevel() {
        let reach = [Compartment.patient("p"), Compartment(type: "Practitioner", id: "d")]
        let access = AccessContext(
            principal: .person("a", client: "c", name: "A"),
            scopes: ["user/*.rs", "user/Task.r?status=draft"].compactMap { Scope($0) }, patient: "q", reach: reach,
            requestID: "r")
        let rules = reach.map { VisibilityRule([.compartment($0)]) }
        #expect(access.visibility(.read, of: "Observation") == .anyOf(rules))
        #expect(access.visibility(.create, of: "Observation") == .nothing)
        #expect(!access.allows(.update, on: "Observation"))
        #expect(access.principal.id == "a|c")
    }

    @Test("SMART 2.2: a scope of the patient level reaches the compartment of the patient in context, as it narrows it")
    func patientLevel() {
        let own = VisibilityRule.Condition.compartment(.patient("p"))
        #expect(
            context("patient/*.rs", patient: "p").visibility(.search, of: "Observation")
                == .anyOf([VisibilityRule([own])]))
        #expect(
            context("patient/Observation.rs?category=a", patient: "p").visibility(.read, of: "Observation")
                == .anyOf([VisibilityRule([own, search("a")])]))
        #expect(context("patient/Observation.rs", patient: "p").visibility(.read, of: "Patient") == .nothing)
        #expect(context("patient/Observation.rs", patient: "p").visibility(.create, of: "Observation") == .nothing)
        #expect(
            context("patient/*.rs", "system/Patient.r", patient: "p").visibility(.read, of: "Patient") == .whole)
    }

    @Test("Granular scopes are a union of rules; an unconstrained one beside them lifts them")
    func granular() {
        let both = context("system/Observation.rs?category=a", "system/Observation.r?category=b")
        #expect(
            both.visibility(.read, of: "Observation")
                == .anyOf([VisibilityRule([search("a")]), VisibilityRule([search("b")])]))
        #expect(both.visibility(.search, of: "Observation") == .anyOf([VisibilityRule([search("a")])]))
        #expect(
            context("system/Observation.rs?category=a", "system/*.rs").visibility(.read, of: "Observation") == .whole)
    }

    @Test("A reading may be begun with a part of the type, a change with the whole letter only")
    func beginnings() {
        for letter in [Permissions.create, .update, .delete] {
            let text = letter.letters
            #expect(context("system/Observation.\(text)").allows(letter, on: "Observation"), "\(text)")
            #expect(!context("system/Observation.\(text)?category=a").allows(letter, on: "Observation"), "\(text)")
            #expect(!context("patient/*.cruds", patient: "p").allows(letter, on: "Observation"), "\(text)")
        }
        for letter in [Permissions.read, .search] {
            let text = letter.letters
            #expect(context("system/Observation.\(text)?category=a").allows(letter, on: "Observation"), "\(text)")
            #expect(context("patient/*.cruds", patient: "p").allows(letter, on: "Observation"), "\(text)")
        }
    }

    @Test("The server's own work is not limited")
    func unrestricted() {
        #expect(AccessContext.server(requestID: "x").visibility(.delete, of: "Patient") == .whole)
        #expect(AccessContext.server(requestID: "x").allows(.delete, on: "Patient"))
    }
}
