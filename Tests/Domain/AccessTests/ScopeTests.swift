import Access
import Testing

/// SMART App Launch 2.2 §Scopes for requesting FHIR Resources.
struct ScopeTests {
    @Test(
        "Text that is not a scope is refused",
        arguments: [
            "", "/", "system", "system/", "system/Patient", "system/Patient.", "system/.rs", "System/Patient.rs",
            "admin/Patient.rs",
            "system/Patient.sr", "system/Patient.rr", "system/Patient.x", "system/Patient.rsx", "system/patient.rs",
            "system/*x.rs",
            "system/Pati ent.rs", "system/Patient.rs?", "system/Patient.rs?=x", "system/Patient.rs?x",
            "system/Patient.READ",
            "launch", "openid", "system/Pätient.rs", "system/Patient .rs",
        ])
    func refused(text: String) { #expect(Scope(text) == nil) }

    @Test(
        "A scope is written as it was read",
        arguments: [
            "system/Patient.rs", "system/*.cruds", "user/Observation.c", "patient/*.s", "system/*.read",
            "system/Patient.write",
            "system/Patient.*", "system/Observation.rs?category=laboratory",
            "system/Observation.rs?category=a&code=x|y",
        ])
    func roundTrip(text: String) throws { #expect(try #require(Scope(text)).text == text) }

    @Test("Version 1: read is rs, write is cud, * is cruds")
    func version1() throws {
        #expect(try #require(Scope("system/Patient.read")).permissions == [.read, .search])
        #expect(try #require(Scope("system/Patient.write")).permissions == [.create, .update, .delete])
        #expect(try #require(Scope("system/Patient.*")).permissions == .all)
    }

    private func granted(_ requested: String, from registered: String) -> String {
        func scopes(_ text: String) -> [Scope] { text.split(separator: " ").compactMap { Scope(String($0)) } }
        return scopes(requested).granted(from: scopes(registered)).map(\.text).joined(separator: " ")
    }

    @Test(
        "A request is narrowed to what is registered: letters, types, constraints and level",
        arguments: [
            ("system/Patient.rs", "system/Patient.rs", "system/Patient.rs"),
            ("system/Patient.cruds", "system/Patient.rs", "system/Patient.rs"),
            ("system/Patient.rs", "system/Observation.rs", ""),
            ("system/Patient.c", "system/Patient.rs", ""),
            ("system/*.rs", "system/Patient.rs system/Observation.s", "system/Patient.rs system/Observation.s"),
            ("system/Patient.rs", "system/*.cruds", "system/Patient.rs"),
            ("system/*.rs", "system/*.rs system/Patient.rs", "system/*.rs"),
            ("system/Patient.rs", "system/Patient.r system/Patient.s", "system/Patient.rs"),
            ("user/Patient.rs", "system/*.cruds", ""),
            ("system/*.read", "system/*.cruds", "system/*.read"),
            ("system/*.*", "system/*.rs", "system/*.read"),
            ("system/Patient.read", "system/Patient.r", "system/Patient.r"),
            ("system/Patient.write", "system/Patient.read", ""),
            (
                "system/Observation.rs", "system/Observation.rs?category=laboratory",
                "system/Observation.rs?category=laboratory"
            ),
            (
                "system/Observation.rs?code=x", "system/Observation.rs?category=y",
                "system/Observation.rs?code=x&category=y"
            ),
            ("system/Observation.rs?code=x", "system/Observation.rs", "system/Observation.rs?code=x"),
            ("system/Patient.rs system/Patient.rs", "system/*.rs", "system/Patient.rs"),
            ("launch openid system/Patient.r", "system/*.rs", "system/Patient.r"),
        ])
    func narrowing(requested: String, registered: String, expected: String) {
        #expect(granted(requested, from: registered) == expected)
    }

    @Test(
        "Property: what is granted is included in what was asked and in one registered scope, and asking again changes nothing"
    )
    func grantIsWithin() throws {
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        func random(_ count: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % count)
        }
        func scope() -> Scope {
            let constraints = random(3) == 0 ? [ScopeConstraint(name: "category", value: ["a", "b"][random(2)])] : []
            return Scope(
                level: .system, resourceType: ["*", "Patient", "Observation"][random(3)],
                permissions: Permissions(rawValue: UInt8(random(31) + 1)), constraints: constraints)
        }
        for _ in 0..<2000 {
            let asked = scope()
            let registered = (0..<random(4)).map { _ in scope() }
            let grants = asked.granted(from: registered)
            for grant in grants {
                #expect(asked.includes(grant), "seed \(seed)")
                for letter in [Permissions.create, .read, .update, .delete, .search]
                where grant.permissions.contains(letter) {
                    let one = Scope(
                        level: .system, resourceType: grant.resourceType, permissions: letter,
                        constraints: grant.constraints)
                    #expect(registered.contains { $0.includes(one) }, "seed \(seed)")
                }
            }
            #expect(Set(grants.granted(from: registered)) == Set(grants), "seed \(seed)")
        }
    }
}
