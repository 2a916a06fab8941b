import FHIRModel
import Testing

@testable import FHIRResources

/// What versions say of who may see whom. Decision 0034.
@Suite("Facts of access")
struct AccessFactsTests {
    private static func role(_ rest: String) throws -> AccessFacts {
        let json = """
            {"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/d"},\
            "organization":{"reference":"Organization/g"}\(rest)}
            """
        return AccessFacts("PractitionerRole", "r", try JSONDocument(parsing: json), base: "", zone: .utc)
    }

    @Test("Of a role with more numbers than are kept that by which it is refused stays; FHIR R4 practitionerrole.html")
    func bounded() throws {
        let numbers = (0..<1_200).map { #"{"system":"urn:staff","value":"\#($0)"}"# }.joined(separator: ",")
        let facts = try Self.role(#","identifier":[\#(numbers)]"#)
        #expect(facts.actors.count == AccessFacts.rowsMax)
        for person in ["Practitioner/d", "PractitionerRole/r"] {
            #expect(
                facts.actors.contains {
                    $0.person == person && $0.actor == "Organization/g" && $0.bond == .belongs && $0.span == .always
                })
        }
    }

    @Test("Who works for an organization does so within the period of an active role; FHIR R4 practitionerrole.html")
    func works() throws {
        func spans(_ rest: String) throws -> Set<AccessFacts.Span> {
            Set(try Self.role(rest).actors.filter { $0.bond == .works }.map(\.span))
        }
        #expect(try spans("") == [.always])
        #expect(try spans(#","active":false"#).isEmpty)
        #expect(try spans(#","period":{"start":"once"}"#).isEmpty)
        let bound = try #require(try spans(#","period":{"start":"2020","end":"2021"}"#).first)
        #expect(bound.since == 1_577_836_800_000_000)
        #expect(bound.until == 1_640_995_200_000_000)
    }
}
