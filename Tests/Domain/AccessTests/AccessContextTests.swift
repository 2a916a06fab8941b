import Access
import Testing

/// SMART App Launch 2.2 §Scopes; house decision 5.
struct AccessContextTests {
    private func context(_ scopes: String...) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: "c"), scopes: scopes.compactMap { Scope($0) }, requestID: "r")
    }

    @Test("Nothing granted is refused; a letter grants only itself, on its type")
    func decisions() {
        #expect(context().decision(.read, on: "Patient") == .refused)
        let reader = context("system/Patient.r")
        #expect(reader.decision(.read, on: "Patient") == .permitted(anyOf: []))
        #expect(reader.decision(.search, on: "Patient") == .refused)
        #expect(reader.decision(.read, on: "Observation") == .refused)
        #expect(reader.decision(.read, on: "*") == .refused)
    }

    @Test("Scopes of the patient and user level reach nothing without a launch context")
    func otherLevels() {
        #expect(context("patient/*.cruds", "user/*.cruds").decision(.read, on: "Patient") == .refused)
    }

    @Test("Granular scopes are a union of constraints; an unconstrained one beside them lifts them")
    func granular() {
        let a = ScopeConstraint(name: "category", value: "a")
        let b = ScopeConstraint(name: "category", value: "b")
        #expect(
            context("system/Observation.rs?category=a", "system/Observation.r?category=b").decision(
                .read, on: "Observation")
                == .permitted(anyOf: [[a], [b]]))
        #expect(
            context("system/Observation.rs?category=a", "system/Observation.r?category=b").decision(
                .search, on: "Observation")
                == .permitted(anyOf: [[a]]))
        #expect(
            context("system/Observation.rs?category=a", "system/*.rs").decision(.read, on: "Observation")
                == .permitted(anyOf: []))
    }

    @Test("The server's own work is not limited; permitted types are filtered in order")
    func unrestrictedAndFilter() {
        #expect(AccessContext.server(requestID: "x").allows(.delete, on: "Patient"))
        #expect(
            context("system/Patient.s", "system/Device.s").permitted(
                .search, among: ["Device", "Observation", "Patient"]) == ["Device", "Patient"])
    }
}
