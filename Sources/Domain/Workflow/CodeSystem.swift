/// A code system under the names it has in each format: one table for FHIR, HL7 and DICOM.
///
/// HL7 v2.5.1 table 0396, PS3.16 §8 (table 8-1), FHIR R4 terminologies-systems.html.
package struct CodeSystem: Sendable, Hashable {
    /// The URI in Coding.system.
    package let uri: String
    /// The coding scheme designator of DICOM; nil where PS3.16 has none.
    package let designator: String?
    /// The names in CWE.3, the usual one first.
    package let names: [String]

    /// Every code system that has a name of its own in more than one format.
    package static let all: [CodeSystem] = [
        .init("http://loinc.org", "LN", ["LN", "LOINC"]),
        .init("http://snomed.info/sct", "SCT", ["SCT", "SNOMED-CT", "SNOMEDCT"]),
        .init("http://www.ama-assn.org/go/cpt", "C4", ["C4", "CPT", "CPT4", "CPT-4"]),
        .init("http://hl7.org/fhir/sid/icd-9-cm", "I9C", ["I9CDX", "I9C", "I9", "ICD9"]),
        .init("http://hl7.org/fhir/sid/icd-10", "I10", ["I10", "ICD10", "ICD-10"]),
        .init("http://hl7.org/fhir/sid/icd-10-cm", "I10C", ["I10C", "ICD10CM", "ICD-10-CM"]),
        .init("http://www.cms.gov/Medicare/Coding/ICD10", "I10P", ["I10P"]),
        .init("http://unitsofmeasure.org", "UCUM", ["UCUM"]),
        .init("http://www.nlm.nih.gov/research/umls/rxnorm", "RXNORM", ["RXNORM", "RxNorm"]),
        .init("http://hl7.org/fhir/sid/cvx", nil, ["CVX"]),
        .init("http://hl7.org/fhir/sid/ndc", "NDC", ["NDC"]),
        .init("urn:oid:2.16.840.1.113883.6.238", nil, ["CDCREC"]),
        .init("http://dicom.nema.org/resources/ontology/DCM", "DCM", ["DCM"]),
        .init("http://www.radlex.org", "RADLEX", ["RADLEX", "RadLex", "RADLEX PLAYBOOK", "RPID", "RLEX"]),
        .init("urn:iso:std:iso:11073:10101", "MDC", ["MDC"]),
        .init("urn:ietf:bcp:47", nil, ["ISO639", "ISO 639", "ISO639-1", "BCP47"]),
        .init("urn:iso:std:iso:3166", "ISO3166_1", ["ISO3166_1", "ISO3166", "ISO 3166"]),
    ]

    private init(_ uri: String, _ designator: String?, _ names: [String]) {
        self.uri = uri
        self.designator = designator
        self.names = names
    }

    /// The URI of a name in CWE.3. Nil for local (`L`, `99…`) and unknown names.
    package static func uri(named name: String) -> String? { byName[name] }
    /// What stands for a system that a sender names and nobody here knows: codes of two such systems stay apart.
    package static func uri(unknown name: String) -> String {
        unknownPrefix + UnknownAuthority.escaped(name)
    }
    /// The code system of an HL7 v2 table, such as `0005`.
    package static func table(_ number: String) -> String { "http://terminology.hl7.org/CodeSystem/v2-" + number }
    /// The designator of a URI in DICOM; nil for one that has none.
    package static func designator(of uri: String) -> String? { byURI[uri]?.designator }
    /// The name of a URI in CWE.3: that of table 0396, `HL7nnnn` for a table, the name that an unknown system came with.
    /// Nil for any other.
    package static func name(of uri: String) -> String? {
        if let known = byURI[uri] { return known.names.first }
        let table = "http://terminology.hl7.org/CodeSystem/v2-"
        if uri.hasPrefix(table), uri.count == table.count + 4 { return "HL7" + uri.dropFirst(table.count) }
        return uri.hasPrefix(unknownPrefix) ? UnknownAuthority.unescaped(uri.dropFirst(unknownPrefix.count)) : nil
    }
    /// The URI of a designator of DICOM.
    package static func uri(ofDesignator designator: String) -> String? { byDesignator[designator] }

    private static let unknownPrefix = "urn:hilum:unknown-code-system:"
    private static let byName = Dictionary(
        all.flatMap { system in system.names.map { ($0, system.uri) } }, uniquingKeysWith: { first, _ in first })
    private static let byURI = Dictionary(all.map { ($0.uri, $0) }, uniquingKeysWith: { first, _ in first })
    private static let byDesignator = Dictionary(
        all.compactMap { system in system.designator.map { ($0, system.uri) } }, uniquingKeysWith: { first, _ in first }
    )
}
