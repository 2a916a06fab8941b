import HL7v2
import Workflow

/// Findings, measurements, allergies and diagnoses as OBX, NTE, AL1 and DG1: the way back of `ObservationReader` and
/// `StatementSegments`. HL7 v2.5.1 §7.4.2, §3.4.6, §6.5.2.
struct ObservationDraft {
    let types: WireTypes

    /// What an OBX holds, whatever it is made of.
    struct Finding {
        var code: CodedConcept
        var status: Observation.Status
        var value: Observation.Value?
        var referenceRange: String?
        var interpretation: [CodedConcept] = []
        var effective: PartialDateTime?
        var notes: [String] = []
        var attributes: Attributes = [:]
    }

    /// The OBX of a finding, and the NTE that belong to it.
    func segments(_ finding: Finding, setID: Int) -> [SegmentDraft] {
        typealias Name = ClinicalStatement.Name
        var obx = SegmentDraft("OBX")
        obx[1] = FieldDraft(.key(String(setID)))
        obx[3] = types.cwe(finding.code)
        obx[4] = FieldDraft(.key(finding.attributes.text(Name.subID)))
        obx[11] = FieldDraft(.key(WireTypes.code(finding.status)))
        if case .absent(let reason)? = finding.value {
            obx[11] = FieldDraft(.key(reason == "not-asked" ? "N" : "X"))
        } else if let value = finding.value {
            let all = [value] + finding.attributes.values(Name.furtherValues)
            let written = all.map(self.value)
            // Values of one OBX have one type.
            let type = written[0].type
            obx[2] = FieldDraft(.key(type))
            obx[5] = FieldDraft(written.filter { $0.type == type }.map(\.value))
            obx[6] = unit(of: value)
        }
        obx[7] = FieldDraft(.text(finding.referenceRange))
        obx[8] = flags(finding.interpretation)
        obx[14] = FieldDraft(types.ts(finding.effective))
        obx[16] = types.xcn(finding.attributes.parties(Name.performers))
        obx[17] = types.cwe(finding.attributes.concepts(Name.method))
        obx[18] = FieldDraft(
            finding.attributes.identifiers(Name.device).map { types.ei($0, default: "urn:hilum:equipment") })
        obx[20] = types.cwe(finding.attributes.concepts(Name.bodySite))
        return [obx] + finding.notes.enumerated().map { index, note in Self.note(note, setID: index + 1) }
    }

    static func note(_ text: String, setID: Int) -> SegmentDraft {
        var nte = SegmentDraft("NTE")
        nte[1] = FieldDraft(.key(String(setID)))
        nte[3] = FieldDraft(.formatted(text))
        return nte
    }

    // MARK: Values

    private func value(_ value: Observation.Value) -> (type: String, value: RepetitionDraft) {
        func one(_ leaf: Leaf) -> RepetitionDraft { RepetitionDraft(components: [leaf]) }
        switch value {
        case .quantity(let number, nil, _, _): return ("NM", one(.key(number)))
        case .quantity(let number, let comparator?, _, _):
            return ("SN", RepetitionDraft(components: [.key(comparator), .key(number)]))
        case .range(let low?, let high?, _, _):
            return ("SN", RepetitionDraft(components: [.empty, .key(low), .key("-"), .key(high)]))
        case .range(let low, let high, _, _):
            return ("NR", RepetitionDraft(components: [.key(low), .key(high)]))
        case .ratio(let numerator, let denominator, _, _):
            return ("SN", RepetitionDraft(components: [.empty, .key(numerator), .key(":"), .key(denominator)]))
        case .text(let text): return ("ST", one(.text(text)))
        case .concept(let concept): return (types.isSince(2, 5) ? "CWE" : "CE", types.cwe(concept))
        case .dateTime(let time):
            return (time.hasTime ? (types.isSince(2, 6) ? "DTM" : "TS") : "DT", one(types.ts(time)))
        case .time(let time): return ("TM", one(.key(time.filter { $0 != ":" })))
        case .absent: return ("", RepetitionDraft())
        }
    }

