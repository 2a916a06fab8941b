import TestSupport
import Testing

@testable import Workflow

/// What becomes of instances that the rules of the site send to other systems.
@Suite("Routing: routes, hours and pace")
struct RoutingTests {
    private static func routed(_ sop: String, to routes: [InstanceRoute], accession: String? = nil) -> ReceivedInstance
    {
        var received = Make.received(sop, accession: accession)
        received.routes = routes
        return received
    }

    private static func sent(_ unit: MemoryUnit) -> [String] {
        unit.state.outbox.map { "\($0.destination) \($0.orderingKey) \($0.kind)" }
    }

    @Test("What is stored goes to each destination once, in the order of its study; what was there before does not")
    func stored() throws {
        let unit = MemoryUnit()
        let routes = [InstanceRoute(destination: "pacs"), InstanceRoute(destination: "cloud")]
        for _ in 0..<2 { _ = try unit.store(Self.routed("1.1", to: routes)) }
        #expect(Self.sent(unit) == ["route/pacs 1.2.3 route/pacs", "route/cloud 1.2.3 route/cloud"])
        _ = try unit.store(Make.received("1.2"))
        #expect(unit.state.outbox.count == 2)
    }

    @Test("What was fetched of an archive goes nowhere, until somebody sends it to be kept")
    func copies() throws {
        let unit = MemoryUnit()
        var copy = Self.routed("1.1", to: [InstanceRoute(destination: "cloud")])
        copy.instance.archive = "OLDPACS"
        for _ in 0..<2 { _ = try unit.store(copy) }
        #expect(Self.sent(unit) == [])
        for _ in 0..<2 { _ = try unit.store(Self.routed("1.1", to: [InstanceRoute(destination: "cloud")])) }
        #expect(Self.sent(unit) == ["route/cloud 1.2.3 route/cloud"])
    }

    @Test("A rule that asks for an order takes what is matched with such an order alone")
    func ordered() throws {
        func routes(_ patterns: [OrderPattern.Attribute: [TextPattern]]) -> [InstanceRoute] {
            [InstanceRoute(destination: "pacs", orders: [OrderPattern(patterns)])]
        }
        let unit = MemoryUnit()
        _ = try unit.register(Make.patient("100"))
        var update = Make.order(filler: "F1", accession: "A1", code: "CT")
        update.priority = .set(.stat)
        try unit.place(update)
        let stat = routes([.priority: [TextPattern("stat")], .procedureCode: [TextPattern("X"), TextPattern("c?")]])
        _ = try unit.store(Self.routed("1.1", to: stat, accession: "A1"))
        #expect(Self.sent(unit) == ["route/pacs 1.2.3 route/pacs"])
        let other = routes([.priority: [TextPattern("routine")]])
        _ = try unit.store(Self.routed("1.2", to: other, accession: "A1"))
        // An unscheduled study has no order.
        var unscheduled = Make.received("2.1", study: "9.9", series: "9.9.1")
        unscheduled.routes = stat
        _ = try unit.store(unscheduled)
        #expect(unit.state.outbox.count == 1)
    }

    @Test("An entry of the outbox is read back as what it is for, and no other is")
    func entries() throws {
        let forwarded = ForwardedInstance(
            destination: "pacs", studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: "1.2.1.1")
        func entry(_ kind: String, _ payload: [UInt8]) -> OutboxEntry {
            OutboxEntry(
                number: 1, eventID: EntityID("e"), destination: "d", orderingKey: "", kind: kind, payload: payload,
                state: .leased, attempts: 0, createdAt: Make.at(0), waitingSince: Make.at(0),
                nextAttemptAt: Make.at(0))
        }
        let draft = forwarded.draft
        #expect(ForwardedInstance(entry(draft.kind, draft.payload)) == forwarded)
        #expect(ForwardedInstance(entry("route/other", draft.payload)) == nil)
        #expect(ForwardedInstance(entry(draft.kind, Array("pacs\n1.2".utf8))) == nil)
        #expect(ForwardedInstance(entry(draft.kind, [])) == nil)
        let again = ForwardedInstance(
            destination: "pacs", studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: "1.2.1.1",
            tries: 1)
        #expect(again.draft.payload != draft.payload)
        #expect(ForwardedInstance(entry(draft.kind, again.draft.payload)) == again)
        for tries in ["", "x", "-1"] {
            #expect(ForwardedInstance(entry(draft.kind, draft.payload + Array("\n\(tries)".utf8))) == nil)
        }
    }

