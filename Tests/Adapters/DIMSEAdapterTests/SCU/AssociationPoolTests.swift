import TestSupport
import Testing

@testable import DIMSEAdapter

/// The rules of the pool of associations that this side asks for.
@Suite(.takingTurns) struct AssociationPoolTests {
    private typealias Pool = AssociationPool<String>

    private func request(_ peer: String = "A", kind: String = "x", placesMax: Int = 2) -> Pool.Request {
        Pool.Request(
            peer: Pool.Peer(host: peer, port: 1, calledAETitle: peer), kind: kind, placesMax: placesMax)
    }

    private func text(_ grant: Pool.Grant?) -> String {
        switch grant {
        case .idle(_, let association): "idle \(association)"
        case .place(givingUp: let given?): "place of \(given)"
        case .place(givingUp: nil): "place"
        case nil: "waits"
        }
    }

    private func text(_ served: [(Int, Pool.Grant)]) -> [String] { served.map { "\($0.0): \(text($0.1))" } }

    @Test("As many places with one peer and in all as there may be; who comes later waits, in order")
    func places() {
        var pool = Pool(placesMax: 3)
        #expect(text(pool.ask(request(), number: 1)) == "place")
        #expect(text(pool.ask(request(), number: 2)) == "place")
        #expect(text(pool.ask(request(), number: 3)) == "waits")
        #expect(text(pool.ask(request("B"), number: 4)) == "place")
        // One more has no place in all, however few its peer has.
        #expect(text(pool.ask(request("C"), number: 5)) == "waits")
        #expect(text(pool.ask(request(), number: 6)) == "waits")
        #expect(pool.usedCount == 3)
        #expect(pool.waitingCount == 3)
        // The place of B helps C: those who wait for A wait for its own.
        #expect(text(pool.leave(request("B"), keeping: nil)) == ["5: place"])
        #expect(text(pool.leave(request(), keeping: nil)) == ["3: place"])
        #expect(text(pool.leave(request("C"), keeping: nil)).isEmpty)
        #expect(text(pool.leave(request(), keeping: nil)) == ["6: place"])
    }

    @Test("What is kept stands in for its own kind only, and is given up for another kind or peer that has no place")
    func kept() {
        var pool = Pool(placesMax: 2)
        _ = pool.ask(request(), number: 1)
        #expect(pool.leave(request(), keeping: (10, "a")).isEmpty)
        #expect(pool.idleCount == 1)
        #expect(pool.usedCount == 0)
        #expect(text(pool.ask(request(), number: 2)) == "idle a")
        _ = pool.leave(request(), keeping: (11, "a"))
        #expect(text(pool.ask(request("B"), number: 3)) == "place")
        // Both places are taken: the one that nobody uses goes.
        #expect(text(pool.ask(request("C"), number: 4)) == "place of a")
        #expect(pool.idleCount == 0)
        _ = pool.leave(request("B"), keeping: (12, "b"))
        _ = pool.leave(request("C"), keeping: nil)
        // There is room, and the peer may serve one at a time all the same.
        #expect(text(pool.ask(request("B", kind: "y"), number: 5)) == "place of b")
    }

    @Test("Who waits gets what is given back: the association of its kind, else the place")
    func served() {
        var pool = Pool(placesMax: 9)
        _ = pool.ask(request(placesMax: 1), number: 1)
        #expect(text(pool.ask(request(placesMax: 1), number: 2)) == "waits")
        #expect(text(pool.ask(request(kind: "y", placesMax: 1), number: 3)) == "waits")
        #expect(text(pool.leave(request(placesMax: 1), keeping: (20, "a"))) == ["2: idle a"])
        #expect(text(pool.leave(request(placesMax: 1), keeping: (21, "a"))) == ["3: place of a"])
    }

