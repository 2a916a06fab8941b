/// What text the store keeps: one rule for all doors and for both databases.
///
/// Text by which something is found is bounded, because PostgreSQL takes no index entry above 2,704 bytes and SQLite
/// would take it: the same message must get the same answer whichever database is behind the server. NUL is in no text:
/// PostgreSQL cannot keep it, and it stands in no string of HL7 v2, DICOM or FHIR.
package enum TextRule {
    /// Bytes of UTF-8 of one text by which something is found, or of all parts of a name together. Longer than any that
    /// HL7 v2 (199 characters, table of EI.1), DICOM (64 characters a name group) or a FHIR profile asks for, and short
    /// enough that two of them fit into one index entry.
    package static let keyBytesMax = 1_024

    /// Where the text stands. Never its value.
    package enum Field: String, Sendable, Hashable, CaseIterable {
        case patientIdentifier = "patient identifier"
        case patientName = "patient name"
        case visitIdentifier = "visit number"
        case placer = "placer number"
        case filler = "filler number"
        case accession = "accession number"
        case procedure = "requested procedure id"
        case step = "scheduled procedure step"
        case studyUID = "study instance UID"
        case issuer = "issuer of patient id"
        case referrer = "referring physician's name"
        case studyID = "study id"
        case message = "sender or message control id"
    }

    package enum Reason: String, Sendable, Hashable {
        case tooLong = "too long"
        case containsNUL = "NUL in it"
    }

    /// What never can be kept, however often it is sent. `description` holds no value.
    package struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        package let field: Field
        package let reason: Reason
        package init(field: Field, reason: Reason) {
            self.field = field
            self.reason = reason
        }
        package var description: String {
            switch reason {
            case .tooLong: "the \(field.rawValue) is longer than \(keyBytesMax) bytes"
            case .containsNUL: "the \(field.rawValue) contains NUL"
            }
        }
    }

    // MARK: Checks. Each throws ``Refusal``.

    package static func check(_ text: String?, _ field: Field) throws(Refusal) {
        guard let text else { return }
        guard text.utf8.count <= keyBytesMax else { throw Refusal(field: field, reason: .tooLong) }
        try checkNUL(text, field)
    }

    private static func checkNUL(_ text: String?, _ field: Field) throws(Refusal) {
        if text?.utf8.contains(0) == true { throw Refusal(field: field, reason: .containsNUL) }
    }

    package static func check(_ identifier: Identifier?, _ field: Field) throws(Refusal) {
        try check(identifier?.value, field)
        try check(identifier?.system, field)
    }

    package static func check(_ patient: Patient) throws(Refusal) {
        for identifier in patient.identifiers { try check(identifier, .patientIdentifier) }
        for name in patient.names { try check(name, .patientName) }
        try check(patient.attributes, .patientIdentifier)
    }

    private static func check(_ attributes: Attributes?, _ field: Field) throws(Refusal) {
        guard let attributes else { return }
        for value in attributes.values {
            guard case .identifiers(let identifiers) = value else { continue }
            for identifier in identifiers { try check(identifier, field) }
        }
    }

    private static func check(_ name: HumanName, _ field: Field) throws(Refusal) {
        var bytes = 0
        for part in [name.family] + name.given + name.prefix + name.suffix {
            try check(part, field)
            bytes += part.utf8.count + 1
        }
        guard bytes <= keyBytesMax + 1 else { throw Refusal(field: field, reason: .tooLong) }
    }

    package static func check(_ visit: Visit) throws(Refusal) {
        try check(visit.identifier, .visitIdentifier)
        try check(visit.attributes, .visitIdentifier)
    }

    package static func check(_ order: ImagingOrder) throws(Refusal) {
        try check(order.placer, .placer)
        try check(order.filler, .filler)
        try check(order.accession, .accession)
        try check(order.requisition, .placer)
        try check(order.requestedProcedureID, .procedure)
        try check(order.studyInstanceUID, .studyUID)
        for step in order.steps {
            for text in [step.stepID, step.modality, step.stationAETitle, step.scheduledStart?.text] {
                try check(text, .step)
            }
            if let name = step.performingPhysician { try check(name, .step) }
        }
    }

    package static func check(_ report: Report) throws(Refusal) {
        try check(report.placer, .placer)
        try check(report.filler, .filler)
        for uid in report.studyInstanceUIDs { try check(uid, .studyUID) }
    }

    package static func check(_ received: ReceivedInstance) throws(Refusal) {
        try check(received.study)
        try check(received.series)
    }

    package static func check(_ study: StudyAttributes) throws(Refusal) {
        try check(study.accessionNumber, .accession)
        try check(study.accessionSystem, .accession)
        try check(study.patientID, .patientIdentifier)
        try check(study.patientIDSystem, .patientIdentifier)
        try check(study.issuerOfPatientID, .issuer)
        // What only describes an image does not keep it out, however long it is: its beginning is what it is found by.
        try checkNUL(study.patientName, .patientName)
        try checkNUL(study.referringPhysicianName, .referrer)
        try checkNUL(study.studyID, .studyID)
    }

    package static func check(_ series: SeriesAttributes) throws(Refusal) {
        try check(series.accessionNumber, .accession)
        try check(series.accessionSystem, .accession)
        try check(series.patientID, .patientIdentifier)
        try check(series.patientIDSystem, .patientIdentifier)
        try check(series.scheduledProcedureStepID, .step)
        try check(series.requestedProcedureID, .procedure)
    }

    /// Descriptive text of a received object as it is shown and searched: NUL, which DICOM forbids and some devices
    /// send, becomes a space. An identifier is never mended: another person's might come out. PS3.5 §6.1.
    package static func mended(_ text: String) -> String {
        text.utf8.contains(0) ? String(text.unicodeScalars.map { $0 == "\0" ? " " : Character($0) }) : text
    }
}
