import HL7v2
import Workflow

/// A message that is answered with an error: what MSA-1 and the ERR entries will say.
package struct MessageRefusal: Error, Sendable, Hashable {
    package var code: Acknowledgment.Code
    package var entries: [Acknowledgment.Entry]
    /// The patient numbers whose merge into another record would take the reason away; empty where none would.
    package var awaitedNumbers: [Identifier] = []

    package init(_ code: Acknowledgment.Code = .error, _ entries: [Acknowledgment.Entry]) {
        self.code = code
        self.entries = entries
    }

    init(
        _ condition: ErrorCondition, at location: ErrorLocation?, _ message: String, code: Acknowledgment.Code = .error
    ) {
        self.init(code, [Acknowledgment.Entry(condition, at: location, userMessage: message)])
    }

    /// What a domain service refused, in the words of table 0357.
    ///
    /// - Parameters:
    ///   - group: the OBR or ORC concerned.
    ///   - patient: whom the message names; where he is what stands in the way, it waits for a merge of his numbers.
    init(_ refusal: OrderService.Refusal, group: ErrorLocation, of patient: PatientUpdate?) {
        let pid3 = ErrorLocation(segment: "PID", field: 3)
        switch refusal {
        case .unidentifiedPatient:
            self.init(
                .requiredFieldMissing, at: pid3, "No patient identifier that identifies: a record number is missing")
        case .ambiguousPatient:
            self.init(.duplicateKeyIdentifier, at: pid3, "The patient identifiers belong to different patients")
        case .contradictoryPatient:
            self.init(
                .duplicateKeyIdentifier, at: pid3,
                "One identifier names a patient to whom an authority of the list gave another record number")
        case .unknownOrder:
            self.init(
                .unknownKeyIdentifier, at: group, "The message names no patient, and its order numbers are not known")
        case .conflictingIdentifiers:
            self.init(.duplicateKeyIdentifier, at: group, "The order numbers belong to different orders")
        case .patientMismatch: self.init(.duplicateKeyIdentifier, at: pid3, "The order belongs to another patient")
        case .accessionOfAnotherPatient:
            self.init(.duplicateKeyIdentifier, at: group, "The accession number is in use for another patient")
        case .unidentifiedOrder:
            self.init(.requiredFieldMissing, at: group, "No placer, filler or accession number")
        case .identifierTooLong(let name): self.init(.dataTypeError, at: group, "The \(name) is too long for DICOM")
        }
        if refusal.isEndedByMerge, let patient { awaitedNumbers = patient.identifiers }
    }

    /// The same, waiting for a merge of the patient's numbers.
    func awaitingMerge(of patient: PatientUpdate) -> MessageRefusal {
        var refusal = self
        refusal.awaitedNumbers = patient.identifiers
        return refusal
    }

    /// What the report service refused.
    init(_ refusal: ReportService.Refusal, group: ErrorLocation, of patient: PatientUpdate) {
        func told(_ refusal: OrderService.Refusal) -> MessageRefusal {
            MessageRefusal(refusal, group: group, of: patient)
        }
        switch refusal {
        case .unidentifiedPatient: self = told(.unidentifiedPatient)
        case .ambiguousPatient: self = told(.ambiguousPatient)
        case .contradictoryPatient: self = told(.contradictoryPatient)
        case .unidentifiedReport: self = told(.unidentifiedOrder)
        case .patientMismatch:
            self.init(
                .duplicateKeyIdentifier, at: ErrorLocation(segment: "PID", field: 3),
                "The report belongs to another patient")
        case .conflictingIdentifiers: self = told(.conflictingIdentifiers)
        }
        if refusal.isEndedByMerge { awaitedNumbers = patient.identifiers }
    }
}

/// What a message did.
package struct MessageEffect: Sendable, Hashable {
    /// `.applied` or `.ignored`.
    package var disposition: JournaledMessage.Disposition
    /// Notes for the log and the sender, without clinical values.
    package var notes: [String]
    /// The numbers of patients who were found to be one person: what failed for taking them for two may pass now.
    package var mergedNumbers: [Identifier] = []
    /// Of whom the message is, each once.
    package var patientIDs: [EntityID] = []

    mutating func concerns(_ patientID: EntityID?) {
        if let patientID, !patientIDs.contains(patientID) { patientIDs.append(patientID) }
    }

    /// Notes a time of the message that lies ahead of what its sender's clock may show.
    mutating func note(_ time: UTCInstant?, in unit: any UnitOfWork) {
        let text = "the time of the event lies in the future: it counts as the time of receipt"
        if unit.isAhead(time), !notes.contains(text) { notes.append(text) }
    }
}

/// One kind of message: read from the wire, then carried out as domain calls in one unit of work.
///
/// Reading happens outside of the unit; `apply` throws `MessageRefusal` or a store error and then changes nothing.
protocol InboundMessage: Sendable {
    /// Throws `MessageRefusal` when the content can not be used.
    ///
    /// - Parameter root: the message as the groups of its abstract message definition.
    init(_ message: Message, root: SegmentGroup, types: DataTypes) throws
    func apply(in unit: any UnitOfWork) throws -> MessageEffect
}
