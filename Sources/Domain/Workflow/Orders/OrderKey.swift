/// What tells one requested procedure from another: the numbers that were said of it.
///
/// A placer order may hold several requested procedures, each with a procedure id or accession number of its own, and
/// the filler may split it into several filler orders. IHE RAD TF-2 §4.4.4.1.2.2, HL7 v2.5.1 §4.5.1.
struct OrderKey: Sendable, Hashable {
    var placer: Identifier?
    var filler: Identifier?
    var accession: Identifier?
    var procedureID: String?
    var studyInstanceUID: String?
    /// Only where the message tells its groups apart by it.
    var code: String?
    var distinction: OrderUpdate.Distinction?

    init(_ update: OrderUpdate) {
        placer = update.placer
        filler = update.filler
        accession = update.accession
        procedureID = update.requestedProcedureID
        studyInstanceUID = update.studyInstanceUID
        distinction = update.distinction
        if update.distinction == .code { code = update.code.flatMap(Self.codeText) }
    }

    init(_ order: ImagingOrder) {
        placer = order.placer
        filler = order.filler
        accession = order.accession
        procedureID = order.requestedProcedureID
        studyInstanceUID = order.studyInstanceUID
    }

    init(_ event: OrderEvent) {
        switch event.content {
        case .said(let update): self.init(update)
        case .stated(let order): self.init(order)
        }
    }

    static func codeText(_ concept: CodedConcept) -> String? {
        concept.codings.first.map { ($0.system ?? "") + "|" + $0.code } ?? concept.text
    }

    /// How much it says: the more, the better it leads the others.
    var weight: Int {
        [placer != nil, filler != nil, accession != nil, procedureID != nil, distinction != nil].count { $0 }
    }

    /// Whether both name one number.
    func isRelated(to other: OrderKey) -> Bool {
        Self.agree(placer, other.placer) || Self.agree(filler, other.filler) || Self.agree(accession, other.accession)
    }

    /// Whether both may speak of one requested procedure. A number that one does not name contradicts nothing.
    func isCompatible(with other: OrderKey) -> Bool {
        let isOneFiller = Self.agree(filler, other.filler)
        if Self.differ(filler, other.filler) || Self.differ(procedureID, other.procedureID) { return false }
        // One filler order has one placer order; what differs is a slip that is noted, not another order.
        if !isOneFiller, Self.differ(placer, other.placer) { return false }
        let distinctions = [distinction, other.distinction]
        let isOtherStudy = Self.differ(studyInstanceUID, other.studyInstanceUID)
        if distinctions.contains(.study), isOtherStudy { return false }
        if distinctions.contains(.code), Self.differ(code, other.code) { return false }
        if Self.differ(accession, other.accession) {
            return isOneFiller && !isOtherStudy && !distinctions.contains(.accession)
        }
        return true
    }

    /// Both together; what the first names stands.
    func joined(with other: OrderKey) -> OrderKey {
        var joined = self
        joined.placer = placer ?? other.placer
        joined.filler = filler ?? other.filler
        joined.accession = accession ?? other.accession
        joined.procedureID = procedureID ?? other.procedureID
        joined.studyInstanceUID = studyInstanceUID ?? other.studyInstanceUID
        joined.code = code ?? other.code
        joined.distinction = distinction ?? other.distinction
        return joined
    }

    private static func agree(_ a: Identifier?, _ b: Identifier?) -> Bool {
        guard let a, let b else { return false }
        return a.matches(b)
    }
    private static func differ(_ a: Identifier?, _ b: Identifier?) -> Bool {
        guard let a, let b else { return false }
        return !a.matches(b)
    }
    private static func differ(_ a: String?, _ b: String?) -> Bool {
        guard let a, let b else { return false }
        return a != b
    }
}

/// One requested procedure among those that some events speak of.
struct OrderedProcedure: Hashable {
    var key: OrderKey
    /// The events that speak of it, in the order in which they count.
    var events: [OrderEvent]
    /// Those of them that speak of others as well: they fill only what nothing else says.
    var shared: Set<OrderEvent>

