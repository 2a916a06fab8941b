import Basics
import HL7v2
import Workflow

/// The OBX of one result: report text, impression, documents and single findings. HL7 v2.5.1 §7.4.2.
///
/// TX and FT are lines of the report; ED is a document; the rest are findings. A study UID (113014, 110180) is
/// neither.
struct ResultFindings {
    let types: DataTypes
    private(set) var observations: [ReportUpdate.FindingUpdate] = []
    private(set) var observers: [PartyReference] = []
    private var lines: [String] = []
    private var impression: [String] = []
    private var documents: [PresentedForm] = []
    private var statuses: [String] = []
    private var section: String?
    /// The title of a further part of the report, until it has its first line.
    private var title: String?
    private var keys: [String: Int] = [:]
    /// Where a following NTE belongs.
    private var lastWasObservation = false
    private var isWithdrawn = false
    /// When the report was observed: OBR-7, else the time of its first line of text.
    private(set) var effective: PartialDateTime?
    /// Whether there is any text or finding, shown or withdrawn.
    private(set) var hasContent = false

    /// - Parameter effective: what OBR-7 says; a line with another time of its own is not told.
    init(types: DataTypes, effective: PartialDateTime?) {
        self.types = types
        self.effective = effective
    }

    /// Takes one OBX. Throws `MessageRefusal` for a document that does not decode.
    mutating func add(_ obx: Segment) throws {
        lastWasObservation = false
        if OrderNumbers.isStudyObservation(obx) { return }
        hasContent = true
        let type = types.into("Observation.value") { obx[2].text }
        let isText = type == "TX" || type == "FT"
        let target = isText || type == "ED" ? "DiagnosticReport.presentedForm" : "Observation.status"
        let status = obx[11].peekedText ?? ""
        _ = types.into(target) { types.table(obx[11], "0085", CodeSystems.observationStatus) }
        statuses.append(status)
        let observed = types.dateTime(obx[14].timestamp)
        if isText || type == "ED", effective == nil || effective == observed {
            effective = types.into("DiagnosticReport.effectiveDateTime") { types.dateTime(obx[14].timestamp) }
        }
        let observer = types.into("DiagnosticReport.resultsInterpreter") {
            obx[16].repetitions.compactMap { types.xcn($0) }
        }
        if observers.isEmpty { observers = observer }
        // What its sender takes back (table 0085: deleted, wrong patient, can not be had) is no part of the report.
        isWithdrawn = ["D", "W", "X"].contains(status)
        switch type {
        case "TX", "FT":
            if isWithdrawn { return }
            types.into("DiagnosticReport.presentedForm") { addText(obx) }
        case "ED":
            if isWithdrawn { return }
            try types.into("DiagnosticReport.presentedForm") { try addDocument(obx) }
        case "RP": obx[5].report(.messageAccepted, "A document by reference is not fetched")
        default: addObservation(obx)
        }
    }

    /// Takes an NTE: a note to the finding before it, else a line of the report. One behind a line that was withdrawn
    /// goes with it.
    mutating func add(note: Segment) {
        if isWithdrawn, !lastWasObservation { return }
        let text = types.into(lastWasObservation ? "Observation.note" : "DiagnosticReport.presentedForm") {
            note[3].repetitions.compactMap { $0.wholeText }.joined(separator: "\n")
        }
        guard !text.isEmpty else { return }
        hasContent = true
        if lastWasObservation, !observations.isEmpty {
            observations[observations.count - 1].notes.append(text)
        } else {
            lines.append(text)
        }
    }

    /// What follows is a further part of the report, under the name of its procedure.
    mutating func beginPart(titled code: CodedConcept?) {
        lastWasObservation = false
        isWithdrawn = false
        section = nil
        title = code?.displayText
    }

    /// The impression as the report's conclusion.
    var conclusion: String? { impression.isEmpty ? nil : ResultFindings.joined(impression) }

    /// The report text as one form, then the documents.
    func presentedForms(title: String?) -> [PresentedForm] {
        var forms: [PresentedForm] = []
        if lines.contains(where: { !$0.isEmpty }) {
            forms.append(
                PresentedForm(
                    contentType: "text/plain; charset=utf-8", data: Array(ResultFindings.joined(lines).utf8),
                    title: title))
        }
        return forms + documents
    }

    /// True when there are OBX and each is deleted or was for the wrong patient (OBX-11 D, W).
    var areAllWithdrawn: Bool { !statuses.isEmpty && statuses.allSatisfy { $0 == "D" || $0 == "W" } }

