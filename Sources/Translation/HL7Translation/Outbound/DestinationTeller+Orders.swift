import HL7v2
import Workflow

/// Orders: what became of one since the destination was last told, by what it was told.
extension DestinationTeller {
    private static func subject(_ id: EntityID) -> String { "order/" + id.value }

    func tellOrder(_ id: EntityID, replaced: (EntityID) throws -> EntityID?) throws -> Bool {
        guard let order = try unit.order(id), let rule = rules(.order).first(where: { $0.takes(order.modality) }),
            let patient = try unit.patient(order.patientID)
        else { return false }
        let last = try remembered(Self.subject(id))
        let told = Self.known(last)
        let content = try content(order)
        // The content alone, as one fixed request would tell it at any time.
        let plain = OrderDraft.Request(control: "XO", status: nil)
        let timeless = OrderDraft.Content(order: content.order, time: nil)
        let body = subject(of: order, patient, content) + draft(rule.form).groups(timeless, plain)
        let state = OrderChange.state(of: order)
        let known = told.map { ($0.state, $0.digest != digest(of: body)) }
        let asked: OrderChange? = isAskedFor ? (told == nil ? .new : .changed) : nil
        guard let change = OrderChange(of: order, told: known) ?? asked,
            let now = try news(
                Self.subject(id), of: body, since: last, state: state, detail: ToldOrder(order).text)
        else { return false }
        guard Self.isNumbered(order) else {
            let controlID = String(unit.entropy.newID().value.prefix(20))
            try enqueue(.unwritable("the order has no number"), controlID: controlID, of: patient.id)
            try rememberUnwritten(now)
            return true
        }
        var groups: [SegmentDraft] = []
        if change == .new, let old = try replaced(id), let pair = try replacement(old, of: rule.form) {
            groups = pair + self.groups(content, .replacing, rule.form)
        } else {
            groups = self.groups(content, change, rule.form)
        }
        return try put(rule.form, subject(of: order, patient, content) + groups, of: patient.id, now)
    }

    private func draft(_ form: OutboundForm) -> OrderDraft { OrderDraft(types: envelope.types, form: form) }

    private func groups(
        _ content: OrderDraft.Content, _ change: OrderChange, _ form: OutboundForm
    ) -> [SegmentDraft] {
        let state = OrderChange.state(of: content.order)
        // A new order is in no state yet, unless it is held.
        let status: String? = change == .new && state == "SC" && destination.role == .placer ? nil : state
        let request = OrderDraft.Request(control: change.control(destination.role), status: status)
        return draft(form).groups(content, request)
    }

    /// The group of the order that another one takes the place of. Nil where the destination was not told of it, or knows
    /// that it is over.
    private func replacement(_ old: EntityID, of form: OutboundForm) throws -> [SegmentDraft]? {
        guard var told = Self.known(try remembered(Self.subject(old))), !Self.isOver(told),
            let order = try unit.order(old) ?? told.detail.flatMap({ ToldOrder($0)?.order(old) })
        else { return nil }
        // It is over with this message, whatever its own change would have said.
        told.state = OrderChange.state(of: order)
        try memory.save(told)
        let request = OrderDraft.Request(
            control: OrderChange.replaced.control(destination.role), status: "RP")
        return named(order, request, form)
    }

    /// The group of an order that ends: in ORM its ORC alone, which names it; with the OBR and IPC that OMG and OMI do not
    /// go without. HL7 v2.5.1 §4.4.1, §4.4.4, §4.4.16.
    private func named(
        _ order: ImagingOrder, _ request: OrderDraft.Request, _ form: OutboundForm
    ) -> [SegmentDraft] {
        guard form != .orm else { return [draft(form).orc(order, request, time: unit.time, [])] }
        return draft(form).groups(OrderDraft.Content(order: order, time: unit.time), request)
    }

    private func content(_ order: ImagingOrder) throws -> OrderDraft.Content {
        var order = order
        // A receiver needs a number of the placer where there is none of the filler either.
        if order.placer == nil, order.filler == nil, let accession = order.accession {
            order.placer = Identifier(system: profile.placerSystem, value: accession.value, kind: .placer)
        }
        return OrderDraft.Content(order: order, time: order.eventTime)
    }

    private func subject(
        of order: ImagingOrder, _ patient: Patient, _ content: OrderDraft.Content
    ) -> [SegmentDraft] {
        let visit = order.visitID.flatMap { try? unit.visit($0) } ?? order.toldVisit
        return envelope.subject(
            patient, visit: visit, visitNumber: order.visitNumber, statements: order.statements ?? [])
    }

    // MARK: Gone

    /// An order that a client took back is cancelled; of one that was found to be another one, that one goes on.
    func tellRemoved(_ id: EntityID) throws -> Bool {
        guard let rule = rules(.order).first,
            let told = try remembered(Self.subject(id)),
            let numbers = told.detail.flatMap({ ToldOrder($0) })
        else { return false }
        try memory.forget(told)
        if let survivor = try survivor(of: numbers) {
            if try remembered(Self.subject(survivor.id)) == nil {
                var kept = told
                kept.subject = Self.subject(survivor.id)
                try memory.save(kept)
            }
            return false
        }
        guard Self.known(told) != nil, !Self.isOver(told), let person = try unit.patient(numbers.patient) else {
            return false
        }
        let patient = try PatientService().survivor(of: person, in: unit)
        let request = OrderDraft.Request(
            control: OrderChange.cancelled.control(destination.role), status: "CA")
        let order = numbers.order(id)
        let body =
            envelope.subject(patient, visit: nil, visitNumber: nil)
            + named(order, request, rule.form)
        var gone = told
        gone.state = "CA"
        let isPut = try put(rule.form, body, of: patient.id, gone)
        try memory.forget(gone)
        return isPut
    }

    /// Whether the destination knows that the order is over.
    private static func isOver(_ told: Told) -> Bool { ["CA", "DC", "ER", "CM"].contains(told.state) }

    private func survivor(of numbers: ToldOrder) throws -> ImagingOrder? {
        for (number, role) in [
            (numbers.filler, OrderIdentifierRole.filler), (numbers.placer, .placer), (numbers.accession, .accession),
        ] {
            guard let number else { continue }
            if let order = try unit.orders(identifiedBy: number, as: role).first { return order }
        }
        return nil
    }
}
