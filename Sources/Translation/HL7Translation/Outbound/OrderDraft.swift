import HL7v2
import Workflow

/// An order as the groups of ORM^O01, OMG^O19 or OMI^O23: the way back of `OrderMessage`. HL7 v2.5.1 §4.4, IHE RAD-2 to
/// RAD-4 and RAD-13.
struct OrderDraft {
    let types: WireTypes
    let form: OutboundForm

    /// What is asked or told: ORC-1 and ORC-5. Tables 0119 and 0038.
    struct Request: Sendable, Hashable {
        var control: String
        var status: String?
    }

    /// The order and all that belongs to it in a message.
    struct Content {
        var order: ImagingOrder
        /// When it was asked or told.
        var time: UTCInstant?
    }

    /// The ORDER groups: in ORM and OMG one for each step, for an OBR names one; in OMI one, with an IPC for each.
    /// PV1 and PID are not of them.
    func groups(_ content: Content, _ request: Request) -> [SegmentDraft] {
        let order = content.order
        if form == .omi { return group(content, request, steps: order.steps) }
        guard order.steps.count > 1 else { return group(content, request, steps: order.steps) }
        return order.steps.flatMap { group(content, request, steps: [$0]) }
    }

    private func group(
        _ content: Content, _ request: Request, steps: [ScheduledProcedureStep]
    ) -> [SegmentDraft] {
        let order = content.order
        let observations = ObservationDraft(types: types)
        var segments = [orc(order, request, time: content.time, steps)]
        if form != .orm { segments.append(tq1(order, steps)) }
        segments.append(obr(order, steps))
        segments += notes(order)
        segments += observations.segments(order.statements ?? [], .diagnosis)
        segments += observations.segments(order.statements ?? [], .observation)
        if form == .omi {
            segments += ipc(order, steps)
        } else if let uid = order.studyInstanceUID {
            var zds = SegmentDraft("ZDS")
            zds[1] = FieldDraft(components: [.key(uid), .key("HILUM"), .key("Application"), .key("DICOM")])
            segments.append(zds)
        }
        return segments
    }

    /// ORC alone names the order; with the OBR it says what it is.
    func orc(
        _ order: ImagingOrder, _ request: Request, time: UTCInstant?, _ steps: [ScheduledProcedureStep]
    ) -> SegmentDraft {
        var orc = SegmentDraft("ORC")
        orc[1] = FieldDraft(.key(request.control))
        orc[2] = types.ei(order.placer, default: types.profile.placerSystem)
        orc[3] = types.ei(order.filler, default: types.profile.fillerSystem)
        orc[4] = types.ei(order.requisition, default: types.profile.placerSystem)
        orc[5] = FieldDraft(.key(request.status))
        if form == .orm { orc[7] = timing(order, steps) }
        orc[9] = FieldDraft(time == nil ? types.ts(order.orderedAt) : types.ts(time))
        orc[12] = types.xcn([order.requester].compactMap { $0 })
        orc[16] = types.cwe(order.statusReason)
        return orc
    }

    private func obr(_ order: ImagingOrder, _ steps: [ScheduledProcedureStep]) -> SegmentDraft {
        typealias Name = ImagingOrder.Attribute
        let attributes = order.attributes ?? [:]
        var obr = SegmentDraft("OBR")
        obr[1] = FieldDraft(.key("1"))
        obr[2] = types.ei(order.placer, default: types.profile.placerSystem)
        obr[3] = types.ei(order.filler, default: types.profile.fillerSystem)
        obr[4] = types.cwe(order.code)
        obr[12] = types.cwe(attributes.text(Name.alerts).map { CodedConcept(text: $0) })
        obr[13] = FieldDraft(.text(order.clinicalInformation))
        if let site = attributes.concepts(Name.bodySites).first?.displayText { obr[15] = bodySite(site) }
        obr[16] = types.xcn([order.requester].compactMap { $0 })
        if form != .omi {
            obr[18] = types.accession(order.accession)
            obr[19] = FieldDraft(.key(order.requestedProcedureID))
            obr[20] = FieldDraft(.key(steps.first?.stepID))
        }
        obr[24] = FieldDraft(.key((order.modality ?? steps.first?.modality).map(WireTypes.section)))
        if form == .orm {
            obr[27] = timing(order, steps)
            obr[36] = FieldDraft(types.ts(start(order, steps)))
        }
        obr[30] = FieldDraft(.text(attributes.text(Name.transport)))
        obr[31] = types.cwe(order.reasons)
        obr[34] = types.ndl(performers(attributes, steps))
        obr[46] = types.cwe(attributes.concepts(Name.orderDetails))
        return obr
    }

