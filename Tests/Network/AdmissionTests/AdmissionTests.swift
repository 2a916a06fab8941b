import Access
import Admission
import Synchronization
import TestSupport
import Testing

/// X6, X7: one policy of admission for all doors.
@Suite(.takingTurns) struct AdmissionTests {
    /// What was closed, by name, and what was noted.
    final class Log: Sendable {
        let closed = Mutex<[String]>([])
        let events = Mutex<[Admission.Event]>([])
    }

    let log = Log()

    func admission(
        _ limits: AdmissionLimits, descriptors: Int = 1 << 20, open: @escaping @Sendable () -> Int = { 10 }
    ) -> Admission {
        let log = log
        return Admission(
            limits: limits, descriptors: Descriptors(limit: descriptors, open: open), now: { 0 },
            observer: { event in log.events.withLock { $0.append(event) } })
    }

    @discardableResult
    func connect(
        _ admission: Admission, _ door: Admission.Door, _ address: String, _ name: String, handshake: Bool = false
    ) throws -> Place {
        let log = log
        let place = try admission.admit(door, address: address) { log.closed.withLock { $0.append(name) } }.get()
        place.opened(needsHandshake: handshake)
        return place
    }

    var closed: [String] { log.closed.withLock { $0 } }

    @Test("Places of an address: what is at work stays, what rests gives way, and then the new one is refused")
    func address() throws {
        var limits = AdmissionLimits()
        limits.mllp.connectionsPerAddressMax = 2
        let admission = admission(limits)
        let first = try connect(admission, .mllp, "192.0.2.1", "first")
        first.working()
        try connect(admission, .mllp, "192.0.2.1", "second")
        try connect(admission, .mllp, "192.0.2.1", "third").working()
        #expect(closed == ["second"])
        #expect(throws: Admission.Refusal.address) { try connect(admission, .mllp, "192.0.2.1", "fourth") }
        // Other addresses and doors have places of their own.
        try connect(admission, .mllp, "192.0.2.2", "other")
        try connect(admission, .dimse, "192.0.2.1", "dimse")
        admission.leave(first)
        admission.leave(first)
        try connect(admission, .mllp, "192.0.2.1", "fifth")
        #expect(closed == ["second"])
        #expect(admission.connections(.mllp) == 3)
    }

    @Test("IPv6 addresses of one /64 are one, and an IPv4 address is itself in IPv6 form")
    func blocks() throws {
        var limits = AdmissionLimits()
        limits.http.connectionsPerAddressMax = 1
        let admission = admission(limits)
        try connect(admission, .http, "2001:db8::1", "a").working()
        #expect(throws: Admission.Refusal.address) { try connect(admission, .http, "2001:DB8:0:0:ffff::2", "b") }
        try connect(admission, .http, "2001:db8:0:1::1", "c")
        try connect(admission, .http, "192.0.2.1", "d").working()
        #expect(throws: Admission.Refusal.address) { try connect(admission, .http, "::ffff:192.0.2.1", "e") }
    }

    @Test("A door that is full of silent handshakes lets a good peer in, and closes one of the busiest address")
    func silentHandshakes() throws {
        var limits = AdmissionLimits()
        limits.mllp.connectionsMax = 20
        let admission = admission(limits)
        for number in 0..<9 { try connect(admission, .mllp, "198.51.100.1", "flood \(number)", handshake: true) }
        for number in 0..<11 { try connect(admission, .mllp, "203.0.113.\(number)", "one \(number)", handshake: true) }
        let good = try connect(admission, .mllp, "192.0.2.1", "good", handshake: true)
        #expect(closed == ["flood 0"])
        good.arrived()
        good.working()
        for number in 20..<60 {
            try connect(admission, .mllp, "203.0.113.\(number)", "more \(number)", handshake: true)
        }
        #expect(!closed.contains("good"))
        #expect(admission.connections(.mllp) == 20)
    }

    @Test("What has finished its handshake and rests goes after what has not, and before nothing at work")
    func order() throws {
        var limits = AdmissionLimits()
        limits.connectionsMax = 3
        let admission = admission(limits)
        try connect(admission, .http, "192.0.2.1", "resting", handshake: true).arrived()
        try connect(admission, .mllp, "192.0.2.2", "arriving", handshake: true)
        try connect(admission, .dimse, "192.0.2.3", "working", handshake: true).working()
        try connect(admission, .dimse, "192.0.2.4", "x").working()
        #expect(closed == ["arriving"])
        try connect(admission, .dimse, "192.0.2.5", "y").working()
        #expect(closed == ["arriving", "resting"])
        #expect(throws: Admission.Refusal.sum) { try connect(admission, .http, "192.0.2.6", "z") }
    }

    @Test("Handshakes in progress are bounded below the places of a door")
    func handshakes() throws {
        var limits = AdmissionLimits()
        limits.handshakesMax = 4
        let admission = admission(limits)
        for number in 0..<4 { try connect(admission, .http, "192.0.2.\(number)", "\(number)", handshake: true) }
        try connect(admission, .http, "192.0.2.9", "new", handshake: true)
        #expect(closed == ["0"])
    }

    @Test("X6: new connections are refused before the descriptors that files need are used up")
    func descriptors() throws {
        var limits = AdmissionLimits()
        limits.descriptorsReserve = 64
        // 256 descriptors: 64 are kept, 40 are open already, and each HTTP connection may need two.
        let open = Atomic<Int>(40)
        let counted = Log()
        let admission = Admission(
            limits: limits, descriptors: Descriptors(limit: 256, open: { open.load(ordering: .relaxed) }), now: { 0 },
            observer: { event in counted.events.withLock { $0.append(event) } })
        var places: [Place] = []
        while case .success(let place) = admission.admit(.http, address: "192.0.2.1", close: {}) {
            place.opened(needsHandshake: false)
            place.working()
            places.append(place)
        }
        #expect(places.count == (256 - 64 - 40) / 2)
        #expect(counted.events.withLock { $0.last } == .refused(.http, .descriptors))
        // One that rests gives way.
        places[7].resting()
        let next = admission.admit(.http, address: "192.0.2.1", close: {})
        #expect(throws: Never.self) { try next.get() }
    }

    @Test("Of places that are taken and given back at the same time none is lost, whatever the order")
    func counts() async throws {
        var limits = AdmissionLimits()
        limits.connectionsMax = 50
        let admission = admission(limits)
        let seed = UInt64.random(in: 0...UInt64.max)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var random = SeededGenerator(seed: seed &+ UInt64(task))
                    var held: [Place] = []
                    for _ in 0..<500 {
                        let door = Admission.Door.allCases[Int(random.next() % 3)]
                        switch random.next() % 3 {
                        case 0: if let place = held.popLast() { admission.leave(place) }
                        default:
                            guard
                                case .success(let place) = admission.admit(
                                    door, address: "192.0.2.\(random.next() % 9)", close: {})
                            else { continue }
                            place.opened(needsHandshake: random.next() % 2 == 0)
                            if random.next() % 2 == 0 { place.working() }
                            held.append(place)
                        }
                    }
                    for place in held { admission.leave(place) }
                }
            }
        }
        #expect(Admission.Door.allCases.map(admission.connections) == [0, 0, 0], "seed \(seed)")
        for door in Admission.Door.allCases {
            #expect(throws: Never.self, "seed \(seed)") {
                try admission.admit(door, address: "192.0.2.1", close: {}).get()
            }
        }
    }
}
