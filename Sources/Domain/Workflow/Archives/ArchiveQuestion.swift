/// That the archives are to be asked what they have of a patient, as the outbox keeps it until they were: who and why, so
/// that it survives the end of the server and an archive that is down.
package struct ArchiveQuestion: Sendable, Hashable {
    /// What gives cause to ask.
    package enum Cause: String, Sendable, Hashable, CaseIterable {
        /// An order has come.
        case order
        /// A visit has begun or is planned.
        case admission
        /// Images of the patient have come that are kept here.
        case arrival
        /// A report names a study that is not known here.
        case report
    }

    /// The kind of its entries in the outbox, and their destination.
    package static let kind = "archive-question"

    package var patientID: EntityID
    package var cause: Cause
    /// The order, visit, study or report.
    package var subject: EntityID

    package init(patientID: EntityID, cause: Cause, subject: EntityID) {
        self.patientID = patientID
        self.cause = cause
        self.subject = subject
    }

    /// As it is put into the outbox. Of one patient one question is asked after the other.
    package var draft: OutboxDraft {
        OutboxDraft(
            destination: "archives", orderingKey: patientID.value, kind: Self.kind,
            payload: Array("\(cause.rawValue)\n\(patientID.value)\n\(subject.value)".utf8))
    }

    /// What an entry of the outbox holds; nil for those of others.
    package init?(_ entry: OutboxEntry) {
        let lines = String(decoding: entry.payload, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard entry.kind == Self.kind, lines.count == 3, let cause = Cause(rawValue: lines[0]) else { return nil }
        self.init(patientID: EntityID(lines[1]), cause: cause, subject: EntityID(lines[2]))
    }

    /// The studies that the cause names and of which nothing is known here, by Study Instance UID.
    package func unknownStudies(in unit: any UnitOfWork) throws -> [String] {
        let named: [String] =
            switch cause {
            case .order: try [unit.order(subject)?.studyInstanceUID].compactMap(\.self)
            case .report: try unit.report(subject)?.studyInstanceUIDs ?? []
            case .admission, .arrival: []
            }
        return try Array(
            named.filter { try unit.remoteStudy($0) == nil && !RemoteMatches().isHeld($0, in: unit) }.prefix(
                Self.studiesMax))
    }

    /// Studies of one report that are asked for by their UIDs.
    private static let studiesMax = 100
}

extension RemoteStudyService {
    /// Patient ids by which archives are asked for one patient.
    private static let numbersMax = 16

    /// The patient ids by which archives are asked for a patient's studies, also those that are not current any more: of a
    /// merged record those of its survivor, who has them all. None for one who is not known.
    package func numbers(of patient: EntityID, in unit: any UnitOfWork) throws -> [String] {
        guard let record = try unit.patient(patient) else { return [] }
        let living = try PatientService().survivor(of: record, in: unit)
        var numbers: [String] = []
        for identifier in PatientService.keys(of: living.identifiers, unit.rules) {
            // What would be asked as something else is not asked. PS3.4 §C.2.2.2, PS3.5 §6.2 LO.
            guard let value = identifier.value.withoutOuterSpaces, !value.isEmpty, value.count <= 64,
                !value.contains(where: { $0 == "*" || $0 == "?" || $0 == "\\" }), !numbers.contains(value)
            else { continue }
            numbers.append(value)
        }
        return Array(numbers.prefix(Self.numbersMax))
    }
}