    @Test("Patterns know * and ?, whatever the case of letters, and cost no more than the lengths of both")
    func patterns() {
        #expect(TextPattern("*thorax*").fits("CT THORAX w/o"))
        #expect(TextPattern("ct?").fits("CT1"))
        #expect(!TextPattern("ct?").fits("CT10"))
        #expect(!TextPattern(String(repeating: "*a", count: 1_000) + "b").fits(String(repeating: "a", count: 100_000)))
    }

    /// Seconds since midnight of 1970-01-01 as the clock of UTC shows them.
    private static func at(_ hour: Int, _ minute: Int = 0) -> UTCInstant { Make.at(Int64(hour * 3_600 + minute * 60)) }

    @Test("Outside of its windows a destination is sent nothing; over midnight, at the ends, and with none of them")
    func windows() {
        #expect(BandwidthPlan().state(at: Self.at(3)) == .open(bytesPerSecond: nil))
        let night = BandwidthPlan([.init(start: 19 * 60, end: 7 * 60, bytesPerSecond: 100_000)])
        #expect(night.state(at: Self.at(19)) == .open(bytesPerSecond: 100_000))
        #expect(night.state(at: Self.at(6, 59)) == .open(bytesPerSecond: 100_000))
        #expect(night.state(at: Self.at(7)) == .closed(seconds: 12 * 3_600))
        #expect(night.state(at: Make.at(18 * 3_600 + 59 * 60 + 59)) == .closed(seconds: 1))
        let both = BandwidthPlan([.init(start: 8 * 60, end: 12 * 60, bytesPerSecond: 65_536), .init(start: 0, end: 0)])
        #expect(both.state(at: Self.at(9)) == .open(bytesPerSecond: 65_536))
        #expect(both.state(at: Self.at(13)) == .open(bytesPerSecond: nil))
    }

    @Test("The hours are those of the site's clock, also on the day on which it is changed")
    func zone() {
        // Two hours ahead until 01:00 UTC, then one.
        let plan = BandwidthPlan([.init(start: 4 * 60, end: 5 * 60)]) { $0 < 3_600 ? 120 : 60 }
        #expect(plan.state(at: Self.at(0, 30)) == .closed(seconds: Int64(2 * 3_600 + 1_800)))
        #expect(plan.state(at: Self.at(3)) == .open(bytesPerSecond: nil))
        let east = BandwidthPlan([.init(start: 0, end: 60)]) { _ in -300 }
        #expect(east.state(at: Self.at(5)) == .open(bytesPerSecond: nil))
        #expect(east.state(at: Self.at(4)) == .closed(seconds: 3_600))
    }

    @Test(
        "However many send at a time, over a minute no more goes than the rate allows, and a second's pause is made up")
    func pace() {
        var account = SendPace.Account()
        var now = Duration.zero
        var sent = 0
        while now < .seconds(60) {
            now += account.wait(for: 50_000, at: now, bytesPerSecond: 100_000)
            sent += 50_000
        }
        #expect((5_950_000...6_050_000).contains(sent))
        // After a long silence no more than one second's worth goes at once.
        now += .seconds(1_000)
        #expect(account.wait(for: 100_000, at: now, bytesPerSecond: 100_000) == .zero)
        #expect(account.wait(for: 100_000, at: now, bytesPerSecond: 100_000) == .seconds(1))
    }
}
