import Testing

@testable import HL7Translation

@Suite struct KeptFieldsTests {
    @Test("Fields come back as they were, with tabs, backslashes and absent ones")
    func roundTrip() {
        for fields in [
            [nil], [""], ["a"], ["a", nil, ""], ["\t", "\\", "\\t", "\\-", "-"], ["Ä\u{301}\r\n", "\\\\\t\\"],
        ] as [[String?]] {
            #expect(KeptFields.fields(KeptFields.text(fields)) == fields)
        }
    }

    @Test("What was not made so is nothing", arguments: ["\\", "a\\", "\\x", "a\t\\-b"])
    func other(text: String) { #expect(KeptFields.fields(text) == nil) }
}
