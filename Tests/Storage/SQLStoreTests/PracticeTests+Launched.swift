import Access
import Testing

@testable import SQLStore

extension PracticeTests {
    @Test(
        "SMART 2.2: what is of the launch's patient and of another is asked of both, whichever of them is asked first",
        arguments: TestDatabases.all)
    func launchedAndAnother(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            try await Support.put(
                store,
                #"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/b"}}]}"#
            )
            let bound = Self.access(.referrer, scopes: "patient/*.rs", patient: "a")
            func expect(_ observations: [String], _ groups: [String], _ comment: Comment) async throws {
                #expect(try await Support.ids(store, "Observation", "", bound) == observations, comment)
                #expect(try await Support.ids(store, "Group", "", bound) == groups, comment)
                #expect(try await (store.read("Group", "g", access: bound) != nil) == !groups.isEmpty, comment)
                #expect(
                    try await (store.read("Observation", "oa", access: bound) != nil) == !observations.isEmpty, comment)
                #expect(try await store.read("Observation", "ob", access: bound) == nil, comment)
            }
            func label(_ patient: String, _ label: String) async throws {
                try await Support.put(store, Self.labelled("Patient", patient, label, #""active":true"#))
            }
            try await expect([], [], "nothing lets either in")
            #expect(try await Self.grant(store, "b"))
            try await expect([], ["g"], "the other is let in")
            #expect(try await Self.grant(store, "a"))
            try await expect(["oa"], ["g"], "both are let in")
            try await label("b", "V")
            try await expect(["oa"], [], "the other is kept out")
            try await label("a", "V")
            try await expect([], [], "both are kept out")
            try await label("b", "N")
            try await expect([], [], "the launch's patient is kept out")
            try await label("a", "N")
            try await expect(["oa"], ["g"], "neither is")
        }
    }
}
