import HL7v2
import Workflow

/// Puts what is told into messages for one destination: MSH, EVN and the patient before it.
struct OutboundEnvelope {
    let destination: OutboundDestination
    let types: WireTypes

    init(_ destination: OutboundDestination, profile: SiteProfile) {
        self.destination = destination
        types = WireTypes(profile: profile, version: destination.format.version)
    }

    /// A message of a form with what follows its header.
    func message(
        _ form: OutboundForm, _ body: [SegmentDraft], controlID: String, at time: UTCInstant
    ) -> MessageDraft {
        var msh = SegmentDraft("MSH")
        msh[3] = FieldDraft(.key(destination.sendingApplication))
        msh[4] = FieldDraft(.key(destination.sendingFacility))
        msh[5] = FieldDraft(.key(destination.receivingApplication))
        msh[6] = FieldDraft(.key(destination.receivingFacility))
        msh[7] = FieldDraft(types.ts(time))
        let type = form.messageType
        let parts = types.version >= VersionNumber(2, 3, 1) ? type : Array(type.prefix(2))
        msh[9] = FieldDraft(components: parts.map { .key($0) })
        msh[10] = FieldDraft(.key(controlID))
        msh[11] = FieldDraft(.key(destination.processingID))
        if destination.acknowledgment == .accept {
            msh[15] = FieldDraft(.key("AL"))
            msh[16] = FieldDraft(.key("NE"))
        }
        return MessageDraft([msh] + body)
    }

    /// EVN of an ADT message. HL7 v2.5.1 §3.4.1.
    func event(_ form: OutboundForm, at time: UTCInstant, happened: UTCInstant?) -> SegmentDraft {
        var evn = SegmentDraft("EVN")
        evn[1] = FieldDraft(.key(form.messageType[1]))
        evn[2] = FieldDraft(types.ts(time))
        evn[6] = FieldDraft(types.ts(happened))
        return evn
    }

    /// A person's record, without EVN. ADT_A05 wants a PV1: class N says that there is no visit.
    func person(_ patient: Patient) -> [SegmentDraft] {
        var none = SegmentDraft("PV1")
        none[1] = FieldDraft(.key("1"))
        none[2] = FieldDraft(.key("N"))
        let observations = ObservationDraft(types: types)
        let statements = patient.statements ?? []
        return PatientDraft(types: types).segments(patient) + [none]
            + observations.segments(statements, .observation) + observations.segments(statements, .allergy)
            + observations.segments(statements, .diagnosis)
    }

    /// The survivor and the record that it absorbed, without EVN. §3.3.40.
    func merge(_ retired: Patient, into survivor: Patient) -> [SegmentDraft] {
        let patients = PatientDraft(types: types)
        return [patients.pid(survivor), patients.mrg(retired)]
    }

    /// The patient of an order or report, its visit and its allergies.
    func subject(
        _ patient: Patient, visit: Visit?, visitNumber: Identifier?, statements: [ClinicalStatement] = []
    ) -> [SegmentDraft] {
        let patients = PatientDraft(types: types)
        let allergies = statements.filter { $0.kind == .allergy && $0.isCurrent }
        let heeded = allergies.isEmpty ? patient.statements ?? [] : allergies
        return [patients.pid(patient)]
            + [patients.pd1(patient), patients.pv1(visit, number: visitNumber)].compactMap { $0 }
            + ObservationDraft(types: types).segments(heeded, .allergy)
    }
}