    @Test("What is withdrawn or has ended is nobody's any more")
    func gone() {
        var pool = Pool(placesMax: 1)
        _ = pool.ask(request(), number: 1)
        _ = pool.ask(request(), number: 2)
        let withdrawn = (pool.withdraw(2) != nil, pool.withdraw(2) != nil)
        #expect(withdrawn == (true, false))
        #expect(pool.leave(request(), keeping: (30, "a")).isEmpty)
        #expect(pool.retire(30)?.0 == "a")
        #expect(pool.retire(30)?.0 == nil)
        // It takes its place until it has ended.
        #expect(text(pool.ask(request(), number: 4)) == "waits")
        #expect(text(pool.leave(request(), keeping: (32, "c"))) == ["4: idle c"])
        #expect(pool.leave(request(), keeping: (33, "c")).isEmpty)
        #expect(pool.remove { $0 == "c" }.isEmpty)
        #expect(pool.idleCount == 0)
        _ = pool.ask(request(), number: 3)
        _ = pool.leave(request(), keeping: (31, "b"))
        #expect(pool.removeIdle(of: request("B").peer).0.isEmpty)
        #expect(pool.removeIdle().0 == ["b"])
        #expect(pool.usedCount == 0)
        #expect(pool.idleCount == 0)
        #expect(pool.waitingCount == 0)
    }

    @Test("Who waits behind one that withdraws gets what that one could not have")
    func behind() {
        var pool = Pool(placesMax: 9)
        _ = pool.ask(request(placesMax: 1), number: 1)
        #expect(text(pool.ask(request(placesMax: 1), number: 2)) == "waits")
        #expect(text(pool.ask(request(placesMax: 2), number: 3)) == "waits")
        #expect(pool.withdraw(2).map(text) == ["3: place"])
        #expect(pool.waitingCount == 0)
    }

    @Test("Who is to have one of its own gets none that was kept, and takes its place")
    func own() {
        var pool = Pool(placesMax: 9)
        _ = pool.ask(request(placesMax: 1), number: 1)
        _ = pool.leave(request(placesMax: 1), keeping: (20, "a"))
        var own = request(placesMax: 1)
        own.mayBeKept = false
        #expect(text(pool.ask(own, number: 2)) == "place of a")
    }

    @Test("Any order of events: never more places than there may be, and nobody waits for a place that is free")
    func anyOrder() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("AssociationPoolTests.anyOrder seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var pool = Pool(placesMax: 5)
        var used: [Int: Pool.Request] = [:]
        var waiting: [Int: Pool.Request] = [:]
        var idle: Set<Int> = []
        func serve(_ served: [(Int, Pool.Grant)]) {
            for (number, grant) in served {
                used[number] = waiting.removeValue(forKey: number)
                if case .idle(let kept, _) = grant { idle.remove(kept) }
            }
        }
        for number in 1...2_000 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let request = request(
                    ["A", "B", "C"].randomElement(using: &random) ?? "A",
                    kind: Bool.random(using: &random) ? "x" : "y")
                if let grant = pool.ask(request, number: number) {
                    used[number] = request
                    if case .idle(let kept, _) = grant { idle.remove(kept) }
                } else {
                    waiting[number] = request
                }
            case 2:
                guard let (user, request) = used.randomElement(using: &random) else { continue }
                used[user] = nil
                let keeps = Bool.random(using: &random)
                if keeps { idle.insert(-number) }
                serve(pool.leave(request, keeping: keeps ? (-number, "\(-number)") : nil))
            case 3:
                guard let waiter = waiting.keys.randomElement(using: &random) else { continue }
                waiting[waiter] = nil
                serve(pool.withdraw(waiter) ?? [])
            case 4:
                guard let kept = idle.randomElement(using: &random) else { continue }
                idle.remove(kept)
                used[number] = pool.retire(kept)?.1
            default:
                guard let kept = idle.randomElement(using: &random) else { continue }
                idle.remove(kept)
                serve(pool.remove { $0 == "\(kept)" })
            }
            #expect(pool.usedCount == used.count, "seed \(seed)")
            #expect(pool.waitingCount == waiting.count, "seed \(seed)")
            #expect(pool.usedCount + pool.idleCount <= 5, "seed \(seed)")
            let ofA = used.values.count { $0.peer == request("A").peer }
            #expect(ofA <= 2, "seed \(seed)")
            if pool.usedCount < 5 {
                for waiter in waiting.values {
                    #expect(used.values.count { $0.peer == waiter.peer } == 2, "seed \(seed)")
                }
            }
        }
    }
}
