import Access
import FHIRModel
import FHIRSearch
import Testing
import Workflow

@testable import FHIRResources

/// Whom a search looks for, so that archives can be asked for what they have of them. FHIR R4 imagingstudy.html#search.
@Suite("Patients that a search names")
struct SoughtPatientsTests {
    private static let server = AccessContext.server(requestID: "t")

    private static func sought(
        _ type: String, _ parameters: [(String, String)], _ access: AccessContext = server
    ) throws -> SoughtPatients {
        let parser = SearchQueryParser(baseURL: "https://hilum.example/fhir", now: 1_700_000_000_000_000)
        let query = try parser.parse(type, parameters.map { SearchQuery.Parameter(name: $0.0, value: $0.1) })
        return SoughtPatients(query, access: access)
    }

    @Test("By id, by URL, in a list, by the identifier in the reference and by that of the patient; each once")
    func named() throws {
        for name in ["patient", "subject", "subject:Patient"] {
            let value = name == "subject" ? "Patient/a" : "a"
            #expect(try Self.sought("ImagingStudy", [(name, value)]).ids == [EntityID("a")], "\(name)")
        }
        let list = try Self.sought("ImagingStudy", [("patient", "a,Patient/b"), ("subject", "Patient/a")])
        #expect(list.ids == [EntityID("a"), EntityID("b")] && list.identifiers.isEmpty)
        let mrn = [Identifier(system: "urn:mrn", value: "100")]
        #expect(try Self.sought("ImagingStudy", [("patient.identifier", "urn:mrn|100")]).identifiers == mrn)
        #expect(try Self.sought("ImagingStudy", [("patient:identifier", "urn:mrn|100")]).identifiers == mrn)
        // Without a system nobody is named for certain.
        #expect(try Self.sought("ImagingStudy", [("patient.identifier", "100")]).isEmpty)
    }

    @Test("Other parameters and other types name nobody; a caller with rights to one patient looks for that one")
    func others() throws {
        #expect(try Self.sought("ImagingStudy", [("status", "available")]).isEmpty)
        #expect(try Self.sought("ServiceRequest", [("patient", "a")]).isEmpty)
        let own = AccessContext(
            principal: Principal(kind: .client, id: "c"), scopes: [Scope("patient/ImagingStudy.rs")].compactMap(\.self),
            patient: "p", requestID: "r")
        #expect(try Self.sought("ImagingStudy", [], own).ids == [EntityID("p")])
        #expect(try Self.sought("ImagingStudy", [("patient", "a")], own).ids == [EntityID("a")])
        #expect(try Self.sought("ServiceRequest", [], own).isEmpty)
    }
}
