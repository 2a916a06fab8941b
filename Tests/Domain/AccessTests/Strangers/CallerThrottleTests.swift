import Access
import Synchronization
import Testing

/// X17: names that are guessed in a row.
@Suite struct CallerThrottleTests {
    func throttle(_ limits: StrangerLimits, _ time: SharedTime) -> CallerThrottle {
        CallerThrottle(limits: limits, now: { time.value })
    }

    final class SharedTime: Sendable {
        private let now = Mutex<Int64>(0)
        var value: Int64 { now.withLock { $0 } }
        func advance(seconds: Int64) { now.withLock { $0 += seconds * 1_000_000 } }
    }

    @Test("After the burst an address is held back, told once, and answered again as its tokens come back")
    func burst() {
        var limits = CallerThrottle.limitsDefault
        limits.burst = 3
        limits.perMinute = 6
        let time = SharedTime()
        let throttle = throttle(limits, time)
        let address = "192.0.2.1"
        var traces: [CallerThrottle.Trace] = []
        for name in 0..<6 where throttle.admits("N\(name)", from: address) {
            traces.append(throttle.refused(from: address))
        }
        #expect(traces == [.inFull, .inFull, .throttled])
        #expect(throttle.heldBack == 3)
        #expect(throttle.admits("N", from: "192.0.2.2"))
        time.advance(seconds: 9)
        #expect(!throttle.admits("N", from: address))
        time.advance(seconds: 1)
        #expect(throttle.admits("N", from: address))
        // Told once in a run; anew after it was quiet.
        #expect(throttle.refused(from: address) == .counted)
        #expect(!throttle.admits("N", from: address))
        time.advance(seconds: 700)
        #expect(throttle.refused(from: address) == .inFull)
    }

    @Test("A name that was let in from an address is let in from there however much is guessed")
    func known() {
        var limits = CallerThrottle.limitsDefault
        limits.burst = 1
        let throttle = throttle(limits, SharedTime())
        let address = "192.0.2.1"
        throttle.admitted("CT1", from: address)
        #expect(throttle.refused(from: address) == .throttled)
        #expect(throttle.admits("CT1", from: address))
        #expect(!throttle.admits("CT2", from: address))
    }

    @Test("Names of addresses are remembered up to a number; the address that was quiet longest is forgotten")
    func forgotten() {
        var limits = CallerThrottle.limitsDefault
        limits.burst = 1
        limits.addressesMax = 2
        let time = SharedTime()
        let throttle = throttle(limits, time)
        for number in 1...3 {
            throttle.admitted("CT1", from: "192.0.2.\(number)")
            time.advance(seconds: 1)
        }
        _ = throttle.refused(from: "192.0.2.1")
        #expect(!throttle.admits("CT1", from: "192.0.2.1"))
        _ = throttle.refused(from: "192.0.2.3")
        #expect(throttle.admits("CT1", from: "192.0.2.3"))
    }
}
