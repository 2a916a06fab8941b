import Testing

@testable import Workflow

/// What becomes of an entry after an attempt: retry by class of failure, parking, and never a failure's text without bounds.
@Suite struct DeliveryPolicyTests {
    private static func entry(attempts: Int = 0, waitingSince: Int64 = 0) -> OutboxEntry {
        OutboxEntry(
            number: 1, eventID: EntityID("e"), destination: "d", orderingKey: "k", kind: "t", payload: [],
            state: .waiting, attempts: attempts, createdAt: seconds(0), waitingSince: seconds(waitingSince),
            nextAttemptAt: seconds(0))
    }

    private static func seconds(_ count: Int64) -> UTCInstant { UTCInstant(microseconds: count * 1_000_000) }

    private static func retry(_ verdict: DeliveryVerdict) -> (at: UTCInstant, pause: UTCInstant?)? {
        if case .retry(let at, let pause, _) = verdict { (at, pause) } else { nil }
    }

    @Test("Each further attempt waits twice as long, up to the limit, and the second half of the pause is chance")
    func backOff() throws {
        var policy = DeliveryPolicy()
        policy.retrySeconds = 4
        policy.retrySecondsMax = 60
        for (attempts, pause) in [(0, 4), (1, 8), (2, 16), (3, 32), (4, 60), (5, 60), (1_000_000, 60)] as [(Int, Int64)]
        {
            for (chance, half) in [(0.0, 1), (1.0, 2)] as [(Double, Int64)] {
                let verdict = policy.verdict(
                    on: .transient("x"), of: Self.entry(attempts: attempts), at: Self.seconds(100), chance: chance)
                let retry = try #require(Self.retry(verdict))
                #expect(retry.at == Self.seconds(100 + pause * half / 2))
                #expect(retry.pause == nil)
            }
        }
    }

    @Test("What is blocked is parked and holds its lane, whatever the policy says of what is parked")
    func blocked() {
        let verdict = DeliveryPolicy().verdict(on: .blocked("AE"), of: Self.entry(), at: Self.seconds(1), chance: 0)
        #expect(verdict == .park(failure: "AE", holdsLane: true))
    }

    @Test(
        "A destination that cannot be reached is paused as a whole; one that asks for a pause gets it, up to the limit")
    func pauses() throws {
        let policy = DeliveryPolicy()
        let away = policy.verdict(on: .unreachable("x"), of: Self.entry(), at: Self.seconds(10), chance: 1)
        let pause = try #require(Self.retry(away))
        #expect(pause.pause == pause.at)
        #expect(pause.at == Self.seconds(15))
        let busy = policy.verdict(
            on: .overloaded("x", retryAfterSeconds: 120), of: Self.entry(), at: Self.seconds(10), chance: 0)
        #expect(Self.retry(busy)?.pause == Self.seconds(130))
        let greedy = policy.verdict(
            on: .overloaded("x", retryAfterSeconds: .max), of: Self.entry(), at: Self.seconds(10), chance: 0)
        #expect(Self.retry(greedy)?.pause == Self.seconds(10 + policy.retrySecondsMax))
        let past = policy.verdict(
            on: .overloaded("x", retryAfterSeconds: -5), of: Self.entry(), at: Self.seconds(10), chance: 1)
        #expect(Self.retry(past)?.pause == Self.seconds(15))
    }

    @Test("What is not due yet waits for its time with all of its destination, however often and however old it is")
    func notYet() {
        var policy = DeliveryPolicy()
        policy.attemptsMax = 1
        policy.ageSecondsMax = 1
        let verdict = policy.verdict(
            on: .notYet("at night", seconds: 7_200), of: Self.entry(attempts: 9), at: Self.seconds(10), chance: 1)
        #expect(verdict == .wait(until: Self.seconds(7_210), reason: "at night"))
        #expect(!verdict.goesOn)
        let past = policy.verdict(on: .notYet("x", seconds: -5), of: Self.entry(), at: Self.seconds(10), chance: 1)
        #expect(past == .wait(until: Self.seconds(11), reason: "x"))
    }

    @Test("What never will succeed is parked at once; what goes on failing, at its age or number of attempts")
    func parking() {
        var policy = DeliveryPolicy()
        policy.attemptsMax = 3
        policy.ageSecondsMax = 100
        policy.holdsLaneWhenParked = true
        #expect(
            policy.verdict(on: .permanent("no"), of: Self.entry(), at: Self.seconds(1), chance: 0)
                == .park(failure: "no", holdsLane: true))
        for outcome in [DeliveryOutcome.transient("t"), .unreachable("t"), .overloaded("t", retryAfterSeconds: 1)] {
            func verdict(_ attempts: Int, _ now: Int64) -> DeliveryVerdict {
                policy.verdict(
                    on: outcome, of: Self.entry(attempts: attempts, waitingSince: 50), at: Self.seconds(now), chance: 0)
            }
            #expect(Self.retry(verdict(1, 149)) != nil)
            #expect(verdict(2, 149) == .park(failure: "given up after 3 attempts: t", holdsLane: true))
            #expect(verdict(1, 150) == .park(failure: "given up after 100 s: t", holdsLane: true))
        }
        policy.attemptsMax = 0
        let often = policy.verdict(
            on: .transient("t"), of: Self.entry(attempts: 1_000_000), at: Self.seconds(1), chance: 0)
        #expect(Self.retry(often) != nil)
    }

    @Test("A delivery is done, one that nobody may have any more is discarded")
    func ends() {
        let policy = DeliveryPolicy()
        #expect(policy.verdict(on: .delivered, of: Self.entry(), at: Self.seconds(1), chance: 0) == .done)
        #expect(
            policy.verdict(on: .withdrawn("gone"), of: Self.entry(), at: Self.seconds(1), chance: 0)
                == .discard(failure: "gone"))
        #expect(DeliveryVerdict.done.goesOn)
        #expect(DeliveryVerdict.park(failure: "", holdsLane: false).goesOn)
        #expect(!DeliveryVerdict.park(failure: "", holdsLane: true).goesOn)
        #expect(!DeliveryVerdict.postpone.goesOn)
    }

    @Test("A failure's text is one line of bounded length, cut between characters")
    func failures() {
        #expect(DeliveryPolicy.cut("a\r\nb\u{0}c\u{7F}") == "a  b c ")
        let long = DeliveryPolicy.cut(String(repeating: "ü", count: 1_000))
        #expect(long.utf8.count == 500)
        #expect(long.allSatisfy { $0 == "ü" })
        let longer = DeliveryPolicy.cut("x" + String(repeating: "ü", count: 1_000))
        #expect(longer.utf8.count == 499)
    }
}

@Suite struct DeliverySignalTests {
    @Test("A signal that was raised before is noticed; raised twice it wakes once; a wait ends with its task")
    func signal() async {
        let signal = DeliverySignal()
        signal.raise()
        signal.raise()
        await signal.wait()
        let waiting = Task { await signal.wait() }
        waiting.cancel()
        await waiting.value
        async let woken: Void = signal.wait()
        signal.raise()
        await woken
        await signal.wait(.milliseconds(1))
        async let first: Void = signal.wait()
        async let second: Void = signal.wait(.seconds(3_600))
        let raising = Task {
            while !Task.isCancelled {
                signal.raise()
                await Task.yield()
            }
        }
        await first
        await second
        raising.cancel()
    }
}