    /// The state that the OBX-11 give a report without a usable OBR-25.
    var statusOfAll: Report.Status {
        if statuses.contains("C") { return .corrected }
        if !statuses.isEmpty, statuses.allSatisfy({ $0 == "F" || $0 == "U" }) { return .final }
        return statuses.contains("F") ? .partial : (statuses.contains("P") ? .preliminary : .registered)
    }

    // MARK: Text

    private mutating func addText(_ obx: Segment) {
        if let title {
            if !lines.isEmpty { lines += ["", title.uppercased() + ":"] }
            self.title = nil
        }
        let isImpression = ResultFindings.isImpression(obx)
        let key = obx[3].wholeText ?? ""
        if section != key {
            // A new section of a report sent in sections: its name is a line of its own.
            if section != nil || isImpression, let name = types.trimmed(obx[3][1][2].text),
                isImpression || section != nil
            {
                if !lines.isEmpty { lines.append("") }
                lines.append(name.uppercased() + ":")
            }
            section = key
        }
        let text = obx[5].repetitions.map { $0.wholeText ?? "" }
        lines += text
        if isImpression { impression += text }
    }

    /// `IMP` as the suffix of OBX-3.1 (`71020&IMP`), LOINC 19005-8, or a section named so. HL7 v2.5.1 §7.1.2 (suffixes).
    private static func isImpression(_ obx: Segment) -> Bool {
        let code = obx[3][1][1]
        if code[2].text == "IMP" || code[1].text == "IMP" || code[1].text == "19005-8" { return true }
        let name = (obx[3][1][2].text ?? "").uppercased()
        return name == "IMPRESSION" || name == "CONCLUSION"
    }

    private static func joined(_ lines: [String]) -> String {
        var kept = lines[...]
        while kept.last?.isEmpty == true { kept = kept.dropLast() }
        return kept.joined(separator: "\n")
    }

    // MARK: Documents

    /// ED: .2 and .3 type, .4 encoding, .5 data. HL7 v2.5.1 §2.A.24.
    private mutating func addDocument(_ obx: Segment) throws {
        let value = obx[5][1]
        let bytes = value[5].wholeBytes
        let data: [UInt8]?
        switch value[4].text {
        case "Base64", "BASE64", "base64": data = Base64.decode(bytes, ignoringWhiteSpace: true)
        case "Hex", "HEX": data = ResultFindings.hexadecimal(bytes)
        default: data = bytes
        }
        guard let data, !data.isEmpty else {
            throw MessageRefusal(
                .dataTypeError, at: obx.location(field: 5), "The encapsulated document does not decode")
        }
        documents.append(
            PresentedForm(
                contentType: ResultFindings.contentType(value[2].text ?? "", value[3].text ?? ""), data: data,
                title: types.trimmed(obx[3][1][2].text)))
    }

    /// MIME type of ED.2 (table 0834, or a whole type) and ED.3.
    private static func contentType(_ type: String, _ subtype: String) -> String {
        let known = [
            "PDF": "application/pdf", "JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff",
            "RTF": "application/rtf", "HTML": "text/html", "PLAIN": "text/plain", "XML": "text/xml",
        ]
        if subtype.utf8.contains(0x2F) { return subtype }
        if type.utf8.contains(0x2F) { return type }
        if let mime = known[subtype.uppercased()] ?? known[type.uppercased()] { return mime }
        let family =
            ["IM": "image", "AP": "application", "TEXT": "text", "AU": "audio"][type.uppercased()] ?? type.lowercased()
        return family.isEmpty || subtype.isEmpty ? "application/octet-stream" : "\(family)/\(subtype.lowercased())"
    }

    private static func hexadecimal(_ digits: [UInt8]) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[at..<at + 2], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    // MARK: Findings

    private mutating func addObservation(_ obx: Segment) {
        let reader = ObservationReader(types: types)
        guard let read = reader.read(obx) else {
            obx[3].report(.requiredFieldMissing, "An OBX without OBX-3 was left out")
            return
        }
        var finding = ReportUpdate.FindingUpdate(
            key: key(obx), code: read.code, status: read.status, value: read.value)
        finding.referenceRange = read.referenceRange
        finding.interpretation = read.interpretation
        finding.effective = read.effective
        finding.attributes = read.attributes
        observations.append(finding)
        lastWasObservation = true
    }

    /// OBX-3.1 and OBX-4; a number tells repeats of the same pair apart.
    private mutating func key(_ obx: Segment) -> String {
        let base = (obx[3].text ?? "") + "|" + (obx[4].text ?? "")
        let count = (keys[base] ?? 0) + 1
        keys[base] = count
        return count == 1 ? base : "\(base)|\(count)"
    }
}
