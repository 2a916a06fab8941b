import DICOMData
import Testing
import Workflow

@testable import DICOMTranslation

/// Which instances the rules of a site send where.
@Suite("Routing: rules and destinations")
struct RoutingTableTests {
    static func object(_ change: (inout DataSet) -> Void = { _ in }) -> DataSet {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.3.1.1")
        set.set(.studyInstanceUID, string: "1.2.3")
        set.set(.seriesInstanceUID, string: "1.2.3.1")
        set.set(.modality, string: "CT")
        set.set(.studyDescription, string: "CT Thorax with contrast")
        set.set(.imageType, strings: ["ORIGINAL", "PRIMARY", "AXIAL"])
        change(&set)
        return set
    }

    private static func names(_ table: RoutingTable, from sender: String? = "CT1", _ object: DataSet) -> [String] {
        table.routes(of: object, from: sender).map(\.destination)
    }

    @Test(
        "All that a rule asks for must fit: sender, attributes, any value of several; nothing asked for is everything")
    func rules() {
        func names(_ rule: RoutingRule, from sender: String? = "CT1", _ object: DataSet = RoutingTableTests.object())
            -> [String]
        {
            Self.names(RoutingTable(rules: [rule]), from: sender, object)
        }
        #expect(names(RoutingRule(name: "all", destinations: ["a", "b"])) == ["a", "b"])
        #expect(names(RoutingRule(name: "all", destinations: ["a"]), from: nil) == ["a"])
        let ct = RoutingRule(
            name: "ct", senders: [TextPattern("MR*"), TextPattern("ct?")],
            conditions: [
                .init([.modality], [TextPattern("CT")]),
                .init([.studyDescription, .seriesDescription], [TextPattern("*thorax*")]),
                .init([.imageType], [TextPattern("AXIAL")]),
            ], destinations: ["a"])
        #expect(names(ct) == ["a"])
        #expect(names(ct, from: "US1") == [])
        #expect(names(ct, from: nil) == [])
        #expect(names(ct, Self.object { $0.set(.modality, string: "MR") }) == [])
        #expect(names(ct, Self.object { $0.set(.studyDescription, string: "CT Abdomen") }) == [])
        #expect(names(ct, Self.object { $0.remove(.imageType) }) == [])
        // An attribute that is not there says nothing, not even what anything fits.
        let described = RoutingRule(
            name: "d", conditions: [.init([.bodyPartExamined], [TextPattern("*")])], destinations: ["a"])
        #expect(names(described) == [])
    }

    @Test("A rule that asks for the called AE title takes what was stored to it alone, and nothing that came by HTTP")
    func called() {
        let table = RoutingTable(rules: [
            RoutingRule(name: "north", called: [TextPattern("north*")], destinations: ["a"]),
            RoutingRule(name: "all", destinations: ["b"]),
        ])
        func names(_ title: String?) -> [String] {
            table.routes(of: Self.object(), from: "CT1", called: title).map(\.destination)
        }
        #expect(names("NORTH_1") == ["a", "b"])
        #expect(names("SOUTH") == ["b"])
        #expect(names(nil) == ["b"])
        func findings(_ title: String?) -> [String] {
            table.findings(of: Self.object(), from: "CT1", called: title, order: nil).map {
                "\($0.rule) \($0.verdict.rawValue)"
            }
        }
        #expect(findings("NORTH") == ["north sent", "all sent"])
        #expect(findings("SOUTH") == ["all sent"])
        // Of what is stored nobody knows any more which title was called.
        #expect(findings(nil) == ["north title-not-known", "all sent"])
    }

    @Test("Several rules send to one destination once; one that asks for no order is enough")
    func merged() throws {
        let stat = OrderPattern([.priority: [TextPattern("stat")]])
        let urgent = OrderPattern([.priority: [TextPattern("urgent")]])
        let asking = [
            RoutingRule(name: "1", order: stat, destinations: ["a", "b"]),
            RoutingRule(name: "2", order: urgent, destinations: ["b"]),
        ]
        let routes = RoutingTable(rules: asking).routes(of: Self.object(), from: nil)
        #expect(
            routes == [
                InstanceRoute(destination: "a", orders: [stat]),
                InstanceRoute(destination: "b", orders: [stat, urgent]),
            ])
        let all = RoutingTable(rules: asking + [RoutingRule(name: "3", destinations: ["b", "c"])])
        #expect(
            all.routes(of: Self.object(), from: nil) == [
                InstanceRoute(destination: "a", orders: [stat]), InstanceRoute(destination: "b"),
                InstanceRoute(destination: "c"),
            ])
    }

    @Test("What came from a destination is not sent back to it, whichever of its names it came under")
    func notBack() {
        let table = RoutingTable(
            rules: [RoutingRule(name: "all", destinations: ["pacs", "cloud"])],
            senders: ["pacs": ["OLDPACS"], "cloud": ["cloud-client"]])
        #expect(Self.names(table, from: "OLDPACS", Self.object()) == ["cloud"])
        #expect(Self.names(table, from: "cloud-client", Self.object()) == ["pacs"])
        #expect(Self.names(table, from: "CT1", Self.object()) == ["pacs", "cloud"])
        let findings = table.findings(of: Self.object(), from: "OLDPACS", order: nil)
        #expect(findings.map(\.verdict) == [.cameFromThere, .sent])
    }

    @Test(
        "An object that was changed and passed on as often as may be goes no further, in whatever the marks stand among"
    )
    func hops() {
        var table = RoutingTable(rules: [RoutingRule(name: "all", destinations: ["a"])])
        table.hopsMax = 2
        var object = Self.object { set in
            var scanner = DataSet()
            scanner.set(.manufacturer, string: "Hilum")
            set.set(PassingOn.sequence, .SQ, items: [scanner])
        }
        #expect(Self.names(table, object) == ["a"])
        for expected in [["a"], []] {
            let before = object
            PassingOn.mark(&object, .modifying, after: before, at: "20260101000000+0000")
            #expect(Self.names(table, object) == expected)
        }
        #expect(table.findings(of: object, from: nil, order: nil).map(\.verdict) == [.tooManyHops])
        // A change that takes the sequence away takes no marks away.
        var stripped = Self.object()
        PassingOn.mark(&stripped, .deidentifying, after: object, at: nil)
        #expect(PassingOn.hops(stripped) == 3)
    }

    @Test("What a rule does is told to the operator, and does not differ from what it does")
    func findings() {
        let stat = OrderPattern([.priority: [TextPattern("stat")]])
        let table = RoutingTable(
            rules: [
                RoutingRule(name: "1", order: stat, destinations: ["a"]),
                RoutingRule(name: "2", conditions: [.init([.modality], [TextPattern("MR")])], destinations: ["b"]),
                RoutingRule(name: "3", destinations: ["c"]),
            ])
        var order = ImagingOrder(
            id: EntityID("o"), patientID: EntityID("p"), status: .active, priority: .stat, code: CodedConcept())
        func told(_ order: ImagingOrder?) -> [String] {
            table.findings(of: Self.object(), from: nil, order: order).map { "\($0.rule) \($0.verdict.rawValue)" }
        }
        #expect(told(order) == ["1 sent", "3 sent"])
        order.priority = .routine
        #expect(told(order) == ["1 other-order", "3 sent"])
        #expect(told(nil) == ["1 other-order", "3 sent"])
    }
}
