import HTTPSupport
import Workflow

/// The series that were kept aside or decided about, for the person who decides.
package enum QuarantineView {
    /// The series in the order in which they are given, each with what its header says and what was decided.
    package static func json(_ series: [QuarantinedSeries]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("total", series.count)
            json.array("series") { json in
                for item in series {
                    json.object { json in
                        for (name, value) in fields(item) { if let value { json.member(name, value) } }
                        json.member("instances", item.instances)
                        json.member("state", item.state.rawValue)
                        link(item.series.reconciliation, "link", &json)
                        if let decision = item.decision { self.decision(decision, "decision", &json) }
                        asides(item, &json)
                    }
                }
            }
        }
        return json.bytes
    }

    /// Instances kept aside from their series, and those that were decided about one by one; the first
    /// ``instancesMax`` of each.
    private static func asides(_ item: QuarantinedSeries, _ json: inout JSONText) {
        let asides = item.series.asides.filter { $0.decision == nil }
        if !asides.isEmpty, item.reason != .rejected {
            json.array("instancesAside") { json in
                for aside in asides.prefix(instancesMax) {
                    json.object { json in
                        json.member("sopInstanceUID", aside.sopInstanceUID)
                        json.member("reason", aside.reason.rawValue)
                        if let id = aside.identity.patientID { json.member("patientID", id) }
                        if let number = aside.identity.accessionNumber { json.member("accessionNumber", number) }
                    }
                }
            }
        }
        if !item.instanceDecisions.isEmpty {
            json.array("instanceDecisions") { json in
                for (uid, decision) in item.instanceDecisions.sorted(by: { $0.key < $1.key }).prefix(instancesMax) {
                    json.object { json in
                        json.member("sopInstanceUID", uid)
                        self.decision(decision, "decision", &json)
                    }
                }
            }
        }
    }

    private static let instancesMax = 1_000

    private static func link(_ link: Reconciliation, _ name: String, _ json: inout JSONText) {
        guard let patientID = link.patientID else { return }
        json.object(name) { json in
            json.member("patient", "Patient/" + patientID.value)
            if let orderID = link.orderID { json.member("order", "ServiceRequest/" + orderID.value) }
        }
    }

    private static func decision(_ decision: QuarantineDecision, _ name: String, _ json: inout JSONText) {
        json.object(name) { json in
            json.member("action", decision.action.rawValue)
            json.member("reason", decision.reason)
            if let title = decision.title { json.member("code", title.code) }
            json.member("decidedBy", decision.decidedBy)
            json.member("decidedAt", HTTPDate.instant(microseconds: decision.decidedAt.microseconds))
            if let contradiction = decision.contradiction { link(contradiction, "contradiction", &json) }
        }
    }

    /// One table. Every value is escaped: names come from other systems. The page needs no script and no style.
    static func html(_ series: [QuarantinedSeries]) -> [UInt8] {
        var page =
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Quarantine</title></head><body>"
        page += "<h1>Quarantined series</h1>"
        if series.isEmpty {
            page += "<p>No series is in quarantine.</p>"
        } else {
            page += "<table><thead><tr>"
            for (title, _) in fields(series[0]) { page += "<th scope=\"col\">\(escaped(title))</th>" }
            page += "<th scope=\"col\">instances</th></tr></thead><tbody>"
            for item in series {
                page += "<tr>"
                for (_, value) in fields(item) { page += "<td>\(escaped(value ?? ""))</td>" }
                page += "<td>\(item.instances)</td></tr>"
            }
            page += "</tbody></table>"
        }
        return Array((page + "</body></html>").utf8)
    }

    private static func fields(_ item: QuarantinedSeries) -> [(String, String?)] {
        [
            ("reason", item.reason?.rawValue),
            ("studyInstanceUID", item.study.studyInstanceUID),
            ("seriesInstanceUID", item.series.seriesInstanceUID),
            ("modality", item.series.attributes.modality),
            ("accessionNumber", item.series.attributes.accessionNumber ?? item.study.attributes.accessionNumber),
            ("patientID", item.series.attributes.patientID ?? item.study.attributes.patientID),
            ("patientName", item.study.attributes.patientName),
            ("studyDate", item.study.attributes.studyDate),
            ("receivedAt", HTTPDate.instant(microseconds: item.series.updatedAt.microseconds)),
        ]
    }

    /// HTML text and attribute escaping; control characters become spaces.
    static func escaped(_ text: String) -> String {
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): output += Array("&amp;".utf8)
            case UInt8(ascii: "<"): output += Array("&lt;".utf8)
            case UInt8(ascii: ">"): output += Array("&gt;".utf8)
            case UInt8(ascii: "\""): output += Array("&quot;".utf8)
            case UInt8(ascii: "'"): output += Array("&#39;".utf8)
            case 0..<0x20, 0x7F: output.append(0x20)
            default: output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