    private func unit(of value: Observation.Value) -> FieldDraft {
        let (name, system): (String?, String?) =
            switch value {
            case .quantity(_, _, let unit, let system), .range(_, _, let unit, let system),
                .ratio(_, _, let unit, let system):
                (unit, system)
            case .text, .concept, .dateTime, .time, .absent: (nil, nil)
            }
        guard let name else { return FieldDraft() }
        return FieldDraft(components: [.key(name), .empty, .key(system.map { types.name(ofSystem: $0) })])
    }

    /// OBX-8: the codes that v3 has from table 0078 are those of the table again. Until 2.7 it holds a code alone. HL7
    /// v2.5.1 §7.4.2.8.
    private func flags(_ interpretation: [CodedConcept]) -> FieldDraft {
        guard types.isSince(2, 7) else {
            return FieldDraft(
                interpretation.map { concept in
                    let code = concept.codings.first?.code
                    return RepetitionDraft(components: [code.map { .key($0) } ?? .text(concept.text)])
                })
        }
        return FieldDraft(
            interpretation.map { concept in
                var concept = concept
                for index in concept.codings.indices
                where concept.codings[index].system == ObservationReader.interpretationSystem {
                    concept.codings[index].system = CodeSystem.table("0078")
                }
                return types.cwe(concept)
            })
    }

    // MARK: Statements

    /// What stands of a patient or an order: allergies as AL1, diagnoses as DG1, measurements as OBX.
    func segments(_ statements: [ClinicalStatement], _ kind: ClinicalStatement.Kind) -> [SegmentDraft] {
        var count = 0
        return statements.filter { $0.kind == kind && $0.isCurrent }.flatMap { statement -> [SegmentDraft] in
            count += 1
            switch kind {
            case .allergy: return [allergy(statement, setID: count)]
            case .diagnosis: return [diagnosis(statement, setID: count)]
            case .observation: return measurement(statement, setID: count)
            // Who pays is for the registration's own system to tell.
            case .coverage, .guarantor: return []
            }
        }
    }

    private func allergy(_ statement: ClinicalStatement, setID: Int) -> SegmentDraft {
        typealias Name = ClinicalStatement.Name
        var al1 = SegmentDraft("AL1")
        al1[1] = FieldDraft(.key(String(setID)))
        al1[2] = types.cwe(statement.attributes.concepts(Name.category).first)
        al1[3] = types.cwe(statement.code)
        al1[4] = types.cwe(statement.attributes.concepts(Name.severity).first)
        al1[5] = FieldDraft(
            statement.attributes.concepts(Name.reactions).map {
                RepetitionDraft(components: [.text($0.displayText)])
            })
        al1[6] = FieldDraft(types.ts(statement.effective))
        return al1
    }

    private func diagnosis(_ statement: ClinicalStatement, setID: Int) -> SegmentDraft {
        typealias Name = ClinicalStatement.Name
        var dg1 = SegmentDraft("DG1")
        dg1[1] = FieldDraft(.key(String(setID)))
        var code = statement.code
        if code?.codings.isEmpty == false { code?.text = nil }
        dg1[3] = types.cwe(code)
        dg1[4] = FieldDraft(.text(statement.code?.codings.isEmpty == false ? statement.code?.text : nil))
        dg1[5] = FieldDraft(types.ts(statement.effective))
        dg1[6] = types.cwe(statement.attributes.concepts(Name.diagnosisType).first)
        dg1[16] = types.xcn(statement.attributes.parties(Name.asserter))
        return dg1
    }

    private func measurement(_ statement: ClinicalStatement, setID: Int) -> [SegmentDraft] {
        typealias Name = ClinicalStatement.Name
        guard let code = statement.code else { return [] }
        var finding = Finding(code: code, status: statement.status, value: statement.value)
        finding.effective = statement.effective
        finding.notes = statement.notes
        finding.interpretation = statement.attributes.concepts(Name.interpretation)
        finding.referenceRange = statement.attributes.text(Name.referenceRange)
        finding.attributes = statement.attributes
        return segments(finding, setID: setID)
    }
}