    /// The procedures that events speak of. Depends on the events alone, not on their order.
    static func all(in events: [OrderEvent]) -> [OrderedProcedure] {
        let ordered = events.map { (key: OrderKey($0), event: $0) }.sorted { a, b in
            a.key.weight != b.key.weight ? a.key.weight > b.key.weight : OrderEvent.precedes(a.event, b.event)
        }
        var procedures: [OrderedProcedure] = []
        for (key, event) in ordered {
            var named = procedures.indices.filter {
                procedures[$0].key.isRelated(to: key) && procedures[$0].key.isCompatible(with: key)
            }
            if named.count > 1 { named = narrowed(named, procedures, event, key) }
            if named.isEmpty {
                procedures.append(OrderedProcedure(key: key, events: [event], shared: []))
            }
            for index in named {
                procedures[index].events.append(event)
                if named.count == 1 {
                    procedures[index].key = procedures[index].key.joined(with: key)
                } else {
                    procedures[index].shared.insert(event)
                    var numbers = key
                    (numbers.studyInstanceUID, numbers.code, numbers.distinction) = (nil, nil, nil)
                    procedures[index].key = procedures[index].key.joined(with: numbers)
                }
            }
        }
        for index in procedures.indices { procedures[index].events.sort(by: OrderEvent.precedes) }
        return procedures
    }

    /// The same beside the orders that are stored: what the server told of one of these goes to that one alone, whatever
    /// numbers others share with it.
    static func all(in events: [OrderEvent], of related: [ImagingOrder]) -> [OrderedProcedure] {
        let ids = Set(related.map(\.id))
        func isOfOne(_ event: OrderEvent) -> Bool { event.said?.orderID.map(ids.contains) ?? false }
        let told = events.filter(isOfOne)
        guard !told.isEmpty else { return all(in: events) }
        var procedures = all(in: events.filter { !isOfOne($0) })
        let stored = Self.stored(procedures, among: related).orders
        for event in told {
            let key = OrderKey(event)
            // A record that turned out to be another one's went there with what was told of it.
            let index =
                stored.firstIndex { $0 != nil && $0?.id == event.said?.orderID }
                ?? procedures.firstIndex { $0.key.isRelated(to: key) && $0.key.isCompatible(with: key) }
            if let index { procedures[index].events.append(event) }
        }
        for index in procedures.indices { procedures[index].events.sort(by: OrderEvent.precedes) }
        return procedures
    }

    /// The stored order of each procedure, nil for none, and the orders that are left over. Of orders that their code alone
    /// tells apart each goes to the procedure of its code.
    static func stored(
        _ procedures: [OrderedProcedure], among related: [ImagingOrder]
    ) -> (orders: [ImagingOrder?], left: [ImagingOrder]) {
        var left = related
        var orders: [ImagingOrder?] = Array(repeating: nil, count: procedures.count)
        for isByCode in [true, false] {
            for (place, procedure) in procedures.enumerated() where orders[place] == nil {
                let key = procedure.key
                if isByCode, key.code == nil { continue }
                let index = left.firstIndex { order in
                    let own = OrderKey(order)
                    return own.isRelated(to: key) && own.isCompatible(with: key)
                        && (!isByCode || OrderKey.codeText(order.code) == key.code)
                }
                orders[place] = index.map { left.remove(at: $0) }
            }
        }
        return (orders, left)
    }

    /// Those of several procedures that an event names by study, step or code, or all of them.
    private static func narrowed(
        _ named: [Int], _ procedures: [OrderedProcedure], _ event: OrderEvent, _ key: OrderKey
    ) -> [Int] {
        if case .stated = event.content { return Array(named.prefix(1)) }
        guard let update = event.said else { return named }
        let steps = Set(update.steps.compactMap(\.stepID))
        let code = update.code.flatMap(OrderKey.codeText)
        let tests: [(OrderedProcedure) -> Bool] = [
            { key.studyInstanceUID != nil && $0.key.studyInstanceUID == key.studyInstanceUID },
            { procedure in
                procedure.events.contains { event in
                    event.said?.steps.contains { $0.stepID.map(steps.contains) ?? false } ?? false
                }
            },
            { procedure in
                code != nil && procedure.events.contains { $0.said?.code.flatMap(OrderKey.codeText) == code }
            },
        ]
        for test in tests {
            let found = named.filter { test(procedures[$0]) }
            if found.count == 1 { return found }
        }
        return named
    }
}
