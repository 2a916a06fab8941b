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
        case code = "code"
    }

    package enum Reason: String, Sendable, Hashable {
        case tooLong = "too long"
        case containsNUL = "NUL in it"

        /// The same as what is said of a value.
        package var words: String {
            switch self {
            case .tooLong: "is longer than \(keyBytesMax) bytes"
            case .containsNUL: "contains NUL"
            }
        }
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
            "the \(field.rawValue) \(reason.words)"
        }
    }

    // MARK: Checks. Each throws ``Refusal``.

    /// Why a text by which something is found cannot be kept; nil for one that can.
    package static func reason(against text: String) -> Reason? {
        if text.utf8.count > keyBytesMax { return .tooLong }
        return text.utf8.contains(0) ? .containsNUL : nil
    }

    package static func check(_ text: String?, _ field: Field) throws(Refusal) {
        if let text, let reason = reason(against: text) { throw Refusal(field: field, reason: reason) }
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
        for concept in [patient.maritalStatus, patient.language] { try check(concept) }
        try check(patient.attributes, .patientIdentifier)
        try check(patient.statements)
    }

    private static func check(_ attributes: Attributes?, _ field: Field) throws(Refusal) {
        guard let attributes else { return }
        for value in attributes.values {
            switch value {
            case .identifiers(let identifiers): for identifier in identifiers { try check(identifier, field) }
            case .concepts(let concepts): for concept in concepts { try check(concept) }
            default: continue
            }
        }
    }

    private static func check(_ concept: CodedConcept?) throws(Refusal) {
        for coding in concept?.codings ?? [] {
            try check(coding.code, .code)
            try check(coding.system, .code)
        }
    }

    private static func check(_ value: Observation.Value?) throws(Refusal) {
        if case .concept(let concept)? = value { try check(concept) }
    }

    private static func check(_ statements: [ClinicalStatement]?) throws(Refusal) {
        for statement in statements ?? [] {
            try check(statement.code)
            try check(statement.value)
            try check(statement.attributes, .code)
        }
    }

    private static func check(_ name: HumanName, _ field: Field) throws(Refusal) {
        for part in name.parts { try check(part, field) }
        guard isShort(name) else { throw Refusal(field: field, reason: .tooLong) }
    }

    /// Whether all parts of a name together can be kept as one text.
    package static func isShort(_ name: HumanName) -> Bool {
        name.parts.reduce(0) { $0 + $1.utf8.count + 1 } <= keyBytesMax + 1
    }

    package static func check(_ visit: Visit) throws(Refusal) {
        try check(visit.identifier, .visitIdentifier)
        try check(visit.classCode.map { CodedConcept(codings: [$0]) })
        try check(visit.attributes, .visitIdentifier)
    }

    package static func check(_ order: ImagingOrder) throws(Refusal) {
        try check(order.placer, .placer)
        try check(order.filler, .filler)
        try check(order.accession, .accession)
        try check(order.requisition, .placer)
        try check(order.visitNumber, .visitIdentifier)
        try check(order.requestedProcedureID, .procedure)
        try check(order.studyInstanceUID, .studyUID)
        for concept in [order.code] + order.reasons { try check(concept) }
        try check(order.attributes, .code)
        try check(order.statements)
        for step in order.steps {
            for text in [step.stepID, step.modality, step.stationAETitle, step.scheduledStart?.text] {
                try check(text, .step)
            }
            try check(step.protocolCode.map { CodedConcept(codings: [$0]) })
            if let name = step.performingPhysician { try check(name, .step) }
        }
    }

    package static func check(_ report: Report) throws(Refusal) {
        try check(report.placer, .placer)
        try check(report.filler, .filler)
        try check(report.visitNumber, .visitIdentifier)
        for uid in report.studyInstanceUIDs { try check(uid, .studyUID) }
        try check(report.code)
        try check(report.category)
        for observation in report.observations {
            try check(observation.code)
            try check(observation.value)
            try check(observation.attributes, .code)
        }
    }

    package static func check(_ received: ReceivedInstance) throws(Refusal) {
        try check(received.study)
        try check(received.series)
    }

    package static func check(_ study: StudyAttributes) throws(Refusal) {
        try check([
            (study.accessionNumber, .accession), (study.accessionSystem, .accession),
            (study.patientID, .patientIdentifier), (study.patientIDSystem, .patientIdentifier),
            (study.issuerOfPatientID, .issuer),
        ])
        // What only describes an image does not keep it out, however long it is: its beginning is what it is found by.
        try checkNUL(study.patientName, .patientName)
        try checkNUL(study.referringPhysicianName, .referrer)
        try checkNUL(study.studyID, .studyID)
    }

    package static func check(_ series: SeriesAttributes) throws(Refusal) {
        try check([
            (series.accessionNumber, .accession), (series.accessionSystem, .accession),
            (series.patientID, .patientIdentifier), (series.patientIDSystem, .patientIdentifier),
        ])
        for (text, field) in [
            (series.scheduledProcedureStepID, Field.step), (series.requestedProcedureID, .procedure),
            (series.modality, .code),
        ] {
            try checkNUL(text, field)
        }
        for request in series.requests {
            try check(request.accessionNumber, .accession)
            try checkNUL(request.scheduledProcedureStepID, .step)
            try checkNUL(request.requestedProcedureID, .procedure)
        }
    }

    private static func check(_ rows: [(text: String?, field: Field)]) throws(Refusal) {
        for row in rows { try check(row.text, row.field) }
    }

    /// Descriptive text of a received object as it is shown and searched: NUL, which DICOM forbids and some devices
    /// send, becomes a space. An identifier is never mended: another person's might come out. PS3.5 §6.1.
    package static func mended(_ text: String) -> String {
        text.utf8.contains(0) ? String(text.unicodeScalars.map { $0 == "\0" ? " " : Character($0) }) : text
    }
}
