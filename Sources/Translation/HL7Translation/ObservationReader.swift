import HL7v2
import Workflow

/// One OBX as a finding, of a report or of an order. HL7 v2.5.1 §7.4.2.
struct ObservationReader {
    let types: DataTypes

    /// What an OBX says.
    struct Finding {
        var code: CodedConcept
        var status: Observation.Status
        var value: Observation.Value?
        var referenceRange: String?
        var interpretation: [CodedConcept]
        var effective: PartialDateTime?
        /// By the names of `ClinicalStatement.Name`.
        var attributes: Attributes
    }

    /// Nil without OBX-3.
    func read(_ obx: Segment) -> Finding? {
        guard let code = types.into("Observation.code", { types.cwe(obx[3][1]) }) else { return nil }
        let status = obx[11].peekedText ?? ""
        let known = types.into("Observation.status") { types.table(obx[11], "0085", CodeSystems.observationStatus) }
        let values = types.into("Observation.value") { ObservationValue(types: types).read(obx) }
        var value = values.first
        if value == nil, status == "N" { value = .absent(reason: "not-asked") }
        if value == nil, status == "X" { value = .absent(reason: "unknown") }
        return Finding(
            code: code, status: known ?? .unknown, value: value,
            referenceRange: types.into("Observation.referenceRange") { types.trimmed(obx[7].wholeText) },
            interpretation: types.into("Observation.interpretation") { interpretation(obx) },
            effective: types.into("Observation.effectiveDateTime") { types.dateTime(obx[14].timestamp) },
            attributes: attributes(obx, furtherValues: Array(values.dropFirst())))
    }

    private func attributes(_ obx: Segment, furtherValues: [Observation.Value]) -> Attributes {
        typealias Name = ClinicalStatement.Name
        var attributes: Attributes = [:]
        if !furtherValues.isEmpty { attributes[Name.furtherValues] = .values(furtherValues) }
        types.into("Observation.identifier") {
            _ = types.key(obx[4])
            if let subID = types.trimmed(obx[4].wholeText) { attributes[Name.subID] = .text(subID) }
        }
        types.into("Observation.performer") {
            let producer = types.cwe(obx[15][1]).map(DataTypes.organization)
            let observers = obx[16].repetitions.compactMap { types.xcn($0) }
            let performer = types.xon(obx[23][1])
            let director = types.xcn(obx[25][1])
            let all = [producer].compactMap { $0 } + observers + [performer, director].compactMap { $0 }
            if !all.isEmpty { attributes[Name.performers] = .parties(all) }
        }
        types.into("Observation.method") {
            let methods = obx[17].repetitions.compactMap { types.cwe($0) }
            if !methods.isEmpty { attributes[Name.method] = .concepts(methods) }
        }
        types.into("Observation.device") {
            let devices = obx[18].repetitions.compactMap { types.ei($0, fallback: "urn:hilum:equipment", kind: nil) }
            if !devices.isEmpty { attributes[Name.device] = .identifiers(devices) }
        }
        types.into("Observation.bodySite") {
            let sites = obx[20].repetitions.compactMap { types.cwe($0) }
            if !sites.isEmpty { attributes[Name.bodySite] = .concepts(sites) }
        }
        return attributes
    }

    /// OBX-8: flags of table 0078, alone or as CWE. Those that v3 has too are told in its system, which FHIR asks for.
    private func interpretation(_ obx: Segment) -> [CodedConcept] {
        let table = CodeSystem.table("0078")
        return obx[8].repetitions.compactMap { flag in
            guard var concept = types.cwe(flag, table: "0078") else { return nil }
            for index in concept.codings.indices where concept.codings[index].system == table {
                let code = concept.codings[index].code
                if CodeSystems.interpretations.contains(code) {
                    concept.codings[index].system = Self.interpretationSystem
                } else if !CodeSystems.otherInterpretations.contains(code) {
                    flag.report(.tableValueNotFound, "The flag is not in table 0078: kept without its system")
                    concept.codings[index].system = nil
                }
            }
            return concept
        }
    }

    static let interpretationSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
}