    private func performers(_ attributes: Attributes, _ steps: [ScheduledProcedureStep]) -> [PartyReference] {
        let named = attributes.parties(ImagingOrder.Attribute.performers)
        if !named.isEmpty { return named }
        return steps.first?.performingPhysician.map { [PartyReference(name: $0)] } ?? []
    }

    /// OBR-15.4, where orders have the part of the body. HL7 v2.5.1 §4.5.3.15.
    private func bodySite(_ site: String) -> FieldDraft {
        var value = RepetitionDraft()
        value[4] = ComponentDraft([.empty, .text(site)])
        return FieldDraft([value])
    }

    private func notes(_ order: ImagingOrder) -> [SegmentDraft] {
        order.notes.enumerated().map { ObservationDraft.note($1, setID: $0 + 1) }
    }

    // MARK: Time

    private func start(_ order: ImagingOrder, _ steps: [ScheduledProcedureStep]) -> PartialDateTime? {
        order.scheduledAt ?? steps.first?.scheduledStart
    }

    /// TQ: start and priority. §4.3.
    private func timing(_ order: ImagingOrder, _ steps: [ScheduledProcedureStep]) -> FieldDraft {
        let start = types.ts(start(order, steps))
        return FieldDraft(components: [
            .empty, .empty, .empty, start, .empty, .key(order.priority.map(WireTypes.code)),
        ])
    }

    private func tq1(_ order: ImagingOrder, _ steps: [ScheduledProcedureStep]) -> SegmentDraft {
        var tq1 = SegmentDraft("TQ1")
        tq1[1] = FieldDraft(.key("1"))
        tq1[7] = FieldDraft(types.ts(start(order, steps)))
        tq1[9] = FieldDraft(.key(order.priority.map(WireTypes.code)))
        return tq1
    }

    // MARK: Imaging

    /// IPC of each step; one that names the study alone where there is none. §4.5.6.
    private func ipc(_ order: ImagingOrder, _ steps: [ScheduledProcedureStep]) -> [SegmentDraft] {
        var named = SegmentDraft("IPC")
        named[1] = types.ei(order.accession, default: types.profile.authorities.defaultAccessionSystem)
        named[2] = FieldDraft(.key(order.requestedProcedureID))
        named[3] = FieldDraft(.key(order.studyInstanceUID))
        named[5] = FieldDraft(.key(order.modality))
        if steps.isEmpty { return named.isEmpty ? [] : [named] }
        return steps.map { step in
            var ipc = named
            // As the worklist has it: the field is required. HL7 v2.5.1 §4.5.6.2.
            ipc[2] = FieldDraft(.key(order.requestedProcedureID ?? step.stepID))
            ipc[4] = FieldDraft(.key(step.stepID))
            ipc[5] = FieldDraft(.key(step.modality ?? order.modality))
            var concept = CodedConcept()
            if let code = step.protocolCode { concept.codings = [code] }
            concept.text = step.description == step.protocolCode?.display ? nil : step.description
            ipc[6] = types.cwe(concept.codings.isEmpty && concept.text == nil ? nil : concept)
            ipc[7] = FieldDraft(.text(step.stationName))
            ipc[8] = FieldDraft(.text(step.location))
            ipc[9] = FieldDraft(.key(step.stationAETitle))
            return ipc
        }
    }
}
