import FHIRModel
import FHIRSearch
import Testing
import Workflow

@testable import FHIRResources

/// Whom a Group describes. FHIR R4 group-definitions.html#Group.characteristic.
@Suite("Groups that are described")
struct GroupCharacteristicsTests {
    /// 2026-11-30T12:00:00Z.
    private static let time = UTCInstant(microseconds: 1_796_040_000_000_000)

    private static func read(
        _ characteristics: String, type: String = "person", at time: UTCInstant = time
    ) throws -> GroupCharacteristics {
        let json = #"{"resourceType":"Group","type":"\#(type)","characteristic":[\#(characteristics)]}"#
        return try GroupCharacteristics(JSONValue(try JSONDocument(parsing: json)), at: time)
    }

    private static func one(_ system: String, _ code: String, _ value: String, _ more: String = "") -> String {
        #"{"code":{"coding":[{"system":"\#(system)","code":"\#(code)"}]},\#(value),"exclude":false\#(more)}"#
    }

    private static func texts(_ conditions: [GroupCharacteristics.Condition]) -> [String] {
        conditions.flatMap(\.parameters).map { "\($0.name)=\($0.value)" }
    }

    @Test("Gender, age as of the transaction time, diagnosis and modality become conditions of a search")
    func kinds() throws {
        let gender = Self.one("http://loinc.org", "76689-9", #""valueCodeableConcept":{"coding":[{"code":"female"}]}"#)
        let age = Self.one(
            "http://loinc.org", "30525-0", #""valueRange":{"low":{"value":40,"code":"a"},"high":{"value":64}}"#)
        let diagnosis = Self.one(
            "http://snomed.info/sct", "439401001",
            #""valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"254837009"},{"system":"urn:a,b","code":"x|y"}]}"#
        )
        let modality = Self.one(
            "http://dicom.nema.org/resources/ontology/DCM", "121139",
            #""valueCodeableConcept":{"coding":[{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"MG"}]}"#
        ).replacing("\"exclude\":false", with: "\"exclude\":true")
        let group = try Self.read([gender, age, diagnosis, modality].joined(separator: ","))
        #expect(
            Self.texts(group.included) == [
                "gender=female", "birthdate=le1986-11-30", "birthdate=gt1961-11-30",
                #"_has:Condition:patient:code=http://snomed.info/sct|254837009,urn:a\,b|x\|y"#,
            ])
        #expect(
            Self.texts(group.excluded) == [
                "_has:ImagingStudy:patient:modality=http://dicom.nema.org/resources/ontology/DCM|MG"
            ])
        #expect(group.types == ["Patient", "Condition", "ImagingStudy"])
    }

    @Test("Ages by comparator; the 29th of February falls on the 28th in a common year")
    func ages() throws {
        for (quantity, expected) in [
            (#""value":18"#, ["birthdate=le2008-11-30", "birthdate=gt2007-11-30"]),
            (#""value":18,"comparator":">=""#, ["birthdate=le2008-11-30"]),
            (#""value":18,"comparator":">""#, ["birthdate=le2007-11-30"]),
            (#""value":18,"comparator":"<""#, ["birthdate=gt2008-11-30"]),
            (#""value":18,"comparator":"<=""#, ["birthdate=gt2007-11-30"]),
        ] {
            let group = try Self.read(Self.one("http://loinc.org", "30525-0", #""valueQuantity":{\#(quantity)}"#))
            #expect(Self.texts(group.included) == expected, "\(quantity)")
        }
        // 2028-02-29T00:00:00Z.
        let leap = UTCInstant(microseconds: 1_835_395_200_000_000)
        let group = try Self.read(
            Self.one("http://loinc.org", "30525-0", #""valueQuantity":{"value":1,"comparator":">="}"#), at: leap)
        #expect(Self.texts(group.included) == ["birthdate=le2027-02-28"])
    }

    @Test("What is not understood is refused: to pass over it would make more patients members")
    func refused() {
        let gender = Self.one("http://loinc.org", "76689-9", #""valueCodeableConcept":{"coding":[{"code":"male"}]}"#)
        for bad in [
            "", Self.one("http://loinc.org", "8302-2", #""valueQuantity":{"value":180}"#),
            Self.one("urn:other", "76689-9", #""valueCodeableConcept":{"coding":[{"code":"male"}]}"#),
            Self.one("http://loinc.org", "76689-9", #""valueCodeableConcept":{"coding":[{"code":"m"}]}"#),
            Self.one("http://loinc.org", "76689-9", #""valueBoolean":true"#),
            Self.one("http://loinc.org", "30525-0", #""valueQuantity":{"value":1.5}"#),
            Self.one("http://loinc.org", "30525-0", #""valueQuantity":{"value":18,"code":"mo"}"#),
            Self.one("http://loinc.org", "30525-0", #""valueRange":{}"#),
            Self.one("http://loinc.org", "30525-0", #""valueQuantity":{"value":18,"comparator":"ad"}"#),
            Self.one("http://loinc.org", "29308-4", #""valueCodeableConcept":{"coding":[{"code":"no-system"}]}"#),
            Self.one("http://loinc.org", "29308-4", #""valueCodeableConcept":{"text":"cancer"}"#),
            Self.one(
                "http://loinc.org", "76689-9", #""valueCodeableConcept":{"coding":[{"code":"male"}]}"#,
                #","period":{"start":"2020"}"#),
            Array(repeating: gender, count: 21).joined(separator: ","),
        ] {
            #expect(throws: InteractionError.self, "\(bad)") { _ = try Self.read(bad) }
        }
        #expect(throws: InteractionError.self) { _ = try Self.read(gender, type: "device") }
    }
}
