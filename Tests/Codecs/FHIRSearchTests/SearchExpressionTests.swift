import FHIRModel
import FHIRSearch
import Testing

/// FHIR R4 searchparameter.html, FHIRPath N1.
@Suite struct SearchExpressionTests {
    @Test("Every expression of R4 is read, except those that R4 itself gives no path")
    func allExpressions() throws {
        var count = 0
        var unsupported: Set<String> = []
        for type in FHIRDefinitions.r4.resourceTypes {
            count += FHIRDefinitions.r4.searchParameters(for: type).count
            for found in SearchIndexer.unsupported(type) {
                let name =
                    ["_text", "_content", "_query", "_filter"].contains(found.code)
                    ? found.code : "\(found.resourceType).\(found.code)"
                unsupported.insert("\(name): \(found.reason)")
            }
        }
        #expect(count > 2500)
        #expect(
            unsupported.sorted() == [
                "Location.near: special", "_content: no expression", "_filter: special", "_query: no expression",
                "_text: no expression",
            ])
    }

    @Test("No two parameters of R4 share a key, with their aspects and components")
    func keysAreDistinct() {
        var owner: [Int64: String] = [:]
        for type in FHIRDefinitions.r4.resourceTypes {
            for parameter in FHIRDefinitions.r4.searchParameters(for: type) {
                for aspect in [
                    SearchParameterKey.Aspect.value, .text, .identifier, .ofType, .word, .day, .component(0),
                    .component(1),
                    .component(2),
                ] {
                    let name = "\(type).\(parameter.code) \(aspect)"
                    let key = SearchParameterKey(type, parameter.code, aspect).number
                    #expect(owner[key] == nil || owner[key] == name, "\(name) and \(owner[key] ?? "")")
                    owner[key] = name
                }
            }
        }
    }

    @Test(
        "What is outside of the subset is refused with its place",
        arguments: [
            ("", 0), ("Patient.", 8), ("Patient.name.first()", 19), ("Patient.name.where(use='a' and x='b')", 27),
            ("Patient..name", 8),
            ("Patient.name[", 13), ("Patient.name[99999999999999999999]", 33), ("(Patient.name", 13),
            ("Patient.name)", 12),
            ("Patient.name.where(use='official", 32), ("%context.name", 8), ("Patient.active and Patient.name", 15),
        ])
    func refusals(expression: String, offset: Int) {
        #expect(throws: SearchExpressionError.self, "\(expression)") { try SearchExpression(parsing: expression) }
        do {
            _ = try SearchExpression(parsing: expression)
        } catch {
            #expect(error.offset == offset, "\(expression): \(error)")
        }
    }

    @Test("Nesting of parentheses ends at 8")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "(", count: depth) + "Patient.name" + String(repeating: ")", count: depth)
        }
        _ = try SearchExpression(parsing: nested(7))
        #expect(throws: SearchExpressionError.self) { try SearchExpression(parsing: nested(8)) }
        #expect(throws: SearchExpressionError.self) { try SearchExpression(parsing: nested(100_000)) }
        #expect(throws: SearchExpressionError.self) { try SearchExpression(parsing: nested(2_000)) }
    }

    @Test("A union in parentheses carries the steps after it into each alternative")
    func union() throws {
        let path = try SearchExpression(
            parsing: "(Observation.value as CodeableConcept).text | Observation.code.as(string)")
        #expect(
            path.alternatives == [
                .steps([.element("Observation"), .element("value"), .ofType("CodeableConcept"), .element("text")]),
                .steps([.element("Observation"), .element("code"), .ofType("string")]),
            ])
    }
}
