import DICOMData
import Workflow

/// A worklist entry as the identifier of a C-FIND response. PS3.4 §K.6.1.2.
package struct WorklistItem: Sendable {
    /// Which namespace an issuer goes by.
    package let authorities: AssigningAuthorities

    package init(authorities: AssigningAuthorities) { self.authorities = authorities }

    /// The attributes that an entry may have, at its root. PS3.4 Table K.6-1.
    static let rootTags: Set<Tag> = [
        .accessionNumber, .issuerOfAccessionNumberSequence, .referringPhysicianName, .referencedStudySequence,
        .referencedPatientSequence, .patientName, .patientID, .issuerOfPatientID, .patientBirthDate, .patientSex,
        .studyInstanceUID, .requestingPhysician, .requestedProcedureDescription, .requestedProcedureCodeSequence,
        .admissionID, .currentPatientLocation, .medicalAlerts, .allergies, .specialNeeds, .patientState,
        .confidentialityConstraintOnPatientDataDescription, .patientTransportArrangements, .patientWeight,
        .pregnancyStatus, .scheduledProcedureStepSequence, .requestedProcedureID, .requestedProcedurePriority,
        .reasonForTheRequestedProcedure, .placerOrderNumberImagingServiceRequest,
        .fillerOrderNumberImagingServiceRequest,
    ]

    /// Those in the item of its Scheduled Procedure Step Sequence.
    static let stepTags: Set<Tag> = [
        .modality, .requestedContrastAgent, .scheduledStationAETitle, .scheduledProcedureStepStartDate,
        .scheduledProcedureStepStartTime, .scheduledPerformingPhysicianName, .scheduledProcedureStepDescription,
        .scheduledProtocolCodeSequence, .scheduledProcedureStepID, .scheduledStationName,
        .scheduledProcedureStepLocation, .preMedication, .scheduledProcedureStepStatus,
    ]

    /// The full entry in ISO_IR 192, with every return key of type 1 and 2 present, empty when unknown.
    /// Descriptions are cut to their 64 characters; identifiers never are.
    ///
    /// - Parameter keys: of several ids of a patient the one they ask for is given.
    package func dataSet(_ entry: WorklistEntry, askedBy keys: SearchKeys) -> DataSet {
        let order = entry.order
        let step = entry.step
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 192")
        put(&set, .accessionNumber, order.accession?.value)
        if let accession = order.accession, let namespace = authorities.namespace(of: accession.system) {
            var issuer = DataSet()
            issuer.set(.localNamespaceEntityID, string: namespace)
            set.set(.issuerOfAccessionNumberSequence, items: [issuer])
        }
        put(&set, .referringPhysicianName, entry.visit?.referring.flatMap(personName))
        set.setEmpty(.referencedStudySequence)
        set.setEmpty(.referencedPatientSequence)
        patient(&set, entry.patient, keys)
        put(&set, .studyInstanceUID, order.studyInstanceUID)
        put(&set, .requestingPhysician, order.requester.flatMap(personName))
        put(&set, .requestedProcedureDescription, order.code.displayText.map { cut($0, 64) })
        if let coding = order.code.codings.first { set.set(.requestedProcedureCodeSequence, items: [code(coding)]) }
        put(&set, .admissionID, entry.visit?.identifier?.value)
        put(&set, .currentPatientLocation, entry.visit?.location.map { cut($0, 64) })
        put(&set, .medicalAlerts, order.attributes?.text(ImagingOrder.Attribute.alerts).map { cut($0, 64) })
        put(&set, .allergies, allergies(entry))
        for tag in [Tag.specialNeeds, .patientState, .confidentialityConstraintOnPatientDataDescription] {
            set.setEmpty(tag)
        }
        put(
            &set, .patientTransportArrangements,
            order.attributes?.text(ImagingOrder.Attribute.transport).map { cut($0, 64) })
        putWeight(&set, entry)
        set.setEmpty(.pregnancyStatus)
        set.set(.scheduledProcedureStepSequence, items: [stepItem(entry)])
        put(&set, .requestedProcedureID, order.worklistProcedureID(step))
        put(&set, .requestedProcedurePriority, priority(order.priority))
        put(&set, .reasonForTheRequestedProcedure, order.reasons.first?.displayText.map { cut($0, 64) })
        put(&set, .placerOrderNumberImagingServiceRequest, order.placer?.value)
        put(&set, .fillerOrderNumberImagingServiceRequest, order.filler?.value)
        return set
    }

    /// What a modality has to heed of what order and registration tell, cut to the 64 characters of one value.
    private func allergies(_ entry: WorklistEntry) -> String? {
        let statements = (entry.order.statements ?? []) + (entry.patient.statements ?? [])
        var words: [String] = []
        for statement in statements where statement.kind == .allergy && statement.isCurrent {
            guard let text = statement.code?.displayText, !words.contains(text) else { continue }
            words.append(text)
        }
        return words.isEmpty ? nil : cut(words.joined(separator: ", "), 64)
    }

    /// Patient's Weight in kilograms, of the order's measurements: LOINC 29463-7 or 3141-9, or a code named so, in kg or g.
    /// As a DS it has at most 16 characters: what has more digits is rounded. PS3.3 §C.7.2.2, PS3.5 §6.2.
    private func putWeight(_ set: inout DataSet, _ entry: WorklistEntry) {
        set.setEmpty(.patientWeight)
        for statement in entry.order.statements ?? [] where statement.kind == .observation && statement.isCurrent {
            let codes = statement.code?.codings.map(\.code) ?? []
            guard codes.contains("29463-7") || codes.contains("3141-9"),
                case .quantity(let number, nil, let unit, _)? = statement.value, let value = Double(number),
                value.isFinite
            else { continue }
            switch unit {
            case "kg": return set.set(.patientWeight, double: value)
            case "g": return set.set(.patientWeight, double: value / 1000)
            default: continue
            }
        }
    }

    private func stepItem(_ entry: WorklistEntry) -> DataSet {
        let (step, order) = (entry.step, entry.order)
        var item = DataSet()
        put(&item, .modality, order.modality(of: step))
        item.setEmpty(.requestedContrastAgent)
        put(&item, .scheduledStationAETitle, entry.stationAETitles.joined(separator: "\\"))
        put(&item, .scheduledProcedureStepStartDate, step.scheduledStart?.dateDigits)
        put(&item, .scheduledProcedureStepStartTime, step.scheduledStart?.timeDigits)
        put(&item, .scheduledPerformingPhysicianName, step.performingPhysician?.personName)
        put(&item, .scheduledProcedureStepDescription, (step.description ?? order.code.displayText).map { cut($0, 64) })
        if let coding = step.protocolCode ?? order.code.codings.first {
            item.set(.scheduledProtocolCodeSequence, items: [code(coding)])
        }
        put(&item, .scheduledProcedureStepID, step.worklistID)
        put(&item, .scheduledStationName, step.stationName)
        put(&item, .scheduledProcedureStepLocation, step.location)
        item.setEmpty(.preMedication)
        put(&item, .scheduledProcedureStepStatus, step.status.rawValue)
        return item
    }

    /// A registered patient alone, in ISO_IR 192: name, id, birth date and sex, empty when unknown.
    package func patient(_ patient: Patient) -> DataSet {
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 192")
        self.patient(&set, patient, SearchKeys())
        return set
    }

    private func patient(_ set: inout DataSet, _ patient: Patient, _ keys: SearchKeys) {
        var asked: Identifier?
        let value = keys.exact(.patientID)
        let system = keys.exact(.patientIDSystem)
        if value != nil || system != nil {
            asked = patient.identifiers.first { $0.system == system ?? $0.system && $0.value == value ?? $0.value }
        }
        let preferred = patient.identifiers.first { $0.system == authorities.defaultPatientSystem && $0.isCurrent }
        let identifier = asked ?? preferred ?? patient.identifiers.first { $0.isCurrent } ?? patient.identifiers.first
        put(&set, .patientName, patient.names.personName)
        put(&set, .patientID, identifier?.value)
        if let namespace = identifier.flatMap({ authorities.namespace(of: $0.system) }) {
            set.set(.issuerOfPatientID, string: namespace)
        }
        put(&set, .patientBirthDate, patient.birthDate.map(\.dateDigits).flatMap { $0.utf8.count == 8 ? $0 : nil })
        let sex: String? =
            switch patient.sex {
            case .male: "M"
            case .female: "F"
            case .other: "O"
            case .unknown, nil: nil
            }
        put(&set, .patientSex, sex)
    }

    /// Code Sequence Macro. PS3.3 §8.8. A code longer than 16 characters goes into Long Code Value.
    private func code(_ coding: CodedConcept.Coding) -> DataSet {
        var item = DataSet()
        let isLong = coding.code.count > 16
        item.set(isLong ? Tag(0x0008, 0x0119) : .codeValue, isLong ? .UC : .SH, string: coding.code)
        item.set(.codingSchemeDesignator, string: Self.scheme(coding.system))
        item.set(.codeMeaning, string: cut(coding.display ?? coding.code, 64))
        return item
    }

    /// Coding scheme designators. PS3.16 §8. A code system without one is local.
    static func scheme(_ system: String?) -> String { system.flatMap(CodeSystem.designator) ?? "99LOCAL" }

    private func personName(_ party: PartyReference) -> String? {
        party.name?.personName ?? party.displayName
    }

    private func priority(_ priority: ImagingOrder.Priority?) -> String? {
        switch priority {
        case .stat: "STAT"
        case .urgent, .asap: "HIGH"
        case .routine: "ROUTINE"
        case nil: nil
        }
    }

    private func cut(_ text: String, _ characters: Int) -> String { String(text.prefix(characters)) }

    private func put(_ set: inout DataSet, _ tag: Tag, _ value: String?) {
        if let value, !value.isEmpty { set.set(tag, string: value) } else { set.setEmpty(tag) }
    }
}
