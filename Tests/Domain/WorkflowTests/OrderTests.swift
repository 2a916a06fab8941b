import Testing
import Workflow

/// Matching and states of orders. HL7 v2.5.1 §4.5, IHE RAD-2 to RAD-4, RAD-13.
@Suite("Orders: matching and states")
struct OrderTests {
    // MARK: Matching

    @Test("An order without patient or number is refused and leaves nothing")
    func unidentified() throws {
        let unit = MemoryUnit()
        #expect(throws: OrderService.Refusal.unidentifiedPatient) {
            try unit.place(Make.order(patient: PatientUpdate(identifiers: []), filler: "F1"))
        }
        #expect(throws: OrderService.Refusal.unidentifiedOrder) { try unit.place(Make.order()) }
        #expect(unit.orders.isEmpty)
    }

    @Test("A later message finds its order by filler, by placer, or by accession number alone")
    func matching() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(placer: "P1", filler: "F1", accession: "A1")).orderID
        #expect(try unit.place(Make.order(.change, filler: "F1")).orderID == id)
        #expect(try unit.place(Make.order(.change, placer: "P1")).orderID == id)
        #expect(try unit.place(Make.order(.change, accession: "A1")).orderID == id)
        #expect(unit.orders.count == 1)
    }

    @Test(
        "The accession number finds an order that lacks the number which the message brings, and gives it that number")
    func accessionFillsNumber() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(placer: "P1", accession: "A1")).orderID
        #expect(try unit.place(Make.order(.change, filler: "F1", accession: "A1")).orderID == id)
        #expect(try unit.order(id)?.filler == Make.filler("F1"))
    }

    @Test("Two orders may share an accession number; alone it then decides nothing")
    func sharedAccession() throws {
        let unit = MemoryUnit()
        let first = try unit.place(Make.order(filler: "F1", accession: "A1")).orderID
        let second = try unit.place(Make.order(filler: "F2", accession: "A1")).orderID
        #expect(first != second)
        #expect(throws: OrderService.Refusal.conflictingIdentifiers) {
            try unit.place(Make.order(.change, accession: "A1"))
        }
        #expect(try unit.place(Make.order(.change, filler: "F2", accession: "A1")).orderID == second)
    }

    @Test("A message that names two records by numbers that nothing contradicts proves them to be one order")
    func joined() throws {
        let unit = MemoryUnit()
        let first = try unit.place(Make.order(filler: "F1", at: 1)).orderID
        let second = try unit.place(Make.order(placer: "P2", code: "MR", at: 2)).orderID
        try unit.store(Make.received("1.1"))
        let report = try unit.result(Make.report(.preliminary, placer: "P2")).reportID
        _ = unit.takeEvents()
        let both = try unit.place(Make.order(.statusChanged, placer: "P2", filler: "F1", code: nil, at: 3))
        #expect(both.orderIDs == [first] && unit.orders.map(\.id) == [first])
        #expect(unit.orders[0].placer == Make.placer("P2") && unit.orders[0].code == Make.concept("MR"))
        #expect(try unit.report(report)?.orderID == first)
        #expect(unit.takeEvents().contains { if case .orderRemoved(second, _) = $0 { true } else { false } })
    }

    @Test("A placer number of one order with the filler number of another is refused")
    func conflict() throws {
        let unit = MemoryUnit()
        try unit.place(Make.order(placer: "P1", filler: "F1"))
        try unit.place(Make.order(placer: "P2", filler: "F2"))
        let before = unit.orders
        #expect(throws: OrderService.Refusal.conflictingIdentifiers) {
            try unit.place(Make.order(.change, placer: "P2", filler: "F1"))
        }
        #expect(unit.orders == before)
    }

    @Test("An accession number in use for another patient is refused, also when another number finds the order")
    func foreignAccession() throws {
        let unit = MemoryUnit()
        try unit.place(Make.order(filler: "F1", accession: "A1"))
        let other = Make.patient("200")
        #expect(throws: OrderService.Refusal.accessionOfAnotherPatient) {
            try unit.place(Make.order(patient: other, filler: "F9", accession: "A1"))
        }
        #expect(throws: OrderService.Refusal.patientMismatch) {
            try unit.place(Make.order(.change, patient: other, filler: "F1"))
        }
        #expect(unit.orders.count == 1)
    }

    @Test("Exams told apart by their code keep their records, whichever was ordered or came first", arguments: [1, 9])
    func toldApartByCode(_ time: Int64) throws {
        let unit = MemoryUnit()
        func place(_ code: String, _ time: Int64) throws -> EntityID {
            var order = Make.order(placer: "P1", code: code, at: time)
            order.distinction = .code
            return try unit.place(order).orderID
        }
        let chest = try place("CHEST", 5)
        let head = try place("HEAD", time)
        #expect(chest != head && unit.orders.count == 2)
        #expect(try unit.order(chest)?.code == Make.concept("CHEST"))
        #expect(try unit.order(head)?.code == Make.concept("HEAD"))
    }

    @Test("The same number of another issuer is another order")
    func issuers() throws {
        let unit = MemoryUnit()
        let first = try unit.place(Make.order(filler: "F1")).orderID
        var update = Make.order()
        update.filler = Identifier(system: "urn:other", value: "F1", kind: .filler)
        #expect(try unit.place(update).orderID != first)
    }

    @Test(
        "An accession number of 16 characters and a UID of 64 pass, one more is refused; step and procedure ids may be longer (PS3.5 §6.2)"
    )
    func lengths() throws {
        let unit = MemoryUnit()
        let limit = String(repeating: "A", count: 16)
        let uid = "1." + String(repeating: "2", count: 62)
        var legal = Make.order(filler: "F1", accession: limit)
        legal.studyInstanceUID = uid
        legal.requestedProcedureID = limit
        var step = OrderUpdate.StepUpdate()
        step.stepID = limit
        legal.steps = [step]
        try unit.place(legal)
        var long: [OrderUpdate] = Array(repeating: Make.order(filler: "F2"), count: 2)
        long[0].accession = Make.accession(limit + "A")
        long[1].studyInstanceUID = uid + "2"
        for update in long { #expect(throws: OrderService.Refusal.self) { try unit.place(update) } }
        #expect(unit.orders.count == 1)
        var shown = Make.order(filler: "F3")
        shown.requestedProcedureID = limit + "A"
        step.stepID = limit + "A"
        shown.steps = [step]
        let id = try unit.place(shown).orderID
        let order = try #require(unit.orders.first { $0.id == id })
        #expect(order.steps.map(\.worklistID.count) == [16])
        #expect(order.worklistProcedureID(order.steps[0]).count == 16)
    }

    // MARK: Making

    @Test("A new order has one step by its accession number and one study UID, both kept")
    func firstStep() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(filler: "F1", accession: "A1")).orderID
        let made = try #require(try unit.order(id))
        #expect(made.steps.map(\.stepID) == ["A1"] && made.steps[0].status == .scheduled)
        let uid = try #require(made.studyInstanceUID)
        #expect(uid.hasPrefix("2.25."))
        try unit.place(Make.order(.change, filler: "F1", code: "MR"))
        #expect(try unit.order(id)?.studyInstanceUID == uid)
        #expect(try unit.order(id)?.steps.map(\.id) == made.steps.map(\.id))
    }

    @Test("A study UID or accession number that differs from the stored one is noted, and the stored one kept")
    func differingUID() throws {
        let unit = MemoryUnit()
        var update = Make.order(filler: "F1", accession: "A1")
        update.studyInstanceUID = "1.2.3"
        let id = try unit.place(update).orderID
        var other = update
        other.studyInstanceUID = "1.2.4"
        #expect(try unit.place(other).notes.count == 1)
        other = update
        other.accession = Make.accession("A2")
        #expect(try unit.place(other).notes.count == 1)
        #expect(try unit.order(id)?.studyInstanceUID == "1.2.3")
        #expect(try unit.order(id)?.accession == Make.accession("A1"))
    }

    @Test("Step ids of the message are kept; a step is updated by its id and never doubled")
    func steps() throws {
        let unit = MemoryUnit()
        var update = Make.order(filler: "F1")
        var one = OrderUpdate.StepUpdate()
        one.stepID = "S1"
        one.stationAETitle = .set("CT1")
        var two = OrderUpdate.StepUpdate()
        two.stepID = "S2"
        update.steps = [one, two]
        let id = try unit.place(update).orderID
        one.stationAETitle = .set("CT2")
        update.control = .change
        update.steps = [one]
        update.stepStatus = .completed
        try unit.place(update)
        let order = try #require(try unit.order(id))
        #expect(order.steps.map(\.stepID) == ["S1", "S2"])
        #expect(order.steps.map(\.status) == [.completed, .scheduled])
        #expect(order.steps.map(\.stationAETitle) == ["CT2", nil])
    }

    @Test("The same message twice changes nothing the second time")
    func twice() throws {
        let unit = MemoryUnit()
        try unit.place(Make.order(filler: "F1", accession: "A1", at: 1))
        let before = unit.orders
        _ = unit.takeEvents()
        #expect(try unit.place(Make.order(filler: "F1", accession: "A1", at: 1)).result == .unchanged)
        #expect(unit.orders == before && unit.takeEvents().isEmpty)
    }

    @Test("A change of time, code or modality reaches the steps that had them from the order")
    func stepsFollow() throws {
        let unit = MemoryUnit()
        var update = Make.order(filler: "F1", code: "CT")
        update.scheduledAt = .set(PartialDateTime("2026-11-21T10:00:00"))
        update.modality = "CT"
        let id = try unit.place(update).orderID
        update.control = .change
        update.code = Make.concept("MR")
        update.modality = "MR"
        update.scheduledAt = .set(PartialDateTime("2026-11-22T11:00:00"))
        try unit.place(update)
        let step = try #require(try unit.order(id)?.steps.first)
        #expect(step.description == "MR" && step.modality == "MR" && step.scheduledStart?.text == "2026-11-22T11:00:00")
    }

    // MARK: States

    @Test("A cancel takes the steps off the worklist even when the site's table says nothing")
    func cancel() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(filler: "F1", at: 1)).orderID
        try unit.place(Make.order(.cancel, filler: "F1", code: nil, at: 2))
        #expect(try unit.order(id)?.status == .revoked)
        #expect(try unit.order(id)?.steps.map(\.status) == [.canceled])
        let second = try unit.place(Make.order(filler: "F2")).orderID
        try unit.place(Make.order(.discontinue, filler: "F2", code: nil))
        #expect(try unit.order(second)?.steps.map(\.status) == [.discontinued])
    }

    @Test("A cancel by ORC alone leaves what was ordered")
    func cancelIsNoSnapshot() throws {
        let unit = MemoryUnit()
        var update = Make.order(filler: "F1")
        update.reasons = .set([Make.concept("R")])
        update.priority = .set(.stat)
        let id = try unit.place(update).orderID
        try unit.place(Make.order(.cancel, filler: "F1", code: nil))
        let order = try #require(try unit.order(id))
        #expect(order.code == Make.concept("CT") && order.reasons == [Make.concept("R")] && order.priority == .stat)
    }

    @Test("A cancel that comes first is a tombstone: the older new order describes it and does not open it")
    func cancelBeforeNew() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(.cancel, filler: "F1", code: nil, at: 5)).orderID
        #expect(try unit.order(id)?.status == .revoked)
        #expect(try unit.order(id)?.studyInstanceUID == nil)
        var late = Make.order(filler: "F1", accession: "A1", at: 1)
        late.stepStatus = .scheduled
        late.studyInstanceUID = "1.2.3"
        #expect(try unit.place(late).result == .stale)
        let order = try #require(try unit.order(id))
        #expect(order.status == .revoked && order.code == Make.concept("CT") && order.accession == Make.accession("A1"))
        #expect(order.studyInstanceUID == "1.2.3")
        #expect(order.steps.map(\.status) == [.canceled])
    }

    @Test(
        "A late new order does not open a closed one, with or without a stated status or time", arguments: [nil, 9],
        [false, true])
    func lateNew(_ time: Int64?, states: Bool) throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(filler: "F1", at: time.map { _ in 1 })).orderID
        var done = Make.order(.statusChanged, filler: "F1", code: nil, at: time.map { _ in 2 })
        done.status = .completed
        try unit.place(done)
        var late = Make.order(filler: "F1", at: time)
        late.status = states ? .active : nil
        late.stepStatus = .scheduled
        #expect(try unit.place(late).result == .stale)
        #expect(try unit.order(id)?.status == .completed)
        #expect(try unit.order(id)?.steps.map(\.status) == [.completed])
    }

    @Test("A newer change opens a closed order again; one of the same or no time does not")
    func reopening() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(filler: "F1", at: 1)).orderID
        try unit.place(Make.order(.cancel, filler: "F1", code: nil, at: 2))
        for time in [2, nil] as [Int64?] {
            var change = Make.order(.change, filler: "F1", at: time)
            change.status = .active
            change.stepStatus = .scheduled
            #expect(try unit.place(change).result == .stale)
        }
        var change = Make.order(.change, filler: "F1", at: 3)
        change.status = .active
        change.stepStatus = .scheduled
        #expect(try unit.place(change).result == .updated)
        #expect(try unit.order(id)?.status == .active)
        #expect(try unit.order(id)?.steps.map(\.status) == [.scheduled])
    }

    @Test("Hold and release go to and fro; a change in between stays on hold")
    func hold() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(filler: "F1")).orderID
        var hold = Make.order(.hold, filler: "F1", code: nil)
        hold.stepStatus = .held
        hold.statusReason = .set(Make.concept("R"))
        try unit.place(hold)
        #expect(try unit.order(id)?.steps.map(\.status) == [.held])
        try unit.place(Make.order(.change, filler: "F1", code: "MR"))
        #expect(try unit.order(id)?.status == .onHold && unit.order(id)?.statusReason == Make.concept("R"))
        var release = Make.order(.release, filler: "F1", code: nil)
        release.stepStatus = .scheduled
        try unit.place(release)
        #expect(try unit.order(id)?.status == .active && unit.order(id)?.statusReason == nil)
        #expect(try unit.order(id)?.steps.map(\.status) == [.scheduled])
    }

    @Test("NW, XO, SC IP, SC CM and CA end in one state whatever their order of arrival (each permutation)")
    func permutations() throws {
        var new = Make.order(.new, placer: "P1", filler: "F1", accession: "A1", code: "CT", at: 1)
        new.stepStatus = .scheduled
        new.priority = .set(.routine)
        new.reasons = .set([Make.concept("R1")])
        new.studyInstanceUID = "1.2.3"
        var change = Make.order(.change, placer: "P1", filler: "F1", accession: "A1", code: "MR", at: 2)
        change.status = .active
        change.stepStatus = .scheduled
        change.priority = .set(.stat)
        // A study UID is given once and never changed, so the first message to describe the order decides it.
        change.studyInstanceUID = "1.2.3"
        change.scheduledAt = .set(PartialDateTime("2026-11-21T10:00:00Z"))
        var progress = Make.order(.statusChanged, filler: "F1", code: nil, at: 3)
        progress.status = .active
        progress.stepStatus = .inProgress
        var complete = Make.order(.statusChanged, filler: "F1", code: nil, at: 4)
        complete.status = .completed
        complete.stepStatus = .completed
        var cancel = Make.order(.cancel, filler: "F1", code: nil, at: 5)
        cancel.stepStatus = .canceled
        cancel.statusReason = .set(Make.concept("WHY"))
        let messages = [new, change, progress, complete, cancel]

        func finalOrder(_ order: [Int], _ events: [OrderUpdate]) throws -> ImagingOrder {
            let unit = MemoryUnit()
            for index in order { try unit.place(events[index]) }
            #expect(unit.orders.count == 1, "order \(order)")
            var only = unit.orders[0]
            // Ids are random by nature.
            only.id = EntityID("o")
            only.patientID = EntityID("p")
            for index in only.steps.indices { only.steps[index].id = EntityID("s\(index)") }
            return only
        }
        // With the cancel, and without it: both ends must hold.
        for count in [5, 4, 3] {
            let events = Array(messages.prefix(count))
            let expected = try finalOrder(Array(0..<count), events)
            #expect(expected.status == [3: .active, 4: .completed, 5: .completed][count])
            #expect(expected.code == Make.concept("MR") && expected.priority == .stat)
            for order in Self.permutations(of: Array(0..<count)) {
                #expect(try finalOrder(order, events) == expected, "arrival \(order)")
            }
        }
    }

    private static func permutations(of list: [Int]) -> [[Int]] {
        guard list.count > 1 else { return [list] }
        return list.indices.flatMap { index -> [[Int]] in
            var rest = list
            let first = rest.remove(at: index)
            return permutations(of: rest).map { [first] + $0 }
        }
    }

    // MARK: Whole orders

    @Test("A client's order gets its step and UID, may not take another's number, and stays while in use")
    func replace() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        let taken = try unit.place(Make.order(filler: "F1", accession: "A1")).orderID
        var order = ImagingOrder(
            id: EntityID("o2"), patientID: patient, filler: Make.filler("F1"), accession: Make.accession("A2"),
            status: .active,
            code: Make.concept("CT"))
        #expect(throws: OrderService.ReplaceRefusal.identifierInUse(by: taken)) {
            try OrderService().replace(order, in: unit)
        }
        order.filler = Make.filler("F2")
        try OrderService().replace(order, in: unit)
        let stored = try #require(try unit.order(order.id))
        #expect(stored.steps.map(\.stepID) == ["A2"] && stored.studyInstanceUID != nil)
        var revoked = stored
        revoked.status = .revoked
        try OrderService().replace(revoked, in: unit)
        #expect(try unit.order(order.id)?.steps.map(\.status) == [.canceled])
        try unit.result(Make.report(.preliminary, filler: "F2"))
        #expect(throws: OrderService.ReplaceRefusal.inUse) { try OrderService().remove(order.id, in: unit) }
        #expect(throws: OrderService.ReplaceRefusal.unknownPatient) {
            try OrderService().replace(
                ImagingOrder(id: EntityID("o3"), patientID: EntityID("none"), status: .active, code: CodedConcept()),
                in: unit)
        }
    }

    @Test("What a client states stands against what a sender whose clock is ahead said before", arguments: [60, 600])
    func afterFastClock(_ ahead: Int64) throws {
        let unit = MemoryUnit()
        unit.time = Make.at(1_000)
        let id = try unit.place(Make.order(filler: "F1", accession: "A1", at: 1_000 + ahead)).orderID
        try unit.place(Make.order(.hold, filler: "F1", code: nil, at: 1_000 + ahead))
        #expect(try unit.order(id)?.status == .onHold)
        var order = try #require(try unit.order(id))
        (order.status, order.code) = (.active, Make.concept("MR"))
        try OrderService().replace(order, in: unit)
        // A result has the order made again of all that was said.
        try unit.place(Make.order(.mentioned, filler: "F1", code: nil))
        #expect(try unit.order(id)?.status == .active)
        #expect(try unit.order(id)?.code == Make.concept("MR"))
    }

    @Test("What a result fills in stays open to it when a client has stated the order, and after a long history")
    func longHistory() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(placer: "P1", filler: "F1", code: "CT", at: 1)).orderID
        try unit.place(Make.order(placer: "P1", filler: "F2", code: "MR", at: 1))
        var order = try #require(try unit.order(id))
        order.priority = .stat
        try OrderService().replace(order, in: unit)
        unit.time = Make.at(10_000)
        // Names both orders of the placer: it fills gaps and writes over nothing.
        var both = Make.order(.change, placer: "P1", code: "US", at: 1_000)
        both.clinicalInformation = .set("fall")
        both.priority = .set(.routine)
        try unit.place(both)
        for time in 1_001...1_100 {
            var change = Make.order(.change, placer: "P1", filler: "F1", code: nil, at: Int64(time))
            change.notes = .set(["\(time)"])
            try unit.place(change)
            let now = try #require(try unit.order(id))
            #expect(now.code == Make.concept("CT") && now.priority == .stat, "\(time)")
            #expect(now.clinicalInformation == "fall" && now.notes == ["\(time)"], "\(time)")
        }
        #expect(try unit.events(ofOrder: id).count <= 64)
    }

    @Test("S5: an order with images or reports cannot be given to another patient; one with neither can")
    func otherSubject() throws {
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        let other = try #require(try unit.register(Make.patient("200")))
        let id = try unit.place(Make.order(filler: "F1", accession: "A1")).orderID
        var order = try #require(try unit.order(id))
        order.patientID = other
        try unit.store(Make.received("1.1", accession: "A1"))
        #expect(throws: OrderService.ReplaceRefusal.subjectInUse) { try OrderService().replace(order, in: unit) }
        let free = try unit.place(Make.order(filler: "F2", accession: "A2")).orderID
        var moved = try #require(try unit.order(free))
        moved.patientID = other
        try OrderService().replace(moved, in: unit)
        #expect(try unit.order(free)?.patientID == other)
    }

    @Test("S12: done stays done; a removed order takes its steps along; a merged Patient cannot be made active")
    func staysDone() throws {
        let unit = MemoryUnit()
        let id = try unit.place(Make.order(filler: "F1", at: 1)).orderID
        var done = Make.order(.statusChanged, filler: "F1", code: nil, at: 2)
        done.status = .completed
        done.stepStatus = .completed
        try unit.place(done)
        #expect(try unit.place(Make.order(.cancel, filler: "F1", code: nil, at: 3)).result == .stale)
        let order = try #require(try unit.order(id))
        #expect(order.status == .completed && order.steps.map(\.status) == [.completed])
        _ = unit.takeEvents()
        try OrderService().remove(id, in: unit)
        #expect(unit.takeEvents() == [.orderRemoved(id, steps: order.steps.map(\.id))])
        let retired = try #require(try unit.register(Make.patient("300")))
        _ = try PatientService().merge(prior: [Make.mrn("300")], into: Make.patient("100"), in: unit)
        var record = try #require(try unit.patient(retired))
        record.isActive = true
        #expect(throws: PatientService.Refusal.self) { try PatientService().replace(record, in: unit) }
    }

    @Test(
        "H18: a step starts when the site's clocks say so, whatever zone the order's sender writes (PS3.4 §K.6.1.2.2)")
    func zones() throws {
        let unit = MemoryUnit()
        // An hour east of UTC, two from the last Sunday of March on.
        unit.rules.clock = SiteClock(zone: "test") { $0 < 1_774_746_000 ? 60 : 120 }
        let patient = try #require(try unit.register(Make.patient("100")))
        var order = ImagingOrder(
            id: EntityID("o"), patientID: patient, accession: Make.accession("A1"), status: .active,
            code: Make.concept("CT"))
        for (sent, shown) in [
            ("2026-03-28T08:00:00Z", "2026-03-28T09:00:00+01:00"),
            ("2026-03-28T23:30:00Z", "2026-03-29T00:30:00+01:00"),
            ("2026-03-29T09:00:00+09:00", "2026-03-29T01:00:00+01:00"),
            ("2026-04-01T20:15:30.250-05:00", "2026-04-02T03:15:30.250+02:00"),
            ("2026-04-01T10:00:00+02:00", "2026-04-01T10:00:00+02:00"), ("2026-12-31T23:59Z", "2027-01-01T01:59+02:00"),
            ("2026-04-01", "2026-04-01"), ("2026-04-01T10:00:00", "2026-04-01T10:00:00"),
            ("2026-04-01T99:00:00Z", "2026-04-01T99:00:00Z"),
        ] {
            // Put again with another start: the step goes with it.
            order.scheduledAt = PartialDateTime(sent)
            order.steps = try unit.order(order.id)?.steps ?? []
            try OrderService().replace(order, in: unit)
            let stored = try #require(try unit.order(order.id))
            #expect(stored.scheduledAt?.text == sent, "what the client wrote stays")
            #expect(stored.steps.map { $0.scheduledStart?.text } == [shown])
            order.studyInstanceUID = stored.studyInstanceUID
        }
        // A message's start, by the same rule.
        var update = Make.order(.change, accession: "A1")
        update.scheduledAt = .set(PartialDateTime("2026-05-01T08:00:00Z"))
        try unit.place(update)
        #expect(unit.orders.flatMap(\.steps).map { $0.scheduledStart?.text } == ["2026-05-01T10:00:00+02:00"])
    }

    @Test("A step follows what the client changes of its order; what it has of its own stays")
    func inherited() throws {
        let unit = MemoryUnit()
        let patient = try #require(try unit.register(Make.patient("100")))
        var order = ImagingOrder(
            id: EntityID("o"), patientID: patient, accession: Make.accession("A1"), status: .active,
            code: Make.concept("CT"))
        order.scheduledAt = PartialDateTime("2026-04-01T08:00:00Z")
        try OrderService().replace(order, in: unit)
        order = try #require(try unit.order(order.id))
        order.code = Make.concept("MR")
        try OrderService().replace(order, in: unit)
        #expect(try unit.order(order.id)?.steps.map(\.description) == ["MR"])
        order = try #require(try unit.order(order.id))
        order.steps[0].scheduledStart = PartialDateTime("2026-04-05T08:00:00Z")
        try OrderService().replace(order, in: unit)
        order = try #require(try unit.order(order.id))
        order.scheduledAt = PartialDateTime("2026-04-09T08:00:00Z")
        try OrderService().replace(order, in: unit)
        #expect(try unit.order(order.id)?.steps.map { $0.scheduledStart?.text } == ["2026-04-05T08:00:00Z"])
    }

    @Test(
        "H21: of each list that messages of an order tell the newest is current, in any order of arrival, under one id")
    func statements() throws {
        func statement(_ kind: ClinicalStatement.Kind, _ key: String, _ code: String) -> StatementUpdate {
            var statement = StatementUpdate(kind: kind, key: key)
            statement.code = Make.concept(code)
            return statement
        }
        var first = Make.order(placer: "P1", at: 1)
        first.statements = [
            statement(.allergy, "nuts", "N1"), statement(.allergy, "bees", "B1"), statement(.observation, "kg", "72"),
        ]
        first.attributes = [
            "transport": .set(.text("WALK")), "alerts": .set(.text("FALLS")), "bodySites": .set(.text("HEAD")),
        ]
        var second = Make.order(.change, placer: "P1", at: 2)
        second.statements = [statement(.allergy, "nuts", "N2")]
        second.attributes = ["transport": .set(.text("BED")), "alerts": .keep, "bodySites": .clear]
        let cancel = Make.order(.cancel, placer: "P1", code: nil, at: 3)
        let events = [first, second, cancel]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let unit = MemoryUnit()
            for index in order { try unit.place(events[index]) }
            let stored = try #require(unit.orders.first)
            let told = (stored.statements ?? []).map {
                "\($0.key) \($0.code?.displayText ?? "-") \($0.isCurrent ? "now" : "once")"
            }
            #expect(told.sorted() == ["bees B1 once", "kg 72 now", "nuts N2 now"], "arrival \(order)")
            #expect(stored.attributes == ["transport": .text("BED"), "alerts": .text("FALLS")], "arrival \(order)")
            let ids = (stored.statements ?? []).map(\.id)
            #expect(Set(ids).count == 3)
            try unit.place(events[order[0]])
            #expect(unit.orders.first?.statements?.map(\.id) == ids)
        }
        // What an earlier version kept beside the events stays where no event speaks of it.
        let unit = MemoryUnit()
        try unit.place(Make.order(placer: "P1", at: 1))
        var old = try #require(unit.orders.first)
        old.statements = [ClinicalStatement(id: EntityID("s"), from: statement(.diagnosis, "d", "D"))]
        old.attributes = ["alerts": .text("OLD")]
        try unit.save(old)
        try unit.place(second)
        #expect(unit.orders.first?.statements?.map(\.key) == ["d", "nuts"])
        #expect(unit.orders.first?.statements?.allSatisfy(\.isCurrent) == true)
        #expect(unit.orders.first?.attributes?.text("alerts") == "OLD")
    }
}
