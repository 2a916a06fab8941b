import TestSupport
import Testing
import Workflow

/// States of reports. HL7 v2.5.1 §7.4.1 (OBR-25), IHE RAD-28.
@Suite("Reports: states, orders, findings")
struct ReportTests {
    @Test("A result without patient or number is refused")
    func refused() throws {
        let unit = MemoryUnit()
        #expect(throws: ReportService.Refusal.unidentifiedPatient) {
            try unit.result(Make.report(.final, patient: PatientUpdate(identifiers: []), filler: "F1"))
        }
        #expect(throws: ReportService.Refusal.unidentifiedReport) { try unit.result(Make.report(.final)) }
        #expect(unit.reports.isEmpty)
        #expect(unit.orders.isEmpty)
    }

    @Test("Preliminary, final and corrected are one report; the final one closes order and steps")
    func growth() throws {
        let unit = MemoryUnit()
        let order = try unit.place(Make.order(filler: "F1", accession: "A1")).orderID
        let first = try unit.result(Make.report(.preliminary, filler: "F1"))
        #expect(first.result == .created)
        #expect(try unit.order(order)?.status == .active)
        let second = try unit.result(Make.report(.final, filler: "F1"))
        #expect(second.result == .updated)
        #expect(second.reportID == first.reportID)
        #expect(try unit.order(order)?.status == .completed)
        #expect(try unit.order(order)?.steps.map(\.status) == [.completed])
        #expect(try unit.result(Make.report(.corrected, filler: "F1")).result == .updated)
        #expect(try unit.report(first.reportID)?.status == .corrected)
        #expect(unit.reports.count == 1)
    }

    @Test("A report never goes back: late preliminary after final, late final after corrected")
    func late() throws {
        let unit = MemoryUnit()
        let id = try unit.result(Make.report(.final, filler: "F1", issued: 5)).reportID
        _ = unit.takeEvents()
        #expect(try unit.result(Make.report(.preliminary, filler: "F1", issued: 9)).result == .stale)
        #expect(try unit.result(Make.report(.final, filler: "F1", issued: 4)).result == .stale)
        #expect(unit.takeEvents().isEmpty)
        try unit.result(Make.report(.corrected, filler: "F1", issued: 7))
        #expect(try unit.result(Make.report(.final, filler: "F1", issued: 8)).result == .stale)
        #expect(try unit.report(id)?.status == .corrected)
    }

    @Test("Every order of arrival of P, F and C ends corrected with the corrected text")
    func permutations() throws {
        let states: [(Report.Status, Int64)] = [(.preliminary, 1), (.final, 2), (.corrected, 3)]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let unit = MemoryUnit()
            for index in order {
                var update = Make.report(states[index].0, filler: "F1", issued: states[index].1)
                update.conclusion = states[index].0.rawValue
                try unit.result(update)
            }
            #expect(unit.reports.map(\.status) == [.corrected], "arrival \(order)")
            #expect(unit.reports.map(\.conclusion) == ["corrected"], "arrival \(order)")
            #expect(unit.orders.map(\.status) == [.completed], "arrival \(order)")
        }
    }

    @Test("S10: results that name one exam by different numbers are one report once anything tells that they are one")
    func joined() throws {
        func finding(_ key: String, _ text: String) -> ReportUpdate.FindingUpdate {
            .init(key: key, code: Make.concept(key), status: .final, value: .text(text))
        }
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        for isByOrder in [true, false] {
            for order in orders {
                let unit = MemoryUnit()
                let events: [() throws -> Void] = [
                    {
                        var first = Make.report(.preliminary, placer: "P1", issued: 1)
                        first.conclusion = "early"
                        first.observations = [finding("a", "1"), finding("b", "2")]
                        try unit.result(first)
                    },
                    {
                        var second = Make.report(.final, filler: "F1", issued: 2)
                        second.conclusion = "late"
                        second.observations = [finding("a", "3")]
                        try unit.result(second)
                    },
                    {
                        if isByOrder {
                            try unit.place(Make.order(placer: "P1", filler: "F1", accession: "A1", at: 0))
                        } else {
                            var third = Make.report(.corrected, placer: "P1", filler: "F1", issued: 3)
                            third.hasContent = false
                            try unit.result(third)
                        }
                    },
                ]
                for index in order { try events[index]() }
                let report = try #require(unit.reports.first)
                #expect(unit.reports.count == 1, "arrival \(order)")
                #expect(unit.orders.count == 1, "arrival \(order)")
                #expect(report.status == (isByOrder ? .final : .corrected), "arrival \(order)")
                #expect(report.conclusion == "late", "arrival \(order)")
                #expect(report.orderIDs == unit.orders.map(\.id))
                #expect(report.placer?.value == "P1")
                #expect(report.filler?.value == "F1")
                let shown = report.observations.filter(\.isShown)
                #expect(shown.map(\.key) == ["a"], "arrival \(order)")
                #expect(shown.map(\.value) == [.text("3")], "arrival \(order)")
                #expect(unit.orders.map(\.status) == [.completed])
            }
        }
    }

    @Test("S10: an order learns the placer number of a result that names it by accession number, whatever came first")
    func learns() throws {
        for isCancelFirst in [true, false] {
            let unit = MemoryUnit()
            let cancel = Make.order(.cancel, placer: "P1", code: nil, at: 5)
            if isCancelFirst { try unit.place(cancel) }
            try unit.result(Make.report(.preliminary, filler: "F1", accession: "A1", issued: 1))
            try unit.result(Make.report(.preliminary, placer: "P1", accession: "A1", issued: 2))
            if !isCancelFirst { try unit.place(cancel) }
            #expect(unit.orders.map(\.placer?.value) == ["P1"])
            #expect(unit.orders.map(\.filler?.value) == ["F1"])
            #expect(unit.orders.map(\.status) == [.revoked])
            #expect(unit.reports.count == 1)
        }
    }

    @Test("Reports whose own numbers differ stay apart when their orders are found to be one")
    func apart() throws {
        let unit = MemoryUnit()
        try unit.result(Make.report(.final, placer: "P1", filler: "F1", issued: 1))
        try unit.result(Make.report(.final, placer: "P1", filler: "F2", issued: 2))
        #expect(unit.reports.count == 2)
        var withdrawn = Make.report(.cancelled, filler: "F3", issued: 9)
        withdrawn.hasContent = false
        try unit.result(withdrawn)
        try unit.result(Make.report(.final, placer: "P3", issued: 5))
        let removed = unit.reports.map(\.id)
        try unit.place(Make.order(placer: "P3", filler: "F3", at: 0))
        #expect(unit.reports.count == 3)
        // The withdrawal is the last word, whichever of the two it came for.
        #expect(unit.reports.last?.status == .cancelled)
        let told = unit.takeEvents()
        #expect(removed.contains { told.contains(.reportRemoved($0)) })
    }

    @Test("A cancelled report opens again for a correction alone, and its order is not closed by it")
    func cancelled() throws {
        let unit = MemoryUnit()
        let order = try unit.place(Make.order(filler: "F1")).orderID
        let id = try unit.result(Make.report(.preliminary, filler: "F1")).reportID
        try unit.result(Make.report(.cancelled, filler: "F1"))
        #expect(try unit.report(id)?.status == .cancelled)
        #expect(try unit.order(order)?.status == .active)
        #expect(try unit.result(Make.report(.final, filler: "F1")).result == .stale)
        #expect(try unit.result(Make.report(.corrected, filler: "F1")).result == .updated)
        #expect(try unit.order(order)?.status == .completed)
    }

    @Test("The same result twice changes nothing")
    func twice() throws {
        let unit = MemoryUnit()
        try unit.result(Make.report(.final, filler: "F1", issued: 1))
        let before = (unit.reports, unit.orders)
        _ = unit.takeEvents()
        #expect(try unit.result(Make.report(.final, filler: "F1", issued: 1)).result == .unchanged)
        #expect(unit.reports == before.0)
        #expect(unit.orders == before.1)
        #expect(unit.takeEvents().isEmpty)
    }

    @Test("A result before its order makes one; the late order describes it without opening it")
    func resultFirst() throws {
        let unit = MemoryUnit()
        let outcome = try unit.result(Make.report(.final, filler: "F1", accession: "A1"))
        #expect(outcome.notes.count == 1)
        let made = try #require(unit.orders.first)
        #expect(made.status == .completed)
        #expect(made.steps.isEmpty)
        var late = Make.order(placer: "P1", filler: "F1", accession: "A1", at: 1)
        late.status = .active
        late.stepStatus = .scheduled
        late.priority = .set(.urgent)
        try unit.place(late)
        let order = try #require(try unit.order(made.id))
        #expect(order.status == .completed)
        #expect(order.priority == .urgent)
        #expect(order.placer == Make.placer("P1"))
        #expect(order.steps.allSatisfy { !$0.status.isOnWorklist })
        #expect(unit.orders.count == 1)
    }

    @Test("A preliminary result before its order leaves it open, with step and study UID once it is described")
    func preliminaryFirst() throws {
        let unit = MemoryUnit()
        try unit.result(Make.report(.preliminary, filler: "F1"))
        try unit.place(Make.order(filler: "F1", accession: "A1", at: 1))
        let order = try #require(unit.orders.first)
        #expect(order.status == .active)
        #expect(order.steps.map(\.status) == [.scheduled])
        #expect(order.studyInstanceUID != nil)
    }

    @Test("A report filler number of its own still finds the order by accession number")
    func ownFiller() throws {
        let unit = MemoryUnit()
        let order = try unit.place(Make.order(placer: "P1", filler: "F1", accession: "A1")).orderID
        let id = try unit.result(Make.report(.preliminary, filler: "R1", accession: "A1")).reportID
        #expect(try unit.report(id)?.orderID == order)
        #expect(unit.orders.count == 1)
    }

    @Test("Another patient's report or order is refused")
    func wrongPatient() throws {
        let unit = MemoryUnit()
        try unit.place(Make.order(filler: "F1", accession: "A1"))
        let other = Make.patient("200")
        #expect(throws: ReportService.Refusal.patientMismatch) {
            try unit.result(Make.report(.final, patient: other, filler: "F1"))
        }
        #expect(throws: ReportService.Refusal.patientMismatch) {
            try unit.result(Make.report(.final, patient: other, filler: "R9", accession: "A1"))
        }
        #expect(unit.reports.isEmpty)
    }

    @Test("Numbers that lead to different orders are refused")
    func conflict() throws {
        let unit = MemoryUnit()
        try unit.place(Make.order(placer: "P1", filler: "F1"))
        try unit.place(Make.order(placer: "P2", filler: "F2"))
        #expect(throws: ReportService.Refusal.conflictingIdentifiers) {
            try unit.result(Make.report(.final, placer: "P2", filler: "F1"))
        }
    }

    @Test("A finding is replaced by key with its id; a withdrawn one keeps its value under the new status")
    func findings() throws {
        let unit = MemoryUnit()
        var update = Make.report(.final, filler: "F1")
        update.observations = [.init(key: "k|1", code: Make.concept("K"), status: .final, value: .text("a"))]
        let id = try unit.result(update).reportID
        let first = try #require(try unit.report(id)?.observations.first)
        update.status = .corrected
        update.observations = [
            .init(key: "k|1", code: Make.concept("K"), status: .enteredInError, value: nil),
            .init(key: "k|2", code: Make.concept("K"), status: .final, value: .text("b")),
        ]
        try unit.result(update)
        let observations = try #require(try unit.report(id)?.observations)
        #expect(observations.map(\.key) == ["k|1", "k|2"])
        #expect(observations[0].id == first.id)
        #expect(observations[0].status == .enteredInError)
        #expect(observations[0].value == .text("a"))
    }

    @Test("The studies of the order are the report's, beside those the message names")
    func studies() throws {
        let unit = MemoryUnit()
        try unit.place(Make.order(filler: "F1", accession: "A1"))
        try unit.store(Make.received("1.1", accession: "A1"))
        var update = Make.report(.final, filler: "F1")
        update.studyInstanceUIDs = ["9.9", "1.2.3"]
        let id = try unit.result(update).reportID
        #expect(try unit.report(id)?.studyInstanceUIDs == ["9.9", "1.2.3"])
    }
}
