import HL7Translation
import HL7v2
import TestSupport
import Workflow

/// An invented hospital: its profile, an inbox over memory, and its messages.
enum Site {
    static let yaml = """
        identifiers:
          authorities:
            - { namespace: NORTH, oid: 2.999.1, system: "urn:oid:2.999.1" }
            - { namespace: RIS, system: "https://north.example/ris" }
          patient_default: "https://north.example/mrn"
          accession_default: "https://north.example/accession"
          placer_default: "https://north.example/placer"
          filler_default: "https://north.example/filler"
          visit_default: "https://north.example/visit"
        time_zone: Europe/Zurich
        accepted_processing_ids: [P]
        code_systems: { LOCAL: "https://north.example/codes" }
        modalities: { CTHEAD: CT }
        """

    static func profile() throws -> SiteProfile { try SiteProfile(yaml: yaml) }

    static func inbox(_ store: MemoryStore, _ profile: SiteProfile) -> HL7Inbox {
        HL7Inbox(store: store, clock: TestClock(), entropy: SeededEntropy(), digest: fnv, profile: { _, _ in profile })
    }

    /// FNV-1a: enough to tell test messages apart.
    static func fnv(_ bytes: [UInt8]) -> String {
        String(bytes.reduce(14_695_981_039_346_656_037 as UInt64) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }, radix: 16)
    }

    static func lines(_ lines: [String]) -> [UInt8] { Array((lines.joined(separator: "\r") + "\r").utf8) }

    static func msh(
        _ type: String, _ id: String, time: String = "20261121083000", processing: String = "P",
        version: String = "2.5.1"
    ) -> String {
        "MSH|^~\\&|REG|NORTH|HILUM|NORTH|\(time)||\(type)|\(id)|\(processing)|\(version)"
    }

    static let pid =
        "PID|1||P-4711^^^NORTH&2.999.1&ISO^MR||Muster^Maxine^Q^Jr^Dr^^L||19750315|F|||Am Weg 5^^Beispielwil^ZH^8999^CHE^H||"
        + "+41 44 555 12 34^PRN^PH|+41 44 555 99 99^WPN^PH|de^German^ISO639|M"
    static let pv1 =
        "PV1|1|O|RAD^A1^1^NORTH||||7001^Arzt^Adele|7002^Zuweiser^Zora|||||||||||V-100|||||||||||||||||||||||||20261121082900"

    static func adt(
        _ event: String, _ id: String, pid: String = pid, pv1: String? = pv1, time: String = "20261121083000",
        more: [String] = []
    ) -> [UInt8] {
        lines([msh("ADT^\(event)", id, time: time), "EVN|\(event)|\(time)", pid] + (pv1.map { [$0] } ?? []) + more)
    }

    static let obr =
        "OBR|1|PL-1^EHR|FI-1^RIS|CTHEAD^CT head^LOCAL|||||||||trauma|||7002^Zuweiser^Zora||ACC-1|RP-1|SPS-1||||CT|||^^^20261121140000^^S||||^headache"

    static func orm(
        _ id: String, orc: String = "ORC|NW|PL-1^EHR|FI-1^RIS||SC||||20261121090000|||7002^Zuweiser^Zora",
        obr: String? = obr, more: [String] = []
    ) -> [UInt8] {
        lines([msh("ORM^O01", id), pid, pv1, orc] + (obr.map { [$0] } ?? []) + more)
    }

    static func oru(_ id: String, status: String, issued: String = "20261121150000", obx: [String]) -> [UInt8] {
        lines(
            [
                msh("ORU^R01", id, time: "20261121160000"), pid, pv1, "ORC|RE|PL-1^EHR|FI-1^RIS",
                "OBR|1|PL-1^EHR|FI-1^RIS|CTHEAD^CT head^LOCAL|||20261121143000|||||||||||ACC-1||||\(issued)||RAD|\(status)|||||||7003&Leser&Lea",
            ] + obx)
    }
}

extension HL7Inbox.Receipt {
    /// MSA-1.
    var code: String { (try? Parser().parse(acknowledgement))?["MSA"]?[1].text ?? "" }
    /// ERR-3.1 of each ERR.
    var conditions: [String] {
        guard let message = try? Parser().parse(acknowledgement) else { return [] }
        return message.segments.filter { $0.id == "ERR" }.map { $0[3].text ?? "" }
    }
    /// ERR-2 of the first ERR as sent.
    var place: String {
        guard let err = (try? Parser().parse(acknowledgement))?["ERR"] else { return "" }
        return String(decoding: err[2].rawBytes, as: UTF8.self)
    }
}
