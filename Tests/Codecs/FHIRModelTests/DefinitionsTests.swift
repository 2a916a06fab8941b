import FHIRModel
import Testing

/// FHIR R4 resourcelist.html, searchparameter-registry.html, compartmentdefinition.html.
@Suite struct DefinitionsTests {
    let r4 = FHIRDefinitions.r4

    @Test("FHIR R4 resourcelist.html: 146 resource types can be instantiated")
    func resourceTypes() {
        #expect(r4.resourceTypes.count == 146)
        #expect(r4.resourceTypes == r4.resourceTypes.sorted())
        for name in ["Patient", "ImagingStudy", "Binary", "Parameters", "List"] {
            #expect(r4.isResourceType(name))
        }
        for name in ["Resource", "DomainResource", "HumanName", "date", "patient", "", "Patient.contact"] {
            #expect(!r4.isResourceType(name), "\(name)")
        }
    }

    @Test("FHIR R4 imagingstudy.html: elements with types, cardinality and bindings")
    func imagingStudy() throws {
        let study = try #require(r4.type(named: "ImagingStudy"))
        #expect(study.base == "DomainResource")
        #expect(
            study.elements.prefix(9).map(\.name) == [
                "id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension",
                "identifier",
            ])
        let status = try #require(study.element("status"))
        #expect(status.min == 1)
        #expect(status.max == 1)
        #expect(status.isModifier)
        #expect(status.isSummary)
        #expect(!status.isArray)
        let codes = try #require(status.requiredValueSet.flatMap(r4.codes(in:)))
        #expect(codes == ["registered", "available", "cancelled", "entered-in-error", "unknown"])
        #expect(study.element("subject")?.types.first?.targets == ["Patient", "Device", "Group"])
        let instance = try #require(r4.type(named: "ImagingStudy.series.instance"))
        #expect(instance.kind == .nested)
        #expect(instance.base == "BackboneElement")
        #expect(instance.element("sopClass")?.types.first?.name == "Coding")
        #expect(study.element("series")?.types.first?.name == "ImagingStudy.series")
    }

    @Test("FHIR R4 formats.html#choice: a choice has one JSON name for each type")
    func choices() throws {
        let observation = try #require(r4.type(named: "Observation"))
        #expect(observation.property("valueQuantity")?.type == "Quantity")
        #expect(observation.property("valueQuantity")?.element.name == "value")
        #expect(observation.property("value") == nil)
        #expect(observation.property("valueAddress") == nil)
        let extensionType = try #require(r4.type(named: "Extension"))
        for name in ["valueAddress", "valueBase64Binary", "valueDosage", "valueMeta", "valueBoolean"] {
            #expect(extensionType.property(name) != nil, "\(name)")
        }
        #expect(extensionType.property("valueBackboneElement") == nil)
        #expect(extensionType.property("valueNarrative") == nil)
    }

    @Test("FHIR R4 elementdefinition.html: a content reference is the type it points at")
    func contentReferences() {
        #expect(r4.type(named: "Bundle.entry")?.element("link")?.types.first?.name == "Bundle.link")
        #expect(r4.type(named: "Questionnaire.item")?.element("item")?.types.first?.name == "Questionnaire.item")
    }

    @Test("FHIR R4: every type that an element names exists")
    func closedWorld() throws {
        for name in r4.resourceTypes { try check(name) }
        func check(_ name: String) throws {
            let type = try #require(r4.type(named: name))
            for element in type.elements {
                #expect(!element.types.isEmpty, "\(name).\(element.name)")
                for elementType in element.types where elementType.name != "*" {
                    let found = try #require(r4.type(named: elementType.name), "\(name).\(element.name)")
                    if found.kind == .nested, found.name.hasPrefix(name + ".") { try check(found.name) }
                    for target in elementType.targets {
                        #expect(r4.isResourceType(target), "\(name).\(element.name) to \(target)")
                    }
                }
            }
        }
    }

    @Test("FHIR R4 imagingstudy.html#search: the seventeen parameters and those of all resources")
    func imagingStudyParameters() {
        let own = r4.searchParameters(for: "ImagingStudy").filter { $0.base == "ImagingStudy" }
        #expect(
            Set(own.map(\.code)) == [
                "basedon", "bodysite", "dicom-class", "encounter", "endpoint", "identifier", "instance",
                "interpreter", "modality", "patient", "performer", "reason", "referrer", "series", "started",
                "status", "subject",
            ])
        #expect(own.count == 17)
        #expect(r4.searchParameter("basedon", for: "ImagingStudy")?.expression == "ImagingStudy.basedOn")
        #expect(r4.searchParameter("_lastUpdated", for: "ImagingStudy")?.type == .date)
        #expect(r4.searchParameter("_text", for: "ImagingStudy") != nil)
        #expect(r4.searchParameter("_text", for: "Bundle") == nil)
        #expect(r4.searchParameter("_id", for: "Bundle")?.expression == "Resource.id")
        #expect(r4.searchParameter("_id", for: "Nothing") == nil)
        #expect(r4.searchParameters(for: "Nothing").isEmpty)
    }

    @Test("FHIR R4 searchparameter.html: a shared parameter keeps the alternatives of its base")
    func sharedExpressions() {
        #expect(r4.searchParameter("code", for: "Observation")?.expression == "Observation.code")
        #expect(
            r4.searchParameter("code", for: "AllergyIntolerance")?.expression
                == "AllergyIntolerance.code | AllergyIntolerance.reaction.substance")
        #expect(
            r4.searchParameter("code", for: "DeviceRequest")?.expression == "(DeviceRequest.code as CodeableConcept)")
        let patient = r4.searchParameter("patient", for: "DiagnosticReport")
        #expect(patient?.expression == "DiagnosticReport.subject.where(resolve() is Patient)")
        let composite = r4.searchParameter("code-value-quantity", for: "Observation")
        #expect(
            composite?.components == [
                .init(code: "code", expression: "code"),
                .init(code: "value-quantity", expression: "value.as(Quantity)"),
            ])
    }

    @Test("FHIR R4 compartmentdefinition-patient.html: 66 types have parameters, Task and Device are not among them")
    func patientCompartment() throws {
        let patient = try #require(r4.compartment("Patient"))
        #expect(patient.parameters.count == 66)
        #expect(patient.parameters["ImagingStudy"] == ["patient"])
        #expect(patient.parameters["Observation"] == ["subject", "performer"])
        #expect(patient.parameters["Patient"] == ["link"])
        for name in ["Task", "Device", "Endpoint", "Practitioner", "Subscription"] {
            #expect(patient.parameters[name] == nil, "\(name)")
        }
        for name in ["Practitioner", "Encounter", "Device", "RelatedPerson"] {
            let compartment = try #require(r4.compartment(name))
            for (type, codes) in compartment.parameters {
                for code in codes {
                    #expect(r4.searchParameter(code, for: type)?.type == .reference, "\(name): \(type).\(code)")
                }
            }
        }
    }
}
