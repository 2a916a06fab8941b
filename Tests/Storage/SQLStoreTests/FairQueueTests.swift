import TestSupport
import Testing

@testable import SQLStore

/// S2, X25: who may search, decided in one step; clients take turns.
@Suite("Fair queue")
struct FairQueueTests {
    static func queue(places: Int = 2, perClient: Int = 2, waitingPerClient: Int = 8, waiting: Int = 99) -> FairQueue<
        String
    > {
        FairQueue(
            .init(
                placesMax: places, placesPerClientMax: perClient, waitingPerClientMax: waitingPerClient,
                waitingMax: waiting))
    }

    @Test("S2: a client with many requests waits for itself, and another's first request goes before its second")
    func turns() {
        var queue = Self.queue()
        #expect(queue.arrive("a", id: 1, "a1") == .entered)
        #expect(queue.arrive("a", id: 2, "a2") == .entered)
        for id in 3...5 { #expect(queue.arrive("a", id: UInt64(id), "a\(id)") == .waiting) }
        #expect(queue.arrive("b", id: 6, "b6") == .waiting)
        #expect(queue.arrive("c", id: 7, "c7") == .waiting)
        #expect(queue.arrive("b", id: 8, "b8") == .waiting)
        #expect(queue.leave("a") == ["a3"])
        #expect(queue.leave("a") == ["b6"])
        #expect(queue.leave("a") == ["c7"])
        #expect(queue.leave("b") == ["a4"])
        #expect(queue.leave("c") == ["b8"])
        #expect(queue.leave("a") == ["a5"])
        #expect(queue.leave("b") == [])
        #expect(queue.leave("a") == [])
        #expect(queue.arrive("d", id: 9, "d") == .entered)
    }

    @Test("S2: one client never has all places when it may have fewer; a free one is another's at once")
    func reserved() {
        var queue = Self.queue(places: 3, perClient: 2)
        for id in 1...2 { #expect(queue.arrive("a", id: UInt64(id), "a") == .entered) }
        #expect(queue.arrive("a", id: 3, "a3") == .waiting)
        #expect(queue.arrive("b", id: 4, "b4") == .entered)
        #expect(queue.leave("b") == [])
        #expect(queue.leave("a") == ["a3"])
    }

    @Test("S2: a client of long searches has fewer places, until its searches are short again; others have theirs")
    func heavy() {
        var queue = FairQueue<String>(
            .init(
                placesMax: 4, placesPerClientMax: 3, waitingPerClientMax: 9, waitingMax: 9, heavySeconds: 0.05,
                placesPerHeavyClientMax: 1))
        for id in 1...2 { #expect(queue.arrive("a", id: UInt64(id), "a\(id)") == .entered) }
        #expect(queue.leave("a", after: 1) == [])
        // It holds one still, and gets no second one though three are free.
        #expect(queue.arrive("a", id: 3, "a3") == .waiting)
        for id in 4...6 { #expect(queue.arrive("b", id: UInt64(id), "b\(id)") == .entered) }
        #expect(queue.leave("b") == [])
        #expect(queue.leave("a", after: 1) == ["a3"])
        #expect(queue.arrive("a", id: 7, "a7") == .waiting)
        var id: UInt64 = 8
        var short = 0
        // Short ones one after another: the mean falls below what is heavy within fifteen.
        #expect(queue.leave("a", after: 0.001) == ["a7"])
        while short < 15 {
            _ = queue.leave("a", after: 0.001)
            #expect(queue.arrive("a", id: id, "a") == .entered)
            (id, short) = (id + 1, short + 1)
        }
        #expect(queue.arrive("a", id: id, "a") == .entered)
        #expect(queue.leave("b") == [])
    }

    @Test("S2: one more than may wait is refused, of one client and of all; who withdraws makes room")
    func full() {
        var queue = Self.queue(places: 1, perClient: 1, waitingPerClient: 2, waiting: 3)
        #expect(queue.arrive("a", id: 1, "a1") == .entered)
        #expect(queue.arrive("a", id: 2, "a2") == .waiting)
        #expect(queue.arrive("a", id: 3, "a3") == .waiting)
        #expect(queue.arrive("a", id: 4, "a4") == .refused)
        #expect(queue.arrive("b", id: 5, "b5") == .waiting)
        #expect(queue.arrive("c", id: 6, "c6") == .refused)
        #expect(queue.withdraw("a", id: 2) == "a2")
        #expect(queue.withdraw("a", id: 2) == nil)
        #expect(queue.arrive("c", id: 6, "c6") == .waiting)
        #expect(queue.leave("a") == ["a3"])
        #expect(queue.withdrawAll().sorted() == ["b5", "c6"])
        #expect(queue.leave("a") == [])
    }

    @Test("X25: whatever comes in whatever order, no limit is exceeded and nobody who may enter is left waiting")
    func anyOrder() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let (places, perClient) = (Int(random.next() % 4) + 1, Int(random.next() % 3) + 1)
            var queue = FairQueue<(String, UInt64)>(
                .init(placesMax: places, placesPerClientMax: perClient, waitingPerClientMax: 5, waitingMax: 12))
            var inside: [String: Int] = [:]
            var waiting: [String: Set<UInt64>] = [:]
            func let_(_ admitted: [(String, UInt64)]) {
                for (client, id) in admitted {
                    #expect(waiting[client]?.remove(id) != nil)
                    inside[client, default: 0] += 1
                }
            }
            for id in UInt64(0)..<400 {
                let client = "c\(random.next() % 4)"
                switch random.next() % 3 {
                case 0:
                    switch queue.arrive(client, id: id, (client, id)) {
                    case .entered: inside[client, default: 0] += 1
                    case .waiting: waiting[client, default: []].insert(id)
                    case .refused:
                        #expect(
                            waiting[client]?.count == 5 || waiting.values.reduce(0) { $0 + $1.count } == 12)
                    }
                case 1:
                    if inside[client, default: 0] > 0 {
                        inside[client, default: 0] -= 1
                        let_(queue.leave(client))
                    }
                default:
                    if let id = waiting[client]?.first {
                        #expect(queue.withdraw(client, id: id) != nil)
                        waiting[client]?.remove(id)
                    }
                }
                let total = inside.values.reduce(0, +)
                #expect(total <= places)
                #expect(inside.values.allSatisfy { $0 <= perClient })
                if total < places {
                    #expect(waiting.allSatisfy { $0.value.isEmpty || inside[$0.key, default: 0] == perClient })
                }
            }
        }
    }
}
