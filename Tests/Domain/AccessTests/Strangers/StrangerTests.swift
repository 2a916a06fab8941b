import Access
import Synchronization
import Testing

/// Case X3: what strangers cost. OWASP API4; RFC 6585 §4.
struct StrangerTests {
    private final class Clock: Sendable {
        private let time = Mutex<Int64>(1_000_000_000)
        var now: Int64 { time.withLock { $0 } }
        func advance(seconds: Double) { time.withLock { $0 += Int64(seconds * 1e6) } }
    }

    private final class Trail: AuditTrail {
        struct Full: Error {}
        private let records = Mutex<(all: [AuditRecord], isFull: Bool)>(([], false))
        func fill(_ isFull: Bool) { records.withLock { $0.isFull = isFull } }
        func record(_ record: AuditRecord) async throws {
            try records.withLock {
                if $0.isFull { throw Full() }
                $0.all.append(record)
            }
        }
        var all: [AuditRecord] { records.withLock { $0.all } }
    }

    private static func limits(burst: Int = 5, perMinute: Int = 60, addresses: Int = 100) -> StrangerLimits {
        var limits = StrangerLimits()
        limits.burst = burst
        limits.perMinute = perMinute
        limits.addressesMax = addresses
        return limits
    }

    private static func record(_ address: String?, _ detail: String, _ principal: Principal = .anonymous) -> AuditRecord
    {
        AuditRecord(
            category: .security, interaction: "read", action: .execute, outcome: .minorFailure,
            access: AccessContext(principal: principal, scopes: [], requestID: "r", sourceAddress: address),
            detail: detail)
    }

    @Test("X3: so many refusals in a row are answered, then one for each share of a minute; Retry-After says when")
    func bucket() {
        let clock = Clock()
        let throttle = StrangerThrottle(limits: Self.limits(), now: { clock.now })
        let key = StrangerThrottle.Key(address: "192.0.2.1")
        for _ in 0..<5 { #expect(throttle.refused(key) == .answered) }
        #expect(throttle.wait(key) == 1)
        #expect(throttle.refused(key) == .throttled(seconds: 1))
        #expect(throttle.throttledCount == 1)
        // Whoever goes on is not kept out longer for it.
        for _ in 0..<1000 { _ = throttle.refused(key) }
        clock.advance(seconds: 1)
        #expect(throttle.wait(key) == nil)
        #expect(throttle.refused(key) == .answered)
        #expect(throttle.refused(key) == .throttled(seconds: 1))
        clock.advance(seconds: 3600)
        for _ in 0..<5 { #expect(throttle.refused(key) == .answered) }
        #expect(throttle.refused(key) != .answered)
        // A clock that goes back gives nothing and takes nothing.
        clock.advance(seconds: -7200)
        #expect(throttle.refused(key) != .answered)
    }

    @Test("X3: others are not hurt: another address, and another client at the same one, have chances of their own")
    func others() {
        let clock = Clock()
        let throttle = StrangerThrottle(limits: Self.limits(), now: { clock.now })
        for _ in 0..<6 { _ = throttle.refused(.init(address: "192.0.2.1")) }
        #expect(throttle.wait(.init(address: "192.0.2.1")) != nil)
        #expect(throttle.wait(.init(address: "192.0.2.2")) == nil)
        #expect(throttle.wait(.init(address: "192.0.2.1", client: "app")) == nil)
    }

    @Test("RFC 7421: an IPv6 host is its /64, a mapped address is the IPv4 one")
    func blocks() {
        #expect(AddressBlock("2001:db8:1:2::1") == AddressBlock("2001:db8:1:2:ffff::9"))
        #expect(AddressBlock("2001:db8:1:2::1") != AddressBlock("2001:db8:1:3::1"))
        #expect(AddressBlock("::ffff:192.0.2.1") == AddressBlock("192.0.2.1"))
        #expect(AddressBlock("192.0.2.1") != AddressBlock("192.0.2.2"))
        #expect(AddressBlock("fe80::1%eth0") == AddressBlock("fe80::2%eth1"))
        #expect(AddressBlock(nil).description == "unknown")
        #expect(AddressBlock("::1").description == "0:0:0:0:0:0:0:0/64")
    }

    @Test("X3: a million addresses take no more memory than the limit, and share what is left of it")
    func memory() {
        let clock = Clock()
        let throttle = StrangerThrottle(limits: Self.limits(addresses: 10), now: { clock.now })
        for number in 0..<10 { for _ in 0..<6 { _ = throttle.refused(.init(address: "192.0.2.\(number)")) } }
        for number in 0..<5 { #expect(throttle.refused(.init(address: "198.51.100.\(number)")) == .answered) }
        #expect(throttle.refused(.init(address: "198.51.100.99")) != .answered)
        // When the first have been quiet, there are places again.
        clock.advance(seconds: 3600)
        #expect(throttle.refused(.init(address: "198.51.100.99")) == .answered)
        #expect(throttle.refused(.init(address: "203.0.113.1")) == .answered)
    }

    @Test("X3: the first refusals of an address have a row each, the others one together; those of clients always have")
    func ledger() async throws {
        let trail = Trail()
        var limits = StrangerLimits()
        limits.rowsPerAddress = 3
        let ledger = RefusalLedger(trail, limits: limits)
        for _ in 0..<2000 { try await ledger.record(Self.record("192.0.2.1", "no-token")) }
        for _ in 0..<5 { try await ledger.record(Self.record("192.0.2.2", "invalid-token")) }
        for _ in 0..<4 { try await ledger.record(Self.record("192.0.2.1", "403", Principal(kind: .client, id: "app"))) }
        #expect(trail.all.count == 3 + 3 + 4)
        let summary = await ledger.sumUp(requestID: "sum")
        #expect(summary.addresses == 2)
        #expect(summary.refusals == 1997 + 2)
        let sums = trail.all.suffix(2)
        #expect(sums.map(\.sourceAddress) == ["192.0.2.1", "192.0.2.2"])
        #expect(sums.map(\.detail) == ["1997 more refused: no-token 1997", "2 more refused: invalid-token 2"])
        #expect(sums.allSatisfy { $0.interaction == "refusals" && $0.outcome == .minorFailure })
        // Nothing is told twice, and an interval begins with rows again.
        #expect(await ledger.sumUp(requestID: "sum").refusals == 0)
        try await ledger.record(Self.record("192.0.2.1", "no-token"))
        #expect(trail.all.count == 13)
    }

    @Test("X3: rows are bounded over all addresses too, and a sum that cannot be written is not lost")
    func bounds() async throws {
        let trail = Trail()
        var limits = StrangerLimits()
        limits.rowsPerAddress = 10
        limits.rowsMax = 20
        let ledger = RefusalLedger(trail, limits: limits)
        for number in 0..<200 {
            for _ in 0..<5 { try await ledger.record(Self.record("192.0.\(number).1", "no-token")) }
        }
        #expect(trail.all.count == 20)
        trail.fill(true)
        #expect(await ledger.sumUp(requestID: "sum").refusals == 0)
        // A full disk does not keep a stranger from being refused.
        for _ in 0..<3 { try? await ledger.record(Self.record("192.0.0.1", "no-token")) }
        trail.fill(false)
        let summary = await ledger.sumUp(requestID: "sum")
        #expect(summary.refusals >= 980)
        #expect(summary.addresses <= 21)
    }
}
