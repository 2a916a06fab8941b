import Foundation
import Testing

extension JourneyTests {
    /// `hilum user`: accounts beside a running server, which the sign-in pages know at once.
    @Suite(.tlsServer, .serialized) struct UserCommandTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private func user(_ verb: String, _ words: String...) async throws -> HilumProgram.Ending {
            try await HilumProgram.run(["user", verb, context.server.folder.path] + words)
        }

        /// The line of an account in the list.
        private func line(_ name: String) async throws -> [String]? {
            try await user("list").text.split(separator: "\n").first { $0.hasPrefix(name + "\t") }?
                .split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }

        @Test("An account is added with a one-time code, locked, linked, reset and removed beside a running server")
        func journey() async throws {
            let added = try await user(
                "add", "anna.miller", "--role", "practitioner", "--display-name", "Dr. Anna Miller", "--fhir-user",
                "Practitioner/7")
            #expect(added.code == 0, "\(added.text)")
            let code = try #require(added.text.firstMatch(of: /one-time code: ([A-Z2-7-]{23})\n/)?.1)
            #expect(added.text.contains("/account/sign-in"))
            #expect(
                try await line("anna.miller") == [
                    "anna.miller", "referrer", "active", "no password yet", "Dr. Anna Miller", "Practitioner/7",
                ])
            #expect(try await user("lock", "anna.miller").code == 0)
            #expect(try await line("anna.miller")?[2] == "locked")
            #expect(try await user("unlock", "anna.miller").code == 0)
            #expect(try await user("link", "anna.miller", "--patient", "p1", "--patient", "p2").code == 0)
            #expect(try await line("anna.miller")?.last == "Practitioner/7 Patient/p1 Patient/p2")
            #expect(try await user("link", "anna.miller", "--no-patients").code == 0)
            #expect(try await line("anna.miller")?.last == "Practitioner/7")
            let reset = try await user("reset", "anna.miller", "--second-factor")
            let another = try #require(reset.text.firstMatch(of: /one-time code: ([A-Z2-7-]{23})\n/)?.1)
            #expect(another != code)
            #expect(try await user("remove", "anna.miller").code == 0)
            #expect(try await line("anna.miller") == nil)
        }

        @Test("Names, roles and links that are none, a name that is taken and an account that is not there are refused")
        func mistakes() async throws {
            #expect(try await user("add", "bert", "--role", "patient", "--display-name", "Bert").code == 0)
            for (words, text) in [
                (["bert", "--role", "patient", "--display-name", "B"], "already"),
                (["Bert", "--role", "patient", "--display-name", "B"], "a name is"),
                (
                    ["carl", "--role", "admin", "--display-name", "C"],
                    "referrer, reader, administrator, patient, operator"
                ),
                (["carl", "--role", "patient", "--display-name", ""], "--display-name"),
                (["carl", "--role", "patient", "--display-name", "C", "--fhir-user", "Device/1"], "--fhir-user"),
                (["carl", "--role", "patient", "--display-name", "C", "--patient", "a/b"], "--patient"),
                // The standard input is empty.
                (["carl", "--role", "patient", "--display-name", "C", "--password"], "12 characters"),
            ] {
                let ending = try await HilumProgram.run(["user", "add", context.server.folder.path] + words)
                #expect(ending.code != 0)
                #expect(ending.text.contains(text), "\(words): \(ending.text)")
            }
            for verb in ["lock", "unlock", "reset", "remove"] {
                #expect(try await user(verb, "nobody").text.contains("there is no account nobody"))
            }
            #expect(try await user("link", "bert").code != 0)
            #expect(try await line("carl") == nil)
            #expect(try await user("remove", "bert").code == 0)
        }
    }
}
