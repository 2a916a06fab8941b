import Testing

/// What is special about a FHIR type is in its folder, behind ``FedType``: nobody else asks for a type by its name.
@Suite struct TypeSwitchTests {
    /// Types that the domain feeds.
    private static let fed =
        "Patient|Encounter|ServiceRequest|Task|ImagingStudy|DiagnosticReport|Observation|Endpoint|AllergyIntolerance|Condition|Coverage|RelatedPerson"

    /// Lines that decide by the name of a fed type: 17 before there was one list of them, none now.
    static func decisions(_ text: String) -> [Substring] {
        let words = fed.split(separator: "|")
        let marks =
            words.flatMap { ["== \"\($0)\"", "!= \"\($0)\"", "case \"\($0)\""] }
            + words.flatMap { ["case \($0)Projection.type", "== \($0)Projection.type", "[\($0)Projection.type"] }
        return text.split(separator: "\n").filter { line in
            !line.drop(while: { $0 == " " }).hasPrefix("//") && marks.contains { line.contains($0) }
        }
    }

    @Test("No source decides by the name of a FHIR type that the domain feeds")
    func sources() {
        let files = PackageTree.here.files(under: "Sources", ending: [".swift"]).filter {
            !$0.path.hasSuffix("+Generated.swift") && !$0.path.hasPrefix("Sources/Server/Demo/")
        }
        #expect(files.count >= 20)
        #expect(files.flatMap { file in Self.decisions(file.text).map { "\(file.path): \($0)" } } == [])
    }

    @Test("A switch and a comparison are found, a comment and another type are not")
    func badSample() {
        let bad =
            "case TaskProjection.type: a()\nif type == \"Patient\" {}\n// type == \"Patient\"\ncase \"Basic\": b()"
        #expect(Self.decisions(bad).count == 2)
    }
}
