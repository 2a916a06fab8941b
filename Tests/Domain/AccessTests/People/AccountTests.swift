import Testing

@testable import Access

/// What names, ids and links of accounts may be.
struct AccountTests {
    @Test("Names of accounts", arguments: ["a", "anna.miller", "7", "anna@hospital.example", "a-b_c"])
    func names(_ text: String) { #expect(Account.isName(text)) }

    @Test(
        "What no name of an account is",
        arguments: ["", ".a", "-a", "@a", "Anna", "anna miller", "änna", "a\u{0}", "a/b", "a'b", "a<b>", "аnna"])
    func noNames(_ text: String) { #expect(!Account.isName(text)) }

    @Test("A name of 64 bytes is one, of 65 none")
    func length() {
        #expect(Account.isName(String(repeating: "a", count: 64)))
        #expect(!Account.isName(String(repeating: "a", count: 65)))
    }

    @Test("SMART 2.2 §fhirUser: the five types that a user may be, by a relative reference")
    func users() {
        for type in ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Person"] {
            #expect(Account.isFHIRUser(type + "/a.1-B"))
        }
        for text in [
            "", "Practitioner", "Practitioner/", "Device/1", "https://x/Practitioner/1", "Practitioner/1/2",
            "Practitioner/ä",
        ] {
            #expect(!Account.isFHIRUser(text))
        }
    }
}
